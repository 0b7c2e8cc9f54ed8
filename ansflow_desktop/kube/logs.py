"""Reading a container's log: the request, cutting it into lines, and going on after a break without duplicates.

Every line is asked for with its timestamp, which is taken off again. After a break the log is asked for from the last
line's second on; the server then repeats exactly the lines of that second which were read already, and these are
skipped (failure-modes.md, row 27). Where the repetition does not begin with the line it should, the log was rotated or
the container is another one: lines may be missing, and that is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import msgspec

_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)\Z")
_SECOND = 19  # characters of a timestamp up to its seconds
_LONGEST = 256 * 1024


class LogRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which log: `since` in seconds and `tail` in lines limit what was written before, None for no limit."""

    namespace: str
    pod: str
    container: str
    since: float | None = None
    tail: int | None = None
    previous: bool = False
    follow: bool = False

    def path(self, since_time: str = "") -> str:
        """Return path and query; `since_time` (RFC 3339) goes on from there, in place of `since` and `tail`."""
        query: dict[str, str] = {"container": self.container, "timestamps": "true"}
        if self.follow:
            query["follow"] = "true"
        if self.previous:
            query["previous"] = "true"
        if since_time:
            query["sinceTime"] = since_time
        else:
            query |= self._limits()
        return f"/api/v1/namespaces/{self.namespace}/pods/{quote(self.pod)}/log?{urlencode(query)}"

    def _limits(self) -> dict[str, str]:
        since = {} if self.since is None else {"sinceSeconds": str(max(1, round(self.since)))}
        return since if self.tail is None else {**since, "tailLines": str(self.tail)}


class Position:
    """How far a log was read: the last line's second, how many lines of that second there were, and the first of them.

    Kubernetes takes whole seconds to go on from, so the lines of one second are repeated.
    """

    def __init__(self) -> None:
        """Start before the first line."""
        self.gap = False
        self._skip, self._checked, self._after = 0, True, b""
        self.restart()

    @property
    def since_time(self) -> str:
        """From when on to ask for the log (RFC 3339, whole seconds), empty where nothing was read yet."""
        return (self._second + self._zone).decode() if self._second else ""

    def resume(self) -> None:
        """Expect the lines of the last second once more."""
        self._skip, self._checked, self._after = self._count, not self._second, b""

    def restart(self) -> None:
        """Begin anew: the log that follows is that of another run of the container."""
        self._second = self._zone = self._first = self._newest = b""
        self._count = 0

    def take(self, line: bytes) -> bytes | None:
        """Return the text of a line with its timestamp, None for one that was read before."""
        stamp, blank, text = line.partition(b" ")
        if not blank or not _STAMP.match(stamp):
            return line
        if not self._checked:
            self._check(line)
        if self._skip:
            self._skip -= 1
            return None
        if self._after and stamp <= self._after:
            return None
        self._count_in(stamp, line)
        return text

    def _check(self, line: bytes) -> None:
        """Look whether the repetition begins where it should; if not, go by the timestamps alone."""
        self._checked = True
        if line.rstrip(b"\n") != self._first:
            self.gap, self._skip, self._after = True, 0, self._newest

    def _count_in(self, stamp: bytes, line: bytes) -> None:
        second = stamp[:_SECOND]
        self._newest = max(self._newest, stamp)
        if second > self._second:
            self._second, self._zone = second, stamp[-1:] if stamp.endswith(b"Z") else stamp[-6:]
            self._count, self._first = 1, line.rstrip(b"\n")
        elif second == self._second:
            self._count += 1


class Lines:
    """Bytes in, lines out; of a line longer than 256 KiB every part but the first goes on without a timestamp."""

    def __init__(self) -> None:
        """Start empty."""
        self._rest = b""
        self.inside = False

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """Yield (line, whether it begins one); a whole line has its newline."""
        whole, newline, self._rest = (self._rest + data).rpartition(b"\n")
        for line in whole.split(b"\n") if newline else ():
            yield line + b"\n", not self.inside
            self.inside = False
        if len(self._rest) > _LONGEST:
            part, self._rest = self._rest, b""
            yield part, not self.inside
            self.inside = True

    def rest(self) -> Iterator[tuple[bytes, bool]]:
        """Yield the unfinished last line, for a log that has really ended."""
        if self._rest:
            yield self._rest, not self.inside
        self._rest, self.inside = b"", False

    def drop(self) -> bool:
        """Forget an unfinished line, which will be repeated; True where a part of it was given out already."""
        was, self._rest, self.inside = self.inside, b"", False
        return was
