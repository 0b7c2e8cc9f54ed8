"""The environment of a credential program in the dialog of a cluster: pasted or kept, its secrets stand as stars."""

from __future__ import annotations

import pytest

from ansflow_desktop.kube.plugins import make_plugin
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster

ENV = (("APP_SECRET", "sesame-opens-4711"), ("MODE", "x"))
PLUGIN = make_plugin("/opt/vendor/login", ("--token=spoken-4711",), ENV)
CLUSTER = OwnCluster(id="a" * 16, name="mine", server="https://127.0.0.1:1", auth="exec", exec_plugin=PLUGIN)
KEPT = ClusterSecret(env=ENV, args=PLUGIN.args)


@pytest.fixture
def form(window):
    window.services.vault.create("session")
    return window.clusters_desk._form(())


def save(form, qtbot, **typed):
    form.change(**typed)
    with qtbot.waitSignal(form.saved):
        form.save()


def test_what_was_pasted_is_kept_though_it_is_not_shown(form, services, qtbot):
    form.take(CLUSTER, None)
    assert "4711" not in form.state.form.exec_env + form.state.form.exec_args
    assert "MODE=x" in form.state.form.exec_env
    save(form, qtbot, name="pasted")
    assert services.cluster_book.secret(services.shelf.own()[0]) == KEPT


def test_a_kept_value_is_not_shown_and_stays_unless_another_is_typed(form, services, qtbot):
    services.cluster_book.add(CLUSTER, None, ClusterMarks())
    form.edit(services.catalog.entry("mine"))
    assert form.state.form.exec_env == "APP_SECRET=***\nMODE=***"
    save(form, qtbot, exec_env="APP_SECRET=***\nMODE=y", description="a word")
    kept = services.cluster_book.secret(services.shelf.own()[0])
    assert (kept.env, kept.args) == ((("APP_SECRET", "sesame-opens-4711"), ("MODE", "y")), PLUGIN.args)


def test_the_test_of_the_dialog_asks_approval_of_the_whole_program(form, services, qtbot):
    services.cluster_book.add(CLUSTER, None, ClusterMarks())
    form.edit(services.catalog.entry("mine"))
    with qtbot.waitSignal(form.approval_needed) as asked:
        form.test()
    assert asked.args[0].exec_plugin == PLUGIN
    form.approve(asked.args[0])
    qtbot.waitUntil(lambda: form.state.diagnosis is not None)


def test_the_list_asks_approval_with_what_the_vault_keeps(window, form, services, qtbot):
    services.cluster_book.add(CLUSTER, None, ClusterMarks())
    window.clusters.changed("mine")
    qtbot.waitUntil(lambda: window.clusters.state.row("mine") is not None)
    qtbot.waitUntil(lambda: window.clusters.state.row("mine").status.reach.value == "approval_needed")
    asked = []
    window.clusters.approval_needed.disconnect()
    window.clusters.approval_needed.connect(asked.append)
    window.clusters.check("mine")
    qtbot.waitUntil(lambda: bool(asked))
    assert asked[0].exec_plugin.shown_env == (("APP_SECRET", "***"), ("MODE", "x"))
