"""The editor of a pipeline in the real window: form and YAML as two faces of one text, steps, undo."""

import pytest
from look_kit import cut_off, parts
from pipeline_kit import TWO_STEPS, Hands, clipboard, dialog_button, opened
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPlainTextEdit, QPushButton, QScrollBar, QTabBar
from test_pages import INTERACTIVE, Longer
from window_kit import EXAMPLE

from ansflow_desktop import i18n
from ansflow_desktop.models.problem import Problem

CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "shop" / "pipeline.yaml"
    made.parent.mkdir()
    made.write_text(TWO_STEPS)
    return made


@pytest.fixture
def hands(window, qtbot, file) -> Hands:
    """The window with a pipeline file of two steps open."""
    made = opened(window, qtbot, file)
    made.steps("build", "scale")
    made.settle()
    made.count = 0
    return made


def changed_lines(old: str, new: str) -> list[str]:
    return [line for line in new.splitlines() if line not in old.splitlines()]


def test_a_helm_deploy_from_an_empty_pipeline_takes_at_most_six_interactions(window, qtbot, services):
    """Issue 4, done when 4: beyond typing names, from an empty pipeline to one that may run."""
    hands = opened(window, qtbot)
    window.frame.choose_namespace("fe")
    hands.click("pipelines_new")
    hands.until(lambda: hands.state.open)
    assert hands.state.document.steps == ()
    hands.count = 0

    hands.type("pipeline_name", "shop")
    hands.click("palette_k8s_deploy")
    hands.steps("deploy")
    hands.type("field_config_chart_path", str(EXAMPLE))
    hands.settle()
    hands.click("pipeline_save")
    hands.until(lambda: services.library.read("pipeline", "shop") is not None and not hands.state.dirty)

    step = hands.state.document.steps[0]
    assert step == {
        "name": "deploy",
        "type": "k8s_deploy",
        "k8s_cluster": "dev",
        "k8s_namespace": "fe",
        "k8s_config": {"deploy_type": "helm", "chart_path": str(EXAMPLE)},
    }
    hands.until(lambda: not hands.state.errors and hands.desk.can_run)
    assert hands.count <= 6, f"{hands.count} interactions"
    assert hands.count == 3


def test_the_form_changes_only_its_line_of_the_text(hands, file):
    hands.qtbot.mouseClick(
        hands.find("step_list").viewport(),
        Qt.MouseButton.LeftButton,
        pos=hands.find("step_list").visualItemRect(hands.find("step_list").item(1)).center(),
    )
    hands.until(lambda: hands.state.selected == 1)
    hands.type("field_k8s_namespace", "prod")
    hands.settle()
    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.dirty)
    assert changed_lines(TWO_STEPS, file.read_text()) == ["      k8s_namespace: prod"]
    assert len(file.read_text().splitlines()) == len(TWO_STEPS.splitlines())


def test_what_is_typed_as_yaml_stands_in_the_form_and_the_other_way_round(hands):
    hands.tab("pipeline_faces", 1)
    face = hands.find("yaml_face", QPlainTextEdit)
    cursor = face.document().find("echo built")
    cursor.clearSelection()
    face.setTextCursor(cursor)
    face.setFocus()
    hands.qtbot.keyClicks(face, " twice")
    hands.until(lambda: hands.state.document.steps[0]["command"] == "echo built twice")
    hands.tab("pipeline_faces", 0)
    hands.until(lambda: hands.find("field_command", QPlainTextEdit).toPlainText().strip() == "echo built twice")
    hands.type("field_name", "compile")
    hands.steps("compile", "scale")
    hands.tab("pipeline_faces", 1)
    assert "- name: compile   # first" in face.toPlainText()
    assert "# deploys the shop" in face.toPlainText()


def test_typing_in_one_field_is_one_undo_everywhere(hands):
    hands.type("field_name", "compile")
    hands.settle()
    hands.type("field_description", "all of it")
    hands.settle()
    line = hands.find("field_description")
    hands.key(line, Qt.Key.Key_Z, CTRL)
    hands.until(lambda: "description" not in hands.state.document.steps[0] and hands.state.fresh)
    assert hands.names() == ["compile", "scale"]
    hands.key(line, Qt.Key.Key_Z, CTRL)
    hands.until(lambda: hands.state.text == TWO_STEPS)
    assert not hands.state.dirty and not hands.state.can_undo
    hands.until(lambda: hands.find("field_name").text() == "build")
    hands.key(line, Qt.Key.Key_Z, CTRL | SHIFT)
    hands.steps("compile", "scale")
    hands.click("pipeline_redo")
    hands.until(lambda: hands.state.document.steps[0].get("description") == "all of it")


