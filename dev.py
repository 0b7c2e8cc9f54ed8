"""Everything a developer needs, from a clone and a bare Python 3.11 to 3.13: `python3 dev.py demo|test|lint|...`.

Standard library only. What is missing is set up first: .venv from a hash-pinned lock, the system libraries that Qt
needs, and the practice cluster's tools. An interrupted set-up goes on where it stopped; a second start takes seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCKS = {"run": ROOT / "packaging/requirements.lock", "dev": ROOT / "packaging/requirements-dev.lock"}

# Library -> Debian package. Qt's offscreen platform needs the first table, a desktop the second or third besides.
LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
}
X11_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
}
WAYLAND_LIBRARIES = {"libwayland-cursor.so.0": "libwayland-cursor0", "libwayland-egl.so.1": "libwayland-egl1"}
NODE_PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "busybox": "busybox-static",
    "ip": "iproute2",
    "openssl": "openssl",
}
CNI = Path("/usr/lib/cni/loopback")


class Stop(Exception):
    """The set-up cannot go on; the text says why and what to do."""


class Ended(KeyboardInterrupt):
    """Somebody ends dev.py (SIGTERM) or closed the terminal (SIGHUP): like Ctrl+C, but told to dev.py alone."""


def on_end(*_):
    """Take the signal as an interrupt."""
    raise Ended


@contextlib.contextmanager
def part(name):
    """Print what is being done, and afterwards how long it took."""
    print(f"== {name}", flush=True)
    start = time.monotonic()
    yield
    print(f"== {name}: {time.monotonic() - start:.1f} s", flush=True)


def run(*command, check=True, **options):
    """Run a command with its output shown and return its exit code; raises Stop when it fails and `check` is set.

    Interrupted, it waits for the command's own end: what that started is its to clean up. A terminal interrupts both.
    """
    with subprocess.Popen([str(word) for word in command], cwd=ROOT, **options) as child:
        try:
            code = child.wait()
        except KeyboardInterrupt as interrupt:
            if isinstance(interrupt, Ended) or not os.isatty(0):
                child.send_signal(signal.SIGINT)
            child.wait()
            raise
    if check and code:
        raise Stop(f"This failed with exit code {code}: {shlex.join(str(word) for word in command)}")
    return code


def quiet(*command):
    """Return True when a command can be run and succeeds; its output is thrown away."""
    try:
        return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def has_display():
    """Return True where a window can be shown."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def check_python():
    """Refuse a Python that the locked packages do not run on."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        found = ".".join(str(number) for number in sys.version_info[:3])
        raise Stop(f"Python 3.11, 3.12 or 3.13 is needed; this is {found}. Start dev.py with one of those.")


def apt_install(packages, why):
    """Install Debian packages as root or by `sudo -n`; raises Stop with the exact command where that cannot be."""
    words = ["apt-get", "install", "-y", "--no-install-recommends", *sorted(packages)]
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    typed = f"apt-get update && {shlex.join(words)}"
    if not shutil.which("apt-get"):
        raise Stop(f"{why}. Install what Debian calls: {' '.join(sorted(packages))}")
    if not root and not quiet("sudo", "-n", "true"):
        raise Stop(f"{why}. Run this, then start again:\n  sudo sh -c {shlex.quote(typed)}")
    with part(f"installing {' '.join(sorted(packages))}"):
        prefix = [] if root else ["sudo", "-n"]
        setting = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
        run(*setting, "apt-get", "update", "-qq", check=False)
        if run(*setting, *words, check=False):
            raise Stop(f"{why}. This failed:\n  {typed}")


def loadable(library):
    """Return True when the system's loader finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_chinese_font():
    """Return True when a font with Chinese characters is installed."""
    if shutil.which("fc-list"):
        return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout.strip())
    folders = (Path("/usr/share/fonts"), Path.home() / ".local/share/fonts", Path.home() / ".fonts")
    return any(word in str(file) for folder in folders for file in folder.rglob("*.tt?") for word in ("CJK", "wqy"))


def system_libraries():
    """Install what Qt needs and is not there, and a font for Chinese text."""
    if sys.platform != "linux":
        return
    wanted = dict(LIBRARIES)
    wanted.update(X11_LIBRARIES if os.environ.get("DISPLAY") else {})
    wanted.update(WAYLAND_LIBRARIES if os.environ.get("WAYLAND_DISPLAY") else {})
    missing = {package for library, package in wanted.items() if not loadable(library)}
    if missing:
        apt_install(missing, "Libraries that the window needs are missing")
    if not has_chinese_font():
        try:
            apt_install({"fonts-noto-cjk"}, "No font with Chinese characters was found")
        except Stop as stop:
            print(f"{stop}\nGoing on without: Chinese text will show as boxes.")


