"""A chart folder on disk: Chart.yaml, dependencies, values files, and what makes it unfit to be run."""

from __future__ import annotations

import os
import re
import tarfile
from pathlib import Path
from typing import Any, TypeAlias

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.files import is_file, is_folder, is_there
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.models.chart import Chart, Dependency
from ansflow_desktop.models.names import MAX_RELEASE, to_label

FIELD = "chart_path"
MAX_ENTRIES = 20_000
_SUFFIX = "-release"
_EXACT = re.compile(r"[v=]*(\d+\.\d+\.\d+(?:[-+][\w.+-]+)?)", re.ASCII)

Metadata: TypeAlias = "dict[str, Any]"


def read_chart(folder: str | Path) -> Chart:
    """Return the chart in `folder` (made absolute); raises UserError with field `chart_path` where it is none.

    Refused: no Chart.yaml, one that is broken or lacks apiVersion, name or version, and links that leave the chart.
    """
    path = Path(folder).absolute()
    _check_folder(path)
    metadata = _metadata(path)
    _refuse_outside_links(path)
    return Chart(
        path=str(path),
        name=metadata["name"],
        version=metadata["version"],
        api_version=metadata["apiVersion"],
        app_version=_word(metadata, "appVersion"),
        kube_version=_word(metadata, "kubeVersion"),
        type=_word(metadata, "type") or "application",
        description=_word(metadata, "description"),
        dependencies=_dependencies(path, metadata),
        values_files=values_files(path),
        has_schema=(path / "values.schema.json").is_file(),
    )


def default_release_name(chart: Chart | str) -> str:
    """Return `<chart>-release` as a name that Helm takes: RFC 1123, at most 53 characters."""
    name = chart if isinstance(chart, str) else chart.name
    return (to_label(name, MAX_RELEASE - len(_SUFFIX)) or "chart") + _SUFFIX


def chart_name_of(folder: Path) -> str | None:
    """Return the name in `folder`'s Chart.yaml, "" for one that cannot be read, None where there is no such file."""
    if not is_file(folder / "Chart.yaml"):
        return None
    try:
        found = safe_yaml.load(safe_yaml.read_text(str(folder / "Chart.yaml"), FIELD))
    except (UserError, safe_yaml.YamlProblem):
        return ""
    return str(found.get("name") or "") if isinstance(found, dict) else ""


def values_files(folder: Path) -> tuple[str, ...]:
    """Return the values files beside the chart, relative to it, its own values.yaml not among them."""
    patterns = ("*values*.y*ml", "values/*.y*ml", "ci/*.y*ml")
    found = {path.relative_to(folder).as_posix() for pattern in patterns for path in folder.glob(pattern)}
    return tuple(sorted(found - {"values.yaml"}))


def refuse_library(chart: Chart, field: str = FIELD) -> None:
    """Raise UserError where `chart` is a library, which cannot be installed."""
    if chart.type == "library":
        raise UserError(
            msg("%(chart)s is a library chart and cannot be deployed", chart=chart.name),
            msg("A library only lends templates to other charts."),
            msg("Choose the chart that has it as a dependency."),
            field=field,
        )


def _check_folder(path: Path) -> None:
    if not is_there(path):
        raise _no_chart(path, msg("There is no such folder."), msg("Choose a folder that holds a Chart.yaml."))
    if not is_folder(path):
        raise _no_chart(path, msg("It is a file, not a folder."), msg("Choose the folder that holds Chart.yaml."))
    if not is_file(path / "Chart.yaml"):
        raise _no_chart(path, *_instead(path))


def _no_chart(path: Path, message: Text, hint: Text) -> UserError:
    return UserError(msg("No chart in %(folder)s", folder=str(path)), message, hint, field=FIELD)


def _instead(path: Path) -> tuple[Message, Message]:
    """Say what lies in a folder without Chart.yaml, and the way out."""
    try:
        names = sorted(entry.name for entry in os.scandir(path))
    except OSError as error:
        return msg("%(reason)s", reason=error.strerror or str(error)), msg("Check the folder's permissions.")
    wrong = [name for name in names if name.lower() in ("chart.yaml", "chart.yml")]
    if wrong and wrong[0] == "Chart.yaml":
        return msg("Its Chart.yaml is no file (a folder, a pipe or a broken link)."), msg("Put a file in its place.")
    if wrong:
        return msg("It holds %(found)s, not Chart.yaml.", found=wrong[0]), msg("Rename it to Chart.yaml.")
    inner = _charts_below(path, names)
    if inner:
        return (
            msg("There is no Chart.yaml in it, but in %(folders)s.", folders=", ".join(inner[:5])),
            msg("Choose %(folder)s.", folder=str(path / inner[0])),
        )
    if not names:
        return msg("The folder is empty."), msg("Choose a folder that holds a Chart.yaml.")
    return (
        msg("There is no Chart.yaml in it; it holds %(found)s.", found=", ".join(names[:5])),
        msg("Choose a folder that holds a Chart.yaml."),
    )


def _charts_below(path: Path, names: list[str]) -> list[str]:
    shallow = [name for name in names[:500] if (path / name / "Chart.yaml").is_file()]
    if shallow:
        return shallow
    deeper = (found.parent.relative_to(path).as_posix() for name in names[:100] for found in _second(path / name))
    return sorted(deeper)


def _second(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) / "Chart.yaml" for entry in os.scandir(folder) if _has_chart(entry)][:5]
    except OSError:
        return []


