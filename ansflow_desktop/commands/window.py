"""The window as the command line's default, and in plain words why it cannot open."""

from __future__ import annotations

import gc
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg

if TYPE_CHECKING:
    from ansflow_desktop.executors.services import Options


def has_display() -> bool:
    """Return whether a window can be shown: on Linux a display is named, or Qt was told how to draw."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform != "linux" or any(os.environ.get(name) for name in names)


def draw_without_display() -> None:
    """Let Qt draw into memory where there is no display; an explicit choice of the caller's stays.

    Qt's remarks on what that cannot do (size hints for a window manager) are of no use to anybody and left out.
    """
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")


def load_app() -> ModuleType:
    """Import the window; raises UserError where Qt's system libraries are missing."""
    try:
        from ansflow_desktop import app
    except ImportError as error:
        raise UserError(
            msg("The libraries of the window could not be loaded"),
            str(error),
            msg(
                "On Debian and Ubuntu: apt-get install %(packages)s",
                packages="libegl1 libgl1 libxkbcommon0 libfontconfig1 libdbus-1-3 libxcb-cursor0",
            ),
            code=ExitCode.FAILED,
        ) from error
    return app


def open_window(options: Options, chart: str | None = None, cluster: str | None = None) -> int:
    """Open the window and return the program's exit code once it is closed; raises UserError without a display."""
    if not has_display():
        raise UserError(
            msg("There is no display to open a window on"),
            "",
            msg("Everything works on the command line too: ansflow-desktop --help"),
            code=ExitCode.FAILED,
        )
    gc.disable()  # until the frame is painted (performance.md, goal 9): imports make no garbage worth looking for
    return int(load_app().run_window(options, chart=chart, cluster=cluster))
