"""Problems found before anything runs, next to the field they belong to."""

from __future__ import annotations

import enum

import msgspec

from ansflow_desktop.i18n import Text


class Severity(enum.StrEnum):
    """An error stops the deploy, a warning is shown and may be ignored, an info only tells."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One problem: the field's name (as in the pipeline file), what is wrong, the tool's own words, and what to do."""

    field: str
    title: Text
    message: Text = ""
    hint: Text = ""
    severity: Severity = Severity.ERROR
