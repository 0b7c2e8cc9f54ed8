"""The Resources view on a feed that answers as told: rows, order, selection, filter, kinds, what cannot be read."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.kube import tables_watch
from ansflow_desktop.kube.discovery import ServedKind
from ansflow_desktop.kube.tables import row_of
from ansflow_desktop.models.resource_table import TableColumn, TableRows, Unread
from ansflow_desktop.presenters import loop as window_loop
from ansflow_desktop.presenters.resource_rows import shown_columns
from ansflow_desktop.presenters.resources import ResourcesPresenter
from ansflow_desktop.widgets.resource_table import ResourceModel, ResourceTable
from ansflow_desktop.widgets.resources_view import ResourcesView

COLUMNS = (TableColumn(name="Name", kind="name"), TableColumn(name="Status"), TableColumn(name="IP", wide=True))


class FakeFeed:
    """A feed that tells what a test says."""

    last: FakeFeed

    def __init__(self, document, on_rows, on_state, on_kinds) -> None:
        self.on_rows, self.on_state, self.on_kinds = on_rows, on_state, on_kinds
        self.choice = None
        FakeFeed.last = self

    def choose(self, choice) -> None:
        self.choice = choice

    async def run(self) -> None:
        await window_loop.asyncio.Event().wait()

    def tell(self, *names, status="Running", **more) -> None:
        rows = tuple(row_of("fe", name, (name, status, "10.0.0.1"), 0) for name in names)
        known = {"columns": COLUMNS, "complete": True, "read_at": 1.0, **more}
        self.on_rows(self.choice, TableRows(rows=rows, **known))


@pytest.fixture
def view(loop, services, qtbot, monkeypatch):
    monkeypatch.setattr(tables_watch, "TableFeed", FakeFeed)
    presenter = ResourcesPresenter(services)
    made = ResourcesView(presenter)
    made.resize(1000, 600)
    made.show()
    presenter.show("dev")
    qtbot.waitUntil(lambda: presenter._feed is not None and presenter._feed.choice is not None)
    yield made
    window_loop.run_here(presenter.close())
    made.close()
    made.deleteLater()


def names(view):
    model = view.table.model()
    return [model.index(number, 1).data() for number in range(model.rowCount())]


def test_rows_come_go_and_change_and_the_selected_one_stays_selected(view):
    FakeFeed.last.tell("b", "a", "c")
    assert names(view) == ["a", "b", "c"]
    view.table.choose("fe/b")
    FakeFeed.last.tell("c", "b", "0")
    assert names(view) == ["0", "b", "c"]
    assert view.table.chosen_row().name == "b"
    FakeFeed.last.tell("c", "b", "0", status="Error")
    assert view.table.chosen_row().cells[1] == "Error"
    view.table.model().sort(1, Qt.SortOrder.DescendingOrder)
    assert names(view) == ["c", "b", "0"]
    assert view.table.chosen_row().name == "b"
    FakeFeed.last.tell("c")
    assert names(view) == ["c"]
    assert view.table.chosen_row() is None


def test_a_filter_keeps_what_matches_and_says_when_nothing_does(view, qtbot):
    FakeFeed.last.tell("web-1", "web-2", "db")
    view.focus_filter()
    qtbot.keyClicks(view._filter, "web")
    assert names(view) == ["web-1", "web-2"]
    assert view._count.text() == "2 of 3 objects"
    qtbot.keyClicks(view._filter, "zzz")
    assert view._stack.currentWidget() is view._no_match
    assert view.leave()
    assert len(names(view)) == 3


def test_another_kind_is_asked_for_and_an_answer_to_the_old_one_is_dropped(view):
    FakeFeed.last.tell("a")
    old = FakeFeed.last.choice
    FakeFeed.last.on_kinds((
        ServedKind(version="v1", kind="Pod", plural="pods", verbs=("list",)),
        ServedKind(group="shop.example", version="v1", kind="Order", plural="orders", verbs=("list", "watch")),
        ServedKind(version="v1", kind="Binding", plural="bindings", verbs=("create",)),
    ))  # fmt: skip
    labels = [view.kinds.itemText(number) for number in range(view.kinds.count())]
    assert "Order" in labels
    assert "Binding" not in labels
    view.kinds.setCurrentIndex(labels.index("Order"))
    view.kinds.activated.emit(labels.index("Order"))
    assert FakeFeed.last.choice.kind.kind == "Order"
    assert names(view) == []
    FakeFeed.last.on_rows(old, TableRows(columns=COLUMNS, rows=(), complete=True))
    assert not view.presenter.state.complete


def test_a_lost_connection_keeps_the_rows_and_what_cannot_be_read_is_named(view):
    FakeFeed.last.tell("a", unread=(Unread(namespace="secret", message="pods is forbidden"),))
    assert view._unread.isVisible()
    assert "secret: pods is forbidden" in view._unread.toolTip()
    error = UserError("The server does not answer", "connection refused", code=ExitCode.UNREACHABLE)
    FakeFeed.last.on_state(FakeFeed.last.choice, error)
    assert names(view) == ["a"]
    assert view._age.isVisible()
    FakeFeed.last.on_state(FakeFeed.last.choice, None)
    assert not view._age.isVisible()


def test_a_first_answer_that_is_an_error_is_shown_in_words(view):
    error = UserError("This is not allowed", "pods is forbidden", code=ExitCode.FORBIDDEN)
    FakeFeed.last.on_state(FakeFeed.last.choice, error)
    assert view._stack.currentWidget() is view._broken
    assert "pods is forbidden" in view._why.text()


def test_wide_columns_are_hidden_until_asked_for(view):
    FakeFeed.last.tell("a")
    assert view.table.isColumnHidden(3)
    view._wide.setChecked(True)
    assert not view.table.isColumnHidden(3)


def test_a_document_that_cannot_be_had_is_told(view, services, monkeypatch):
    def locked(name):
        raise UserError("The vault is locked")

    monkeypatch.setattr(services.catalog, "document", locked)
    heard = []
    view.presenter.failed.connect(heard.append)
    view.presenter.show("stage")
    assert window_loop.spin(lambda: bool(heard), 5)
    assert view.presenter.state.error is heard[0]


def test_columns_fit_the_window_before_anything_scrolls_sideways():
    from ansflow_desktop.widgets.resource_table import narrowed

    widths = [420, 420, 70, 120, 80, 70]
    shown = [0, 1, 2, 3, 4, 5]
    assert narrowed(widths, shown, 2000) == widths
    fitted = narrowed(widths, shown, 900)
    assert sum(fitted) <= 900 and fitted[2:] == widths[2:] and min(fitted[:2]) >= 170
    assert narrowed(widths, shown, 300)[:2] == [170, 170], "names stay readable: the rest scrolls"


def test_a_chosen_row_stays_chosen_when_thousands_are_sorted(qtbot):
    model = ResourceModel()
    table = ResourceTable(model, "many")
    qtbot.addWidget(table)
    rows = tuple(row_of("a", f"p{number * 7919 % 9000:05d}", (f"p{number:05d}",), 0) for number in range(9000))
    model.show(shown_columns((TableColumn(name="Name"),), namespaces=False), rows)
    table.selectRow(0)
    chosen = table.chosen_row()
    model.sort(0, Qt.SortOrder.DescendingOrder)
    assert [model.row(number).cells[0] for number in (0, 8999)] == ["p08999", "p00000"]
    assert table.chosen_row() is chosen
    model.set_rows([row_of("a", row.name, row.cells, 1) for row in rows[:100]])
    assert table.chosen_row().key == chosen.key and table.chosen_row() is not chosen
