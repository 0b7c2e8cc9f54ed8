"""Messages in the user's language: gettext for the window and the command line alike.

Lower layers never translate. They make a `Message` (text and parameters) with `msg` or `msg_n`; whoever shows it
calls `translate`. Qt is not involved, so the command line speaks both languages too.
"""

from __future__ import annotations

import gettext as _gettext
import locale
import os
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ansflow_desktop import paths

if TYPE_CHECKING:
    from collections.abc import Mapping

DOMAIN = "ansflow"
LANGUAGES = ("en", "zh_CN")

Param: TypeAlias = "str | int | float | Message"


class Message(msgspec.Struct, frozen=True):
    """A translatable text with its parameters; `str()` gives the English form.

    `text` and `plural` are msgids with `%(name)s` placeholders; `count` chooses between them when `plural` is set.
    """

    text: str
    params: dict[str, Param] = {}
    plural: str = ""
    count: int = 0

    def __str__(self) -> str:
        """Return the English text with its parameters filled in."""
        chosen = self.plural if self.plural and self.count != 1 else self.text
        return _fill(chosen, self.params)


Text: TypeAlias = Message | str


def msg(text: str, /, **params: Param) -> Message:
    """Return a message to be translated where it is shown; Babel extracts the first argument."""
    return Message(text, params)


def msg_n(singular: str, plural: str, count: int, /, **params: Param) -> Message:
    """Return a message with a plural form chosen by `count`, which is also the parameter `count`."""
    return Message(singular, {"count": count, **params}, plural, count)


def _fill(text: str, params: Mapping[str, Param]) -> str:
    return text % params if params else text


class _Active:
    """The catalogue in use: gettext itself is process-wide, so one holder serves window and command line."""

    language = "en"
    catalogue: _gettext.NullTranslations = _gettext.NullTranslations()


def set_language(language: str | None) -> str:
    """Use `language` (`en`, `zh_CN`, or None for the system's) from now on and return the one chosen."""
    chosen = language if language in LANGUAGES else system_language()
    folder = str(paths.resources() / "i18n")
    _Active.catalogue = _gettext.translation(DOMAIN, folder, [chosen], fallback=True)
    _Active.language = chosen
    return chosen


def active_language() -> str:
    """Return the language in use: one of `LANGUAGES`."""
    return _Active.language


def system_language() -> str:
    """Return the first supported language of LANGUAGE, LC_ALL, LC_MESSAGES and LANG; `en` when none is."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        for part in os.environ.get(name, "").split(":"):
            code = locale.normalize(part).split(".")[0] if part else ""
            if code.startswith("zh"):
                return "zh_CN"
            if code.startswith(("en", "C", "POSIX")):
                return "en"
    return "en"


def _(text: str) -> str:
    """Return `text` in the language in use."""
    return _Active.catalogue.gettext(text) if text else ""


def ngettext(singular: str, plural: str, count: int) -> str:
    """Return the form for `count` in the language in use, placeholders unfilled."""
    return _Active.catalogue.ngettext(singular, plural, count)


def translate(message: Text) -> str:
    """Return a message in the language in use; plain text (a server's own words) passes unchanged."""
    if isinstance(message, str):
        return message
    params = {key: translate(value) if isinstance(value, Message) else value for key, value in message.params.items()}
    text = ngettext(message.text, message.plural, message.count) if message.plural else _(message.text)
    return _fill(text, params)
