"""What the step types are called and look like, what a new step holds, and the lines of the step list."""

from __future__ import annotations

from typing import Any

import msgspec

from ansflow_desktop import i18n
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.definition import StepDefinition
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.presenters.pipeline_editor_state import EditorState, StepRow, step_of

_UNKNOWN_ICON = "help-circle"


class PaletteEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A step type of the palette, in the language in use."""

    type: str
    label: str
    help: str
    icon: str
    category: str


def entries() -> tuple[PaletteEntry, ...]:
    """Return the step types in the order of their definitions."""
    from ansflow_desktop.pipelines.definitions import definitions, words

    language = i18n.active_language()
    return tuple(
        PaletteEntry(
            type=one.type,
            label=words(one.label, language),
            help=words(one.help, language),
            icon=one.icon,
            category=one.category,
        )
        for one in definitions().types
    )


def new_step(step_type: str, cluster: str = "", namespace: str = "") -> dict[str, Any]:
    """Return what a new step of `step_type` holds: a name, and for a k8s step where one works now."""
    step: dict[str, Any] = {"name": step_type.removeprefix("k8s_").replace("_", "-"), "type": step_type}
    if step_type == "shell":
        return {**step, "command": ""}
    where = {"k8s_cluster": cluster, "k8s_namespace": namespace}
    step |= {name: value for name, value in where.items() if value}
    return {**step, "k8s_config": {"deploy_type": "helm"}} if step_type == "k8s_deploy" else step


def step_rows(state: EditorState) -> tuple[StepRow, ...]:
    """Return the lines of the step list for the document as it was read last."""
    by_step: dict[int | None, list[Problem]] = {}
    for problem in state.problems:
        by_step.setdefault(step_of(problem.field), []).append(problem)
    return tuple(_row(state, index, step, by_step.get(index, [])) for index, step in enumerate(state.document.steps))


def _row(state: EditorState, index: int, step: dict[str, Any], problems: list[Problem]) -> StepRow:
    from ansflow_desktop.pipelines.definitions import step_definition

    kind = str(step.get("type") or "")
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    warnings = [problem for problem in problems if problem.severity is Severity.WARNING]
    name = str(step.get("name") or "")
    definition = step_definition(kind)
    return StepRow(
        index=index,
        name=name,
        type=kind,
        label=_label(definition, kind, step),
        icon=definition.icon if definition else _UNKNOWN_ICON,
        where=_where(step),
        enabled=step.get("enabled", True) is not False,
        errors=len(errors),
        warnings=len(warnings),
        first_problem=(errors or warnings)[0].title if errors or warnings else "",
        phase=state.phases.get(name),
    )


def _label(definition: StepDefinition | None, kind: str, step: dict[str, Any]) -> Text:
    from ansflow_desktop.pipelines.definitions import words

    if definition is None:
        return msg("Unknown type %(type)s", type=kind) if kind else msg("No type")
    label = words(definition.label, i18n.active_language())
    config = step.get("k8s_config")
    mode = config.get("deploy_type") if isinstance(config, dict) else None
    modes = {"helm": "Helm", "manifest": "YAML"}
    return f"{label}, {modes[mode]}" if isinstance(mode, str) and mode in modes else label


def _where(step: dict[str, Any]) -> str:
    parts = (step.get("k8s_cluster"), step.get("k8s_namespace"))
    return " / ".join(str(part) for part in parts if part)
