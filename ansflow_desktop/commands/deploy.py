"""`deploy CHART_DIR`: the window's Deploy page without a window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ansflow_desktop import paths
from ansflow_desktop.commands import execution, leftovers
from ansflow_desktop.errors import ExitCode
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.duration import duration_seconds

if TYPE_CHECKING:
    from ansflow_desktop.commands.session import Session


def deploy(session: Session) -> int:
    """Check the request, then the cluster, then deploy; with `--dry-run` only show; return the exit code."""
    args = session.args
    if not args.dry_run:
        session.services.require_writable()
        leftovers.tell(session)
    request = _request(session)
    from ansflow_desktop.executors import guard, preflight

    problems = preflight.check_request(request, session.services.tools, session.services.catalog)
    if execution.refuse_problems(session, problems):
        return int(ExitCode.INVALID)
    if args.dry_run:
        return execution.show_plan(session, request.pipeline(), {})
    guard.require_changeable(session.services.catalog, [args.cluster])
    execution.require_reachable(session, session.entry(args.cluster))
    execution.tell_ending(session, [args.cluster], duration_seconds(args.timeout))
    return execution.carry_out(session, request.pipeline())


def _request(session: Session) -> DeployRequest:
    args = session.args
    chart = str(paths.expanded(args.chart).absolute())
    return DeployRequest(
        chart_path=chart,
        cluster=args.cluster,
        namespace=session.namespace(session.services.catalog.entry(args.cluster)),
        release_name=args.release if args.release is not None else _default_release(chart),
        values_files=tuple(str(paths.expanded(file).absolute()) for file in args.values),
        set_values=tuple(args.set),
        reset_values=args.reset_values,
        wait=not args.no_wait,
        timeout=args.timeout,
        rollback=args.rollback_on_failure,
        dry_run=False,
    )


def _default_release(folder: str) -> str:
    """Return `<chart>-release`; raises UserError when the folder holds no readable chart."""
    from ansflow_desktop.helm import charts

    return charts.default_release_name(charts.read_chart(Path(folder)))