def test_undo_in_the_text_face_is_the_documents(hands):
    hands.tab("pipeline_faces", 1)
    face = hands.find("yaml_face", QPlainTextEdit)
    face.setFocus()
    face.moveCursor(face.textCursor().MoveOperation.End)
    hands.qtbot.keyClicks(face, "# more")
    hands.until(lambda: hands.state.text.endswith("# more"))
    hands.key(face, Qt.Key.Key_Z, CTRL)
    hands.until(lambda: hands.state.text == TWO_STEPS)
    assert face.toPlainText() == TWO_STEPS


def test_text_that_is_no_yaml_is_said_and_nothing_is_lost(hands):
    hands.tab("pipeline_faces", 1)
    face = hands.find("yaml_face", QPlainTextEdit)
    face.setFocus()
    face.moveCursor(face.textCursor().MoveOperation.End)
    hands.qtbot.keyClicks(face, "  - [")
    hands.until(lambda: hands.state.fresh and hands.state.document.problem is not None)
    assert hands.names() == ["build", "scale"], "the steps stay as they were read last"
    hands.tab("pipeline_faces", 0)
    assert not hands.find("field_name").isEnabled()
    assert not hands.find("pipeline_run").isEnabled()
    broken = hands.find("yaml_broken")
    assert any("not valid YAML" in one.text() for one in broken.findChildren(QLabel))
    hands.click("yaml_broken_show")
    assert face.isVisible() and face.textCursor().blockNumber() + 1 == hands.state.document.line
    hands.key(face, Qt.Key.Key_Z, CTRL)
    hands.until(lambda: hands.state.document.problem is None)
    assert hands.state.text == TWO_STEPS


def test_no_break_spaces_and_chinese_survive_typing(window, qtbot, tmp_path):
    text = TWO_STEPS.replace("echo built", "echo 部署\u00a0完成 😀")
    file = tmp_path / "a.yaml"
    file.write_text(text)
    hands = opened(window, qtbot, file)
    hands.steps("build", "scale")
    hands.tab("pipeline_faces", 1)
    face = hands.find("yaml_face", QPlainTextEdit)
    face.setFocus()
    face.moveCursor(face.textCursor().MoveOperation.End)
    qtbot.keyClicks(face, "#")
    hands.until(lambda: hands.state.text == text + "#" and hands.state.fresh)
    hands.tab("pipeline_faces", 0)
    hands.type("field_name", "构建")
    hands.steps("构建", "scale")
    assert face.whole_text() == hands.state.text == text.replace("build ", "构建 ") + "#"


# Steps


def test_steps_move_by_keys_and_by_dragging(hands):
    steps = hands.find("step_list")
    steps.setFocus()
    hands.key(steps, Qt.Key.Key_Down, ALT)
    hands.steps("scale", "build")
    hands.until(lambda: hands.state.selected == 1 and steps.currentRow() == 1)
    hands.key(steps, Qt.Key.Key_Down, ALT)
    hands.settle()
    assert hands.names() == ["scale", "build"], "beyond the end nothing happens"
    hands.key(steps, Qt.Key.Key_Up, ALT)
    hands.steps("build", "scale")
    hands.until(lambda: steps.currentRow() == 0)

    data = steps.mimeData([steps.item(0)])
    below = QPointF(steps.visualItemRect(steps.item(1)).bottomLeft())
    action, left = Qt.DropAction.MoveAction, Qt.MouseButton.LeftButton
    steps.dropEvent(QDropEvent(below, action, data, left, Qt.KeyboardModifier.NoModifier))
    hands.steps("scale", "build")
    assert steps.count() == 2
    assert "- name: build   # first" in hands.state.text


