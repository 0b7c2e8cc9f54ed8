"""A pipeline file on disk: whole or not at all, as it was but for the edit, never over somebody else's change."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
import yaml_corpus_kit as kit
from hypothesis import given, settings
from hypothesis import strategies as st

from ansflow_desktop import files as atomic
from ansflow_desktop.errors import UserError
from ansflow_desktop.models.diff import Sign
from ansflow_desktop.pipelines import files
from ansflow_desktop.pipelines.files import ChangedOnDisk, PipelineFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "p.yaml"
    found.write_bytes(b"a: 1\nb: 2\n")
    return found


def rewrite(path: Path, data: bytes) -> None:
    """Change a file in place and give it back its times and size: only its content tells."""
    found = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


@pytest.mark.parametrize("name", kit.NAMES)
def test_a_file_saved_unchanged_has_the_same_bytes(tmp_path: Path, name: str) -> None:
    before = kit.FOLDER.joinpath(f"{name}.yaml").read_bytes()
    path = tmp_path / "p.yaml"
    path.write_bytes(before)
    opened = PipelineFile.open(path)
    assert "\r" not in opened.text
    assert not opened.text.startswith("\ufeff")
    assert opened.save(opened.text).text == opened.text
    assert path.read_bytes() == before


def test_an_edit_leaves_byte_order_mark_line_endings_and_the_open_end(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\nc: 3")
    opened = PipelineFile.open(path)
    opened.save(opened.text.replace("b: 2", "b: 2\nx: 9"))
    assert path.read_bytes() == b"\xef\xbb\xbfa: 1\r\nb: 2\r\nx: 9\r\nc: 3"


def test_mixed_line_endings_stay_line_by_line(path: Path) -> None:
    path.write_bytes(b"a: 1\r\nb: 2\nc: 3\r\nd: 4\n")
    opened = PipelineFile.open(path)
    opened.save(opened.text.replace("b: 2\n", "").replace("c: 3", "c: 3\nx: 9"))
    assert path.read_bytes() == b"a: 1\r\nc: 3\r\nx: 9\r\nd: 4\n"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "", " c"]), st.sampled_from(["\n", "\r\n"])), max_size=8))
def test_any_line_endings_are_given_back(lines: list[tuple[str, str]]) -> None:
    before = "".join(line + end for line, end in lines)
    assert files._with_endings(before.replace("\r\n", "\n"), before) == before


def test_the_mode_and_the_link_stay(path: Path, tmp_path: Path) -> None:
    path.chmod(0o664)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    saved = PipelineFile.open(link).save("a: 2\n")
    assert link.is_symlink()
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"a: 2\n", 0o664)
    assert saved.path == link
    assert sorted(found.name for found in tmp_path.iterdir()) == ["link.yaml", "p.yaml"]


def test_a_change_by_somebody_else_is_noticed_and_never_overwritten(path: Path) -> None:
    opened = PipelineFile.open(path)
    assert opened.changed_on_disk() is None
    rewrite(path, b"a: 1\nb: 3\n")
    assert opened.changed_on_disk() == "a: 1\nb: 3\n"
    with pytest.raises(ChangedOnDisk) as refused:
        opened.save("a: 1\nb: 4\n")
    assert (refused.value.theirs, refused.value.gone) == ("a: 1\nb: 3\n", False)
    assert path.read_bytes() == b"a: 1\nb: 3\n"
    saved = opened.save("a: 1\nb: 4\n", overwrite=True)
    assert (path.read_bytes(), saved.changed_on_disk()) == (b"a: 1\nb: 4\n", None)


def test_a_change_within_the_clocks_grain_is_noticed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size, times and inode the same: a file so fresh is read, not only looked at."""
    opened = PipelineFile.open(path)
    monkeypatch.setattr(files, "_signature", lambda _found: (1,))
    opened._known._stat = (1,)  # type: ignore[union-attr]
    path.write_bytes(b"a: 1\nb: 3\n")
    assert opened.changed_on_disk() == "a: 1\nb: 3\n"


def test_an_old_file_is_not_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_CLOCK_NS", -(10**12))
    opened = PipelineFile.open(path)
    monkeypatch.setattr(files, "_read", lambda _path: pytest.fail("it was read"))
    assert opened.changed_on_disk() is None


def test_the_same_text_by_somebody_else_is_no_conflict(path: Path) -> None:
    opened = PipelineFile.open(path)
    path.write_bytes(b"a: 2\n")
    assert opened.save("a: 2\n").text == "a: 2\n"


def test_a_touched_file_is_not_a_changed_one(path: Path) -> None:
    opened = PipelineFile.open(path)
    os.utime(path, (1, 1))
    assert opened.changed_on_disk() is None


