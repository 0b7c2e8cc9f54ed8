"""The whole suite as `python3 dev.py test` runs it: everything on two workers, the real node by itself, one coverage.

A file goes to one worker, so that clusters of a file are started once; those with clusters begin first. However it
ends, no daemon of a practice cluster stays: pytest is asked to stop and given time to clean up, then what is left is
ended. Standard library only.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEAST_LINES = 85
MAIN = ("tests/cluster", "tests/qt", "tests/unit")
WORKERS = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
COVERAGE = ("--cov=ansflow_desktop", "--cov-report=")
CLEAN_UP_S = 60.0
SWEEP = "import pathlib, sys; from ansflow_desktop.practice import daemons; daemons.stop(pathlib.Path(sys.argv[1]))"


def main(words: list[str]) -> int:
    """Run the tests that `words` choose, or all of them with their coverage; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        if any(not word.startswith("-") for word in words):
            return part("chosen", *WORKERS, *words)
        main_code = part("main", *WORKERS, *COVERAGE, *MAIN, *words)
        node_code = part("node", "-p", "no:xdist", *COVERAGE, "--cov-append", "tests/node", *words)
        return main_code or node_code or covered()
    except KeyboardInterrupt:
        return 130


def part(name: str, *words: str) -> int:
    """Run pytest once, in a temporary folder of its own that is swept and removed afterwards."""
    # the name of the folder above is what tests/cluster/conftest.py knows sessions by, to end those that were killed
    folder = Path(tempfile.gettempdir(), f"pytest-of-{getpass.getuser()}", f"{name}-{os.getpid()}")
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    begun = time.monotonic()
    try:
        return pytest("-q", "--durations=15", f"--basetemp={folder}", *words)
    finally:
        subprocess.run([sys.executable, "-c", SWEEP, str(folder)], cwd=ROOT, check=False, start_new_session=True)
        shutil.rmtree(folder, ignore_errors=True)
        print(f"== {name} tests: {time.monotonic() - begun:.1f} s", flush=True)


def pytest(*words: str) -> int:
    """Run pytest in a session of its own: Ctrl+C reaches only us, and is handed on once to it and its workers."""
    command = [sys.executable, "-m", "pytest", *words]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            stop(process)
            raise


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the group of pytest to stop, and end it where it does not."""
    print("Stopping; clusters of the tests are being ended.", flush=True)
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(CLEAN_UP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def covered() -> int:
    """Print the lines covered by all parts together and return 0 where there are enough of them."""
    report = ("coverage", "report", "--skip-covered", f"--fail-under={LEAST_LINES}")
    return subprocess.run([sys.executable, "-m", *report], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
