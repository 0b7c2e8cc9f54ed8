"""helm and kubectl on this machine: where they are, which version they are, and whether that version will do."""

from __future__ import annotations

import os
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.command import Command, Tool, ToolSet
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.paths import expanded
from ansflow_desktop.process import ProcessRunner

Name: TypeAlias = Literal["helm", "kubectl"]

_ASK_TIMEOUT_S = 5.0
_GLANCE_S = 2.0  # for kubectl until something needs it: a hung one must not hold up what does not
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_OLDEST = {"helm": (3, 8, 0), "kubectl": (1, 24, 0)}
_GOOD_HELM = {3: (3, 20, 2), 4: (4, 1, 4)}  # failure-modes.md, "Helm 3 and Helm 4": plugin CVEs below
_GOOD_KUBECTL = (1, 30, 0)
# a desktop session's PATH misses these (conventions.md, 6)
_USUAL = (
    "/usr/local/bin",
    "~/.local/bin",
    "~/bin",
    "/opt/homebrew/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/snap/bin",
    "~/go/bin",
    "~/.krew/bin",
    "~/.asdf/shims",
    "~/.rd/bin",
)


class _Versions:
    """What each program said, by path, change time and size: asked once while the file stays the same."""

    lock = threading.Lock()
    known: dict[tuple[str, int, int], str] = {}  # noqa: RUF012  # one cache for the process, on purpose


def find_tools(helm: str | None, kubectl: str | None, tools_dir: Path) -> ToolSet:
    """Return helm and kubectl: as named explicitly, else from PATH, the usual places, and the practice tools.

    Raises UserError naming an explicit path that is no working program. A tool that is nowhere is None; one that was
    found but does not tell its version in time has version "" (`require_helm` and `require_kubectl` ask again).
    """
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(_find, "helm", helm, tools_dir)
        two = pool.submit(_find, "kubectl", kubectl, tools_dir)
        return ToolSet(helm=one.result(), kubectl=two.result())


def require_helm(toolset: ToolSet) -> Tool:
    """Return helm; raises UserError when there is none, it does not answer, or it is too old (below 3.8)."""
    return _required("helm", toolset.helm)


def require_kubectl(toolset: ToolSet) -> Tool:
    """Return kubectl; raises UserError when there is none, it does not answer, or it is too old (below 1.24)."""
    return _required("kubectl", toolset.kubectl)


def tool_warnings(toolset: ToolSet) -> tuple[Problem, ...]:
    """Return a warning for each tool that works but lacks security fixes or is older than what is tested."""
    found = [_helm_warning(toolset.helm), _kubectl_warning(toolset.kubectl)]
    return tuple(problem for problem in found if problem)


def version_numbers(version: str) -> tuple[int, int, int]:
    """Return `4.3.1` as (4, 3, 1); (0, 0, 0) where it cannot be read."""
    match = _VERSION.match(version)
    return (int(match[1]), int(match[2]), int(match[3])) if match else (0, 0, 0)


def _find(name: Name, explicit: str | None, tools_dir: Path) -> Tool | None:
    if explicit:
        return _explicit(name, explicit)
    paths = _candidates(name, tools_dir)
    found = _asked(name, paths[:1])
    if not found or not found[0].version:
        found += _asked(name, paths[1:])
    return next((tool for tool in found if tool.version), found[0] if found else None)


def _asked(name: Name, paths: list[str]) -> list[Tool]:
    """Ask the programs at `paths` for their versions, all at once."""
    if not paths:
        return []
    with ThreadPoolExecutor(len(paths)) as pool:
        versions = pool.map(lambda path: _version(name, path, _patience(name)), paths)
        return [Tool(name=name, path=path, version=version) for path, version in zip(paths, versions, strict=True)]


def _patience(name: Name) -> float:
    return _ASK_TIMEOUT_S if name == "helm" else min(_GLANCE_S, _ASK_TIMEOUT_S)


def _explicit(name: Name, given: str) -> Tool:
    typed = str(expanded(given))
    found = shutil.which(typed)
    if not found:
        raise UserError(
            msg("%(path)s is not a program that can be run", path=given),
            _why_not_a_program(Path(typed)),
            msg("Give the path of %(tool)s, or leave it out to look for it.", tool=name),
            field=name,
        )
    path = str(Path(found).absolute())  # it is asked, and later run, in another folder
    tool = Tool(name=name, path=path, version=_version(name, path, _ASK_TIMEOUT_S))
    return tool if tool.version else _raise_silent(tool)


def _why_not_a_program(path: Path) -> Message:
    if path.is_dir():
        return msg("It is a folder.")
    if path.is_file():
        return msg("The file may not be executed.")
    return msg("There is no such file.")


