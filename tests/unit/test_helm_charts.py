"""Charts on disk: read, refused with a way out, and found as pipeline-file.md says."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.helm.charts import read_chart, refuse_library
from ansflow_desktop.helm.find import find_chart
from ansflow_desktop.models.pipeline import HelmDeploy

GOOD = "apiVersion: v2\nname: {name}\nversion: 1.2.3\nappVersion: 1.16\n"


def chart(folder: Path, text: str = GOOD, name: str = "web") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Chart.yaml").write_text(text.replace("{name}", name), encoding="utf-8")
    return folder


def packed(archive: Path, name: str, version: str) -> None:
    text = f"apiVersion: v2\nname: {name}\nversion: {version}\n".encode()
    archive.parent.mkdir(exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        info = tarfile.TarInfo(f"{name}/Chart.yaml")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))


def refusal(folder) -> UserError:
    with pytest.raises(UserError) as caught:
        read_chart(folder)
    assert caught.value.field == "chart_path"
    assert str(caught.value.hint)
    return caught.value


def test_chart_is_read_with_what_lies_beside_it(tmp_path):
    folder = chart(tmp_path / "我的 chart")
    for name in (
        "values.yaml",
        "values-prod.yaml",
        "my-values.yml",
        "values/dev.yaml",
        "ci/a.yaml",
        "values.schema.json",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")

    found = read_chart(folder)

    assert (found.name, found.version, found.app_version) == ("web", "1.2.3", "1.16")
    assert found.path == str(folder)
    assert found.values_files == ("ci/a.yaml", "my-values.yml", "values-prod.yaml", "values/dev.yaml")
    assert found.has_schema


def test_dependencies_tell_whether_they_are_there(tmp_path):
    dependencies = (
        "dependencies:\n"
        "- {name: folder, version: 1.2.3, repository: 'file://../folder'}\n"
        "- {name: packed, version: ~2.0.0, repository: 'https://charts.example'}\n"
        "- {name: stale, version: 3.0.0, repository: '@mine', alias: other, condition: other.enabled}\n"
        "- {name: absent, version: '>=1'}\n"
    )
    folder = chart(tmp_path / "web", GOOD + dependencies)
    chart(folder / "charts" / "folder", name="folder")
    packed(folder / "charts" / "packed-2.0.4.tgz", "packed", "2.0.4")
    packed(folder / "charts" / "stale-2.9.9.tgz", "stale", "2.9.9")
    (folder / "charts" / "broken.tgz").write_bytes(b"no archive")

    found = read_chart(folder)

    assert [dependency.present for dependency in found.dependencies] == [True, True, False, False]
    assert [dependency.name for dependency in found.missing] == ["stale", "absent"]
    assert found.dependencies[2].alias == "other"


def test_old_chart_has_its_dependencies_in_requirements(tmp_path):
    folder = chart(tmp_path / "web", GOOD.replace("v2", "v1"))
    (folder / "requirements.yaml").write_text("dependencies: [{name: db, version: 1.0.0, repository: 'https://x'}]")
    assert [dependency.name for dependency in read_chart(folder).missing] == ["db"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no fields"),
        ("- a\n", "no fields"),
        ("name: [web\n", "Line 2"),
        ("apiVersion: v2\nversion: 1.0.0\n", "name"),
        ("apiVersion: v2\nname: web\n", "version"),
        ("name: web\nversion: 1.0.0\n", "apiVersion"),
        ("apiVersion: v3\nname: web\nversion: 1.0.0\n", "v3"),
        ("apiVersion: v2\nname: ../web\nversion: 1.0.0\n", "../web"),
        ("apiVersion: v2\nname: web\nversion: latest\n", "latest"),
        (GOOD + "dependencies: {a: b}\n", "list"),
    ],
)
def test_broken_chart_yaml_is_named_with_what_is_wrong(tmp_path, text, words):
    assert words in str(refusal(chart(tmp_path / "web", text)))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    folder = chart(tmp_path / "web")
    (folder / "Chart.yaml").write_bytes(b"name: \xff\xfe")
    assert "UTF-8" in str(refusal(folder))


def test_aliases_that_explode_are_refused(tmp_path):
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "million" in str(refusal(chart(tmp_path / "web", "\n".join(lines))))


def test_deep_nesting_is_refused(tmp_path):
    assert "nested" in str(refusal(chart(tmp_path / "web", "a: " + "[" * 50_000)))


def test_folder_without_chart_says_what_it_holds_instead(tmp_path):
    assert "no such folder" in str(refusal(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    assert "empty" in str(refusal(tmp_path / "empty"))
    (tmp_path / "file").write_text("")
    assert "file" in str(refusal(tmp_path / "file"))
    (tmp_path / "yml").mkdir()
    (tmp_path / "yml" / "Chart.yml").write_text("")
    assert "Rename it" in str(refusal(tmp_path / "yml"))
    chart(tmp_path / "repo" / "charts" / "web")
    assert str(tmp_path / "repo" / "charts" / "web") in str(refusal(tmp_path / "repo").hint)


def test_link_out_of_the_chart_is_refused_and_named(tmp_path):
    folder = chart(tmp_path / "web")
    (tmp_path / "secret").write_text("s")
    (folder / "templates").mkdir()
    (folder / "templates" / "inside.yaml").symlink_to("../Chart.yaml")
    read_chart(folder)

    (folder / "templates" / "leak.yaml").symlink_to("../../secret")
    assert "templates/leak.yaml" in str(refusal(folder))


def test_library_cannot_be_deployed(tmp_path):
    with pytest.raises(UserError, match="library"):
        refuse_library(read_chart(chart(tmp_path / "web", GOOD + "type: library\n")))


def test_bare_name_is_the_working_directory_itself(tmp_path):
    folder = chart(tmp_path / "charts" / "fe-app", name="fe-app")
    chart(folder / "fe-app", name="fe-app")

    found = find_chart(HelmDeploy(chart_name="fe-app"), str(folder))

    assert (found.cwd, found.argument, found.chart.name) == (str(folder), ".", "fe-app")


@pytest.mark.parametrize("place", ["fe-app", "charts/fe-app", "helm/fe-app", "k8s/fe-app"])
def test_bare_name_is_looked_for_in_order(tmp_path, place):
    chart(tmp_path, name="another")
    folder = chart(tmp_path / place, name="fe-app")

    found = find_chart(HelmDeploy(chart_name="fe-app"), str(tmp_path))

    assert (found.cwd, found.argument) == (str(folder), ".")
    assert any(str(folder) in str(decision) for decision in found.decisions)


def test_name_found_nowhere_lists_every_place_and_the_other_chart(tmp_path):
    chart(tmp_path, name="another")

    with pytest.raises(UserError) as caught:
        find_chart(HelmDeploy(chart_name="fe-app"), str(tmp_path))

    text = str(caught.value)
    for place in ("", "/fe-app", "/charts/fe-app", "/helm/fe-app", "/k8s/fe-app"):
        assert f"{tmp_path}{place}" in text
    assert "another" in text
    assert caught.value.field == "chart_name"


def test_dot_and_relative_paths_are_folders(tmp_path):
    folder = chart(tmp_path / "web")
    assert find_chart(HelmDeploy(chart_name="."), str(folder)).cwd == str(folder)
    assert find_chart(HelmDeploy(chart_path="../web"), str(folder)).cwd == str(folder)
    assert find_chart(HelmDeploy(chart_name="./web"), str(tmp_path)).cwd == str(folder)


@pytest.mark.parametrize(
    ("config", "argument", "repo"),
    [
        (HelmDeploy(chart_name="nginx", chart_repo="https://charts.example/x"), "nginx", "https://charts.example/x"),
        (HelmDeploy(chart_name="nginx", chart_repo="mine"), "mine/nginx", ""),
        (HelmDeploy(chart_name="nginx", chart_repo="oci://reg.example/c/"), "oci://reg.example/c/nginx", ""),
        (HelmDeploy(chart_name="oci://reg.example/c/nginx"), "oci://reg.example/c/nginx", ""),
        (HelmDeploy(chart_path="https://charts.example/nginx-1.0.0.tgz"), "https://charts.example/nginx-1.0.0.tgz", ""),
    ],
)
def test_charts_elsewhere_are_not_searched(tmp_path, config, argument, repo):
    found = find_chart(config, str(tmp_path))
    assert (found.argument, found.repo, found.chart, found.cwd) == (argument, repo, None, str(tmp_path))


def test_repository_chart_is_not_mistaken_for_a_folder_of_its_name(tmp_path):
    chart(tmp_path / "nginx", name="nginx")
    found = find_chart(HelmDeploy(chart_name="nginx", chart_repo="https://charts.example"), str(tmp_path))
    assert not (Path(found.cwd) / found.argument).exists()


def test_packed_chart_is_made_absolute(tmp_path):
    packed(tmp_path / "web-1.0.0.tgz", "web", "1.0.0")
    found = find_chart(HelmDeploy(chart_path="web-1.0.0.tgz"), str(tmp_path))
    assert (found.argument, found.name) == (str(tmp_path / "web-1.0.0.tgz"), "web")
    with pytest.raises(UserError, match="no such file"):
        find_chart(HelmDeploy(chart_path="gone.tgz"), str(tmp_path))


@pytest.mark.parametrize(
    "config", [HelmDeploy(), HelmDeploy(chart_name="--debug"), HelmDeploy(chart_name="a", chart_repo="--x")]
)
def test_no_name_and_flags_are_refused(tmp_path, config):
    with pytest.raises(UserError):
        find_chart(config, str(tmp_path))


def test_version_that_the_folder_does_not_have_is_warned_of(tmp_path):
    found = find_chart(HelmDeploy(chart_path=str(chart(tmp_path / "web")), chart_version="9.9.9"), "/")
    assert "9.9.9" in str(found.warnings[0])


def test_chart_yaml_that_is_no_file_is_called_that(tmp_path):
    os.mkfifo(tmp_path / "Chart.yaml")
    with pytest.raises(UserError) as caught:
        read_chart(tmp_path)
    assert "is no file" in str(caught.value.message)
    assert "Rename" not in str(caught.value.hint)
