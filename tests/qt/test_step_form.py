"""The form of a step: nothing typed is lost or disturbed, modes, defaults, problems, folds, and what it cannot edit."""

from __future__ import annotations

import copy

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QPlainTextEdit
from step_form_kit import Shown, picture

from ansflow_desktop import i18n
from ansflow_desktop.models.definition import Group, Parameter, StepDefinition, StepDefinitions
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.presenters.step_form_build import build_form
from ansflow_desktop.presenters.step_form_state import MODE
from ansflow_desktop.widgets import form_inputs, theme

HELM = {
    "name": "deploy",
    "type": "k8s_deploy",
    "k8s_cluster": "dev",
    "k8s_namespace": "fe",
    "k8s_config": {"deploy_type": "helm", "chart_name": "fe-app", "release_name": "fe", "values_files": ["a.yaml"]},
}
SHELL = {"name": "build", "type": "shell", "command": "make\n"}


@pytest.fixture
def make(loop, services, reads, qtbot, tmp_path):
    """A function that shows a step; every form is closed at the end."""
    made: list[Shown] = []

    def show(step: dict, size=(460, 900)) -> Shown:
        made.append(Shown(services, reads, qtbot, copy.deepcopy(step), str(tmp_path), size))
        return made[-1]

    yield show
    for shown in made:
        shown.close()


