"""Checks and preview of a step: presenters that never show a stale answer, and the widgets that show them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QListWidget, QPlainTextEdit, QTabBar, QToolButton
from window_kit import EXAMPLE

from ansflow_desktop import i18n
from ansflow_desktop.errors import UserError
from ansflow_desktop.models.diff import DiffLine, Sign
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.presenters import step_preview_work
from ansflow_desktop.presenters.loop import run_here
from ansflow_desktop.presenters.step_checks import StepChecks
from ansflow_desktop.presenters.step_preview import StepPreview
from ansflow_desktop.presenters.step_preview_state import (
    Commands,
    CommandText,
    Difference,
    ObjectView,
    Preview,
    PreviewStatus,
)
from ansflow_desktop.widgets.diff_view import MAX_LINES, DiffSection, DiffView
from ansflow_desktop.widgets.preview_tabs import DIFFERENCE, MANIFEST, PreviewTabs
from ansflow_desktop.widgets.problem_list import ProblemList

PIPELINE = """\
apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {{name: x}}
spec:
  steps:
  - name: chart
    type: k8s_deploy
    k8s_cluster: {cluster}
    k8s_namespace: fe
    k8s_config:
      deploy_type: helm
      chart_path: {chart}
      release_name: fe
      custom_values: "{values}"
  - name: objects
    type: k8s_deploy
    k8s_cluster: {cluster}
    k8s_namespace: fe
    k8s_config:
      deploy_type: manifest
      manifest: "{{apiVersion: v1, kind: Secret, metadata: {{name: {name}}}, stringData: {{p: hunter2}}}}"
  - {{name: hello, type: shell, command: "echo hi"}}
