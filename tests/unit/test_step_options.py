"""Options of a step in whole runs: conditions, retries, deadlines, clean-up, and what the next steps see of them."""

from __future__ import annotations

import threading
import time

import pytest
from runner_kit import World, deploy, raising, returning, shell

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import step_options
from ansflow_desktop.executors.context import StepResult
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.run import Notice, Output, Phase, RunFinished, StepFinished, StepStarted


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.journal.close()


def failing(times, then=Phase.SUCCEEDED, **fields):
    """An executor that fails some times, and how often it was asked."""
    calls = []

    def act(step, context, scope):
        calls.append(time.monotonic())
        phase = Phase.FAILED if len(calls) <= times else then
        return StepResult(phase=phase, context=context, message=msg("No luck."), **fields)

    act.calls = calls
    return act


class TestCondition:
    def test_a_step_whose_condition_is_not_met_is_skipped_and_says_so(self, world):
        outcome = world.run(shell("a", "echo a", when='${env} == "prod"'), shell("b", "echo b"), given={"env": "test"})
        assert outcome.phase is Phase.SUCCEEDED
        assert world.phases() == {"a": Phase.SKIPPED, "b": Phase.SUCCEEDED}
        assert '${env} == "prod"' in str(world.finished()["a"].message)
        assert world.text() == "b\n"

    def test_it_is_evaluated_just_before_the_step(self, world):
        world.run(
            shell("a", "export READY=yes; echo 2", output="COUNT"),
            shell("b", "echo b", when="${READY} && ${COUNT} == 2"),
            shell("c", "echo c", when="!${READY}"),
        )
        assert world.phases() == {"a": Phase.SUCCEEDED, "b": Phase.SUCCEEDED, "c": Phase.SKIPPED}

    def test_a_skipped_step_needs_none_of_its_variables(self, world):
        world.run(shell("a"), deploy("d", when="${go}", k8s_namespace="${later}"), given={"go": "false"})
        assert world.phases()["d"] is Phase.SKIPPED

    def test_an_undefined_variable_in_it_fails_the_step_by_its_field(self, world):
        outcome = world.run(shell("a"), shell("b", "echo ran", when="${later}"))
        assert outcome.exit_code is ExitCode.FAILED
        assert str(world.finished()["b"].message).startswith("steps[1].when: ")
        assert world.text() == ""

    def test_a_disabled_step_is_told_as_disabled_whatever_its_condition(self, world):
        world.run(shell("a"), shell("b", enabled=False, when="${later}"))
        assert str(world.finished()["b"].message) == "The step is disabled"

    def test_only_honours_it(self, world):
        outcome = world.run(shell("a", "echo a", when="false"), only="a")
        assert (outcome.phase, world.phases()) == (Phase.SUCCEEDED, {"a": Phase.SKIPPED})


