"""What a step will do, on three tabs: its exact commands, its manifest, and the difference against what is live."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QPlainTextEdit, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from ansflow_desktop.i18n import Text, _, msg, msg_n, translate
from ansflow_desktop.models.problem import Problem
from ansflow_desktop.presenters.step_preview import StepPreview
from ansflow_desktop.presenters.step_preview_state import (
    Commands,
    CommandText,
    Difference,
    Preview,
    PreviewStatus,
)
from ansflow_desktop.widgets.code import CodeEditor, CommandView
from ansflow_desktop.widgets.controls import (
    Chip,
    Column,
    EmptyState,
    FlowLayout,
    button,
    clear,
    icon_button,
    label,
    row,
)
from ansflow_desktop.widgets.diff_view import CHANGES, DiffSection, DiffView, line_counts
from ansflow_desktop.widgets.fields import Problems

COMMANDS, MANIFEST, DIFFERENCE = 0, 1, 2
_MOST_COMMANDS = 60
_ORDER = (PreviewStatus.NONE, PreviewStatus.LOADING, PreviewStatus.READY, PreviewStatus.FAILED)


class _States(QStackedWidget):
    """One of: nothing to show, being worked out, the content, or why there is none."""

    def __init__(self, nothing: EmptyState, loading: str, content: QWidget) -> None:
        super().__init__()
        self._problems = Problems()
        waiting = label(loading, "context")
        waiting.setAlignment(Qt.AlignmentFlag.AlignTop)
        waiting.setContentsMargins(8, 10, 8, 8)
        failed = QWidget()
        column = QVBoxLayout(failed)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(self._problems)
        column.addStretch(1)
        for part in (nothing, waiting, content, failed):
            self.addWidget(part)

    def show_status(self, status: PreviewStatus, problems: tuple[Problem, ...]) -> None:
        self.setCurrentIndex(_ORDER.index(status))
        self._problems.show_problems(problems if status is PreviewStatus.FAILED else ())


class CommandsPage(QWidget):
    """The commands in order, each to be copied as it works when pasted. Emits `said` after a copy."""

    said = Signal(str)

    def __init__(self) -> None:
        """Start with none."""
        super().__init__()
        self._shown: Commands | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self._all = button(_("Copy all"), "link", "content-copy")
        self._all.setObjectName("copy_commands")
        self._all.clicked.connect(self._on_copy_all)
        self._all_row = row(1, self._all)
        layout.addLayout(self._all_row)
        self._scroll = Column()
        self._column = QVBoxLayout(self._scroll.inside)
        self._column.setContentsMargins(0, 0, 4, 0)
        self._column.setSpacing(8)
        layout.addWidget(self._scroll, 1)

    def show_commands(self, commands: Commands) -> None:
        """Show other commands."""
        if commands == self._shown:
            return
        self._shown = commands
        self._all.setVisible(len(commands.commands) > 1)
        clear(self._column)
        for index, command in enumerate(commands.commands[:_MOST_COMMANDS]):
            self._column.addWidget(_CommandRow(index + 1, len(commands.commands), command, self))
        self._add_notes(_rest(commands))
        self._column.addStretch(1)

    def _add_notes(self, notes: tuple[Text, ...]) -> None:
        for note in notes:
            self._column.addWidget(label(translate(note), "muted", wrap=True, selectable=True))

    def copy(self, text: str) -> None:
        """Put `text` into the clipboard and say so."""
        QGuiApplication.clipboard().setText(text)
        self.said.emit(_("The command was copied"))

    @Slot()
    def _on_copy_all(self) -> None:
        if self._shown:
            self.copy(self._shown.copy_text)


def _rest(commands: Commands) -> tuple[Text, ...]:
    more = len(commands.commands) - _MOST_COMMANDS
    left = (msg_n("… and %(count)d more command", "… and %(count)d more commands", more),) if more > 0 else ()
    return (*left, *commands.notices)


class _CommandRow(QWidget):
    def __init__(self, number: int, count: int, command: CommandText, page: CommandsPage) -> None:
        super().__init__()
        self._command, self._page = command, page
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        name = f"{number}. {command.purpose}" if count > 1 else command.purpose
        copy = icon_button("content-copy", _("Copy this command"))
        copy.setObjectName(f"copy_command_{number}")
        copy.clicked.connect(self._on_copy)
        layout.addLayout(row(label(name, "field"), 1, copy))
        view = CommandView(name)
        view.setObjectName(f"command_{number}")
        view.show_command(command.shown)
        layout.addWidget(view)

    @Slot()
    def _on_copy(self) -> None:
        self._page.copy(self._command.copy)


class ManifestView(CodeEditor):
    """A manifest to read: line numbers and colours, nothing to type; Tab goes on to the next part."""

    def __init__(self, name: str) -> None:
        """Make it; `name` is for assistive tools."""
        super().__init__(name)
        self.setReadOnly(True)
        self.setTabChangesFocus(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Read only: the editor's own keys do nothing here."""
        QPlainTextEdit.keyPressEvent(self, event)

    def show_text(self, text: str) -> None:
        """Show another text, staying at the same place where there is one."""
        if text != self.toPlainText():
            place = self.verticalScrollBar().value()
            self.setPlainText(text)
            self.verticalScrollBar().setValue(place)


