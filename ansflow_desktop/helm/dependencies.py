"""A chart's missing dependencies, fetched into a private copy: the user's folder is never changed.

The copy keeps the places of the chart and its local (`file://../common`) dependencies to each other, so that their
relative paths still lead where they should. Repositories that the user has not configured are added to a private list.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec

from ansflow_desktop import paths, safe_yaml
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.helm import commands
from ansflow_desktop.helm.charts import FIELD, read_chart
from ansflow_desktop.i18n import Message, msg, msg_n
from ansflow_desktop.models.chart import Chart, Dependency
from ansflow_desktop.models.command import Command, Tool

MAX_COPY_BYTES = 512 * 1024 * 1024
_MOST_CHARTS = 50
_ALIASES = ("@", "alias:")


class RepositoryList(msgspec.Struct, frozen=True, kw_only=True):
    """A private repositories.yaml at `path`: of the user's own list at `source` only the entries that are needed."""

    path: str
    source: str
    names: tuple[str, ...] = ()


class Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be done before helm can deploy a chart whose dependencies are not there.

    `chart` is the chart's folder in the copy. `copies` (from, to), `repositories` and then `commands` are to be carried
    out in this order; `materialise` does the first two. `notice` tells the user. `origin` is the chart's real folder,
    `local` those of its file:// dependencies, theirs included.
    """

    chart: str
    root: str
    copies: tuple[tuple[str, str], ...]
    repositories: RepositoryList
    commands: tuple[Command, ...]
    notice: Message
    origin: str = ""
    local: tuple[str, ...] = ()


class _Local(msgspec.Struct):
    """The charts involved, by real folder, dependencies first."""

    charts: dict[str, Chart] = {}
    order: list[str] = []


def prepare(helm: Tool, chart: Chart, folder: Path, *, update: bool = False) -> Preparation | None:
    """Return what fetches the missing dependencies of `chart` into a copy below `folder`; None where none are missing.

    With `update` they are refreshed although they are there. Nothing is written yet. Raises UserError for a dependency
    that cannot be found: a local folder that is no chart, an alias that is not configured, no repository named.
    """
    if not chart.missing and not (update and chart.dependencies):
        return None
    local = _Local(charts={}, order=[])
    _collect(chart, os.path.realpath(chart.path), local)
    base = os.path.commonpath(list(local.charts))
    root = folder / "chart"
    places = {source: str(root / os.path.relpath(source, base)) for source in local.charts}
    private = _private(folder)
    needing = _needing(local, chart, update=update)
    configured = _configured(user_repositories())
    repositories, additions = _repositories(helm, local, needing, configured, str(folder))
    listed = bool(repositories.names or additions)
    fetches = [
        _fetch(helm, local.charts[source], places[source], private, update=update, refresh=listed) for source in needing
    ]
    return Preparation(
        chart=os.path.normpath(places[os.path.realpath(chart.path)]),
        root=str(root),
        copies=_copies({source: os.path.normpath(place) for source, place in places.items()}),
        repositories=repositories,
        commands=(*additions, *fetches),
        notice=_notice(chart, update=update),
        origin=os.path.realpath(chart.path),
        local=tuple(source for source in local.charts if source != os.path.realpath(chart.path)),
    )


def check_repositories(chart: Chart) -> None:
    """Raise UserError for a missing dependency that could not be fetched: no repository, an alias nobody configured."""
    configured = _configured(user_repositories()) if chart.missing else []
    for dependency in chart.missing:
        inner = local_path(dependency, os.path.realpath(chart.path))
        _local_chart(chart, dependency, inner) if inner else _entry(chart, dependency, configured)


def materialise(preparation: Preparation) -> None:
    """Make the copy and the private repository list; raises UserError where the disk does not allow it."""
    try:
        shutil.rmtree(preparation.root, ignore_errors=True)
        for source, place in preparation.copies:
            _check_size(source)
            Path(place).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copytree(source, place, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        _write_repositories(preparation.repositories)
    except (OSError, shutil.Error) as error:
        raise UserError(
            msg("The chart could not be copied"),
            str(error),
            msg("Check the free space and the permissions of %(folder)s.", folder=preparation.root),
            field=FIELD,
            code=ExitCode.FAILED,
        ) from error


def user_repositories() -> str:
    """Return where helm keeps the user's repository list (helm's own rules); the file may not be there."""
    given = os.environ.get("HELM_REPOSITORY_CONFIG")
    if given:
        return given
    config = os.environ.get("HELM_CONFIG_HOME")
    if not config:
        config = str(Path(os.environ.get("XDG_CONFIG_HOME") or _config_home()) / "helm")
    return str(Path(config) / "repositories.yaml")


def _config_home() -> Path:
    home = paths.home()
    return home / "Library" / "Preferences" if os.uname().sysname == "Darwin" else home / ".config"


def local_path(dependency: Dependency, chart_folder: str) -> str | None:
    """Return the real folder of a `file://` dependency, None for one that is not local."""
    if not dependency.repository.startswith("file://"):
        return None
    return os.path.realpath(Path(chart_folder) / dependency.repository.removeprefix("file://"))


def _collect(chart: Chart, folder: str, local: _Local) -> None:
    """Add `chart` and its local dependencies, the deepest first, to `local`."""
    if len(local.charts) >= _MOST_CHARTS:
        raise UserError(
            msg("%(chart)s has too many local dependencies", chart=chart.name),
            msg("More than %(most)d charts depend on each other by file://.", most=_MOST_CHARTS),
            msg("Fetch the dependencies yourself with helm dependency update."),
            field=FIELD,
        )
    local.charts[folder] = chart
    for dependency in chart.dependencies:
        inner = local_path(dependency, folder)
        if inner and inner not in local.charts:
            _collect(_local_chart(chart, dependency, inner), inner, local)
    local.order.append(folder)


def _local_chart(chart: Chart, dependency: Dependency, folder: str) -> Chart:
    try:
        return read_chart(folder)
    except UserError as error:
        raise UserError(
            msg("The dependency %(name)s of %(chart)s cannot be used", name=dependency.name, chart=chart.name),
            msg("%(repository)s: %(reason)s", repository=dependency.repository, reason=_text(error)),
            msg("Correct the repository of %(name)s in Chart.yaml.", name=dependency.name),
            field=FIELD,
        ) from error


def _text(error: UserError) -> Message:
    return msg("%(title)s. %(message)s", title=error.title, message=error.message)


def _needing(local: _Local, chart: Chart, *, update: bool) -> list[str]:
    top = os.path.realpath(chart.path)
    return [source for source in local.order if local.charts[source].missing or (update and source == top)]


def _copies(places: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Leave out what lies inside another folder that is copied."""
    sources = sorted(places, key=len)
    roots = [
        source
        for index, source in enumerate(sources)
        if not any(source.startswith(other.rstrip(os.sep) + os.sep) for other in sources[:index])
    ]
    return tuple((source, places[source]) for source in roots)


