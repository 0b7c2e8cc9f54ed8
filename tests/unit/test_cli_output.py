"""Where the command line writes: columns, JSON shapes, hostile text, readers that go away."""

from __future__ import annotations

import io
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansflow_desktop import i18n
from ansflow_desktop.commands.output import Format, Output, clean, error_lines, plain, problem_lines, table, width
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.models.run import Health, Notice, ResourceChanged


def captured(form: Format) -> tuple[Output, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Output(form, out, err), out, err


def test_columns_are_aligned_by_what_a_terminal_shows() -> None:
    text = table(("NAME", "STATE"), [("前端应用", "ok"), ("é", "e\u0301"), ("plain", "ok")])
    starts = {width(line[: line.rindex(line.split()[-1])]) for line in text.splitlines()}
    assert starts == {len("前端应用") * 2 + 2}


def test_a_cell_stays_on_its_line() -> None:
    assert table(("A",), [("one\ntwo\tthree",)]).splitlines() == ["A", "one two three"]


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_any_text_makes_one_line_a_row(rows: list[tuple[str, str]]) -> None:
    assert len(table(("A", "B"), rows).split("\n")) == len(rows) + 1


def test_terminal_codes_and_bidi_controls_do_not_get_through() -> None:
    """failure-modes.md, row 33."""
    assert clean("a\x1b[31mb\u202ec\u2066d\x9be\r\n\tf\x1b]0;title\x07g\x1b") == "abcde\n\tfg"


def test_an_event_becomes_plain_json_in_the_language_in_use() -> None:
    i18n.set_language("en")
    event = ResourceChanged(
        time=1.5,
        run="r",
        step="deploy",
        kind="Pod",
        namespace="fe",
        name="fe-1",
        health=Health.PROGRESSING,
        message=msg("%(ready)s of %(wanted)s ready", ready=1, wanted=2),
    )
    shaped = plain(event)
    assert shaped["type"] == "resource"
    assert shaped["message"] == "1 of 2 ready"
    assert shaped["health"] == "Progressing"
    assert json.loads(json.dumps(shaped)) == shaped


def test_a_message_in_a_message_is_translated_too() -> None:
    inner = msg("%(count)d left", count=3)
    notice = Notice(time=0, run="", level="info", message=msg("Wait: %(what)s", what=inner))
    assert plain(notice)["message"] == "Wait: 3 left"


def test_a_list_becomes_a_line_an_element_with_jsonl() -> None:
    out, stdout, _ = captured(Format.JSONL)
    out.document([{"a": 1}, {"a": 2}])
    assert [json.loads(line) for line in stdout.getvalue().splitlines()] == [{"a": 1}, {"a": 2}]


def test_json_is_one_document() -> None:
    out, stdout, _ = captured(Format.JSON)
    out.document([{"a": "前端"}])
    assert json.loads(stdout.getvalue()) == [{"a": "前端"}]


@pytest.mark.parametrize("form", list(Format))
def test_an_error_names_field_words_and_way_out(form: Format) -> None:
    out, stdout, stderr = captured(form)
    error = UserError(msg("Bad name"), "server: no\nreally", msg("Choose another."), field="release_name")
    out.error(error)
    assert stderr.getvalue().splitlines() == ["release_name: Bad name", "  server: no", "  really", "  Choose another."]
    if form is Format.TEXT:
        assert stdout.getvalue() == ""
    else:
        document = json.loads(stdout.getvalue())["error"]
        assert document["code"] == ExitCode.INVALID
        assert document["field"] == "release_name"


def test_a_field_that_the_title_names_is_not_said_twice() -> None:
    assert error_lines(UserError("Unknown field steps[0].x", field="steps[0].x")) == ["Unknown field steps[0].x"]


def test_a_problem_says_how_bad_it_is() -> None:
    problem = Problem(field="values", title=msg("Odd"), message="words", hint=msg("Do."), severity=Severity.WARNING)
    assert problem_lines(problem) == ["warning: values: Odd", "  words", "  Do."]


def test_a_reader_that_went_away_ends_the_output_and_nothing_else() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stdout:
        out = Output(Format.TEXT, stdout, io.StringIO())
        for number in range(3):
            out.line(f"line {number}")


def test_a_terminal_that_cannot_show_a_character_gets_its_code() -> None:
    raw = io.BytesIO()
    out = Output(Format.TEXT, io.TextIOWrapper(raw, encoding="ascii"), io.StringIO())
    out.line("前")
    assert raw.getvalue() == b"\\u524d\n"


def test_a_full_disk_ends_the_output_and_is_said() -> None:
    stderr = io.StringIO()
    with open("/dev/full", "w") as stdout:
        out = Output(Format.TEXT, stdout, stderr)
        out.line("one")
        out.line("two")
    assert stderr.getvalue().count("could not be written") == 1
