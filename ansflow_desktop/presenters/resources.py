"""The objects of a cluster, any kind, kept fresh by a watch: for the Resources tab of the Clusters page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import Slot

from ansflow_desktop.errors import UserError
from ansflow_desktop.presenters import namespaces
from ansflow_desktop.presenters.base import KUBE_CLIENT, Presenter, imported, off_thread
from ansflow_desktop.presenters.resource_rows import matching, shown_columns
from ansflow_desktop.presenters.resources_state import COMMON, ResourcesState, choices

if TYPE_CHECKING:
    from ansflow_desktop.kube.discovery import ServedKind
    from ansflow_desktop.kube.tables_watch import Choice, TableFeed
    from ansflow_desktop.models.resource_table import TableRows


class ResourcesPresenter(Presenter):
    """Follows one kind of one cluster at a time; nothing is read before `show`, nothing after `stop`.

    `failed` comes where the connection's document cannot be had (a locked vault, a program not approved); what the
    cluster itself refuses stands in the state.
    """

    def __init__(self, services: Any) -> None:
        """Keep the services; nothing is read."""
        super().__init__()
        self._services = services
        self._feed: TableFeed | None = None
        self._rows: TableRows | None = None
        self._known: tuple[str, ...] = ()
        self._shown = False
        self.state = ResourcesState(kinds=choices(COMMON))

    def show(self, cluster: str, namespace: str = "") -> None:
        """Follow the chosen kind of `cluster`; the same again goes on as it is. An empty `cluster` ends it.

        `namespace` is the one to begin with (empty: all); what was chosen of the same cluster since stays chosen.
        """
        self._shown = bool(cluster)
        if cluster == self.state.cluster and "feed" in self._tasks and self.state.error is None:
            return
        if cluster != self.state.cluster:
            self._known = (namespace,) if namespace else ()
            kind, text = self.state.kind, self.state.text
            fresh = ResourcesState(cluster=cluster, namespace=namespace, kinds=choices(COMMON), kind=kind, text=text)
            self._forget(fresh)
        self._begin()

    @property
    def following(self) -> bool:
        """True while there is a feed that tries again by itself, and where nobody looks."""
        return self._feed is not None or not self._shown

    @Slot()
    def stop(self) -> None:
        """End the watch, when nobody looks: the rows stay until the next `show`."""
        self._shown = False
        self._end()

    def _end(self) -> None:
        self._requests.begin("feed")
        self._stop("feed")
        self._feed = None

    @Slot()
    def reload(self) -> None:
        """Read everything again now; the rows stay until the answer is there.

        After an error the connection is begun anew, as what one signs in with may be another one now.
        """
        if self._feed is None or self.state.error is not None:
            self._begin()
        else:
            self._choose()

    @Slot(str)
    def choose_kind(self, key: str) -> None:
        """Show another kind: a key of `state.kinds`; an unknown one changes nothing."""
        if key != self.state.kind and self.state.choice(key) is not None:
            self._change(kind=key)

    @Slot(str)
    def choose_namespace(self, namespace: str) -> None:
        """Show one namespace; empty for all."""
        if namespace != self.state.namespace:
            self._change(namespace=namespace)

    @Slot(str)
    def filter(self, text: str) -> None:
        """Show the rows that contain every word of `text` in any of their cells."""
        if text != self.state.text:
            self._set(text=text, rows=matching(self._rows.rows if self._rows else (), text))

    def _change(self, **changed: Any) -> None:
        """Forget the rows, which are of another kind or namespace, and follow the new choice."""
        self._forget(
            msgspec.structs.replace(
                self.state, columns=(), rows=(), total=0, complete=False, error=None, unread=(), fresh_at=0, **changed
            )
        )
        self._choose()

    def _forget(self, state: ResourcesState) -> None:
        self._rows = None
        self.state = msgspec.structs.replace(state, loading=bool(state.cluster))
        self.state_changed.emit()

    def _begin(self) -> None:
        self._end()
        if self.state.cluster:
            known = self._rows is not None  # rows that are known to be old stay so until the server answers
            self._set(loading=not known, error=self.state.error if known else None)
            self._start("feed", self._follow(self.state.cluster, self._requests.begin("feed")))

    async def _follow(self, cluster: str, number: int) -> None:
        try:
            await imported(*KUBE_CLIENT, "ansflow_desktop.kube.tables_watch")
            document = await off_thread(lambda: self._services.catalog.document(cluster))
        except UserError as error:
            if self._requests.current("feed", number):
                self._set(loading=False, error=error)
            raise
        known = await namespaces.of(self._services).known(cluster)
        self._take_namespaces(known.names if known else ())
        if known is None:
            self._start("namespaces", self._ask_namespaces(cluster, number))
        feed = self._make_feed(document, number)
        self._feed = feed
        self._choose()
        await feed.run()

    def _make_feed(self, document: dict[str, Any], number: int) -> TableFeed:
        from ansflow_desktop.kube.tables_watch import TableFeed

        def on_rows(choice: Choice, rows: TableRows) -> None:
            if self._requests.current("feed", number) and choice == self._choice():
                self._take(rows)

        def on_state(choice: Choice, error: UserError | None) -> None:
            if self._requests.current("feed", number) and choice == self._choice():
                self._take_state(error)
                if error is not None:
                    self._start("newer", self._follow_newer(self.state.cluster, document, number))

        def on_kinds(kinds: tuple[ServedKind, ...]) -> None:
            if self._requests.current("feed", number):
                self._take_kinds(kinds)

        return TableFeed(document, on_rows, on_state, on_kinds)

    async def _ask_namespaces(self, cluster: str, number: int) -> None:
        """Ask for the namespaces, where nobody did before; who may list none is asked in those it may use."""
        try:
            found = await namespaces.of(self._services).read(cluster)
        except UserError:  # the objects' own answer says what is wrong
            return
        if self._requests.current("feed", number):
            self._take_namespaces(found.names)
            self._choose()

    def _take_namespaces(self, names: tuple[str, ...]) -> None:
        self._known = names or self._known
        self._set(namespaces=names)

    async def _follow_newer(self, cluster: str, document: dict[str, Any], number: int) -> None:
        """Begin anew where the connection is another one now: a renewed token, an edited address or file."""
        try:
            now = await off_thread(lambda: self._services.catalog.document(cluster))
        except UserError:  # what is wrong with it is said where one comes back to it
            return
        if now != document and self._requests.current("feed", number):
            self._begin()

    def _choice(self) -> Choice:
        from ansflow_desktop.kube.tables_watch import Choice

        chosen = self.state.choice(self.state.kind) or self.state.kinds[0]
        bare = msgspec.structs.replace(chosen.served, verbs=(), names=(), short=())
        return Choice(kind=bare, namespace=self.state.namespace, known=self._known)

    def _choose(self) -> None:
        if self._feed is not None:
            self._feed.choose(self._choice())

    def _take(self, rows: TableRows) -> None:
        self._rows = rows
        chosen = self.state.choice(self.state.kind)
        everywhere = not self.state.namespace and (chosen is None or chosen.served.namespaced)
        self._set(
            columns=shown_columns(rows.columns, namespaces=everywhere),
            rows=matching(rows.rows, self.state.text),
            total=len(rows.rows),
            complete=rows.complete,
            loading=not rows.complete and not rows.rows,
            unread=rows.unread,
            fresh_at=rows.read_at,
            error=None,
        )

    def _take_state(self, error: UserError | None) -> None:
        """Take why the rows are not fresh; None: the server has just answered, and they are."""
        confirmed = error is None and self._rows is not None
        fresh_at = time.time() if confirmed else self.state.fresh_at
        self._set(error=error, loading=self.state.loading and error is None, fresh_at=fresh_at)

    def _take_kinds(self, kinds: tuple[ServedKind, ...]) -> None:
        """Offer what the cluster serves; a chosen kind that it does not serve stays, and says so itself."""
        found = choices(kinds)
        now = self.state.choice(self.state.kind)
        if now is not None and all(one.key != now.key for one in found):
            found = (now, *found)
        self._set(kinds=found)

    def _set(self, **changed: Any) -> None:
        self.state = msgspec.structs.replace(self.state, **changed)
        self.state_changed.emit()
