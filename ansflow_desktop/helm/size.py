"""How big a release's record will be: Helm keeps the whole chart in one Secret of at most 1 MiB (row 26)."""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from ansflow_desktop.i18n import msg
from ansflow_desktop.models.problem import Problem, Severity

MOST = 1024 * 1024
_SURELY_FITS = 600_000  # bytes of files that fit however badly they are packed
_SURELY_TOO_BIG = 32 * MOST
_NAMED = 3


def size_problems(chart: str, field: str) -> tuple[Problem, ...]:
    """Return a warning where the chart in the folder `chart` is too big to be deployed; `field` is what it names.

    Some milliseconds: files are packed only when they are so big that it matters. The rendered manifest, which is kept
    too, is not known here, so a chart just below the limit may still fail.
    """
    files = sorted(kept_files(Path(chart)), key=lambda found: -found[1])
    size = estimate([path for path, _ in files], sum(size for _, size in files))
    if size <= MOST:
        return ()
    biggest = ", ".join(f"{path.relative_to(chart)} ({count / MOST:.1f} MiB)" for path, count in files[:_NAMED])
    return (
        Problem(
            field=field,
            title=msg("The chart is too big to be deployed"),
            message=msg(
                "Its record would take about %(size)s MiB, and the cluster keeps at most 1 MiB. "
                "The biggest files: %(files)s.",
                size=f"{size / MOST:.1f}",
                files=biggest,
            ),
            hint=msg("Leave out what the templates do not read by a .helmignore file in the chart."),
            severity=Severity.WARNING,
        ),
    )


def estimate(files: list[Path], raw: int) -> int:
    """Return about how many bytes Helm's record of `files` (`raw` bytes together) takes; 0 where it surely fits.

    As Helm does: each file in Base64, all of it by gzip, and that in Base64 again.
    """
    if raw <= _SURELY_FITS:
        return 0
    if raw > _SURELY_TOO_BIG:
        return raw
    packer, size = zlib.compressobj(6), 0
    for path in files:
        try:
            size += len(packer.compress(base64.b64encode(path.read_bytes())))
        except OSError:
            continue
    return (size + len(packer.flush())) * 4 // 3


def kept_files(chart: Path) -> Iterator[tuple[Path, int]]:
    """Yield the files of a chart that Helm keeps in the release, with their sizes: not charts/, not what is ignored."""
    rules = _rules(chart / ".helmignore")
    for folder, folders, names in os.walk(chart):
        inside = Path(folder).relative_to(chart)
        folders[:] = [
            name
            for name in folders
            if str(inside / name) != "charts" and not _ignored(inside / name, rules, folder=True)
        ]
        for name in names:
            if not _ignored(inside / name, rules, folder=False):
                path = chart / inside / name
                yield path, os.lstat(path).st_size if path.is_file() else 0


def _rules(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        lines = []
    return [*(line.strip() for line in lines if line.strip() and not line.strip().startswith("#")), "templates/.?*"]


def _ignored(path: Path, rules: list[str], *, folder: bool) -> bool:
    """Return what Helm's own rules say (helm `pkg/ignore/rules.go`), its reading of `!` included."""
    for rule in rules:
        negative, pattern = rule.startswith("!"), rule.removeprefix("!")
        only_folders, pattern = pattern.endswith("/"), pattern.removesuffix("/")
        if negative and ((only_folders and not folder) or not _matches(path, pattern)):
            return True
        if not negative and (folder or not only_folders) and _matches(path, pattern):
            return True
    return False


def _matches(path: Path, pattern: str) -> bool:
    if "/" not in pattern:
        return fnmatchcase(path.name, pattern)
    parts = pattern.removeprefix("/").split("/")
    return len(parts) == len(path.parts) and all(map(fnmatchcase, path.parts, parts))
