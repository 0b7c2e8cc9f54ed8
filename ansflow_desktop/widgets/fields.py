"""A field with its label above, its help beside, and its problems below: where they belong (ui.md)."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from ansflow_desktop.i18n import translate
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.widgets.controls import Symbol, clear, label, set_property

_LOOKS = {
    Severity.ERROR: ("alert-circle", "bad"),
    Severity.WARNING: ("alert", "warn"),
    Severity.INFO: ("information-outline", "muted"),
}


class ProblemLine(QFrame):
    """One problem: what is wrong, the tool's own words, and what to do."""

    def __init__(self, problem: Problem) -> None:
        """Show `problem`."""
        super().__init__()
        self.setProperty("role", "plain")
        icon, tone = _LOOKS[problem.severity]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 1, 0, 1)
        layout.setSpacing(6)
        aligned = QVBoxLayout()
        aligned.addSpacing(2)
        aligned.addWidget(Symbol(icon, tone, 15))
        aligned.addStretch(1)
        layout.addLayout(aligned)
        words = QVBoxLayout()
        words.setSpacing(1)
        layout.addLayout(words, 1)
        title = translate(problem.title)
        words.addWidget(label(title, "", tone if tone != "muted" else "", wrap=True, selectable=True))
        rest = "\n".join(part for part in (translate(problem.message), translate(problem.hint)) if part)
        if rest:
            words.addWidget(label(rest, "muted", wrap=True, selectable=True))
        self.setAccessibleName(f"{title}. {' '.join(rest.splitlines())}" if rest else title)


class Problems(QWidget):
    """The problems of one field; takes no room when there are none."""

    def __init__(self) -> None:
        """Start with none."""
        super().__init__()
        self._shown: tuple[Problem, ...] = ()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 2)
        self._layout.setSpacing(2)
        self.hide()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show these problems, errors first."""
        ordered = tuple(sorted(problems, key=lambda problem: list(_LOOKS).index(problem.severity)))
        if ordered == self._shown:
            return
        self._shown = ordered
        clear(self._layout)
        for problem in ordered:
            self._layout.addWidget(ProblemLine(problem))
        self.setVisible(bool(ordered))


class Field(QWidget):
    """A labelled input; `input` is the widget that takes the keyboard."""

    def __init__(self, title: str, content: QWidget, focus: QWidget | None = None, stretch: int = 0) -> None:
        """Put `title` above `content`; `focus` is the input inside it where `content` only holds it."""
        super().__init__()
        self.input = focus or content
        self._problems = Problems()
        heading = label(title, "field")
        heading.setBuddy(self.input)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        if title:
            layout.addWidget(heading)
        layout.addWidget(content, stretch)
        layout.addWidget(self._problems)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show this field's problems and colour its frame."""
        self._problems.show_problems(problems)
        worst = ""
        if any(problem.severity is Severity.WARNING for problem in problems):
            worst = "warning"
        if any(problem.severity is Severity.ERROR for problem in problems):
            worst = "error"
        set_property(self.input, "problem", worst)
        self.input.setAccessibleDescription("; ".join(translate(problem.title) for problem in problems))