class TestRetries:
    def test_a_step_is_tried_again_and_each_attempt_is_told(self, world):
        world.kubernetes.behaviour["d"] = act = failing(2)
        outcome = world.run(deploy("d", retries=3, retry_delay="10ms"))
        assert (outcome.phase, len(act.calls)) == (Phase.SUCCEEDED, 3)
        assert world.notices() == [
            "Attempt 1 of 4 failed: No luck. The next one begins in 0.01 s.",
            "Attempt 2 of 4 failed: No luck. The next one begins in 0.02 s.",
        ]
        assert sum(isinstance(event, StepFinished) for event in world.events) == 1

    def test_a_reason_without_a_full_stop_gets_one(self, world):
        world.run(shell("a", "exit 3", retries=1, retry_delay="1ms"))
        assert world.notices() == [
            "Attempt 1 of 2 failed: The command ended with exit code 3. The next one begins in 0.001 s."
        ]

    def test_the_last_failure_counts_when_none_succeeds(self, world):
        world.kubernetes.behaviour["d"] = act = failing(9, exit_code=7)
        outcome = world.run(deploy("d", retries=2, retry_delay="1ms"), shell("b"))
        assert (outcome.phase, outcome.exit_code, len(act.calls)) == (Phase.FAILED, ExitCode.FAILED, 3)
        assert world.finished()["d"].exit_code == 7
        assert world.phases()["b"] is Phase.SKIPPED

    def test_what_may_be_at_work_still_is_not_started_again(self, world):
        world.kubernetes.behaviour["d"] = act = failing(9, repeatable=False)
        outcome = world.run(deploy("d", retries=2, retry_delay="1ms"))
        assert (outcome.phase, len(act.calls)) == (Phase.FAILED, 1)

    def test_a_shell_step_is_tried_again_from_the_same_start(self, world):
        world.run(shell("a", "mkdir x; cd x; export A=1; pwd >> ../../log; false", retries=1, retry_delay="1ms"))
        assert not (world.folder / "x" / "x").exists()

    def test_the_second_attempt_has_a_private_folder_of_its_own(self, world):
        world.kubernetes.behaviour["d"] = failing(1)
        world.run(deploy("d", retries=1, retry_delay="1ms"))
        (first, mode), (second, other) = world.kubernetes.folders
        assert first != second
        assert mode == other == 0o700
        assert not first.exists()

    @pytest.mark.parametrize("code", [ExitCode.UNREACHABLE, ExitCode.FAILED])
    def test_an_error_before_anything_ran_is_tried_again(self, world, code):
        world.kubernetes.behaviour["d"] = raising(UserError(msg("Away"), code=code))
        outcome = world.run(deploy("d", retries=1, retry_delay="1ms"))
        assert (outcome.exit_code, len(world.kubernetes.steps)) == (code, 2)

    @pytest.mark.parametrize(
        "act",
        [
            raising(UserError(msg("Bad"), field="k8s_config.timeout")),
            raising(UserError(msg("?"), code=ExitCode.UNKNOWN)),
            raising(KeyError("bug")),
            returning(Phase.UNKNOWN),
            returning(Phase.CANCELLED),
        ],
    )
    def test_bad_input_an_unknown_state_a_cancel_and_a_bug_are_not(self, world, act):
        world.kubernetes.behaviour["d"] = act
        world.run(deploy("d", retries=5, retry_delay="1ms"))
        assert len(world.kubernetes.steps) == 1

    def test_a_cancel_ends_the_pause_at_once(self, world):
        world.kubernetes.behaviour["d"] = act = failing(9)
        world.on_event = lambda event: world.cancel.request() if isinstance(event, Notice) else None
        began = time.monotonic()
        outcome = world.run(deploy("d", retries=3, retry_delay="1h"))
        assert (outcome.phase, outcome.exit_code, len(act.calls)) == (Phase.CANCELLED, ExitCode.CANCELLED, 1)
        assert time.monotonic() - began < 5
        assert "No luck." in str(world.finished()["d"].message)

    def test_continue_on_error_goes_on_after_the_last_attempt(self, world):
        world.kubernetes.behaviour["d"] = failing(9)
        outcome = world.run(deploy("d", retries=1, retry_delay="1ms", continue_on_error=True), shell("b"))
        assert (outcome.phase, world.phases()["b"]) == (Phase.FAILED, Phase.SUCCEEDED)

    @pytest.mark.parametrize(
        ("delay", "pauses"),
        [("", [5, 10, 20, 40, 80, 160, 300, 300]), ("200s", [200, 300, 300]), ("10m", [600, 600])],
    )
    def test_pauses_are_doubled_up_to_five_minutes(self, delay, pauses):
        step = deploy("d", retry_delay=delay)
        assert [step_options.pause_before(step, attempt) for attempt in range(2, 2 + len(pauses))] == pauses
        assert step_options.pause_before(step, 10_000) == pauses[-1]


class TestDeadline:
    def test_it_counts_all_attempts_together(self, world):
        def slow(step, context, scope):
            scope.cancel.wait(0.1)
            return StepResult(phase=Phase.FAILED, context=context, message=msg("No luck."))

        world.kubernetes.behaviour["d"] = slow
        began = time.monotonic()
        outcome = world.run(deploy("d", retries=100, retry_delay="1ms", timeout="500ms"))
        assert outcome.phase is Phase.FAILED
        assert time.monotonic() - began < 3
        assert 1 < len(world.kubernetes.steps) < 7

    def test_a_pause_that_does_not_fit_is_not_begun(self, world):
        world.kubernetes.behaviour["d"] = failing(9)
        began = time.monotonic()
        world.run(deploy("d", retries=1, retry_delay="10m", timeout="5m"))
        assert time.monotonic() - began < 5
        assert "5m leaves no time" in world.notices()[0]
        assert str(world.finished()["d"].message) == "No luck."

    def test_it_ends_an_attempt_as_failed(self, world):
        world.run(shell("a", "sleep 60", timeout="100ms", retries=3, retry_delay="1ms"))
        assert world.phases()["a"] is Phase.FAILED
        assert world.notices() == []


