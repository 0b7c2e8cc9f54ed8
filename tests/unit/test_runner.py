"""Whole pipelines: what runs, what is skipped, what is told and kept, with real shells and scripted executors."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest
from runner_kit import World, deploy, raising, returning, shell

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.context import StepResult
from ansflow_desktop.executors.runner import new_run_id
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.pipeline import Pipeline
from ansflow_desktop.models.run import (
    CommandStarted,
    Notice,
    Output,
    Phase,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from ansflow_desktop.process import Cancel
from ansflow_desktop.store.journal import Journal


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.journal.close()


def test_directory_variables_and_outputs_flow_to_the_next_steps(world):
    world.kubernetes.behaviour["deploy"] = lambda step, context, scope: StepResult(
        phase=Phase.SUCCEEDED if context.working_directory.endswith("charts/fe-app") else Phase.FAILED, context=context
    )
    outcome = world.run(
        shell("enter", "mkdir -p charts/fe-app; cd charts/fe-app; export NS=fe-$env; echo 1.2", output="VERSION"),
        deploy("deploy", k8s_namespace="${NS}", config={"chart_version": "${VERSION}", "wait": "${WAIT}"}),
        shell("after", "pwd; echo $NS $VERSION"),
        variables={"env": "test"},
        given={"WAIT": "false"},
    )
    assert (outcome.phase, outcome.exit_code) == (Phase.SUCCEEDED, ExitCode.DONE)
    (seen,) = world.kubernetes.steps
    assert (seen.k8s_namespace, seen.k8s_config["chart_version"], seen.k8s_config["wait"]) == ("fe-test", "1.2", False)
    assert world.text().endswith(f"{world.folder}/charts/fe-app\nfe-test 1.2\n")


def test_the_events_are_in_strict_order_and_journalled_as_emitted(world):
    outcome = world.run(shell("a", "echo x"), shell("b"))
    kinds = [(type(event), event.step) for event in world.events]
    assert kinds == [
        (RunStarted, ""),
        (StepStarted, "a"),
        (CommandStarted, "a"),
        (Output, "a"),
        (StepFinished, "a"),
        (StepStarted, "b"),
        (CommandStarted, "b"),
        (StepFinished, "b"),
        (RunFinished, ""),
    ]
    assert {event.run for event in world.events} == {outcome.run_id}
    assert world.journal.events(outcome.run_id) == world.events
    record = world.journal.run(outcome.run_id)
    assert (record.phase, record.finished is not None) == (Phase.SUCCEEDED, True)


def test_the_intent_is_on_disk_before_the_first_process_and_each_command_before_it_starts(world):
    other = Journal(world.directories.database)
    seen = []

    def look(event):
        if isinstance(event, CommandStarted):
            (record,) = other.runs()
            seen.append((record.cluster, record.namespace, record.release, other.events(event.run)[-1]))

    world.on_event = look
    world.run(shell("a"), deploy("d", k8s_namespace="fe", config={"release_name": "fe-app"}))
    other.close()
    assert [entry[:3] for entry in seen] == [("dev", "fe", "fe-app")]
    assert seen[0][3] == next(event for event in world.events if isinstance(event, CommandStarted))


class TestFailures:
    def test_the_rest_is_skipped(self, world):
        outcome = world.run(shell("a", "exit 3"), shell("b"), shell("c"))
        assert (outcome.phase, outcome.exit_code) == (Phase.FAILED, ExitCode.FAILED)
        assert world.phases() == {"a": Phase.FAILED, "b": Phase.SKIPPED, "c": Phase.SKIPPED}
        assert world.finished()["a"].exit_code == 3
        assert str(world.finished()["b"].message) == "Step a failed"

    def test_continue_on_error_goes_on_but_the_run_has_failed(self, world):
        outcome = world.run(
            shell("a", "mkdir sub; cd sub; export A=1; false", continue_on_error=True), shell("b", "pwd; echo [$A]")
        )
        assert (outcome.phase, outcome.exit_code) == (Phase.FAILED, ExitCode.FAILED)
        assert world.phases()["b"] is Phase.SUCCEEDED
        assert world.text() == f"{world.folder}\n[]\n"

    @pytest.mark.parametrize("code", [ExitCode.UNREACHABLE, ExitCode.FORBIDDEN])
    def test_a_user_error_gives_its_words_and_its_code(self, world, code):
        error = UserError(msg("No %(x)s", x="way"), "the server said so", msg("Turn around."), code=code)
        world.kubernetes.behaviour["d"] = raising(error)
        outcome = world.run(shell("a"), deploy("d"))
        done = world.finished()["d"]
        assert (outcome.phase, outcome.exit_code) == (Phase.FAILED, code)
        assert (str(done.message), str(done.hint)) == ("No way: the server said so", "Turn around.")

    def test_bad_input_is_2_only_while_nothing_was_run(self, world):
        world.kubernetes.behaviour["d"] = raising(UserError(msg("Bad"), field="k8s_config.timeout"))
        assert world.run(deploy("d")).exit_code is ExitCode.INVALID
        assert str(world.finished()["d"].message) == "d.k8s_config.timeout: Bad"
        assert world.run(shell("a"), deploy("d")).exit_code is ExitCode.FAILED

    def test_unknown_is_5_and_ends_the_run(self, world):
        world.kubernetes.behaviour["d"] = returning(Phase.UNKNOWN, message=msg("Who knows"))
        outcome = world.run(deploy("d", continue_on_error=True), shell("b"))
        assert (outcome.phase, outcome.exit_code) == (Phase.UNKNOWN, ExitCode.UNKNOWN)
        assert world.phases()["b"] is Phase.SKIPPED

    def test_unknown_after_a_failure_is_graver(self, world):
        world.kubernetes.behaviour["d"] = raising(UserError(msg("?"), code=ExitCode.UNKNOWN))
        outcome = world.run(shell("a", "false", continue_on_error=True), deploy("d"))
        assert (outcome.phase, outcome.exit_code) == (Phase.UNKNOWN, ExitCode.UNKNOWN)

    def test_an_unexpected_error_is_a_failed_step_without_a_traceback_and_redacted(self, world, caplog):
        world.kubernetes.behaviour["d"] = raising(KeyError("very-secret-token"))
        with caplog.at_level("ERROR", logger="ansflow_desktop"):
            outcome = world.run(deploy("d"), shell("b"))
        done = world.finished()["d"]
        assert (outcome.exit_code, done.phase) == (ExitCode.FAILED, Phase.FAILED)
        assert "KeyError: '***'" in str(done.message)
        assert "Traceback" not in str(done.message)
        (record,) = caplog.records
        assert "Traceback" in record.report
        assert "very-secret-token" not in record.report

    def test_a_variable_that_is_undefined_at_run_time_fails_its_step(self, world):
        outcome = world.run(shell("a"), deploy("d", k8s_namespace="${later}"))
        assert outcome.exit_code is ExitCode.FAILED
        assert str(world.finished()["d"].message) == "steps[1].k8s_namespace: The variable later is not defined"
        assert world.kubernetes.steps == []


class TestRefusedBeforeAnythingRuns:
    @pytest.mark.parametrize(
        ("steps", "options", "field"),
        [
            ([deploy("d", k8s_namespace="${nope}"), shell("a")], {}, "steps[0].k8s_namespace"),
            ([shell("a", timeout="abc")], {}, "steps[0].timeout"),
            ([shell("a"), deploy("d", config={"timeout": "0"})], {}, "steps[1].k8s_config.timeout"),
            ([shell("a")], {"variables": {"x": "${y}"}}, "spec.variables.x"),
        ],
    )
    def test_wrong_input(self, world, steps, options, field):
        with pytest.raises(UserError) as caught:
            world.run(*steps, **options)
        assert (caught.value.field, caught.value.code) == (field, ExitCode.INVALID)
        assert world.events == []
        assert world.journal.runs() == []

    def test_a_step_that_is_not_there(self, world):
        for option in ("only", "start_from"):
            with pytest.raises(UserError) as caught:
                world.run(shell("a"), **{option: "b"})
            assert "a" in str(caught.value.hint)

    def test_a_folder_that_is_not_there(self, world):
        world.folder.rmdir()
        with pytest.raises(UserError, match="does not exist"):
            world.run(shell("a"))

    def test_a_journal_that_cannot_be_written(self, world):
        class Full(Journal):
            def begin(self, *_):
                raise UserError(msg("full"), code=ExitCode.FAILED)

        journal = Full(world.directories.database)
        with pytest.raises(UserError, match="full"):
            world.run(shell("a", "touch ran"), journal=journal)
        journal.close()
        assert not (world.folder / "ran").exists()
        assert os.listdir(world.directories.runs) == []
        assert world.events == []

    def test_a_run_folder_that_cannot_be_made(self, world):
        world.directories.runs.write_text("")
        with pytest.raises(UserError) as caught:
            world.run(shell("a", "touch ran"))
        assert "--data-dir" in str(caught.value.hint)
        assert not (world.folder / "ran").exists()


class TestChoice:
    def test_only(self, world):
        world.run(shell("a", "echo a"), shell("b", "echo b"), shell("c", "echo c"), only="b")
        assert world.text() == "b\n"
        assert next(event for event in world.events if isinstance(event, RunStarted)).steps == ("b",)

    def test_start_from(self, world):
        world.run(shell("a", "echo a"), shell("b", "echo b"), shell("c", "echo c"), start_from="b")
        assert world.text() == "b\nc\n"

    def test_disabled_steps_are_skipped(self, world):
        outcome = world.run(
            shell("a", "echo a", enabled=False),
            shell("b", "echo b", deferred={"enabled": "${on}"}),
            shell("c", "echo c"),
            given={"on": "false"},
        )
        assert outcome.phase is Phase.SUCCEEDED
        assert world.phases() == {"a": Phase.SKIPPED, "b": Phase.SKIPPED, "c": Phase.SUCCEEDED}
        assert world.text() == "c\n"

    def test_a_form_is_taken_literally(self, world):
        request = DeployRequest(
            chart_path=str(world.folder), cluster="dev", namespace="fe", release_name="x", custom_values="a: $${b}"
        )
        world.runner().run(request.pipeline(), world.emit, world.cancel)
        assert world.kubernetes.steps[0].k8s_config["custom_values"] == "a: $${b}"


class TestCancel:
    def test_the_running_step_ends_and_the_rest_is_skipped(self, world):
        world.on_event = lambda event: world.cancel.request() if isinstance(event, Output) else None
        outcome = world.run(shell("a", "echo ready; sleep 60"), shell("b"))
        assert (outcome.phase, outcome.exit_code) == (Phase.CANCELLED, ExitCode.CANCELLED)
        assert world.phases() == {"a": Phase.CANCELLED, "b": Phase.SKIPPED}
        assert world.journal.run(outcome.run_id).phase is Phase.CANCELLED

    def test_before_the_first_step(self, world):
        world.cancel.request()
        outcome = world.run(shell("a", "touch ran"))
        assert (outcome.phase, world.phases()) == (Phase.CANCELLED, {"a": Phase.SKIPPED})
        assert not (world.folder / "ran").exists()

    def test_after_the_last_step_it_changes_nothing(self, world):
        world.on_event = lambda event: world.cancel.request() if isinstance(event, StepFinished) else None
        assert world.run(shell("a")).phase is Phase.SUCCEEDED

    def test_a_second_request_reaches_the_step(self, world):
        forced = []

        def stubborn(step, context, scope):
            world.cancel.request()
            world.cancel.request()
            forced.append(scope.cancel.forced)
            return StepResult(phase=Phase.CANCELLED, context=context)

        world.kubernetes.behaviour["d"] = stubborn
        assert world.run(deploy("d")).phase is Phase.CANCELLED
        assert forced == [True]


class TestDeadline:
    def test_it_ends_the_step_as_failed_not_as_cancelled(self, world):
        outcome = world.run(shell("a", "sleep 60", timeout="100ms"), shell("b"))
        assert (outcome.phase, outcome.exit_code) == (Phase.FAILED, ExitCode.FAILED)
        assert "100ms" in str(world.finished()["a"].message)
        assert world.phases()["b"] is Phase.SKIPPED

    def test_it_is_the_outer_one_of_every_step(self, world):
        def wait(step, context, scope):
            assert scope.cancel.wait(30)
            return StepResult(phase=Phase.CANCELLED, context=context, message=msg("Stopped by helm"))

        world.kubernetes.behaviour["d"] = wait
        outcome = world.run(deploy("d", timeout="50ms", continue_on_error=True), shell("b"))
        assert outcome.phase is Phase.FAILED
        assert "50ms: Stopped by helm" in str(world.finished()["d"].message)
        assert world.phases()["b"] is Phase.SUCCEEDED
        assert not world.cancel.requested

    @pytest.mark.parametrize(
        ("step", "seconds"), [(shell("a", timeout="1m30s"), 90.0), (deploy("a", config={"timeout": "5m"}), 300.0)]
    )
    def test_it_is_told_at_the_start(self, world, step, seconds):
        world.run(step)
        assert next(event for event in world.events if isinstance(event, StepStarted)).timeout == seconds

    def test_no_timer_is_left(self, world):
        world.run(shell("a", timeout="1h"))
        assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


class TestSecrets:
    def test_they_are_in_no_event_and_nowhere_in_the_journal(self, world):
        def tell(step, context, scope):
            now = time.time()
            scope.notice("d", "warning", msg("token %(t)s", t="very-secret-token"))
            scope.emit(CommandStarted(time=now, run=scope.run_id, step="d", argv=("x", "very-secret-token"), cwd="/"))
            scope.output("d", "stdout", "dmVyeS1zZWNyZXQtdG9rZW4=\n")
            return StepResult(
                phase=Phase.FAILED, context=context, message="very-secret-token", hint="very-secret-token"
            )

        world.kubernetes.behaviour["d"] = tell
        world.run(deploy("d", config={"release_name": "very-secret-token"}), shell("b", "echo very-secret-token"))
        world.journal.close()
        stored = b"".join(path.read_bytes() for path in world.directories.data.rglob("*") if path.is_file())
        assert "very-secret-token" not in repr(world.events)
        assert "dmVyeS1zZWNyZXQtdG9rZW4" not in repr(world.events)
        assert b"very-secret-token" not in stored
        assert repr(world.events).count("***") >= 5


class TestFolders:
    def test_the_private_folder_is_there_during_the_run_and_gone_after_it(self, world):
        def fill(step, context, scope):
            (scope.folder / "sub").mkdir()
            (scope.folder / "sub" / "file").write_text("x")
            (scope.folder / "sub").chmod(0o500)
            return StepResult(phase=Phase.SUCCEEDED, context=context)

        world.kubernetes.behaviour["d"] = fill
        world.run(deploy("d"))
        ((folder, mode),) = world.kubernetes.folders
        assert mode == 0o700
        assert not folder.exists()

    def test_a_run_sweeps_at_its_start(self, world):
        dead = world.directories.runs / "dead"
        dead.mkdir(parents=True)
        (dead / ".owner").write_text(json.dumps({"pid": 1, "started": "1", "boot": "other"}))
        world.run(shell("a"))
        assert not dead.exists()


class TestListeners:
    def test_one_that_fails_ends_no_run(self, world):
        def broken(event):
            raise BrokenPipeError

        world.on_event = broken
        assert world.run(shell("a", "echo x")).phase is Phase.SUCCEEDED

    def test_events_after_the_end_are_dropped(self, world):
        kept = []
        world.kubernetes.behaviour["d"] = lambda step, context, scope: (
            kept.append(scope),
            StepResult(phase=Phase.SUCCEEDED, context=context),
        )[1]
        world.run(deploy("d"))
        count = len(world.events)
        kept[0].notice("d", "info", msg("late"))
        assert len(world.events) == count
        assert isinstance(world.events[-1], RunFinished)

    def test_an_incomplete_history_is_told(self, world):
        world.journal.lost = UserError(msg("x"), "disk full")
        world.run(shell("a"))
        assert "disk full" in str(next(event for event in world.events if isinstance(event, Notice)).message)


def test_two_runs_at_once_keep_apart(world):
    outcomes = {}

    def work(number):
        events = []
        pipeline = Pipeline(name=f"p{number}", steps=(shell("a", f"echo {number}"),), folder=str(world.folder))
        outcome = world.runner().run(pipeline, events.append, Cancel())
        outcomes[number] = (outcome, [event.text for event in events if isinstance(event, Output)])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: texts for number, (_, texts) in outcomes.items()} == {n: [f"{n}\n"] for n in range(6)}
    assert {record.pipeline for record in world.journal.runs()} == {f"p{number}" for number in range(6)}
    assert world.journal.lost is None


def test_run_ids_sort_by_time_and_differ():
    ids = [new_run_id() for _ in range(200)]
    assert len(set(ids)) == 200
    assert [one[:18] for one in ids] == sorted(one[:18] for one in ids)
    assert all(Path(one).name == one for one in ids)
