"""Drafts: what was typed survives, in private, whole or not at all; a damaged one is kept aside."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansflow_desktop.errors import UserError
from ansflow_desktop.store.drafts import Drafts

KEY = "/home/me/宠物/pipeline.yaml"


@pytest.fixture
def drafts(tmp_path: Path) -> Drafts:
    return Drafts(tmp_path / "drafts")


def only_file(drafts: Drafts) -> Path:
    (found,) = drafts._folder.glob("*.json")
    return found


def test_a_draft_is_found_again_by_its_key(drafts: Drafts, tmp_path: Path) -> None:
    assert drafts.read(KEY) is None
    assert drafts.all() == ()
    drafts.save(KEY, "a: 1\r\n\ufeff中", "a: 0\n")
    found = Drafts(tmp_path / "drafts").read(KEY)
    assert found is not None
    assert (found.key, found.text, found.base) == (KEY, "a: 1\r\n\ufeff中", "a: 0\n")
    assert drafts.read(KEY + "x") is None


def test_a_later_draft_replaces_the_earlier_and_removing_forgets_it(drafts: Drafts) -> None:
    drafts.save(KEY, "1", "0")
    drafts.save("other", "2", "0")
    drafts.save(KEY, "3", "0")
    assert [(draft.key, draft.text) for draft in drafts.all()] == [(KEY, "3"), ("other", "2")]
    drafts.remove(KEY)
    drafts.remove(KEY)
    assert [draft.key for draft in drafts.all()] == ["other"]


def test_drafts_are_private(drafts: Drafts) -> None:
    drafts.save(KEY, "password: x", "")
    assert stat.S_IMODE(only_file(drafts).stat().st_mode) == 0o600
    assert stat.S_IMODE(drafts._folder.stat().st_mode) == 0o700
    assert "宠物" not in only_file(drafts).name


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[]", b'{"key": 1}', b'{"key": "k"}', b"null"])
def test_a_damaged_draft_is_set_aside(drafts: Drafts, damage: bytes) -> None:
    drafts.save(KEY, "1", "0")
    only_file(drafts).write_bytes(damage)
    assert drafts.read(KEY) is None
    (kept,) = drafts._folder.iterdir()
    assert ".json.damaged-" in kept.name
    assert kept.read_bytes() == damage
    assert drafts.all() == ()
    drafts.save(KEY, "2", "0")
    assert [draft.text for draft in drafts.all()] == ["2"]


def test_a_draft_of_a_newer_version_is_left_as_it_is(drafts: Drafts) -> None:
    drafts.save(KEY, "1", "0")
    path = only_file(drafts)
    path.write_bytes(b'{"version": 2, "key": {"new": "form"}}')
    assert drafts.read(KEY) is None
    assert path.read_bytes() == b'{"version": 2, "key": {"new": "form"}}'


def test_a_folder_that_cannot_be_used_is_an_error_by_name(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_text("a file")
    drafts = Drafts(tmp_path / "drafts")
    with pytest.raises(UserError, match="could not be written"):
        drafts.save(KEY, "1", "0")
    assert drafts.read(KEY) is None
    assert drafts.all() == ()
    drafts.remove(KEY)


def test_a_failed_write_leaves_the_earlier_draft(drafts: Drafts, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts.save(KEY, "1", "0")

    def fail(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UserError, match="No space left"):
        drafts.save(KEY, "2", "0")
    assert [draft.text for draft in drafts.all()] == ["1"]
    assert len(list(drafts._folder.iterdir())) == 1


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.text(), st.text(), st.text())
def test_any_key_and_text_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, key: str, text: str, base: str
) -> None:
    drafts = Drafts(tmp_path_factory.mktemp("drafts"))
    drafts.save(key, text, base)
    found = drafts.read(key)
    assert found is not None
    assert (found.key, found.text, found.base) == (key, text, base)


def test_what_no_file_can_hold_does_not_lose_the_rest(drafts: Drafts) -> None:
    drafts.save("a\ud800", "b\ud800c", "")
    found = drafts.read("a\ud800")
    assert found is not None
    assert found.text == "b?c"