def _private(folder: Path) -> dict[str, str]:
    return {
        "HELM_REPOSITORY_CONFIG": str(folder / "repositories.yaml"),
        "HELM_REPOSITORY_CACHE": str(folder / "repository-cache"),
    }


def _fetch(helm: Tool, chart: Chart, place: str, private: dict[str, str], *, update: bool, refresh: bool) -> Command:
    locks = ("Chart.lock", "requirements.lock")
    locked = not update and any((Path(chart.path) / name).is_file() for name in locks)
    return commands.dependency(helm, os.path.normpath(place), "build" if locked else "update", private, refresh=refresh)


def _is_http(repository: str) -> bool:
    return repository.startswith(("http://", "https://"))


def _repositories(
    helm: Tool, local: _Local, needing: list[str], configured: list[dict[str, Any]], folder: str
) -> tuple[RepositoryList, list[Command]]:
    """Return the private list (the user's entries that are needed) and the commands that add what is not configured."""
    needed = [
        (local.charts[source], dependency) for source in needing for dependency in local.charts[source].dependencies
    ]
    names: list[str] = []
    urls: list[str] = []
    for chart, dependency in needed:
        entry = _entry(chart, dependency, configured)
        if entry:
            names.append(str(entry["name"]))
        elif _is_http(dependency.repository):
            urls.append(dependency.repository)
    private = _private(Path(folder))
    list_ = RepositoryList(
        path=private["HELM_REPOSITORY_CONFIG"], source=user_repositories(), names=tuple(dict.fromkeys(names))
    )
    unique = list(dict.fromkeys(url.rstrip("/") for url in urls))
    added = [
        commands.repo_add(helm, folder, f"ansflow-{number}", url, private) for number, url in enumerate(unique, start=1)
    ]
    return list_, added


