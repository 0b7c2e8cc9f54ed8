"""presenters/resource_rows.py: texts, order and filter of rows, whatever a server says."""

from __future__ import annotations

import pytest

from ansflow_desktop.kube.tables import row_of
from ansflow_desktop.models.resource_table import TableColumn
from ansflow_desktop.presenters.resource_rows import cell_text, matching, shown_columns, sort_rows, span


def rows(*cells, read_at=1000.0):
    return [row_of("ns", f"r{number}", (cell,), read_at) for number, cell in enumerate(cells)]


def column(kind):
    return shown_columns([TableColumn(name="x", kind=kind)], namespaces=False)[0]


@pytest.mark.parametrize(
    ("kind", "cells", "wanted"),
    [
        ("text", ["b", "a", "c"], ["a", "b", "c"]),
        ("number", [10, 9, None, 2.5], [None, 2.5, 9, 10]),
        ("count", ["10 (2m ago)", "9", "x"], ["x", "9", "10 (2m ago)"]),
        ("span", ["2h", "3m20s", "<unknown>", "5d3h", "45s"], ["45s", "3m20s", "2h", "5d3h", "<unknown>"]),
        ("span", ["1970-01-01T00:10:00Z", "1m"], ["1m", "1970-01-01T00:10:00Z"]),
        ("text", ["b", None, 3, ["x"]], [3, None, ["x"], "b"]),
    ],
)
def test_cells_sort_by_what_they_mean(kind, cells, wanted):
    found = rows(*cells)
    sort_rows(found, column(kind))
    got = [row.cells[0] for row in found]
    assert sorted(map(str, got)) == sorted(map(str, wanted))
    if kind != "text" or None not in cells:
        assert got == wanted


def test_rows_with_too_few_cells_sort_and_show_nothing():
    found = [*rows("b"), row_of("ns", "short", (), 0), *rows("a")]
    sort_rows(found, column("text"))
    assert cell_text(row_of("ns", "short", (), 0), column("text"), 0) == ""
    assert len(found) == 3


def test_ages_go_on_and_hostile_text_is_taken_out():
    (row,) = rows("10m")
    assert cell_text(row, column("span"), 1000 + 3600) == "70m"
    assert cell_text(rows("<none>")[0], column("span"), 0) == "<none>"
    assert cell_text(rows("a\u202eb\x1b[31mc")[0], column("text"), 0) == "abc"
    assert cell_text(rows("x" * 9999)[0], column("text"), 0).endswith("…")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((-5, "0s"), (119, "119s"), (200, "3m20s"), (180, "3m"), (7200, "120m"), (4 * 3600 + 60, "4h1m")),
        *((40 * 3600, "40h"), (3 * 86400, "3d"), (3 * 86400 + 3600, "3d1h"), (100 * 86400, "100d")),
        *((800 * 86400, "2y70d"), (9 * 365 * 86400, "9y")),
    ],
)
def test_spans_read_as_kubectl_prints_them(seconds, text):
    assert span(seconds) == text


def test_every_word_must_occur_somewhere():
    found = [row_of("shop", "web-1", ("web-1", "Running"), 0), row_of("blog", "web-2", ("web-2", 7), 0)]
    assert [row.name for row in matching(found, "WEB shop")] == ["web-1"]
    assert [row.name for row in matching(found, " 7 ")] == ["web-2"]
    assert len(matching(found, "")) == 2
    assert not matching(found, "web nothing")