def _candidates(name: Name, tools_dir: Path) -> list[str]:
    folders = [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    folders += [expanded(part) for part in _USUAL]
    practice = sorted(
        tools_dir.glob(f"{name}-*"), key=lambda path: version_numbers(path.name.partition("-")[2]), reverse=True
    )
    paths = [str((folder / name).absolute()) for folder in [*folders, *practice]]
    return [path for path in dict.fromkeys(paths) if Path(path).is_file() and os.access(path, os.X_OK)]


def _version(name: Name, path: str, seconds: float) -> str:
    """Return what the program says its version is, "" where it does not say within `seconds`."""
    try:
        stat = Path(path).stat()
    except OSError:
        return ""
    key = (path, stat.st_mtime_ns, stat.st_size)
    with _Versions.lock:
        if key in _Versions.known:
            return _Versions.known[key]
    version = _ask(name, path, seconds)
    if version:
        with _Versions.lock:
            _Versions.known[key] = version
    return version


def _ask(name: Name, path: str, seconds: float) -> str:
    command = msgspec.structs.replace(version_command(name, path), timeout=seconds)
    try:
        result = ProcessRunner(capture_limit=65536).run(command)
    except UserError:
        return ""
    if result.exit_code != 0:
        return ""
    text = result.stdout.strip() if name == "helm" else _kubectl_version(result.stdout)
    match = _VERSION.match(text)
    return text.removeprefix("v") if match else ""


def version_command(name: Name, path: str) -> Command:
    """Return the command that asks a tool for its version (`helm version -c` fails on Helm 4); contacts no cluster."""
    ask = {"helm": ("version", "--template", "{{.Version}}"), "kubectl": ("version", "--client", "--output=json")}
    return Command(
        argv=(path, *ask[name]),
        cwd="/",
        env={"HELM_NO_PLUGINS": "1", "HELM_DEBUG": None, "KUBERC": "off", "KUBECONFIG": os.devnull},
        timeout=_ASK_TIMEOUT_S,
        grace=1.0,
        purpose="version",
    )


class _ClientVersion(msgspec.Struct, rename="camel"):
    git_version: str = ""


class _KubectlVersion(msgspec.Struct, rename="camel"):
    client_version: _ClientVersion = msgspec.field(default_factory=_ClientVersion)


def _kubectl_version(text: str) -> str:
    try:
        return msgspec.json.decode(text, type=_KubectlVersion).client_version.git_version
    except msgspec.MsgspecError:
        return ""


def _required(name: Name, tool: Tool | None) -> Tool:
    if tool is None:
        raise UserError(
            msg("%(tool)s was not found", tool=name),
            msg("Looked on PATH, in the usual folders, and among the practice tools."),
            msg("Install %(tool)s, or name its path with --%(tool)s or in the settings.", tool=name),
            field=name,
        )
    if not tool.version:
        tool = Tool(name=name, path=tool.path, version=_version(name, tool.path, _ASK_TIMEOUT_S))
        return _required(name, tool) if tool.version else _raise_silent(tool)
    if version_numbers(tool.version) < _OLDEST[name]:
        raise _too_old(tool)
    return tool


def _raise_silent(tool: Tool) -> Tool:
    raise UserError(
        msg("%(path)s does not answer as %(tool)s", path=tool.path, tool=tool.name),
        msg("Asked for its version, it failed or said nothing that could be read."),
        msg("Check the program, or name another one with --%(tool)s or in the settings.", tool=tool.name),
        field=tool.name,
    )


def _too_old(tool: Tool) -> UserError:
    return UserError(
        msg("%(tool)s %(version)s is too old", tool=tool.name, version=tool.version),
        tool.path,
        msg("Install %(tool)s %(least)s or newer.", tool=tool.name, least=_wanted(tool.name)),
        field=tool.name,
    )


def _wanted(name: str) -> Message:
    return msg("3.20.2 or 4.1.4") if name == "helm" else msg("1.30")


def _helm_warning(tool: Tool | None) -> Problem | None:
    good = _GOOD_HELM.get(tool.major) if tool else None
    if not tool or not good or version_numbers(tool.version) >= good:
        return None
    return Problem(
        field="helm",
        title=msg("helm %(version)s has known security holes", version=tool.version),
        message=tool.path,
        hint=msg("Install %(tool)s %(least)s or newer.", tool="helm", least=_wanted("helm")),
        severity=Severity.WARNING,
    )


def _kubectl_warning(tool: Tool | None) -> Problem | None:
    if not tool or not tool.version or version_numbers(tool.version) >= _GOOD_KUBECTL:
        return None
    return Problem(
        field="kubectl",
        title=msg("kubectl %(version)s is older than what AnsFlow is tested with", version=tool.version),
        message=tool.path,
        hint=msg("Install %(tool)s %(least)s or newer.", tool="kubectl", least=_wanted("kubectl")),
        severity=Severity.WARNING,
    )


__all__ = [
    "find_tools",
    "require_helm",
    "require_kubectl",
    "tool_warnings",
    "version_command",
    "version_numbers",
]
