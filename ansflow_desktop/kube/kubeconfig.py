"""Kubeconfig files, read one by one and merged by kubectl's rules: the first definition of a name wins.

One broken file does not hide the others (conventions.md, 1), and nothing here ever writes to a user's file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ansflow_desktop import safe_yaml
from ansflow_desktop.files import is_file, is_there
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.plugins import plugin_of
from ansflow_desktop.models.cluster import ClusterEntry
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.paths import expanded, home

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FIELD = "kubeconfig"
_SECTIONS = {"contexts": "context", "clusters": "cluster", "users": "user"}
_INSECURE = "insecure-skip-tls-verify"  # a text such as "false" is no leave to skip it; kubectl refuses the file
_CLUSTER_PATHS = ("certificate-authority",)
_USER_PATHS = ("client-certificate", "client-key", "tokenFile")
_TEXTS = (
    *("cluster", "user", "namespace"),
    *("server", "certificate-authority", "tls-server-name", "proxy-url"),
    *_USER_PATHS,
    *("token", "username", "password", "as", "as-uid"),
)
_DATA = ("certificate-authority-data", "client-certificate-data", "client-key-data")
_GROUPS = "as-groups"
_MAPPINGS = ("exec", "auth-provider")


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One named context, cluster or user: its mapping with absolute paths, and the file that it stands in."""

    name: str
    value: dict[str, Any]
    file: Path

    def __repr__(self) -> str:
        """Name it only: a user's mapping holds tokens, and a representation ends up in logs and crash reports."""
        return f"Definition({self.name!r}, ***)"


class Kubeconfig(msgspec.Struct, frozen=True, kw_only=True):
    """What several files say together: rows, what is wrong, the current context, and the definitions in effect."""

    entries: tuple[ClusterEntry, ...] = ()
    problems: tuple[Problem, ...] = ()
    current_context: str = ""
    contexts: dict[str, Definition] = {}
    clusters: dict[str, Definition] = {}
    users: dict[str, Definition] = {}

    def document(self, context: str) -> dict[str, Any]:
        """Return a kubeconfig with only `context`, its cluster and its user; raises KeyError when there is none.

        All paths are absolute; everything else of the three (exec, auth-provider, proxy-url, extensions) is kept.
        """
        chosen = self.contexts[context]
        cluster = str(chosen.value.get("cluster") or "")
        user = str(chosen.value.get("user") or "")
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "preferences": {},
            "current-context": context,
            "contexts": [{"name": context, "context": chosen.value}],
            "clusters": [{"name": cluster, "cluster": _strict(self.clusters[cluster].value)}],
            "users": [],
        }
        if user:
            document["users"] = [{"name": user, "user": self.users[user].value}]
        return document


