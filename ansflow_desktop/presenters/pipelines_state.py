"""What the list of pipelines shows, as data."""

from __future__ import annotations

from typing import Literal

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text

Kind = Literal["library", "file", "draft"]


class PipelineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline of the list: `key` is its name in the library, its absolute path, or the key of its draft.

    `steps` is None where the text cannot be read, `updated` epoch seconds (0: not known), `problem` why a file cannot
    be opened now.
    """

    kind: Kind
    key: str
    name: str
    description: str = ""
    where: Text = ""
    steps: int | None = None
    updated: float = 0
    draft: bool = False
    origin: str = "user"
    problem: Text = ""

    @property
    def id(self) -> str:
        """A text that names this row among all."""
        return f"{self.kind}:{self.key}"


class PipelinesState(msgspec.Struct, frozen=True, kw_only=True):
    """The list: `rows` are those that the search leaves of `total`; `loaded` is False before the first answer."""

    rows: tuple[PipelineRow, ...] = ()
    total: int = 0
    query: str = ""
    loaded: bool = False
    error: UserError | None = None