def _has_chart(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir() and (Path(entry.path) / "Chart.yaml").is_file()


def _metadata(path: Path) -> Metadata:
    file = path / "Chart.yaml"
    text = safe_yaml.read_text(str(file), FIELD)
    try:
        found = safe_yaml.load(text)
    except safe_yaml.YamlProblem as problem:
        raise _broken(file, problem.text()) from problem
    if not isinstance(found, dict):
        raise _broken(file, msg("It holds no fields."))
    for name in ("apiVersion", "name", "version"):
        found[name] = _word(found, name)
        if not found[name]:
            raise _broken(file, msg("The field %(name)s is missing or empty.", name=name), name)
    _check_values(file, found)
    return found


def _check_values(file: Path, found: Metadata) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", found["name"]):
        raise _broken(file, msg("%(name)s is not a chart name.", name=found["name"]), "name")
    if found["apiVersion"] not in ("v1", "v2"):
        raise _broken(
            file, msg("The apiVersion %(version)s is not v1 or v2.", version=found["apiVersion"]), "apiVersion"
        )
    if not re.fullmatch(r"v?\d+(\.\d+){0,2}([-+][\w.+-]+)?", found["version"], re.ASCII):
        raise _broken(file, msg("%(version)s is not a version such as 1.2.3.", version=found["version"]), "version")


def _broken(file: Path, message: Text, name: str = "") -> UserError:
    hint = msg("Correct %(name)s in Chart.yaml.", name=name) if name else msg("Correct Chart.yaml.")
    return UserError(msg("%(file)s is broken", file=str(file)), message, hint, field=FIELD)


def _word(metadata: Metadata, name: str) -> str:
    value = metadata.get(name)
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()


def _dependencies(path: Path, metadata: Metadata) -> tuple[Dependency, ...]:
    declared = metadata.get("dependencies")
    if metadata["apiVersion"] == "v1" and (path / "requirements.yaml").is_file():
        declared = _requirements(path / "requirements.yaml")
    if declared is None:
        return ()
    if not isinstance(declared, list) or not all(isinstance(entry, dict) for entry in declared):
        raise _broken(path / "Chart.yaml", msg("dependencies is not a list of charts."), "dependencies")
    present = _present(path / "charts")
    return tuple(_dependency(entry, present) for entry in declared)


def _requirements(file: Path) -> Any:
    try:
        found = safe_yaml.load(safe_yaml.read_text(str(file), FIELD))
    except safe_yaml.YamlProblem as problem:
        raise _broken(file, problem.text()) from problem
    return found.get("dependencies") if isinstance(found, dict) else None


def _dependency(entry: Metadata, present: dict[str, set[str]]) -> Dependency:
    name, version = _word(entry, "name"), _word(entry, "version")
    return Dependency(
        name=name,
        version=version,
        repository=_word(entry, "repository"),
        alias=_word(entry, "alias"),
        condition=_word(entry, "condition"),
        present=_fits(version, present.get(name, set())),
    )


def _fits(wanted: str, found: set[str]) -> bool:
    """Return whether charts/ holds a fit: an exact version is compared, a range is Helm's to judge."""
    exact = _EXACT.fullmatch(wanted)
    return any(version.removeprefix("v") == exact[1] for version in found) if exact else bool(found)


def _present(charts: Path) -> dict[str, set[str]]:
    """Return the charts that charts/ holds, folders and archives, as name to versions."""
    found: dict[str, set[str]] = {}
    for entry in sorted(charts.iterdir()) if charts.is_dir() else ():
        metadata = _inner_metadata(entry)
        if metadata.get("name"):
            found.setdefault(_word(metadata, "name"), set()).add(_word(metadata, "version"))
    return found


def _inner_metadata(entry: Path) -> Metadata:
    try:
        if entry.is_dir():
            text = safe_yaml.read_text(str(entry / "Chart.yaml"), FIELD)
        elif entry.suffix == ".tgz":
            text = _archived(entry)
        else:
            return {}
        loaded = safe_yaml.load(text)
    except (UserError, safe_yaml.YamlProblem, OSError, tarfile.TarError, EOFError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _archived(archive: Path) -> str:
    """Return the Chart.yaml of a packed chart; nothing is unpacked to disk."""
    with tarfile.open(archive, "r:gz") as tar:
        for _, member in zip(range(1000), tar, strict=False):
            if member.name.count("/") == 1 and member.name.endswith("/Chart.yaml"):
                file = tar.extractfile(member)
                return file.read(safe_yaml.MAX_BYTES).decode("utf-8", "replace") if file else ""
    return ""


def _refuse_outside_links(path: Path) -> None:
    """Refuse a link that leads out of the chart: Helm would read a file of this machine into the release (row 32)."""
    root = os.path.realpath(path)
    count = 0
    for folder, subfolders, files in os.walk(path):
        count += len(subfolders) + len(files)
        if count > MAX_ENTRIES:
            raise _too_big(path)
        for name in [*subfolders, *files]:
            entry = os.path.join(folder, name)  # noqa: PTH118  # thousands of entries: strings are ten times faster
            if os.path.islink(entry) and not _inside(os.path.realpath(entry), root):  # noqa: PTH114
                raise _link(path, entry)


def _inside(target: str, root: str) -> bool:
    return target == root or target.startswith(root.rstrip(os.sep) + os.sep)


def _too_big(path: Path) -> UserError:
    return UserError(
        msg("%(folder)s is too big to be a chart", folder=str(path)),
        msg("It holds more than %(most)d files.", most=MAX_ENTRIES),
        msg("Choose the folder of the chart alone."),
        field=FIELD,
    )


def _link(path: Path, entry: str) -> UserError:
    return UserError(
        msg("The chart holds a link that leads out of it"),
        msg(
            "%(link)s leads to %(target)s.",
            link=os.path.relpath(entry, path),
            target=os.readlink(entry),  # noqa: PTH115
        ),
        msg("Put the file itself into the chart, or name another chart as a file:// dependency."),
        field=FIELD,
    )
