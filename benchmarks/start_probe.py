"""The program's own start, timed from inside; run by start_up.py as a process of its own, one start a process.

Arguments: the process's birth (epoch seconds) and the data directory. Prints one JSON line: seconds from the birth to
the frame painted and a click on the rail answered (`frame`), to the Deploy page painted (`deploy`), and the longest
gap of the event loop from the first paint on while the rest is loaded (`stall`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ansflow_desktop import cli
from ansflow_desktop.commands import window

if TYPE_CHECKING:
    from types import ModuleType


def main() -> None:
    """Start as `ansflow-desktop` does; the watch is put in when the window's own module has been imported."""
    load, watches = window.load_app, []

    def load_app() -> ModuleType:
        app = load()
        from start_watch import Watch

        watches.append(Watch(app, float(sys.argv[1])))
        return app

    window.load_app = load_app
    code = cli.main(["--data-dir", sys.argv[2], "--lang", "en"])
    import json  # not before: the program's own start does not need it

    print(json.dumps({**watches[0].marks, "stall": watches[0].longest}))
    sys.exit(code)


if __name__ == "__main__":
    main()