class DifferencePage(QWidget):
    """How many objects come, change and go, then values and objects line by line."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self._shown: Difference | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        holder = QWidget()
        self._chips = FlowLayout()
        holder.setLayout(self._chips)
        layout.addWidget(holder)
        self._problems = Problems()
        layout.addWidget(self._problems)
        self._notes = label("", "muted", wrap=True)
        layout.addWidget(self._notes)
        self.view = DiffView(_("Difference against what is live"))
        self.view.setObjectName("difference")
        layout.addWidget(self.view, 1)

    def show_difference(self, difference: Difference) -> None:
        """Show another difference."""
        if difference == self._shown:
            return
        self._shown = difference
        clear(self._chips)
        for chip in _chips(difference):
            self._chips.addWidget(chip)
        self._problems.show_problems(difference.problems)
        notes = "\n".join(translate(note) for note in difference.notices)
        self._notes.setText(notes)
        self._notes.setVisible(bool(notes))
        sections = sections_of(difference)
        self.view.show_sections(sections)
        self.view.setVisible(bool(sections))


def _chips(difference: Difference) -> list[Chip]:
    words = {
        "added": msg("%(count)d added", count=difference.count("added")),
        "changed": msg("%(count)d changed", count=difference.count("changed")),
        "removed": msg("%(count)d removed", count=difference.count("removed")),
    }
    chips = [
        Chip(translate(text), CHANGES[change][1], CHANGES[change][2] if difference.count(change) else "muted")
        for change, text in words.items()
    ]
    same = msg("%(count)d unchanged", count=difference.unchanged)
    values = line_counts(difference.values)
    told = msg("Values: %(counts)s", counts=values) if values else msg("Values: unchanged")
    return [*chips, Chip(translate(same), "check"), Chip(translate(told), "file-document-outline")]


def sections_of(difference: Difference) -> tuple[DiffSection, ...]:
    """Return the parts to show: the values first, then each object."""
    values = DiffSection(title=_("User-supplied values"), change="changed", lines=difference.values)
    objects = (
        DiffSection(
            title=f"{each.kind} {each.namespace}/{each.name}" if each.namespace else f"{each.kind} {each.name}",
            change=each.change,
            lines=each.lines,
        )
        for each in difference.objects
    )
    return (*((values,) if difference.values else ()), *objects)


class PreviewTabs(QWidget):
    """Shows a StepPreview; the difference is asked for only while its tab is in front. Emits `said` after a copy."""

    said = Signal(str)

    def __init__(self, preview: StepPreview) -> None:
        """Make the tabs for `preview` as it stands."""
        super().__init__()
        self._preview = preview
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self._tabs = self._make_tabs()
        self._note = label("", "muted")
        self._again = icon_button("refresh", _("Compare again"))
        self._again.setObjectName("compare_again")
        self._again.clicked.connect(preview.refresh)
        layout.addLayout(row(self._tabs, 1, self._note, self._again))
        self._stack = QStackedWidget()
        for page in self._make_pages():
            self._stack.addWidget(page)
        layout.addWidget(self._stack, 1)
        self._tabs.currentChanged.connect(self._on_tab)
        self._commands.said.connect(self.said)
        preview.state_changed.connect(self._on_state)
        self._on_tab(COMMANDS)

    def _make_tabs(self) -> QTabBar:
        tabs = QTabBar()
        tabs.setObjectName("preview_tabs")
        tabs.setAccessibleName(_("Commands, manifest or difference"))
        tabs.setDrawBase(False)
        tabs.setExpanding(False)
        for words in (_("Commands"), _("Manifest"), _("Difference")):
            tabs.addTab(words)
        return tabs

    def _make_pages(self) -> tuple[QWidget, ...]:
        self._commands, self._manifest, self._difference = (
            CommandsPage(),
            ManifestView(_("Rendered manifest")),
            DifferencePage(),
        )
        self._manifest.setObjectName("manifest")
        none = (
            EmptyState("console", _("No step is chosen"), _("Choose a step to see the exact commands that it runs.")),
            EmptyState(
                "file-document-outline", _("No manifest"), _("Only a step that deploys has a manifest to be shown.")
            ),
            EmptyState("sync", _("Nothing to compare"), _("Only a step that deploys is compared with what is live.")),
        )
        self._states = (
            _States(none[COMMANDS], _("Working out the commands…"), self._commands),
            _States(none[MANIFEST], _("Rendering the manifest…"), self._manifest),
            _States(none[DIFFERENCE], _("Comparing with what is live…"), self._difference),
        )
        return self._states

    def current(self) -> int:
        """Return the tab in front: COMMANDS, MANIFEST or DIFFERENCE."""
        return self._tabs.currentIndex()

    def show_tab(self, index: int) -> None:
        """Bring a tab to the front."""
        self._tabs.setCurrentIndex(index)

    @Slot(int)
    def _on_tab(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self._again.setVisible(index == DIFFERENCE)
        self._preview.want_difference(index == DIFFERENCE and self.isVisible())
        self._on_state()

    @Slot()
    def _on_state(self) -> None:
        state = self._preview.state
        self._states[COMMANDS].show_status(state.commands.status, state.commands.problems)
        self._states[MANIFEST].show_status(state.manifest.status, state.manifest.problems)
        self._states[DIFFERENCE].show_status(state.difference.status, state.difference.problems)
        if state.commands.status is PreviewStatus.READY:
            self._commands.show_commands(state.commands)
        if state.manifest.status is PreviewStatus.READY:
            self._manifest.show_text(state.manifest.text)
        if state.difference.status is PreviewStatus.READY:
            self._difference.show_difference(state.difference)
        self._note.setText(_counted(state.manifest) if self.current() == MANIFEST else "")

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for the difference where its tab is in front."""
        super().showEvent(event)
        self._preview.want_difference(self.current() == DIFFERENCE)

    def hideEvent(self, event: QHideEvent) -> None:
        """Ask no cluster for what nobody sees."""
        super().hideEvent(event)
        self._preview.want_difference(False)


def _counted(preview: Preview) -> str:
    if preview.status is not PreviewStatus.READY:
        return ""
    return translate(msg_n("%(count)s object", "%(count)s objects", preview.objects))
