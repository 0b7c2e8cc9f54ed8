"""Runs whose AnsFlow died: what they had begun, what is said, how they end in the journal; no cluster answers here."""

from __future__ import annotations

import time

import pytest

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import reconcile
from ansflow_desktop.executors.services import Options, build
from ansflow_desktop.models.release import Release, ReleaseStatus
from ansflow_desktop.models.run import CommandStarted, Notice, Phase
from ansflow_desktop.store import journal as journals
from ansflow_desktop.store.identity import ProcessIdentity

DEAD = ProcessIdentity(1, "1", "another boot")
HELM = ("/bin/helm", "upgrade", "--install", "web", ".", "--namespace", "fe", "--wait")


@pytest.fixture
def services(tmp_path):
    made = build(Options(data_dir=str(tmp_path / "data"), lang="en"))
    yield made
    made.close()


@pytest.fixture
def died(services, monkeypatch):
    """A function that journals a run with these commands and lets its process be gone."""

    def begin(*commands, steps=1, run="r"):
        monkeypatch.setattr(journals, "this_process", lambda: DEAD)
        names = [{"name": f"s{number}", "cluster": "nowhere"} for number in range(steps)]
        services.journal.begin(run, "my pipeline", {"steps": names})
        for argv in commands:
            services.journal.append(CommandStarted(time=1.0, run=run, step="s0", argv=argv, cwd="/"))
        services.journal.flush()

    return begin


def states(monkeypatch, release=None, error=None):
    monkeypatch.setattr(
        reconcile, "read_state", lambda _, target: reconcile.State(target=target, release=release, error=error)
    )


def only(services):
    (run,) = reconcile.unfinished_runs(services)
    return run


def test_where_nothing_ever_ran_nothing_is_made(services):
    assert reconcile.unfinished_runs(services) == ()
    assert not services.directories.data.exists()


def test_targets_are_the_deploys_that_were_about_to_start_each_once(services, died):
    died(("/bin/helm", "template", "web", "."), HELM, HELM, (*HELM, "--dry-run=server"), ("/bin/bash", "-c", "upgrade"))
    assert only(services).targets == (reconcile.Target(cluster="nowhere", namespace="fe", release="web"),)


def test_a_cluster_that_cannot_be_asked_leaves_it_unknown_and_told_once(services, died):
    died(HELM)
    title, state = reconcile.report(services, only(services))
    assert "web in fe on nowhere did not end" in str(title) and "not known" in str(state)
    assert reconcile.unfinished_runs(services) == ()
    assert services.journal.run("r").phase is Phase.UNKNOWN
    assert [type(event) for event in services.journal.events("r")] == [CommandStarted, Notice, Notice]


def release(status, updated=""):
    return Release(name="web", namespace="fe", revision=3, status=status, updated=updated)


# After any run of these tests, whenever this module was imported: a long suite imports it minutes before it runs.
AFTERWARDS = time.strftime("%Y-%m-%dT%H:%M:%S.5Z", time.gmtime(time.time() + 24 * 3600))


@pytest.mark.parametrize(
    ("found", "steps", "phase", "words"),
    [
        (None, 1, Phase.FAILED, "Nothing was deployed"),
        (release(ReleaseStatus.PENDING_UPGRADE), 1, Phase.FAILED, "helm rollback web REVISION --namespace fe"),
        (release(ReleaseStatus.FAILED), 1, Phase.FAILED, "revision 3 is failed"),
        (release(ReleaseStatus.DEPLOYED, AFTERWARDS), 1, Phase.SUCCEEDED, "revision 3 is deployed"),
        (release(ReleaseStatus.DEPLOYED, AFTERWARDS), 2, Phase.UNKNOWN, "revision 3 is deployed"),
        (release(ReleaseStatus.DEPLOYED, "2020-01-01T00:00:00Z"), 1, Phase.UNKNOWN, "revision 3 is deployed"),
    ],
)
def test_what_the_cluster_says_is_told_and_kept(services, died, monkeypatch, found, steps, phase, words):
    died(HELM, steps=steps)
    states(monkeypatch, found)
    assert words in str(reconcile.report(services, only(services))[1])
    assert services.journal.run("r").phase is phase


def test_a_run_that_began_no_deploy_asks_no_cluster(services, died, monkeypatch):
    died(("/bin/bash", "-c", "x"))
    states(monkeypatch, error=UserError("must not be asked", code=ExitCode.FAILED))
    title, state = reconcile.report(services, only(services))
    assert "The run my pipeline did not end" in str(title)
    assert str(state) == "What its steps had done until then stays done."


@pytest.mark.parametrize(
    ("argv", "words"), [(HELM, "A helm that it started"), (("/bin/bash", "-c", "x"), "A command that it started")]
)
def test_what_is_still_at_work_is_told_and_asked_for_again(services, died, monkeypatch, argv, words):
    died(argv)
    (services.directories.runs / "r").mkdir(parents=True)
    monkeypatch.setattr(reconcile, "processes_left", lambda folder: folder.name == "r")
    assert f"{words} is still at work" in str(reconcile.report(services, only(services))[1])
    assert only(services).alive


def test_at_most_five_are_told(services, died):
    for number in range(7):
        died(run=f"r{number}")
    assert [run.run for run in reconcile.unfinished_runs(services)] == [f"r{number}" for number in range(2, 7)]