def virtual_environment(lock):
    """Make .venv hold exactly what `lock` pins; nothing is done when it already does."""
    check_python()
    stamp = VENV / f".installed-{lock}"
    wanted = hashlib.sha256(LOCKS[lock].read_bytes() + sys.version.encode() + str(ROOT).encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted and quiet(str(PYTHON), "-c", "import ansflow_desktop"):
        return
    with part(f"setting up .venv ({lock})"):
        make_venv()
        options = ("--require-hashes", "--only-binary", ":all:", "--no-compile", "--disable-pip-version-check")
        run(PYTHON, "-m", "pip", "install", *options, "-r", LOCKS[lock])
        add_clone_to_path()
        stamp.write_text(wanted)


def make_venv():
    """Create .venv, or create it anew when it is broken or of another Python."""
    version = "import sys, pip; sys.exit(sys.version_info[:2] != ({}, {}))".format(*sys.version_info[:2])
    if quiet(str(PYTHON), "-c", version):
        return
    if not quiet(sys.executable, "-c", "import ensurepip, venv"):
        numbered = "python{}.{}-venv".format(*sys.version_info[:2])
        apt_install({numbered}, "This Python has no venv module")
    run(sys.executable, "-m", "venv", "--clear", VENV)


def add_clone_to_path():
    """Let the environment's Python import the package from this clone (an editable install is refused by hashes)."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([str(PYTHON), "-c", ask], capture_output=True, text=True, check=True)
    Path(answer.stdout.strip(), "ansflow-desktop-clone.pth").write_text(f"{ROOT}\n", encoding="utf-8")


def practice_tools():
    """Get the practice cluster's programs (found, downloaded or built); return True when they are there."""
    with part("practice cluster's tools"):
        return run(PYTHON, "-m", "ansflow_desktop.practice.build", check=False) == 0


def node_packages():
    """Install what the tests with a real kubelet use, as root on Debian, best effort: those tests skip without."""
    missing = {package for program, package in NODE_PROGRAMS.items() if not shutil.which(program)}
    missing |= set() if CNI.exists() else {"containernetworking-plugins"}
    if missing and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        try:
            apt_install(missing, "Packages for the tests with a real node are missing")
        except Stop as stop:
            print(f"{stop}\nGoing on: those tests will be skipped.")


def offscreen():
    """Return this environment with Qt drawing into memory instead of on a display."""
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen"}


def demo(options):
    """Show the product: practice cluster, examples/fe-app, and either the window or the same job in the terminal."""
    virtual_environment("run")
    system_libraries()
    headless = options.headless or not has_display()
    ready = practice_tools()
    if not ready:
        print("The practice cluster's tools could be neither downloaded nor built; the kubeconfig's clusters are left.")
    words = (["--headless"] if headless else []) + ([] if ready else ["--no-practice"])
    environment = offscreen() if headless else dict(os.environ)
    with part("demo"):
        return run(PYTHON, "-m", "ansflow_desktop.commands.demo", *words, check=False, env=environment)


def test(options):
    """Run the whole suite, control plane included; fails below 85 % of lines."""
    virtual_environment("dev")
    system_libraries()
    node_packages()
    if not practice_tools():
        raise Stop("The tests need the practice cluster's tools; see above why they are not there.")
    with part("tests"):
        return run(PYTHON, ROOT / "tests/suite.py", *options.rest, check=False, env=offscreen())


def lint(_options):
    """Check style, documentation and types."""
    virtual_environment("dev")
    code = 0
    for words in (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)):
        with part(" ".join(words)):
            code = run(PYTHON, "-m", *words, check=False) or code
    return code


def bench(options):
    """Run the scripts in benchmarks/, or the ones named; each prints the ratio it measured."""
    virtual_environment("dev")
    system_libraries()
    practice_tools()
    scripts = sorted(path for path in (ROOT / "benchmarks").glob("*.py") if "`python3 dev.py bench" in path.read_text())
    code = 0
    for script in [path for path in scripts if not options.rest or path.stem in options.rest]:
        with part(script.name):
            code = run(PYTHON, script, check=False, env=offscreen()) or code
    return code


def screenshots(_options):
    """Write a picture of every page into screenshots/."""
    virtual_environment("run")
    system_libraries()
    with part("screenshots"):
        return run(PYTHON, "-m", "ansflow_desktop", "screenshot", ROOT / "screenshots", check=False, env=offscreen())


def tools(_options):
    """Only get the practice cluster's tools."""
    virtual_environment("run")
    return 0 if practice_tools() else 1


def main():
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for function in (demo, test, lint, bench, screenshots, tools):
        made = commands.add_parser(function.__name__, help=function.__doc__.splitlines()[0].replace("%", "%%"))
        made.set_defaults(function=function)
        if function is demo:
            made.add_argument("--headless", action="store_true", help="in the terminal, even with a display")
    options, rest = parser.parse_known_args()
    if options.command != "test" and (rest if options.command != "bench" else [w for w in rest if w.startswith("-")]):
        parser.error("unrecognized arguments: " + " ".join(rest))
    options.rest = rest
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, children would ignore it too
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), on_end)
    try:
        return options.function(options)
    except Stop as stop:
        print(stop, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next start goes on from here.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
