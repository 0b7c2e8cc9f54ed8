"""`run`, `preview`, `validate` and `schema`: pipeline files on the command line (pipeline-file.md)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.commands import execution, leftovers
from ansflow_desktop.commands.output import problem_lines
from ansflow_desktop.commands.session import pairs
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.duration import duration_seconds
from ansflow_desktop.models.pipeline import Pipeline
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.pipelines.document import PipelineError, read_text
from ansflow_desktop.pipelines.validate import check_text
from ansflow_desktop.pipelines.validate import validate as validate_pipeline

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ansflow_desktop.commands.session import Session


def run(session: Session) -> int:
    """Check the file and the clusters that it names, then run it; return the exit code."""
    args = session.args
    if not args.dry_run:
        session.services.require_writable()
        leftovers.tell(session)
    variables = pairs(args.variable, "variable")
    pipeline = _load(args.pipeline, variables)
    chosen = _chosen(pipeline, args.only, args.start_from)
    if execution.refuse_problems(session, _checked(args.pipeline, pipeline, variables, chosen)):
        return int(ExitCode.INVALID)
    if args.dry_run:
        return execution.show_plan(session, pipeline, variables, chosen)
    _require_clusters(session, pipeline, variables, chosen)
    names = execution.cluster_names(pipeline, variables, chosen)
    execution.tell_ending(session, names, _longest(pipeline, chosen))
    options = {"only": args.only, "start_from": args.start_from, "confirmed": args.confirm}
    return execution.carry_out(session, pipeline, variables=variables, **options)


def _longest(pipeline: Pipeline, chosen: Collection[int] | None) -> float:
    """Return how many seconds the chosen steps may take together, as far as their timeouts say it."""
    steps = [step for index, step in enumerate(pipeline.steps) if chosen is None or index in chosen]
    return sum(duration_seconds(str(step.k8s_config.get("timeout") or step.timeout)) for step in steps)


def preview(session: Session) -> int:
    """Show commands and manifests of a pipeline file; nothing is run on any cluster."""
    args = session.args
    variables = pairs(args.variable, "variable")
    pipeline = _load(args.pipeline, variables)
    chosen = _chosen(pipeline, args.step, None)
    if execution.refuse_problems(session, _checked(args.pipeline, pipeline, variables, chosen)):
        return int(ExitCode.INVALID)
    if args.diff:
        _require_clusters(session, pipeline, variables, chosen)
    return execution.show_plan(session, pipeline, variables, chosen)


def _checked(
    file: str, pipeline: Pipeline, given: Collection[str], chosen: Collection[int] | None
) -> tuple[Problem, ...]:
    """Return what is wrong with the chosen steps of a pipeline that was read from `file`, each with its place."""
    path = _path(file)
    text = read_text(path)
    return tuple(_placed(one, text, path) for one in validate_pipeline(pipeline, given, chosen))


def _require_clusters(
    session: Session, pipeline: Pipeline, given: Mapping[str, str], chosen: Collection[int] | None
) -> None:
    """Raise UserError (3) where a cluster of the chosen steps does not answer."""
    for name in execution.cluster_names(pipeline, given, chosen):
        execution.require_reachable(session, session.entry(name))


def validate(session: Session) -> int:
    """Say every problem of a pipeline file; exit code 2 when one is an error."""
    try:
        given = pairs(session.args.variable, "variable")
        problems = list(_problems(_path(session.args.pipeline), given))
    except UserError as error:
        problems = [Problem(field=error.field, title=error.title, message=error.message, hint=error.hint)]
    valid = all(problem.severity is not Severity.ERROR for problem in problems)
    if session.out.is_text:
        for problem in problems:
            session.out.note("\n".join(problem_lines(problem)))
        if valid:
            session.out.line(msg("%(file)s is valid.", file=session.args.pipeline))
    else:
        session.out.document({"valid": valid, "problems": problems})
    return int(ExitCode.DONE if valid else ExitCode.INVALID)


def _path(file: str) -> Path:
    return paths.expanded(file).absolute()


def _problems(path: Path, given: Collection[str] = ()) -> tuple[Problem, ...]:
    """Return every problem of a file, with its place."""
    text = read_text(path)
    return tuple(_placed(one, text, path) for one in check_text(text, str(path.parent), str(path), given))


def _placed(problem: Problem, text: str, path: Path) -> Problem:
    """Return `problem` with its place in the file, where it names a field that stands there and says none itself."""
    from ansflow_desktop.pipelines.lossless import place_of

    place = place_of(text, problem.field) if problem.field and not problem.message else None
    if place is None:
        return problem
    where = msg("%(file)s, line %(line)s, column %(column)s", file=str(path), line=place[0], column=place[1])
    return msgspec.structs.replace(problem, message=where)


def schema(session: Session) -> int:
    """Print the JSON Schema of pipeline files, one document in every output form."""
    from ansflow_desktop.pipelines.schema import json_schema

    session.out.document(json_schema())
    return int(ExitCode.DONE)


def _load(file: str, given: Collection[str] = ()) -> Pipeline:
    """Return the pipeline in `file`; raises PipelineError with all that is wrong, not only what stops the reading."""
    from ansflow_desktop.pipelines.codec import load_pipeline

    path = _path(file)
    try:
        return load_pipeline(path)
    except PipelineError as error:
        raise PipelineError(_problems(path, given) or error.problems) from error


def _chosen(pipeline: Pipeline, only: str | None, start_from: str | None) -> set[int] | None:
    """Return the indexes of the steps that will run, None for all; raises UserError where there is none."""
    from ansflow_desktop.executors.runner import select

    if only is None and start_from is None:
        return None
    return {index for index, _ in select(pipeline, only, start_from)}
