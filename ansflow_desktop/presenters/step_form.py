"""The form of one step: what is shown of it, what is edited, and what its boxes offer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

import msgspec
from PySide6.QtCore import Signal, Slot

from ansflow_desktop import paths
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters import namespaces
from ansflow_desktop.presenters.base import Presenter
from ansflow_desktop.presenters.completions import Answer, Completions, Key, NameReads
from ansflow_desktop.presenters.step_form_build import build_form, has_variable, value_at
from ansflow_desktop.presenters.step_form_state import CONFIG, MODE, FieldState, FormState, Path, same

CLUSTER: Path = ("k8s_cluster",)
NAMESPACE: Path = ("k8s_namespace",)
RESOURCE: Path = ("k8s_resource_name",)

_CONTROLLERS = ("deployment", "statefulset", "daemonset", "replicaset", "job")
_KINDS_OF: dict[str, tuple[str, ...]] = {
    "k8s_scale": ("deployment", "statefulset", "replicaset"),
    "k8s_exec": (*_CONTROLLERS, "pod"),
    "k8s_logs": (*_CONTROLLERS, "pod"),
    "k8s_wait": (*_CONTROLLERS, "pod"),
}
_ANY_KIND = (*_CONTROLLERS, "cronjob", "pod", "service", "ingress", "configmap", "horizontalpodautoscaler")
_KEPT_EMPTY = frozenset({"text", "lines", "code", "command"})


class StepFormPresenter(Presenter):
    """`edited(path, value)` asks for a change of the document: `path` within the step, None as `value` removes it.

    Nothing is changed here: whoever owns the document changes it and calls `show` with the step as it then reads.
    """

    edited = Signal(tuple, object)

    def __init__(self, services: Any, reads: Any, names: NameReads | None = None) -> None:
        """Keep the services; `reads` answers for namespaces, `names` for objects and containers of a cluster."""
        super().__init__()
        self.completions = Completions(services, reads, names)
        self.completions.changed.connect(self._on_answer)
        self.state = FormState()
        self._step: Mapping[str, Any] = {}
        self._problems: tuple[Problem, ...] = ()
        self._variables: Mapping[str, str] = {}
        self._folder = ""
        self._key: object = None
        self._serial = self._turns = 0
        self._names: set[str] = set()
        self._sent: dict[Path, Any] = {}
        self._cluster_asked = ""

    # Shown

    def show(
        self,
        step: Mapping[str, Any] | None,
        problems: tuple[Problem, ...] = (),
        folder: str = "",
        *,
        key: object = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Show `step` (plain data as the file holds it; None for none) with the problems of this step.

        `folder` is the absolute folder that the step's relative paths start from. `key` tells steps apart (without one
        their names and types do). `variables` are the pipeline's own, with which the boxes find cluster and namespace.
        """
        if self._is_another(step or {}, key):
            self._serial += 1
            self._names = set()
        self._names.add(str((step or {}).get("name")))
        self._step, self._problems, self._folder = step or {}, tuple(problems), folder
        self._key, self._variables, self._sent = key, variables or {}, {}
        self._ask_on_show()
        self._rebuild()

    @Slot()
    def turn_back(self) -> None:
        """Let the document's values count at the next `show`, not what was typed last: an edit was undone or redone."""
        self._turns += 1

    def refresh(self) -> None:
        """Make the state anew: the language is another one."""
        self._rebuild()

    def _is_another(self, step: Mapping[str, Any], key: object) -> bool:
        """Return whether `step` is not the one that is shown: one that is renamed here stays the same."""
        if step.get("type") != self._step.get("type"):
            return True
        if key is not None or self._key is not None:
            return key != self._key
        return str(step.get("name")) not in self._names

    def _rebuild(self) -> None:
        from ansflow_desktop.pipelines.definitions import definitions

        state = build_form(self._step, self._problems, definitions()) if self._step else FormState()
        groups = tuple(
            msgspec.structs.replace(group, fields=tuple(self._with_options(field) for field in group.fields))
            for group in state.groups
        )
        self._publish(
            msgspec.structs.replace(state, groups=groups, serial=self._serial, turns=self._turns, folder=self._folder)
        )

    def _publish(self, state: FormState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit()

    # Edited

    def edit(self, path: Path, value: Any) -> None:
        """Ask for `value` at `path`: the default or nothing removes the field, so that the file stays short.

        Another cluster clears the namespace: it was one of the cluster before (the original plan's rule).
        """
        before = self._now(path)
        wanted = self._to_write(path, value)
        if same(wanted, before):
            return
        self._send(path, wanted)
        if path == CLUSTER and self._now(NAMESPACE) is not None:
            self._send(NAMESPACE, None)

    def _now(self, path: Path) -> Any:
        return self._sent[path] if path in self._sent else value_at(self._step, path)[0]

    def _send(self, path: Path, value: Any) -> None:
        self._sent[path] = value
        if path == ("name",):
            self._names.add(str(value))
        self.edited.emit(path, value)

    def _to_write(self, path: Path, value: Any) -> Any:
        field = self.state.field(path)
        if field is None or path == MODE:
            return value
        if value in (None, "", [], {}):
            # A line that is needed keeps its place while it is empty for a moment.
            return "" if field.required and field.kind in _KEPT_EMPTY else None
        return None if same(value, field.default) else value

    # Offered

    @Slot(tuple)
    def wanted(self, path: Path) -> None:
        """Ask what the box at `path` offers: it has the keyboard now."""
        field = self.state.field(path)
        key, _why = self._question(field) if field else (None, "")
        if key:
            self.completions.ask(key)

    @Slot(tuple)
    def wanted_again(self, path: Path) -> None:
        """Ask what the box at `path` offers anew, however fresh the last answer is."""
        field = self.state.field(path)
        key, _why = self._question(field) if field else (None, "")
        if key:
            self.completions.ask_again(key)

    def _ask_on_show(self) -> None:
        if not str(self._step.get("type", "")).startswith("k8s_"):
            return
        self.completions.ask(("clusters",))
        cluster = self._text(CLUSTER)
        if cluster and cluster != self._cluster_asked and cluster in self.completions.answer(("clusters",)).names:
            self._cluster_asked = cluster
            self.completions.ask(("namespaces", cluster))

    @Slot(tuple)
    def _on_answer(self, key: Key) -> None:
        if key == ("clusters",):
            self._ask_on_show()
        self._rebuild()

    def _with_options(self, field: FieldState) -> FieldState:
        if not field.applies:
            return field
        key, why = self._question(field)
        if key is None:
            return msgspec.structs.replace(field, options_note=why) if why else field
        answer = self.completions.answer(key)
        note = self._namespace_note(field, answer) if field.path == NAMESPACE else ""
        shown = "" if key[0] in ("clusters", "charts") and not answer.error else answer.note
        return msgspec.structs.replace(field, options=answer.names, options_note=shown, note=note)

    def _namespace_note(self, field: FieldState, answer: Answer) -> Text:
        """Say that the namespace does not exist only where the cluster has listed all of them."""
        name = self._filled(field.value)
        if not answer.names or answer.asking:
            return ""
        if not name or name in answer.names:
            return namespaces.old_note(answer.at) if answer.error or namespaces.is_old(answer.at) else ""
        if not answer.complete:
            return namespaces.not_looked_up(name, self._text(CLUSTER))
        return msg("There is no namespace %(name)s in %(cluster)s yet.", name=name, cluster=self._text(CLUSTER))

    def _question(self, field: FieldState) -> tuple[Key | None, Text]:
        """Return what to ask for the box of `field`, or why nothing can be asked."""
        if field.kind == "cluster":
            return ("clusters",), ""
        if field.kind == "chart":
            return ("charts", self.base_folder()), ""
        if field.kind not in ("namespace", "resource", "container"):
            return None, ""
        cluster, namespace = self._text(CLUSTER), self._text(NAMESPACE)
        if not cluster:
            return None, msg("Choose a cluster, and its names are offered here.")
        if field.kind == "namespace":
            return ("namespaces", cluster), ""
        if not namespace:
            return None, msg("Choose a namespace, and its names are offered here.")
        if field.kind == "resource":
            kinds = _KINDS_OF.get(self.state.type or str(self._step.get("type")), _ANY_KIND)
            return ("resources", cluster, namespace, *kinds), ""
        return self._container_question(cluster, namespace)

    def _container_question(self, cluster: str, namespace: str) -> tuple[Key | None, Text]:
        resource, selector = self._text(RESOURCE), self._text((CONFIG, "selector"))
        if not resource and not selector:
            return None, msg("Name a pod or a workload, and its containers are offered here.")
        return ("containers", cluster, namespace, resource, selector), ""

    def _text(self, path: Path) -> str:
        return self._filled(value_at(self._step, path)[0])

    def _filled(self, value: Any) -> str:
        """Return a text with the pipeline's variables in their places, empty where one is not known."""
        if not isinstance(value, str) or not has_variable(value):
            return value if isinstance(value, str) else ""
        from ansflow_desktop.pipelines.variables import fill

        try:
            return fill(value, self._variables)
        except UserError:
            return ""

    # Files

    def base_folder(self) -> str:
        """Return the folder from which this step's relative paths start: the file's, or its working directory."""
        inner = self._text(("working_directory",))
        base = FilePath(self._folder or paths.home())
        return os.path.normpath(base / paths.expanded(inner)) if inner else str(base)

    def written_path(self, path: str) -> str:
        """Return a chosen path as the file holds it: relative where it lies in the step's folder, else as it is."""
        base = FilePath(self.base_folder())
        chosen = FilePath(path)
        if chosen == base:
            return "."
        return str(chosen.relative_to(base)) if chosen.is_relative_to(base) else path

    async def close(self) -> None:
        """End the questions under way."""
        await self.completions.close()
        await super().close()
