"""Running a pipeline from the window: all of it, from a step on, one step alone; stopping, trust, and closing."""

import pytest
from pipeline_kit import TWO_STEPS, Hands, dialog_button, opened
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPlainTextEdit
from window_kit import FakeRunner, shown_window

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.guard import ConfirmationNeeded
from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.run import (
    Health,
    Output,
    Phase,
    ResourceChanged,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from ansflow_desktop.presenters.pipeline_run_view import PipelineFold

HEAD = {"time": 1.0, "run": "r"}
CTRL = Qt.KeyboardModifier.ControlModifier
BOTH = RunStarted(**HEAD, pipeline="shop", steps=("build", "scale"))
BUILT = (
    StepStarted(**HEAD, step="build", step_type="shell"),
    Output(**HEAD, step="build", stream="stdout", text="built\n"),
    StepFinished(**HEAD, step="build", phase=Phase.SUCCEEDED, exit_code=0, duration_s=2.0),
)
SCALING = (
    StepStarted(**HEAD, step="scale", step_type="k8s_scale", timeout=300),
    ResourceChanged(**HEAD, step="scale", kind="Deployment", namespace="fe", name="web", health=Health.PROGRESSING),
)
GOOD = (
    *SCALING,
    StepFinished(**HEAD, step="scale", phase=Phase.SUCCEEDED),
    RunFinished(**HEAD, phase=Phase.SUCCEEDED),
)


class Runner(FakeRunner):
    """Remembers the options too."""

    def run(self, pipeline, emit, cancel, **options):
        self.options = options
        return super().run(pipeline, emit, cancel)


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "pipeline.yaml"
    made.write_text(TWO_STEPS)
    return made


@pytest.fixture
def hands(window, qtbot, file) -> Hands:
    made = opened(window, qtbot, file)
    made.steps("build", "scale")
    made.until(lambda: made.desk.can_run)
    return made


def play(services, *events, phase=Phase.SUCCEEDED, wait=False) -> Runner:
    made = Runner(events, phase, wait_for_cancel=wait)
    services.runner = lambda: made
    return made


def spoken(hands: Hands) -> list[str]:
    steps = hands.find("step_list")
    return [steps.item(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(steps.count())]


def words(part) -> str:
    return " ".join(one.text() for one in part.findChildren(QLabel) if one.isVisible())


def test_a_run_is_shown_step_by_step_with_a_verdict_and_its_output(hands, services, file):
    runner = play(services, BOTH, *BUILT, *GOOD)
    with hands.qtbot.waitSignal(hands.desk.run_finished):
        hands.click("pipeline_run")
    pipeline = runner.requests[0]
    assert [step.name for step in pipeline.steps] == ["build", "scale"] and pipeline.folder == str(file.parent)
    assert runner.options == {"only": None, "start_from": None}
    hands.until(lambda: all("Succeeded" in text for text in spoken(hands)))
    assert hands.find("pipeline_output", QPlainTextEdit).toPlainText() == "built\n"
    hands.until(lambda: "2 of 2 steps succeeded" in words(hands.find("pipeline_verdict")))
    assert "The pipeline succeeded" in words(hands.find("pipeline_verdict"))
    assert hands.shown("pipeline_run") and not hands.shown("pipeline_stop")


def test_one_step_alone_or_from_one_on_and_what_is_typed_counts_unsaved(hands, services, file):
    hands.type("field_name", "compile")
    hands.steps("compile", "scale")
    hands.until(lambda: hands.desk.can_run)
    runner = play(services, BOTH, *GOOD)
    with hands.qtbot.waitSignal(hands.desk.run_finished):
        hands.click("step_run_one")
    assert runner.options == {"only": "compile", "start_from": None}
    assert runner.requests[0].steps[0].name == "compile" and file.read_text() == TWO_STEPS
    hands.desk.editor.select(1)
    hands.until(lambda: hands.state.selected == 1)
    with hands.qtbot.waitSignal(hands.desk.run_finished):
        hands.click("step_run_from")
    assert runner.options == {"only": None, "start_from": "scale"}


def test_a_failed_step_is_named_with_the_servers_words_and_the_rest_is_skipped(hands, services):
    failed = StepFinished(**HEAD, step="build", phase=Phase.FAILED, exit_code=3, message="exit code 3", hint="Look.")
    skipped = StepFinished(**HEAD, step="scale", phase=Phase.SKIPPED, message="Step build failed")
    play(services, BOTH, BUILT[0], failed, skipped, RunFinished(**HEAD, phase=Phase.FAILED), phase=Phase.FAILED)
    with hands.qtbot.waitSignal(hands.desk.run_finished):
        hands.key(hands.window.shell, Qt.Key.Key_Return, CTRL)
    hands.until(lambda: "Failed" in spoken(hands)[0] and "Skipped" in spoken(hands)[1])
    hands.until(lambda: "Look." in words(hands.find("pipeline_verdict")))
    verdict = words(hands.find("pipeline_verdict"))
    assert "Step build failed" in verdict and "exit code 3" in verdict


def test_what_cannot_be_started_is_a_failed_run_with_its_reason(hands, services):
    play(services, UserError("The journal is locked", "database is locked", "Close the other one."))
    with hands.qtbot.waitSignal(hands.desk.run_finished):
        hands.click("pipeline_run")
    hands.until(lambda: "database is locked" in words(hands.find("pipeline_verdict")))


def test_stop_asks_the_run_and_a_second_time_a_person(hands, services):
    runner = play(services, BOTH, *BUILT, *SCALING, phase=Phase.CANCELLED, wait=True)
    hands.click("pipeline_run")
    hands.until(lambda: hands.state.phases.get("scale") is Phase.RUNNING)
    assert hands.window.frame.state.running == 1 and not hands.find("step_run_one").isEnabled()
    hands.click("pipeline_back")
    assert hands.window.shell.current == "pipelines"
    hands.window.pipelines.open(hands.window.pipelines.state.rows[0])
    hands.until(lambda: hands.shown("pipeline_stop"))
    hands.desk.run._fold.cancelling = True
    hands.desk.run._publish()
    hands.click("pipeline_stop")
    dialog_button(hands, "delete_cancel")
    assert runner.cancels == 0
    with hands.qtbot.waitSignal(hands.desk.run_finished):
        hands.desk.stop()
    assert runner.cancels == 1
    hands.until(lambda: hands.window.frame.state.running == 0)
    assert hands.desk.run.view.phase is Phase.CANCELLED


def test_another_pipeline_is_not_opened_during_a_run(hands, services, tmp_path):
    play(services, BOTH, *BUILT, phase=Phase.CANCELLED, wait=True)
    hands.click("pipeline_run")
    hands.until(lambda: hands.desk.run.running)
    hands.window.pipelines.new()
    hands.until(lambda: any("running" in str(one.title) for one in hands.window.frame.state.banners))
    assert hands.names() == ["build", "scale"]
    with hands.qtbot.waitSignal(hands.desk.run_finished):
        hands.desk.stop()


def test_closing_during_a_run_asks_and_can_cancel_it(hands, services):
    play(services, BOTH, *BUILT, phase=Phase.CANCELLED, wait=True)
    hands.click("pipeline_run")
    hands.until(lambda: hands.desk.run.running)
    hands.window.shell.close()
    hands.until(lambda: hands.shown("close_cancel"))
    with hands.qtbot.waitSignal(hands.window.closed):
        hands.click("close_cancel")
    assert hands.desk.run.view.phase is Phase.CANCELLED


def test_an_imported_pipeline_is_shown_before_it_runs_the_first_time(window, qtbot, services):
    services.library.save("pipeline", "shop", TWO_STEPS, "", "import")
    runner = play(services, BOTH, *BUILT, *GOOD)
    hands = opened(window, qtbot)
    window.pipelines.open(window.pipelines.state.rows[0])
    hands.until(lambda: hands.desk.can_run)
    hands.click("pipeline_run")
    hands.until(lambda: hands.shown("trust_commands"))
    assert "echo built" in hands.find("trust_commands", QPlainTextEdit).toPlainText()
    hands.key(hands.find("trust"), Qt.Key.Key_Escape)
    assert runner.requests == [] and not services.trust.trusted(TWO_STEPS)
    hands.click("pipeline_run")
    with qtbot.waitSignal(hands.desk.run_finished):
        dialog_button(hands, "trust_run")
    hands.until(lambda: services.trust.trusted(TWO_STEPS))
    with qtbot.waitSignal(hands.desk.run_finished):
        hands.click("pipeline_run")
    assert len(runner.requests) == 2


class GuardedRunner(Runner):
    """Refuses until the production cluster's name was typed, as the real one does."""

    def run(self, pipeline, emit, cancel, **options):
        if "dev" not in options.get("confirmed", ()):
            raise ConfirmationNeeded("dev", "scale", msg("it stops every pod of a workload"))
        return super().run(pipeline, emit, cancel, **options)


def test_a_production_cluster_asks_for_its_name_and_a_wrong_one_runs_nothing(hands, services):
    runner = GuardedRunner((BOTH, *BUILT, *GOOD), Phase.SUCCEEDED)
    services.runner = lambda: runner
    hands.click("pipeline_run")
    hands.until(lambda: hands.shown("confirm_name"))
    run = hands.find("confirm_run")
    assert not run.isEnabled()
    hands.qtbot.keyClicks(hands.find("confirm_name"), "de")
    assert not run.isEnabled() and runner.requests == []
    hands.qtbot.keyClicks(hands.find("confirm_name"), "v")
    with hands.qtbot.waitSignal(hands.desk.run_finished):
        dialog_button(hands, "confirm_run")
    assert len(runner.requests) == 1
    hands.until(lambda: "The pipeline succeeded" in words(hands.find("pipeline_verdict")))


def test_what_is_wrong_stands_in_the_way(hands):
    hands.type("field_command", "x")
    hands.settle()
    hands.qtbot.keyClick(hands.find("field_command"), Qt.Key.Key_Backspace)
    hands.until(lambda: bool(hands.state.errors))
    button = hands.find("pipeline_run")
    hands.until(lambda: not button.isEnabled())
    hands.until(lambda: button.toolTip() == "build: Script is missing")


@pytest.fixture
def read_only(tmp_path, services):
    made = Services(
        Options(data_dir=str(tmp_path / "data"), kubeconfig=str(tmp_path / "kubeconfig"), lang="en", read_only=True)
    )
    yield made
    made.close()


def test_a_read_only_start_runs_nothing(loop, read_only, reads, qtbot, file):
    with shown_window(read_only, qtbot, reads=reads) as window:
        hands = opened(window, qtbot, file)
        hands.steps("build", "scale")
        hands.settle()
        assert not hands.find("pipeline_run").isEnabled()
        assert "read-only" in hands.find("pipeline_run").toolTip()
        hands.desk.start()
        assert not hands.desk.run.running


# The fold


def folded(*events) -> PipelineFold:
    fold = PipelineFold(1.0)
    for event in events:
        fold.apply(event)
    return fold


def test_a_run_that_is_cut_off_leaves_no_step_running():
    fold = folded(BOTH, *BUILT, *SCALING)
    assert [step.phase for step in fold.view().steps] == [Phase.SUCCEEDED, Phase.RUNNING]
    fold.end(Phase.UNKNOWN, 9.0)
    assert [step.phase for step in fold.view().steps] == [Phase.SUCCEEDED, Phase.UNKNOWN]
    assert fold.view().verdict.tone == "warn"


def test_what_is_waited_for_is_the_step_that_runs():
    assert str(folded(BOTH, *BUILT, *SCALING).view().doing) == "scale: Waiting for 1 of 1 resource"
    assert [node.name for node in folded(BOTH, *SCALING, *BUILT[:1]).view().resources] == []


def test_the_first_bad_step_decides_the_verdict_not_the_last_one():
    fold = folded(
        BOTH,
        StepFinished(**HEAD, step="build", phase=Phase.FAILED, message="no space"),
        StepFinished(**HEAD, step="scale", phase=Phase.SUCCEEDED, message="fine"),
        RunFinished(**HEAD, phase=Phase.FAILED),
    )
    verdict = fold.view().verdict
    assert (str(verdict.title), verdict.words, str(verdict.state)) == (
        "Step build failed",
        "no space",
        "1 of 2 steps succeeded",
    )
