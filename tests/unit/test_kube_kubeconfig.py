"""kube/kubeconfig.py and kube/safe_yaml.py: kubectl's merge rules, broken files named, nothing crashes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansflow_desktop import safe_yaml
from ansflow_desktop.i18n import translate
from ansflow_desktop.kube.kubeconfig import kubeconfig_files, load
from ansflow_desktop.models.problem import Severity


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def config(name: str, server: str = "https://127.0.0.1:1", user: str = "{token: t}", cluster: str = "") -> str:
    return f"""
apiVersion: v1
kind: Config
current-context: {name}
contexts: [{{name: {name}, context: {{cluster: {name}-c, user: {name}-u, namespace: {name}-ns}}}}]
clusters: [{{name: {name}-c, cluster: {{server: "{server}"{cluster}}}}}]
users: [{{name: {name}-u, user: {user}}}]
"""


def test_two_files_give_the_contexts_of_both_and_the_first_current_context(tmp_path):
    found = load((write(tmp_path / "a", config("a")), write(tmp_path / "b", config("b"))))
    assert [(entry.name, entry.namespace, entry.problem) for entry in found.entries] == [
        ("a", "a-ns", ""),
        ("b", "b-ns", ""),
    ]
    assert found.current_context == "a"
    assert found.problems == ()


def test_a_missing_file_is_skipped_and_a_broken_one_is_named_with_its_line(tmp_path):
    broken = write(tmp_path / "broken", "contexts:\n- name: a\n\tcontext: {}\n")
    found = load((tmp_path / "missing", broken, write(tmp_path / "good", config("good"))))
    assert [entry.name for entry in found.entries] == ["good"]
    missing, bad = found.problems
    assert (missing.severity, str(tmp_path / "missing") in translate(missing.title)) == (Severity.INFO, True)
    assert bad.severity is Severity.ERROR
    assert str(broken) in translate(bad.title)
    assert "Line 3" in translate(bad.message)


@pytest.mark.parametrize("text", ["", "\n\n", "---\n", "# only a comment\n", "{}"])
def test_an_empty_file_is_no_problem_and_no_cluster(tmp_path, text):
    found = load((write(tmp_path / "c", text),))
    assert (found.entries, found.problems) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        "- a\n- b\n",
        "just words",
        "contexts: 5",
        "contexts: [5]",
        "contexts: [{context: {}}]",
        "users: [{name: 7, user: {}}]",
        "clusters: [{name: c, cluster: [1]}]",
    ],
)
def test_a_file_of_another_shape_becomes_a_problem(tmp_path, text):
    found = load((write(tmp_path / "c", text),))
    assert found.entries == ()
    assert len(found.problems) == 1


def test_a_folder_and_an_unreadable_file_become_problems(tmp_path):
    latin = tmp_path / "latin"
    latin.write_bytes(b"contexts: []\n# caf\xe9\n")
    found = load((tmp_path, latin))
    assert [str(problem.severity) for problem in found.problems] == ["error", "error"]
    assert "Line 2" in translate(found.problems[1].message)


def test_a_byte_order_mark_is_taken_off(tmp_path):
    for name, encoding in (("bom8", "utf-8-sig"), ("bom16", "utf-16")):
        (tmp_path / name).write_text(config(name), encoding=encoding)
    found = load((tmp_path / "bom8", tmp_path / "bom16"))
    assert [entry.name for entry in found.entries] == ["bom8", "bom16"]


def test_names_defined_twice_the_first_is_in_effect_and_said(tmp_path):
    first = write(tmp_path / "a", config("same", "https://first"))
    second = write(tmp_path / "b", config("same", "https://second"))
    found = load((first, second))
    assert [entry.server for entry in found.entries] == ["https://first"]
    assert {problem.severity for problem in found.problems} == {Severity.INFO}
    assert all(str(first) in translate(problem.message) for problem in found.problems)


def test_a_context_may_use_cluster_and_user_of_another_file(tmp_path):
    context = write(tmp_path / "a" / "c", "contexts: [{name: x, context: {cluster: k-c, user: k-u}}]")
    rest = write(tmp_path / "b" / "c", config("k", user="{client-key: keys/k.pem}"))
    document = load((context, rest)).document("x")
    assert document["users"][0]["user"] == {"client-key": str(tmp_path / "b" / "keys" / "k.pem")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("contexts: [{name: x, context: {cluster: gone, user: u}}]\nusers: [{name: u, user: {}}]", "gone"),
        (
            "contexts: [{name: x, context: {cluster: c, user: gone}}]\nclusters: [{name: c, cluster: {server: s}}]",
            "gone",
        ),
        ("contexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {}}]", "server"),
        ("contexts: [{name: x}]", "not defined"),
    ],
)
def test_an_entry_that_cannot_be_used_says_why(tmp_path, text, words):
    (entry,) = load((write(tmp_path / "c", text),)).entries
    assert words in translate(entry.problem)


def test_paths_are_absolute_against_the_file_they_stand_in(tmp_path):
    user = "{client-certificate: ../c.pem, client-key: /k.pem, tokenFile: t, exec: {command: ./bin/login, args: [a]}}"
    file = write(
        tmp_path / "deep" / "c",
        config("x", user=user, cluster=", certificate-authority: ca.pem, proxy-url: 'http://p'"),
    )
    document = load((file,)).document("x")
    assert document["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:1",
        "certificate-authority": str(tmp_path / "deep" / "ca.pem"),
        "proxy-url": "http://p",
    }
    assert document["users"][0]["user"] == {
        "client-certificate": str(tmp_path / "c.pem"),
        "client-key": "/k.pem",
        "tokenFile": str(tmp_path / "deep" / "t"),
        "exec": {"command": str(tmp_path / "deep" / "bin" / "login"), "args": ["a"]},
    }


def test_a_bare_command_stays_for_path(tmp_path):
    document = load((write(tmp_path / "c", config("x", user="{exec: {command: aws}}")),)).document("x")
    assert document["users"][0]["user"]["exec"]["command"] == "aws"


def test_a_document_holds_one_entry_of_each_only(tmp_path):
    files = (write(tmp_path / "a", config("a")), write(tmp_path / "b", config("b")))
    document = load(files).document("b")
    assert [len(document[section]) for section in ("contexts", "clusters", "users")] == [1, 1, 1]
    assert document["current-context"] == "b"


@pytest.mark.parametrize("text", ["[" * 60_000, "a: " + "{a: " * 60_000, "- " * 60_000])
def test_deep_nesting_is_refused_not_crashed_on(tmp_path, text):
    found = load((write(tmp_path / "c", text),))
    assert "Too deeply nested" in translate(found.problems[0].message)


def test_an_alias_bomb_is_refused():
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    with pytest.raises(safe_yaml.YamlProblem, match="aliases"):
        safe_yaml.load(bomb)


def test_a_huge_file_is_refused(tmp_path):
    file = tmp_path / "c"
    with file.open("wb") as stream:
        stream.truncate(safe_yaml.MAX_BYTES + 10)
    assert "MB of YAML" in translate(load((file,)).problems[0].message)


@pytest.mark.parametrize(
    "text", ["a: &x [*x]", "? [a]\n: b", "a: 2026-99-99", "a: !!python/object:os.system {}", "a: \x00"]
)
def test_strange_yaml_never_raises_anything_else(text):
    try:
        safe_yaml.load(text)
    except safe_yaml.YamlProblem as problem:
        assert translate(problem.text())


def test_which_files_are_read(tmp_path):
    assert kubeconfig_files("~/x", {"KUBECONFIG": "/a"}) == (Path(os.environ["HOME"], "x"),)
    assert kubeconfig_files(None, {"KUBECONFIG": "/a::/b:/a"}) == (Path("/a"), Path("/b"))
    assert kubeconfig_files(None, {"HOME": str(tmp_path)}) == (tmp_path / ".kube" / "config",)


def test_dev_null_is_an_empty_kubeconfig():
    assert load((Path(os.devnull),)).problems == ()


@pytest.mark.parametrize(
    "place, field",
    [
        ("cluster", "server"),
        ("cluster", "proxy-url"),
        ("cluster", "tls-server-name"),
        ("cluster", "certificate-authority-data"),
        ("cluster", "insecure-skip-tls-verify"),
        ("user", "token"),
        ("user", "tokenFile"),
        ("user", "client-key-data"),
        ("user", "as-groups"),
        ("user", "exec"),
        ("user", "auth-provider"),
    ],
)
@pytest.mark.parametrize("value", ["5", "1.5", ".nan"])
def test_a_field_of_a_wrong_type_makes_one_context_unusable_and_says_which(tmp_path, place, field, value):
    typed = f"{{{field}: {value}}}" if place == "user" else "{token: t}"
    more = f", {field}: {value}" if place == "cluster" else ""
    broken = write(tmp_path / "a", config("a", user=typed, cluster=more))
    found = load((broken, write(tmp_path / "b", config("b"))))
    words = {entry.name: translate(entry.problem) for entry in found.entries}
    assert field in words["a"] and words["b"] == ""


@pytest.mark.parametrize("value", ["5", "{}", "[a]", "true"])
def test_a_sign_in_whose_fields_are_no_texts_makes_one_context_unusable_and_says_which(tmp_path, value):
    broken = config("a", user=f"{{auth-provider: {{name: oidc, config: {{id-token: {value}}}}}}}")
    other = config("b", user="{auth-provider: {name: oidc, config: {id-token: a.b.c, refresh-token: null}}}")
    found = load((write(tmp_path / "a", broken), write(tmp_path / "b", other)))
    words = {entry.name: translate(entry.problem) for entry in found.entries}
    assert words == {"a": "The field auth-provider.config.id-token is not a text", "b": ""}
    whole = write(tmp_path / "c", config("c", user=f"{{auth-provider: {{name: oidc, config: {value}}}}}"))
    (entry,) = load((whole,)).entries
    assert bool(entry.problem) is (value != "{}")