def test_where_a_dragged_step_lands(hands):
    steps = hands.find("step_list")
    for _ in range(2):
        hands.click("palette_shell")
        hands.settle()
    hands.until(lambda: steps.count() == 4)
    hands.desk.editor.select(1)
    hands.until(lambda: steps.currentRow() == 1)
    rects = [steps.visualItemRect(steps.item(number)) for number in range(4)]
    assert [steps.place_at(rect.topLeft()) for rect in rects] == [0, 1, 1, 2]
    assert [steps.place_at(rect.bottomLeft()) for rect in rects] == [1, 1, 2, 3]
    assert steps.place_at(rects[3].bottomLeft() + rects[3].bottomLeft()) == 3


def test_a_new_step_stands_behind_the_chosen_one_under_a_free_name(hands):
    hands.window.frame.choose_namespace("fe")
    hands.click("palette_k8s_scale")
    hands.steps("build", "scale-2", "scale")
    hands.until(lambda: hands.state.selected == 1)
    assert hands.state.step == {"name": "scale-2", "type": "k8s_scale", "k8s_cluster": "dev", "k8s_namespace": "fe"}
    hands.click("palette_shell")
    hands.steps("build", "scale-2", "shell", "scale")


def test_duplicate_turn_off_and_delete(hands):
    steps = hands.find("step_list")
    steps.setFocus()
    hands.key(steps, Qt.Key.Key_D, CTRL)
    hands.steps("build", "build-2", "scale")
    hands.until(lambda: steps.currentRow() == 1)
    hands.key(steps, Qt.Key.Key_Space)
    hands.until(lambda: hands.state.document.steps[1].get("enabled") is False)
    hands.until(lambda: "Off" in steps.item(1).data(Qt.ItemDataRole.AccessibleTextRole))
    hands.click("step_switch")
    hands.until(lambda: "enabled" not in hands.state.document.steps[1])
    hands.key(steps, Qt.Key.Key_Delete)
    dialog_button(hands, "delete_cancel")
    assert hands.names() == ["build", "build-2", "scale"]
    hands.click("step_remove")
    dialog_button(hands, "delete_confirm")
    hands.steps("build", "scale")
    hands.until(lambda: hands.state.text == TWO_STEPS)


def test_copy_and_paste_as_yaml(hands):
    steps = hands.find("step_list")
    steps.setFocus()
    QApplication.clipboard().clear()
    hands.key(steps, Qt.Key.Key_C, CTRL)
    hands.until(lambda: "type: shell" in clipboard())
    assert clipboard().startswith("name: build") or clipboard().startswith("- name: build")
    hands.key(steps, Qt.Key.Key_V, CTRL)
    hands.steps("build", "build-2", "scale")
    assert hands.state.document.steps[1]["command"] == "echo built"
    QApplication.clipboard().setText("just some words")
    before = hands.state.text
    hands.until(lambda: steps.hasFocus())
    hands.key(steps, Qt.Key.Key_V, CTRL)
    hands.until(lambda: any(banner.key == "error" for banner in hands.window.frame.state.banners))
    assert hands.state.text == before


def test_a_step_is_kept_in_the_library_and_inserted_from_it(hands, services):
    hands.desk.editor.select(1)
    hands.until(lambda: hands.state.selected == 1)
    hands.click("step_keep")
    hands.until(lambda: [item.name for item in services.library.items("step")] == ["scale"])
    hands.click("palette_library")
    hands.until(lambda: hands.shown("library_menu"))
    hands.menu("library_menu", "scale")
    hands.steps("build", "scale", "scale-2")
    first, second = hands.state.document.steps[1:]
    assert {**second, "name": "scale"} == first


# Settings and problems


def test_settings_and_variables_are_edited_by_hand(hands):
    hands.click("pipeline_settings")
    hands.until(lambda: hands.state.selected is None)
    hands.type("pipeline_name", "store")
    hands.type("pipeline_description", "the whole store")
    hands.type("variable_value_env", "prod")
    hands.settle()
    document = hands.state.document
    assert (document.name, document.description, document.variables) == ("store", "the whole store", {"env": "prod"})
    assert "name: store   # the name" in hands.state.text
    hands.click("variable_add")
    hands.until(lambda: hands.find("variable_name_name").hasFocus())
    hands.type("variable_name_name", "team")
    hands.key(hands.find("variable_name_name"), Qt.Key.Key_Return)
    hands.until(lambda: list(hands.state.document.variables) == ["env", "team"])


