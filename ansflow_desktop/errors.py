"""The one error that a person sees as text, and the exit codes of the command line (cli.md)."""

from __future__ import annotations

import enum

from ansflow_desktop.i18n import Message, Text


class ExitCode(enum.IntEnum):
    """Exit codes that scripts rely on."""

    DONE = 0
    FAILED = 1
    INVALID = 2
    UNREACHABLE = 3
    FORBIDDEN = 4
    UNKNOWN = 5
    CANCELLED = 130


class UserError(Exception):
    """What went wrong, in whose words, and the way out.

    `title` says what happened, `message` holds the server's, helm's or the file's own words, `hint` says what to do.
    `field` names the input at fault (a form field or a pipeline file's path such as `steps[1].k8s_config.timeout`).
    `code` is the exit code of a command that ends with this error.
    """

    def __init__(
        self, title: Text, message: Text = "", hint: Text = "", *, field: str = "", code: ExitCode = ExitCode.INVALID
    ) -> None:
        """Keep the parts; `str()` gives the English form for logs."""
        super().__init__(title, message, hint)
        self.title = title
        self.message = message
        self.hint = hint
        self.field = field
        self.code = code

    def __str__(self) -> str:
        """Return the parts in English, joined for a log line."""
        return ". ".join(str(part).rstrip(".") for part in (self.title, self.message, self.hint) if str(part))


class LockedAway(UserError):
    """What is asked for lies behind a lock that a person can open; nobody was contacted."""


__all__ = ["ExitCode", "LockedAway", "Message", "UserError"]
