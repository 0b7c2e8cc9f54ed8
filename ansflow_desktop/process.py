"""One child process: its own session, bounded output, a cancel that works from any thread. Free of Qt.

What it guards against (recipes.md, "Child processes"): a background grandchild that keeps the pipe open, a process
group that outlives its leader, a cancel that arrives between spawn and poll, and a parent that ignores SIGINT.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import selectors
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Message, msg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ansflow_desktop.models.command import Command

StreamName: TypeAlias = Literal["stdout", "stderr"]
OnOutput: TypeAlias = "Callable[[StreamName, str], None]"

_DRAIN_S = 0.3
_DRAIN_TURNS = 64
_IDLE_FLUSH_S = 0.2
_TERM_GRACE_S = 5.0
_POLL_S = 0.05
_CHUNK = 65536


class ProcessResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended. `exit_code` is negative for a signal; texts are UTF-8 with replacement characters.

    `cancelled` and `timed_out` say that AnsFlow ended it; `truncated` that output past the capture limit was dropped.
    """

    exit_code: int
    stdout: str = ""
    stderr: str = ""
    duration_s: float = 0
    cancelled: bool = False
    timed_out: bool = False
    truncated: bool = False


class Cancel:
    """A request to stop, made from any thread; the second request skips what is left of the grace times."""

    def __init__(self) -> None:
        """Start without a request."""
        self._lock = threading.Lock()
        self._count = 0
        self._wakers: list[Callable[[], None]] = []
        self._event = threading.Event()

    @property
    def requested(self) -> bool:
        """True once a stop was asked for."""
        return self._event.is_set()

    @property
    def forced(self) -> bool:
        """True once a stop was asked for a second time."""
        return self._count > 1

    def request(self) -> None:
        """Ask to stop; ask again to stop at once."""
        with self._lock:
            self._count += 1
            self._event.set()
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for a request; return whether there was one."""
        return self._event.wait(seconds)

    @contextlib.contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[int]:
        """Call `wake` at every request made inside the block; yield how many there were before it."""
        with self._lock:
            self._wakers.append(wake)
            before = self._count
        try:
            yield before
        finally:
            with self._lock:
                self._wakers.remove(wake)

    @contextlib.contextmanager
    def narrowed(self) -> Iterator[Cancel]:
        """Give a request of its own that follows this one too: what stops one step need not stop the run."""
        inner = Cancel()
        with self.waking(inner.request) as before:
            for _ in range(before):
                inner.request()
            yield inner


def let_children_be_interrupted() -> None:
    """Make SIGINT reach children: a parent that ignores or blocks it passes that on, and helm then cannot be cancelled.

    To be called once from the main thread; a handler (unlike "ignore") is reset to the default by exec.
    """
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def child_environment(overrides: dict[str, str | None]) -> dict[str, str]:
    """Return this process's environment with `overrides` applied; None removes a variable."""
    merged = {**os.environ, **{key: value for key, value in overrides.items() if value is not None}}
    return {key: value for key, value in merged.items() if overrides.get(key, "") is not None}


class ProcessRunner:
    """Runs commands one at a time; every method is safe to call from any thread, each call has a process of its own."""

    def __init__(self, capture_limit: int = 64 * 1024 * 1024) -> None:
        """Keep at most `capture_limit` characters of each stream."""
        self._limit = capture_limit

    def run(
        self, command: Command, on_output: OnOutput | None = None, cancel: Cancel | None = None, *, capture: bool = True
    ) -> ProcessResult:
        """Run `command` to its end and return how it ended.

        `on_output` is called on this thread with whole lines as they come. With `capture` False the result holds no
        text. Raises UserError when the program cannot be started.
        """
        cancel = cancel or Cancel()
        if cancel.requested:
            return ProcessResult(exit_code=-signal.SIGINT, cancelled=True)
        with _Child(command, on_output, self._limit if capture else 0) as child, cancel.waking(child.wake):
            return child.follow(cancel)