def _entry(chart: Chart, dependency: Dependency, configured: list[dict[str, Any]]) -> dict[str, Any] | None:
    repository = dependency.repository
    for prefix in _ALIASES:
        if repository.startswith(prefix):
            name = repository.removeprefix(prefix)
            return next((entry for entry in configured if entry.get("name") == name), None) or _no_alias(
                chart, dependency
            )
    if not repository and not dependency.present:
        _no_repository(chart, dependency)
    return next((entry for entry in configured if _same_url(entry.get("url"), repository)), None)


def _same_url(one: Any, two: str) -> bool:
    return isinstance(one, str) and bool(two) and one.rstrip("/") == two.rstrip("/")


def _no_alias(chart: Chart, dependency: Dependency) -> dict[str, Any]:
    raise UserError(
        msg("The dependency %(name)s of %(chart)s cannot be fetched", name=dependency.name, chart=chart.name),
        msg("Its repository %(alias)s is not configured on this machine.", alias=dependency.repository),
        msg("Add it with helm repo add, or write its address into Chart.yaml."),
        field=FIELD,
    )


def _no_repository(chart: Chart, dependency: Dependency) -> None:
    raise UserError(
        msg("The dependency %(name)s of %(chart)s cannot be fetched", name=dependency.name, chart=chart.name),
        msg("Chart.yaml names no repository for it, and it is not in charts/."),
        msg("Put the chart into charts/, or name its repository in Chart.yaml."),
        field=FIELD,
    )


def _configured(path: str) -> list[dict[str, Any]]:
    """Return the entries of a repositories.yaml; none where it is missing or broken (helm then adds what it needs)."""
    try:
        found = safe_yaml.load(safe_yaml.read_text(path, FIELD))
    except (UserError, safe_yaml.YamlProblem):
        return []
    entries = found.get("repositories") if isinstance(found, dict) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _write_repositories(wanted: RepositoryList) -> None:
    """Write the private list, 0600: its entries may hold passwords. JSON is YAML."""
    entries = [entry for entry in _configured(wanted.source) if entry.get("name") in wanted.names]
    text = msgspec.json.encode({"apiVersion": "", "generated": "0001-01-01T00:00:00Z", "repositories": entries})
    Path(wanted.path).unlink(missing_ok=True)
    with os.fdopen(os.open(wanted.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)


def _check_size(source: str) -> None:
    total = 0
    for folder, _, files in os.walk(source):
        total += sum(os.lstat(os.path.join(folder, name)).st_size for name in files)  # noqa: PTH118
        if total > MAX_COPY_BYTES:
            raise OSError(f"{source}: more than {MAX_COPY_BYTES // 1024 // 1024} MB")


def _notice(chart: Chart, *, update: bool) -> Message:
    missing = chart.missing
    names = ", ".join(dependency.name for dependency in missing or chart.dependencies)
    if update:
        return msg("The dependencies %(names)s are refreshed in a private copy of the chart.", names=names)
    return msg_n(
        "The dependency %(names)s is missing. It is fetched into a private copy of the chart; "
        "your folder stays as it is.",
        "The dependencies %(names)s are missing. They are fetched into a private copy of the chart; "
        "your folder stays as it is.",
        len(missing),
        names=names,
    )
