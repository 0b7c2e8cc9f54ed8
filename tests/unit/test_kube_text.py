"""kube/text.py, kube/errors.py, kube/backoff.py: hostile words, plain words for failures, growing pauses."""

from __future__ import annotations

import json
import socket
import ssl

import pytest

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import translate
from ansflow_desktop.kube.backoff import Backoff
from ansflow_desktop.kube.errors import from_exception, from_status
from ansflow_desktop.kube.text import clean


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]8;;http://x\x1b\\b", "ab"),
        ("a\x00\x08\x7f\x9bb\rc", "abc"),
        ("user\u202etxt.exe\u2066x\u2069", "usertxt.exex"),
        ("\u2028\u200f\ufeffx", "x"),
        ("tab\tand\nline 中文 é", "tab\tand\nline 中文 é"),
        ("", ""),
    ],
)
def test_control_and_bidirectional_characters_are_taken_out(hostile, harmless):
    assert clean(hostile) == harmless


def test_long_text_is_cut():
    assert clean("x" * 5000) == "x" * 4000 + "…"
    assert len(clean("\x1b" * 100_000)) == 0


def status(code: int, message: str = "own words", reason: str = "R") -> bytes:
    return json.dumps({"kind": "Status", "message": message, "reason": reason, "code": code}).encode()


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [(401, 3), (403, 4), (404, 1), (409, 1), (410, 1), (429, 3), (500, 3), (503, 3)],
)
def test_an_answer_maps_to_an_exit_code_and_keeps_the_servers_words(code, exit_code):
    error = from_status("https://x", code, status(code))
    assert (int(error.code), error.status, error.reason, error.message) == (exit_code, code, "R", "own words")
    assert translate(error.title)
    assert translate(error.hint)


@pytest.mark.parametrize(
    ("body", "words"), [(b"<html>login</html>", "<html>login</html>"), (b"", "HTTP 502"), (b"\xff", "�")]
)
def test_an_answer_that_is_no_status_is_shown_as_it_is(body, words):
    assert from_status("https://x", 502, body).message == words


def test_connection_failures_in_plain_words():
    cases = {
        "resolved": socket.gaierror(-2, "Name or service not known"),
        "accept connections": ConnectionRefusedError(111, "refused"),
        "trusted": ssl.SSLCertVerificationError("self-signed"),
        "in time": TimeoutError(),
        "failed": ConnectionResetError(104, "reset"),
    }
    for words, cause in cases.items():
        outer = OSError("outer")
        outer.__cause__ = cause
        error = from_exception("https://x", outer)
        assert words in translate(error.title)
        assert error.code is ExitCode.UNREACHABLE


def test_a_cause_that_goes_round_in_a_circle_ends():
    one, two = OSError("1"), OSError("2")
    one.__context__, two.__context__ = two, one
    assert from_exception("x", one).code is ExitCode.UNREACHABLE


def test_pauses_grow_to_a_limit_and_begin_again():
    pauses = Backoff(first=1, limit=4)
    found = [pauses.next() for _ in range(5)]
    for pause, whole in zip(found, (1, 2, 4, 4, 4), strict=True):
        assert whole / 2 <= pause <= whole
    pauses.reset()
    assert pauses.next() <= 1
