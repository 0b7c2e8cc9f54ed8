"""The practice tools on this machine: where each is, and getting the ones that are missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.practice import build, locks, pins
from ansflow_desktop.practice.downloads import Downloader, Unavailable
from ansflow_desktop.practice.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ansflow_desktop.process import Cancel


def tool_path(tools_dir: Path, name: str, major: int | None = None) -> Path | None:
    """Return the pinned program `name` (`kubectl`, `helm`, `etcd`, ...) below `tools_dir`, or None.

    `major` chooses between Helm 3 and Helm 4; without it the newest pinned version that is there is returned.
    """
    found = [path for pin in _candidates(name, major) if is_program(path := path_of(tools_dir, pin))]
    return found[0] if found else None


def path_of(tools_dir: Path, pin: pins.Pin) -> Path:
    """Return where the program of `pin` belongs: `<tools>/<name>-<version>/<name>`."""
    return tools_dir / pin.folder / pin.name


def is_program(path: Path) -> bool:
    """Return whether `path` is a file that may be executed."""
    return path.is_file() and os.access(path, os.X_OK)


def _candidates(name: str, major: int | None) -> list[pins.Pin]:
    chosen = [pin for key in pins.names() if (pin := pins.pin(key)).name == name]
    return [pin for pin in chosen if major is None or pin.version.startswith(f"{major}.")]


def ensure(
    tools_dir: Path,
    names: Iterable[str | pins.Pin],
    on_progress: Callable[[Progress], None],
    cancel: Cancel | None = None,
    downloader: Downloader | None = None,
) -> None:
    """Get the tools `names` (keys of pins.py, `helm` for the newest, or pins): found, else downloaded, else built.

    A tool that another process is getting at the moment is waited for. Each tool is complete by itself, so an
    interrupted call goes on with the next one. Raises UserError for an unknown name, when a tool can be neither
    downloaded nor built, when a download has the wrong checksum, when the disk is full, or when the user cancelled.
    """
    downloader = downloader or Downloader()
    for pin in [_pin(name) for name in names]:
        if not is_program(path_of(tools_dir, pin)):
            _get(tools_dir, pin, on_progress, cancel, downloader)


def missing(tools_dir: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the keys `names` whose tool is not there yet."""
    return tuple(name for name in names if not is_program(path_of(tools_dir, _pin(name))))


def _pin(name: str | pins.Pin) -> pins.Pin:
    if isinstance(name, pins.Pin):
        return name
    if name in pins.names():
        return pins.pin(name)
    if candidates := _candidates(name, None):
        return candidates[0]
    known = ", ".join(pins.names())
    raise UserError(msg("There is no tool called %(name)s", name=name), "", msg("Tools: %(names)s", names=known))


def _get(
    tools_dir: Path,
    pin: pins.Pin,
    report: Callable[[Progress], None],
    cancel: Cancel | None,
    downloader: Downloader,
) -> None:
    def on_wait() -> None:
        report(Progress(tool=pin.key, what=msg("Waiting for another process that is getting it")))

    try:
        with locks.held(tools_dir / ".locks" / pin.folder, cancel, on_wait) as locked:
            if not locked:
                raise UserError(msg("Cancelled"), code=ExitCode.CANCELLED)
            if not is_program(path_of(tools_dir, pin)):
                _put(tools_dir, pin, _obtain(tools_dir, pin, report, cancel, downloader))
                report(Progress(tool=pin.key, what=msg("Ready"), fraction=1.0))
    except OSError as error:
        raise _not_written(tools_dir, error) from error


def _obtain(
    tools_dir: Path,
    pin: pins.Pin,
    report: Callable[[Progress], None],
    cancel: Cancel | None,
    downloader: Downloader,
) -> Path:
    """Return a temporary file on the same disk that holds the program."""
    folder = tools_dir / ".building"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return downloader.fetch(pin, folder, report, cancel)
    except Unavailable as unavailable:
        return _build(tools_dir, pin, report, cancel, unavailable.reason)


def _build(
    tools_dir: Path, pin: pins.Pin, report: Callable[[Progress], None], cancel: Cancel | None, reason: Text
) -> Path:
    try:
        return build.build(pin, tools_dir, report, cancel)
    except UserError as error:
        if error.code is ExitCode.CANCELLED:
            raise
        raise UserError(
            msg("%(tool)s can be neither downloaded nor built", tool=f"{pin.name} {pin.version}"),
            msg("Download: %(download)s. Build: %(build)s", download=reason, build=error.message or error.title),
            error.hint,
            code=ExitCode.FAILED,
        ) from error


def _put(tools_dir: Path, pin: pins.Pin, temporary: Path) -> None:
    """Move a finished program to its place: there it is whole, or it is not there."""
    target = path_of(tools_dir, pin)
    temporary.chmod(0o755)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(temporary, target)


def _not_written(tools_dir: Path, error: OSError) -> UserError:
    return UserError(
        msg("The practice tools could not be stored in %(folder)s", folder=str(tools_dir)),
        os.strerror(error.errno) if error.errno else str(error),
        msg("Make room there, or allow writing to it."),
        code=ExitCode.FAILED,
    )
