"""Adding, changing and removing clusters: the shelf and the vault together, whatever happens in between."""

from __future__ import annotations

import base64
import binascii
import contextlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.files import is_file, private_folder
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube import own
from ansflow_desktop.kube.kubeconfig import Kubeconfig, load
from ansflow_desktop.models.cluster import MASKED, ClusterEntry, ClusterMarks, ClusterSecret, OwnCluster
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.redact import password_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ansflow_desktop.kube.catalog import ClusterCatalog
    from ansflow_desktop.store.clusters import ClusterShelf

_MAX_FILE = 1024 * 1024
_NO_MARKS = ClusterMarks()


class Secrets(Protocol):
    """What is needed of the vault; `store.vault.Vault` is the real one. All methods raise UserError."""

    @property
    def lasting(self) -> bool:
        """True where what is kept outlives the program."""

    def get(self, key: str) -> str | None:
        """Return what is kept under `key`."""

    def put(self, key: str, value: str) -> None:
        """Keep `value` under `key`."""

    def remove(self, key: str) -> None:
        """Forget `key`; nothing happens where there is none."""


class Incomplete(UserError):
    """What was typed cannot be kept; `problems` say why, by field."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Show the first of `problems`."""
        first = problems[0]
        super().__init__(first.title, first.message, first.hint, field=first.field)
        self.problems = problems


