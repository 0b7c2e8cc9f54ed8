"""Every cluster that can be chosen: contexts of the user's kubeconfig, of added files, and the practice clusters."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.files import is_there
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.approvals import ApprovalNeeded, Approvals
from ansflow_desktop.kube.kubeconfig import FIELD, Kubeconfig, by_habit, load
from ansflow_desktop.kube.login import resolved
from ansflow_desktop.kube.marks import found_again, held, lost_names, same_server, told
from ansflow_desktop.kube.own import document_of, entry_of, uses_vault, whole_plugin
from ansflow_desktop.models.cluster import ClusterEntry, ClusterMarks, ClusterSecret, OwnCluster
from ansflow_desktop.models.command import KubeTarget
from ansflow_desktop.models.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PRACTICE = "practice"
_Stamp: TypeAlias = tuple[str, int, int, int]


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """Files that are merged with each other: those of KUBECONFIG, one added file, one practice cluster."""

    files: tuple[Path, ...]
    config: Kubeconfig
    source: str = ""


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    entry: ClusterEntry
    group: _Group
    own: OwnCluster | None = None


class _Noted(msgspec.Struct, frozen=True, kw_only=True):
    """What the shelf holds; `error` where it cannot be read, so that nobody takes a read-only cluster for another."""

    own: tuple[OwnCluster, ...] = ()
    marks: dict[str, ClusterMarks] = {}
    servers: dict[str, str] = {}
    lost: dict[str, ClusterMarks] = {}
    error: UserError | None = None


class _State(msgspec.Struct, frozen=True, kw_only=True):
    stamps: tuple[_Stamp, ...] = ()
    rows: dict[str, _Row] = {}
    problems: tuple[Problem, ...] = ()
    error: UserError | None = None
    lost: dict[str, tuple[str, ...]] = {}
    read: bool = False


class Shelf(Protocol):
    """Where clusters added by hand and the notes on all clusters are kept; `store.clusters.ClusterShelf`."""

    def own(self) -> tuple[OwnCluster, ...]:
        """Return the clusters that were added by hand; raises UserError."""

    def marks(self) -> dict[str, ClusterMarks]:
        """Return the notes by the cluster's name; raises UserError."""

    def servers(self) -> dict[str, str]:
        """Return the server's address by the cluster's name, as far as it was noted; raises UserError."""

    def stamp(self) -> tuple[int, int, int]:
        """Return what changes whenever the shelf does."""


class _NoShelf:
    def own(self) -> tuple[OwnCluster, ...]:
        return ()

    def marks(self) -> dict[str, ClusterMarks]:
        return {}

    def servers(self) -> dict[str, str]:
        return {}

    def stamp(self) -> tuple[int, int, int]:
        return (0, 0, 0)


