"""While a deploy runs and after it: status, progress, resources with their health, the timeline, the verdict."""

from __future__ import annotations

import time

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.presenters.run_view import ResourceNode, RunView, TimelineRow
from ansflow_desktop.presenters.verdict import Verdict
from ansflow_desktop.widgets import icons, theme, words
from ansflow_desktop.widgets.code import CodeView
from ansflow_desktop.widgets.controls import (
    Card,
    Chip,
    Symbol,
    breakable,
    clear,
    icon_button,
    label,
    plain_tip,
    row,
    set_property,
)
from ansflow_desktop.widgets.focus_ring import Ringed

_TICK_MS = 500
_TREE_ROW = 30
_DATA = Qt.ItemDataRole.UserRole


class StatusStrip(Card):
    """Phase, what is waited for, elapsed time against the timeout, and a bar."""

    def __init__(self) -> None:
        """Start hidden: there is nothing to say before the first run."""
        super().__init__(margins=14)
        self._view: RunView | None = None
        self._chip = Chip()
        self._doing = label("", "strong")
        self._elapsed = label("", "context")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._bar.setAccessibleName(_("Elapsed time against the timeout"))
        self.body.addLayout(row(self._chip, self._doing, 1, self._elapsed, spacing=10))
        self.body.addWidget(self._bar)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    def show_view(self, view: RunView) -> None:
        """Show another moment of the run."""
        self._view = view
        look = words.PHASE[view.phase]
        self._chip.set(translate(look.word), look.icon, look.tone)
        self._doing.setText(translate(view.doing) if view.running else "")
        set_property(self._bar, "tone", "" if view.running else look.tone)
        self._timer.start() if view.running else self._timer.stop()
        self._tick()

    @Slot()
    def _tick(self) -> None:
        view = self._view
        if view is None:
            return
        elapsed = (view.finished or time.time()) - view.started
        if view.timeout:
            of = msg("%(elapsed)s of %(timeout)s", elapsed=words.clock(elapsed), timeout=words.clock(view.timeout))
            self._elapsed.setText(translate(of))
        else:
            self._elapsed.setText(words.clock(elapsed))
        share = elapsed / view.timeout if view.timeout else 0
        self._bar.setValue(1000 if not view.running else min(1000, int(share * 1000)))


class _NodeDelegate(QStyledItemDelegate):
    """A row of the tree: the state's icon and word on the right column, a line below."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(80, _TREE_ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        node: ResourceNode = index.data(_DATA)
        rect: QRect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(theme.colour("accent_soft")))
        painter.setPen(QColor(theme.colour("line")))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        look = words.HEALTH[node.health]
        if index.column() == 0:
            icons.paint(painter, QRectF(rect.left() + 2, rect.center().y() - 7, 16, 16), look.icon, look.tone)
            self._name(painter, rect.adjusted(25, 0, -6, 0), node)
        else:
            painter.setFont(theme.body_font())
            painter.setPen(QColor(theme.colour(look.tone)))
            self._elided(painter, rect.adjusted(2, 0, -8, 0), state_of(node), Qt.TextElideMode.ElideRight)

    def _name(self, painter: QPainter, rect: QRect, node: ResourceNode) -> None:
        painter.setFont(theme.body_font())
        painter.setPen(QColor(theme.colour("muted")))
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, node.kind)
        used = painter.fontMetrics().horizontalAdvance(node.kind) + 7
        painter.setPen(QColor(theme.colour("text")))
        self._elided(painter, rect.adjusted(used, 0, 0, 0), node.name, Qt.TextElideMode.ElideMiddle)

    @staticmethod
    def _elided(painter: QPainter, rect: QRect, text: str, mode: Qt.TextElideMode) -> None:
        shown = painter.fontMetrics().elidedText(text, mode, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, shown)


def state_of(node: ResourceNode) -> str:
    """Return an object's state in words: what it says about itself (`1 of 2 ready`), else its health word."""
    return translate(node.message) or translate(words.HEALTH[node.health].word)


