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
    """Start all daemons and return once each has become its program; exit with what went wrong where one did not."""
    order = json.load(sys.stdin)
    for daemon in order["daemons"]:
        problem = _start(daemon["argv"], daemon["log"])
        if problem:
            sys.exit(problem)


def _start(argv: list[str], log: str) -> str:
    """Start one daemon; return why it could not be, empty when it runs. The pipe closes itself when exec succeeds."""
    answer, tell = os.pipe()
    child = os.fork()
    if child == 0:
        _hand_over(argv, log, tell)
    os.close(tell)
    os.waitpid(child, 0)
    with os.fdopen(answer, encoding="utf-8", errors="replace") as words:
        return words.read()


def _hand_over(argv: list[str], log: str, tell: int) -> None:
    os.setsid()
    if os.fork():
        os._exit(0)
    try:
        _become(argv, log)
    except OSError as error:
        os.write(tell, f"{error.filename or argv[0]}: {error.strerror}".encode())
    finally:
        os._exit(127)


def _become(argv: list[str], log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(kind, signal.SIG_DFL)
    os.execv(argv[0], argv)  # noqa: S606  # an argument list; no shell is meant to be involved


if __name__ == "__main__":
    main()
