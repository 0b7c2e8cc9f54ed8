"""`run`, `preview`, `validate` and `schema`: pipeline files on the command line (pipeline-file.md)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ansflow_desktop.commands import execution, leftovers
from ansflow_desktop.commands.output import problem_lines
from ansflow_desktop.commands.session import pairs
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.pipeline import Pipeline
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.pipelines.document import PipelineError
from ansflow_desktop.pipelines.validate import validate as validate_pipeline

if TYPE_CHECKING:
    from ansflow_desktop.commands.session import Session


def run(session: Session) -> int:
    """Check the file and the clusters that it names, then run it; return the exit code."""
    args = session.args
    if not args.dry_run:
        session.services.require_writable()
        leftovers.tell(session)
    variables = pairs(args.variable, "variable")
    pipeline = _load(args.pipeline)
    chosen = _chosen(pipeline, args.only, args.start_from)
    if execution.refuse_problems(session, validate_pipeline(pipeline, variables, chosen)):
        return int(ExitCode.INVALID)
    if args.dry_run:
        return execution.show_plan(session, pipeline, variables, chosen)
    for name in execution.cluster_names(pipeline, variables, chosen):
        execution.require_reachable(session, session.entry(name))
    return execution.carry_out(session, pipeline, variables=variables, only=args.only, start_from=args.start_from)


def preview(session: Session) -> int:
    """Show commands and manifests of a pipeline file; nothing is run on any cluster."""
    args = session.args
    variables = pairs(args.variable, "variable")
    pipeline = _load(args.pipeline)
    chosen = _chosen(pipeline, args.step, None)
    if execution.refuse_problems(session, validate_pipeline(pipeline, variables, chosen)):
        return int(ExitCode.INVALID)
    return execution.show_plan(session, pipeline, variables, chosen)


def validate(session: Session) -> int:
    """Say every problem of a pipeline file; exit code 2 when one is an error."""
    try:
        given = pairs(session.args.variable, "variable")
        problems = list(validate_pipeline(_load(session.args.pipeline), given))
    except PipelineError as error:
        problems = list(error.problems)
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


def schema(session: Session) -> int:
    """Print the JSON Schema of pipeline files, one document in every output form."""
    from ansflow_desktop.pipelines.schema import json_schema

    session.out.document(json_schema())
    return int(ExitCode.DONE)


def _load(file: str) -> Pipeline:
    from ansflow_desktop.pipelines.codec import load_pipeline

    return load_pipeline(Path(file).expanduser().absolute())


def _chosen(pipeline: Pipeline, only: str | None, start_from: str | None) -> set[int] | None:
    """Return the indexes of the steps that will run, None for all; raises UserError where there is none."""
    from ansflow_desktop.executors.runner import select

    if only is None and start_from is None:
        return None
    return {index for index, _ in select(pipeline, only, start_from)}