class ResourceTree(Ringed, QTreeWidget):
    """The release's objects by owner; items are kept and changed, so that nothing blinks."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.setAccessibleName(_("Resources of the release"))
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setItemDelegate(_NodeDelegate(self))
        self.setIndentation(17)
        self.setUniformRowHeights(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.header().setMinimumSectionSize(60)
        self.header().setStretchLastSection(True)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._items: dict[str, QTreeWidgetItem] = {}

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width anew."""
        super().resizeEvent(event)
        self._share()

    def _share(self) -> None:
        """Give the states the room that they need, at most two fifths, and the names the rest."""
        metrics = QFontMetrics(theme.body_font())
        states = [state_of(item.data(0, _DATA)) for item in self._items.values()]
        needed = max((metrics.horizontalAdvance(text) for text in states), default=0) + 16
        width = self.viewport().width()
        self.setColumnWidth(0, width - min(max(needed, 80), width * 2 // 5))

    def show_nodes(self, nodes: tuple[ResourceNode, ...]) -> None:
        """Show these trees."""
        seen: set[str] = set()
        for node in nodes:
            self._place(None, node, seen)
        for key in set(self._items) - seen:
            if key in self._items:  # not gone with its owner yet
                self._remove(key)
        self._share()

    def _place(self, parent: QTreeWidgetItem | None, node: ResourceNode, seen: set[str]) -> None:
        seen.add(node.key)
        item = self._items.get(node.key)
        if item is not None and item.parent() is not parent:
            self._remove(node.key)
            item = None
        if item is None:
            item = QTreeWidgetItem()
            self._items[node.key] = item
            parent.addChild(item) if parent else self.addTopLevelItem(item)
            item.setExpanded(True)
        if item.data(0, _DATA) != node:
            self._fill(item, node)
        for child in node.children:
            self._place(item, child, seen)
        item.setExpanded(True)

    def _fill(self, item: QTreeWidgetItem, node: ResourceNode) -> None:
        text, health = f"{node.kind} {node.name}", translate(words.HEALTH[node.health].word)
        for column in (0, 1):
            item.setData(column, _DATA, node)
            said = "\n".join(part for part in (f"{text}: {health}", state_of(node), node.detail) if part)
            item.setToolTip(column, plain_tip(said))
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, f"{text}: {health}. {state_of(node)}")
        item.setData(1, Qt.ItemDataRole.AccessibleTextRole, state_of(node))

    def _remove(self, key: str) -> None:
        item = self._items.pop(key)
        for index in reversed(range(item.childCount())):
            child = item.child(index)
            if child is not None and child.data(0, _DATA).key in self._items:
                self._remove(child.data(0, _DATA).key)
        parent = item.parent()
        if parent is not None:
            parent.removeChild(item)
        elif self.indexOfTopLevelItem(item) >= 0:
            self.takeTopLevelItem(self.indexOfTopLevelItem(item))

    def drawBranches(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        """Draw the theme's own arrow where a row can be opened."""
        item = self.itemFromIndex(index)
        if item is not None and item.childCount():
            place = QRectF(rect.right() - 17, rect.center().y() - 7, 16, 16)
            icons.paint(painter, place, "chevron-down" if item.isExpanded() else "chevron-right", "muted")


class _LineDelegate(QStyledItemDelegate):
    """A row of the timeline: time and object, then the words, wrapped over as many lines as they need."""

    _HEAD = 19

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        view = self.parent()
        assert isinstance(view, Timeline)
        room = QRect(0, 0, max(60, view.viewport().width() - 8), 10_000)
        metrics = QFontMetrics(theme.body_font(theme.SMALL_PX))
        words_height = metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, index.data()).height()
        return QSize(60, self._HEAD + words_height + 9)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: TimelineRow = index.data(_DATA)
        rect: QRect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(theme.colour("accent_soft")))
        inside = rect.adjusted(2, 3, -4, -3)
        painter.setFont(theme.body_font(theme.SMALL_PX))
        painter.setPen(QColor(theme.colour("muted")))
        head = f"{words.time_of_day(row.time)}   {_short(row.subject)}"
        head = painter.fontMetrics().elidedText(head, Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, Qt.AlignmentFlag.AlignTop, head)
        painter.setPen(QColor(theme.colour("text" if row.tone == "muted" else row.tone)))
        painter.drawText(inside.adjusted(0, self._HEAD, 0, 0), Qt.TextFlag.TextWordWrap, index.data())
        painter.setPen(QColor(theme.colour("line")))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())


