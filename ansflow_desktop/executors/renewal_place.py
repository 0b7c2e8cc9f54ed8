"""Where a renewed credential goes: the vault, a private copy of the cluster, or a kubeconfig file of its own."""

from __future__ import annotations

import itertools
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.files import is_file, is_folder, is_there, write_atomic
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.kubeconfig import kubeconfig_files, load
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster

if TYPE_CHECKING:
    from ansflow_desktop.executors.services import Services


class Place(Protocol):
    """Takes a new credential that was tried."""

    def keep(self, document: dict[str, Any], secret: ClusterSecret) -> str:
        """Keep `secret` (`document` holds it too) and return the name of the place; raises UserError."""


def opened(services: Services, cluster: str, put: str, file: str, copy_name: str) -> Place:
    """Return the place that `put` names; raises UserError where it can take nothing, before anything is asked."""
    if put == "file":
        return FilePlace(services, file)
    if put == "copy":
        return CopyPlace(services, cluster, copy_name)
    return VaultPlace(services, cluster)


class VaultPlace:
    """Replaces the secret of a cluster added by hand, unless somebody else has replaced it meanwhile."""

    def __init__(self, services: Services, cluster: str) -> None:
        """Remember the secret as it is now; raises UserError where the vault is locked."""
        self._book, self._cluster, self._catalog = services.cluster_book, cluster, services.catalog
        self._known = self._own()
        self._old = self._book.secret(self._known)

    def keep(self, document: dict[str, Any], secret: ClusterSecret) -> str:
        """Put `secret` in place of the old one and read it back; the old one is put back where that fails."""
        del document
        if self._own() != self._known or self._book.secret(self._known) != self._old:
            title = msg("“%(name)s” was changed meanwhile", name=self._cluster)
            hint = msg("It was left as it is. Renew again if that is still wanted.")
            raise UserError(title, "", hint, code=ExitCode.FAILED)
        self._replace(secret)
        if self._book.secret(self._own()) != secret:
            self._put_back()
            title = msg("The vault did not keep the new secret of “%(name)s”", name=self._cluster)
            raise UserError(title, "", msg("The old one was put back."), code=ExitCode.FAILED)
        return self._cluster

    def _marks(self) -> ClusterMarks:
        """Return the notes as they are now: one may have been set meanwhile."""
        return self._catalog.entry(self._cluster).marks

    def _own(self) -> OwnCluster:
        found = self._book.own(self._cluster)
        if found is None:
            title = msg("There is no cluster “%(name)s” that was added by hand", name=self._cluster)
            raise UserError(title, msg("It was removed meanwhile."), field="k8s_cluster")
        return found

    def _replace(self, secret: ClusterSecret) -> None:
        auth: Literal["token", "certificate"] = "token" if secret.token else "certificate"
        if self._known.auth == auth:
            self._book.replace_secret(self._cluster, secret)
            return
        changed = msgspec.structs.replace(self._known, auth=auth, exec_plugin=None)
        self._book.change(self._cluster, changed, secret, self._marks())

    def _put_back(self) -> None:
        if self._old is not None:
            self._book.change(self._cluster, self._known, self._old, self._marks())


class CopyPlace:
    """Adds a cluster by hand that is reached as the old one is and signs in with the new credential."""

    def __init__(self, services: Services, cluster: str, name: str) -> None:
        """Choose a free name where `name` is empty; UserError for one in use, a locked vault, impersonation."""
        self._book = services.cluster_book
        self._marks = msgspec.structs.replace(services.catalog.marks(cluster), default=False)
        taken = {entry.name for entry in services.catalog.entries()}
        if name in taken:
            title = msg("There is a cluster “%(name)s” already", name=name)
            raise UserError(title, "", msg("Choose another name."), field="copy_name")
        self._name = name or _free(cluster, taken)
        _require_no_impersonation(services.catalog.document(cluster))
        services.vault.keys()

    def keep(self, document: dict[str, Any], secret: ClusterSecret) -> str:
        """Add the cluster and return its name."""
        ((copied, _found),) = self._book.from_kubeconfig(msgspec.json.encode(document).decode())
        auth: Literal["token", "certificate"] = "token" if secret.token else "certificate"
        self._book.add(msgspec.structs.replace(copied, name=self._name, auth=auth), secret, self._marks)
        return self._name


class FilePlace:
    """Writes a kubeconfig of one context that only its owner can read."""

    def __init__(self, services: Services, file: str) -> None:
        """Check the path; raises UserError for a file that is somebody else's."""
        self._path = _usable_file(services, file)

    def keep(self, document: dict[str, Any], secret: ClusterSecret) -> str:
        """Write the file whole or not at all and return its path."""
        del secret
        write_atomic(self._path, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n", mode=0o600)
        return str(self._path)


def _free(cluster: str, taken: set[str]) -> str:
    names = (f"{cluster}-renewed{f'-{number}' if number > 1 else ''}" for number in itertools.count(1))
    return next(name for name in names if name not in taken)


def _require_no_impersonation(document: dict[str, Any]) -> None:
    user: dict[str, Any] = next((item["user"] for item in document["users"]), {})
    if any(str(field).startswith("as") for field in user):
        title = msg("This context acts as another user, which a copy cannot hold")
        raise UserError(title, "", msg("Save the new credential to a file."), field="save")


def _usable_file(services: Services, file: str) -> Path:
    """Return the absolute path; raises UserError for a folder, a user's kubeconfig, and what is not a kubeconfig."""
    if not file or "\0" in file:
        raise _no_place(msg("No file is named"))
    path = paths.expanded(file).absolute()
    real = os.path.realpath(path)
    if real in {os.path.realpath(known) for known in _kubeconfigs(services)}:
        raise _no_place(msg("%(file)s is your kubeconfig, which is never written", file=str(path)))
    if Path(real).is_relative_to(os.path.realpath(services.directories.data)):
        raise _no_place(msg("%(file)s lies in this program's own folder", file=str(path)))
    if is_there(path):
        _require_ours(path)
    elif not is_folder(path.parent):
        raise _no_place(msg("There is no folder %(folder)s", folder=str(path.parent)))
    return path


def _require_ours(path: Path) -> None:
    """Raise UserError unless the file may be replaced: a kubeconfig of one context that only its owner can read."""
    found = load((path,)) if is_file(path) else None
    if found is None or len(found.entries) != 1:
        raise _no_place(msg("%(file)s is there already and is no kubeconfig of one context", file=str(path)))
    known = path.stat()
    if known.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or known.st_uid != os.geteuid():  # a new file stays its owner's
        raise _no_place(msg("Others may read %(file)s", file=str(path)))


def _no_place(title: Text) -> UserError:
    return UserError(title, "", msg("Name a new file, in a folder that is there."), field="save")


def _kubeconfigs(services: Services) -> list[Path]:
    sources = [Path(entry.source) for entry in services.catalog.entries() if Path(entry.source).is_absolute()]
    extra = [Path(file) for file in services.settings.extra_kubeconfigs]
    return [*kubeconfig_files(services.options.kubeconfig, os.environ), *extra, *sources]
