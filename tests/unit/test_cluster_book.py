"""Clusters added by hand, notes on all clusters, and what read-only and production mean for a step."""

from __future__ import annotations

import base64
import json
import threading

import pytest

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.cluster_book import ClusterBook, Incomplete
from ansflow_desktop.executors.guard import ConfirmationNeeded, require_allowed
from ansflow_desktop.i18n import translate
from ansflow_desktop.kube.approvals import ApprovalNeeded, Approvals
from ansflow_desktop.kube.catalog import ClusterCatalog
from ansflow_desktop.kube.own import SecretMissing, server_problem
from ansflow_desktop.kube.plugins import make_plugin
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster
from ansflow_desktop.models.pipeline import PipelineStep, StepType
from ansflow_desktop.store.clusters import ClusterShelf

TOKEN = "made-up-token-0123456789"
CONTEXT = """
apiVersion: v1
kind: Config
contexts: [{name: dev, context: {cluster: c, user: u, namespace: team}}]
clusters: [{name: c, cluster: {server: "https://192.0.2.1:6443"}}]
users: [{name: u, user: {token: from-the-file-123}}]
"""


class Box:
    """A vault in memory that can be made to refuse."""

    lasting = True

    def __init__(self):
        self.kept, self.locked = {}, False

    def _open(self):
        if self.locked:
            raise UserError("locked")

    def get(self, key):
        self._open()
        return self.kept.get(key)

    def put(self, key, value):
        self._open()
        self.kept[key] = value

    def remove(self, key):
        self._open()
        self.kept.pop(key, None)


@pytest.fixture
def place(tmp_path):
    config = tmp_path / "config"
    config.write_text(CONTEXT)
    shelf, vault = ClusterShelf(tmp_path / "clusters.json"), Box()
    books: list[ClusterBook] = []
    catalog = ClusterCatalog(
        (config,),
        Approvals(tmp_path / "approved.json"),
        tmp_path / "practice",
        shelf=shelf,
        secret_of=lambda own: books[0].secret(own),
    )
    books.append(ClusterBook(shelf, vault, catalog))
    return books[0], catalog, vault, tmp_path


def own(book, **changes):
    return OwnCluster(**{"id": book.new_id(), "name": "mine", "server": "https://192.0.2.9:6443", **changes})


def test_a_cluster_of_server_and_token_becomes_a_document_and_its_token_is_in_no_file(place):
    book, catalog, vault, folder = place
    book.add(own(book), ClusterSecret(token=TOKEN), ClusterMarks(group="lab", namespace="fe"))
    entry = catalog.entry("mine")
    assert (entry.source, entry.namespace, entry.marks.group) == ("own", "fe", "lab")
    document = catalog.document("mine")
    assert document["users"][0]["user"] == {"token": TOKEN}
    assert document["contexts"][0]["context"]["namespace"] == "fe"
    for file in folder.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file
    assert TOKEN in next(iter(vault.kept.values()))


def test_a_token_never_stands_in_the_words_of_an_object():
    assert TOKEN not in repr(ClusterSecret(token=TOKEN)) + str(ClusterSecret(token=TOKEN))


@pytest.mark.parametrize(
    ("changes", "token", "field"),
    [
        ({"name": ""}, TOKEN, "name"),
        ({"name": "-x"}, TOKEN, "name"),
        ({"name": "a\nb"}, TOKEN, "name"),
        ({"name": "dev"}, TOKEN, "name"),
        ({"server": "192.0.2.1:6443"}, TOKEN, "server"),
        ({"server": "https://"}, TOKEN, "server"),
        ({"server": "https://999.1.1.1"}, TOKEN, "server"),
        ({"server": "https://h:99999"}, TOKEN, "server"),
        ({"server": "https://user:secret@h"}, TOKEN, "server"),
        ({"server": "file:///etc/passwd"}, TOKEN, "server"),
        ({"server": "https://[::1"}, TOKEN, "server"),
        ({"server": "https://h:0"}, TOKEN, "server"),
        ({"server": f"https://h/{'x' * 2000}"}, TOKEN, "server"),
        ({"proxy_url": "ftp://h"}, TOKEN, "proxy_url"),
        ({"proxy_url": "http://h:0"}, TOKEN, "proxy_url"),
        ({"tls_server_name": "x" * 254}, TOKEN, "tls_server_name"),
        ({"ca": "-----BEGIN CERTIFICATE-----" + "A" * 1_100_000 + "-----END CERTIFICATE-----"}, TOKEN, "ca"),
        ({"auth": "exec", "exec_plugin": make_plugin("p", ("x" * 70_000,), ())}, TOKEN, "exec_command"),
        ({"ca": "no pem"}, TOKEN, "ca"),
        ({}, "", "token"),
        ({}, "two words", "token"),
        ({}, "line\r\nX-Other: 1", "token"),
        ({}, "x" * 300_000, "token"),
        ({"auth": "certificate"}, TOKEN, "certificate"),
        ({"auth": "exec"}, TOKEN, "exec_command"),
    ],
)
def test_what_cannot_be_used_is_named_by_field_and_nothing_is_kept(place, changes, token, field):
    book, catalog, vault, _ = place
    with pytest.raises(Incomplete) as caught:
        book.add(own(book, **changes), ClusterSecret(token=token), ClusterMarks())
    assert field in {problem.field for problem in caught.value.problems}
    assert not vault.kept
    assert [entry.name for entry in catalog.entries()] == ["dev"]


