"""The templates that can be chosen: those of the program, and the user's own in the library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from ansflow_desktop import files, safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.template import Template
from ansflow_desktop.pipelines.templates import (
    builtin_templates,
    from_steps,
    parse_template,
    runs_programs,
    template_text,
)
from ansflow_desktop.store.library import Library, LibraryItem


class TrustStore(Protocol):
    """What was shown and trusted; `store.trust.Trust` is the real one."""

    def trusted(self, document: str) -> bool:
        """Return whether `document` was trusted."""

    def trust(self, document: str) -> None:
        """Remember that `document` is trusted."""


class Templates:
    """Reads and writes templates; every method raises UserError where the library cannot be used."""

    def __init__(self, library: Callable[[], Library], trust: TrustStore) -> None:
        """Keep the parts; `library` is asked for when it is needed: the program's own templates do without."""
        self._open, self._trust = library, trust

    @property
    def _library(self) -> Library:
        return self._open()

    def _kept(self) -> tuple[LibraryItem, ...]:
        return self._library.items("template")

    def all(self) -> tuple[tuple[Template, ...], tuple[UserError, ...]]:
        """Return all templates, the program's own first, and an error for each of the library that cannot be read."""
        found, errors = list(builtin_templates()), []
        try:
            kept = self._kept()
        except UserError as error:
            return tuple(found), (error,)
        for item in kept:
            try:
                found.append(_own(parse_template(item.document, item.name), item.name, item.origin))
            except UserError as error:
                errors.append(error)
        return tuple(found), tuple(errors)

    def get(self, name: str) -> Template:
        """Return the template `name`, the user's own before the program's; raises UserError where there is none."""
        known = next((one for one in builtin_templates() if one.name == name), None)
        try:
            item = self._library.read("template", name)
        except UserError:
            if known is None:
                raise
            return known
        if item is not None:
            return _own(parse_template(item.document, name), name, item.origin)
        if known is not None:
            return known
        raise UserError(msg("There is no template %(name)s", name=name), field="template")

    def save(self, template: Template, *, replace: bool = False) -> Template:
        """Keep `template` in the library; an existing one is only overwritten with `replace`."""
        origin = "imported" if template.origin == "imported" else "user"
        document = template_text(template)
        parse_template(document, template.name)
        expected = None if replace else 0.0
        if not replace and self._library.read("template", template.name) is not None:
            title = msg("There is a template %(name)s already", name=template.name)
            raise UserError(title, "", msg("Choose another name, or replace it."), field="NAME")
        self._library.save("template", template.name, document, origin=origin, expected=expected)
        return msgspec.structs.replace(template, origin=origin)

    def save_text(self, name: str, text: str, known: Template | None = None) -> Template:
        """Keep the user's own template `name` as `text` (YAML) says: another name in it renames it, none makes one.

        `known` is the template as it was when one began to edit it: nothing is written over what another window saved.
        """
        template = parse_template(text, name or "template.yaml")
        if not name:
            return self.save(template)
        before = self.get(name)
        if known is not None and before != known:
            title = msg("The template %(name)s was changed in another window", name=name)
            raise UserError(title, msg("Nothing was overwritten."), msg("Copy your text, and look at theirs first."))
        changed = msgspec.structs.replace(template, origin=before.origin)
        if template.name == name:
            return self.save(changed, replace=True)
        saved = self.save(changed)
        self.remove(name)
        return saved

    def keep(self, name: str, steps: Sequence[Mapping[str, Any]]) -> Template:
        """Make a template of the user's own from `steps` under `name`, or one like it that is free."""
        return self.save(from_steps(self.free_name(name or "template"), steps, title=name))

    def remove(self, name: str) -> None:
        """Remove one of the user's own; raises UserError for one of the program's and one that is not there."""
        if self._library.read("template", name) is None:
            self.get(name)
            raise UserError(
                msg("The template %(name)s comes with the program", name=name),
                msg("It cannot be removed."),
                msg("Duplicate it to have one of your own."),
                field="template",
            )
        self._library.remove("template", name)

    def duplicate(self, name: str) -> Template:
        """Return a copy under a new name, kept in the library, free to be changed."""
        template = self.get(name)
        copy = msgspec.structs.replace(template, name=self.free_name(name))
        return self.save(copy)

    def free_name(self, wanted: str) -> str:
        """Return `wanted`, or with a number behind it where that name is taken."""
        taken = {one.name for one in self.all()[0]}
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}-{number}", number + 1
        return name

    def import_file(self, path: Path) -> Template:
        """Read a template file into the library, under a free name; nothing of it is run."""
        template = parse_template(safe_yaml.read_text(str(path), "file"), str(path))
        imported = msgspec.structs.replace(template, name=self.free_name(template.name), origin="imported")
        return self.save(imported)

    def export_file(self, name: str, path: Path, *, replace: bool = False) -> None:
        """Write a template to `path`; raises UserError where it cannot be written, or is there (unless `replace`)."""
        if files.is_there(path) and not replace:
            title = msg("%(path)s exists already", path=str(path))
            raise UserError(title, "", msg("Choose another name."), field="file")
        files.write_atomic(path, template_text(self.get(name)).encode())

    def needs_trust(self, template: Template) -> bool:
        """Say whether the steps of an imported template must be shown before they are used (conventions.md, 13)."""
        asked = template.origin == "imported" and runs_programs(template)
        return asked and not self._trust.trusted(template_text(template))

    def trust(self, template: Template) -> None:
        """Remember that a person has seen the steps of `template` and trusts them."""
        self._trust.trust(template_text(template))


def _own(template: Template, name: str, origin: str) -> Template:
    return msgspec.structs.replace(template, name=name, origin="imported" if origin == "imported" else "user")