def kubeconfig_files(explicit: str | None, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files to read: `--kubeconfig`, else those of KUBECONFIG, else `~/.kube/config`; each once."""
    if explicit:
        return (expanded(explicit).absolute(),)
    listed = [part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    if not listed:
        return (Path(environ.get("HOME") or home(), ".kube", "config").absolute(),)
    return tuple(dict.fromkeys(Path(part).absolute() for part in listed))


def by_habit(files: Sequence[Path]) -> bool:
    """Return whether these are the files of who named none: that there is no such file is nothing to tell then."""
    return tuple(files) == kubeconfig_files(None, {"HOME": os.environ.get("HOME", "")})


def load(files: Sequence[Path]) -> Kubeconfig:
    """Return what `files` say together; each is read by itself, and what is wrong with one becomes a problem."""
    merge = _Merge()
    for file in files:
        merge.add(file)
    return merge.result()


class _Merge:
    """Collects definitions file by file; the first of a name wins, as in kubectl."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.current = ""
        self.found: dict[str, dict[str, Definition]] = {section: {} for section in _SECTIONS}

    def add(self, file: Path) -> None:
        try:
            content = _read(file)
        except _Unreadable as error:
            self.problems.append(error.problem)
            return
        current = content.get("current-context")
        self.current = self.current or (current if isinstance(current, str) else "")
        for section in _SECTIONS:
            self._add_section(file, section, content.get(section))

    def _add_section(self, file: Path, section: str, items: Any) -> None:
        if items is None:
            return
        if not isinstance(items, list):
            self._report(file, msg("%(section)s is not a list", section=section))
            return
        for index, item in enumerate(items):
            self._add_item(file, section, f"{section}[{index}]", item)

    def _add_item(self, file: Path, section: str, place: str, item: Any) -> None:
        key = _SECTIONS[section]
        name = item.get("name") if isinstance(item, dict) else None
        value = item.get(key) if isinstance(item, dict) else None
        if not isinstance(name, str) or not name or not isinstance(value if value is not None else {}, dict):
            self._report(file, msg("%(place)s has no name or is not a mapping", place=place))
            return
        known = self.found[section].get(name)
        if known:
            self._report_double(file, section, known)
            return
        self.found[section][name] = Definition(name=name, value=_absolute(value or {}, key, file.parent), file=file)

    def _report(self, file: Path, reason: Text) -> None:
        title = msg("A part of the kubeconfig file %(file)s was left out", file=str(file))
        self.problems.append(Problem(field=FIELD, title=title, message=reason, hint=msg("Correct the file.")))

    def _report_double(self, file: Path, section: str, known: Definition) -> None:
        title = msg(
            "%(section)s: %(name)s is defined in %(file)s again",
            section=section,
            name=known.name,
            file=str(file),
        )
        used = msg("The first definition, in %(file)s, is in effect.", file=str(known.file))
        hint = msg("Rename one of the two.")
        self.problems.append(Problem(field=FIELD, title=title, message=used, hint=hint, severity=Severity.INFO))

    def result(self) -> Kubeconfig:
        kubeconfig = Kubeconfig(
            problems=tuple(self.problems),
            current_context=self.current,
            contexts=self.found["contexts"],
            clusters=self.found["clusters"],
            users=self.found["users"],
        )
        entries = tuple(_entry(kubeconfig, context) for context in kubeconfig.contexts.values())
        return msgspec.structs.replace(kubeconfig, entries=entries)


class _Unreadable(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem.title))
        self.problem = problem


def _read(file: Path) -> dict[str, Any]:
    """Return the mapping in `file`, empty for an empty file; raises _Unreadable."""
    try:
        content = safe_yaml.load(safe_yaml.decode(_bytes(file)))
    except safe_yaml.YamlProblem as error:
        title = msg("The kubeconfig file %(file)s cannot be read as YAML", file=str(file))
        raise _unreadable(title, error.text(), msg("Correct the file; the other files are used.")) from error
    except FileNotFoundError as error:
        title = msg("There is no kubeconfig file %(file)s", file=str(file))
        raise _unreadable(title, "", msg("It was skipped."), Severity.INFO) from error
    except OSError as error:
        title = msg("The kubeconfig file %(file)s cannot be read", file=str(file))
        raise _unreadable(title, error.strerror or str(error), msg("Check its permissions.")) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        title = msg("%(file)s is not a kubeconfig file", file=str(file))
        raise _unreadable(title, "", msg("Name a file with contexts, clusters and users."))
    return content


def _bytes(file: Path) -> bytes:
    if is_there(file) and not is_file(file) and str(file) != os.devnull:
        title = msg("%(file)s is not a file", file=str(file))
        raise _unreadable(title, "", msg("Name a kubeconfig file, not a folder."))
    with file.open("rb") as stream:
        return stream.read(safe_yaml.MAX_BYTES + 1)


def _unreadable(title: Text, message: Text, hint: Text, severity: Severity = Severity.ERROR) -> _Unreadable:
    return _Unreadable(Problem(field=FIELD, title=title, message=message, hint=hint, severity=severity))


