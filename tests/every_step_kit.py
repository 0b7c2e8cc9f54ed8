"""One pipeline with every step type and both deploy modes, as a person makes it: what is chosen, typed and pasted."""

from __future__ import annotations

from typing import Any

from pipeline_kit import LEFT, Hands
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLineEdit, QPlainTextEdit, QPushButton, QWidget
from window_kit import EXAMPLE

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker}
spec:
  replicas: 1
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec: {containers: [{name: worker, image: "busybox:1.37"}]}  # 不跑
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: migrate, image: "busybox:1.37"}]}
"""
SCRIPT = "export GREETING=第一步\necho from the shell: $GREETING"
VALUES = "replicaCount: 4\npage: {greeting: made by hand}\n"
WORKER, JOB = "deployment/worker", "job/migrate"
CHECKED = object()  # a check box that a person ticked

# (type in the palette, fields in the order in which they are filled in); a name that ends in a value is a switch.
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("shell", {"name": "begin", "description": "开始", "command": SCRIPT, "output": "SAID"}),
    (
        "k8s_deploy",
        {
            "name": "deploy chart",
            "config_chart_path": str(EXAMPLE),
            "config_release_name": "front",
            "config_custom_values": VALUES,
            "config_atomic": CHECKED,
            "config_timeout": "2m",
        },
    ),
    (
        "k8s_deploy",
        {
            "name": "deploy manifest",
            "config_deploy_type_manifest": CHECKED,
            "config_manifest": MANIFEST,
            "config_rollback_on_failure": CHECKED,
            "config_timeout": "2m",
        },
    ),
    ("k8s_scale", {"name": "scale", "k8s_resource_name": WORKER, "config_replicas": "3", "config_timeout": "1m"}),
    ("k8s_wait", {"name": "wait", "k8s_resource_name": JOB, "config_condition": "Complete", "config_timeout": "1m"}),
    ("k8s_logs", {"name": "logs", "k8s_resource_name": WORKER, "config_tail_lines": "2", "config_output": "LOG"}),
    (
        "k8s_exec",
        {
            "name": "exec",
            "k8s_resource_name": WORKER,
            "config_command": "echo inside; exit 3",
            "config_output": "INSIDE",
            "continue_on_error": CHECKED,
        },
    ),
    (
        "k8s_delete",
        {"name": "clean up", "always": CHECKED, "k8s_resource_name": JOB, "config_ignore_not_found": CHECKED},
    ),
    ("shell", {"name": "end", "command": 'echo "said <$SAID>"; echo "log <$LOG>"', "when": '${SAID} != ""'}),
)
NAMES = [str(fields["name"]) for _kind, fields in STEPS]


def make(hands: Hands, namespace: str) -> None:
    """Make the pipeline in an empty one that is open: every step from the palette, every field by hand."""
    for number, (kind, fields) in enumerate(STEPS, 1):
        place = {} if kind == "shell" else {"k8s_namespace": namespace}
        add(hands, kind, {**place, **fields})
        assert hands.names() == NAMES[:number]


def add(hands: Hands, kind: str, fields: dict[str, Any]) -> None:
    """Add a step from the palette behind the last one, and fill in its fields."""
    count = len(hands.names())
    hands.click(f"palette_{kind}")
    hands.until(lambda: len(hands.names()) == count + 1 and hands.state.selected == count)
    hands.settle()
    for name, value in fields.items():
        fill(hands, name, value)
    hands.settle()


def fill(hands: Hands, name: str, value: Any) -> None:
    """Set one field as a person does: a tick, typed keys, or text of several lines from the clipboard."""
    part = reach(hands, f"field_{name}")
    if value is CHECKED:
        hands.qtbot.mouseClick(part, LEFT, pos=QPoint(12, part.height() // 2))
        hands.settle()  # a switch shows other fields
    elif "\n" in value:
        paste(hands, f"field_{name}", value)
    else:
        hands.type(f"field_{name}", value)


def reach(hands: Hands, name: str) -> QWidget:
    """Return the input `name`, opening the folds of the form until it is shown."""
    for fold in [one for one in hands.window.shell.findChildren(QPushButton) if one.objectName().startswith("fold_")]:
        if hands.shown(name):
            break
        if fold.isVisible():
            hands.qtbot.mouseClick(fold, LEFT)
    return hands.find(name)


def paste(hands: Hands, name: str, text: str) -> None:
    """Replace what stands in a field by what lies on the clipboard."""
    line = hands.go(name)
    hands.key(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QApplication.clipboard().setText(text)
    hands.key(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def pick(hands: Hands, index: int) -> None:
    """Choose step `index` by a click on it in the list."""
    steps = hands.find("step_list")
    item = steps.item(index)
    steps.scrollToItem(item)
    hands.qtbot.mouseClick(steps.viewport(), LEFT, pos=steps.visualItemRect(item).center())
    hands.until(lambda: hands.state.selected == index)
    hands.settle()


def shown(hands: Hands, name: str) -> Any:
    """Return what the input of a field shows: CHECKED, its text, or None for a box that is not ticked."""
    part = reach(hands, f"field_{name}")
    if isinstance(part, QLineEdit):
        return part.text()
    if isinstance(part, QPlainTextEdit):
        return part.toPlainText()
    if isinstance(part, QComboBox):
        return part.currentText()
    assert isinstance(part, QCheckBox | QPushButton), part
    return CHECKED if part.isChecked() else None


def found_again(hands: Hands, namespace: str) -> None:
    """Choose every step and see that each field shows what was given."""
    for index, (kind, fields) in enumerate(STEPS):
        pick(hands, index)
        place = {} if kind == "shell" else {"k8s_namespace": namespace}
        found = {name: shown(hands, name) for name in (*place, *fields)}
        assert found == {**place, **fields}
    assert len({kind for kind, _fields in STEPS}) == 7
