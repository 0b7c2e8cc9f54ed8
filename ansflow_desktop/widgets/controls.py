"""Small parts that every page is built of; each takes its accessible name where it is made."""

from __future__ import annotations

import html
import re

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLayoutItem,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ansflow_desktop.widgets import icons, theme

_LEAST_BOX_PX = 140
_JOINTS = re.compile(r"[-/.:](?=\w)|\S{40}(?=\S)")


def label(text: str = "", role: str = "", tone: str = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    """Return a plain-text label (never rich text: failure-modes.md, row 33) in a style sheet role and tone."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setProperty("tone", tone)
    made.setWordWrap(wrap)
    if selectable:
        made.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        made.setAccessibleName(text)
    return made


def breakable(text: str) -> str:
    """Let long words break at their hyphens and slashes, or anywhere, where Qt alone would cut them off or grow."""
    return _JOINTS.sub("\\g<0>\u200b", text)


def plain_tip(text: str) -> str:
    """Return a tool tip that shows `text` as it is, also where it looks like markup (failure-modes.md, row 33)."""
    return f'<p style="white-space: pre-wrap">{html.escape(text)}</p>' if "<" in text else text


def set_property(widget: QWidget, name: str, value: str) -> None:
    """Set a property that the style sheet looks at, and restyle the widget when it changed."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def button(text: str, role: str = "", icon: str = "", name: str = "") -> QPushButton:
    """Return a push button; `role` is primary, danger, link or empty, `name` for assistive tools."""
    made = QPushButton(text)
    made.setProperty("role", role)
    made.setAccessibleName(name or text)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    if icon:
        tones = {"primary": "on_accent", "danger": "bad", "link": "accent"}
        made.setIcon(icons.icon(icon, tones.get(role, "muted")))
        made.setIconSize(QSize(20 if text else 16, 16))
    return made


def icon_button(icon: str, name: str, tone: str = "muted") -> QToolButton:
    """Return a square button that shows only an icon; `name` is its accessible name and tool tip."""
    made = QToolButton()
    made.setProperty("role", "icon")
    made.setIcon(icons.icon(icon, tone))
    made.setIconSize(QSize(icons.SIZE, icons.SIZE))
    made.setAccessibleName(name)
    made.setToolTip(plain_tip(name))
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return made


def rule() -> QFrame:
    """Return a one-pixel horizontal line."""
    made = QFrame()
    made.setProperty("role", "rule")
    return made


def row(*parts: QWidget | int, spacing: int = 8) -> QHBoxLayout:
    """Return the parts side by side; an int is a stretch of that factor."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for part in parts:
        layout.addStretch(part) if isinstance(part, int) else layout.addWidget(part)
    return layout


def clear(layout: QLayout) -> None:
    """Take everything out of `layout` and delete the widgets in it."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            clear(inner)


class Card(QFrame):
    """A surface with a line around it and a column of content in `body`."""

    def __init__(self, title: str = "", margins: int = 16, spacing: int = 8) -> None:
        """Make a card; `title` stands in `header`, to which actions can be added on the right."""
        super().__init__()
        self.setProperty("role", "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(margins, margins - 2, margins, margins)
        self.body.setSpacing(spacing)
        self.header = row(spacing=8)
        if title:
            self.header.addWidget(label(title, "card_title"))
            self.header.addStretch(1)
            self.body.addLayout(self.header)


class TableCard(Card):
    """A card around a table that is as high as its rows, so that no half of it is empty."""

    def __init__(self) -> None:
        """Make it for one stack of parts."""
        super().__init__(margins=0)
        self.body.setContentsMargins(1, 4, 1, 6)

    def fit(self, height: int) -> None:
        """Take `height` pixels for the content; 0 for all the room there is."""
        self.setMaximumHeight(height + 12 if height else 16777215)


class Column(QScrollArea):
    """A column that scrolls up and down and is never narrower than what stands in it."""

    def __init__(self, least: int = 0) -> None:
        """Make it around an empty `inside`, at least `least` pixels wide."""
        super().__init__()
        self._least = least
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.inside = QWidget()
        self.inside.setObjectName("scrolled")
        self.setWidget(self.inside)

    def minimumSizeHint(self) -> QSize:
        """Return the width of the widest part with the scroll bar's."""
        width = self.inside.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(max(width, self._least), 80)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask for another width when what stands inside does."""
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class Chip(QWidget):
    """A state as icon, word and colour together: never colour alone."""

    def __init__(self, text: str = "", icon: str = "", tone: str = "muted") -> None:
        """Show `text` after `icon` in `tone` (ok, warn, bad, accent or muted)."""
        super().__init__()
        self._text, self._icon, self._tone = "", "", ""
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.set(text, icon, tone)

    def set(self, text: str, icon: str = "", tone: str = "muted") -> None:
        """Show another state."""
        if (text, icon, tone) != (self._text, self._icon, self._tone):
            self._text, self._icon, self._tone = text, icon, tone
            self.setFont(theme.body_font(theme.SMALL_PX, bold=tone != "muted"))
            self.setAccessibleName(text)
            self.updateGeometry()
            self.update()

    @property
    def text(self) -> str:
        """The word shown."""
        return self._text

    def sizeHint(self) -> QSize:
        """Return the room for icon and word."""
        left = 24 if self._icon else 9
        metrics = QFontMetrics(theme.body_font(theme.SMALL_PX, bold=self._tone != "muted"))
        return QSize(left + metrics.horizontalAdvance(self._text) + 10, 22)

    def minimumSizeHint(self) -> QSize:
        """Return room for the icon and a few letters: a long word is elided before the window grows."""
        return QSize(min(self.sizeHint().width(), 80), 22)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pill."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.colour("hover" if self._tone == "muted" else f"{self._tone}_soft")))
        painter.drawRoundedRect(QRectF(self.rect()), 11, 11)
        left = 9
        if self._icon:
            icons.paint(painter, QRectF(7, 4, 14, 14), self._icon, self._tone)
            left = 25
        painter.setFont(theme.body_font(theme.SMALL_PX, bold=self._tone != "muted"))
        painter.setPen(QColor(theme.colour(self._tone)))
        room = QRect(left, 0, self.width() - left - 8, self.height())
        text = painter.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideMiddle, room.width() + 1)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)


class Symbol(QWidget):
    """One icon as a picture beside a text that says the same."""

    def __init__(self, icon: str, tone: str = "muted", size: int = icons.SIZE) -> None:
        """Show `icon` in `tone`, `size` logical pixels wide."""
        super().__init__()
        self._icon, self._tone = icon, tone
        self.setFixedSize(size, size)

    def set(self, icon: str, tone: str = "muted") -> None:
        """Show another icon."""
        self._icon, self._tone = icon, tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the icon."""
        icons.paint(QPainter(self), QRectF(self.rect()), self._icon, self._tone)


class ElidedLabel(QLabel):
    """One line that is shortened in the middle when there is no room; the whole text is its tool tip."""

    def __init__(self, text: str = "", role: str = "") -> None:
        """Show `text` in a style sheet role."""
        super().__init__()
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Show another text."""
        self._whole = text
        self.setAccessibleName(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten anew."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, max(0, self.width()))
        self.setText(shown)
        self.setToolTip(plain_tip(self._whole) if shown != self._whole else "")


class ComboBox(QComboBox):
    """A combo box with the theme's own arrow, and a wheel that only works when it has the focus."""

    def __init__(self, name: str) -> None:
        """Make it; `name` is for assistive tools."""
        super().__init__()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setItemDelegate(QStyledItemDelegate(self))  # the style sheet reaches the rows of this one only
        self.setMaxVisibleItems(14)

    def minimumSizeHint(self) -> QSize:
        """Return room for a short choice: a long name among them is shortened, and pushes nothing out of the form."""
        least = super().minimumSizeHint()
        return QSize(min(least.width(), _LEAST_BOX_PX), least.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the box, then the arrow that the style sheet leaves out."""
        super().paintEvent(event)
        painter = QPainter(self)
        side = QRectF(self.width() - 25, (self.height() - 18) / 2, 18, 18)
        icons.paint(painter, side, "chevron-down", "muted" if self.isEnabled() else "line_strong")

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the page, not the choice, when the box only lies under the pointer."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class CheckBox(QCheckBox):
    """A check box whose mark is drawn by the theme."""

    def __init__(self, text: str, name: str = "") -> None:
        """Make it; `name` is for assistive tools where the text is not enough."""
        super().__init__(text)
        self.setAccessibleName(name or text)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the box, then the mark that the style sheet leaves out."""
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        place = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        mark = QRectF(place.center().x() - 5.5, place.center().y() - 5.5, 13, 13)
        icons.paint(QPainter(self), mark, "check-bold", "on_accent" if self.isEnabled() else "muted")


class FlowLayout(QLayout):
    """Parts in lines like words, so that chips wrap instead of being cut."""

    def __init__(self, spacing: int = 6) -> None:
        """Leave `spacing` pixels between parts and lines."""
        super().__init__()
        self._items: list[QLayoutItem] = []
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        """Take one more part."""
        self._items.append(item)

    def count(self) -> int:
        """Return the number of parts."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """Return part `index`, None past the end."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Take part `index` out, None past the end."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        """Say that the height depends on the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the lines at `width`."""
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        """Place the parts in `rect`."""
        super().setGeometry(rect)
        self._place(rect, move=True)

    def sizeHint(self) -> QSize:
        """Return the least that shows every part."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        """Return the size of the widest part."""
        widths = [item.minimumSize().width() for item in self._items]
        heights = [item.sizeHint().height() for item in self._items]
        return QSize(max(widths, default=0), max(heights, default=0))

    def _place(self, rect: QRect, *, move: bool) -> int:
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            size = item.sizeHint().boundedTo(QSize(max(rect.width(), 1), 16777215))
            if x > rect.x() and x + size.width() > rect.right() + 1:
                x, y, line = rect.x(), y + line + self.spacing(), 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), size))
            x, line = x + size.width() + self.spacing(), max(line, size.height())
        return y + line - rect.y()


class EmptyState(QWidget):
    """What an empty page says: an icon, what belongs here, and the first step."""

    def __init__(
        self, icon: str, title: str, text: str, action: QPushButton | None = None, *, width: int = 440
    ) -> None:
        """Show the parts in the middle of whatever room there is; the words are `width` pixels wide."""
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setSpacing(6)
        layout.addStretch(2)
        layout.addWidget(Symbol(icon, "line_strong", 44), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(6)
        for words, role in ((title, "card_title"), (text, "context")):
            if not words:
                continue
            line = label(words, role, wrap=True)
            line.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            line.setFixedWidth(width)
            line.ensurePolished()
            line.setMinimumHeight(line.heightForWidth(width))
            layout.addWidget(line, 0, Qt.AlignmentFlag.AlignHCenter)
        if action:
            layout.addSpacing(8)
            layout.addWidget(action, 0, Qt.AlignmentFlag.AlignHCenter)
        self._end = layout.count()
        layout.addStretch(3)
        self._column = layout

    def add(self, part: QWidget) -> None:
        """Add one more part below the others."""
        self._column.insertWidget(self._end, part, 0, Qt.AlignmentFlag.AlignHCenter)
        self._end += 1
