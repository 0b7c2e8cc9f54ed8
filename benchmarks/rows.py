"""Goal 6: sorting and filtering 50,000 rows, against QSortFilterProxyModel over the same model.

Run: `python3 dev.py bench rows`. Both are shown in a real table view; the same rows come out, in the same order.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QAbstractItemModel, QCoreApplication, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import QTableView
from ratios import faster, interleave, spread

from ansflow_desktop import app as program
from ansflow_desktop.kube.tables import row_of
from ansflow_desktop.models.resource_table import TableColumn, TableRow
from ansflow_desktop.presenters.resource_rows import matching, shown_columns
from ansflow_desktop.widgets import theme
from ansflow_desktop.widgets.resource_table import ResourceModel, ResourceTable

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, ROUNDS = 50_000, 7
NAME, ADDRESS = 1, 4
COLUMNS = (
    TableColumn(name="Name", kind="name"),
    *(TableColumn(name=name) for name in ("Ready", "Status", "IP", "Node")),
)
WORD = "web-123"


def make_rows(count: int) -> list[TableRow]:
    """Return rows as of pods, in no order."""
    chance = random.Random(7)
    rows = []
    for number in range(count):
        name = f"web-{chance.randrange(10**6):06d}-{number}"
        cells = (name, "1/1", chance.choice(("Running", "Pending", "Error")), f"10.0.{number % 250}.{number % 199}")
        rows.append(row_of(f"team-{number % 20:02d}", name, (*cells, f"node-{number % 97}"), 0))
    return rows


class Bench:
    """Our table, and Qt's proxy in a table of its own over the same rows."""

    def __init__(self) -> None:
        self._rows = make_rows(ROWS)
        self._shown = shown_columns(COLUMNS, namespaces=True)
        self._model, source = ResourceModel(), ResourceModel()
        self._table = ResourceTable(self._model, "ours")
        self._proxy = QSortFilterProxyModel()
        self._proxy.setSourceModel(source)
        self._proxy.setFilterKeyColumn(-1)
        self._view = QTableView()
        self._view.setModel(self._proxy)
        for model in (self._model, source):
            model.show(self._shown, self._rows)
        for view in (self._table, self._view):
            view.resize(1200, 700)
            view.show()

    def sort(self, model: QAbstractItemModel, column: int) -> float:
        """Return the seconds of a sort by `column` of rows that are in the order of another."""
        model.sort(ADDRESS if column == NAME else NAME, Qt.SortOrder.AscendingOrder)
        QCoreApplication.processEvents()  # what both views have to paint because of that is no part of the next sort
        started = time.perf_counter()
        model.sort(column, Qt.SortOrder.AscendingOrder)
        return time.perf_counter() - started

    def sorts(self) -> dict[str, Callable[[], float]]:
        """Return the cases: by name and by address, ours and Qt's proxy."""
        return {
            "ours by name": lambda: self.sort(self._model, NAME),
            "ours by address": lambda: self.sort(self._model, ADDRESS),
            "proxy by name": lambda: self.sort(self._proxy, NAME),
            "proxy by address": lambda: self.sort(self._proxy, ADDRESS),
        }

    def filter_ours(self) -> float:
        """Return the seconds of a filter over all columns, to the rows in the table."""
        self._model.set_rows(self._rows)
        started = time.perf_counter()
        self._model.set_rows(matching(self._rows, WORD))
        return time.perf_counter() - started

    def filter_proxy(self) -> float:
        """Return the seconds of the same by Qt's proxy."""
        self._proxy.setFilterFixedString("")
        started = time.perf_counter()
        self._proxy.setFilterFixedString(WORD)
        return time.perf_counter() - started

    def same(self) -> None:
        """Stop where both do not show the same rows in the same order of names."""
        ours = [self._model.index(number, 1).data() for number in range(self._model.rowCount())]
        theirs = [self._proxy.index(number, 1).data() for number in range(self._proxy.rowCount())]
        if ours != theirs or not ours:
            raise SystemExit(f"not the same rows: {len(ours)} and {len(theirs)}")

    def order_by_name(self) -> None:
        """Leave both in the order of the names."""
        self.sort(self._model, NAME)
        self.sort(self._proxy, NAME)

    def close(self) -> None:
        """Take the proxy away before what it shows."""
        self._table.close()
        self._view.close()
        self._view.setModel(None)
        self._proxy.setSourceModel(None)


def main() -> None:
    """Measure in shuffled rounds, then print the ratios."""
    application = program.application()
    theme.apply(application, "light")
    bench = Bench()
    application.processEvents()
    sorts = interleave(ROUNDS, bench.sorts())
    bench.order_by_name()
    bench.same()
    filters = interleave(ROUNDS, {"ours": bench.filter_ours, "proxy": bench.filter_proxy})
    bench.filter_ours()
    bench.filter_proxy()
    bench.same()
    for name, took in (*sorts.items(), *((f"{name}, filter", took) for name, took in filters.items())):
        print(f"{name:18}{spread(took)}")
    faster(f"sort {ROWS} rows by name", sorts["proxy by name"], sorts["ours by name"], 100)
    faster(f"sort {ROWS} rows by address", sorts["proxy by address"], sorts["ours by address"], 100)
    faster(f"filter {ROWS} rows", filters["proxy"], filters["ours"], 10)
    bench.close()


if __name__ == "__main__":
    main()
