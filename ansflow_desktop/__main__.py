"""Start of the program: `ansflow-desktop` and `python -m ansflow_desktop`."""

from __future__ import annotations

import os
import sys

from ansflow_desktop import cli


def main() -> int:
    """Run the command line, or the window when no subcommand is given, and return the exit code."""
    _fill_closed_streams()
    try:
        code = cli.main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _fill_closed_streams() -> None:
    """Put nothing in the place of a standard stream that was closed (`>&-`).

    Otherwise the next file that is opened takes its number, and what is meant for the terminal ends up there.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, number)
            if nothing != number:
                os.close(nothing)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


if __name__ == "__main__":
    sys.exit(main())