class ClusterBook:
    """The clusters as a person edits them; every call may wait for the disk or a keyring: not on a window's thread."""

    def __init__(self, shelf: ClusterShelf, vault: Secrets, catalog: ClusterCatalog) -> None:
        """Keep the three parts."""
        self._shelf, self._vault, self._catalog = shelf, vault, catalog

    def new_id(self) -> str:
        """Return an id for a new cluster: 16 random hex digits."""
        return secrets.token_hex(8)

    def own(self, name: str) -> OwnCluster | None:
        """Return the cluster `name` that was added by hand, None where it was not."""
        return next((one for one in self._shelf.own() if one.name == name), None)

    def secret(self, cluster: OwnCluster) -> ClusterSecret | None:
        """Return the secret of `cluster`, None where the vault has none; raises UserError (a locked vault).

        Of a cluster whose environment still lies in plain it is the part that belongs into the vault.
        """
        plain = own.hidden_part(cluster)
        if plain is not None:
            return plain
        text = self._vault.get(own.vault_key(cluster))
        with contextlib.suppress(UserError):  # the vault is open, so this is the moment; else the next one
            self.move_secrets()
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=ClusterSecret)
        except msgspec.MsgspecError:
            return None

    def check(
        self, cluster: OwnCluster, secret: ClusterSecret | None, marks: ClusterMarks = _NO_MARKS
    ) -> tuple[Problem, ...]:
        """Return what is wrong with what was typed, by field, a name in use included."""
        found = own.check(cluster, secret, marks)
        taken = any(entry.name == cluster.name for entry in self._catalog.entries() if not self._is(entry, cluster))
        if taken:
            title = msg("There is a cluster “%(name)s” already", name=cluster.name)
            found = (*found, Problem(field="name", title=title, hint=msg("Choose another name.")))
        return found

    def _is(self, entry: Any, cluster: OwnCluster) -> bool:
        known = self.own(entry.name)
        return entry.source == own.OWN and known is not None and known.id == cluster.id

    def add(self, cluster: OwnCluster, secret: ClusterSecret | None, marks: ClusterMarks) -> None:
        """Keep a new cluster: its secret first, so that a crash leaves no cluster without one.

        A secret that a crash leaves without its cluster goes when the vault is written to the next time. Raises
        Incomplete, and UserError where vault or disk refuse; nothing is kept then.
        """
        self._require(cluster, secret, marks)
        secret = own.hidden_part(cluster) or secret
        cluster = own.without_hidden(cluster)
        with self._shelf.adding.adding(cluster.id):
            self._keep(cluster, secret)
            self._put_on_shelf(cluster, marks)

    def _put_on_shelf(self, cluster: OwnCluster, marks: ClusterMarks) -> None:
        try:
            self._shelf.set_marks(cluster.name, marks, cluster.server)  # first: it is never there without its marks
            self._shelf.save_own(cluster)
        except UserError:
            self._vault.remove(own.vault_key(cluster))
            with contextlib.suppress(UserError):
                self._shelf.set_marks(cluster.name, ClusterMarks())
            raise

    def change(self, name: str, cluster: OwnCluster, secret: ClusterSecret | None, marks: ClusterMarks) -> None:
        """Keep `cluster` in place of the one called `name`; `secret` None keeps the one there is.

        Raises Incomplete, and UserError for an unknown name and where vault or disk refuse.
        """
        known = self._known(name)
        changed = self.filled(msgspec.structs.replace(cluster, id=known.id))
        asked = secret
        if secret is None and own.needs_secret(changed) and changed.auth == known.auth:
            asked = self.secret(known)
        self._require(changed, asked, marks)
        kept = self._written(changed, known)
        self._keep(kept, own.hidden_part(changed) or secret)
        self._save(kept, was=known)
        self._shelf.set_marks(changed.name, marks, changed.server)
        if own.uses_vault(known) and not own.uses_vault(kept):
            self._vault.remove(own.vault_key(changed))

    def _written(self, changed: OwnCluster, known: OwnCluster) -> OwnCluster:
        """Return `changed` as the file holds it; what lies there in plain stays while only memory could take it."""
        same = own.hidden_part(changed) is not None and own.hidden_part(changed) == own.hidden_part(known)
        return changed if same and not self._vault.lasting else own.without_hidden(changed)

    def filled(self, cluster: OwnCluster) -> OwnCluster:
        """Return `cluster` as typed, with what stands as `***` in its program taken from what is kept of it.

        Raises UserError (a locked vault) only where there is something to take.
        """
        known = next((one for one in self._shelf.own() if one.id == cluster.id), None)
        plugin, before = cluster.exec_plugin, known.exec_plugin if known else None
        if known is None or plugin is None or before is None or plugin.kept or cluster.auth != "exec":
            return cluster
        if MASKED not in " ".join([*plugin.args, *(value for _name, value in plugin.env)]):
            return cluster
        whole = own.whole_plugin(before, self.secret(known) if before.kept else None, known.name)
        return msgspec.structs.replace(cluster, exec_plugin=own.edited_plugin(plugin, whole))

    def shown(self, entry: ClusterEntry) -> ClusterEntry:
        """Return `entry` with its credential program as a person judges it, where the vault is open; never raises."""
        known = self.own(entry.name) if entry.source == own.OWN else None
        if known is None or known.exec_plugin is None or not known.exec_plugin.kept:
            return entry
        try:
            whole = own.whole_plugin(known.exec_plugin, self.secret(known), known.name)
        except UserError:
            return entry
        return msgspec.structs.replace(entry, exec_plugin=whole)

    def move_secrets(self) -> None:
        """Move environments that still lie in plain into the vault; raises UserError where it cannot take them.

        Each is in the vault before it leaves the file, and leaves the file's copy too; one that cannot be moved stays.
        Nothing is moved into a vault of memory: it would be lost with the program.
        """
        if not self._vault.lasting:
            return
        for cluster in self._shelf.own():
            clean = own.without_hidden(cluster)
            if clean != cluster:
                self._keep(clean, own.hidden_part(cluster))
                self._save(clean, was=cluster)

    def _save(self, cluster: OwnCluster, was: OwnCluster) -> None:
        """Write `cluster`; where `was` lay in plain, the file's copy is written anew too."""
        self._shelf.save_own(cluster)
        if own.without_hidden(was) != was:
            self._shelf.forget_copy()

    def mark(self, name: str, marks: ClusterMarks) -> None:
        """Keep notes on any cluster, in place of those of a name that it had before; raises UserError.

        A cluster is unknown, notes cannot be kept as they are (Incomplete), or the disk refuses.
        """
        _require_none(own.check_marks(marks))
        lost = self._catalog.lost_names(name)
        self._shelf.set_marks(name, marks, self._catalog.entry(name).server)
        for former in lost:
            self._shelf.set_marks(former, ClusterMarks())

    def remove(self, name: str) -> None:
        """Forget a cluster that was added by hand, its notes and its secret; of any other the notes.

        Raises UserError for an unknown one.
        """
        known = self.own(name)
        if known is None:
            self.mark(name, ClusterMarks())
            return
        if own.uses_vault(known):
            self._vault.remove(own.vault_key(known))
        self._shelf.remove_own(known.id)
        if own.without_hidden(known) != known:
            self._shelf.forget_copy()

    def replace_secret(self, name: str, secret: ClusterSecret) -> None:
        """Put a new secret in place of the old one, in one step of the vault; raises UserError."""
        known = self._known(name)
        self._require(known, secret, ClusterMarks())
        self._keep(known, secret)

    def _keep(self, cluster: OwnCluster, secret: ClusterSecret | None) -> None:
        if secret is not None and own.uses_vault(cluster):
            self._vault.put(own.vault_key(cluster), msgspec.json.encode(secret).decode())
            with contextlib.suppress(UserError, OSError):  # the vault is open for writing: the moment to clean up
                self._sweep()

    def _sweep(self) -> None:
        """Take secrets out of the vault whose cluster was being added by a process that is no more.

        Raises UserError and OSError. Where the list of clusters cannot be read, or was damaged, nothing is taken.
        """
        with self._shelf.adding.left_over() as ids:
            known = {one.id for one in self._shelf.own()}
            if self._shelf.notice is not None:
                raise UserError(self._shelf.notice)
            for cluster_id in ids:
                if cluster_id not in known:
                    self._vault.remove(own.key_of(cluster_id))

    def _require(self, cluster: OwnCluster, secret: ClusterSecret | None, marks: ClusterMarks) -> None:
        found = self.check(cluster, secret, marks)
        _require_none(problem for problem in found if problem.severity is Severity.ERROR)

    def _known(self, name: str) -> OwnCluster:
        known = self.own(name)
        if known is None:
            title = msg("The cluster “%(name)s” was not added by hand", name=name)
            hint = msg("It stands in a kubeconfig file, which is never written.")
            raise UserError(title, "", hint, field="k8s_cluster", code=ExitCode.INVALID)
        return known

    def from_kubeconfig(
        self, text: str, refused: dict[str, UserError] | None = None
    ) -> tuple[tuple[OwnCluster, ClusterSecret | None], ...]:
        """Return the clusters of a pasted kubeconfig with their secrets; nothing is run, contacted or kept.

        Files that it names are read. Contexts that cannot be taken are left out: `refused` gets why, by their names.
        Raises UserError where the text cannot be read or holds no context that can be taken.
        """
        config = _loaded(text)
        if not config.entries:
            raise _nothing(config)
        broken = [entry for entry in config.entries if entry.problem]
        if len(broken) == len(config.entries):
            raise UserError(msg("The kubeconfig cannot be used"), broken[0].problem, field="kubeconfig")
        found, left_out = [], {} if refused is None else refused
        for entry in config.entries:
            try:
                found += [] if entry.problem else [self._taken(config, entry.name)]
            except UserError as error:
                left_out[entry.name] = error
        if not found:
            raise next(iter(left_out.values()))
        return tuple(found)

    def _taken(self, config: Kubeconfig, name: str) -> tuple[OwnCluster, ClusterSecret | None]:
        document = config.document(name)
        entry = next(entry for entry in config.entries if entry.name == name)
        cluster = document["clusters"][0]["cluster"]
        user: dict[str, Any] = next((item["user"] for item in document["users"]), {})
        _require_kept(name, user)
        _require_open_proxy(name, str(cluster.get("proxy-url") or ""))
        secret = _secret(user)
        auth = "exec" if entry.exec_plugin else "token" if secret.token else "certificate" if secret.key else "none"
        asked: Any = user["exec"] if isinstance(user.get("exec"), dict) else {}
        found = OwnCluster(
            id=self.new_id(),
            name=name,
            server=entry.server,
            ca=_text(cluster, "certificate-authority"),
            insecure=entry.insecure,
            tls_server_name=str(cluster.get("tls-server-name") or ""),
            proxy_url=str(cluster.get("proxy-url") or ""),
            user=entry.user,
            auth=auth,  # type: ignore[arg-type]  # one of the four words
            exec_plugin=entry.exec_plugin,
            exec_api_version=str(asked.get("apiVersion") or "client.authentication.k8s.io/v1"),
        )
        return found, secret if auth in ("token", "certificate") else None


