"""Which chart a step means: found as pipeline-file.md ("Charts") says, and never guessed to be in some repository."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.errors import UserError
from ansflow_desktop.files import is_file, is_folder, is_there
from ansflow_desktop.helm.charts import chart_name_of, read_chart, refuse_library
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.chart import Chart
from ansflow_desktop.models.pipeline import HelmDeploy

_PLACES = ("{name}", "charts/{name}", "helm/{name}", "k8s/{name}")
_SCHEMES = ("http://", "https://", "oci://")
_PACKED = re.compile(r"(?P<name>.+?)-v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+].*)?")  # what helm package writes: name-version


class ChartRef(msgspec.Struct, frozen=True, kw_only=True):
    """The chart as helm is to be given it: `argument` on its command line, in the directory `cwd` (absolute).

    `chart` is None for a chart that is not a folder; `repo` and `version` are its flags' values. `decisions` tell how
    it was found (debug), `warnings` what the user should know.
    """

    cwd: str
    argument: str
    chart: Chart | None = None
    name: str = ""
    repo: str = ""
    version: str = ""
    decisions: tuple[Message, ...] = ()
    warnings: tuple[Message, ...] = ()


def find_chart(config: HelmDeploy, working_directory: str) -> ChartRef:
    """Return the chart that `config` names, seen from `working_directory` (absolute).

    Raises UserError with field `chart_path` or `chart_name` where there is none; the message lists every place.
    """
    if config.chart_path:
        _refuse_login(config.chart_path, "chart_path")
        return _at_path(config, working_directory, config.chart_path, "chart_path")
    name = config.chart_name
    if not name:
        raise UserError(
            msg("No chart is named"),
            hint=msg("Choose a chart folder, or set chart_name or chart_path."),
            field="chart_path",
        )
    _refuse_flag(name, "chart_name")
    for field in ("chart_repo", "chart_name"):
        _refuse_login(getattr(config, field), field)
    if config.chart_repo:
        return _in_repository(config, working_directory)
    if name.startswith(_SCHEMES):
        return _elsewhere(config, working_directory, msg("The chart is fetched from %(address)s.", address=name))
    if name.endswith(".tgz") or _is_path(name):
        return _at_path(config, working_directory, name, "chart_name")
    return _search(config, working_directory)


def absolute(path: str, working_directory: str) -> str:
    """Return `path` (a leading `~` allowed) made absolute against `working_directory`, `..` taken out."""
    return os.path.normpath(Path(working_directory) / paths.expanded(path))


def _refuse_flag(text: str, field: str) -> None:
    if text.startswith("-"):
        raise UserError(
            msg("%(name)s begins with a hyphen", name=text),
            msg("Helm would take it for an option."),
            msg("Correct the name."),
            field=field,
        )


def _refuse_login(address: str, field: str) -> None:
    """Refuse a password in an address: everybody on this machine could read it in helm's command line (row 7)."""
    if not address.startswith(_SCHEMES) or "@" not in urlsplit(address).netloc:
        return
    raise UserError(
        msg("The address holds a user name or a password"),
        msg("Other programs on this machine could read it while helm runs."),
        msg("Log in with helm repo add --username or helm registry login, and leave it out of the address."),
        field=field,
    )


def _is_path(name: str) -> bool:
    return name in (".", "..") or name.startswith(("/", "~", "./", "../"))


def _at_path(config: HelmDeploy, working_directory: str, given: str, field: str) -> ChartRef:
    if given.startswith(_SCHEMES):
        return _elsewhere(config, working_directory, msg("The chart is fetched from %(address)s.", address=given))
    path = absolute(given, working_directory)
    if path.endswith(".tgz") and not is_folder(path):
        return _archive(config, working_directory, path, field)
    return _folder(config, path, (msg("%(field)s names the folder %(folder)s.", field=field, folder=path),), field)


def _archive(config: HelmDeploy, working_directory: str, path: str, field: str) -> ChartRef:
    if not is_file(path):
        raise UserError(
            msg("%(path)s is not there", path=path),
            msg("There is no such file."),
            msg("Choose a packed chart (.tgz) that exists."),
            field=field,
        )
    return ChartRef(
        cwd=working_directory,
        argument=path,
        name=_name_in(Path(path).name),
        version=config.chart_version,
        decisions=(msg("%(field)s names the packed chart %(path)s.", field=field, path=path),),
    )


