"""An error that nobody foresaw: one plain line for the person, and a report on this machine without secrets."""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from ansflow_desktop import __version__, paths
from ansflow_desktop.commands import parser
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECRET_OPTIONS = ("--set", "-v", "--variable")


def report(words: Sequence[str], error: Exception) -> UserError:
    """Write a report of `error` below the data directory and return what to tell the person.

    The report holds the exception, the places in the code and the versions; of the command line only options' names
    are kept, and every value typed after `--set` or `-v` is masked wherever it shows up again.
    """
    summary = _masked(f"{type(error).__name__}: {error}", words)
    try:
        file = _write(paths.directories(parser.scan(words, "--data-dir")).data / "crashes", _text(words, error))
    except OSError as problem:
        return _answer(summary, msg("No report could be written: %(reason)s", reason=problem.strerror or str(problem)))
    return _answer(summary, msg("A report is in %(file)s. Nothing was sent anywhere.", file=str(file)))


def _answer(summary: str, hint: object) -> UserError:
    return UserError(msg("AnsFlow Desktop hit an error of its own"), summary, hint, code=ExitCode.FAILED)  # type: ignore[arg-type]


def _write(folder: Path, text: str) -> Path:
    paths.make_private(folder)
    file = folder / time.strftime("crash-%Y%m%d-%H%M%S.txt")
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    return file


def _text(words: Sequence[str], error: Exception) -> str:
    shown = [word.partition("=")[0] if word.startswith("-") else "***" for word in words]
    head = [
        f"ansflow-desktop {__version__}, Python {sys.version.split()[0]}, {platform.platform()}",
        "arguments: " + " ".join(shown),
    ]
    trace = "".join(traceback.format_exception(error))
    return "\n".join([*head, "", _masked(trace, words)])


def _masked(text: str, words: Sequence[str]) -> str:
    """Mask what was typed after `--set` and `-v`: the only options that may carry a secret."""
    for secret in sorted(_typed_values(words), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _typed_values(words: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for before, word in zip(("", *words), words, strict=False):
        option, separator, rest = word.partition("=")
        if before in _SECRET_OPTIONS:
            found |= {word, word.partition("=")[2], word.rpartition("=")[2]}
        elif separator and option in _SECRET_OPTIONS:
            found |= {rest, rest.partition("=")[2], rest.rpartition("=")[2]}
    return {secret for secret in found if len(secret) > 2}
