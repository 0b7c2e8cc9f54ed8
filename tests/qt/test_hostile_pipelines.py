"""The Pipelines page under a naive and a hostile hand: odd and long texts, any edits undone to the last byte."""

import random

import pytest
import yaml
from every_step_kit import add, paste, pick
from pipeline_kit import Hands, opened
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from ansflow_desktop.widgets import theme

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NO_BREAK = "data: {a: x\u00a0y}  # 保留\n"
LONG = "v" * 40_000

ODD = f"""\
# comments, anchors, odd indentation and Chinese text stay
apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {{name: odd, description: "{LONG}"}}
spec:
  variables: {{env: &e dev, other: *e}}
  steps:
      - type: shell     # 第一步
        name: 'build'
        command: |
            echo "a: b"   # not a comment

      - {{name: scale, type: k8s_scale, k8s_cluster: dev, k8s_namespace: fe, k8s_config: {{replicas: 2}}}}
      # before the last
      - name: put
        type: k8s_deploy
        k8s_config:
            deploy_type: manifest
            manifest: |-
                {NO_BREAK.strip()}
            chart_name: kept
        env: {{LONG: "{LONG}"}}
"""


@pytest.fixture
def hands(window, qtbot, tmp_path) -> Hands:
    file = tmp_path / "odd" / "pipeline.yaml"
    file.parent.mkdir()
    file.write_text(ODD)
    made = opened(window, qtbot, file)
    made.steps("build", "scale", "put")
    made.settle()
    return made


def empty(window, qtbot) -> Hands:
    made = opened(window, qtbot)
    made.click("pipelines_new")
    made.until(lambda: made.state.open)
    return made


def test_a_name_of_two_words_is_typed_as_slowly_as_one_likes(window, qtbot):
    hands = empty(window, qtbot)
    line = hands.go("pipeline_name")
    line.selectAll()
    for letter in "my shop":
        qtbot.keyClicks(line, letter)
        hands.settle()
    assert (line.text(), hands.state.document.name) == ("my shop", "my shop")


def test_no_break_spaces_survive_an_edit_in_the_form(hands):
    pick(hands, 2)
    editor = hands.go("field_config_manifest")
    editor.moveCursor(editor.textCursor().MoveOperation.End)
    hands.qtbot.keyClicks(editor, "!")
    hands.settle()
    assert hands.state.document.steps[2]["k8s_config"]["manifest"] == NO_BREAK.strip() + "!"


def test_a_value_longer_than_qts_own_bound_is_not_cut_by_an_edit(hands):
    hands.click("pipeline_settings")
    line = hands.go("pipeline_description")
    assert line.text() == LONG
    line.setCursorPosition(0)
    hands.qtbot.keyClicks(line, "A")
    hands.settle()
    assert hands.state.document.description == "A" + LONG
    pick(hands, 2)
    value = next(one for one in hands.window.shell.findChildren(QLineEdit) if one.text() == LONG)
    value.setFocus()
    value.setCursorPosition(0)
    hands.qtbot.keyClicks(value, "B")
    hands.settle()
    assert hands.state.document.steps[2]["env"] == {"LONG": "B" + LONG}
    add(hands, "shell", {})
    paste(hands, "field_when", LONG + "\nmore")
    hands.settle()
    assert len(hands.state.document.steps[3]["when"]) == len(LONG) + 5


def test_a_name_that_looks_like_markup_is_shown_as_it_is(hands):
    hands.type("field_name", "<img src=x>")
    hands.settle()
    tip = hands.find("step_list").item(0).toolTip()
    assert "&lt;img src=x&gt;" in tip and "<img" not in tip


# Edits in any order


def form_agrees(hands: Hands) -> None:
    """The text reads as the document that the form shows."""
    steps = yaml.safe_load(hands.state.text)["spec"]["steps"] or []
    assert steps == [dict(step) for step in hands.state.document.steps]
    index = hands.state.selected
    if index is not None and index < len(steps):
        assert hands.find("field_name").text().strip() == str(steps[index].get("name", "")).strip()
    assert hands.find("step_list").count() == len(steps) if steps else True


