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
