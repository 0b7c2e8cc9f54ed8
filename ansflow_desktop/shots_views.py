"""What `screenshot` draws of a page beside its first view: other tabs and dialogs, with data where there are some."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from PySide6.QtWidgets import QApplication, QWidget

from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.presenters.loop import spin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansflow_desktop.app import Window
    from ansflow_desktop.widgets.clusters_page import ClustersPage
    from ansflow_desktop.widgets.credentials_page import CredentialsPage

_SETTLE_S = 15.0


def views(window: Window, page: str) -> Iterator[tuple[str, QWidget]]:
    """Yield name and widget of every view of `page`, which the window shows; each stays until the next is asked for."""
    more = {"clusters": _clusters, "credentials": _credentials, "templates": _settings}.get(page)
    if page == "clusters":
        _choose_cluster(window)
    yield page, window.shell
    if more is not None:
        yield from more(window)


def _choose_cluster(window: Window) -> None:
    """Select the cluster that one works in, and wait for its figures."""
    page, details = cast("ClustersPage", window.shell.page), window.clusters_desk.details
    page.show_cluster(window.frame.state.cluster)
    row = details.state.row
    if row is not None and row.status.reach is Reach.REACHABLE:
        spin(lambda: bool(details.state.statistics or details.state.error), _SETTLE_S)


def _clusters(window: Window) -> Iterator[tuple[str, QWidget]]:
    from ansflow_desktop.widgets.resources_view import ResourcesView
    from ansflow_desktop.widgets.vault_dialogs import CreateVaultDialog

    page = cast("ClustersPage", window.shell.page)
    row = window.frame.state.row
    if row is not None and row.status.reach is Reach.REACHABLE:
        page.show_cluster(row.entry.name, resources=True)
        objects = cast("ResourcesView", page.findChild(ResourcesView)).presenter
        spin(lambda: objects.state.complete or objects.state.error is not None, _SETTLE_S)
        yield "clusters-resources", window.shell
        page.show_cluster(row.entry.name)
    page.add_cluster()
    with _dialog() as dialog:
        yield "clusters-add", dialog
    CreateVaultDialog(window.shell, window.vault.presenter, ("keyring", "passphrase", "session")).open()
    with _dialog() as dialog:
        yield "vault-create", dialog


def _credentials(window: Window) -> Iterator[tuple[str, QWidget]]:
    page = cast("CredentialsPage", window.shell.page)
    if page.detail.isVisible() and page.detail.renew.isVisible():
        page.detail.renew.click()
        with _dialog() as dialog:
            yield "credentials-renew", dialog


def _settings(window: Window) -> Iterator[tuple[str, QWidget]]:
    window.shell.settings_asked.emit()
    with _dialog() as dialog:
        yield "settings", dialog


@contextmanager
def _dialog() -> Iterator[QWidget]:
    """Give the dialog that was opened, closed again afterwards."""
    spin(lambda: QApplication.activeModalWidget() is not None, _SETTLE_S)
    dialog = cast("QWidget", QApplication.activeModalWidget())
    try:
        yield dialog
    finally:
        dialog.close()
