"""The whole suite as `python3 dev.py test` runs it: everything on a few workers, the real node beside, one coverage.

A file goes to one worker, so that clusters of a file are started once; those with clusters begin first. They wait more
than they compute, thus one worker more than a small machine has processors, and the node at the same time: where
memory is short there are two, and the node comes last. However it ends, no daemon of a practice cluster stays: pytest
is asked to stop and given time to clean up, then what is left is ended. Standard library only.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
LEAST_LINES = 85
MAIN = ("tests/cluster", "tests/qt", "tests/unit")
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
COVERAGE = ("--cov=ansflow_desktop", "--cov-report=")
NODE_DATA = ".coverage-node"
BYTECODE = ROOT / ".pytest_cache" / "bytecode"
ENOUGH_KIB = 6 * 1024 * 1024
CLEAN_UP_S = 60.0
SWEEP = "import pathlib, sys; from ansflow_desktop.practice import daemons; daemons.stop(pathlib.Path(sys.argv[1]))"


def main(words: list[str]) -> int:
    """Run the tests that `words` choose, or all of them with their coverage; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        if any(not word.startswith("-") for word in words):
            return together([Part("chosen", *workers(), *words)])
        return everything(words) or covered()
    except KeyboardInterrupt:
        return 130


def everything(words: list[str]) -> int:
    """Run both parts, beside each other where memory allows; return the exit code of the first that failed."""
    both = [
        Part("main", *workers(), *COVERAGE, *MAIN, *words),
        Part("node", "-p", "no:xdist", *COVERAGE, "tests/node", *words, data=NODE_DATA),
    ]
    if roomy():
        return together(both)
    codes = [together([one]) for one in both]
    return codes[0] or codes[1]


def workers() -> tuple[str, ...]:
    """Return pytest's words for how many workers there are and what each gets."""
    return ("-n", "3" if roomy() else "2", *BY_FILE)


def roomy() -> bool:
    """Return whether there is memory for another worker and the node: each with a control plane, about 1 GiB."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) >= ENOUGH_KIB
    return False


class Part:
    """One run of pytest in a session of its own: Ctrl+C reaches only us, and is handed on once to it and its workers.

    It has a temporary folder that is swept and removed afterwards; its coverage goes to the file `data`.
    """

    def __init__(self, name: str, *words: str, data: str = ".coverage") -> None:
        """Keep what pytest will be told; nothing is started."""
        self.name, self.words, self.data = name, words, data
        # by the name of the folder above tests/cluster/conftest.py knows sessions, to end those that were killed
        self.folder = Path(tempfile.gettempdir(), f"pytest-of-{getpass.getuser()}", f"{name}-{os.getpid()}")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, output: IO[bytes] | None = None) -> None:
        """Start pytest; it writes to the file `output`, or where we do."""
        self.folder.parent.mkdir(mode=0o700, exist_ok=True)
        self.begun = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "--durations=15", f"--basetemp={self.folder}", *self.words]
        environment = with_bytecode() | {"COVERAGE_FILE": str(ROOT / self.data)}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )

    def wait(self) -> int:
        """Return the exit code, once it ended by itself."""
        assert self.process
        return self.process.wait()

    def ask_to_stop(self) -> None:
        """Interrupt pytest and its workers, where they still run."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> None:
        """Give pytest time to clean up and end it where it does not; sweep what it left and say how long it took."""
        if not self.process:
            return
        try:
            self.process.wait(CLEAN_UP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        command = [sys.executable, "-c", SWEEP, str(self.folder)]
        subprocess.run(command, cwd=ROOT, check=False, start_new_session=True)
        for left in (self.folder, BYTECODE / self.folder.relative_to(self.folder.anchor)):
            shutil.rmtree(left, ignore_errors=True)
        print(f"== {self.name} tests: {time.monotonic() - self.begun:.1f} s", flush=True)


def with_bytecode() -> dict[str, str]:
    """Return our environment with compiled modules kept in one folder, whether or not they may lie beside the sources.

    Without, each worker rewrites and compiles every test file, and each command that is tested the whole program.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(BYTECODE)}


def together(parts: list[Part]) -> int:
    """Run all `parts` at once; the output of the first is seen as it comes, that of others when all have ended."""
    with contextlib.ExitStack() as files:
        outputs = [None, *(files.enter_context(tempfile.TemporaryFile()) for _ in parts[1:])]
        try:
            for part, output in zip(parts, outputs, strict=True):
                part.start(output)
            codes = [part.wait() for part in parts]
            return next((code for code in codes if code), 0)
        except KeyboardInterrupt:
            stop(parts)
            raise
        finally:
            for part, output in zip(parts, outputs, strict=True):
                part.end()
                show(output)


def stop(parts: list[Part]) -> None:
    """Ask all that run to stop; from now on nothing interrupts the cleaning up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    print("Stopping; clusters of the tests are being ended.", flush=True)
    for part in parts:
        part.ask_to_stop()


def show(output: IO[bytes] | None) -> None:
    """Print what a part wrote to a file."""
    if output:
        output.seek(0)
        print(output.read().decode(errors="replace"), flush=True)


def covered() -> int:
    """Print the lines covered by all parts together and return 0 where there are enough of them."""
    subprocess.run([sys.executable, "-m", "coverage", "combine", "--append", NODE_DATA], cwd=ROOT, check=False)
    report = ("coverage", "report", "--skip-covered", f"--fail-under={LEAST_LINES}")
    return subprocess.run([sys.executable, "-m", *report], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
