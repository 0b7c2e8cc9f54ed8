"""What the Templates page shows, as data."""

from __future__ import annotations

from typing import Any

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text
from ansflow_desktop.models.template import Template


class TemplatesState(msgspec.Struct, frozen=True, kw_only=True):
    """The list that the search leaves, and the chosen template with what was typed for its parameters.

    `problems` are those of the values, by parameter, `preview` the steps as YAML, `pipeline` the name of the open
    pipeline, to which steps can be added (empty: none). `unread` are templates of the library that cannot be read.
    """

    rows: tuple[Template, ...] = ()
    total: int = 0
    query: str = ""
    category: str = ""
    loaded: bool = False
    unread: tuple[UserError, ...] = ()
    chosen: Template | None = None
    values: dict[str, str] = {}
    problems: dict[str, Text] = {}
    preview: str = ""
    pipeline: str = ""

    @property
    def can_apply(self) -> bool:
        """True when every parameter has a value that can be used."""
        return self.chosen is not None and not self.problems


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """Steps to be used: in a new pipeline called `name`, or added to the open one."""

    name: str
    steps: tuple[dict[str, Any], ...]
    new: bool
