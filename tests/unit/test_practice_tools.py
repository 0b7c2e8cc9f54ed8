"""Getting a tool: found, downloaded, built by a real Go; cancelled, failed, and by two at once."""

import hashlib
import os
import stat
import subprocess
import sys
import threading
import venv
import zipfile

import pytest

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.practice import build, golang, pins, tools
from ansflow_desktop.practice.downloads import Downloader, Unavailable
from ansflow_desktop.process import Cancel

GO_MODULE = "module example.com/tiny\n\ngo 1.26\n"


class Offline(Downloader):
    """A machine that reaches no publisher."""

    def fetch(self, pin, folder, report, cancel=None):
        raise Unavailable("no network here")


def a_pin(**changes):
    values = {"key": "tiny", "name": "tiny", "version": "1.2.3", "url": "", "member": "", "sha256": "", "checksum": ""}
    values |= {"module": "tiny", "package": "example.com/tiny", "ldflags": "-X main.version=1.2.3"}
    return pins.Pin(**{**values, **changes})


def a_script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A folder of Go modules with one tiny program in it."""
    folder = tmp_path / "modules" / "tiny"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text(GO_MODULE)
    (folder / "main.go").write_text('package main\n\nvar version = "none"\n\nfunc main() { print(version) }\n')
    monkeypatch.setattr(paths, "tool_modules", lambda: folder.parent)
    return folder


@pytest.fixture
def fake_go(tmp_path, monkeypatch):
    """A function that puts a `go` with the given `build` in front of PATH."""

    def install(build_text, version="go1.99.1"):
        script = f'case "$1" in version) echo go version {version} linux/amd64;; build) {build_text};; esac\n'
        a_script(tmp_path / "bin" / "go", script)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    return install


def ensure(folder, pin, **options):
    seen = []
    tools.ensure(folder, [pin], seen.append, downloader=Offline(), **options)
    return seen


def test_a_tool_on_disk_is_taken_as_it_is(tmp_path):
    a_script(tmp_path / "tiny-1.2.3" / "tiny", "exit 0\n")
    assert ensure(tmp_path, a_pin()) == []


def test_an_unknown_tool_names_the_known_ones(tmp_path):
    with pytest.raises(UserError, match=r"no tool called nosuch.*kube-apiserver"):
        tools.ensure(tmp_path, ["nosuch"], lambda progress: None)


@pytest.mark.skipif(golang.on_path() is None, reason="no Go on PATH that is new enough")
def test_a_tool_that_cannot_be_downloaded_is_built_with_its_version(tmp_path, modules):
    seen = ensure(tmp_path / "tools", a_pin())
    program = tmp_path / "tools" / "tiny-1.2.3" / "tiny"
    assert subprocess.run([program], capture_output=True, text=True).stderr == "1.2.3"
    assert stat.S_IMODE(program.stat().st_mode) == 0o755
    assert list((tmp_path / "tools" / ".building").iterdir()) == []
    assert str(seen[0].what) == "Building"
    assert str(seen[-1].what) == "Ready"


def test_a_failed_build_shows_both_reasons_and_leaves_nothing(tmp_path, modules, fake_go):
    fake_go("echo go: module lookup failed >&2; exit 1")
    with pytest.raises(UserError) as caught:
        ensure(tmp_path / "tools", a_pin())
    assert "no network here" in str(caught.value)
    assert "go: module lookup failed" in str(caught.value)
    assert caught.value.code is ExitCode.FAILED
    assert not (tmp_path / "tools" / "tiny-1.2.3").exists()


def test_cancel_ends_the_build(tmp_path, modules, fake_go):
    fake_go("echo compiling >&2; sleep 60 & wait")
    cancel = Cancel()
    timer = threading.Timer(0.3, cancel.request)
    timer.start()
    with pytest.raises(UserError) as caught:
        ensure(tmp_path / "tools", a_pin(), cancel=cancel)
    timer.join()
    assert caught.value.code is ExitCode.CANCELLED
    assert not (tmp_path / "tools" / "tiny-1.2.3").exists()


def test_two_at_once_build_it_once(tmp_path, modules, fake_go):
    log = tmp_path / "builds"
    fake_go(f'echo build >> {log}; while [ "$1" != -o ]; do shift; done; sleep 0.3; printf x > "$2"')
    failures = []

    def get():
        try:
            ensure(tmp_path / "tools", a_pin())
        except UserError as error:
            failures.append(error)

    threads = [threading.Thread(target=get) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert log.read_text() == "build\n"
    assert tools.is_program(tmp_path / "tools" / "tiny-1.2.3" / "tiny")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="could not be stored in"):
        ensure(tmp_path / "file", a_pin())


def test_an_old_go_is_not_used(fake_go):
    fake_go("exit 1", version="go1.20.3")
    assert golang.on_path() is None


@pytest.mark.parametrize(
    ("text", "version"),
    [("go version go1.26.8 linux/amd64", (1, 26, 8)), ("1.26", (1, 26, 0)), ("go1.27rc1", (1, 27, 0)), ("none", ())],
)
def test_versions_of_go_are_read(text, version):
    assert golang.parse_version(text) == version


def test_a_python_without_pip_says_so(tmp_path, monkeypatch, fake_go):
    fake_go("exit 1", version="go1.2")
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(UserError, match="has no pip") as caught:
        golang.find_or_install(tmp_path / "tools", lambda progress: None)
    assert pins.go_minimum() in str(caught.value.hint)


def test_the_newest_helm_is_preferred_and_a_major_can_be_asked_for(tmp_path):
    for key in ("helm3", "helm4"):
        pin = pins.pin(key)
        a_script(tmp_path / pin.folder / "helm", "exit 0\n")
    assert tools.tool_path(tmp_path, "helm").parent.name == f"helm-{pins.version('helm4')}"
    assert tools.tool_path(tmp_path, "helm", 3).parent.name == f"helm-{pins.version('helm3')}"
    assert tools.tool_path(tmp_path, "kubectl") is None
    assert tools.missing(tmp_path, ["helm3", "helm", "kubectl"]) == ("kubectl",)


def test_a_file_that_is_not_executable_is_no_tool(tmp_path):
    path = a_script(tmp_path / f"etcd-{pins.version('etcd')}" / "etcd", "exit 0\n")
    path.chmod(0o644)
    assert tools.tool_path(tmp_path, "etcd") is None


def test_the_command_line_gets_tools_and_prints_lines(tmp_path, capsys, isolated_home, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    pin = pins.pin("etcd")
    a_script(folder / paths.APP / "tools" / pin.folder / "etcd", "exit 0\n")
    assert build.main(["etcd"]) == 0
    assert build.main(["nosuch"]) == ExitCode.INVALID
    assert "no tool called nosuch" in capsys.readouterr().err


def test_progress_lines_are_not_repeated(capsys):
    from ansflow_desktop.practice.progress import Progress

    printer = build._Printer()
    for elapsed in (0, 1, 2, 11, 12):
        printer(Progress(tool="etcd", what="Building", elapsed_s=elapsed))
    for fraction in (0.01, 0.02, 0.5, 0.51):
        printer(Progress(tool="kwok", what="Downloading", fraction=fraction))
    assert capsys.readouterr().out.splitlines() == [
        "etcd: Building",
        "etcd: Building 11 s",
        "kwok: Downloading",
        "kwok: Downloading 50%",
    ]


def test_every_pin_is_complete_and_its_module_is_there():
    for key in pins.names():
        for system in ("linux", "darwin"):
            for arch in ("amd64", "arm64"):
                pin = pins.pin(key, system, arch)
                assert pin.url.startswith("https://") or (system == "darwin" and key.startswith("kube"))
                assert pin.checksum.removeprefix("github:").startswith("https://") or not pin.url
                assert "{" not in pin.url + pin.member + pin.checksum + pin.ldflags
        module = paths.tool_modules() / pins.pin(key).module
        assert (module / "go.sum").is_file()
        assert f"{pins.pin(key).package}" in (module / "go.mod").read_text()


def test_the_minimum_of_go_is_the_highest_line_of_the_modules():
    lines = [path.read_text().split("\ngo ", 1)[1].split("\n", 1)[0] for path in paths.tool_modules().glob("*/go.mod")]
    assert golang.parse_version(pins.go_minimum()) == max(map(golang.parse_version, lines))


def test_versions_stand_in_the_modules_as_pinned():
    wanted = {
        "kubernetes": f"k8s.io/kubernetes v{pins.version('kubernetes')}",
        "helm4": f"helm.sh/helm/v4 v{pins.version('helm4')}",
        "helm3": f"helm.sh/helm/v3 v{pins.version('helm3')}",
        "etcd": f"go.etcd.io/etcd/server/v3 v{pins.version('etcd')}",
        "kwok": f"sigs.k8s.io/kwok v{pins.version('kwok')}",
    }
    for module, line in wanted.items():
        assert line in (paths.tool_modules() / module / "go.mod").read_text()


def a_go_wheel(folder):
    """Write a package like the one on PyPI, whose Go only says its version."""
    name = f"{pins.go_package().replace('-', '_')}-{pins.version('go')}"
    info = f"{name}.dist-info"
    texts = {
        "go/bin/go": f"#!/bin/sh\necho go version go{pins.version('go')} linux/amd64\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {pins.go_package()}\nVersion: {pins.version('go')}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
        for path, text in texts.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (stat.S_IFREG | 0o755) << 16
            wheel.writestr(entry, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in [*texts, f"{info}/RECORD"]))
    return folder / f"{name}-py3-none-any.whl"


def test_go_is_installed_once_from_a_package(tmp_path, monkeypatch, fake_go):
    fake_go("exit 1", version="go1.2")
    lock_go(tmp_path, monkeypatch, hashlib.sha256(a_go_wheel(tmp_path).read_bytes()).hexdigest())
    seen = []
    go = golang.find_or_install(tmp_path / "tools", seen.append)
    assert golang.version_of(go) == golang.parse_version(pins.version("go"))
    assert go.is_relative_to(tmp_path / "tools" / f"go-{pins.version('go')}")
    assert golang.find_or_install(tmp_path / "tools", seen.append) == go
    assert [str(progress.what) for progress in seen] == ["Installing Go from PyPI"]


def test_a_go_that_cannot_be_installed_shows_pips_words(tmp_path, monkeypatch, fake_go):
    fake_go("exit 1", version="go1.2")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UserError, match="No matching distribution"):
        golang.find_or_install(tmp_path / "tools", lambda progress: None)


def test_the_lock_pins_the_go_of_pins_toml_by_hash():
    first, *rest = golang.lock_file().read_text().splitlines()
    assert first == f"{pins.go_package()}=={pins.version('go')} \\"
    assert rest and all(line.strip().startswith("--hash=sha256:") for line in rest)


def lock_go(folder, monkeypatch, digest):
    """Let the lock pin a wheel with this SHA-256, and pip look in `folder` alone."""
    lock = folder / "go.lock"
    lock.write_text(f"{pins.go_package()}=={pins.version('go')} --hash=sha256:{digest}\n")
    monkeypatch.setattr(golang, "lock_file", lambda: lock)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


def test_a_go_package_with_another_hash_is_not_installed(tmp_path, monkeypatch, fake_go):
    fake_go("exit 1", version="go1.2")
    a_go_wheel(tmp_path)
    lock_go(tmp_path, monkeypatch, "0" * 64)
    with pytest.raises(UserError, match="DO NOT MATCH THE HASHES"):
        golang.find_or_install(tmp_path / "tools", lambda progress: None)
    assert golang.installed(tmp_path / "tools") is None
