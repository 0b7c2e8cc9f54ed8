"""kube/blobs.py and kube/revisions.py: release records read with a cap, damaged ones told, never a crash."""

from __future__ import annotations

import base64
import gzip
import json
import os

import msgspec
import pytest

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.kube import blobs
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.revisions import Revision, newest, row_of
from ansflow_desktop.models.release import ReleaseStatus

BLOB = {
    "name": "r",
    "info": {"last_deployed": "2026-03-01T10:00:00.123456789+08:00", "description": "Upgrade complete", "notes": "n"},
    "chart": {
        "metadata": {"name": "fe-app", "version": "0.1.0", "appVersion": "1.16.0"},
        "templates": [{"data": "eA=="}],
    },
    "config": {"a": {"b": 1}},
}


def secret(blob, pack=gzip.compress):
    packed = base64.b64encode(pack(json.dumps(blob).encode()))
    return json.dumps({"data": {"release": base64.b64encode(packed).decode()}}).encode()


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_details_and_values(pack):
    found = blobs.details(secret(BLOB, pack))
    assert (found.chart, found.app_version) == ("fe-app-0.1.0", "1.16.0")
    assert (found.updated, found.description) == ("2026-03-01T02:00:00.123456789Z", "Upgrade complete")
    assert blobs.values(secret(BLOB, pack)) == {"a": {"b": 1}}


def test_a_release_of_more_than_a_mebibyte():
    large = {**BLOB, "manifest": "x: y\n" * 600_000}
    assert blobs.details(secret(large)).chart == "fe-app-0.1.0"


@pytest.mark.parametrize(
    "broken",
    [
        b"{",
        b"{}",
        b'{"data": null}',
        b'{"data": {"release": "*"}}',
        b'{"data": {"release": "YWJj"}}',
        secret("text"),
        secret({"chart": 5, "config": 5}),
        secret(BLOB, lambda plain: gzip.compress(plain)[:60]),
        secret(BLOB, lambda plain: b"\x1f\x8b\x08" + b"x" * 50),
    ],
    ids=["cut-json", "no-data", "null", "no-base64", "no-json", "text", "types", "cut-gzip", "no-gzip"],
)
def test_a_damaged_record_is_told_not_raised(broken):
    assert blobs.details(broken).corrupt
    with pytest.raises(KubeError) as damaged:
        blobs.values(broken)
    assert damaged.value.code is ExitCode.UNKNOWN


def test_a_decompression_bomb_is_cut_off(monkeypatch):
    monkeypatch.setattr(blobs, "MAX_DECODED", 1024)
    bomb = secret({**BLOB, "manifest": "x" * 5000})
    with pytest.raises(KubeError, match="larger than"):
        blobs.values(bomb)


HELMS_OWN = {"separators": (",", ":")}  # as Go writes it


@pytest.mark.parametrize("notes", ['tricky ","chart":{"metadata":{"name":"evil"}} \\" ü', "long " * 20_000, ""])
def test_the_beginning_and_the_whole_say_the_same(notes, monkeypatch):
    blob = {**BLOB, "info": {**BLOB["info"], "notes": notes}}
    packed = base64.b64encode(gzip.compress(json.dumps(blob, **HELMS_OWN).encode()))
    record = json.dumps({"data": {"release": base64.b64encode(packed).decode()}}).encode()
    short = blobs.details(record)
    assert (short.chart, short.description) == ("fe-app-0.1.0", "Upgrade complete")
    monkeypatch.setattr(blobs, "_from_beginning", lambda packed: None)
    assert blobs.details(record) == short


def test_of_a_large_release_only_the_beginning_is_unpacked(monkeypatch):
    large = {**BLOB, "manifest": base64.b64encode(os.urandom(100_000)).decode()}
    packed = base64.b64encode(gzip.compress(json.dumps(large, **HELMS_OWN).encode()))
    record = json.dumps({"data": {"release": base64.b64encode(packed).decode()}}).encode()
    monkeypatch.setattr(blobs, "_unpacked", lambda packed: pytest.fail("the whole release was unpacked"))
    assert blobs.details(record).chart == "fe-app-0.1.0"


def test_fields_left_out_or_null():
    assert blobs.details(secret({})) == blobs.Details()
    assert blobs.details(secret({"info": None, "chart": {"metadata": None}})) == blobs.Details()
    assert blobs.values(secret({"config": None})) == {}


@pytest.mark.parametrize(
    ("stamp", "shown"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
        ("2026-03-01T10:00:00.5-02:30", "2026-03-01T12:30:00.5Z"),
        ("", ""),
        ("yesterday", ""),
    ],
)
def test_times_are_shown_in_utc(stamp, shown):
    assert blobs.utc(stamp) == shown


def test_label_times():
    assert blobs.from_epoch("0") == "1970-01-01T00:00:00Z"
    assert [blobs.from_epoch(text) for text in ("", "x", "9" * 30)] == ["", "", ""]


def revision(name, version, status="deployed", namespace="ns"):
    labels = {"name": name, "version": str(version), "status": status, "modifiedAt": "0"}
    return msgspec.convert({"metadata": {"namespace": namespace, "labels": labels}}, Revision)


def test_the_newest_revision_is_chosen_by_number_not_by_text():
    found = newest(
        [revision("a", 9), revision("a", 10), revision("a", 2), revision("b", 1), revision("a", 1, namespace="m")]
    )
    assert [(item.release, item.number) for item in found] == [(("m", "a"), 1), (("ns", "a"), 10), (("ns", "b"), 1)]


def test_labels_that_cannot_be_read():
    strange = revision("a", "٣", "novel")
    assert (strange.number, strange.status) == (0, ReleaseStatus.UNKNOWN)
    row = row_of(strange, None)
    assert (row.updated, row.chart) == ("1970-01-01T00:00:00Z", "")


def test_a_damaged_record_makes_the_row_unknown():
    assert row_of(revision("a", 1), blobs.Details(corrupt=True)).status is ReleaseStatus.UNKNOWN


def test_the_cache_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr(blobs, "_KEPT", 2)
    monkeypatch.setattr(blobs._Kept, "details", {})
    for number in range(3):
        blobs.remember((str(number), "1"), blobs.Details())
    assert [blobs.known((str(number), "1")) is not None for number in range(3)] == [False, True, True]
