"""Rows of any kind of object, as an API server prints them (Kubernetes API, "Receiving resources as Tables")."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ansflow_desktop.i18n import Text


class TableColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column as the server names it; `wide` ones are what `kubectl get -o wide` adds.

    `kind` says what its cells are: text, the object's name, a number, a number with words after it (`3 (2m ago)`:
    `count`), or the time since something happened (`span`).
    """

    name: str
    kind: Literal["text", "name", "number", "count", "span"] = "text"
    wide: bool = False


class TableRow(msgspec.Struct, frozen=True, gc=False):
    """One object: `key` is namespace/name, `cells` what the server said at `read_at` (epoch seconds).

    `text` is what a filter looks at: namespace and cells in small letters, a line each.
    Outside the garbage collector's sight: tens of thousands of rows must not make it stall the window.
    """

    key: str
    namespace: str
    name: str
    cells: tuple[Any, ...]
    read_at: float = 0
    text: str = ""


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace whose objects could not be read (empty: the whole collection), and why, in the server's words."""

    namespace: str
    message: Text


class TableRows(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a collection: `complete` once every namespace answered; `read_at` epoch s of the last answer."""

    columns: tuple[TableColumn, ...] = ()
    rows: tuple[TableRow, ...] = ()
    complete: bool = False
    unread: tuple[Unread, ...] = ()
    read_at: float = 0
