"""A chart with its subcharts as the texts that decide what it takes: values, schema, templates, dependencies.

Read with caps, kept until a file changes: a check after each key typed must not read a chart again.
"""

from __future__ import annotations

import os
import stat
import tarfile
import threading
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop import safe_yaml

MAX_FILES = 5_000
MAX_TOTAL = 20 * 1024 * 1024
_KEPT = 8
_DEPTH = 8

Signature: TypeAlias = "tuple[tuple[str, int, int], ...]"


class ChartDependency(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of Chart.yaml's dependencies, as far as it decides whether and how a subchart takes part."""

    name: str
    alias: str = ""
    condition: str = ""
    tags: tuple[str, ...] = ()
    imports: bool = False


class ChartFiles(msgspec.Struct, frozen=True, kw_only=True):
    """A chart's texts by path relative to it; `whole` is False where something was too big, or is no text, to be read.

    `values` is values.yaml, None where it is no text; `subcharts` are those in charts/, folders and archives.
    """

    name: str
    path: str
    type: str = "application"
    values: str | None = ""
    schema: str | None = None
    templates: dict[str, str] = {}
    dependencies: tuple[ChartDependency, ...] = ()
    subcharts: tuple[ChartFiles, ...] = ()
    whole: bool = True


class _Kept:
    lock = threading.Lock()
    charts: dict[str, tuple[Signature, ChartFiles]] = {}  # noqa: RUF012  # one for the process, on purpose


def chart_files(folder: str) -> ChartFiles:
    """Return the chart in `folder` (absolute) with its subcharts; what cannot be read is left out, never raised."""
    now = signature(folder)
    with _Kept.lock:
        kept = _Kept.charts.get(folder)
    if kept and kept[0] == now:
        return kept[1]
    made = _chart(_texts(folder, now), folder, len(now) < MAX_FILES)
    with _Kept.lock:
        _Kept.charts.pop(folder, None)
        _Kept.charts[folder] = (now, made)
        while len(_Kept.charts) > _KEPT:
            _Kept.charts.pop(next(iter(_Kept.charts)))
    return made


def signature(folder: str) -> Signature:
    """Return (path, size, time of change) of each file below `folder`, at most 5,000 of them."""
    found: list[tuple[str, int, int]] = []
    for inside, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(inside, name)  # noqa: PTH118  # thousands of files
            try:
                seen = os.stat(path)  # noqa: PTH116
            except OSError:
                continue
            if not stat.S_ISREG(seen.st_mode):  # reading a named pipe or a device would never end
                continue
            found.append((os.path.relpath(path, folder), seen.st_size, seen.st_mtime_ns))
            if len(found) >= MAX_FILES:
                return tuple(found)
    return tuple(found)


def _texts(folder: str, files: Signature) -> dict[str, bytes]:
    """Return the files that matter: small ones of a chart, and packed subcharts."""
    found: dict[str, bytes] = {}
    left = MAX_TOTAL
    for name, size, _ in files:
        if size > left or not _matters(name):
            continue
        try:
            found[PurePosixPath(*Path(name).parts).as_posix()] = Path(folder, name).read_bytes()
        except OSError:
            continue
        left -= size
    return found


def _matters(name: str) -> bool:
    parts = Path(name).parts
    return parts[0] in ("Chart.yaml", "values.yaml", "values.schema.json", "requirements.yaml", "templates", "charts")


def _chart(files: dict[str, bytes], path: str, whole: bool, depth: int = 0) -> ChartFiles:
    metadata = _mapping(files.get("Chart.yaml", b""))
    texts = {name: _text(data) for name, data in files.items() if not name.startswith("charts/")}
    declared = metadata.get("dependencies") or _mapping(files.get("requirements.yaml", b"")).get("dependencies")
    schema = texts.get("values.schema.json", "") if "values.schema.json" in files else None
    return ChartFiles(
        name=str(metadata.get("name") or ""),
        path=path,
        type=str(metadata.get("type") or "application"),
        values=texts.get("values.yaml", ""),
        schema=schema,
        templates={name: text for name, text in texts.items() if name.startswith("templates/") and text is not None},
        dependencies=tuple(_dependency(each) for each in declared or () if isinstance(each, dict)),
        subcharts=tuple(_subcharts(files, path, depth)),
        whole=whole and None not in texts.values(),
    )


def _subcharts(files: dict[str, bytes], path: str, depth: int) -> list[ChartFiles]:
    if depth >= _DEPTH:
        return []
    inside: dict[str, dict[str, bytes]] = {}
    for name, data in files.items():
        parts = name.split("/", 2)
        if parts[0] != "charts" or len(parts) < 2 or parts[1].startswith(("_", ".")):
            continue
        if len(parts) == 3:
            inside.setdefault(parts[1], {})[parts[2]] = data
        elif name.endswith(".tgz"):
            inside[parts[1]] = _unpacked(data)
    return [
        _chart(found, f"{path}/charts/{name}", True, depth + 1)
        for name, found in sorted(inside.items())
        if "Chart.yaml" in found
    ]


def _unpacked(data: bytes) -> dict[str, bytes]:
    """Return the files of a packed chart without its first folder; empty where it is no archive."""
    import io

    found: dict[str, bytes] = {}
    left = MAX_TOTAL
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive:
                name = member.name.partition("/")[2]
                left -= member.size
                if left < 0 or len(found) > MAX_FILES:
                    break
                if name and member.isfile() and _matters(name) and (content := archive.extractfile(member)):
                    found[name] = content.read()
    except (OSError, tarfile.TarError, EOFError):
        return {}
    return found


def _dependency(entry: dict[str, Any]) -> ChartDependency:
    tags = entry.get("tags")
    return ChartDependency(
        name=str(entry.get("name") or ""),
        alias=str(entry.get("alias") or ""),
        condition=str(entry.get("condition") or ""),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        imports=bool(entry.get("import-values")),
    )


def _mapping(data: bytes) -> dict[str, Any]:
    try:
        found = safe_yaml.load(safe_yaml.decode(data))
    except safe_yaml.YamlProblem:
        return {}
    return found if isinstance(found, dict) else {}


def _text(data: bytes) -> str | None:
    try:
        return safe_yaml.decode(data)
    except safe_yaml.YamlProblem:
        return None
