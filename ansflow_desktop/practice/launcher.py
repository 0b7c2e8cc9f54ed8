"""Starts daemons that outlive the program; run as a child process (`python -I launcher.py`), never imported.

Reads `{"cwd": ..., "daemons": [{"argv": [...], "log": ...}]}` from stdin. Every daemon gets a session of its own, no
terminal, its output in its log file, and init as its parent, so that it neither dies with the program nor stays
behind as a zombie.
"""

import json
import os
import signal
import sys


def main() -> None:
    """Start all daemons and return once each has been handed over."""
    order = json.load(sys.stdin)
    os.chdir(order["cwd"])
    for daemon in order["daemons"]:
        child = os.fork()
        if child == 0:
            _hand_over(daemon["argv"], daemon["log"])
        os.waitpid(child, 0)


def _hand_over(argv: list[str], log: str) -> None:
    os.setsid()
    if os.fork():
        os._exit(0)
    try:
        _become(argv, log)
    finally:
        os._exit(127)


def _become(argv: list[str], log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.closerange(3, 256)
    for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(kind, signal.SIG_DFL)
    try:
        os.execv(argv[0], argv)  # noqa: S606  # an argument list; no shell is meant to be involved
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
