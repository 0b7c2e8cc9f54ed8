"""Every field of every step type is set by clicks and keys, written, shown again in a new form, and found complete."""

from __future__ import annotations

import copy

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit
from step_form_kit import Shown, picture

from ansflow_desktop import i18n
from ansflow_desktop.pipelines.definitions import definitions
from ansflow_desktop.presenters.step_form_state import MODE

LANGUAGES = ("en", "zh_CN")
CASES = [(one.type, "") for one in definitions().types if one.type != "k8s_deploy"]
CASES += [("k8s_deploy", "helm"), ("k8s_deploy", "manifest")]

TYPED = {
    "text": "some text 中文",
    "integer": "7",
    "duration": "90s",
    "variable": "OUT_1",
    "cluster": "stage",
    "namespace": "team-a",
    "resource": "statefulset/db",
    "container": "app",
    "selector": "app=web,tier!=cache",
    "chart": "fe-app",
    "folder": "sub/dir",
    "file": "out.log",
}
WRITTEN = {
    "integer": 7,
    "yaml": "a: 1\nb: two\n",
    "code": "cd charts\nmake all",
    "list": ["one=1", "two, 2"],
    "kinds": ["job", "pod"],
    "files": ["values.yaml", "values-${env}.yaml"],
    "mapping": {"NAME": "value", "OTHER": "two words"},
    "command": "nginx -t && echo ok",
}


def keys(qtbot, widget, text: str) -> None:
    """Type text, its line breaks by Enter; what an editor indents by itself is taken out again."""
    widget.setFocus()
    for number, line in enumerate(text.split("\n")):
        if number:
            qtbot.keyClick(widget, Qt.Key.Key_Return)
        if line.isascii():
            qtbot.keyClicks(widget, line)
        else:  # as an input method hands them over: there are no keys for them
            composed = QInputMethodEvent()
            composed.setCommitString(line)
            QApplication.sendEvent(widget, composed)


def click(qtbot, widget) -> None:
    qtbot.waitUntil(lambda: widget.visibleRegion().contains(widget.rect().center()))
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def set_field(shown: Shown, qtbot, field):
    """Set one field through its input and return the value that the file should now hold."""
    if field.path == MODE:
        click(qtbot, shown.find(f"field_config_deploy_type_{field.value}"))
        return field.value
    shown.form.focus_field(field.name)
    part = shown.find(field.object_name)
    if field.kind == "boolean":
        qtbot.keyClick(part, Qt.Key.Key_Space)
        return not field.default
    if field.kind == "choice":
        qtbot.keyClick(part, Qt.Key.Key_Down)
        return part.currentData()
    if field.kind in ("files", "mapping"):
        return set_rows(shown, qtbot, field, part)
    keys(qtbot, part, TYPED.get(field.kind) or lines(field.kind))
    return WRITTEN.get(field.kind, TYPED.get(field.kind))


def lines(kind: str) -> str:
    value = WRITTEN[kind]
    return "\n".join(value) if isinstance(value, list) else value


def set_rows(shown: Shown, qtbot, field, add):
    value = WRITTEN[field.kind]
    if field.kind == "files":
        add = shown.find(f"type_{field.object_name}")
    for number, row in enumerate(value.items() if isinstance(value, dict) else [(path,) for path in value]):
        click(qtbot, add)
        for part, text in enumerate(row):
            keys(qtbot, shown.find(f"{field.object_name}_{number}_{part}"), text)
    return value


def first_step(kind: str, mode: str) -> dict:
    return {"name": "", "type": kind} | ({"k8s_config": {"deploy_type": mode}} if mode else {})


def all_fields(shown: Shown) -> list:
    return [field for group in shown.presenter.state.groups for field in group.fields if field.applies]


def at(step: dict, path: tuple):
    for part in path:
        step = step[part]
    return step


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "mode"), CASES)
def test_every_field_is_set_written_and_found_again(loop, services, reads, qtbot, kind, mode, language):
    i18n.set_language(language)
    shown = Shown(services, reads, qtbot, first_step(kind, mode))
    expected: dict[tuple, object] = {}
    while todo := [field for field in all_fields(shown) if field.path not in expected]:
        expected[todo[0].path] = set_field(shown, qtbot, todo[0])
    # the namespace was cleared by each letter of the cluster that was typed before it
    step = copy.deepcopy(shown.document.step)
    shown.close()
    assert {path: at(step, path) for path in expected} == expected
    assert len(expected) > 10

    again = Shown(services, reads, qtbot, copy.deepcopy(step), size=(460, 1400))
    page = again.form._page
    found = {path: page.place_of(path)[1].input.value() for path in expected}
    texts = {made.objectName(): made.text() for made in again.form.findChildren(QLineEdit)}
    texts |= {made.objectName(): made.toPlainText() for made in again.form.findChildren(QPlainTextEdit)}
    typed = {field.object_name: TYPED[field.kind] for field in all_fields(again) if field.kind in TYPED}
    picture(again.form, f"every-{kind}-{mode}-{language}")
    assert not again.presenter.state.kept
    assert again.document.edits == []
    again.close()
    assert found == expected
    assert {name: texts[name] for name in typed} == typed


def test_the_form_asks_for_every_parameter_of_the_definitions(loop, services, reads, qtbot):
    for one in definitions().types:
        shown = Shown(services, reads, qtbot, {"name": "a", "type": one.type})
        wanted = {(("k8s_config",) if p.place == "config" else ()) + (p.key,) for p in one.parameters}
        made = {row.path for group in shown.form._page.groups for row in group.rows}
        assert wanted <= made
        shown.close()