class TestCleanUp:
    def test_it_runs_after_a_failure_with_the_last_good_context(self, world):
        outcome = world.run(
            shell("a", "mkdir sub; cd sub; export A=good; echo out", output="OUT"),
            shell("b", "export A=bad; false"),
            shell("c", "echo c"),
            shell("clean", "pwd; echo $A $OUT", always=True),
        )
        assert (outcome.phase, outcome.exit_code) == (Phase.FAILED, ExitCode.FAILED)
        assert world.phases() == {
            "a": Phase.SUCCEEDED,
            "b": Phase.FAILED,
            "c": Phase.SKIPPED,
            "clean": Phase.SUCCEEDED,
        }
        assert world.text() == f"out\n{world.folder}/sub\ngood out\n"

    def test_it_runs_after_a_success_too(self, world):
        assert world.run(shell("a"), shell("clean", always=True)).phase is Phase.SUCCEEDED
        assert world.phases()["clean"] is Phase.SUCCEEDED

    def test_it_runs_behind_an_unknown_state_which_stays_the_end(self, world):
        world.kubernetes.behaviour["d"] = returning(Phase.UNKNOWN)
        outcome = world.run(deploy("d"), shell("clean", always=True))
        assert (outcome.exit_code, world.phases()["clean"]) == (ExitCode.UNKNOWN, Phase.SUCCEEDED)

    def test_it_runs_after_a_cancel_and_the_run_stays_cancelled(self, world):
        world.on_event = lambda event: world.cancel.request() if event_is(event, Output, "a") else None
        outcome = world.run(
            shell("a", "echo ready; sleep 60"), shell("b"), shell("clean", "echo cleaned", always=True), shell("c")
        )
        assert (outcome.phase, outcome.exit_code) == (Phase.CANCELLED, ExitCode.CANCELLED)
        assert world.text() == "ready\ncleaned\n"
        assert [world.phases()[name] for name in ("b", "clean", "c")] == [
            Phase.SKIPPED,
            Phase.SUCCEEDED,
            Phase.SKIPPED,
        ]

    def test_a_second_cancel_ends_it_and_what_is_behind_it(self, world):
        world.on_event = lambda event: world.cancel.request() if isinstance(event, Output) else None
        began = time.monotonic()
        world.run(
            shell("a", "echo ready; sleep 60"),
            shell("clean", "echo cleaning; sleep 60", always=True),
            shell("more", "echo more", always=True),
        )
        assert time.monotonic() - began < 30
        assert world.phases() == {"a": Phase.CANCELLED, "clean": Phase.CANCELLED, "more": Phase.SKIPPED}

    def test_a_cancel_while_it_runs_after_a_failure_ends_it(self, world):
        world.on_event = lambda event: world.cancel.request() if isinstance(event, Output) else None
        outcome = world.run(shell("a", "false"), shell("clean", "echo cleaning; sleep 60", always=True))
        assert world.phases() == {"a": Phase.FAILED, "clean": Phase.CANCELLED}
        assert outcome.phase is Phase.CANCELLED

    def test_behind_a_cancel_it_always_has_a_deadline(self, world, monkeypatch):
        monkeypatch.setattr(step_options, "CLEANUP_S", 0.1)
        world.cancel.request()
        world.run(shell("clean", "sleep 60", always=True))
        assert world.phases()["clean"] is Phase.FAILED

    def test_its_own_condition_and_switch_are_honoured(self, world):
        world.run(
            shell("a", "false"),
            shell("b", always=True, when="false"),
            shell("c", always=True, enabled=False),
            shell("d", "echo d", deferred={"always": "${yes}"}),
            shell("e", "echo e", deferred={"always": "${no}"}),
            given={"yes": "true", "no": "false"},
        )
        assert [world.phases()[name] for name in "bcde"] == [
            Phase.SKIPPED,
            Phase.SKIPPED,
            Phase.SUCCEEDED,
            Phase.SKIPPED,
        ]

    def test_it_is_retried_after_a_cancel(self, world):
        world.cancel.request()
        world.kubernetes.behaviour["clean"] = act = failing(1)
        world.run(deploy("clean", always=True, retries=1, retry_delay="1ms"))
        assert (world.phases()["clean"], len(act.calls)) == (Phase.SUCCEEDED, 2)

    def test_a_failed_one_fails_the_run(self, world):
        outcome = world.run(shell("a"), shell("clean", "false", always=True))
        assert (outcome.phase, outcome.exit_code) == (Phase.FAILED, ExitCode.FAILED)


def event_is(event, kind, step):
    return isinstance(event, kind) and event.step == step


def test_everything_is_in_the_journal_as_it_was_told(world):
    world.kubernetes.behaviour["d"] = failing(1)
    outcome = world.run(
        deploy("d", retries=1, retry_delay="1ms"), shell("b", when="false"), shell("clean", always=True)
    )
    assert world.journal.events(outcome.run_id) == world.events
    starts = [event.step for event in world.events if isinstance(event, StepStarted)]
    assert starts == ["d", "clean"]
    assert isinstance(world.events[-1], RunFinished)


def test_no_timer_is_left(world):
    world.run(shell("a", "false", timeout="1h", retries=1, retry_delay="1ms"), shell("c", always=True, timeout="1h"))
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
