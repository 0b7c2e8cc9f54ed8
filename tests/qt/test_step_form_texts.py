"""Lists and commands as text: one entry a line, both forms of a command, and back; any text survives."""

from __future__ import annotations

import copy
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from step_form_kit import Shown

from ansflow_desktop.widgets.form_editors import _in_form, lines_of, list_of

ENTRIES = st.lists(st.text(st.characters(blacklist_categories=("Cs",)), max_size=12), max_size=5)


@settings(max_examples=200, deadline=None)
@given(ENTRIES)
def test_any_list_of_texts_is_read_back_from_its_lines(entries):
    assert list_of(lines_of(entries), []) == entries


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(whitelist_categories=("L", "N", "Zs", "P")), min_size=1, max_size=8), min_size=1))
def test_arguments_written_for_a_shell_mean_the_same_arguments(arguments):
    assert shlex.split(_in_form(lines_of(arguments), "text")) == arguments


def test_entries_that_are_no_texts_keep_their_type():
    known = [1, True, {"a": 1}, "b"]
    assert list_of(lines_of(known), known) == known
    assert list_of(lines_of(known) + "\nnew", known) == [*known, "new"]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("nginx -t", ["nginx", "-t"]),
        ("echo 'a b' ${name}", ["echo", "a b", "${name}"]),
        ("echo $HOME | wc", ["sh", "-c", "echo $HOME | wc"]),
        ("a\nb", ["sh", "-c", "a\nb"]),
        ("echo 'open", ["sh", "-c", "echo 'open"]),
    ],
)
def test_a_text_becomes_the_arguments_that_do_the_same(text, arguments):
    lines = _in_form(text, "list")
    assert list_of(lines, []) == arguments
    assert shlex.split(_in_form(lines, "text")) == shlex.split(text) if "'open" not in text else True
    assert _in_form(lines_of(["echo", "a ${b} c"]), "text") == "echo 'a '${b}' c'"


@pytest.fixture
def make(loop, services, reads, qtbot):
    made: list[Shown] = []

    def show(step: dict) -> Shown:
        made.append(Shown(services, reads, qtbot, copy.deepcopy(step)))
        return made[-1]

    yield show
    for shown in made:
        shown.close()


def test_the_switch_changes_the_form_of_the_command_and_back_again_finds_it_as_typed(make, qtbot):
    shown = make({"name": "e", "type": "k8s_exec", "k8s_config": {"command": "echo  'a'   b"}})
    config = shown.document.step["k8s_config"]
    for form, command in (("list", ["echo", "a", "b"]), ("text", "echo  'a'   b"), ("list", ["echo", "a", "b"])):
        part = shown.find(f"field_config_command_{form}")
        shown.form.focus_field("k8s_config.command")
        qtbot.waitUntil(lambda part=part: part.visibleRegion().contains(part.rect().center()))
        qtbot.mouseClick(part, Qt.MouseButton.LeftButton)
        assert config["command"] == command
    editor = shown.find("field_config_command")
    editor.moveCursor(editor.textCursor().MoveOperation.End)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.keyClicks(editor, "c d")
    assert config["command"] == ["echo", "a", "b", "c d"]
    shown.find("field_config_command_text").click()
    assert config["command"] == "echo a b 'c d'"


def test_a_text_of_several_lines_in_a_box_of_one_is_not_torn(make, qtbot):
    shown = make({"name": "a", "type": "shell", "command": "x", "description": "one\ntwo\n"})
    line = shown.find("field_description", QLineEdit)
    line.setCursorPosition(0)
    qtbot.keyClicks(line, "> ")
    assert shown.document.step["description"] == "> one\ntwo"


def test_a_list_that_the_file_holds_as_one_text_stays_one(make, qtbot):
    shown = make({"name": "d", "type": "k8s_delete", "k8s_config": {"kinds": "${kinds}"}})
    editor = shown.find("field_config_kinds")
    editor.moveCursor(editor.textCursor().MoveOperation.End)
    qtbot.keyClicks(editor, "x")
    assert shown.document.step["k8s_config"]["kinds"] == "${kinds}x"
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.keyClicks(editor, "pod")
    assert shown.document.step["k8s_config"]["kinds"] == ["${kinds}x", "pod"]


def test_a_long_text_is_shown_without_colours(make):
    shown = make({"name": "d", "type": "k8s_deploy", "k8s_config": {"deploy_type": "manifest", "manifest": "a: 1"}})
    editor = shown.find("field_config_manifest")
    assert editor._highlighter.document() is editor.document()
    shown.document.step["k8s_config"]["manifest"] = "a: 1\n" * 20_000
    shown.document.show()
    assert editor._highlighter.document() is None
    assert len(editor.toPlainText()) == 100_000
