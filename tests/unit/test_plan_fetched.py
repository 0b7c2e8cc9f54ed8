"""Dependencies that previews keep: in a private folder, removed at the end, leftovers of killed processes too."""

from __future__ import annotations

import os
import stat
import subprocess

from ansflow_desktop.executors.fetched import FetchedCharts
from ansflow_desktop.helm.dependencies import Preparation, RepositoryList
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.command import Command


def preparation(tmp_path, number: int) -> Preparation:
    """A chart `number` and the copy in which one archive lies fetched."""
    chart, copy = tmp_path / f"chart{number}", tmp_path / f"copy{number}"
    (copy / "charts").mkdir(parents=True)
    (copy / "charts" / "cache-0.1.0.tgz").write_text(str(number))
    chart.mkdir()
    (chart / "Chart.yaml").write_text(f"name: web{number}\n")
    fetch = Command(argv=("helm", "dependency", "update", "."), cwd=str(copy), purpose="dependencies")
    return Preparation(
        chart=str(copy),
        root=str(copy),
        copies=(),
        repositories=RepositoryList(path="", source=""),
        commands=(fetch,),
        notice=msg("x"),
        origin=str(chart),
    )


def test_what_was_kept_is_put_back_until_the_chart_changes(tmp_path):
    fetched, one = FetchedCharts(tmp_path), preparation(tmp_path, 1)
    assert not fetched.restore(one)
    fetched.keep(one)
    archive = tmp_path / "copy1" / "charts" / "cache-0.1.0.tgz"
    archive.unlink()

    assert fetched.restore(one)
    assert archive.read_text() == "1"
    (tmp_path / "chart1" / "Chart.yaml").write_text("name: other\n")
    assert not fetched.restore(one)
    fetched.close()


def test_folder_is_private_and_gone_at_the_end(tmp_path):
    fetched = FetchedCharts(tmp_path)
    fetched.keep(preparation(tmp_path, 1))
    [folder] = tmp_path.glob("ansflow-fetched-*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    fetched.close()
    assert not folder.exists()


def test_only_the_last_few_are_kept(tmp_path):
    fetched = FetchedCharts(tmp_path)
    every = [preparation(tmp_path, number) for number in range(9)]
    for each in every:
        fetched.keep(each)
    assert [fetched.restore(each) for each in every] == [False] + [True] * 8
    fetched.close()


def test_leftovers_of_a_killed_process_are_removed(tmp_path):
    process = subprocess.Popen(["true"])
    process.wait()
    (tmp_path / f"ansflow-fetched-{process.pid}-x").mkdir()
    (tmp_path / f"ansflow-fetched-{os.getppid()}-x").mkdir()
    fetched = FetchedCharts(tmp_path)
    fetched.keep(preparation(tmp_path, 1))
    left = {path.name.split("-")[2] for path in tmp_path.glob("ansflow-fetched-*")}
    assert left == {str(os.getppid()), str(os.getpid())}
    fetched.close()