_CANNOT_KEEP = ("as", "as-groups", "as-uid", "as-user-extra", "username", "password", "auth-provider")


def _require_none(problems: Iterable[Problem]) -> None:
    found = tuple(problems)
    if found:
        raise Incomplete(found)


def _require_kept(name: str, user: dict[str, Any]) -> None:
    """Raise UserError for a user that would sign in otherwise than the kubeconfig says, such as without `as`."""
    field = next((field for field in _CANNOT_KEEP if user.get(field)), "")
    if field:
        title = msg("%(name)s: the user's field %(field)s cannot be kept", name=name, field=field)
        hint = msg("Save the kubeconfig to a file and add that file: it is then used as it is.")
        raise UserError(title, "", hint, field="kubeconfig")


def _require_open_proxy(name: str, proxy: str) -> None:
    """Raise UserError for a proxy with a password in its address, which a dialog would show."""
    if password_of(proxy):
        title = msg("%(name)s: the password in the proxy's address cannot be kept", name=name)
        hint = msg("Save the kubeconfig to a file and add that file: it is then used as it is.")
        raise UserError(title, "", hint, field="kubeconfig")


def _loaded(text: str) -> Kubeconfig:
    """Return the kubeconfig `text`; raises UserError where it cannot be written to a private file."""
    try:
        with private_folder() as folder:
            file = folder / "kubeconfig"
            file.touch(mode=0o600)
            file.write_text(text, encoding="utf-8", errors="surrogatepass")
            return load((file,))
    except OSError as error:
        hint = msg("Check free space and permissions of the folder for temporary files (TMPDIR).")
        title = msg("The kubeconfig could not be read")
        raise UserError(title, error.strerror or str(error), hint, code=ExitCode.FAILED) from error