class ClusterCatalog:
    """Clusters by name, read again when a file changes; implements `executors.context.ClusterAccess`.

    `files` are merged as kubectl merges KUBECONFIG; each of `added` stands for itself, so that equal cluster names in
    unrelated files cannot lead to the wrong server (row 5). Safe from any thread; never writes to a user's file.
    """

    def __init__(
        self,
        files: Sequence[Path],
        approvals: Approvals,
        practice_dir: Path,
        added: Sequence[Path] = (),
        on_document: Callable[[dict[str, Any]], None] | None = None,
        shelf: Shelf | None = None,
        secret_of: Callable[[OwnCluster], ClusterSecret | None] = lambda _cluster: None,
    ) -> None:
        """Keep the names of the files; they are read at the first question.

        `on_document` is given every document before it is handed out, so that its secrets are known from then on.
        `shelf` holds the clusters added by hand, `secret_of` gives the secret of one (it may raise UserError: locked).
        """
        self._shelf: Shelf = shelf or _NoShelf()
        self._secret_of = secret_of
        self._files = tuple(files)
        self._added = list(added)
        self._approvals = approvals
        self._practice_dir = practice_dir
        self._on_document = on_document
        self._lock = threading.Lock()
        self._state = _State()

    def entries(self) -> tuple[ClusterEntry, ...]:
        """Return every cluster, in the order of the files, practice clusters last; a few stat calls when unchanged."""
        return tuple(row.entry for row in self._rows().values())

    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the files, and which names are defined more than once."""
        self._rows()
        return self._state.problems

    def current(self) -> str:
        """Return the cluster marked as default, else the user's current context, empty when there is neither."""
        rows = self._rows()
        default = next((name for name, row in rows.items() if row.entry.marks.default), "")
        if default:
            return default
        named = next((row.group.config.current_context for row in rows.values()), "")
        return named if named in rows else ""

    def entry(self, name: str) -> ClusterEntry:
        """Return the cluster `name`; raises UserError naming the clusters there are."""
        return self._row(name).entry

    def marks(self, name: str) -> ClusterMarks:
        """Return the notes on cluster `name`, read-only and production where any entry of its server is.

        Raises UserError for an unknown cluster, and where the notes cannot be read: a cluster that may be read-only is
        not taken for one that is not.
        """
        entry = self.entry(name)
        if self._state.error:
            raise self._state.error
        return entry.held

    def lost_names(self, name: str) -> tuple[str, ...]:
        """Return the names that no cluster has any more and whose notes cluster `name` was found to go on with.

        Raises UserError for an unknown cluster.
        """
        return self._state.lost.get(same_server(self.entry(name).server), ())

    def approved(self, name: str) -> bool:
        """Return whether cluster `name` may be contacted: it runs no credential program, or an approved one."""
        plugin = self.entry(name).exec_plugin
        return plugin is None or self._approvals.approved(plugin)

    def document(self, name: str) -> dict[str, Any]:
        """Return a kubeconfig document with only cluster `name`, all paths absolute.

        Raises UserError for an unknown cluster or a broken entry, ApprovalNeeded for an unapproved exec plugin: who
        holds a document may contact the cluster.
        """
        row = self._row(name)
        if row.entry.problem:
            raise _broken(row.entry)
        secret = self._secret_of(row.own) if row.own is not None and uses_vault(row.own) else None
        plugin = row.entry.exec_plugin
        whole = whole_plugin(plugin, secret, name) if plugin else None
        if whole and not self._approvals.approved(whole):
            raise ApprovalNeeded(name, whole)
        document = self._document(row, secret)
        if self._on_document:
            self._on_document(document)
        return document

    def _document(self, row: _Row, secret: ClusterSecret | None) -> dict[str, Any]:
        if row.own is not None:
            return document_of(row.own, secret, row.entry.namespace)
        document = row.group.config.document(row.entry.context)
        if row.entry.marks.namespace:
            context = document["contexts"][0]
            noted = {**context["context"], "namespace": row.entry.marks.namespace}
            document["contexts"] = [{**context, "context": noted}]
        return document

    def private_target(self, name: str, folder: Path) -> KubeTarget:
        """Write a 0600 kubeconfig holding only cluster `name` into `folder` and return where it is.

        Raises UserError as `document` does, and when the file cannot be written.
        """
        path = folder / f"kubeconfig-{_safe(name)}.json"
        try:
            write_private(path, _runnable(self.document(name)))
        except (OSError, TypeError) as error:
            title = msg("The private kubeconfig could not be written")
            hint = msg("Check free space and permissions of %(folder)s.", folder=str(folder))
            raise UserError(title, str(error), hint, code=ExitCode.FAILED) from error
        return KubeTarget(kubeconfig=str(path), context=self.entry(name).context)

    def user_target(self, name: str) -> KubeTarget:
        """Return the user's own kubeconfig files (joined by `:`) and context, for commands that are copied."""
        row = self._row(name)
        if row.own is not None:  # it stands in no file of the user: a placeholder, as for every secret
            return KubeTarget(kubeconfig=f"KUBECONFIG-OF-{_safe(name)}", context=row.entry.context)
        return KubeTarget(kubeconfig=os.pathsep.join(map(str, row.group.files)), context=row.entry.context)

    def add_file(self, path: Path) -> None:
        """Read the kubeconfig file `path` too; it is only remembered, never written.

        Raises UserError when it cannot be read or holds no context.
        """
        file = paths.expanded(path).absolute()
        config = load((file,))
        if not config.entries:
            raise _nothing_in(file, config)
        with self._lock:
            if file not in self._added and file not in self._files:
                self._added.append(file)
            self._state = _State()

    def forget_file(self, path: Path) -> bool:
        """Read the added kubeconfig file `path` no more, whether it is still there or not; return whether it was."""
        file = paths.expanded(path).absolute()
        with self._lock:
            known = file in self._added
            self._added = [one for one in self._added if one != file]
            self._state = _State()
        return known

    def _row(self, name: str) -> _Row:
        rows = self._rows()
        if name not in rows:
            raise _unknown(name, rows, self._files)
        return rows[name]

    def _rows(self) -> dict[str, _Row]:
        with self._lock:
            practice = _practice_files(self._practice_dir)
            stamps = tuple(_stamp(file) for file in (*self._files, *self._added, *practice))
            stamps = (*stamps, ("", *self._shelf.stamp()))
            if not self._state.read or stamps != self._state.stamps:
                self._state = _gather(stamps, self._groups(practice), self._noted())
            return self._state.rows

    def _noted(self) -> _Noted:
        try:
            return _Noted(own=self._shelf.own(), marks=self._shelf.marks(), servers=self._shelf.servers())
        except UserError as error:
            return _Noted(error=error)

    def _groups(self, practice: Sequence[Path]) -> list[_Group]:
        groups = [_Group(files=tuple(_existing(self._files)), config=load(self._files))]
        groups += [_Group(files=(file,), config=load((file,))) for file in self._added]
        groups += [_Group(files=(file,), config=load((file,)), source=PRACTICE) for file in practice]
        return groups


def write_private(path: Path, document: dict[str, Any]) -> None:
    """Write `document` as JSON to `path`, 0600 from its creation, in a 0700 folder; replaces a former one of ours.

    Raises OSError where it cannot be written.
    """
    paths.make_private(path.parent)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(msgspec.json.encode(document))