class Timeline(Ringed, QListWidget):
    """Events of the release as they came: time, object, words; repeated ones are counted."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.setAccessibleName(_("Timeline of the deploy"))
        self.setItemDelegate(_LineDelegate(self))
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setWordWrap(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._shown: tuple[TimelineRow, ...] = ()

    def show_rows(self, rows: tuple[TimelineRow, ...]) -> None:
        """Show these rows; those that are there already stay."""
        same = 0
        while same < min(len(rows), len(self._shown)) and rows[same] == self._shown[same]:
            same += 1
        bar = self.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 4
        for index in reversed(range(same, self.count())):
            self.takeItem(index)
        for one in rows[same:]:
            self.addItem(self._item(one))
        self._shown = rows
        if follows:
            self.scrollToBottom()

    @staticmethod
    def _item(row: TimelineRow) -> QListWidgetItem:
        text = translate(row.text)
        whole = f"{row.subject}: {text}" if row.subject else text
        item = QListWidgetItem(breakable(_counted(text, row.count)))
        item.setData(_DATA, row)
        item.setToolTip(plain_tip(whole))
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{words.time_of_day(row.time)} {whole}")
        return item


def _counted(text: str, count: int) -> str:
    return translate(msg("%(text)s (%(count)s times)", text=text, count=count)) if count > 1 else text


def _short(subject: str) -> str:
    """Return `Pod ...gltvh` for a generated name: its end is what tells it from the others."""
    kind, _space, name = subject.partition(" ")
    return f"{kind} …{name.rsplit('-', 1)[-1]}" if kind in ("Pod", "ReplicaSet") and "-" in name else subject


class VerdictCard(QFrame):
    """What happened in the end, what the cluster says, the server's words, and what to do. Emits `closed()`."""

    closed = Signal()

    def __init__(self) -> None:
        """Start hidden."""
        super().__init__()
        self.setObjectName("verdict")
        self.setProperty("role", "note")
        self._shown: Verdict | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 12, 10, 12)
        layout.setSpacing(12)
        self._symbol = Symbol("check-circle", "ok", 26)
        layout.addWidget(self._symbol, 0, Qt.AlignmentFlag.AlignTop)
        self._title = label("", "card_title")
        self._took = label("", "context")
        self._took.setToolTip(_("How long the deploy took"))
        close = icon_button("close", _("Put this verdict away"))
        close.clicked.connect(self.closed)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(4)
        self._lines.setContentsMargins(0, 0, 6, 0)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addLayout(row(self._title, 1, self._took, close, spacing=12))
        column.addLayout(self._lines)
        layout.addLayout(column, 1)
        self.hide()

    def show_view(self, view: RunView | None) -> None:
        """Show the verdict of a run that has ended, else nothing."""
        verdict = view.verdict if view else None
        self.setVisible(verdict is not None)
        self._took.setText(words.clock(max(1, round(view.finished - view.started))) if view and verdict else "")
        if verdict is None or verdict == self._shown:
            self._shown = verdict
            return
        self._shown = verdict
        set_property(self, "tone", verdict.tone)
        icon = {"ok": "check-circle", "warn": "alert", "bad": "close-circle"}[verdict.tone]
        self._symbol.set(icon, verdict.tone)
        clear(self._lines)
        self._title.setText(translate(verdict.title))
        set_property(self._title, "tone", verdict.tone)
        self._add_state(verdict)
        for text in verdict.warnings:
            self._lines.addWidget(label(translate(text), "", wrap=True, selectable=True))
        self._add_words(translate(verdict.words))
        if verdict.hint:
            self._lines.addWidget(label(translate(verdict.hint), "strong", wrap=True, selectable=True))
        self.setAccessibleName(f"{translate(verdict.title)}. {translate(verdict.state)}")

    def _add_state(self, verdict: Verdict) -> None:
        if not verdict.state:
            return
        line = QWidget()
        parts = row(label(translate(verdict.state), "", wrap=True, selectable=True), spacing=10)
        parts.setStretch(0, 1)
        if verdict.release:
            look = words.release_look(verdict.release.status)
            parts.insertWidget(0, Chip(translate(look.word), look.icon, look.tone), 0, Qt.AlignmentFlag.AlignTop)
        line.setLayout(parts)
        self._lines.addWidget(line)

    def _add_words(self, text: str) -> None:
        if not text:
            return
        if len(text) < 160 and "\n" not in text:
            self._lines.addWidget(label(text, "", wrap=True, selectable=True))
            return
        shown = CodeView(_("The server's words"))
        shown.setPlainText(text)
        lines = min(6, sum(len(line) // 76 + 1 for line in text.split("\n")))
        shown.setFixedHeight(lines * shown.fontMetrics().lineSpacing() + 26)
        self._lines.addWidget(shown)
