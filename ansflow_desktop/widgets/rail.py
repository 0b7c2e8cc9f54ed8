"""The rail on the left: the pages that exist, the tools' versions, and icons alone where there is little room."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QFrame, QLabel, QVBoxLayout

from ansflow_desktop.i18n import Message, Text, msg, translate
from ansflow_desktop.widgets import icons
from ansflow_desktop.widgets.controls import Symbol, button, label, row, set_property

PAGES: tuple[tuple[str, str, Message], ...] = (
    ("deploy", "rocket-launch-outline", msg("Deploy")),
    ("pipelines", "source-branch", msg("Pipelines")),
    ("releases", "package-variant-closed", msg("Releases")),
    ("clusters", "server-network", msg("Clusters")),
    ("credentials", "key-chain-variant", msg("Credentials")),
    ("templates", "shape-outline", msg("Templates")),
)
WIDE, NARROW = 196, 60
FOLD_BELOW = 1100


class Rail(QFrame):
    """Emits `page_chosen(key)`."""

    page_chosen = Signal(str)

    def __init__(self) -> None:
        """Make the rail with the first page chosen."""
        super().__init__()
        self.setObjectName("rail")
        self._folded = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(12, 0, 12, 14)
        self._layout.setSpacing(4)
        self._brand = label("AnsFlow", "brand")
        brand = row(Symbol("ship-wheel", "accent", 22), self._brand, 1, spacing=9)
        brand.setContentsMargins(7, 15, 0, 13)
        self._layout.addLayout(brand)
        self._group = QButtonGroup(self)
        self._buttons = {key: self._page_button(key, icon, word) for key, icon, word in PAGES}
        self._layout.addStretch(1)
        self._tools: list[QLabel] = []
        self._tools_layout = QVBoxLayout()
        self._tools_layout.setContentsMargins(8, 0, 0, 0)
        self._tools_layout.setSpacing(2)
        self._layout.addLayout(self._tools_layout)
        self._group.idClicked.connect(self._on_clicked)
        self.fold(False)
        self.choose("deploy")

    def _page_button(self, key: str, icon: str, word: Message) -> object:
        made = button(translate(word), "rail")
        made.setCheckable(True)
        made.setIconSize(QSize(icons.SIZE + 6, icons.SIZE))
        made.setIcon(icons.icon(icon))
        made.setObjectName(f"rail_{key}")
        number = len(self._group.buttons())
        self._group.addButton(made, number)
        made.setToolTip(f"{translate(word)}  Ctrl+{number + 1}")
        self._layout.addWidget(made)
        return made

    @Slot(int)
    def _on_clicked(self, number: int) -> None:
        self.page_chosen.emit(PAGES[number][0])
        self._colour_icons(number)

    def choose(self, key: str) -> None:
        """Mark page `key` as the one shown."""
        number = next(index for index, page in enumerate(PAGES) if page[0] == key)
        self._group.button(number).setChecked(True)
        self._colour_icons(number)

    def _colour_icons(self, chosen: int) -> None:
        for index, (_key, icon, _word) in enumerate(PAGES):
            self._group.button(index).setIcon(icons.icon(icon, "accent" if index == chosen else "muted"))

    def show_tools(self, tools: tuple[Text, ...]) -> None:
        """Show the tools' versions at the bottom."""
        texts = [translate(tool) for tool in tools]
        while len(self._tools) < len(texts):
            line = label("", "muted")
            self._tools.append(line)
            self._tools_layout.addWidget(line)
        for line, text in zip(self._tools, texts, strict=False):
            line.setText(text)
            line.setVisible(not self._folded)
        self.setToolTip("\n".join(texts) if self._folded else "")

    def fold(self, folded: bool) -> None:
        """Show icons alone, or icons and words."""
        self._folded = folded
        self.setFixedWidth(NARROW if folded else WIDE)
        self._brand.setVisible(not folded)
        for (_key, _icon, word), made in zip(PAGES, self._group.buttons(), strict=True):
            made.setText("" if folded else translate(word))
            made.setIconSize(QSize(icons.SIZE + (0 if folded else 6), icons.SIZE))
            set_property(made, "folded", "true" if folded else "false")
        for line in self._tools:
            line.setVisible(not folded)
        self._layout.setAlignment(Qt.AlignmentFlag.AlignTop)
