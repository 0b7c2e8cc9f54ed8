"""kube/catalog.py and kube/approvals.py: which cluster a name stands for, and what is never run or written."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import translate
from ansflow_desktop.kube.approvals import ApprovalNeeded, Approvals, shown
from ansflow_desktop.kube.catalog import PRACTICE, ClusterCatalog, write_private
from ansflow_desktop.kube.plugins import make_plugin, plugin_of


def config(name: str, server: str, user: str = "{token: t}", cluster: str = "kubernetes") -> str:
    return f"""
contexts: [{{name: {name}, context: {{cluster: {cluster}, user: admin}}}}]
clusters: [{{name: {cluster}, cluster: {{server: "{server}"}}}}]
users: [{{name: admin, user: {user}}}]
"""


@pytest.fixture
def files(tmp_path):
    def make(**texts: str) -> list[Path]:
        paths = []
        for name, text in texts.items():
            path = tmp_path / "files" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            paths.append(path)
        return paths

    return make


@pytest.fixture
def approvals(tmp_path):
    return Approvals(tmp_path / "data" / "approvals.json")


@pytest.fixture
def catalog(tmp_path, approvals):
    def make(*paths: Path, added: tuple[Path, ...] = ()) -> ClusterCatalog:
        return ClusterCatalog(paths, approvals, tmp_path / "practice", added)

    return make


PLUGIN = "{exec: {command: aws, args: [eks, get-token], env: [{name: P, value: q}], apiVersion: v1}}"


def test_practice_clusters_come_last_and_are_marked(tmp_path, files, catalog):
    practice = tmp_path / "practice" / "one" / "kubeconfig"
    practice.parent.mkdir(parents=True)
    practice.write_text(config("one", "https://practice"))
    found = catalog(*files(a=config("a", "https://a"))).entries()
    assert [(entry.name, entry.source == PRACTICE) for entry in found] == [("a", False), ("one", True)]


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(files, catalog):
    (file,) = files(a=config("a", "https://a"))
    made = catalog(file)
    before = made.entries()
    assert made.entries()[0] is before[0]
    file.write_text(config("b", "https://other"))
    assert [entry.name for entry in made.entries()] == ["b"]


def test_equal_cluster_names_in_added_files_do_not_lead_to_the_wrong_server(files, catalog):
    one, two = files(a=config("one", "https://one"), b=config("two", "https://two"))
    made = catalog(one, added=(two,))
    assert made.document("two")["clusters"][0]["cluster"]["server"] == "https://two"
    assert made.user_target("two").kubeconfig == str(two)
    assert catalog(one, two).document("two")["clusters"][0]["cluster"]["server"] == "https://one"  # kubectl's rule


def test_a_name_used_twice_keeps_the_first_and_names_both(files, catalog):
    one, two = files(a=config("same", "https://one"), b=config("same", "https://two"))
    made = catalog(one)
    made.add_file(two)
    assert made.entry("same").server == "https://one"
    (problem,) = made.problems()
    assert "https://one" in translate(problem.message)
    assert str(two) in translate(problem.message)


def test_unknown_empty_and_broken_clusters_are_refused_by_name(files, catalog):
    made = catalog(*files(a=config("a", "https://a"), b="contexts: [{name: b, context: {cluster: gone}}]"))
    with pytest.raises(UserError, match="a, b") as unknown:
        made.entry("nope")
    assert unknown.value.field == "k8s_cluster"
    with pytest.raises(UserError, match="No cluster is chosen"):
        made.document("")
    with pytest.raises(UserError, match="gone"):
        made.document("b")


def test_with_no_cluster_at_all_the_places_looked_at_are_named(tmp_path, catalog):
    with pytest.raises(UserError, match=str(tmp_path / "nowhere")):
        catalog(tmp_path / "nowhere").entry("x")


def test_adding_a_file_needs_contexts(tmp_path, files, catalog):
    empty, broken = files(empty="", broken="a: [")
    made = catalog()
    for path, words in (
        (empty, "no context"),
        (broken, "YAML"),
        (tmp_path, "not a file"),
        (tmp_path / "no", "no kubeconfig"),
    ):
        with pytest.raises(UserError, match=words):
            made.add_file(path)
    assert made.entries() == ()


def test_the_private_kubeconfig_is_private_and_the_users_file_untouched(tmp_path, files, catalog):
    (file,) = files(a=config("a", "https://a"))
    before = file.read_bytes(), file.stat().st_mtime_ns
    target = catalog(file).private_target("a", tmp_path / "run")
    path = Path(target.kubeconfig)
    assert target.context == "a"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert json.loads(path.read_text())["current-context"] == "a"
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_private_kubeconfigs_of_different_clusters_never_share_a_file(tmp_path, files, catalog):
    made = catalog(*files(a=config("测试", "https://a", cluster="x"), b=config("生产", "https://b", cluster="y")))
    one, two = (made.private_target(name, tmp_path / "run").kubeconfig for name in ("测试", "生产"))
    assert one != two
    assert "https://a" in Path(one).read_text()


def test_a_link_in_the_place_of_the_private_file_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "k").symlink_to(victim)
    write_private(folder / "k", {"a": 1})
    assert victim.read_text() == "mine"


def test_an_unapproved_plugin_gives_no_document_and_no_file(tmp_path, files, catalog, approvals):
    made = catalog(*files(a=config("a", "https://a", PLUGIN)))
    for refused in (lambda: made.document("a"), lambda: made.private_target("a", tmp_path / "run")):
        with pytest.raises(ApprovalNeeded) as needed:
            refused()
        assert "aws" in translate(needed.value.title)
        assert translate(needed.value.message) == "P=q aws eks get-token"
        assert int(needed.value.code) == 2
    assert not (tmp_path / "run").exists()
    approvals.approve(made.entry("a").exec_plugin)
    assert made.approved("a")
    assert made.document("a")["users"][0]["user"]["exec"]["command"] == "aws"


@pytest.mark.parametrize(
    "changed",
    [PLUGIN.replace("aws", "aws2"), PLUGIN.replace("get-token", "get-tokens"), PLUGIN.replace("value: q", "value: r")],
)
def test_an_approval_is_for_exactly_one_command(files, catalog, approvals, changed):
    (file,) = files(a=config("a", "https://a", PLUGIN))
    made = catalog(file)
    approvals.approve(made.entry("a").exec_plugin)
    file.write_text(config("a", "https://a", changed))
    os.utime(file, ns=(1, 1))
    assert not made.approved("a")


def test_arguments_cannot_be_shifted_between_fields():
    assert make_plugin("a", ("b c",), ()).digest != make_plugin("a", ("b", "c"), ()).digest
    assert make_plugin("a", (), (("b", "c"),)).digest != make_plugin("a", ("b", "c"), ()).digest


def test_the_older_form_with_a_command_path_is_a_plugin_too():
    found = plugin_of(
        {"auth-provider": {"name": "gcp", "config": {"cmd-path": "/x/gcloud", "cmd-args": "config 'a b'"}}}
    )
    assert found is not None
    assert (found.command, found.args) == ("/x/gcloud", ("config", "a b"))
    assert plugin_of({"auth-provider": {"name": "oidc", "config": {"id-token": "x"}}}) is None
    assert plugin_of({"token": "x"}) is None
    assert plugin_of({"exec": {}}) is not None


def test_approvals_survive_and_a_damaged_file_approves_nothing(tmp_path):
    path = tmp_path / "data" / "approvals.json"
    plugin = make_plugin("aws", ("x y",), ())
    Approvals(path).approve(plugin)
    assert Approvals(path).approved(plugin)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["approvals.json"]
    assert shown(plugin) == "aws 'x y'"
    for damage in (b"{", b"[]", b"\xff", b""):
        path.write_bytes(damage)
        assert not Approvals(path).approved(plugin)
    Approvals(path).approve(plugin)
    assert Approvals(path).approved(plugin)


def test_a_program_that_the_short_path_of_a_desktop_misses_is_named_by_its_place(
    tmp_path, files, catalog, approvals, isolated_home, monkeypatch
):
    program = isolated_home / ".local" / "bin" / "only-there"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    made = catalog(*files(a=config("a", "https://a", PLUGIN.replace("aws", "only-there"))))
    approvals.approve(made.entry("a").exec_plugin)
    written = json.loads(Path(made.private_target("a", tmp_path / "run").kubeconfig).read_text())
    assert written["users"][0]["user"]["exec"]["command"] == str(program)
    assert made.document("a")["users"][0]["user"]["exec"]["command"] == "only-there"


def test_a_full_disk_is_told(tmp_path, files, catalog):
    made = catalog(*files(a=config("a", "https://a")))
    (tmp_path / "run").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="could not be written"):
        made.private_target("a", tmp_path / "run")
