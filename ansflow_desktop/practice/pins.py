"""Versions, official addresses and checksums of the tools, read from pins.toml: the only file that names them."""

from __future__ import annotations

import functools
import platform
import sys
import tomllib
from pathlib import Path

import msgspec

CLUSTER_TOOLS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "helm4")
"""What one practice cluster needs to run; helm makes its certificates (pki.py)."""

TEST_TOOLS = (*CLUSTER_TOOLS, "kubectl", "helm3")
"""What the tests on a control plane need."""

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """One tool, its placeholders already replaced for this machine.

    `key` names it uniquely (`helm3`), `name` is the program's file name (`helm`). `url` is empty where the publisher
    offers nothing for this system. `sha256` is the pinned checksum, else empty and `checksum` says where to ask.
    """

    key: str
    name: str
    version: str
    url: str
    member: str
    sha256: str
    checksum: str
    module: str
    package: str
    ldflags: str

    @property
    def folder(self) -> str:
        """The tool's folder below `Directories.tools`: `<name>-<version>`."""
        return f"{self.name}-{self.version}"


class _Tool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    version: str
    url: str
    checksum: str
    module: str
    package: str
    ldflags: str
    member: str = ""
    systems: tuple[str, ...] = ()
    urls: dict[str, str] = {}
    sha256: dict[str, str] = {}


class _Go(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    package: str
    minimum: str


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    go: _Go
    versions: dict[str, str]
    tools: dict[str, _Tool]


@functools.cache
def _file() -> _File:
    text = (Path(__file__).parent / "pins.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _File)


def system() -> str:
    """Return this machine's system as the publishers spell it: `linux` or `darwin`."""
    return "darwin" if sys.platform == "darwin" else "linux"


def architecture() -> str:
    """Return this machine's processor as the publishers spell it: `amd64`, `arm64`, or what the system says."""
    machine = platform.machine().lower()
    return _ARCHITECTURES.get(machine, machine)


def names() -> tuple[str, ...]:
    """Return the keys of all tools."""
    return tuple(_file().tools)


def pin(key: str, os_name: str | None = None, arch: str | None = None) -> Pin:
    """Return the pin of `key` for this machine, or for `os_name` and `arch`. Raises KeyError for an unknown key."""
    tool = _file().tools[key]
    version = _file().versions[tool.version]
    os_name, arch = os_name or system(), arch or architecture()
    major, minor, *_ = version.split(".")
    values = {"version": version, "os": os_name, "arch": arch, "major": major, "minor": minor}
    offered = not tool.systems or os_name in tool.systems
    url = tool.urls.get(os_name, tool.url).format(**values) if offered else ""
    return Pin(
        key=key,
        name=tool.name,
        version=version,
        url=url,
        member=tool.member.format(**values),
        sha256=tool.sha256.get(f"{os_name}-{arch}", ""),
        checksum=tool.checksum.format(url=url, **values),
        module=tool.module,
        package=tool.package,
        ldflags=tool.ldflags.format(**values),
    )


def go_package() -> str:
    """Return the name of the PyPI package that holds Go."""
    return _file().go.package


def go_minimum() -> str:
    """Return the lowest Go version that builds every module: the highest `go` line of packaging/tools."""
    return _file().go.minimum


def version(name: str) -> str:
    """Return the pinned version of `kubernetes`, `helm4`, `helm3`, `etcd`, `kwok` or `go`."""
    return _file().versions[name]
