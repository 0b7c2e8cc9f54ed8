"""The Deploy page's state: what follows from what is typed, and that late answers are dropped."""

import shutil
import time

import pytest
from window_kit import EXAMPLE, FakeRunner

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.cluster import NamespaceList
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.models.run import Output, Phase, RunFinished, RunStarted
from ansflow_desktop.presenters.deploy import DeployPresenter
from ansflow_desktop.presenters.deploy_state import PreviewStatus, last_part
from ansflow_desktop.presenters.loop import run_here
from ansflow_desktop.presenters.planner import Plan, Planner, Rendering


class FakePlanner(Planner):
    """Answers when told to; charts are read for real."""

    def __init__(self, services) -> None:
        super().__init__(services)
        self.plans: list = []
        self.renders: list = []

    def plan(self, number, request, known=frozenset()):
        self.plans.append((number, request))
        self.left_out = known

    def render(self, number, request):
        self.renders.append((number, request))


@pytest.fixture
def planner(services):
    return FakePlanner(services)


@pytest.fixture
def deploy(loop, services, reads, planner):
    made = DeployPresenter(services, reads, planner)
    yield made
    run_here(made.close())


@pytest.fixture
def chosen(deploy, planner, qtbot):
    deploy.choose_cluster("dev")
    deploy.choose_chart(str(EXAMPLE))
    qtbot.waitUntil(lambda: deploy.state.chart is not None and bool(planner.renders))
    return deploy


def test_choosing_a_folder_fills_the_form(chosen):
    state = chosen.state
    assert (state.chart.name, state.release_name) == ("fe-app", "fe-app-release")
    assert state.namespace
    assert [choice.shown for choice in state.values] == ["values-production.yaml"]
    assert not any(choice.used for choice in state.values)


def test_a_folder_without_a_chart_is_told(deploy, planner, qtbot, tmp_path):
    deploy.choose_chart(str(tmp_path))
    qtbot.waitUntil(lambda: deploy.state.chart_error is not None)
    assert deploy.state.chart is None and not deploy.state.can_deploy
    assert deploy.state.preview.status is PreviewStatus.NONE


def test_the_answer_to_an_old_question_is_dropped(chosen, planner, qtbot):
    old, _request = planner.renders[-1]
    before = len(planner.renders)
    chosen.edit(release_name="other")
    assert chosen.state.preview.status is PreviewStatus.LOADING
    planner.rendered.emit(old, Rendering(text="old: text", objects=1))
    assert chosen.state.preview.status is PreviewStatus.LOADING
    qtbot.waitUntil(lambda: len(planner.renders) > before)
    number, request = planner.renders[-1]
    assert request.release_name == "other"
    planner.rendered.emit(number, Rendering(text="new: text", objects=1))
    assert chosen.state.preview.text == "new: text"


def test_a_burst_of_typing_is_rendered_once(chosen, planner, qtbot):
    before = len(planner.renders)
    for end in range(1, 8):
        chosen.edit(release_name="fe-app"[:end])
    qtbot.waitUntil(lambda: len(planner.renders) > before)
    assert len(planner.renders) == before + 1


def test_deploy_waits_for_the_plan_and_for_errors_to_go(chosen, planner, qtbot):
    assert not chosen.state.can_deploy
    qtbot.waitUntil(lambda: bool(planner.plans))
    wrong = Problem(field="steps[0].k8s_config.timeout", title="no duration")
    planner.planned.emit(planner.plans[-1][0], Plan(problems=(wrong,)))
    assert chosen.state.problems_of("timeout") == (wrong,)
    assert not chosen.state.can_deploy
    hint = Problem(field="values_files[0]", title="reads as 8", severity=Severity.WARNING)
    planner.planned.emit(planner.plans[-1][0], Plan(command="helm", copy_text="cd / && helm", problems=(hint,)))
    assert chosen.state.can_deploy
    assert chosen.state.problems_elsewhere("timeout") == (hint,)


def test_switching_the_cluster_clears_the_namespace_and_its_list(chosen):
    chosen.set_namespaces(NamespaceList(names=("fe", "prod"), read_at=time.time()))
    chosen.edit(namespace="prod")
    chosen.choose_cluster("stage")
    assert (chosen.state.namespace, chosen.state.namespaces) == ("", ())
    assert chosen.state.request.cluster == "stage"


def test_a_namespace_that_does_not_exist_may_be_typed(chosen):
    chosen.set_namespaces(NamespaceList(names=("fe",), read_at=time.time()))
    chosen.edit(namespace="brand-new")
    assert chosen.state.request.namespace == "brand-new"


