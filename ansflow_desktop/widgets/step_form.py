"""The form of a step: made from the definitions of its type, filled from the document, telling every edit."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ansflow_desktop.i18n import _
from ansflow_desktop.presenters.step_form import StepFormPresenter
from ansflow_desktop.presenters.step_form_state import CONFIG, FormState, KeptField, Path
from ansflow_desktop.widgets import icons
from ansflow_desktop.widgets.code import CodeView
from ansflow_desktop.widgets.controls import Card, Column, EmptyState, Symbol, clear, label, row
from ansflow_desktop.widgets.fields import Problems
from ansflow_desktop.widgets.form_inputs import bring_into_view
from ansflow_desktop.widgets.step_form_page import FieldRow, GroupBox, StepPage

_LEAST_WIDTH = 320
_AWAY = "away_"
_STEP = re.compile(r"^(?:spec\.)?steps\[\d+\]\.?")


class KeptList(QWidget):
    """Fields that the form does not edit, read-only: they are kept as they are."""

    def __init__(self, title: str, why: str) -> None:
        """Make it under `title`; `why` says in a sentence what these fields are."""
        super().__init__()
        self._shown: tuple[KeptField, ...] | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(label(title, "strong"))
        column.addWidget(label(why, "muted", wrap=True))
        self._list = QVBoxLayout()
        self._list.setSpacing(6)
        column.addLayout(self._list)
        self.hide()

    def show_kept(self, kept: tuple[KeptField, ...]) -> None:
        """Show these fields, unless they are shown already."""
        if kept == self._shown:
            return
        self._shown = kept
        clear(self._list)
        for one in kept:
            self._list.addWidget(_kept_row(one))
        self.setVisible(bool(kept))


def _kept_row(one: KeptField) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(3)
    column.addWidget(label(one.name, "field"))
    text = CodeView(one.name)
    text.setObjectName("kept_" + one.name.replace(".", "_"))
    text.show_text(one.text)
    lines = min(6, one.text.count("\n") + 1)
    text.setFixedHeight(lines * text.fontMetrics().lineSpacing() + 28)
    column.addWidget(text)
    problems = Problems()
    problems.show_problems(one.problems)
    column.addWidget(problems)
    return made


class StepForm(Card):
    """Shows a FormState; every edit goes to the presenter at once."""

    def __init__(self, presenter: StepFormPresenter) -> None:
        """Make the form for `presenter` in the language and theme in use."""
        super().__init__(margins=0)
        self._presenter = presenter
        self._pages: dict[str, StepPage] = {}
        self._page: StepPage | None = None
        self._serial = -1
        self._turns = 0
        self.body.setContentsMargins(0, 0, 0, 0)
        self._empty = EmptyState("pencil-outline", _("No step is chosen"), _("Choose a step, and its form is here."))
        self._scroll = Column(_LEAST_WIDTH)
        self.body.addWidget(self._empty)
        self.body.addWidget(self._scroll)
        self._build(QVBoxLayout(self._scroll.inside))
        presenter.refresh()
        presenter.state_changed.connect(self._on_state)
        self._on_state()

    def _build(self, column: QVBoxLayout) -> None:
        column.setContentsMargins(16, 14, 16, 16)
        column.setSpacing(14)
        self._icon = Symbol("cog-outline", "accent")
        self._title = label("", "card_title")
        self._help = label("", "muted", wrap=True)
        head = QVBoxLayout()
        head.setSpacing(4)
        head.addLayout(row(self._icon, self._title, 1))
        head.addWidget(self._help)
        self._problems = Problems()
        head.addWidget(self._problems)
        column.addLayout(head)
        self._place = QVBoxLayout()
        column.addLayout(self._place)
        other = _("They do not apply to the step as it is now, and are used again when they do.")
        self._other_mode = KeptList(_("Kept, not used"), other)
        unknown = _("This version does not know them. They are kept as they are.")
        self._unknown = KeptList(_("Unknown fields"), unknown)
        for part in (self._other_mode, self._unknown):
            column.addWidget(part)
        column.addStretch(1)

    # Shown

    @Slot()
    def _on_state(self) -> None:
        state = self._presenter.state
        self._empty.setVisible(not state.type and not state.kept)
        self._scroll.setVisible(bool(state.type or state.kept))
        fresh = state.serial != self._serial
        self._serial = state.serial
        self._show_head(state)
        self._show_page(state, fresh)
        self._other_mode.show_kept(tuple(one for one in state.kept if one.other_mode))
        self._unknown.show_kept(tuple(one for one in state.kept if not one.other_mode))
        if fresh:
            self._scroll.verticalScrollBar().setValue(0)

    def _show_head(self, state: FormState) -> None:
        self._icon.set(state.icon if state.icon in icons.CODE_POINTS else "cog-outline", "accent")
        self._title.setText(state.title if state.known else _("A step of an unknown type"))
        known = _("This version does not know the type. The step is kept as it is.")
        self._help.setText(state.help if state.known else known)
        self._problems.show_problems(state.problems)

    def _show_page(self, state: FormState, fresh: bool) -> None:
        page = self._page_of(state)
        if page is not self._page:
            self._change_page(page)
            fresh = True
        if page:
            if state.turns != self._turns:
                page.forget()
            self._turns = state.turns
            page.show_state(state, fresh=fresh)
            page.show()

    def _page_of(self, state: FormState) -> StepPage | None:
        if not state.groups:
            return None
        page = self._pages.get(state.type)
        if page is None:
            page = StepPage(state, self._presenter)
            page.edited.connect(self._presenter.edit)
            page.wanted.connect(self._presenter.wanted)
            self._pages[state.type] = page
            self._place.addWidget(page)
        return page

    def _change_page(self, page: StepPage | None) -> None:
        """Hide the page shown and show another; fields are found by name on the page that is shown only."""
        if self._page:
            self._page.hide()
            for part in self._page.findChildren(QWidget):
                if part.objectName() and not part.objectName().startswith("qt_"):
                    part.setObjectName(_AWAY + part.objectName())
        for part in page.findChildren(QWidget) if page else ():
            part.setObjectName(part.objectName().removeprefix(_AWAY))
        self._page = page

    # Found

    def focus_field(self, name: str) -> bool:
        """Put the keyboard into the field `name` (`k8s_config.timeout`), opening its fold; False where there is none.

        A name with more behind it (`k8s_config.values_files[0]`, `env.HOME`) is that of its field.
        """
        path = tuple(part.partition("[")[0] for part in _STEP.sub("", name).split("."))
        found = next((found for length in (2, 1) if (found := self._find(path[:length]))), None)
        if found is None:
            return False
        group, made = found
        group.open_for(made)
        made.focus_input()
        bring_into_view(made)
        return True

    def _find(self, path: Path) -> tuple[GroupBox, FieldRow] | None:
        if self._page is None or not path[0]:
            return None
        return self._page.place_of(path) or (self._page.place_of((CONFIG, path[0])) if len(path) == 1 else None)

    def focus_first(self) -> None:
        """Put the keyboard into the first field."""
        if self._page:
            self._page.groups[0].rows[0].input.focus.setFocus(Qt.FocusReason.TabFocusReason)