def _folder(config: HelmDeploy, path: str, decisions: tuple[Message, ...], field: str) -> ChartRef:
    try:
        chart = read_chart(path)
        refuse_library(chart)
    except UserError as error:
        error.field = field
        raise
    return ChartRef(
        cwd=chart.path,
        argument=".",
        chart=chart,
        name=chart.name,
        decisions=decisions,
        warnings=tuple(_version_warning(config, chart)),
    )


def _version_warning(config: HelmDeploy, chart: Chart) -> list[Message]:
    """Tell that the folder counts: Helm passes over --version for it without a word."""
    if not config.chart_version or config.chart_version == chart.version:
        return []
    return [
        msg(
            "chart_version asks for %(wanted)s, but the chart folder holds %(found)s, and that is what is deployed.",
            wanted=config.chart_version,
            found=chart.version,
        )
    ]


def _in_repository(config: HelmDeploy, working_directory: str) -> ChartRef:
    repo, name = config.chart_repo, config.chart_name
    _refuse_flag(repo, "chart_repo")
    decision = msg("chart_repo names the repository %(repo)s.", repo=repo)
    if repo.startswith("oci://"):
        return _elsewhere(config, working_directory, decision, f"{repo.rstrip('/')}/{name}")
    if "://" not in repo:
        return _elsewhere(config, working_directory, decision, f"{repo}/{name}")
    return msgspec.structs.replace(_elsewhere(config, working_directory, decision), repo=repo)


def _elsewhere(config: HelmDeploy, working_directory: str, decision: Message, argument: str = "") -> ChartRef:
    argument = argument or config.chart_name or config.chart_path
    return ChartRef(
        cwd=_where_it_is_no_folder(argument, working_directory),
        argument=argument,
        name=_name_in(argument.rstrip("/").rpartition("/")[2]),
        version=config.chart_version,
        decisions=(decision,),
    )


def _name_in(last: str) -> str:
    """Return the chart's name in the last part of an address or path: `web-1.2.3.tgz`, `web:1.2.3`, `web@sha256:…`."""
    packed = last.partition("?")[0]
    if packed.endswith(".tgz"):
        stem = packed.removesuffix(".tgz")
        found = _PACKED.fullmatch(stem)
        return found["name"] if found else stem
    return last.partition("@")[0].partition(":")[0]


def _where_it_is_no_folder(argument: str, working_directory: str) -> str:
    """Helm takes a folder of that name in its directory before any repository: run it where there is none."""
    return working_directory if not is_there(Path(working_directory) / argument) else Path(working_directory).anchor


def _search(config: HelmDeploy, working_directory: str) -> ChartRef:
    here, name = Path(working_directory), config.chart_name
    decisions = [msg("Looking for the chart %(name)s from %(folder)s.", name=name, folder=working_directory)]
    found_here = chart_name_of(here)
    if found_here == name:
        decisions.append(msg("The working directory is the chart: its Chart.yaml bears that name."))
        return _folder(config, str(here), tuple(decisions), "chart_name")
    for place in _PLACES:
        candidate = Path(os.path.normpath(here / place.format(name=name)))
        if chart_name_of(candidate) is not None:
            decisions.append(msg("Found in %(folder)s.", folder=str(candidate)))
            return _folder(config, str(candidate), tuple(decisions), "chart_name")
        decisions.append(msg("Not in %(folder)s: no Chart.yaml there.", folder=str(candidate)))
    raise _not_found(name, here, found_here)


def _not_found(name: str, here: Path, found_here: str | None) -> UserError:
    places = [str(here), *(os.path.normpath(here / place.format(name=name)) for place in _PLACES)]
    message = msg("Looked at: %(places)s.", places=", ".join(places))
    if found_here:
        message = msg(
            "Looked at: %(places)s. The Chart.yaml in %(folder)s is of another chart, %(other)s.",
            places=", ".join(places),
            folder=str(here),
            other=found_here,
        )
    return UserError(
        msg("The chart %(name)s was not found", name=name),
        message,
        msg("Set chart_path to the chart's folder, or chart_repo if it is in a repository: that is never guessed."),
        field="chart_name",
    )