def click(qtbot, widget) -> None:
    qtbot.waitUntil(lambda: widget.visibleRegion().contains(widget.rect().center()))
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def tick(qtbot, box) -> None:
    """Click on the mark of a check box: the empty room beside its text takes no click."""
    qtbot.waitUntil(lambda: box.visibleRegion().contains(QPoint(10, box.height() // 2)))
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(10, box.height() // 2))


# Typing


def test_typing_keeps_cursor_selection_and_undo_while_the_document_is_shown_again(make, qtbot):
    shown = make(SHELL)
    line = shown.find("field_name", QLineEdit)
    line.setFocus()
    line.setCursorPosition(2)
    qtbot.keyClicks(line, "XY")
    assert (line.text(), line.cursorPosition()) == ("buXYild", 4)
    line.setSelection(1, 3)
    shown.document.problems = (Problem(field="steps[0].name", title="Taken"),)
    shown.document.show()
    assert (line.selectedText(), line.hasFocus()) == ("uXY", True)
    line.deselect()
    qtbot.keySequence(line, "Ctrl+Z")
    assert line.text() == "build"
    assert shown.document.step["name"] == "build"
    editor = shown.find("field_command", QPlainTextEdit)
    editor.setFocus()
    qtbot.keyClicks(editor, "ab")
    assert editor.textCursor().position() == 2
    qtbot.keySequence(editor, "Ctrl+Z")
    assert shown.document.step["command"] == "make\n"


def test_an_answer_that_comes_late_does_not_put_older_text_back(make, qtbot):
    shown = make(SHELL)
    shown.document.echo = False
    line = shown.find("field_name", QLineEdit)
    line.selectAll()
    qtbot.keyClicks(line, "abc")
    shown.document.step["name"] = "ab"
    shown.document.show()
    assert line.text() == "abc"
    shown.document.step["name"] = "abc"
    shown.document.show()
    assert line.text() == "abc"
    shown.document.step["name"] = "ab"  # undone in the editor: the document itself goes back
    shown.document.show()
    assert line.text() == "ab"


def test_what_the_document_refuses_stays_in_the_box(make, qtbot):
    shown = make({"name": "s", "type": "k8s_scale", "k8s_config": {"replicas": 2}})
    shown.presenter.edited.disconnect(shown.document.on_edited)
    line = shown.find("field_config_replicas", QLineEdit)
    line.selectAll()
    qtbot.keyClicks(line, "tw")
    shown.document.problems = (Problem(field="steps[0].k8s_config.replicas", title="No number"),)
    shown.document.show()
    assert line.text() == "tw"
    assert line.property("problem") == "error"


def test_undo_shows_the_documents_value_though_it_is_the_one_that_was_shown_last(make, qtbot):
    """Typed, undone and edited elsewhere before the form was shown again: what was typed is in no document."""
    shown = make(SHELL)
    shown.document.echo = False
    line = shown.find("field_name", QLineEdit)
    qtbot.keyClicks(line, "x")
    shown.document.step = copy.deepcopy(SHELL)
    shown.presenter.turn_back()
    shown.document.show()
    assert line.text() == "build"


def test_numbers_are_numbers_and_variables_and_wrong_ones_are_kept_as_typed(make, qtbot):
    shown = make({"name": "s", "type": "k8s_scale"})
    line = shown.find("field_config_replicas", QLineEdit)
    for text, value in (("12", 12), ("${count}", "${count}"), ("-1", -1), ("many", "many")):
        line.selectAll()
        qtbot.keyClicks(line, text)
        assert shown.document.step["k8s_config"]["replicas"] == value
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    assert "replicas" not in shown.document.step["k8s_config"]


def test_a_document_that_comes_to_what_is_typed_leaves_the_box_alone(make, qtbot):
    shown = make(SHELL)
    shown.presenter.edited.disconnect(shown.document.on_edited)
    line = shown.find("field_description", QLineEdit)
    qtbot.keyClicks(line, "abc")
    line.setCursorPosition(1)
    shown.form._page.place_of(("description",))[1].input._sent.clear()
    shown.document.step["description"] = "abc"  # typed in the YAML text meanwhile
    shown.document.show()
    assert (line.text(), line.cursorPosition(), line.isUndoAvailable()) == ("abc", 1, True)


def test_a_value_of_another_type_comes_back_where_its_text_does(make, qtbot):
    values = {"a": 1}
    shown = make({**HELM, "k8s_config": {"deploy_type": "helm", "custom_values": values}})
    editor = shown.find("field_config_custom_values", QPlainTextEdit)
    qtbot.keyClicks(editor, "x")
    assert isinstance(shown.document.step["k8s_config"]["custom_values"], str)
    qtbot.keyClick(editor, Qt.Key.Key_Backspace)
    assert shown.document.step["k8s_config"]["custom_values"] == values


def test_a_field_is_found_by_its_name_on_the_page_that_is_shown_only(make):
    shown = make(SHELL)
    shown.presenter.show({**HELM, "name": "other"}, (), "")
    assert [part.text() for part in shown.form.findChildren(QLineEdit, "field_name")] == ["other"]
    shown.presenter.show({**SHELL, "name": "third"}, (), "")
    assert [part.text() for part in shown.form.findChildren(QLineEdit, "field_name")] == ["third"]


def test_another_step_of_the_type_takes_the_place_of_what_was_typed(make, qtbot):
    shown = make(SHELL)
    line = shown.find("field_name", QLineEdit)
    qtbot.keyClicks(line, "x")
    shown.presenter.show({"name": "other", "type": "shell", "command": "ls"}, (), "")
    assert (shown.text("field_name"), shown.text("field_command")) == ("other", "ls")
    assert not line.isUndoAvailable()


# Defaults


def test_a_default_is_a_hint_and_going_back_to_it_removes_the_field(make, qtbot):
    shown = make(HELM)
    line = shown.find("field_config_timeout", QLineEdit)
    assert (line.text(), line.placeholderText()) == ("", "300s")
    qtbot.keyClicks(line, "5m")
    assert shown.document.step["k8s_config"]["timeout"] == "5m"
    line.selectAll()
    qtbot.keyClicks(line, "300s")
    assert "timeout" not in shown.document.step["k8s_config"]
    assert line.text() == "300s"
    box = shown.find("field_config_wait")
    assert box.isChecked()
    shown.form.focus_field("k8s_config.wait")
    tick(qtbot, box)
    assert shown.document.step["k8s_config"]["wait"] is False
    tick(qtbot, box)
    assert "wait" not in shown.document.step["k8s_config"]


def test_opening_a_step_writes_nothing(make):
    config = {"deploy_type": "helm", "chart_name": "a", "timeout": "300s", "wait": 1, "set_values": [], "upgrade": 1}
    shown = make({"name": "d", "type": "k8s_deploy", "k8s_config": config, "env": {}, "retries": "${n}"})
    assert shown.document.edits == []
    assert shown.text("field_config_timeout") == "300s"
    assert shown.text("field_retries") == "${n}"


def test_a_variable_makes_a_check_box_a_text_box_and_back(make, qtbot):
    shown = make({**SHELL, "enabled": "${deploy}"})
    line = shown.find("field_enabled", QLineEdit)
    assert line.text() == "${deploy}"
    line.selectAll()
    qtbot.keyClicks(line, "false")
    assert shown.document.step["enabled"] is False
    shown.document.step = {**SHELL, "name": "other", "enabled": False}
    shown.document.show()
    assert not shown.find("field_enabled").isChecked()
    shown.form._page.place_of(("enabled",))[1].input._type_variable()
    line = shown.find("field_enabled", QLineEdit)
    qtbot.keyClicks(line, "on")
    assert shown.document.edits[-1] == (("enabled",), "${on}")


# Modes


def test_switching_the_mode_keeps_what_was_typed_in_both(make, qtbot):
    shown = make(HELM)
    click(qtbot, shown.find("field_config_deploy_type_manifest"))
    config = shown.document.step["k8s_config"]
    assert (config["deploy_type"], config["chart_name"]) == ("manifest", "fe-app")
    assert not shown.form.findChildren(QLineEdit, "field_config_chart_name")[0].isVisible()
    assert [one.name for one in shown.presenter.state.kept if one.other_mode] == [
        "k8s_config.chart_name",
        "k8s_config.release_name",
        "k8s_config.values_files",
    ]
    qtbot.keyClicks(shown.find("field_config_manifest"), "kind: Pod")
    click(qtbot, shown.find("field_config_deploy_type_helm"))
    assert shown.text("field_config_chart_name") == "fe-app"
    assert shown.text("field_config_values_files_0_0") == "a.yaml"
    assert shown.document.step["k8s_config"] == {**HELM["k8s_config"], "manifest": "kind: Pod"}
    click(qtbot, shown.find("field_config_deploy_type_manifest"))
    assert shown.text("field_config_manifest") == "kind: Pod"


def test_the_arrow_keys_switch_the_mode(make, qtbot):
    shown = make(HELM)
    helm = shown.find("field_config_deploy_type_helm")
    helm.setFocus()
    qtbot.keyClick(helm, Qt.Key.Key_Right)
    now = QApplication.focusWidget()
    assert now.objectName() == "field_config_deploy_type_manifest"
    assert now.isChecked()
    assert shown.document.step["k8s_config"]["deploy_type"] == "manifest"
    qtbot.keyClick(now, Qt.Key.Key_Left)
    assert shown.document.step["k8s_config"]["deploy_type"] == "helm"


def test_a_mode_that_is_only_known_later_is_told_and_kept(make):
    shown = make({**HELM, "k8s_config": {"deploy_type": "${mode}", "manifest": "a"}})
    mode = shown.form._page.place_of(MODE)[1].input
    assert (mode.segments.value(), mode.value()) == (None, "${mode}")
    assert shown.text("field_config_manifest") == "a"
    assert shown.find("field_config_chart_name")


def test_a_field_that_depends_on_another_comes_and_goes():
    words = {"en": "x"}
    head = {"place": "config", "label": words, "help": words, "group": "g", "order": 1}
    follow = Parameter(key="follow", kind="boolean", default=False, **head)
    until = Parameter(key="until", kind="text", when={"follow": "true"}, **head)
    one = StepDefinition(
        type="logs", label=words, help=words, icon="", category="", parameters=(follow, until), example="", jenkins=""
    )
    known = StepDefinitions(version=1, groups=(Group(key="g", order=1, label=words),), common=(), types=(one,))
    for value, applies in ((True, True), (False, False), (None, False), ("${follow}", True)):
        config = {"until": "a"} | ({} if value is None else {"follow": value})
        state = build_form({"type": "logs", "k8s_config": config}, (), known)
        assert state.field(("k8s_config", "until")).applies is applies
        assert [kept.name for kept in state.kept] == ([] if applies else ["k8s_config.until"])


# Problems, folds, what is not known


def test_problems_stand_beneath_their_field_and_a_fold_opens_for_one(make, qtbot):
    shown = make(HELM)
    assert shown.find("fold_chart").text() == "1 more setting"
    assert not shown.form._page.place_of(("k8s_config", "dependency_update"))[1].isVisible()
    shown.document.problems = (
        Problem(field="steps[4].k8s_config.dependency_update", title="No rights"),
        Problem(field="steps[4].k8s_config.values_files[0]", title="Not there", severity=Severity.WARNING),
        Problem(field="steps[4]", title="Of the whole step"),
        Problem(field="steps[4].k8s_config.manifest", title="Of the other mode", severity=Severity.INFO),
    )
    shown.document.show()
    box = shown.find("field_config_dependency_update")
    assert box.accessibleDescription() == "No rights"
    assert "with a problem" in shown.find("fold_chart").text()
    files = shown.presenter.state.field(("k8s_config", "values_files"))
    assert [problem.title for problem in files.problems] == ["Not there"]
    assert [problem.title for problem in shown.presenter.state.problems] == ["Of the whole step", "Of the other mode"]
    shown.document.problems = ()
    shown.document.show()
    assert box.property("problem") == ""


def test_a_fold_that_holds_a_setting_is_open_and_says_so(make):
    shown = make({**SHELL, "env": {"A": "b"}, "retry_delay": ""})
    assert shown.text("field_env_0_1") == "b"
    assert shown.find("fold_environment").text() == "2 more settings, 1 set"


def test_focus_field_opens_the_fold_and_finds_deeper_names(make, qtbot):
    shown = make(HELM, size=(460, 500))
    for name, found in (
        ("k8s_config.dependency_update", "field_config_dependency_update"),
        ("steps[2].k8s_config.values_files[1]", "field_config_values_files"),
        ("env.HOME", "field_env"),
        ("chart_name", "field_config_chart_name"),
        ("k8s_config.deploy_type", "field_config_deploy_type_helm"),
    ):
        assert shown.form.focus_field(name)
        part = shown.find(found)
        assert QApplication.focusWidget() is part
        qtbot.waitUntil(lambda part=part: part.visibleRegion().contains(part.rect().center()))
    assert not shown.form.focus_field("k8s_config.nothing")


def test_unknown_fields_are_listed_and_kept(make, qtbot):
    step = {**HELM, "owner": {"team": "a"}, "k8s_config": {**HELM["k8s_config"], "canary": [1, 2]}}
    shown = make(step)
    assert shown.text("kept_owner") == "{team: a}"
    assert shown.text("kept_k8s_config_canary") == "[1, 2]"
    shown.document.problems = (Problem(field="steps[0].k8s_config.canary", title="Not known"),)
    shown.document.show()
    assert "Not known" in [part.text() for part in shown.form.findChildren(QLabel)]
    qtbot.keyClicks(shown.find("field_description"), "x")
    assert shown.document.step == {**step, "description": "x"}


@pytest.mark.parametrize("step", [{"name": "a", "type": "k8s_teleport", "k8s_config": {"to": "moon"}}, {"type": 7}])
def test_a_step_of_an_unknown_type_is_shown_read_only(make, step):
    shown = make(step)
    assert not [part for part in shown.form.findChildren(QLineEdit) if part.isVisible()]
    names = [one.name for one in shown.presenter.state.kept]
    assert names == [name for name in ("name", "k8s_config.to") if name.split(".")[0] in step]


@pytest.mark.parametrize(
    "config",
    ["text", ["a"], 7, {"timeout": {"a": 1}, "wait": "maybe", "values_files": "one.yaml", "custom_values": {"a": 1}}],
)
def test_values_of_a_wrong_type_are_shown_and_left_alone(make, config, qtbot):
    shown = make({**HELM, "k8s_config": config, "env": ["A=b"], "name": 7})
    assert shown.document.edits == []
    assert shown.text("field_name") == "7"
    qtbot.keyClicks(shown.find("field_description"), "x")
    assert shown.document.step == {**HELM, "k8s_config": config, "env": ["A=b"], "name": 7, "description": "x"}


def test_no_step_is_an_empty_page(make):
    shown = make(SHELL)
    shown.presenter.show(None)
    assert not [part for part in shown.form.findChildren(QLineEdit) if part.isVisible()]


# Looks


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("width", [320, 640])
def test_nothing_is_cut_off_and_everything_has_a_name(make, qtbot, language, width):
    i18n.set_language(language)
    shown = make({**HELM, "env": {"A": "b"}}, size=(width, 700))
    for fold in ("fold_chart", "fold_flow"):
        shown.find(fold).click()
    qtbot.wait(30)
    for part in shown.form.findChildren(QAbstractButton):
        if part.isVisible() and part.text():
            assert part.width() >= part.sizeHint().width(), part.text()
            assert part.mapTo(shown.form, QPoint(part.width(), 0)).x() <= width, part.text()
    for part in (*shown.form.findChildren(QLineEdit), *shown.form.findChildren(QAbstractButton)):
        if part.isVisible():
            assert part.accessibleName(), part.objectName()
            assert part.focusPolicy() & Qt.FocusPolicy.TabFocus, part.objectName()


def test_tab_goes_through_the_fields_in_order(make, qtbot):
    shown = make(HELM)
    shown.form.focus_first()
    names = []
    while len(names) < 9:
        now = QApplication.focusWidget()
        names.append(now.objectName())
        qtbot.keyClick(now, Qt.Key.Key_Tab)
    namespace = ["field_k8s_namespace", "again_field_k8s_namespace"]  # the button beside it takes the keyboard too
    assert names[:5] == ["field_name", "field_description", "field_k8s_cluster", *namespace]
    assert names[5].startswith("field_config_deploy_type")
    assert "field_config_chart_name" in names[6:8]


def test_the_wheel_over_a_combo_box_without_the_keyboard_changes_nothing(make, qtbot):
    shown = make({"name": "d", "type": "k8s_delete"})
    box = shown.find("field_config_propagation", QComboBox)
    turn = QWheelEvent(
        QPointF(5, 5), QPointF(box.mapToGlobal(QPoint(5, 5))), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(box, turn)
    assert box.currentData() == "background"
    assert shown.document.edits == []


def test_help_and_names_are_shown_as_plain_text(make):
    shown = make(HELM)
    tip = shown.find("field_config_timeout").toolTip()
    assert "k8s_config.timeout" in tip and "300s" in tip
    assert "&lt;b&gt;" in form_inputs.tip("<b>")


@pytest.mark.parametrize("scheme", theme.THEMES[1:])
@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_picture(make, qtbot, scheme, language):
    i18n.set_language(language)
    theme.apply(QApplication.instance(), scheme)
    shown = make({**HELM, "env": {"A": "b"}}, size=(460, 1000))
    assert shown.form.grab().width() == 460
    picture(shown.form, f"helm-{scheme}-{language}")
