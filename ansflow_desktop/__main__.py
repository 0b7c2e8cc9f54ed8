"""Start of the program: `ansflow-desktop` and `python -m ansflow_desktop`."""

from __future__ import annotations

import os
import sys

from ansflow_desktop import cli


def main() -> int:
    """Run the command line, or the window when no subcommand is given, and return the exit code."""
    try:
        code = cli.main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
