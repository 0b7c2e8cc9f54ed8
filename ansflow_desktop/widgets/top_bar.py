"""The top bar: the cluster one works in with its state, the namespace, running runs, and the menu."""

from __future__ import annotations

import html

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QColor, QIcon, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QToolButton

from ansflow_desktop.i18n import _, msg, msg_n, translate
from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.presenters.clusters_state import ClusterRow
from ansflow_desktop.presenters.shell_state import ShellState
from ansflow_desktop.widgets import icons, theme, words
from ansflow_desktop.widgets.controls import Chip, ComboBox, button, icon_button, label, plain_tip

HEIGHT = 54
_ROW = Qt.ItemDataRole.UserRole
_LANGUAGES = (("en", "English"), ("zh_CN", "简体中文"))


class _ClusterDelegate(QStyledItemDelegate):
    """A row of the cluster list: state icon, name, and the word for its state on the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(300, theme.ROW_PX - 2)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: ClusterRow = index.data(_ROW)
        rect: QRect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.colour("accent_soft")))
            painter.drawRoundedRect(QRectF(rect), 5, 5)
        paint_cluster(painter, rect.adjusted(8, 0, -10, 0), row)


def state_text(row: ClusterRow) -> str:
    """Return the words on a cluster's state: its version and latency when it answers."""
    look = words.reach_look(row.status, stopped=row.practice and not row.running)
    if row.status.reach is not Reach.REACHABLE or look is words.STOPPED:
        return translate(look.word)
    latency = translate(msg("%(ms)s ms", ms=max(1, round(row.status.latency_ms))))
    return "  ·  ".join(part for part in (translate(look.word), row.status.version, latency) if part)


def paint_cluster(painter: QPainter, rect: QRect, row: ClusterRow) -> None:
    """Paint a cluster as one line: icon, name, state in words."""
    look = words.reach_look(row.status, stopped=row.practice and not row.running)
    icons.paint(painter, QRectF(rect.left(), rect.center().y() - 7, 16, 16), look.icon, look.tone)
    inside = rect.adjusted(24, 0, 0, 0)
    if row.entry.marks.colour:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.colour(f"mark_{row.entry.marks.colour}")))
        painter.drawRoundedRect(QRectF(inside.left(), inside.center().y() - 8, 4, 17), 2, 2)
        inside = inside.adjusted(10, 0, 0, 0)
    painter.setFont(theme.body_font(bold=True))
    free = inside.width() - painter.fontMetrics().horizontalAdvance(row.entry.name) - 14
    painter.setFont(theme.body_font(theme.SMALL_PX))
    state = state_text(row)
    width = min(painter.fontMetrics().horizontalAdvance(state) + 2, max(free, inside.width() * 3 // 5))
    painter.setPen(QColor(theme.colour("muted")))
    place = QRect(inside.right() - width, inside.top(), width, inside.height())
    shown = painter.fontMetrics().elidedText(state, Qt.TextElideMode.ElideRight, width)
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, shown)
    painter.setFont(theme.body_font(bold=True))
    painter.setPen(QColor(theme.colour("text")))
    room = inside.adjusted(0, 0, -width - 12, 0)
    name = painter.fontMetrics().elidedText(row.entry.name, Qt.TextElideMode.ElideMiddle, room.width())
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)


class ClusterBox(ComboBox):
    """The cluster selector; its closed form shows state, version and latency too."""

    def __init__(self) -> None:
        """Make it empty."""
        super().__init__(_("Cluster"))
        self._shown: tuple[ClusterRow, ...] = ()
        self.setObjectName("cluster_box")
        self.setItemDelegate(_ClusterDelegate(self))
        self.setMinimumWidth(250)
        self.setMaximumWidth(390)
        self.view().setMinimumWidth(380)
        self.view().setAccessibleName(_("Clusters"))

    def set_rows(self, rows: tuple[ClusterRow, ...], chosen: str) -> None:
        """Show these clusters; a list of the same names is changed in place, so that an open list does not blink."""
        names = [row.entry.name for row in rows]
        shown: tuple[ClusterRow | None, ...] = self._shown
        if names != [one.entry.name for one in self._shown]:
            self.clear()
            self.addItems(names)
            shown = (None,) * len(rows)
        self._shown = rows
        for index, row in enumerate(rows):
            if row is shown[index]:
                continue
            self.setItemData(index, row, _ROW)
            self.setItemData(index, state_text(row), Qt.ItemDataRole.AccessibleDescriptionRole)
        self.setCurrentIndex(names.index(chosen) if chosen in names else -1)
        row_shown = self.currentData(_ROW)
        self.setAccessibleDescription(f"{chosen}: {state_text(row_shown)}" if row_shown else "")
        self.setToolTip(plain_tip(row_shown.entry.server) if row_shown else "")
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for name and state."""
        return QSize(360, super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame by the style, the chosen cluster by hand."""
        text = self.currentIndex()
        row = self.itemData(text, _ROW) if text >= 0 else None
        painter = QPainter(self)
        self._paint_frame(painter)
        inside = self.rect().adjusted(11, 0, -30, 0)
        if row is not None:
            paint_cluster(painter, inside, row)
        else:
            painter.setPen(QColor(theme.colour("muted")))
            painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, _("Choose a cluster"))
        side = QRectF(self.width() - 25, (self.height() - 18) / 2, 18, 18)
        icons.paint(painter, side, "chevron-down", "muted")

    def _paint_frame(self, painter: QPainter) -> None:
        from PySide6.QtWidgets import QStyleOptionComboBox

        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = ""
        option.currentIcon = QIcon()
        self.style().drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option, painter, self)