def _spawn(command: Command) -> subprocess.Popen[bytes]:
    stdin = subprocess.PIPE if command.stdin is not None else subprocess.DEVNULL
    try:
        return subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=child_environment(command.env),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL character in an argument
        raise _cannot_start(command, error) from error


def _cannot_start(command: Command, error: OSError | ValueError) -> UserError:
    if not Path(command.cwd).is_dir():
        return UserError(
            msg("The working directory is gone"), command.cwd, msg("Choose a folder that exists."), code=ExitCode.FAILED
        )
    return UserError(
        msg("%(program)s could not be started", program=command.argv[0]),
        os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error),
        _start_hint(error),
        code=ExitCode.FAILED,
    )


def _start_hint(error: OSError | ValueError) -> Message:
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return msg("An argument or a variable is longer than 128 KiB, or all together are too long: use a file.")
    return msg("Check that the file exists and may be executed.")


class _Pipe:
    """One output stream: decodes, cuts into lines, keeps a bounded copy."""

    def __init__(self, name: StreamName, fd: int, on_output: OnOutput | None, limit: int) -> None:
        self.name, self.fd = name, fd
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._on_output = on_output
        self._rest = ""
        self._kept: list[str] = []
        self._limit = self._room = limit
        self.truncated = False

    @property
    def text(self) -> str:
        return "".join(self._kept)

    def feed(self, data: bytes, *, final: bool = False) -> None:
        text = self._decoder.decode(data, final)
        self._keep(text)
        whole, newline, self._rest = (self._rest + text).rpartition("\n")
        self._deliver(whole + newline)
        if final or len(self._rest) > _CHUNK:
            self.flush()

    def flush(self) -> None:
        rest, self._rest = self._rest, ""
        self._deliver(rest)

    def _deliver(self, text: str) -> None:
        if text and self._on_output:
            self._on_output(self.name, text)

    def _keep(self, text: str) -> None:
        self.truncated = self.truncated or (self._limit > 0 and len(text) > self._room)
        if self._room > 0:
            self._kept.append(text[: self._room])
        self._room = max(0, self._room - len(text))


