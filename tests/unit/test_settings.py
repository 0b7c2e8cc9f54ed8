"""Preferences: atomic, kept aside when damaged, open to newer versions."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from ansflow_desktop import files, settings
from ansflow_desktop.errors import UserError
from ansflow_desktop.settings import LastDeploy, Settings


def test_a_missing_file_gives_the_defaults(tmp_path):
    assert settings.load(tmp_path / "settings.json") == (Settings(), None)


def test_what_was_saved_is_loaded(tmp_path):
    path = tmp_path / "data" / "settings.json"
    saved = Settings(
        language="zh_CN", theme="dark", recent_charts=("/图/a b",), last={"/图/a b": LastDeploy(cluster="dev")}
    )
    settings.save(path, saved)
    assert settings.load(path) == (saved, None)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert os.listdir(path.parent) == ["settings.json"]


def test_fields_of_a_newer_version_are_written_back(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"language": "en", "panes": {"left": 3}, "theme": "light"}))
    loaded, notice = settings.load(path)
    settings.save(path, msgspec.structs.replace(loaded, theme="dark"))
    assert notice is None
    assert json.loads(path.read_text()) == {"language": "en", "panes": {"left": 3}, "theme": "dark"}


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"theme": "pink"}', b'{"language": 3}', b"\x00\xff\xfe", b"null"]
)
def test_a_damaged_file_is_kept_aside_and_named(damage, tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes(damage)
    loaded, notice = settings.load(path)
    kept = [entry for entry in tmp_path.iterdir() if entry.name.startswith("settings.json.damaged-")]
    assert loaded == Settings()
    assert [entry.read_bytes() for entry in kept] == [damage]
    assert str(kept[0]) in str(notice)
    settings.save(path, Settings(language="en"))
    assert settings.load(path)[1] is None


def test_two_damaged_files_are_both_kept(tmp_path):
    path = tmp_path / "settings.json"
    for damage in (b"1", b"2"):
        path.write_bytes(damage)
        settings.load(path)
    assert sorted(entry.read_bytes() for entry in tmp_path.iterdir()) == [b"1", b"2"]


def test_a_folder_in_its_place_is_named_and_left(tmp_path):
    path = tmp_path / "settings.json"
    path.mkdir()
    loaded, notice = settings.load(path)
    assert loaded == Settings()
    assert str(path) in str(notice)
    assert path.is_dir()


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failure_between_the_calls_leaves_the_old_file(call, tmp_path, monkeypatch):
    path = tmp_path / "settings.json"
    settings.save(path, Settings(language="en"))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os if call == "fsync" else Path, call, full)
    with pytest.raises(UserError) as caught:
        settings.save(path, Settings(language="zh_CN"))
    monkeypatch.undo()
    assert "No space left" in str(caught.value.message)
    assert "--data-dir" in str(caught.value.hint)
    assert settings.load(path)[0].language == "en"
    assert os.listdir(tmp_path) == ["settings.json"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as caught:
        settings.save(tmp_path / "file" / "settings.json", Settings())
    assert str(tmp_path / "file" / "settings.json") in str(caught.value.title)


def test_a_link_stays_a_link(tmp_path):
    real = tmp_path / "elsewhere.json"
    settings.save(real, Settings(language="en"))
    (tmp_path / "settings.json").symlink_to(real)
    settings.save(tmp_path / "settings.json", Settings(language="zh_CN"))
    assert (tmp_path / "settings.json").is_symlink()
    assert settings.load(real)[0].language == "zh_CN"


def test_recent_charts_are_newest_first_once_each_and_bounded():
    current = Settings()
    for number in range(15):
        current = current.with_chart(f"/chart/{number}", LastDeploy(namespace=str(number)))
    current = current.with_chart("/chart/10", LastDeploy(namespace="again"))
    assert current.recent_charts[:3] == ("/chart/10", "/chart/14", "/chart/13")
    assert len(current.recent_charts) == settings.RECENT_LIMIT
    assert set(current.last) == set(current.recent_charts)
    assert current.last["/chart/10"].namespace == "again"


def test_kept_names_never_collide(tmp_path):
    names = set()
    for _ in range(3):
        (tmp_path / "a").write_text("x")
        names.add(files.set_aside(tmp_path / "a"))
    assert len(names) == 3
