"""What `deploy`, `run` and `preview` share: checks before anything runs, the run itself, and the dry run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansflow_desktop.commands.difference import difference, difference_texts
from ansflow_desktop.commands.interrupt import run_cancellable
from ansflow_desktop.commands.output import problem_lines
from ansflow_desktop.commands.progress import reporter
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Text, _, msg, translate
from ansflow_desktop.models.cluster import ClusterStatus, Reach
from ansflow_desktop.models.pipeline import ExecutionContext, Pipeline, PipelineStep, StepType
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.pipelines.builtin import builtin_variables
from ansflow_desktop.pipelines.variables import fill, resolve

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ansflow_desktop.commands.session import Session
    from ansflow_desktop.executors.checks_context import StepView
    from ansflow_desktop.models.cluster import ClusterEntry


def refuse_problems(session: Session, problems: Sequence[Problem]) -> bool:
    """Show problems; True when one is an error, so that nothing may run (exit code 2)."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors and not session.out.is_text:
        session.out.document({"error": {"title": errors[0].title, "code": int(ExitCode.INVALID), "problems": problems}})
    for problem in problems:
        if problem.severity is not Severity.INFO or session.out.is_text:
            session.out.note("\n".join(problem_lines(problem, session.out.labels)))
    return bool(errors)


def require_reachable(session: Session, entry: ClusterEntry) -> ClusterStatus:
    """Ask the cluster for its version; raises UserError with exit code 3 when it does not answer or refuses."""
    from ansflow_desktop.commands import waiting
    from ansflow_desktop.kube import probe

    document = session.services.catalog.document(entry.name)
    status = waiting.run(session, probe.check(entry, document), lambda: waiting.for_answers(entry.name))
    if status.reach is Reach.REACHABLE:
        return status
    raise _no_answer(session, entry, status)


def _no_answer(session: Session, entry: ClusterEntry, status: ClusterStatus) -> UserError:
    title = msg("Cluster %(name)s cannot be reached", name=entry.name)
    hint: Text = msg("Check the network and the address.")
    if status.reach is Reach.REFUSED:
        title = msg("Cluster %(name)s refuses the credentials", name=entry.name)
        hint = msg("Renew the credentials of this cluster.")
    elif entry.source == "practice":
        hint = _practice_hint(session, entry.name)
    return UserError(title, status.message, hint, field="k8s_cluster", code=ExitCode.UNREACHABLE)


def _practice_hint(session: Session, name: str) -> Text:
    """Return the way out for a practice cluster: a stopped one is started, one that hangs is stopped first."""
    try:
        running = session.services.practice.status(name).running
    except UserError:
        running = False
    if not running:
        return msg("Start it: ansflow-desktop practice start %(name)s", name=name)
    return msg(
        "It runs but does not answer. Stop and start it: "
        "ansflow-desktop practice stop %(name)s; ansflow-desktop practice start %(name)s",
        name=name,
    )


def tell_ending(session: Session, clusters: Sequence[str], seconds: float) -> None:
    """Say on stderr which credentials end during a run of `seconds` seconds; nothing is refused for it."""
    from ansflow_desktop.executors.expiry import ending_problems

    for problem in ending_problems(session.services.credentials, clusters, seconds, "k8s_cluster"):
        session.out.note("\n".join(problem_lines(problem, session.out.labels)))


def carry_out(session: Session, pipeline: Pipeline, **options: Any) -> int:
    """Run `pipeline` with the runner's `options` and return the exit code; Ctrl+C cancels, twice at once."""
    runner = session.services.runner()
    report = reporter(session.out, session.services.options.log_level)

    def stopping(count: int) -> None:
        again = msg("Stopping. What the cluster says then is shown. Press Ctrl+C again to stop at once.")
        session.out.note(again if count == 1 else msg("Stopping at once."))

    outcome = run_cancellable(lambda cancel: runner.run(pipeline, report.emit, cancel, **options), stopping)
    report.close()
    return int(outcome.exit_code)


def cluster_names(pipeline: Pipeline, given: Mapping[str, str], chosen: Collection[int] | None = None) -> list[str]:
    """Return the clusters that the enabled k8s steps name, once each; names that need a variable set later are not."""
    values = start_values(pipeline, given)
    names: dict[str, None] = {}
    for index, step in enumerate(pipeline.steps):
        if step.type is StepType.SHELL or not step.enabled or (chosen is not None and index not in chosen):
            continue
        if not _may_run(step, values):
            continue
        try:
            name = fill(step.k8s_cluster, values)
        except UserError:
            continue
        if name:
            names[name] = None
    return list(names)