@pytest.mark.parametrize("field", ["description", "group", "namespace"])
def test_notes_without_bounds_are_refused_wherever_they_are_written(place, field):
    book, catalog, vault, _ = place
    marks = ClusterMarks(**{field: "x" * 100_000})
    book.add(own(book), ClusterSecret(token=TOKEN), ClusterMarks())
    for write in (
        lambda: book.mark("dev", marks),
        lambda: book.change("mine", own(book), None, marks),
        lambda: book.add(own(book, name="other"), ClusterSecret(token=TOKEN), marks),
    ):
        with pytest.raises(Incomplete) as caught:
            write()
        assert [problem.field for problem in caught.value.problems] == [field]
    assert [(entry.name, entry.marks) for entry in catalog.entries()] == [
        ("mine", ClusterMarks()),
        ("dev", ClusterMarks()),
    ]
    assert len(vault.kept) == 1


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("ftp://h", "Write https:// or http:// in front of it."),
        ("https://h:0", "Its port is no number from 1 to 65535."),
        ("https://h:70000", "Its port is no number from 1 to 65535."),
        ("https://h:x", "Its port is no number from 1 to 65535."),
    ],
)
def test_an_address_is_refused_in_plain_words(server, words):
    assert translate(server_problem(server)) == words


def test_a_vault_that_refuses_leaves_no_cluster_without_its_token(place):
    book, catalog, vault, _ = place
    vault.locked = True
    with pytest.raises(UserError):
        book.add(own(book), ClusterSecret(token=TOKEN), ClusterMarks())
    assert [entry.name for entry in catalog.entries()] == ["dev"]


def test_changing_the_address_keeps_the_token_and_the_notes_follow_a_new_name(place):
    book, catalog, _, _ = place
    book.add(own(book), ClusterSecret(token=TOKEN), ClusterMarks(colour="red"))
    changed = own(book, name="renamed", server="https://192.0.2.10:6443")
    book.change("mine", changed, None, ClusterMarks(colour="red", production=True))
    assert [entry.name for entry in catalog.entries()] == ["renamed", "dev"]
    assert catalog.document("renamed")["users"][0]["user"]["token"] == TOKEN
    assert catalog.marks("renamed") == ClusterMarks(colour="red", production=True)


def test_removing_forgets_the_token_too_and_a_context_only_loses_its_notes(place):
    book, catalog, vault, folder = place
    before = (folder / "config").read_bytes()
    book.add(own(book), ClusterSecret(token=TOKEN), ClusterMarks())
    book.mark("dev", ClusterMarks(group="team"))
    book.remove("mine")
    book.remove("dev")
    assert not vault.kept
    assert [(entry.name, entry.marks) for entry in catalog.entries()] == [("dev", ClusterMarks())]
    assert (folder / "config").read_bytes() == before


def test_a_secret_that_is_gone_is_said_with_the_way_out(place):
    book, catalog, vault, _ = place
    book.add(own(book), ClusterSecret(token=TOKEN), ClusterMarks())
    vault.kept.clear()
    with pytest.raises(SecretMissing, match="mine"):
        catalog.document("mine")


def test_a_credential_program_typed_by_hand_is_asked_for_too(place, tmp_path):
    from ansflow_desktop.kube.plugins import make_plugin

    book, catalog, _, _ = place
    book.add(own(book, auth="exec", exec_plugin=make_plugin("get-token", ("a",), ())), None, ClusterMarks())
    with pytest.raises(ApprovalNeeded):
        catalog.document("mine")
    Approvals(tmp_path / "approved.json").approve(catalog.entry("mine").exec_plugin)
    assert catalog.document("mine")["users"][0]["user"]["exec"]["command"] == "get-token"


def test_only_one_cluster_is_the_default(place):
    book, catalog, _, _ = place
    book.add(own(book), ClusterSecret(token=TOKEN), ClusterMarks(default=True))
    assert catalog.current() == "mine"
    book.mark("dev", ClusterMarks(default=True))
    assert catalog.current() == "dev"
    assert not catalog.marks("mine").default


