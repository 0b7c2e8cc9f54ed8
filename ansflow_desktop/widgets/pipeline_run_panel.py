"""A pipeline's run beside its steps: status, verdict, resources, timeline and output, as on the Deploy page."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from ansflow_desktop.i18n import _
from ansflow_desktop.presenters.pipeline_run import PipelineRun
from ansflow_desktop.presenters.run_view import ResourceNode, RunView
from ansflow_desktop.widgets.code import OUTPUT_LINES, CodeView
from ansflow_desktop.widgets.controls import Card, Column, EmptyState
from ansflow_desktop.widgets.run_panel import ResourceTree, StatusStrip, Timeline, VerdictCard

_CARD_PX, _TITLE_PX, _RESOURCE_PX, _EVENT_PX, _MOST_ROWS = 112, 62, 30, 50, 8


class PipelineRunPanel(QWidget):
    """Shows a PipelineRun as it stands, also in the middle of it."""

    def __init__(self, run: PipelineRun) -> None:
        """Make the panel for `run`."""
        super().__init__()
        self._run = run
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        scroll = Column()
        layout.addWidget(scroll)
        self._column = QVBoxLayout(scroll.inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(12)
        self._build()
        run.changed.connect(self._on_changed)
        run.output_added.connect(self._on_output)
        if run.output:
            self._output.append_text(run.output)
        self._on_changed()

    def _build(self) -> None:
        self._empty = _nothing_ran()
        self._verdict = VerdictCard()
        self._verdict.setObjectName("pipeline_verdict")
        self._verdict.closed.connect(self._run.clear)
        self._strip = StatusStrip()
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.setHandleWidth(12)
        self._split.setChildrenCollapsible(False)
        self._tree, self._timeline = ResourceTree(), Timeline()
        self._tree_card = self._card(_("Resources"), self._tree)
        self._timeline_card = self._card(_("Timeline"), self._timeline)
        self._output = CodeView(_("Output of the steps"), lines=OUTPUT_LINES)
        self._output.setObjectName("pipeline_output")
        self._output.setPlaceholderText(_("What the steps write stands here during a run."))
        self._output_card = self._card(_("Output"), self._output)
        for part in (self._empty, self._verdict, self._strip):
            self._column.addWidget(part)
        self._column.addWidget(self._split, 1)

    def _card(self, title: str, content: QWidget) -> Card:
        made = Card(title, spacing=4)
        made.setMinimumHeight(_CARD_PX)
        made.body.addWidget(content, 1)
        self._split.addWidget(made)
        return made

    @Slot()
    def _on_changed(self) -> None:
        view = self._run.view
        self._empty.setVisible(view is None)
        self._split.setVisible(view is not None)
        self._strip.setVisible(view is not None and view.running)
        self._verdict.show_view(view)
        if view is None:
            self._output.clear()
            return
        self._show(view)

    def _show(self, view: RunView) -> None:
        if view.running and not self._run.output:
            self._output.clear()
        self._strip.show_view(view)
        self._tree.show_nodes(view.resources)
        self._timeline.show_rows(view.timeline)
        for card, count, height in (
            (self._tree_card, _count(view.resources), _RESOURCE_PX),
            (self._timeline_card, len(view.timeline), _EVENT_PX),
        ):
            card.setMaximumHeight(max(_CARD_PX, _TITLE_PX + height * min(count, _MOST_ROWS)))
        self._tree_card.setVisible(bool(view.resources))
        self._timeline_card.setVisible(bool(view.timeline))

    @Slot(str)
    def _on_output(self, text: str) -> None:
        self._output.append_text(text)


def _count(nodes: tuple[ResourceNode, ...]) -> int:
    return sum(1 + _count(node.children) for node in nodes)


def _nothing_ran() -> QWidget:
    return EmptyState(
        "play-circle-outline",
        _("Nothing has run yet"),
        _("Run the pipeline: what each step does stands here."),
        width=260,
    )