def test_values_files_keep_their_order_and_only_ticked_ones_count(chosen, tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("x: 1\n")
        chosen.add_values_file(str(tmp_path / name))
    in_chart = str(EXAMPLE / "values-production.yaml")
    assert chosen.state.request.values_files == (str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))
    chosen.move_values_file(str(tmp_path / "b.yaml"), -1)
    chosen.use_values_file(in_chart, used=True)
    assert chosen.state.request.values_files == (in_chart, str(tmp_path / "b.yaml"), str(tmp_path / "a.yaml"))
    chosen.remove_values_file(str(tmp_path / "a.yaml"))
    chosen.remove_values_file(in_chart)
    assert chosen.state.request.values_files == (str(tmp_path / "b.yaml"),)
    assert [choice.shown for choice in chosen.state.values] == ["values-production.yaml", "b.yaml"]


def test_values_files_of_another_chart_go_and_added_ones_stay(chosen, tmp_path, qtbot):
    other = tmp_path / "other"
    shutil.copytree(EXAMPLE, other)
    (other / "values-production.yaml").unlink()
    (tmp_path / "mine.yaml").write_text("x: 1\n")
    chosen.add_values_file(str(tmp_path / "mine.yaml"))
    chosen.choose_chart(str(other))
    qtbot.waitUntil(lambda: chosen.state.chart is not None)
    assert [choice.shown for choice in chosen.state.values] == ["mine.yaml"]


def test_values_that_the_release_keeps_are_shown_until_values_are_given(chosen, reads, qtbot):
    reads.kept = {"replicaCount": 3}
    chosen.cluster_answered("dev")
    qtbot.waitUntil(lambda: chosen.state.kept == "replicaCount: 3\n")
    chosen.edit(custom_values="replicaCount: 1")
    assert chosen.state.kept == ""


def test_unknown_fields_are_refused(deploy):
    with pytest.raises(TypeError, match="releese"):
        deploy.edit(releese="x")


def ready(deploy, planner, qtbot):
    qtbot.waitUntil(lambda: bool(planner.plans))
    planner.planned.emit(planner.plans[-1][0], Plan(command="helm", copy_text="helm"))


def test_a_run_is_folded_and_remembered(chosen, services, planner, qtbot):
    events = [
        RunStarted(time=1, run="r", pipeline="p", steps=("deploy",)),
        Output(time=2, run="r", stream="stdout", text="hello\n"),
        RunFinished(time=3, run="r", phase=Phase.SUCCEEDED),
    ]
    runner = FakeRunner(events, Phase.SUCCEEDED)
    services.runner = lambda: runner
    ready(chosen, planner, qtbot)
    with qtbot.waitSignal(chosen.finished):
        chosen.deploy()
        assert chosen.state.running and not chosen.state.can_deploy
    assert chosen.state.run.verdict.tone == "ok"
    assert chosen.run.output == "hello\n"
    assert services.settings.recent_charts[0] == str(EXAMPLE)
    assert services.settings.last[str(EXAMPLE)].release_name == "fe-app-release"


def test_what_cannot_be_started_is_a_verdict_with_its_reason(chosen, services, planner, qtbot):
    def refuse():
        raise UserError("This start is read-only", "", "Start without --read-only.")

    services.runner = refuse
    ready(chosen, planner, qtbot)
    with qtbot.waitSignal(chosen.finished):
        chosen.deploy()
    verdict = chosen.state.run.verdict
    assert (verdict.tone, str(verdict.words), str(verdict.hint)) == (
        "bad",
        "This start is read-only",
        "Start without --read-only.",
    )


def test_cancel_reaches_the_runner_at_once_and_again(chosen, services, planner, qtbot):
    runner = FakeRunner([], Phase.CANCELLED, wait_for_cancel=True)
    services.runner = lambda: runner
    ready(chosen, planner, qtbot)
    chosen.deploy()
    qtbot.waitUntil(lambda: bool(runner.requests))
    with qtbot.waitSignal(chosen.finished):
        chosen.cancel()
    assert chosen.state.run.phase is Phase.CANCELLED
    assert chosen.state.run.verdict.tone == "warn"


def test_what_the_rendering_puts_into_a_secret_is_planned_out_of_the_command(chosen, planner, qtbot):
    chosen.edit(custom_values="custom: blue-Horse")
    qtbot.waitUntil(lambda: chosen.state.custom_values and planner.renders[-1][1].custom_values != "")
    asked = len(planner.plans)
    planner.rendered.emit(planner.renders[-1][0], Rendering(text="x", known=frozenset({"blue-Horse"})))
    assert planner.left_out == {"blue-Horse"} and len(planner.plans) == asked + 1
    planner.rendered.emit(planner.renders[-1][0], Rendering(text="x", known=frozenset({"blue-Horse"})))
    assert len(planner.plans) == asked + 1


def test_fields_are_known_by_their_last_part():
    assert last_part("steps[1].k8s_config.values_files[0]") == "values_files"
    assert last_part("timeout") == "timeout"