"""


def text(values="replicaCount: 2", name="s", cluster="dev", chart=EXAMPLE):
    return PIPELINE.format(values=values, name=name, cluster=cluster, chart=chart)


@pytest.fixture
def checks(loop, services):
    made = StepChecks(services)
    yield made
    run_here(made.close())


@pytest.fixture
def preview(loop, services):
    made = StepPreview(services)
    yield made
    run_here(made.close())


def fields(checks):
    return {each.field for each in checks.problems}


# Checks


def test_local_problems_come_at_once_and_go_with_their_cause(checks, qtbot):
    checks.check(text(name="Bad_Name"), "/")
    qtbot.waitUntil(lambda: "steps[1].k8s_config.manifest" in fields(checks))
    checks.check(text(), "/")
    qtbot.waitUntil(lambda: "steps[1].k8s_config.manifest" not in fields(checks))


def test_only_the_last_text_counts(checks, qtbot):
    seen = []
    checks.problems_changed.connect(lambda: seen.append(fields(checks)))
    for number in range(10):
        checks.check(text(name="Bad_Name" if number < 9 else "good", values="a: ["), "/")
    qtbot.waitUntil(lambda: "steps[0].k8s_config.custom_values" in fields(checks))
    qtbot.waitUntil(lambda: not checks.checking, timeout=20_000)
    assert "steps[1].k8s_config.manifest" not in fields(checks)


def test_helms_words_come_after_a_pause_and_a_cluster_that_does_not_answer_is_a_note(checks, qtbot, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 0.1.0\n")
    (tmp_path / "templates" / "a.yaml").write_text("a: {{ .Values.text }}\n")
    checks.check(text(values="text: 'b: c: d'", chart=tmp_path), "/")
    qtbot.waitUntil(lambda: not checks.checking, timeout=20_000)
    found = {(each.field, each.severity) for each in checks.problems}
    assert ("steps[0].k8s_config.chart_path", Severity.ERROR) in found
    assert ("steps[1].k8s_cluster", Severity.INFO) in found


def test_what_helm_said_of_a_step_stays_only_while_the_step_does(checks, qtbot, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 0.1.0\n")
    (tmp_path / "templates" / "a.yaml").write_text("a: {{ .Values.text }}\n")
    bad = "text: 'b: c: d'"
    checks.check(text(values=bad, chart=tmp_path), "/")
    qtbot.waitUntil(lambda: "steps[0].k8s_config.chart_path" in fields(checks), timeout=20_000)
    checks.check(text(values=bad, chart=tmp_path, name="Other"), "/")
    qtbot.waitUntil(lambda: "steps[1].k8s_config.manifest" in fields(checks))
    assert "steps[0].k8s_config.chart_path" in fields(checks)
    checks.check(text(values="text: fine", chart=tmp_path, name="Other"), "/")
    qtbot.waitUntil(lambda: "steps[0].k8s_config.chart_path" not in fields(checks))


def test_text_that_cannot_be_read_is_one_problem(checks, qtbot):
    checks.check("a: [", "/")
    qtbot.waitUntil(lambda: len(checks.problems) == 1 and not checks.checking)


# Preview


def ready(preview):
    state = preview.state
    return PreviewStatus.LOADING not in (state.commands.status, state.manifest.status, state.difference.status)


def test_commands_and_manifest_of_a_step(preview, qtbot):
    preview.show(text(values="replicaCount: 7"), "/", 0)
    assert preview.state.commands.status is PreviewStatus.LOADING
    qtbot.waitUntil(lambda: ready(preview), timeout=20_000)
    [command] = preview.state.commands.commands
    assert command.shown.startswith("helm upgrade --install fe .")
    assert "<<'YAML'\nreplicaCount: 7\nYAML" in command.copy
    assert "replicas: 7" in preview.state.manifest.text and preview.state.manifest.objects == 3
    assert preview.state.difference.status is PreviewStatus.NONE

    preview.show(text(), "/", 1)
    qtbot.waitUntil(lambda: ready(preview), timeout=20_000)
    assert [each.purpose for each in preview.state.commands.commands][-1] == "apply"
    assert "hunter2" not in preview.state.manifest.text and "Secret" in preview.state.manifest.text

    preview.show(text(), "/", 2)
    qtbot.waitUntil(lambda: ready(preview), timeout=20_000)
    assert preview.state.commands.commands[0].shown == "echo hi"
    assert preview.state.manifest.status is PreviewStatus.NONE


def test_what_the_chart_puts_into_a_secret_goes_from_the_commands(preview, qtbot, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    (tmp_path / "templates" / "s.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: '{{ .Values.custom }}'}\n"
    )
    preview.show(text(values="custom: blue-Horse", chart=tmp_path), "/", 0)
    qtbot.waitUntil(lambda: ready(preview) and "<CUSTOM>" in preview.state.commands.copy_text, timeout=20_000)
    assert "blue-Horse" not in preview.state.commands.copy_text + preview.state.manifest.text + repr(preview.state)
    preview.show(text(values="custom: blue-Horse # more", chart=tmp_path), "/", 0)
    qtbot.waitUntil(lambda: preview.state.commands.status is PreviewStatus.READY, timeout=20_000)
    assert "blue-Horse" not in preview.state.commands.copy_text


def test_no_old_preview_is_ever_shown_as_the_present_one(preview, qtbot):
    shown, asked = [], []

    def look():
        if preview.state.manifest.status is PreviewStatus.READY:
            shown.append((asked[-1], preview.state.manifest.text))

    preview.state_changed.connect(look)
    for number in range(1, 7):
        asked.append(f"replicas: {number}")
        preview.show(text(values=f"replicaCount: {number}"), "/", 0)
        if number % 2:
            qtbot.waitUntil(lambda: preview.state.commands.status is PreviewStatus.READY)
    qtbot.waitUntil(lambda: ready(preview), timeout=20_000)
    assert shown and all(wanted in text for wanted, text in shown)


def test_what_is_wrong_names_the_step_field(preview, qtbot):
    preview.show(text(chart="/nowhere"), "/", 0)
    qtbot.waitUntil(lambda: ready(preview), timeout=20_000)
    assert preview.state.commands.problems[0].field == "steps[0].k8s_config.chart_path"
    assert preview.state.manifest.status is PreviewStatus.FAILED
    preview.show("a: [", "/", 0)
    qtbot.waitUntil(lambda: ready(preview) and "YAML" in str(preview.state.commands.problems[0].title))


def test_the_cluster_is_asked_only_while_somebody_looks(preview, qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(step_preview_work, "difference", lambda question, *_: asked.append(question.index))
    preview.show(text(), "/", 0)
    qtbot.waitUntil(lambda: ready(preview), timeout=20_000)
    assert asked == []
    preview.want_difference(True)
    qtbot.waitUntil(lambda: asked == [0])
    preview.show(text(), "/", 1)
    qtbot.waitUntil(lambda: asked == [0, 1])


def test_a_cluster_that_does_not_answer_leaves_the_rest(preview, qtbot):
    preview.want_difference(True)
    preview.show(text(), "/", 0)
    qtbot.waitUntil(lambda: ready(preview), timeout=20_000)
    difference = preview.state.difference
    assert (difference.status, difference.problems[0].field) == (PreviewStatus.FAILED, "steps[0].k8s_cluster")
    assert preview.state.manifest.status is PreviewStatus.READY


def test_an_error_that_nobody_foresaw_is_shown(preview, qtbot, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr(step_preview_work, "commands", broken)
    preview.show(text(), "/", 2)
    qtbot.waitUntil(lambda: preview.state.commands.status is PreviewStatus.FAILED)
    assert "error" in str(preview.state.commands.problems[0].title)


# Widgets

CHANGED = ObjectView(
    kind="Secret",
    namespace="fe",
    name="s",
    change="changed",
    lines=(
        DiffLine(sign=Sign.GAP),
        DiffLine(sign=Sign.SAME, text="data:", old=9, new=9),
        DiffLine(sign=Sign.REMOVED, text="  p: '***'", old=10, secret=True),
        DiffLine(sign=Sign.ADDED, text="  p: '***'", new=10, secret=True),
    ),
)
GONE = ObjectView(kind="Namespace", namespace="", name="old", change="removed")


@pytest.fixture
def tabs(preview, qtbot):
    made = PreviewTabs(preview)
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    return made


def put(preview, **parts):
    preview._set(**parts)


def test_commands_are_copied_as_they_work_when_pasted(tabs, preview, qtbot):
    one = CommandText(shown="helm upgrade fe .", copy="cd /x && helm upgrade fe .", purpose="deploy")
    two = CommandText(shown="kubectl wait", copy="kubectl wait pod/x", purpose="wait")
    put(preview, commands=Commands(status=PreviewStatus.READY, commands=(one, two), notices=("Mind the gap.",)))
    tabs.findChild(QToolButton, "copy_command_2").click()
    assert QGuiApplication.clipboard().text() == "kubectl wait pod/x"
    with qtbot.waitSignal(tabs.said):
        tabs.findChild(object, "copy_commands").click()
    assert QGuiApplication.clipboard().text() == "cd /x && helm upgrade fe .\nkubectl wait pod/x"
    assert tabs.findChild(QPlainTextEdit, "command_1").toPlainText() == "helm upgrade fe ."


def test_the_manifest_is_to_be_read_not_typed_into(tabs, preview, qtbot):
    put(preview, manifest=Preview(status=PreviewStatus.READY, text="a: 1\n", objects=1))
    tabs.show_tab(MANIFEST)
    view = tabs.findChild(QPlainTextEdit, "manifest")
    qtbot.keyClicks(view, "x\t")
    qtbot.keyClick(view, Qt.Key.Key_Tab)
    assert view.toPlainText() == "a: 1\n"


def test_a_change_is_told_by_sign_and_word(tabs, preview, qtbot):
    tabs.show_tab(DIFFERENCE)
    put(preview, difference=Difference(status=PreviewStatus.READY, objects=(CHANGED, GONE), unchanged=3))
    lines = tabs.findChild(QPlainTextEdit, "difference").toPlainText().splitlines()
    assert lines[0] == "Secret fe/s  ·  changed  ·  1 line added, 1 line removed"
    assert lines[3:5] == ["-   p: '***'   # secret, changed", "+   p: '***'   # secret, changed"]
    assert lines[5] == "Namespace old  ·  removed"


def test_the_difference_tab_in_front_asks_and_a_hidden_one_does_not(tabs, preview):
    assert not preview._wanted
    tabs.findChild(QTabBar, "preview_tabs").setCurrentIndex(DIFFERENCE)
    assert preview._wanted
    tabs.hide()
    assert not preview._wanted


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_tab_has_something_to_say_in_both_languages(loop, preview, qtbot, language):
    i18n.set_language(language)
    tabs = PreviewTabs(preview)
    qtbot.addWidget(tabs)
    failed = (Problem(field="steps[0]", title="It failed", hint="Do something."),)
    for status in PreviewStatus:
        put(
            preview,
            commands=Commands(status=status, problems=failed),
            manifest=Preview(status=status, problems=failed),
            difference=Difference(status=status, problems=failed),
        )
        assert [tabs.findChild(QTabBar, "preview_tabs").tabText(index) for index in range(3)].count("") == 0
    i18n.set_language("en")


def test_a_huge_difference_is_cut_and_says_so(loop, qtbot):
    view = DiffView("difference")
    qtbot.addWidget(view)
    lines = tuple(DiffLine(sign=Sign.ADDED, text=f"line {number}", new=number + 1) for number in range(MAX_LINES + 50))
    view.show_sections([DiffSection(title="Big", change="added", lines=lines)] * 3)
    assert view.blockCount() == MAX_LINES + 3
    assert view.toPlainText().splitlines()[-2:] == ["… 50 more lines", "… 2 more objects"]
    view.show_sections([])
    assert view.toPlainText() == ""


# The list of problems

PROBLEMS = (
    Problem(field="steps[0].a", title="Only a note", severity=Severity.INFO),
    Problem(field="steps[1].b", title="Look out", message="words\nof a tool", severity=Severity.WARNING),
    Problem(field="steps[2].c", title="Wrong", hint="Correct it."),
)


@pytest.fixture
def problems(loop, qtbot):
    made = ProblemList()
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.set_problems(PROBLEMS)
    return made


def test_errors_come_first_and_every_row_says_what_it_is(problems):
    rows = problems.findChild(QListWidget)
    told = [rows.item(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(rows.count())]
    assert told == [
        "Error: Wrong. Correct it.. steps[2].c",
        "Warning: Look out. words of a tool. steps[1].b",
        "Note: Only a note. steps[0].a",
    ]
    assert not problems.isHidden()
    problems.set_problems(())
    assert problems.isHidden()


def test_a_click_and_enter_go_to_the_field(problems, qtbot):
    chosen = []
    problems.chosen.connect(chosen.append)
    problems.show()
    rows = problems.findChild(QListWidget)
    place = rows.visualItemRect(rows.item(1)).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen == [PROBLEMS[1]]
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    qtbot.keyClick(rows, Qt.Key.Key_Return)
    assert chosen == [PROBLEMS[1], PROBLEMS[0]]


def test_the_chosen_row_stays_when_others_come(problems):
    rows = problems.findChild(QListWidget)
    rows.setCurrentRow(1)
    problems.set_problems((Problem(field="x", title="New"), *PROBLEMS))
    assert rows.currentRow() == 2


def test_long_words_of_a_tool_are_bounded(problems):
    problems.set_problems((Problem(field="f", title="T", message="word " * 2000),))
    rows = problems.findChild(QListWidget)
    assert rows.sizeHintForRow(0) < 140


def test_user_errors_of_plans_keep_their_field():
    question = step_preview_work.Question(text="", folder="/", index=4)
    [problem] = step_preview_work._problems(UserError("T", field="k8s_config.timeout"), question)
    assert problem.field == "steps[4].k8s_config.timeout"


def test_a_late_answer_to_an_old_question_is_dropped(preview, checks, qtbot):
    preview.show(text(), "/", 0)
    preview.show(text(), "/", 1)
    late = Preview(status=PreviewStatus.READY, text="old: text")
    for answered, part in ((preview._on_manifest, "manifest"), (preview._on_difference, "difference")):
        answered(0, late)
        assert getattr(preview.state, part).status is not PreviewStatus.READY
    preview._on_commands(0, Commands(status=PreviewStatus.READY))
    assert preview.state.commands.status is PreviewStatus.LOADING
    checks.check("a: [", "/")
    before = checks.problems
    checks._on_local(0, UserError("late"))
    checks._on_helm(0, UserError("late"))
    checks._on_cluster(0, UserError("late"))
    assert checks.problems == before
