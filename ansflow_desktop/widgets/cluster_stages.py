"""A connection test stage by stage: what was tried, what was found, the server's words, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _, msg, translate
from ansflow_desktop.models.cluster import Diagnosis, Finding, Stage
from ansflow_desktop.widgets.cluster_words import FINDINGS, STAGES
from ansflow_desktop.widgets.controls import Symbol, clear, label

_HIDDEN = Finding.SKIPPED


class StageList(QWidget):
    """Shows a Diagnosis; takes no room without one."""

    def __init__(self) -> None:
        """Start with nothing tested."""
        super().__init__()
        self._shown: tuple[Diagnosis | None, bool] = (None, False)
        self.at_fault: QWidget | None = None
        """The words on the first stage that is wrong or warns."""
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(9)
        self._grid.setVerticalSpacing(7)
        self._grid.setColumnStretch(2, 1)
        self.setAccessibleName(_("Connection test"))
        self.hide()

    def show_test(self, diagnosis: Diagnosis | None, *, testing: bool = False) -> bool:
        """Show what was found; while `testing` that it is under way. Return whether that is something else now."""
        if (diagnosis, testing) == self._shown:
            return False
        self._shown, self.at_fault = (diagnosis, testing), None
        clear(self._grid)
        if testing:
            self._line(0, "progress-clock", "accent", "", _("Testing the connection"), "")
        elif diagnosis is not None:
            for number, stage in enumerate(one for one in diagnosis.stages if one.finding is not _HIDDEN):
                self._stage(number, stage)
            self._who(diagnosis)
        self.setVisible(testing or diagnosis is not None)
        return True

    def _stage(self, number: int, stage: Stage) -> None:
        look = FINDINGS[stage.finding]
        title = translate(stage.title)
        bad = stage.finding in (Finding.BAD, Finding.WARNING)
        shown = (stage.message, stage.hint) if bad else (stage.message,)
        rest = "\n".join(part for part in map(translate, shown) if part and part != title)
        name = translate(STAGES.get(stage.name, stage.name))
        self._line(number, look.icon, look.tone, name, title, rest, bad=bad)
        self.setAccessibleDescription(f"{name}: {translate(look.word)}. {title}" if bad else "")

    def _line(self, number: int, icon: str, tone: str, name: str, title: str, rest: str, *, bad: bool = False) -> None:
        top = Qt.AlignmentFlag.AlignTop
        self._grid.addWidget(Symbol(icon, tone, 16), number, 0, top)
        self._grid.addWidget(label(name, "muted"), number, 1, top)
        words = QVBoxLayout()
        words.setSpacing(1)
        said = label(title, "strong" if bad else "", tone if bad else "", wrap=True, selectable=True)
        words.addWidget(said)
        if bad and self.at_fault is None:
            self.at_fault = said
        if rest:
            words.addWidget(label(rest, "muted", wrap=True, selectable=True))
        self._grid.addLayout(words, number, 2)

    def _who(self, diagnosis: Diagnosis) -> None:
        if not diagnosis.user:
            return
        groups = ", ".join(diagnosis.groups)
        text = msg("The server knows you as %(user)s", user=diagnosis.user)
        self._line(self._grid.rowCount(), "shield-key-outline", "muted", _("You"), translate(text), groups)
