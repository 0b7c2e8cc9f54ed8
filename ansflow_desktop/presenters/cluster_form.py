"""The dialog of one cluster: what is typed is checked, tried without being kept, and kept; nothing typed is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import Signal

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.cluster import ClusterEntry, ClusterSecret, Diagnosis, ExecPlugin, OwnCluster
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.presenters.base import Presenter, off_thread, unexpected
from ansflow_desktop.presenters.cluster_form_state import (
    SECRETS,
    ClusterForm,
    FormState,
    env_of,
    form_of,
    marks_form,
    marks_of,
    merged,
    secret_of,
)
from ansflow_desktop.presenters.reads import ClusterReads, known_tools

if TYPE_CHECKING:
    from collections.abc import Callable


class ClusterFormPresenter(Presenter):
    """Emits `saved(name)` once the cluster is kept, and `approval_needed(ClusterEntry)` before its program is run.

    `vault_needed(error, again)`: the vault is locked or there is none yet; `again()` goes on afterwards.
    `released`: its dialog was closed, and nothing that was typed is held any more. `found(clusters, errors)` answers
    `find`: both where only some of the contexts can be taken.
    """

    saved = Signal(str)
    approval_needed = Signal(object)
    vault_needed = Signal(object, object)
    released = Signal()
    found = Signal(tuple, tuple)

    def __init__(self, services: Any, reads: ClusterReads, groups: tuple[str, ...] = ()) -> None:
        """Begin with a new cluster; `groups` are offered."""
        super().__init__()
        self._services = services
        self._reads = reads
        self._known: OwnCluster | None = None
        self._first = ClusterForm()
        self._taken: ExecPlugin | None = None
        self._released = False
        self.state = FormState(groups=groups)

    def edit(self, entry: ClusterEntry) -> None:
        """Edit the cluster of `entry`: all of it where it was added by hand, else what is noted of it."""
        known = self._known = self._services.cluster_book.own(entry.name)
        form = self._first = form_of(known, entry.marks) if known else marks_form(entry.name, entry.marks)
        kept = known is not None and known.auth in ("token", "certificate")
        by = {"production": entry.production_by, "read_only": entry.read_only_by}
        self._publish(form=form, original=entry.name, own=known is not None, kept_secret=kept, held_by=by)

    def take(self, cluster: OwnCluster, secret: ClusterSecret | None) -> None:
        """Fill the form of a new cluster with one that was found in a pasted kubeconfig."""
        form = form_of(cluster, marks_of(self.state.form))
        self._taken = cluster.exec_plugin
        found = secret or ClusterSecret()
        self._publish(
            form=msgspec.structs.replace(form, token=found.token, certificate=found.certificate, key=found.key),
            problems=(),
            diagnosis=None,
        )

    def find(self, text: str) -> None:
        """Look for the clusters of a kubeconfig's text; nothing is run, contacted or kept. `found` comes.

        Reading 1 MB takes seconds: not on the window's thread.
        """
        self._start("find", self._find(text))

    async def _find(self, text: str) -> None:
        refused: dict[str, UserError] = {}
        try:
            clusters = await off_thread(lambda: self._services.cluster_book.from_kubeconfig(text, refused))
        except UserError as error:
            self.found.emit((), (error,))
        except Exception as error:
            self.found.emit((), (unexpected(error),))
            raise
        else:
            self.found.emit(clusters, tuple(refused.values()))

    def change(self, **fields: Any) -> None:
        """Take what was typed; a field that was complained of is checked anew.

        What a test found of another connection says nothing of this one: it goes, and a test under way ends.
        """
        before = self.state.form
        form = msgspec.structs.replace(before, **fields)
        if form == before:
            return
        stays = tuple(one for one in self.state.problems if one.field not in fields)
        self._publish(form=form, problems=stays)
        if any(getattr(form, name) != getattr(before, name) for name in CONNECTION):
            self._stop("test")
            self._publish(diagnosis=None, testing=False)

    @property
    def changed(self) -> bool:
        """True where something was typed that closing would lose."""
        return self.state.form != self._first

    def release(self) -> None:
        """Forget what was typed, secrets among it, and end a test under way: the dialog is closed.

        A cluster that is being kept is kept as it was typed first; `failed` says where that fails.
        """
        self._released = True
        for kind in ("test", "find"):
            self._stop(kind)
        if not self.state.saving:
            self._forget()

    def _forget(self) -> None:
        self.state, self._first, self._known, self._taken = FormState(), ClusterForm(), None, None
        self.released.emit()

    # What was typed as a cluster

    def _cluster(self) -> OwnCluster:
        from ansflow_desktop.kube.own import edited_plugin
        from ansflow_desktop.kube.plugins import make_plugin

        form, known = self.state.form, self._known
        args = tuple(line for line in form.exec_args.splitlines() if line)
        plugin = make_plugin(form.exec_command.strip(), args, env_of(form.exec_env))
        if self._taken is not None:  # what the pasted text held is shown as ***
            plugin = edited_plugin(plugin, self._taken)
        base = known or OwnCluster(id=self._services.cluster_book.new_id(), name="", server="")
        return msgspec.structs.replace(
            base,
            name=form.name.strip() or _host(form.server),
            server=_address(form.server),
            auth=form.auth,
            ca=form.ca.strip(),
            insecure=form.insecure,
            tls_server_name=form.tls_server_name.strip(),
            proxy_url=form.proxy_url.strip(),
            exec_plugin=plugin if form.auth == "exec" else None,
        )

    def _keeps_secret(self) -> bool:
        known = self._known
        kept = self.state.kept_secret and known is not None and known.auth == self.state.form.auth
        return kept and secret_of(self.state.form) is None

    def _check(self, cluster: OwnCluster) -> tuple[Problem, ...]:
        form = self.state.form
        found = self._services.cluster_book.check(cluster, secret_of(form), marks_of(form))
        kept = self._keeps_secret()
        return tuple(one for one in found if not (kept and one.field in SECRETS))

    # Trying it

    def test(self) -> None:
        """Try the connection as it is typed; nothing is kept."""
        if not self.state.testing:
            self._start("test", self._test())

    async def _test(self) -> None:
        try:
            cluster = await off_thread(lambda: self._services.cluster_book.filled(self._cluster()))
        except UserError as error:
            self._refused(error, self.test)
            return
        problems = await off_thread(lambda: self._check(cluster))
        self._publish(problems=problems, diagnosis=None)
        if any(one.severity is Severity.ERROR for one in problems) or self._asks_approval(cluster):
            return
        self._publish(testing=True)
        try:
            self._publish(diagnosis=await self._diagnose(cluster))
        except UserError as error:
            self._refused(error, self.test)
        except Exception as error:
            self._refused(unexpected(error), self.test)
            raise
        finally:
            if asyncio.current_task() is self._tasks.get("test"):
                self._publish(testing=False)

    def _asks_approval(self, cluster: OwnCluster) -> bool:
        plugin = cluster.exec_plugin
        if plugin is None or self._services.approvals.approved(plugin):
            return False
        self.approval_needed.emit(self._entry(cluster))
        return True

    def approve(self, entry: ClusterEntry) -> None:
        """Remember that the person saw and approved the credential program, and try the connection with it."""
        if entry.exec_plugin is not None:
            self._services.approvals.approve(entry.exec_plugin)
        self.test()

    def _entry(self, cluster: OwnCluster) -> ClusterEntry:
        from ansflow_desktop.kube.own import entry_of

        return entry_of(cluster, marks_of(self.state.form))

    async def _diagnose(self, cluster: OwnCluster) -> Diagnosis:
        document = await off_thread(lambda: self._document(cluster))
        tools = await off_thread(lambda: known_tools(self._services))
        return await self._reads.diagnose(self._entry(cluster), document, tools)

    def _document(self, cluster: OwnCluster) -> dict[str, Any]:
        from ansflow_desktop.kube.login import resolved
        from ansflow_desktop.kube.own import document_of
        from ansflow_desktop.redact import secrets_of

        secret = secret_of(self.state.form)
        if self._keeps_secret() and self._known is not None:
            secret = self._services.cluster_book.secret(self._known)
        document = document_of(cluster, secret, self.state.form.namespace.strip())
        self._services.redactor.add(secrets_of(document))
        if cluster.exec_plugin:
            asked = document["users"][0]["user"]["exec"]
            asked["command"] = resolved(asked["command"])
        return document

    # Keeping it

    def save(self) -> None:
        """Keep the cluster, or say at its field what is wrong."""
        if not self.state.saving:
            self._publish(saving=True)
            self._start("save", self._save())

    async def _save(self) -> None:
        try:
            name = await off_thread(self._keep)
        except UserError as error:
            self._not_kept(error)
        except Exception as error:
            self._not_kept(unexpected(error))
            raise
        else:
            self._publish(saving=False)
            self.saved.emit(name)
            if self._released:
                self._forget()

    def _not_kept(self, error: UserError) -> None:
        self._publish(saving=False)
        if self._released:
            self._forget()
            self.failed.emit(error)
        else:
            self._refused(error, self.save)

    def _keep(self) -> str:
        state, book = self.state, self._services.cluster_book
        marks = marks_of(state.form)
        if state.original:  # what somebody else changed meanwhile (a read-only mark) stays where nothing was typed
            marks = merged(marks, marks_of(self._first), self._services.catalog.entry(state.original).marks)
        if not state.own:
            book.mark(state.original, marks)
            return state.original
        cluster, now = self._cluster(), book.own(state.original) if state.original else None
        if now is not None and self._known is not None:
            cluster = merged(cluster, self._known, now)
        secret = secret_of(state.form)
        if state.original:
            book.change(state.original, cluster, secret, marks)
        else:
            book.add(cluster, secret, marks)
        return cluster.name

    def _refused(self, error: UserError, again: Callable[[], None]) -> None:
        problems = getattr(error, "problems", ())
        if problems or error.field in FIELDS:
            one = Problem(field=error.field or "", title=error.title, message=error.message, hint=error.hint)
            self._publish(problems=tuple(problems) or (one,))
            return
        one = Problem(field="", title=error.title, message=error.message, hint=error.hint)
        self._publish(problems=(one,))
        if is_locked_away(error):
            self.vault_needed.emit(error, again)

    def _publish(self, **changed: Any) -> None:
        state = msgspec.structs.replace(self.state, **changed)
        if state != self.state:
            self.state = state
            self.state_changed.emit()


def is_locked_away(error: UserError) -> bool:
    """Return whether `error` says that the vault must be unlocked, made or mended first."""
    from ansflow_desktop.store.vault_errors import VaultDamaged, VaultLocked, VaultNeeded

    return isinstance(error, VaultLocked | VaultNeeded | VaultDamaged)


CONNECTION = (
    *("server", "auth", *SECRETS, "exec_command", "exec_args", "exec_env"),
    *("ca", "insecure", "tls_server_name", "proxy_url"),
)
"""Fields that a connection test depends on."""

FIELDS = ("name", "server", "ca", "token", "certificate", "key", "exec_command", "proxy_url", "namespace")
"""Fields that a problem can stand at."""


def _address(server: str) -> str:
    """Return the address with https where no scheme was typed, without the slash that browsers add."""
    text = server.strip()
    if "://" not in text:
        text = f"https://{text.lstrip('/')}" if text.strip("/") else ""
    scheme, _mark, rest = text.partition("://")
    return f"{scheme}://{rest.rstrip('/')}" if text else ""


def _host(server: str) -> str:
    """Return the host of `server`: the name of a cluster that was given none."""
    from urllib.parse import urlsplit

    try:
        return urlsplit(_address(server)).hostname or ""
    except ValueError:
        return ""