class TopBar(QFrame):
    """Emits what is chosen; shows a ShellState."""

    cluster_chosen = Signal(str)
    namespace_chosen = Signal(str)
    language_chosen = Signal(str)
    theme_chosen = Signal(str)
    settings_asked = Signal()
    shortcuts_asked = Signal()
    run_asked = Signal()
    page_asked = Signal(str)

    def __init__(self) -> None:
        """Make the bar with nothing chosen."""
        super().__init__()
        self.setObjectName("top_bar")
        self.setFixedHeight(HEIGHT)
        self._clusters = ClusterBox()
        self._namespaces = ComboBox(_("Namespace of the lists"))
        self._namespaces.setObjectName("namespace_box")
        self._namespaces.setFixedWidth(190)
        self._run = Chip("", "progress-clock", "accent")
        self._expiring = button("", "link")
        self._expiring.setObjectName("expiring_button")
        self._expiring.setIcon(icons.icon("clock-alert-outline", "warn"))
        self._expiring.clicked.connect(self._on_expiring)
        self._expiring.hide()
        self._menu_button = icon_button("cog-outline", _("Settings: language, theme, shortcuts"))
        self._menu_button.setObjectName("settings_button")
        self._menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 0, 16, 0)
        layout.setSpacing(10)
        layout.addWidget(self._clusters, 100)
        layout.addSpacing(4)
        layout.addWidget(label(_("Namespace"), "muted"))
        layout.addWidget(self._namespaces)
        layout.addStretch(1)
        layout.addWidget(self._run)
        layout.addWidget(self._expiring)
        layout.addWidget(self._menu_button)
        self._clusters.activated.connect(self._on_cluster)
        self._namespaces.activated.connect(self._on_namespace)

    def show_state(self, state: ShellState) -> None:
        """Show another state of the frame."""
        self._clusters.set_rows(state.rows, state.cluster)
        self._show_namespaces(state)
        self._run.setVisible(state.running > 0)
        self._run.set(translate(msg_n("%(count)s run", "%(count)s runs", state.running)), "progress-clock", "accent")
        self._expiring.setVisible(state.expiring > 0)
        text = translate(msg_n("%(count)s expires soon", "%(count)s expire soon", state.expiring))
        self._expiring.setText(text)
        self._expiring.setAccessibleName(text)
        self._expiring.setToolTip(_("Credentials that have ended or end soon"))
        if self._menu_button.menu() is None:
            self._menu_button.setMenu(self._menu(state))

    def _show_namespaces(self, state: ShellState) -> None:
        names = list(state.namespaces)
        if state.namespace and state.namespace not in names:
            names.append(state.namespace)
        shown = [_("All namespaces"), *names]
        if shown != [self._namespaces.itemText(index) for index in range(self._namespaces.count())]:
            self._namespaces.clear()
            self._namespaces.addItems(shown)
        self._namespaces.setToolTip(html.escape(translate(state.namespaces_note)))
        self._namespaces.setCurrentIndex(names.index(state.namespace) + 1 if state.namespace else 0)

    def _menu(self, state: ShellState) -> QMenu:
        menu = QMenu(self)
        menu.setAccessibleName(_("Settings"))
        self._choices(menu, _("Language"), _LANGUAGES, state.language, self._on_language)
        themes = (("system", _("Like the system")), ("light", _("Light")), ("dark", _("Dark")))
        menu.addSeparator()
        self._choices(menu, _("Theme"), themes, state.theme, self._on_theme)
        menu.addSeparator()
        settings = menu.addAction(icons.icon("cog-outline"), _("Settings…"))
        settings.triggered.connect(self.settings_asked)
        shortcuts = menu.addAction(icons.icon("keyboard-outline"), _("Keyboard shortcuts"))
        shortcuts.triggered.connect(self.shortcuts_asked)
        return menu

    def _choices(
        self, menu: QMenu, title: str, choices: tuple[tuple[str, str], ...], chosen: str, handler: object
    ) -> None:
        heading = menu.addAction(title)
        heading.setEnabled(False)
        group = QActionGroup(menu)
        blank = QIcon()
        for key, text in choices:
            action = menu.addAction(icons.icon("check", "accent") if key == chosen else blank, text)
            action.setData(key)
            group.addAction(action)
        group.triggered.connect(handler)

    @Slot(object)
    def _on_language(self, action: QAction) -> None:
        self.language_chosen.emit(action.data())

    @Slot(object)
    def _on_theme(self, action: QAction) -> None:
        self.theme_chosen.emit(action.data())

    @Slot(int)
    def _on_cluster(self, index: int) -> None:
        self.cluster_chosen.emit(self._clusters.itemText(index))

    @Slot(int)
    def _on_namespace(self, index: int) -> None:
        self.namespace_chosen.emit(self._namespaces.itemText(index) if index > 0 else "")

    @Slot()
    def _on_expiring(self) -> None:
        self.page_asked.emit("credentials")

    def focus_clusters(self) -> None:
        """Put the keyboard into the cluster selector."""
        self._clusters.setFocus()