def _may_run(step: PipelineStep, values: Mapping[str, str]) -> bool:
    """Return whether a step's condition is met, or may be once a step before it has set its variables."""
    from ansflow_desktop.pipelines.conditions import met

    try:
        return met(step.when, values)
    except UserError:
        return True


def start_values(pipeline: Pipeline, given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a run of `pipeline` would start with; its id is the word `preview`."""
    return resolve(pipeline, {**builtin_variables(pipeline, "preview"), **given})


def show_plan(
    session: Session, pipeline: Pipeline, given: Mapping[str, str], chosen: Collection[int] | None = None
) -> int:
    """Show the commands and the manifest of each step, running nothing on any cluster; return the exit code."""
    from ansflow_desktop.executors.checks_context import step_views

    shown: list[dict[str, Any]] = []
    code = ExitCode.DONE
    for view in step_views(pipeline, given):
        if not view.step.enabled or (chosen is not None and view.index not in chosen):
            continue
        row = _step_plan(session, view, literal=pipeline.literal)
        shown.append(row)
        if any(problem.severity is Severity.ERROR for problem in row["problems"]):
            code = ExitCode.INVALID
    if session.out.is_text:
        _print_plan(session, shown)
    else:
        session.out.document({"pipeline": pipeline.name, "steps": shown})
    return int(code)


def _step_plan(session: Session, view: StepView, *, literal: bool) -> dict[str, Any]:
    """Return what a step will run; what only the run knows stands as `${name}` and is no mistake."""
    step = view.step
    row = {"name": step.name, "type": step.type, "folder": view.context.working_directory, "notices": view.remarks}
    empty: dict[str, Any] = {"commands": [], "manifest": "", "problems": []}
    if step.type is StepType.SHELL:
        return {**row, **empty, "commands": [step.command]}
    try:
        if view.error is not None and not view.unknown:
            raise view.error
        planned = _deploy_plan(session, step, view.context)
        compared = {"difference": difference(session, view)} if getattr(session.args, "diff", False) else {}
        return {**row, **planned, **compared, "notices": [*view.remarks, *planned["notices"]]}
    except UserError as error:
        if view.excuses(error) or not view.met:
            return {**row, **empty}
        field = error.field if literal else f"{step.name}: {error.field}" if error.field else step.name
        problem = Problem(field=field, title=error.title, message=error.message, hint=error.hint)
        return {**row, **empty, "problems": [problem]}


def _deploy_plan(session: Session, step: PipelineStep, context: ExecutionContext) -> dict[str, Any]:
    from ansflow_desktop.executors import plan, preview
    from ansflow_desktop.executors.known_texts import without
    from ansflow_desktop.executors.step_secrets import redactor_of

    services = session.services
    target = services.catalog.user_target(step.k8s_cluster)
    with tempfile.TemporaryDirectory(prefix="ansflow-plan-") as folder:
        planned = plan.plan_step(step, context, services.tools, target, Path(folder))
    rendered = run_cancellable(lambda cancel: preview.render(step, context, services.tools, cancel))
    redact = redactor_of(step, context)
    commands = [redact(plan.copy_text(without(command, rendered.known))) for command in planned.commands]
    notices: list[Text] = list(planned.notices)
    return {"commands": commands, "notices": notices, "manifest": rendered.text, "problems": list(rendered.problems)}


def _print_plan(session: Session, shown: Sequence[dict[str, Any]]) -> None:
    out = session.out
    for row in shown:
        out.line(f"# {row['name']} ({row['type'].value})")
        if row["type"] is StepType.SHELL:
            out.line("# " + _("In %(folder)s:") % {"folder": row["folder"]})
        for command in row["commands"]:
            out.line(command)
        for notice in row["notices"]:
            out.line("# " + translate(notice))
        if row["manifest"]:
            out.line()
            out.line(row["manifest"].rstrip("\n"))
        if row.get("difference"):
            out.line()
            for line in difference_texts(row["difference"]):
                out.line(line)
        out.line()
        for problem in (*row["problems"], *row.get("difference", {}).get("problems", ())):
            out.note("\n".join(problem_lines(problem, out.labels)))
