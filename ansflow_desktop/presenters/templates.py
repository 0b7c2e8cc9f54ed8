"""The Templates page: from a template and a few values to the steps of a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import Signal, Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, active_language, msg
from ansflow_desktop.models.template import Template, words_in
from ansflow_desktop.presenters.base import Presenter, off_thread
from ansflow_desktop.presenters.templates_state import TemplatesState, Use

_WHERE = ("cluster", "namespace")


class TemplatesPresenter(Presenter):
    """Emits `use_asked(Use)` with steps for a pipeline, `trust_needed(Template, bool)` before it for an imported one.

    `edit_asked(name, text)` gives a template's YAML to be changed; answer by `save_text`, which ends in `saved` or
    `refused(UserError)`.
    """

    use_asked = Signal(object)
    trust_needed = Signal(object, bool)
    edit_asked = Signal(str, str)
    said = Signal(object)
    saved = Signal()
    refused = Signal(object)

    def __init__(self, services: Any) -> None:
        """Keep the services; nothing is read before `load`."""
        super().__init__()
        self._services = services
        self._all: tuple[Template, ...] = ()
        self._where = {"cluster": "", "namespace": ""}
        self._typed: dict[tuple[str, str], dict[str, str]] = {}
        self._edited: Template | None = None
        self.state = TemplatesState()

    # The list

    def load(self, choose: str = "") -> None:
        """Read all templates again; `choose` is the one that is shown then."""
        self._start("list", self._load(choose))

    async def _load(self, choose: str) -> None:
        number = self._requests.begin("list")
        found, errors = await off_thread(lambda: self._services.templates.all())
        if not self._requests.current("list", number):
            return
        self._all = tuple(sorted(found, key=_order))
        self._change(loaded=True, unread=errors)
        wanted = choose or (self.state.chosen.name if self.state.chosen else "")
        now = next((one for one in self._all if one.name == wanted), None)
        if now is None or now != self.state.chosen:
            self.choose(now or (self.state.rows[0] if self.state.rows else None))

    def search(self, query: str) -> None:
        """Show the templates that hold every word of `query`."""
        self._change(query=query)
        self._choose_shown()

    def choose_category(self, category: str) -> None:
        """Show one category, all where it is empty."""
        self._change(category=category)
        self._choose_shown()

    def _choose_shown(self) -> None:
        """Choose the first row where the one that was chosen is not among them any more."""
        rows = self.state.rows
        if rows and self.state.chosen not in rows:
            self.choose(rows[0])

    def work_in(self, cluster: str, namespace: str) -> None:
        """Take the cluster and namespace that are filled in where a template asks for them."""
        before, self._where = self._where, {"cluster": cluster, "namespace": namespace}
        chosen = self.state.chosen
        if chosen is None:
            return
        names = {one.name for one in chosen.parameters if one.name in _WHERE}
        follow = {name for name in names if self.state.values.get(name) in (before[name], self._default(chosen, name))}
        self._take_values({**self.state.values, **{name: self._default(chosen, name) for name in follow}})

    def _default(self, template: Template, name: str) -> str:
        parameter = next(one for one in template.parameters if one.name == name)
        return self._where.get(parameter.kind) or parameter.default

    def set_pipeline(self, name: str) -> None:
        """Take the name of the open pipeline, empty where none is."""
        self._change(pipeline=name)

    def choose(self, template: Template | None) -> None:
        """Show a template with its defaults, or with what was typed for it before."""
        self._take_values(self._values_of(template) if template else {}, chosen=template)

    def _values_of(self, template: Template) -> dict[str, str]:
        defaults = {one.name: self._default(template, one.name) for one in template.parameters}
        typed = self._typed.get((template.origin, template.name), {})
        return defaults | {name: value for name, value in typed.items() if name in defaults}

    def type_value(self, name: str, value: str) -> None:
        """Take what was typed for a parameter."""
        chosen = self.state.chosen
        if chosen is not None:
            self._typed.setdefault((chosen.origin, chosen.name), {})[name] = value
        self._take_values({**self.state.values, name: value})

    def _take_values(self, values: dict[str, str], **fields: Template | None) -> None:
        from ansflow_desktop.pipelines import templates

        chosen = fields.get("chosen", self.state.chosen)
        problems: dict[str, Text] = dict(templates.problems_of(chosen, values)) if chosen else {}
        preview = templates.as_yaml(list(templates.filled(chosen, values))) if chosen else ""
        self._change(values=values, problems=problems, preview=preview, **fields)

    def _change(self, **fields: Any) -> None:
        from ansflow_desktop.pipelines.templates import search

        state = msgspec.structs.replace(self.state, **fields)
        rows = search(self._all, state.query, state.category)
        state = msgspec.structs.replace(state, rows=rows, total=len(self._all))
        if state != self.state:
            self.state = state
            self.state_changed.emit()

    # Use

    def use(self, *, new: bool) -> None:
        """Make the steps, for a new pipeline or the open one; an imported template may have to be trusted first."""
        if self.state.can_apply and self.state.chosen is not None:
            self._start("use", self._use(self.state.chosen, dict(self.state.values), new))

    async def _use(self, template: Template, values: dict[str, str], new: bool) -> None:
        if await off_thread(lambda: self._services.templates.needs_trust(template)):
            self.trust_needed.emit(template, new)
            return
        self._emit_use(template, values, new)

    def _emit_use(self, template: Template, values: dict[str, str], new: bool) -> None:
        from ansflow_desktop.pipelines import templates

        steps = templates.apply(template, values)
        name = values.get("name") or values.get("release") or template.name
        self.use_asked.emit(Use(name=name, steps=steps, new=new))

    def trust_and_use(self, template: Template, *, new: bool) -> None:
        """Remember that the template's steps were read and trusted, and use them."""
        self._start("use", self._trust_and_use(template, dict(self.state.values), new))

    async def _trust_and_use(self, template: Template, values: dict[str, str], new: bool) -> None:
        await off_thread(lambda: self._services.templates.trust(template))
        self._emit_use(template, values, new)

    # Change

    def edit(self) -> None:
        """Emit `edit_asked` with the chosen template's YAML; of one of the program's a copy, kept when it is saved."""
        chosen = self.state.chosen
        if chosen is not None:
            self._start("change", self._edit(chosen))

    async def _edit(self, chosen: Template) -> None:
        from ansflow_desktop.pipelines.templates import template_text

        self._edited = None if chosen.origin == "builtin" else chosen
        if self._edited is None:
            free = await off_thread(lambda: self._services.templates.free_name(chosen.name))
            chosen = msgspec.structs.replace(chosen, name=free, origin="user")
        self.edit_asked.emit(chosen.name, template_text(chosen))

    def save_text(self, text: str) -> None:
        """Keep the template that is edited as `text` says; `refused` says what is wrong, nothing is written then."""
        self._start("change", self._save_text(text))

    async def _save_text(self, text: str) -> None:
        known = self._edited
        name = known.name if known else ""
        try:
            saved = await off_thread(lambda: self._services.templates.save_text(name, text, known))
        except UserError as error:
            self.refused.emit(error)
            return
        self.saved.emit()
        self.said.emit(msg("Saved"))
        await self._load(saved.name)

    def keep_steps(self, name: str, steps: tuple[dict[str, Any], ...]) -> None:
        """Make a template of the user's own from `steps`, under a name that is free."""
        self._start("change", self._keep_steps(name, steps))

    async def _keep_steps(self, name: str, steps: tuple[dict[str, Any], ...]) -> None:
        saved = await off_thread(lambda: self._services.templates.keep(name, steps))
        self.said.emit(msg("%(name)s is among the templates now", name=saved.name))
        await self._load(saved.name)

    def duplicate(self) -> None:
        """Copy the chosen template."""
        self._with_chosen(lambda name: self._services.templates.duplicate(name).name, "")

    def remove(self) -> None:
        """Remove the chosen template; whoever calls this has asked."""
        self._with_chosen(self._remove, msg("Removed"))

    def _remove(self, name: str) -> str:
        self._services.templates.remove(name)
        return ""

    def import_file(self, path: str) -> None:
        """Read a template file; nothing of it is run."""
        self._start("change", self._changed(lambda: self._services.templates.import_file(Path(path)).name, ""))

    def export_file(self, path: str) -> None:
        """Write the chosen template to `path`, also over a file that is there: the dialog has asked."""

        def write(name: str) -> str:
            self._services.templates.export_file(name, Path(path), replace=True)
            return name

        self._with_chosen(write, msg("Exported to %(path)s", path=path))

    def _with_chosen(self, call: Callable[[str], str], said: Text) -> None:
        chosen = self.state.chosen
        if chosen is not None:
            self._start("change", self._changed(lambda: call(chosen.name), said))

    async def _changed(self, call: Callable[[], str], said: Text) -> None:
        name = await off_thread(call)
        if said:
            self.said.emit(said)
        await self._load(name)

    @Slot()
    def on_language(self) -> None:
        """Sort by the titles of the language that is shown now."""
        self._all = tuple(sorted(self._all, key=_order))
        self._change()


def _order(template: Template) -> tuple[str, str]:
    return words_in(template.title, active_language()).casefold() or template.name, template.name


def first_problem(error: UserError) -> Text:
    """Return what to say of a template that cannot be read."""
    return msg("%(title)s: %(reason)s", title=error.title, reason=error.message) if error.message else error.title