def test_a_click_on_a_problem_goes_to_its_field_or_its_place_in_the_text(hands):
    problem = Problem(field="steps[1].k8s_namespace", title="wrong")
    hands.desk.editor.set_problems((problem,))
    hands.until(lambda: bool(hands.state.marks))
    assert (hands.state.marks[0].line, hands.state.marks[0].field) == (17, "steps[1].k8s_namespace")
    hands.desk.editor.show_place(problem)
    hands.until(lambda: hands.state.selected == 1)
    hands.until(lambda: hands.find("field_k8s_namespace").isAncestorOf(QApplication.focusWidget()))
    hands.tab("pipeline_faces", 1)
    hands.desk.editor.set_problems((problem,))
    hands.until(lambda: bool(hands.state.marks))
    hands.desk.editor.show_place(problem)
    face = hands.find("yaml_face", QPlainTextEdit)
    assert face.textCursor().blockNumber() + 1 == 17 and face.hasFocus()
    assert face.line_tone(17) == "bad" and face.line_tone(16) == ""


def test_the_cursor_in_the_text_chooses_the_step(hands):
    hands.tab("pipeline_faces", 1)
    face = hands.find("yaml_face", QPlainTextEdit)
    face.setFocus()
    face.go_to(17)
    hands.until(lambda: hands.state.selected == 1)
    face.go_to(10)
    hands.until(lambda: hands.state.selected == 0)


def test_an_edit_that_cannot_be_is_said_in_words(hands):
    hands.click("pipeline_settings")
    hands.click("variable_add")
    hands.until(lambda: "name" in hands.state.document.variables)
    hands.type("variable_name_name", "env")
    hands.key(hands.find("variable_name_name"), Qt.Key.Key_Return)
    hands.until(lambda: any("already" in str(one.title) for one in hands.window.frame.state.banners))
    assert hands.state.document.variables == {"env": "dev", "name": ""}


def test_language_and_theme_change_in_mid_edit(hands):
    hands.type("field_name", "compile")
    hands.settle()
    hands.window.frame.choose_language("zh_CN")
    assert i18n.active_language() == "zh_CN"
    hands.until(lambda: hands.shown("palette_k8s_deploy"))
    assert hands.find("palette_k8s_deploy").text() == "部署"
    hands.until(lambda: hands.find("field_name").text() == "compile")
    hands.window.frame.choose_theme("dark")
    hands.until(lambda: hands.shown("step_list"))
    assert hands.find("step_list").count() == 2 and hands.state.dirty
    hands.click("pipeline_undo")
    hands.until(lambda: hands.state.text == TWO_STEPS)


def test_a_drop_that_is_no_step_changes_nothing(hands):
    steps = hands.find("step_list")
    steps.setCurrentRow(-1)
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.MoveAction, QMimeData(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    steps.dropEvent(event)
    hands.settle()
    assert hands.state.text == TWO_STEPS


# As every page: names, nothing cut off, one primary button


@pytest.mark.parametrize("language", ["en", "zh_CN", "longer"])
def test_nothing_is_cut_off_and_everything_has_a_name_in_the_editor(hands, monkeypatch, language):
    if language == "longer":
        monkeypatch.setattr(i18n._Active, "catalogue", Longer())
        hands.window.shell.rebuild(hands.window.frame.state)
    else:
        hands.window.frame.appear(language, "light")
    hands.until(lambda: hands.shown("step_list"))
    hands.window.shell.resize(1024, 700)
    hands.click("palette_k8s_deploy")
    hands.until(lambda: len(hands.names()) == 3)
    hands.settle()
    for face in (0, 1):
        hands.tab("pipeline_faces", face)
        hands.tab("pipeline_right", face)
        hands.qtbot.wait(60)
        assert not mine(cut_off(hands.window))
    for part in parts(hands.window):
        if isinstance(part, INTERACTIVE) and not isinstance(part, QScrollBar | QTabBar):
            if part.objectName().startswith("qt_") or isinstance(part.parent(), QComboBox | QPlainTextEdit):
                continue
            assert part.accessibleName(), f"{type(part).__name__} {part.objectName()}"
    primary = [one for one in parts(hands.window, QPushButton) if one.property("role") == "primary"]
    assert [one.objectName() for one in primary] == ["pipeline_run"]


def mine(found: list[str]) -> list[str]:
    """Leave out buttons of the form below its scroll bar's edge: it scrolls."""
    return [line for line in found if "goes beyond its column" not in line]