def _absolute(value: dict[str, Any], key: str, folder: Path) -> dict[str, Any]:
    """Return a copy with file names absolute against the file they came from (recipes.md, "Private kubeconfig")."""
    if key == "cluster":
        return _with_paths(value, _CLUSTER_PATHS, folder)
    if key != "user":
        return dict(value)
    result = _with_paths(value, _USER_PATHS, folder)
    if isinstance(result.get("exec"), dict):
        result["exec"] = _with_command(result["exec"], "command", folder)
    provider = result.get("auth-provider")
    if isinstance(provider, dict) and isinstance(provider.get("config"), dict):
        result["auth-provider"] = {**provider, "config": _with_command(provider["config"], "cmd-path", folder)}
    return result


def _strict(cluster: dict[str, Any]) -> dict[str, Any]:
    """Return `cluster` as it is used: a wrong type that stands for skipping TLS means that it is verified."""
    return cluster if isinstance(cluster.get(_INSECURE, False), bool) else {**cluster, _INSECURE: False}


def _with_paths(value: dict[str, Any], names: Iterable[str], folder: Path) -> dict[str, Any]:
    paths = {name: value[name] for name in names if isinstance(value.get(name), str) and value[name]}
    return {**value, **{name: os.path.normpath(folder / path) for name, path in paths.items()}}


def _with_command(value: dict[str, Any], name: str, folder: Path) -> dict[str, Any]:
    """Return a copy where a command with a `/` is absolute; a bare name stays for PATH (client-go's own rule)."""
    command = value.get(name)
    return _with_paths(value, (name,), folder) if isinstance(command, str) and "/" in command else dict(value)


def _entry(kubeconfig: Kubeconfig, context: Definition) -> ClusterEntry:
    cluster = kubeconfig.clusters.get(str(context.value.get("cluster") or ""))
    user_name = str(context.value.get("user") or "")
    user = kubeconfig.users.get(user_name)
    return ClusterEntry(
        name=context.name,
        context=context.name,
        server=_server(cluster),
        source=str(context.file),
        user=user_name,
        namespace=str(context.value.get("namespace") or ""),
        exec_plugin=plugin_of(user.value) if user else None,
        insecure=cluster is not None and cluster.value.get(_INSECURE) is True,
        problem=_problem(context, cluster, user_name, user),
    )


def _server(cluster: Definition | None) -> str:
    return str(cluster.value.get("server") or "") if cluster else ""


def _problem(context: Definition, cluster: Definition | None, user_name: str, user: Definition | None) -> Text:
    if cluster is None:
        name = str(context.value.get("cluster") or "")
        return msg("The context names the cluster “%(name)s”, which is not defined", name=name)
    if not _server(cluster):
        return msg("The cluster “%(name)s” has no server address", name=cluster.name)
    if user_name and user is None:
        return msg("The context names the user “%(name)s”, who is not defined", name=user_name)
    return _mistyped(context.value) or _mistyped(cluster.value) or (_mistyped(user.value) if user else "")


def _mistyped(value: Mapping[str, Any]) -> Text:
    """Return which field has no form that kubectl takes; a number in place of a text breaks whoever reads it."""
    for name in _TEXTS:
        if not isinstance(value.get(name), str | None):
            return msg("The field %(field)s is not a text", field=name)
    for name in _DATA:
        if not isinstance(value.get(name), str | bytes | None):
            return msg("The field %(field)s is not a text", field=name)
    if not isinstance(value.get(_INSECURE), bool | None):
        return msg("The field %(field)s is neither true nor false", field=_INSECURE)
    if not isinstance(value.get(_GROUPS), list | None):
        return msg("The field %(field)s is not a list", field=_GROUPS)
    wrong = [name for name in _MAPPINGS if not isinstance(value.get(name), dict | None)]
    return msg("The field %(field)s is not a mapping", field=wrong[0]) if wrong else _mistyped_provider(value)


def _mistyped_provider(user: Mapping[str, Any]) -> Text:
    """Return which field of a user's auth-provider has no form that kubectl takes: all of `config` are texts."""
    config = (user.get("auth-provider") or {}).get("config")
    if not isinstance(config, dict | None):
        return msg("The field %(field)s is not a mapping", field="auth-provider.config")
    wrong = [name for name, value in (config or {}).items() if not isinstance(value, str | None)]
    return msg("The field %(field)s is not a text", field=f"auth-provider.config.{wrong[0]}") if wrong else ""
