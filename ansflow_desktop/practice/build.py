"""Builds a tool from its Go module; `python -m ansflow_desktop.practice.build [names]` gets the tools by hand.

The modules in packaging/tools pin every source by checksum (go.sum), so a build needs no other trust. A build goes
into a temporary file that is renamed at the end: an interrupted one leaves nothing that could be taken for a tool,
and Go's own build cache makes the next attempt go on where it stopped.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg, set_language, translate
from ansflow_desktop.models.command import Command
from ansflow_desktop.practice import golang, pins
from ansflow_desktop.practice.progress import Progress
from ansflow_desktop.process import Cancel, ProcessRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_OUTPUT_TAIL = 3000
_REPORT_S = 1.0


def build(pin: pins.Pin, tools_dir: Path, report: Callable[[Progress], None], cancel: Cancel | None = None) -> Path:
    """Build the program of `pin` into a temporary file below `tools_dir` and return its path.

    Raises UserError with Go's own output when it fails, or when the user cancelled; OSError for a folder or disk that
    cannot be written.
    """
    go = golang.find_or_install(tools_dir, report, cancel)
    target = tools_dir / ".building" / f"{pin.folder}.{os.getpid()}"
    target.parent.mkdir(parents=True, exist_ok=True)
    ticker = _Ticker(pin.key, report)
    result = ProcessRunner().run(command(go, pin, target), lambda _stream, _text: ticker.tick(), cancel)
    if result.cancelled:
        target.unlink(missing_ok=True)
        raise UserError(msg("Cancelled"), code=ExitCode.CANCELLED)
    if result.exit_code != 0:
        target.unlink(missing_ok=True)
        raise UserError(
            msg("%(tool)s could not be built", tool=pin.name),
            (result.stderr or result.stdout).strip()[-_OUTPUT_TAIL:],
            msg("Go has to be able to download its modules once, from the module proxy that `go env GOPROXY` names."),
            code=ExitCode.FAILED,
        )
    return target


def command(go: Path, pin: pins.Pin, target: Path) -> Command:
    """Return the command that builds `pin` into `target`: reproducible paths, pinned sources, static program."""
    argv = (str(go), "build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false")
    return Command(
        argv=(*argv, "-ldflags", f"-s -w {pin.ldflags}".strip(), "-o", str(target), pin.package),
        cwd=str(paths.tool_modules() / pin.module),
        env={
            "CGO_ENABLED": "0",
            "GOTOOLCHAIN": "local",
            "GOFLAGS": None,
            "GOWORK": "off",
            "GOOS": None,
            "GOARCH": None,
        },
        purpose="build",
    )


class _Ticker:
    """Reports the time so far at most once a second: Go names each package that it compiles, not how many are left."""

    def __init__(self, tool: str, report: Callable[[Progress], None]) -> None:
        self._tool, self._report = tool, report
        self._begun = self._told = time.monotonic()
        report(Progress(tool=tool, what=msg("Building")))

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._told >= _REPORT_S:
            self._told = now
            self._report(Progress(tool=self._tool, what=msg("Building"), elapsed_s=now - self._begun))


class _Printer:
    """Prints progress as lines: every new activity, and a running one every ten seconds or ten per cent."""

    def __init__(self) -> None:
        self._last: tuple[str, str, int] | None = None

    def __call__(self, progress: Progress) -> None:
        step = int(progress.elapsed_s / 10) if progress.fraction is None else int(progress.fraction * 10)
        line = (progress.tool, translate(progress.what), step)
        if line != self._last:
            self._last = line
            amount = f"{progress.elapsed_s:.0f} s" if progress.fraction is None else f"{progress.fraction:.0%}"
            sys.stdout.write(f"{line[0]}: {line[1]} {amount if step else ''}".rstrip() + "\n")
            sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Get the named tools (all that the tests need when none is named), print progress and return the exit code."""
    from ansflow_desktop.practice import tools

    set_language(None)
    names = tuple(sys.argv[1:] if arguments is None else arguments) or pins.TEST_TOOLS
    cancel = Cancel()
    try:
        tools.ensure(paths.directories().tools, names, _Printer(), cancel)
    except UserError as error:
        parts = (translate(part) for part in (error.title, error.message, error.hint))
        sys.stderr.write("\n".join(part for part in parts if part) + "\n")
        return int(error.code)
    except KeyboardInterrupt:
        return int(ExitCode.CANCELLED)
    return int(ExitCode.DONE)


if __name__ == "__main__":
    sys.exit(main())
