"""How big a release will be, before it is too big (failure-modes.md, row 26)."""

from __future__ import annotations

import os

import pytest

from ansflow_desktop.helm.size import kept_files, size_problems


def chart(tmp_path, **files: bytes):
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 0.1.0\n")
    for name, data in files.items():
        path = tmp_path / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return str(tmp_path)


@pytest.mark.parametrize(("size", "count"), [(500_000, 0), (700_000, 0), (1_200_000, 1), (40_000_000, 1)])
def test_files_that_cannot_be_packed_count_fully(tmp_path, size, count):
    assert len(size_problems(chart(tmp_path, picture=os.urandom(size)), "chart_path")) == count


def test_text_that_packs_well_fits(tmp_path):
    assert size_problems(chart(tmp_path, text=b"all the same " * 200_000), "chart_path") == ()


def test_biggest_files_are_named(tmp_path):
    [problem] = size_problems(chart(tmp_path, docs__film=os.urandom(2_000_000), small=b"x"), "chart_path")
    assert "docs/film (1.9 MiB)" in str(problem.message)
    assert ".helmignore" in str(problem.hint)


def test_dependencies_and_ignored_files_are_not_kept(tmp_path):
    folder = chart(
        tmp_path,
        charts__a=b"1",
        docs__b=b"1",
        docs__keep__c=b"1",
        d=b"1",
        e=b"1",
        templates__f=b"1",
    )
    (tmp_path / ".helmignore").write_text("# comment\ndocs/keep\n/d\n")
    kept = {str(path.relative_to(folder)) for path, _ in kept_files(tmp_path)}
    assert kept == {"Chart.yaml", ".helmignore", "docs/b", "e", "templates/f"}