def _secret(user: dict[str, Any]) -> ClusterSecret:
    token = str(user.get("token") or "")
    if user.get("tokenFile"):
        token = _file(str(user["tokenFile"])).strip()
    return ClusterSecret(token=token, certificate=_text(user, "client-certificate"), key=_text(user, "client-key"))


def _text(value: dict[str, Any], name: str) -> str:
    """Return the PEM text of a field or of the file that it names; the data goes first, as in client-go."""
    data = value.get(f"{name}-data")
    if data:
        try:
            return base64.b64decode(str(data), validate=False).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise UserError(msg("%(field)s is not Base64", field=f"{name}-data"), field="kubeconfig") from error
    return _file(str(value[name])) if value.get(name) else ""


def _file(path: str) -> str:
    if not is_file(path):
        raise UserError(msg("There is no file %(file)s", file=path), field="kubeconfig")
    try:
        with Path(path).open("rb") as stream:
            return stream.read(_MAX_FILE).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(msg("%(file)s cannot be read", file=path), str(error), field="kubeconfig") from error


def _nothing(config: Kubeconfig) -> UserError:
    if config.problems:
        first = config.problems[0]
        title = msg("The pasted text is not a kubeconfig")
        return UserError(title, first.message, msg("Paste the whole file, from apiVersion on."), field="kubeconfig")
    title = msg("The pasted kubeconfig holds no context")
    return UserError(title, "", msg("Paste a file with contexts, clusters and users."), field="kubeconfig")
