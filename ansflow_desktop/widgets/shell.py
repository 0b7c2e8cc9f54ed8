"""The window: rail, top bar, banners and one page; painted before any page is made (performance.md, goal 9)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ansflow_desktop.i18n import Message, _, msg
from ansflow_desktop.presenters.clusters_state import ClusterRow
from ansflow_desktop.presenters.shell_state import Banner, ShellState
from ansflow_desktop.widgets.banners import Banners
from ansflow_desktop.widgets.page import Page
from ansflow_desktop.widgets.rail import FOLD_BELOW, PAGES, Rail
from ansflow_desktop.widgets.toast import Toast
from ansflow_desktop.widgets.top_bar import TopBar

LEAST_WIDTH, LEAST_HEIGHT = 1024, 700
_ANSWER_MS = 5


class Shell(QMainWindow):
    """The frame; pages are made by `page_factory(key)` when first shown.

    Emits `closing()` when the person wants to close, `chart_dropped(path)`, `shortcuts_asked()`,
    `settings_asked()`, and `painted()` once, when the frame was painted and earlier clicks were answered.
    """

    closing = Signal()
    chart_dropped = Signal(str)
    shortcuts_asked = Signal()
    settings_asked = Signal()
    page_shown = Signal(str)
    rebuilt = Signal()
    painted = Signal()

    def __init__(self) -> None:
        """Make an empty frame."""
        super().__init__()
        self.setObjectName("shell")
        self.setMinimumSize(LEAST_WIDTH, LEAST_HEIGHT)
        self.setAcceptDrops(True)
        self.may_close = False
        self._was_painted = False
        self._factory: Callable[[str], Page] | None = None
        self._pages: dict[str, Page] = {}
        self.current = "deploy"
        self._build()
        self._shortcuts()

    def _build(self) -> None:
        self.setWindowTitle("AnsFlow Desktop")
        self.rail = Rail()
        self.top_bar = TopBar()
        self.banners = Banners()
        self._stack = QStackedWidget()
        self._stack.addWidget(_blank())
        middle = QWidget()
        middle.setObjectName("page")
        middle.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.top_bar, self.banners):
            column.addWidget(part)
        column.addWidget(self._stack, 1)
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        line.addWidget(self.rail)
        line.addWidget(middle, 1)
        self.setCentralWidget(holder)
        middle.setFocus()
        self.toast = Toast(middle)
        self.rail.page_chosen.connect(self.show_page)
        self.top_bar.page_asked.connect(self.show_page)
        self.top_bar.settings_asked.connect(self.settings_asked)
        self.top_bar.shortcuts_asked.connect(self.shortcuts_asked)
        self.rail.fold(self.width() < FOLD_BELOW)

    def _shortcuts(self) -> None:
        keys: list[tuple[str, Callable[[], None]]] = [
            ("Ctrl+R", self._on_reload),
            ("F5", self._on_reload),
            ("Ctrl+Return", self._on_trigger),
            ("Ctrl+,", self.settings_asked.emit),
            ("Ctrl+K", self._on_clusters),
            ("Ctrl+Q", self._on_quit),
            ("/", self._on_filter),
            ("?", self.shortcuts_asked.emit),
            ("Esc", self._on_escape),
        ]
        for text, handler in keys:
            made = QShortcut(QKeySequence(text), self)
            made.setObjectName(f"shortcut {text}")
            made.activated.connect(handler)
            if text in ("/", "?"):
                self._plain_keys = [*getattr(self, "_plain_keys", []), made]
        for number, (key, _icon, _word) in enumerate(PAGES):
            made = QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self)
            made.setProperty("page", key)
            made.activated.connect(self._on_page_key)
        QApplication.instance().focusChanged.connect(self._on_focus)  # type: ignore[union-attr]

    @Slot(QWidget, QWidget)
    def _on_focus(self, _old: QWidget | None, now: QWidget | None) -> None:
        """Plain keys are letters inside editors (conventions.md, 20)."""
        typing = isinstance(now, QLineEdit | QPlainTextEdit) and not now.isReadOnly()
        for made in self._plain_keys:
            made.setEnabled(not typing)

    @Slot()
    def _on_page_key(self) -> None:
        self.show_page(str(self.sender().property("page")))

    # Pages

    def set_factory(self, factory: Callable[[str], Page]) -> None:
        """Make pages with `factory` from now on, the shown one at once; pages made before are deleted."""
        self._factory = factory
        self._drop_pages()
        self.show_page(self.current)

    def _drop_pages(self) -> None:
        for page in self._pages.values():
            self._stack.removeWidget(page)
            page.hide()
            page.setParent(None)
            page.deleteLater()
        self._pages.clear()

    @Slot(str)
    def show_page(self, key: str) -> None:
        """Show page `key`, making it where it was not shown before."""
        self.current = key
        self.rail.choose(key)
        if self._factory is None:
            return
        if key not in self._pages:
            page = self._pages[key] = self._factory(key)
            page.said.connect(self.toast.say)
            self._stack.addWidget(page)
        self._stack.setCurrentWidget(self._pages[key])
        self.page_shown.emit(key)

    @property
    def page(self) -> Page | None:
        """The page shown, None before the first was made."""
        return self._pages.get(self.current)

    def show_state(self, state: ShellState) -> None:
        """Show another state of the frame."""
        self.top_bar.show_state(state)
        self.rail.show_tools(state.tools)
        self.banners.show_banners(_banners(state))

    def rebuild(self, state: ShellState) -> None:
        """Make every widget anew in the language and theme now in use, at the same page."""
        self._drop_pages()
        old = self.centralWidget()
        self._build()
        if old is not None:
            old.deleteLater()
        self.rebuilt.emit()
        self.show_state(state)
        if self._factory is not None:
            self.show_page(self.current)

    # Keys

    @Slot()
    def _on_reload(self) -> None:
        if self.page:
            self.page.reload()

    @Slot()
    def _on_trigger(self) -> None:
        if self.page:
            self.page.trigger()

    @Slot()
    def _on_filter(self) -> None:
        if self.page:
            self.page.focus_filter()

    @Slot()
    def _on_escape(self) -> None:
        if self.page and not self.page.leave():
            self.page.focus_first()

    @Slot()
    def _on_quit(self) -> None:
        self.close()

    @Slot()
    def _on_clusters(self) -> None:
        self.top_bar.focus_clusters()

    # The window itself

    def paintEvent(self, event: QPaintEvent) -> None:
        """Say once that there is something to see."""
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(_ANSWER_MS, self.painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold the rail where there is little room."""
        super().resizeEvent(event)
        self.rail.fold(self.width() < FOLD_BELOW)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders."""
        if event.mimeData().hasUrls() and event.mimeData().urls()[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Deploy the folder that was dropped (conventions.md, 25); its Chart.yaml will do as well."""
        event.acceptProposedAction()
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        folders = {path.parent if path.name == "Chart.yaml" else path for path in paths}
        if len(folders) != 1:
            self.toast.say(_("Drop one chart folder at a time"))
            return
        folder = folders.pop()
        if folder.is_file():
            self.toast.say(_("Drop a chart folder: this is a file"))
            return
        self.show_page("deploy")
        self.chart_dropped.emit(str(folder))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask before closing: `closing` says that the person wants to."""
        if self.may_close:
            event.accept()
            return
        event.ignore()
        QTimer.singleShot(0, self.closing.emit)


def _blank() -> QWidget:
    made = QWidget()
    made.setObjectName("page")
    return made


def _marked(row: ClusterRow) -> list[Banner]:
    """Return what the flags of the chosen cluster mean; the executor enforces them (conventions.md, 10)."""
    marks, name = row.entry.held, row.entry.name
    changes = _whose(row.entry.read_only_by, msg("Nothing that changes it is run."))
    if marks.production and marks.read_only:
        title = msg("%(cluster)s is a production cluster, and read-only", cluster=name)
        return [Banner(key="production", tone="bad", title=title, text=changes)]
    if marks.production:
        title = msg("%(cluster)s is a production cluster", cluster=name)
        text = _whose(row.entry.production_by, msg("What destroys something there asks for its name first."))
        return [Banner(key="production", tone="bad", title=title, text=text)]
    if marks.read_only:
        title = msg("%(cluster)s is read-only", cluster=name)
        return [Banner(key="cluster_read_only", tone="warn", title=title, text=changes)]
    return []


def _whose(by: str, text: Message) -> Message:
    """Return `text` with the entry of the same server whose mark it is, where it is another one's."""
    return msg("%(text)s The mark is that of %(cluster)s, the same server.", text=text, cluster=by) if by else text


def _banners(state: ShellState) -> tuple[Banner, ...]:
    row = state.row
    found = _marked(row) if row is not None else []
    if row is not None and row.entry.insecure:
        title = msg("TLS is not verified for %(cluster)s", cluster=row.entry.name)
        text = msg("Anyone on the way can read and change what is sent.")
        found.append(Banner(key="insecure", tone="warn", title=title, text=text))
    if row is not None and row.exec_here and row.running:
        title = msg("Exec runs on this machine")
        text = msg("A command run in a pod of %(cluster)s runs here, with your rights.", cluster=row.entry.name)
        found.append(Banner(key="exec", tone="warn", title=title, text=text))
    return (*found, *state.banners)
