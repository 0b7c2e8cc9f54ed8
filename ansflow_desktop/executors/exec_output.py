"""Output that comes as bytes from a stream: decoded, cut into whole lines, and kept where a variable takes it."""

from __future__ import annotations

import codecs
from collections.abc import Callable

import msgspec

from ansflow_desktop.executors.shell import TEXT_LIMIT
from ansflow_desktop.models.pipeline import ExecutionContext

IDLE_S = 0.2
"""How long an unfinished line may wait for its end before it is shown (seconds)."""

_LONGEST = 65536


class LineText:
    """UTF-8 bytes in, whole lines out (a longer one than 64 KiB in parts); `flush` gives the unfinished rest."""

    def __init__(self, emit: Callable[[str], None]) -> None:
        """Keep `emit`, which gets the text."""
        self._emit = emit
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Take the next bytes; `final` with the last ones."""
        text = self._rest + self._decoder.decode(data, final)
        whole, newline, self._rest = text.rpartition("\n")
        self._give(whole + newline)
        if final or len(self._rest) > _LONGEST:
            self.flush()

    def flush(self) -> None:
        """Give out an unfinished line."""
        rest, self._rest = self._rest, ""
        self._give(rest)

    def _give(self, text: str) -> None:
        if text:
            self._emit(text)


class Kept:
    """The first bytes of a stream, as many as a variable may hold (128 KiB); `whole` is False once there were more."""

    def __init__(self) -> None:
        """Start empty."""
        self._data = bytearray()
        self.whole = True

    def add(self, data: bytes) -> None:
        """Keep what fits."""
        room = TEXT_LIMIT + 1 - len(self._data)
        self.whole = self.whole and len(data) <= room
        self._data += data[: max(0, room)]

    @property
    def text(self) -> str:
        """The text, without its last newline."""
        return self._data.decode("utf-8", "replace").removesuffix("\n")


def fits(name: str, text: str) -> bool:
    """Return whether `NAME=text` can be given to a program (Linux: 128 KiB)."""
    return len(name.encode()) + 1 + len(text.encode("utf-8", "surrogateescape")) <= TEXT_LIMIT


def with_output(context: ExecutionContext, name: str, text: str) -> ExecutionContext:
    """Return the context in which variable and output `name` hold `text`."""
    return msgspec.structs.replace(
        context, variables={**context.variables, name: text}, outputs={**context.outputs, name: text}
    )