def test_a_removed_file_is_told_and_written_again_only_when_asked(path: Path) -> None:
    path.chmod(0o640)
    opened = PipelineFile.open(path)
    path.unlink()
    assert opened.changed_on_disk() == ""
    with pytest.raises(ChangedOnDisk, match="not there any more") as refused:
        opened.save("a: 5\n")
    assert refused.value.gone
    assert not path.exists()
    opened.save("a: 5\n", overwrite=True)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"a: 5\n", 0o640)


def test_an_emptied_file_is_a_changed_one(path: Path) -> None:
    opened = PipelineFile.open(path)
    path.write_bytes(b"")
    with pytest.raises(ChangedOnDisk) as refused:
        opened.save("x: 1\n")
    assert (refused.value.theirs, refused.value.gone) == ("", False)


def test_a_folder_in_its_place_is_left_alone(path: Path) -> None:
    opened = PipelineFile.open(path)
    path.unlink()
    path.mkdir()
    for overwrite in (False, True):
        with pytest.raises(UserError, match="is not a file"):
            opened.save("a: 5\n", overwrite=overwrite)
    with pytest.raises(UserError, match="is not a file"):
        opened.changed_on_disk()
    assert path.is_dir()


def test_what_became_unreadable_is_not_overwritten_unasked(path: Path) -> None:
    opened = PipelineFile.open(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not UTF-8"):
        opened.changed_on_disk()
    with pytest.raises(ChangedOnDisk):
        opened.save("a: 5\n")
    assert path.read_bytes() == b"\xff\xfe\x00"
    opened.save("a: 5\n", overwrite=True)
    assert path.read_bytes() == b"a: 5\n"


def test_what_is_no_pipeline_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"ok\n\xff")
    (tmp_path / "huge").write_bytes(b"a" * (files.MAX_BYTES + 1))
    os.mkfifo(tmp_path / "pipe")
    for name, title in (
        ("missing", "cannot be read"), ("binary", "not UTF-8"), ("huge", "larger than"), ("pipe", "is not a file"),
        (".", "is not a file"), ("a" * 300, "cannot be read"), ("nul\0", "cannot be read"), ("p.yaml/x", "cannot be"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=title):
            PipelineFile.open(tmp_path / name)


def test_a_text_that_is_too_large_or_no_text_is_not_written(path: Path) -> None:
    opened = PipelineFile.open(path)
    with pytest.raises(UserError, match="larger than"):
        opened.save("a" * (files.MAX_BYTES + 1))
    with pytest.raises(UserError, match="no file can hold"):
        opened.save("\ud800")
    assert path.read_bytes() == b"a: 1\nb: 2\n"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO])
def test_a_failed_write_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    opened = PipelineFile.open(path)

    def fail(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic.os, "fsync", fail)
    with pytest.raises(UserError) as refused:
        opened.save("a: 5\n")
    assert os.strerror(number) in str(refused.value.message)
    assert "under another name" in str(refused.value.hint)
    assert path.read_bytes() == b"a: 1\nb: 2\n"
    assert [found.name for found in path.parent.iterdir()] == ["p.yaml"]


def test_a_read_only_file_is_not_replaced(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = PipelineFile.open(path)
    monkeypatch.setattr(files.os, "access", lambda _path, _mode: False)
    with pytest.raises(UserError, match="could not be written"):
        opened.save("a: 5\n", overwrite=True)
    assert path.read_bytes() == b"a: 1\nb: 2\n"


def test_a_new_file_has_the_users_mode_and_is_never_one_that_is_there(tmp_path: Path, path: Path) -> None:
    before = os.umask(0o027)
    try:
        made = PipelineFile.create(tmp_path / "new.yaml", "a: 1\n")
    finally:
        os.umask(before)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o640
    assert made.changed_on_disk() is None
    with pytest.raises(UserError, match="is there already"):
        PipelineFile.create(path, "x\n")
    with pytest.raises(UserError, match="There is no folder"):
        PipelineFile.create(tmp_path / "no" / "p.yaml", "x\n")
    assert PipelineFile.create(path, "x: 1\n", overwrite=True).text == path.read_text() == "x: 1\n"


def test_a_difference_is_lines_with_their_numbers() -> None:
    found = files.diff("a\nb\nc\n", "a\r\nx\r\nc\r\n")
    assert [(line.sign, line.text, line.old, line.new) for line in found] == [
        (Sign.SAME, "a", 1, 1), (Sign.REMOVED, "b", 2, 0), (Sign.ADDED, "x", 0, 2), (Sign.SAME, "c", 3, 3),
    ]  # fmt: skip
    assert files.diff("a\n", "a\n") == ()
