"""`run`, `preview`, `validate` and `schema`: pipeline files on the command line (pipeline-file.md)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ansflow_desktop.commands import execution
from ansflow_desktop.commands.output import problem_lines
from ansflow_desktop.commands.session import pairs
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.pipeline import Pipeline
from ansflow_desktop.models.problem import Problem, Severity

if TYPE_CHECKING:
    from ansflow_desktop.commands.session import Session


def run(session: Session) -> int:
    """Check the file and the clusters that it names, then run it; return the exit code."""
    args = session.args
    if not args.dry_run:
        session.services.require_writable()
    variables = pairs(args.variable, "variable")
    pipeline = _load(args.pipeline)
    _require_step(pipeline, args.only)
    _require_step(pipeline, args.start_from)
    if execution.refuse_problems(session, _problems(pipeline, variables)):
        return int(ExitCode.INVALID)
    if args.dry_run:
        return execution.show_plan(session, pipeline, variables, args.only)
    for name in execution.cluster_names(pipeline, variables, args.only):
        execution.require_reachable(session, session.entry(name))
    return execution.carry_out(session, pipeline, variables=variables, only=args.only, start_from=args.start_from)


def preview(session: Session) -> int:
    """Show commands and manifests of a pipeline file; nothing is run on any cluster."""
    args = session.args
    variables = pairs(args.variable, "variable")
    pipeline = _load(args.pipeline)
    _require_step(pipeline, args.step)
    if execution.refuse_problems(session, _problems(pipeline, variables)):
        return int(ExitCode.INVALID)
    return execution.show_plan(session, pipeline, variables, args.step)


def validate(session: Session) -> int:
    """Say every problem of a pipeline file; exit code 2 when one is an error."""
    try:
        problems = _problems(_load(session.args.pipeline), pairs(session.args.variable, "variable"))
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


def _problems(pipeline: Pipeline, variables: dict[str, str]) -> list[Problem]:
    from ansflow_desktop.pipelines.validate import validate as check
    from ansflow_desktop.pipelines.variables import undefined

    return [*check(pipeline), *undefined(pipeline, variables)]


def _require_step(pipeline: Pipeline, name: str | None) -> None:
    names = [step.name for step in pipeline.steps]
    if name is not None and name not in names:
        raise UserError(
            msg("The pipeline has no step %(name)s", name=name),
            "",
            msg("Its steps are: %(names)s", names=", ".join(names)),
            field="step",
        )