def test_a_pasted_kubeconfig_gives_its_clusters_with_their_secrets(place):
    book, *_ = place
    pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
    text = CONTEXT.replace(
        "6443", '6443", certificate-authority-data: "' + base64.b64encode(pem.encode()).decode()
    ).replace("name: dev", "name: other")
    ((cluster, secret),) = book.from_kubeconfig("﻿" + text)
    assert (cluster.name, cluster.server, cluster.ca, cluster.auth) == ("other", "https://192.0.2.1:6443", pem, "token")
    assert secret.token == "from-the-file-123"


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "a: 1", "contexts: [{name: x, context: {cluster: none}}]", "\0", "\ud800"]
)
def test_a_pasted_text_that_is_none_is_refused_in_words(place, text):
    with pytest.raises(UserError) as caught:
        place[0].from_kubeconfig(text)
    assert str(caught.value.title)


@pytest.mark.parametrize("field", ["as: jane", "as-groups: [g]", "username: u", "auth-provider: {name: oidc}"])
def test_a_pasted_user_who_would_sign_in_otherwise_is_refused_and_the_field_named(place, field):
    text = CONTEXT.replace("token:", f"{field}, token:")
    assert text != CONTEXT
    with pytest.raises(UserError) as caught:
        place[0].from_kubeconfig(text)
    assert field.partition(":")[0] in str(caught.value.title)


def test_two_processes_lose_no_change(tmp_path):
    shelves = [ClusterShelf(tmp_path / "clusters.json") for _ in range(4)]

    def work(number):
        for step in range(5):
            shelves[number].set_marks(f"c{number}-{step}", ClusterMarks(group=str(step)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shelves[0].marks()) == 20


def test_a_damaged_file_is_set_aside_and_the_last_good_one_keeps_clusters_read_only(tmp_path):
    path = tmp_path / "clusters.json"
    shelf = ClusterShelf(path)
    shelf.set_marks("prod", ClusterMarks(read_only=True))
    shelf.set_marks("other", ClusterMarks(group="x"))
    path.write_bytes(path.read_bytes()[:40])
    again = ClusterShelf(path)
    assert again.marks()["prod"].read_only
    assert again.notice is not None
    assert list(tmp_path.glob("clusters.json.*damaged*")) or len(list(tmp_path.glob("clusters.json*"))) > 2


def test_fields_of_a_newer_version_survive_and_a_newer_format_is_left_alone(tmp_path):
    path = tmp_path / "clusters.json"
    path.write_text('{"version": 1, "later": {"a": 1}}')
    ClusterShelf(path).set_marks("x", ClusterMarks(group="g"))
    assert json.loads(path.read_text())["later"] == {"a": 1}
    path.write_text('{"version": 2}')
    with pytest.raises(UserError, match="newer"):
        ClusterShelf(path).set_marks("x", ClusterMarks())
    assert path.read_text() == '{"version": 2}'


def test_notes_that_cannot_be_read_are_no_leave_to_change_a_cluster(place):
    _, catalog, _, folder = place
    (folder / "clusters.json").write_text('{"version": 2}')
    assert [entry.name for entry in catalog.entries()] == ["dev"]
    with pytest.raises(UserError, match="newer"):
        catalog.marks("dev")


class Notes:
    def __init__(self, **marks):
        self._marks = ClusterMarks(**marks)

    def marks(self, name):
        return self._marks


def step(kind, **config):
    return PipelineStep(name="s", type=StepType(kind), k8s_cluster="prod", k8s_config=config)


@pytest.mark.parametrize(
    ("made", "changes", "destroys"),
    [
        (step("k8s_deploy", deploy_type="manifest", manifest="a: 1"), True, False),
        (step("k8s_deploy", deploy_type="helm", chart_path="x"), True, False),
        (step("k8s_deploy", deploy_type="helm", chart_path="x", dry_run=True), False, False),
        (step("k8s_scale", replicas=3), True, False),
        (step("k8s_scale", replicas=0), True, True),
        (step("k8s_delete", selector="a=b"), True, True),
        (step("k8s_exec", command="true"), True, True),
        (step("k8s_wait", condition="Ready"), False, False),
        (step("k8s_logs"), False, False),
    ],
)
def test_read_only_refuses_every_change_and_production_every_loss(made, changes, destroys):
    require_allowed(made, Notes(), ())
    if changes:
        with pytest.raises(UserError) as caught:
            require_allowed(made, Notes(read_only=True), ("prod",))
        assert caught.value.code is ExitCode.FORBIDDEN
    else:
        require_allowed(made, Notes(read_only=True), ())
    if destroys:
        with pytest.raises(ConfirmationNeeded) as asked:
            require_allowed(made, Notes(production=True), ("other",))
        assert asked.value.code is ExitCode.FORBIDDEN
    else:
        require_allowed(made, Notes(production=True), ())
    require_allowed(made, Notes(production=True), ("prod",))
