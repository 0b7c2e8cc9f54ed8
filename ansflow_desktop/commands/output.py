"""Where the command line writes: results to stdout, messages to stderr, in text or JSON, never with a traceback."""

from __future__ import annotations

import contextlib
import enum
import io
import os
import re
import sys
import threading
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from ansflow_desktop.i18n import Message, Text, msg, translate
from ansflow_desktop.models.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ansflow_desktop.errors import UserError

# Terminal codes and bidirectional controls in a field of an object or in a helper's output (failure-modes.md, row 33).
_ESCAPES = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\-_])")
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


_NO_LABELS: Mapping[str, str] = {}
SEVERITIES = {Severity.ERROR: msg("error"), Severity.WARNING: msg("warning"), Severity.INFO: msg("note")}


class Format(enum.StrEnum):
    """The three forms of `-o`."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


def clean(text: str) -> str:
    """Return `text` without terminal codes and bidirectional controls; line feeds and tabs stay."""
    return _UNSAFE.sub("", _ESCAPES.sub("", text))


def plain(value: Any) -> Any:
    """Return `value` as JSON knows it: messages translated to text, Structs (with their tag) to mappings."""
    if isinstance(value, Message):
        return _whole(translate(value))
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return _whole(value)
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        tag = {config.tag_field: config.tag} if config.tag_field else {}
        return {**tag, **{name: plain(getattr(value, name)) for name in value.__struct_fields__}}
    if isinstance(value, dict):
        return {_whole(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.value if isinstance(value, enum.Enum) else value


def _whole(text: str) -> str:
    """Return `text` as JSON can hold it: what is no UTF-8 in a name becomes an escape, as in a terminal."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def width(text: str) -> int:
    """Return the columns that `text` takes in a terminal: wide East Asian characters two, combining ones none."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows under their heads in aligned columns, two spaces apart, no trailing spaces."""
    lines = [[clean(cell).replace("\n", " ").replace("\t", " ") for cell in line] for line in (heads, *rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(_padded(line, widths).rstrip() for line in lines)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (room - width(cell)) for cell, room in zip(cells, widths, strict=True))


class Output:
    """Standard output and error of one command; every method may be called from any thread.

    A reader that goes away (`| head`) ends the output, never the work: a deploy goes on to its end.
    """

    def __init__(self, form: Format, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        """Write in `form` to the streams given, else to this process's.

        `labels` may be set to what a person typed for a field (`--values` for `values_files`): texts use them.
        """
        self.form = form
        self.labels: Mapping[str, str] = {}
        self._stdout = stdout or sys.stdout or _Nowhere()
        self._stderr = stderr or sys.stderr or _Nowhere()
        self._lock = threading.Lock()
        self._gone: set[TextIO] = set()
        self._lost = False

    @property
    def is_text(self) -> bool:
        """True when a person reads stdout."""
        return self.form is Format.TEXT

    @property
    def lost(self) -> bool:
        """True when stdout took not all of the result, and its reader did not just go away."""
        return self._lost

    def line(self, text: Text = "") -> None:
        """Write one line (or several) to stdout."""
        self.write(clean(translate(text)) + "\n")

    def write(self, text: str) -> None:
        """Write text as it is to stdout."""
        self._put(self._stdout, text)

    def note(self, text: Text) -> None:
        """Write a message to stderr: it is never part of a result."""
        self._put(self._stderr, clean(translate(text)) + "\n")

    def error_text(self, text: str) -> None:
        """Write text as it is to stderr: a child process's own error output."""
        self._put(self._stderr, text)

    def document(self, value: Any) -> None:
        """Write a result as one JSON document; with `jsonl` a list becomes one line an element."""
        shaped = plain(value)
        if self.form is Format.JSONL:
            for item in shaped if isinstance(shaped, list) else [shaped]:
                self.json_line(item)
            return
        self.write(msgspec.json.format(msgspec.json.encode(shaped), indent=2).decode() + "\n")

    def json_line(self, value: Mapping[str, Any]) -> None:
        """Write one JSON value on one line."""
        self.write(msgspec.json.encode(value).decode() + "\n")

    def error(self, error: UserError) -> None:
        """Write an error: title, the words of whoever failed, the way out; also as a document if JSON is wanted.

        One that stands for several problems (a pipeline file's) is written as all of them.
        """
        problems: Sequence[Problem] = getattr(error, "problems", ())
        lines = [line for problem in problems for line in problem_lines(problem, self.labels)]
        for line in lines or error_lines(error, self.labels):
            self.note(line)
        if not self.is_text:
            parts = {"title": error.title, "message": error.message, "hint": error.hint, "field": error.field}
            listed = {"problems": problems} if problems else {}
            self.document({"error": {**parts, "code": int(error.code), **listed}})

    def _put(self, stream: TextIO, text: str) -> None:
        with self._lock:
            problem = "" if stream in self._gone else self._try(stream, text)
        if problem and stream is self._stdout:
            self._lost = True
            self.note(msg("The output could not be written: %(reason)s", reason=problem))

    def _try(self, stream: TextIO, text: str) -> str:
        """Write, and give a stream up that takes nothing any more; return why, unless its reader just went away."""
        try:
            _write(stream, text)
        except OSError as error:
            self._gone.add(stream)
            _silence(stream)
            return "" if isinstance(error, BrokenPipeError) else error.strerror or str(error)
        return ""


class _Nowhere(io.StringIO):
    """Stands for a stream that whoever started this process had closed (`>&-`): nobody wants its text."""

    def write(self, text: str, /) -> int:
        """Forget `text`."""
        return len(text)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _silence(stream: TextIO) -> None:
    """Point a stream whose reader is gone at nothing, so that the interpreter's last flush stays quiet."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def error_lines(error: UserError, labels: Mapping[str, str] = _NO_LABELS) -> list[str]:
    """Return the lines of an error for a terminal: the field it belongs to first, then words, then the way out."""
    message, hint = translate(error.message), translate(error.hint)
    lines = [_titled(_label(error.field, labels), error.title)]
    lines += [f"  {part}" for part in message.splitlines() if part.strip()]
    return lines + ([f"  {hint}"] if hint else [])


def _label(field: str, labels: Mapping[str, str]) -> str:
    """Return what was typed for `k8s_config.values_files[0]` (`--values`), else the field's own name."""
    name = field.partition("[")[0].rpartition(".")[2]
    return labels.get(name, field)


def _titled(field: str, title: Text) -> str:
    text = translate(title)
    return f"{field}: {text}" if field and field not in text else text


def problem_lines(problem: Problem, labels: Mapping[str, str] = _NO_LABELS) -> list[str]:
    """Return the lines of a problem found before anything ran."""
    lines = [f"{translate(SEVERITIES[problem.severity])}: {_titled(_label(problem.field, labels), problem.title)}"]
    lines += [f"  {part}" for part in translate(problem.message).splitlines() if part.strip()]
    hint = translate(problem.hint)
    return lines + ([f"  {hint}"] if hint else [])