def _runnable(document: dict[str, Any]) -> dict[str, Any]:
    """Return `document` with its credential program absolute where a desktop's short PATH would miss it."""
    users = []
    for item in document["users"]:
        user = item["user"]
        if isinstance(user.get("exec"), dict):
            command = resolved(str(user["exec"].get("command") or ""))
            user = {**user, "exec": {**user["exec"], "command": command}}
        users.append({**item, "user": user})
    return {**document, "users": users}


def _gather(stamps: tuple[_Stamp, ...], groups: Iterable[_Group], noted: _Noted) -> _State:
    """Put the rows together; a cluster added by hand goes before a context of its name that came later."""
    groups = _known_of(groups, noted)
    there = {own.name for own in noted.own} | {entry.name for group in groups for entry in group.config.entries}
    lost = lost_names(there, noted.marks, noted.servers)
    noted = msgspec.structs.replace(noted, lost=found_again(lost, noted.marks))
    rows = _own_rows(noted)
    problems: list[Problem] = [_unread(noted.error)] if noted.error else []
    for group in groups:
        problems += group.config.problems
        for entry in group.config.entries:
            named = _marked(msgspec.structs.replace(entry, source=group.source or entry.source), noted)
            known = rows.get(entry.name)
            if known:
                problems.append(_hidden(named, known.entry))
                continue
            rows[entry.name] = _Row(entry=named, group=group)
    holders = held((row.entry for row in rows.values()), lost, noted.marks)
    return _State(
        stamps=stamps,
        rows={name: msgspec.structs.replace(row, entry=told(row.entry, holders)) for name, row in rows.items()},
        problems=tuple(problems),
        error=noted.error,
        lost=lost,
        read=True,
    )


def _known_of(groups: Iterable[_Group], noted: _Noted) -> list[_Group]:
    """Return the groups, without the word on a kubeconfig that nobody named, where there are clusters without it."""
    first, *others = groups
    if (noted.own or others) and by_habit(first.files) and not any(map(is_there, first.files)):
        first = _Group(files=first.files, config=Kubeconfig())
    return [first, *others]


def _own_rows(noted: _Noted) -> dict[str, _Row]:
    nowhere = _Group(files=(), config=Kubeconfig())
    return {
        own.name: _Row(entry=entry_of(own, _marks_of(own.name, own.server, noted)), group=nowhere, own=own)
        for own in noted.own
    }


def _marked(entry: ClusterEntry, noted: _Noted) -> ClusterEntry:
    marks = _marks_of(entry.name, entry.server, noted)
    return msgspec.structs.replace(entry, marks=marks, namespace=marks.namespace or entry.namespace)


def _marks_of(name: str, server: str, noted: _Noted) -> ClusterMarks:
    return noted.marks.get(name) or noted.lost.get(same_server(server)) or ClusterMarks()


def _unread(error: UserError) -> Problem:
    return Problem(field="clusters", title=error.title, message=error.message, hint=error.hint)


def _hidden(entry: ClusterEntry, known: ClusterEntry) -> Problem:
    return Problem(
        field=FIELD,
        title=msg("The name “%(name)s” is used twice", name=entry.name),
        message=msg(
            "It stands for %(server)s of %(source)s; the one in %(other)s is hidden.",
            server=known.server,
            source=known.source,
            other=entry.source,
        ),
        hint=msg("Rename one of the two."),
        severity=Severity.INFO,
    )


def _stamp(file: Path) -> _Stamp:
    try:
        found = file.stat()
    except OSError:
        return (str(file), 0, 0, 0)
    return (str(file), found.st_mtime_ns, found.st_size, found.st_ino)


def _existing(files: Iterable[Path]) -> list[Path]:
    files = list(files)
    return [file for file in files if is_there(file)] or files


def _practice_files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*/kubeconfig"))
    except OSError:
        return []


def _safe(name: str) -> str:
    """Return a file name for `name`: readable, and different for different clusters whatever their letters."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
    return f"{kept[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _unknown(name: str, rows: dict[str, _Row], files: Sequence[Path]) -> UserError:
    hint: Text = msg("Looked in %(files)s. Add a kubeconfig file or start the practice cluster.", files=_joined(files))
    if rows:
        hint = msg("There are: %(names)s.", names=", ".join(rows))
    if not name:
        return UserError(msg("No cluster is chosen"), "", hint, field="k8s_cluster")
    return UserError(msg("There is no cluster “%(name)s”", name=name), "", hint, field="k8s_cluster")


def _joined(files: Sequence[Path]) -> str:
    return ", ".join(map(str, files))


def _broken(entry: ClusterEntry) -> UserError:
    title = msg("The cluster “%(name)s” cannot be used", name=entry.name)
    hint = msg("Correct %(file)s.", file=entry.source)
    return UserError(title, entry.problem, hint, field="k8s_cluster")


def _nothing_in(file: Path, config: Kubeconfig) -> UserError:
    if config.problems:
        first = config.problems[0]
        return UserError(first.title, first.message, first.hint, field=FIELD)
    title = msg("%(file)s holds no context", file=str(file))
    return UserError(title, "", msg("Name a file with contexts, clusters and users."), field=FIELD)
