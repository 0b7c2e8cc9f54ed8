"""helm and kubectl are found, asked for their version once, and refused when too old."""

from __future__ import annotations

import time

import pytest

from ansflow_desktop import tools
from ansflow_desktop.errors import UserError
from ansflow_desktop.models.command import Tool, ToolSet

KUBECTL_SAYS = """echo '{"clientVersion": {"gitVersion": "v1.36.3"}}'"""


def program(folder, name: str, script: str):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path, monkeypatch):
    """An otherwise empty PATH of one folder (the shell of the scripts stays)."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(tools, "_USUAL", ("~/.local/bin",))
    return tmp_path / "bin"


def find(tmp_path, helm=None, kubectl=None):
    return tools.find_tools(helm, kubectl, tmp_path / "tools")


def test_tools_on_path_tell_their_versions(path, tmp_path):
    helm = program(path, "helm", "echo v4.3.1")
    program(path, "kubectl", KUBECTL_SAYS)

    found = find(tmp_path)

    assert found.helm == Tool(name="helm", path=str(helm), version="4.3.1")
    assert found.kubectl.version == "1.36.3"
    assert tools.require_helm(found).major == 4


def test_nothing_found_is_none_and_required_names_the_way_out(path, tmp_path):
    found = find(tmp_path)

    assert found == ToolSet()
    with pytest.raises(UserError) as caught:
        tools.require_helm(found)
    assert caught.value.field == "helm"
    assert "--helm" in str(caught.value.hint)


def test_usual_folders_come_before_the_newest_practice_tool(path, tmp_path, isolated_home):
    program(tmp_path / "tools" / "helm-3.22.0", "helm", "echo v3.22.0")
    newest = program(tmp_path / "tools" / "helm-4.10.1", "helm", "echo v4.10.1")
    program(tmp_path / "tools" / "helm-4.3.1", "helm", "echo v4.3.1")
    assert find(tmp_path).helm.path == str(newest)

    usual = program(isolated_home / ".local" / "bin", "helm", "echo v3.21.0")
    assert find(tmp_path).helm.path == str(usual)


def test_broken_program_is_passed_over(path, tmp_path):
    program(path, "helm", "exit 3")
    good = program(tmp_path / "tools" / "helm-4.3.1", "helm", "echo v4.3.1")

    assert find(tmp_path).helm.path == str(good)


def test_program_that_says_nothing_useful_is_named(path, tmp_path):
    helm = program(path, "helm", "echo hello")

    with pytest.raises(UserError) as caught:
        tools.require_helm(find(tmp_path))
    assert str(helm) in str(caught.value.title)


@pytest.mark.parametrize("kind", ["missing", "folder", "not executable"])
def test_explicit_path_that_is_wrong_is_named(path, tmp_path, kind):
    wrong = tmp_path / "wrong"
    if kind == "folder":
        wrong.mkdir()
    elif kind == "not executable":
        wrong.write_text("")
    with pytest.raises(UserError) as caught:
        find(tmp_path, helm=str(wrong))
    assert caught.value.field == "helm"
    assert str(wrong) in str(caught.value.title)


def test_hanging_program_is_given_up(path, tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "_ASK_TIMEOUT_S", 0.2)
    program(path, "helm", "exec /bin/sleep 60")

    assert find(tmp_path).helm.version == ""


def test_hung_kubectl_does_not_hold_up_what_needs_helm_only(path, tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "_GLANCE_S", 0.2)
    program(path, "helm", "echo v4.3.1")
    program(path, "kubectl", "exec /bin/sleep 60")

    started = time.monotonic()
    found = find(tmp_path)

    assert time.monotonic() - started < 3
    assert (found.helm.version, found.kubectl.version) == ("4.3.1", "")


def test_kubectl_that_is_only_slow_is_asked_again_when_it_is_needed(path, tmp_path):
    kubectl = program(path, "kubectl", KUBECTL_SAYS)

    found = tools.require_kubectl(ToolSet(kubectl=Tool(name="kubectl", path=str(kubectl), version="")))

    assert found.version == "1.36.3"


def test_relative_path_is_asked_where_it_was_given(path, tmp_path, monkeypatch):
    helm = program(tmp_path / "own", "helm", "echo v4.3.1")
    monkeypatch.chdir(tmp_path)

    assert find(tmp_path, helm="own/helm").helm == Tool(name="helm", path=str(helm), version="4.3.1")


def test_version_is_asked_again_only_when_the_file_changes(path, tmp_path):
    helm = program(path, "helm", f"echo x >> {tmp_path}/asked; echo v4.3.1")
    find(tmp_path)
    find(tmp_path)
    assert (tmp_path / "asked").read_text().count("x") == 1

    program(path, "helm", "echo v3.22.0 # longer than before")
    assert find(tmp_path).helm == Tool(name="helm", path=str(helm), version="3.22.0")


@pytest.mark.parametrize(("name", "version"), [("helm", "2.17.0"), ("helm", "3.7.2"), ("kubectl", "1.23.9")])
def test_too_old_is_refused(name, version):
    toolset = ToolSet(**{name: Tool(name=name, path=f"/bin/{name}", version=version)})
    with pytest.raises(UserError, match="too old"):
        tools.require_helm(toolset) if name == "helm" else tools.require_kubectl(toolset)


@pytest.mark.parametrize(
    ("version", "count"), [("3.20.1", 1), ("3.20.2", 0), ("3.22.0", 0), ("4.1.3", 1), ("4.1.4", 0), ("4.3.1", 0)]
)
def test_helm_with_known_holes_is_warned_of(version, count):
    toolset = ToolSet(helm=Tool(name="helm", path="/bin/helm", version=version))
    assert len(tools.tool_warnings(toolset)) == count


def test_old_kubectl_is_warned_of():
    toolset = ToolSet(kubectl=Tool(name="kubectl", path="/bin/kubectl", version="1.29.9"))
    assert [problem.field for problem in tools.tool_warnings(toolset)] == ["kubectl"]