def type_somewhere(hands: Hands, dice: random.Random) -> None:
    name = dice.choice(["field_name", "field_description", "field_when", "field_k8s_namespace", "field_command"])
    if hands.shown(name):
        line = hands.go(name)
        hands.qtbot.keyClicks(line, dice.choice(["x", ": ", "# ", "${", "'", '"', "- ", "no", "1e3", "~", "\\"]))


def act(hands: Hands, dice: random.Random) -> None:
    """Do one thing that a person may do."""
    steps = hands.find("step_list") if hands.shown("step_list") else None
    what = dice.choice(["type"] * 4 + ["add", "move", "switch", "double", "undo", "redo", "pick", "rubbish"])
    if what == "add":
        hands.click(f"palette_{dice.choice(['shell', 'k8s_wait', 'k8s_deploy', 'k8s_delete'])}")
    elif what in ("undo", "redo"):
        for _number in range(dice.randint(1, 4)):
            hands.qtbot.keyClick(hands.find("step_list"), Qt.Key.Key_Z, CTRL if what == "undo" else CTRL | SHIFT)
    elif what == "rubbish":
        QApplication.clipboard().setText(dice.choice(["\0\1", "- a\n- b", "name: [", "name: pasted\ntype: shell\n"]))
        hands.qtbot.keyClick(steps, Qt.Key.Key_V, CTRL)
    elif what == "type" or steps is None or hands.state.selected is None:
        type_somewhere(hands, dice)
    elif what == "pick":
        steps.setCurrentRow(dice.randrange(steps.count()))
    elif what == "move":
        hands.qtbot.keyClick(steps, dice.choice([Qt.Key.Key_Up, Qt.Key.Key_Down]), Qt.KeyboardModifier.AltModifier)
    elif what == "switch":
        hands.qtbot.keyClick(steps, Qt.Key.Key_Space)
    else:
        hands.qtbot.keyClick(steps, Qt.Key.Key_D, CTRL)


@pytest.mark.parametrize("seed", range(3))
def test_any_edits_agree_with_the_text_and_are_undone_to_the_byte(hands, seed):
    dice = random.Random(seed)
    for _number in range(40):
        act(hands, dice)
        if dice.random() < 0.5:
            hands.settle()
            form_agrees(hands)
    hands.settle()
    last, count = hands.state.text, 0
    while hands.state.can_undo:
        hands.click("pipeline_undo")
        count += 1
    hands.until(lambda: hands.state.fresh)
    assert hands.state.text == ODD
    for _number in range(count):
        hands.click("pipeline_redo")
    hands.settle()
    assert hands.state.text == last
    form_agrees(hands)
    hands.desk.editor.discard()


def test_undo_waits_for_the_edit_that_is_being_made(hands):
    """A long document takes a while: undo takes back what was typed last, not what came before it."""
    pick(hands, 0)
    hands.type("field_when", "first")
    hands.settle()
    hands.type("field_name", "second")
    hands.desk.editor.undo()
    assert hands.desk.editor.busy
    hands.settle()
    hands.until(lambda: hands.find("field_name").text() == "build")
    assert (hands.names()[0], hands.state.document.steps[0].get("when")) == ("build", "first")
    hands.desk.editor.redo()
    hands.settle()
    assert hands.names()[0] == "second"


# The desktop's own theme changes while a question is open


def test_the_answer_to_a_question_counts_although_the_desktop_went_dark_meanwhile(hands, monkeypatch, tmp_path):
    window = hands.window
    assert window.frame.state.theme == "system"
    hands.type("field_name", "mine")
    hands.settle()
    window.shell.close()
    hands.until(lambda: hands.shown("unsaved_back"))
    monkeypatch.setattr(theme, "wants_dark", lambda *_: True)
    window.on_system_scheme()
    hands.click("unsaved_back")
    hands.until(lambda: theme.current().dark)
    hands.until(lambda: hands.shown("field_name"))
    window.shell.close()
    hands.until(lambda: hands.shown("unsaved_save"))
    monkeypatch.setattr(theme, "wants_dark", lambda *_: False)
    window.on_system_scheme()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    with hands.qtbot.waitSignal(window.closed):
        hands.click("unsaved_save")
    assert "name: 'mine'" in (tmp_path / "odd" / "pipeline.yaml").read_text()
