"""Folders that begin with `~`: nothing that a person types, and no user without a home, ends in a traceback."""

from __future__ import annotations

from pathlib import Path

from ansflow_desktop import paths


def test_a_tilde_that_names_nobody_stays_as_it_was_typed():
    assert paths.expanded("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")


def test_a_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert paths.expanded("~/x") == Path("/home/someone/x")
    assert paths.home() == Path("/home/someone")


def test_a_user_without_a_home_has_the_root_folder(monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 54321)
    assert paths.home() == Path("/")


def test_no_part_of_the_program_asks_for_the_home_folder_otherwise():
    folder = Path(paths.__file__).parent
    asks = [
        str(file.relative_to(folder))
        for file in folder.rglob("*.py")
        if file.name != "paths.py" and any(word in file.read_text() for word in ("Path.home(", "expanduser("))
    ]
    assert asks == []


def test_the_window_shows_paths_to_a_user_without_a_home(monkeypatch):
    from ansflow_desktop.widgets.deploy_form import shown_path

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 54321)
    assert shown_path("/srv/chart") == "/srv/chart"
