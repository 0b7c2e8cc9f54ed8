"""What fetching missing dependencies would run, as data, and that the copy keeps the charts' places to each other."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.helm.charts import read_chart
from ansflow_desktop.helm.dependencies import check_repositories, materialise, prepare, user_repositories
from ansflow_desktop.models.command import Tool

HELM = Tool(name="helm", path="/bin/helm", version="4.3.1")
URL = "http://127.0.0.1:8080/charts"


def chart(folder: Path, *dependencies: tuple[str, str], name: str = "") -> Path:
    folder.mkdir(parents=True)
    lines = "".join(f"- {{name: {name}, version: 1.0.0, repository: '{url}'}}\n" for name, url in dependencies)
    text = f"apiVersion: v2\nname: {name or folder.name}\nversion: 1.0.0\n" + (
        f"dependencies:\n{lines}" if lines else ""
    )
    (folder / "Chart.yaml").write_text(text)
    return folder


def plan(folder: Path, private: Path, **options):
    return prepare(HELM, read_chart(folder), private, **options)


def words(preparation) -> list[tuple[str, ...]]:
    return [command.argv[1:] for command in preparation.commands]


def configure(*entries: dict) -> None:
    path = Path(user_repositories())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"repositories": list(entries)}))


def test_nothing_missing_needs_no_preparation(tmp_path):
    assert plan(chart(tmp_path / "web"), tmp_path / "private") is None


def test_unknown_repository_is_added_to_a_private_list(tmp_path):
    found = plan(chart(tmp_path / "web", ("db", URL)), tmp_path / "private")

    assert words(found) == [("repo", "add", "ansflow-1", URL), ("dependency", "update", ".")]
    for command in found.commands:
        assert command.env["HELM_REPOSITORY_CONFIG"].startswith(str(tmp_path / "private"))
        assert command.env["HELM_REPOSITORY_CACHE"].startswith(str(tmp_path / "private"))
    assert found.commands[-1].cwd == found.chart


def test_lock_is_built_and_refresh_updates(tmp_path):
    folder = chart(tmp_path / "web", ("db", "oci://reg.example/charts"))
    (folder / "Chart.lock").write_text("")
    assert words(plan(folder, tmp_path / "p")) == [("dependency", "build", ".", "--skip-refresh")]
    assert words(plan(folder, tmp_path / "p", update=True)) == [("dependency", "update", ".", "--skip-refresh")]


def test_configured_repository_keeps_its_entry_in_a_private_file(tmp_path):
    configure({"name": "mine", "url": URL + "/", "password": "s3cret"}, {"name": "other", "url": "http://127.0.0.1:1"})
    private = tmp_path / "private"
    private.mkdir()

    found = plan(chart(tmp_path / "web", ("db", URL), ("cache", "@mine")), private)
    materialise(found)

    assert words(found) == [("dependency", "update", ".")]
    listed = json.loads((private / "repositories.yaml").read_text())["repositories"]
    assert [entry["name"] for entry in listed] == ["mine"]
    assert listed[0]["password"] == "s3cret"
    assert stat.S_IMODE((private / "repositories.yaml").stat().st_mode) == 0o600


def test_copy_keeps_local_dependencies_where_they_are(tmp_path):
    base = chart(tmp_path / "work" / "lib" / "base")
    chart(tmp_path / "work" / "lib" / "shared", ("base", "file://../base"))
    folder = chart(tmp_path / "work" / "apps" / "my 店", ("shared", "file://../../lib/shared"), name="shop")
    (tmp_path / "private").mkdir()

    found = plan(folder, tmp_path / "private")
    materialise(found)

    copy = Path(found.chart)
    assert copy.is_relative_to(tmp_path / "private")
    assert (copy / "../../lib/shared/Chart.yaml").is_file()
    assert (copy / "../../lib/base/Chart.yaml").read_bytes() == (base / "Chart.yaml").read_bytes()
    assert [Path(command.cwd).name for command in found.commands] == ["shared", "my 店"]
    materialise(found)


def test_dependency_inside_the_chart_is_copied_with_it(tmp_path):
    folder = chart(tmp_path / "web", ("inner", "file://./parts/inner"))
    chart(folder / "parts" / "inner")

    found = plan(folder, tmp_path / "private")

    assert len(found.copies) == 1


@pytest.mark.parametrize(
    ("dependency", "words"),
    [
        (("db", "file://../gone"), "no such folder"),
        (("db", "@nobody"), "@nobody"),
        (("db", "alias:nobody"), "alias:nobody"),
        (("db", ""), "no repository"),
    ],
)
def test_dependency_that_cannot_be_had_is_named(tmp_path, dependency, words):
    folder = chart(tmp_path / "web", dependency)
    with pytest.raises(UserError) as caught:
        plan(folder, tmp_path / "private")
    assert "db" in str(caught.value)
    assert words in str(caught.value)
    assert caught.value.field == "chart_path"
    with pytest.raises(UserError):
        check_repositories(read_chart(folder))


def test_charts_that_need_each_other_end(tmp_path):
    folder = chart(tmp_path / "a", ("b", "file://../b"))
    chart(tmp_path / "b", ("a", "file://../a"))
    assert len(plan(folder, tmp_path / "private").commands) == 2


def test_full_disk_is_told(tmp_path, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    found = plan(chart(tmp_path / "web", ("db", URL)), tmp_path / "private")
    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(UserError, match="No space left"):
        materialise(found)
