"""Clusters added by hand and the notes on all clusters: one JSON file, without anything secret.

A file and not a table: the list of clusters is wanted at every start, before SQLAlchemy is imported (goal 9).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ansflow_desktop import files
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.cluster import ClusterMarks, OwnCluster
from ansflow_desktop.store.cluster_adding import AddingMarks

_VERSION = 1


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    version: int = _VERSION
    own: tuple[OwnCluster, ...] = ()
    marks: dict[str, ClusterMarks] = {}
    servers: dict[str, str] = {}
    unknown: dict[str, Any] = {}


class ClusterShelf:
    """Reads and writes the file; safe from any thread, and with another process at the same file."""

    def __init__(self, path: Path) -> None:
        """Use the file `path`, which is made at the first change; nothing is read yet."""
        self._path = path
        self._backup = path.with_name(f"{path.name}.bak")
        self._lock = threading.Lock()
        self._known: tuple[tuple[int, int, int], _Document] | None = None
        self.adding = AddingMarks(path.with_name("adding"))
        """Which clusters are being added."""
        self.notice: Message | None = None
        """What happened to a damaged file, None when all is well."""

    def own(self) -> tuple[OwnCluster, ...]:
        """Return the clusters that were added by hand, in the order in which they were."""
        return self._read().own

    def marks(self) -> dict[str, ClusterMarks]:
        """Return the notes by the cluster's name."""
        return dict(self._read().marks)

    def servers(self) -> dict[str, str]:
        """Return the server's address by the cluster's name, as it was when its notes were written."""
        return dict(self._read().servers)

    def stamp(self) -> tuple[int, int, int]:
        """Return what changes whenever the file does."""
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)

    def save_own(self, cluster: OwnCluster) -> None:
        """Write `cluster` in place of the one with its `id`, or as the last one; its notes follow a new name.

        Raises UserError where another has its name, and where the file cannot be written.
        """

        def change(document: _Document) -> _Document:
            if any(one.name == cluster.name and one.id != cluster.id for one in document.own):
                title = msg("There is a cluster “%(name)s” already", name=cluster.name)
                raise UserError(title, "", msg("Choose another name."), field="name")
            old = next((one for one in document.own if one.id == cluster.id), None)
            kept = tuple(cluster if one.id == cluster.id else one for one in document.own)
            own = kept if old else (*document.own, cluster)
            marks = dict(document.marks)
            if old and old.name != cluster.name and old.name in marks:
                marks[cluster.name] = marks.pop(old.name)
            return msgspec.structs.replace(document, own=own, marks=marks)

        self._change(change)

    def remove_own(self, cluster_id: str) -> None:
        """Remove the cluster with this id, and its notes; raises UserError where the file cannot be written."""

        def change(document: _Document) -> _Document:
            gone = {one.name for one in document.own if one.id == cluster_id}
            own = tuple(one for one in document.own if one.id != cluster_id)
            marks = {name: marks for name, marks in document.marks.items() if name not in gone}
            return msgspec.structs.replace(document, own=own, marks=marks)

        self._change(change)

    def set_marks(self, name: str, marks: ClusterMarks, server: str = "") -> None:
        """Keep `marks` for the cluster `name`; empty ones are forgotten, and only one cluster is the default.

        With the address of its `server` they are found again where the cluster has another name. Raises UserError where
        the file cannot be written.
        """

        def change(document: _Document) -> _Document:
            known = dict(document.marks)
            if marks.default:
                known = {other: msgspec.structs.replace(one, default=False) for other, one in known.items()}
            known[name] = marks
            kept = {other: one for other, one in known.items() if one != ClusterMarks()}
            servers = {**document.servers, name: server or document.servers.get(name, "")}
            led = {other: address for other, address in servers.items() if address and other in kept}
            return msgspec.structs.replace(document, marks=kept, servers=led)

        self._change(change)

    def forget_copy(self) -> None:
        """Write the file's copy anew as the file is now: the old one holds what must lie in the vault only.

        Raises UserError where it cannot be written.
        """
        self._change(lambda document: document)

    def _change(self, change: Callable[[_Document], _Document]) -> None:
        with self._lock, files.alone(self._path):
            changed = change(self._load())
            fields = msgspec.to_builtins(changed)
            unknown = fields.pop("unknown")
            data = msgspec.json.format(msgspec.json.encode({**unknown, **fields}), indent=2) + b"\n"
            files.write_atomic(self._path, data)
            files.write_atomic(self._backup, data)  # the same: an older one would lack the last mark
            self._known = None

    def _read(self) -> _Document:
        with self._lock:
            stamp = self.stamp()
            if self._known is None or self._known[0] != stamp:
                self._known = (stamp, self._load())
            return self._known[1]

    def _load(self) -> _Document:
        """Return what the file holds; where it is damaged or missing its copy, told in `notice`. Raises UserError."""
        try:
            return _decode(self._path.read_bytes(), self._path)
        except FileNotFoundError:
            return self._restored()
        except OSError as error:
            raise _unreadable(self._path, error) from error
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return self._set_aside()

    def _set_aside(self) -> _Document:
        """Keep the damaged file aside and go on with the last good one: a lost mark would unlock a cluster."""
        try:
            self.notice = files.damaged_notice(self._path, files.set_aside(self._path))
        except OSError as error:
            raise _unreadable(self._path, error) from error
        return self._restored()

    def _restored(self) -> _Document:
        """Return what the copy holds, put in the file's place; nothing where there is no sound copy."""
        try:
            data = self._backup.read_bytes()
            found = _decode(data, self._backup)
        except FileNotFoundError:
            return _Document()
        except OSError as error:
            raise _unreadable(self._backup, error) from error
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return _Document()
        files.write_atomic(self._path, data)
        self.notice = self.notice or msg("%(path)s was missing and was restored from its copy", path=str(self._path))
        return found


def _decode(data: bytes, path: Path) -> _Document:
    fields = msgspec.json.decode(data, type=dict[str, Any])
    if isinstance(fields.get("version"), int) and fields["version"] > _VERSION:
        raise _newer(path)
    known = {name: value for name, value in fields.items() if name in ("version", "own", "marks", "servers")}
    unknown = {name: value for name, value in fields.items() if name not in known}
    return msgspec.structs.replace(msgspec.convert(known, _Document), unknown=unknown)


def _newer(path: Path) -> UserError:
    title = msg("%(path)s was written by a newer version of AnsFlow Desktop", path=str(path))
    hint = msg("Use that version, or choose another directory with --data-dir.")
    return UserError(title, msg("It was left untouched."), hint, code=ExitCode.FAILED)


def _unreadable(path: Path, error: OSError) -> UserError:
    title = msg("%(path)s could not be read: %(reason)s", path=str(path), reason=error.strerror or str(error))
    return UserError(title, "", msg("Check its permissions."), code=ExitCode.FAILED)