class _Child:
    """A started process, its pipes and the self-pipe that wakes the loop on a cancel."""

    def __init__(self, command: Command, on_output: OnOutput | None, limit: int) -> None:
        self._command = command
        self._input = (command.stdin or "").encode("utf-8", "surrogateescape")
        self._waking = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._pidfd = -1
        self._started = time.monotonic()
        try:
            self._process = _spawn(command)
        except BaseException:
            self._release()
            raise
        self._signals: list[tuple[float, signal.Signals]] = []
        self._timed_out = False
        self._cancelled = False
        assert self._process.stdout and self._process.stderr
        self._pipes = [
            _Pipe("stdout", self._process.stdout.fileno(), on_output, limit),
            _Pipe("stderr", self._process.stderr.fileno(), on_output, limit),
        ]
        try:
            self._pidfd = self._register()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        """End what is left of the group, then release all descriptors; the leader is reaped last (no pid reuse)."""
        self._kill(signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                if stream:
                    stream.close()
        self._release()

    def _release(self) -> None:
        self._selector.close()
        with self._waking:
            for fd in (self._wake_read, self._wake_write, self._pidfd):
                if fd >= 0:
                    os.close(fd)
            self._wake_write = -1

    def wake(self) -> None:
        """Wake the loop; a request that comes late finds the pipe closed and must not write to what took its number."""
        with self._waking, contextlib.suppress(OSError):
            if self._wake_write >= 0:
                os.write(self._wake_write, b"x")

    def _register(self) -> int:
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._on_wake)
        for pipe in self._pipes:
            os.set_blocking(pipe.fd, False)
            self._selector.register(pipe.fd, selectors.EVENT_READ, pipe)
        if self._process.stdin:
            os.set_blocking(self._process.stdin.fileno(), False)
            self._selector.register(self._process.stdin.fileno(), selectors.EVENT_WRITE, self._on_writable)
        try:
            pidfd = os.pidfd_open(self._process.pid)
        except (AttributeError, OSError):  # not Linux, or an old kernel: the loop polls
            return -1
        self._selector.register(pidfd, selectors.EVENT_READ, self._on_exit)
        return pidfd

    def _on_wake(self) -> None:
        os.read(self._wake_read, 1024)

    def _on_exit(self) -> None:
        self._selector.unregister(self._pidfd)

    def _on_writable(self) -> None:
        assert self._process.stdin
        try:
            self._input = self._input[os.write(self._process.stdin.fileno(), self._input[:_CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:
            self._input = b""
        if not self._input:
            self._selector.unregister(self._process.stdin.fileno())
            self._process.stdin.close()

    def follow(self, cancel: Cancel) -> ProcessResult:
        while not self._exited():
            self._check_deadlines(cancel)
            self._turn(self._pause())
        self._drain()
        self._kill(signal.SIGKILL)
        code = self._process.wait()
        return ProcessResult(
            exit_code=code,
            stdout=self._pipes[0].text,
            stderr=self._pipes[1].text,
            duration_s=time.monotonic() - self._started,
            cancelled=self._cancelled and not self._timed_out,
            timed_out=self._timed_out,
            truncated=any(pipe.truncated for pipe in self._pipes),
        )

    def _turn(self, timeout: float) -> bool:
        """Handle what is ready within `timeout` seconds; return whether anything was."""
        ready = self._selector.select(timeout)
        for key, _ in ready:
            self._read(key.data) if isinstance(key.data, _Pipe) else key.data()
        if not ready:
            for pipe in self._pipes:
                pipe.flush()
        return bool(ready)

    def _read(self, pipe: _Pipe) -> None:
        try:
            data = os.read(pipe.fd, _CHUNK)
        except BlockingIOError:
            return
        pipe.feed(data, final=not data)
        if not data:
            self._selector.unregister(pipe.fd)

    def _pause(self) -> float:
        pauses = [_IDLE_FLUSH_S if self._pidfd >= 0 else _POLL_S]
        if self._signals:
            pauses.append(self._signals[0][0] - time.monotonic())
        if self._command.timeout is not None and not self._timed_out:
            pauses.append(self._started + self._command.timeout - time.monotonic())
        return max(0.0, min(pauses))

    def _exited(self) -> bool:
        if not hasattr(os, "waitid"):
            return self._process.poll() is not None
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        return os.waitid(os.P_PID, self._process.pid, flags) is not None

    def _check_deadlines(self, cancel: Cancel) -> None:
        now = time.monotonic()
        limit = self._command.timeout
        if limit is not None and now - self._started >= limit and not self._timed_out:
            self._timed_out = True
            self._begin_stop(now)
        if cancel.requested and not self._cancelled:
            self._cancelled = True
            self._begin_stop(now)
        if cancel.forced:
            self._signals = [(now, kind) for _, kind in self._signals]
        while self._signals and self._signals[0][0] <= now:
            self._kill(self._signals.pop(0)[1])

    def _begin_stop(self, now: float) -> None:
        if self._signals:
            return
        term = now + self._command.grace
        self._signals = [(now, signal.SIGINT), (term, signal.SIGTERM), (term + _TERM_GRACE_S, signal.SIGKILL)]

    def _drain(self) -> None:
        """Read what is left, waiting at most 0.3 s: a background grandchild may hold the pipe open for ever.

        What is in the pipes already is read after that too, in a bounded number of turns: `on_output` may be slow.
        """
        end = time.monotonic() + _DRAIN_S
        fds = {pipe.fd for pipe in self._pipes}
        late = 0
        while fds & set(self._selector.get_map()) and late < _DRAIN_TURNS:
            left = end - time.monotonic()
            late += left <= 0
            if not self._turn(max(0.0, left)) and left <= 0:
                break
        for pipe in self._pipes:
            pipe.feed(b"", final=True)

    def _kill(self, kind: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, kind)
