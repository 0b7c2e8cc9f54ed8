"""`convert`: a pipeline for another engine, AnsFlow's own JSON there and back, a YAML step as a chart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ansflow_desktop import files, paths, safe_yaml
from ansflow_desktop.commands.interrupt import run_cancellable
from ansflow_desktop.commands.session import pairs
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Text, msg, msg_n
from ansflow_desktop.models.pipeline import ExecutionContext, Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ansflow_desktop.commands.session import Session
    from ansflow_desktop.executors.convert.prepare import Prepared

FORMS = ("bash", "jenkins", "argo", "ansflow", "pipeline", "chart")
_ENDINGS = {".sh": "bash", ".bash": "bash", ".groovy": "jenkins", ".jenkinsfile": "jenkins", ".json": "ansflow"}


def convert(session: Session) -> int:
    """Write OUT made from IN; the form is `--to`, else what OUT's name says. Nothing is run and no cluster asked."""
    args = session.args
    source, out = _path(args.source), _path(args.out)
    form = args.to or _form_of(source, out)
    if form == "chart":
        return _chart(session, source, out)
    _require_free(out, overwrite=args.overwrite)
    if form == "pipeline":
        return _from_ansflow(session, source, out)
    if form == "ansflow":
        return _to_ansflow(session, source, out)
    return _to_engine(session, source, out, form)


def _path(text: str) -> Path:
    return paths.expanded(text).absolute()


def _form_of(source: Path, out: Path) -> str:
    name = out.name.lower()
    if source.suffix == ".json":
        return "pipeline"
    if name.startswith("jenkinsfile"):
        return "jenkins"
    if name.endswith((".argo.yaml", ".argo.yml", "workflow.yaml")):
        return "argo"
    form = _ENDINGS.get(out.suffix.lower())
    if form:
        return form
    raise UserError(
        msg("The name %(name)s does not say what to make", name=out.name),
        "",
        msg("Give --to with one of %(forms)s.", forms=", ".join(FORMS)),
        field="OUT",
    )


def _require_free(out: Path, *, overwrite: bool) -> None:
    title = msg("%(path)s exists already", path=str(out))
    if files.is_folder(out):
        raise UserError(title, msg("It is a folder."), msg("Choose another name."), field="OUT")
    if files.is_there(out) and not overwrite:
        raise UserError(title, "", msg("Choose another name, or give --overwrite."), field="OUT")


def _to_engine(session: Session, source: Path, out: Path, form: str) -> int:
    from ansflow_desktop.executors.convert.prepare import prepare

    prepared = prepare(_load(source), pairs(session.args.variable, "variable"))
    return _done(session, out, _writer(form)(prepared), prepared.notices, program=form == "bash")


def _load(source: Path) -> Pipeline:
    from ansflow_desktop.models.problem import Severity
    from ansflow_desktop.pipelines.codec import load_pipeline
    from ansflow_desktop.pipelines.document import PipelineError
    from ansflow_desktop.pipelines.validate import validate

    pipeline = load_pipeline(source)
    errors = [problem for problem in validate(pipeline) if problem.severity is Severity.ERROR]
    if errors:
        raise PipelineError(tuple(errors))
    return pipeline


def _writer(form: str) -> Callable[[Prepared], str]:
    if form == "jenkins":
        from ansflow_desktop.executors.convert.jenkins import to_jenkins

        return to_jenkins
    if form == "argo":
        from ansflow_desktop.executors.convert.argo import to_argo

        return to_argo
    from ansflow_desktop.executors.convert.bash import to_bash

    return to_bash


def _done(session: Session, out: Path, text: str, notices: Sequence[Text], *, program: bool = False) -> int:
    """Write the file and say so; a new file has the rights that the person's others have."""
    _write(out, text, program=program)
    for notice in notices:
        session.out.note(notice)
    if session.out.is_text:
        session.out.line(msg("Written: %(path)s", path=str(out)))
    else:
        session.out.document({"path": str(out), "notices": list(notices)})
    return int(ExitCode.DONE)


def _write(out: Path, text: str, *, program: bool) -> None:
    files.write_atomic(out, text.encode())
    try:
        out.chmod(0o755 if program else 0o644)
    except OSError as error:
        raise files.cannot_write(out, error) from error


def _to_ansflow(session: Session, source: Path, out: Path) -> int:
    from ansflow_desktop.pipelines.ansflow.documents import export_pipeline

    text = safe_yaml.read_text(str(source), "IN")
    return _done(session, out, export_pipeline(text, _cluster_ids(session)), ())


def _from_ansflow(session: Session, source: Path, out: Path) -> int:
    """Write each pipeline of an AnsFlow document: OUT, then files named after the others beside it."""
    from ansflow_desktop.pipelines.ansflow.documents import import_document

    names = {number: name for name, number in _cluster_ids(session).items()}
    imported = import_document(safe_yaml.read_text(str(source), "IN"), names)
    if not imported.pipelines:
        title = msg("%(file)s holds no pipeline", file=str(source))
        raise UserError(title, msg("Reusable steps are imported into the library of the window."), field="IN")
    _first, *others = imported.pipelines
    for name, text in others:
        path = out.with_name(f"{_file_name(name)}.yaml")
        _require_free(path, overwrite=session.args.overwrite)
        _write(path, text, program=False)
    return _done(session, out, imported.pipelines[0][1], imported.notices)


def _file_name(name: str) -> str:
    return "".join(char if char.isalnum() or char in "-_" else "-" for char in name).strip("-") or "pipeline"


def _cluster_ids(session: Session) -> dict[str, int]:
    """Return `--cluster-id NAME=ID` as a mapping: AnsFlow knows clusters by number (ansflow-compat.md)."""
    found = {}
    for name, number in pairs(session.args.cluster_id, "--cluster-id").items():
        if not number.isdecimal():
            raise UserError(msg("%(text)s is no number", text=number), field="--cluster-id")
        found[name] = int(number)
    return found


def _chart(session: Session, source: Path, out: Path) -> int:
    """Write the YAML step `--step` as a chart folder OUT; the pipeline file is left as it is."""
    from ansflow_desktop.commands.execution import start_values
    from ansflow_desktop.executors.checks_context import step_views
    from ansflow_desktop.executors.migrate import migrate

    pipeline = _load(source)
    step = next((one for one in pipeline.steps if one.name == session.args.step), None)
    if not session.args.step:
        raise UserError(msg("A chart is made of one step"), "", msg("Name it with --step."), field="--step")
    if step is None:
        hint = msg("Its steps are: %(names)s", names=", ".join(one.name for one in pipeline.steps))
        raise UserError(msg("The pipeline has no step %(name)s", name=session.args.step), "", hint, field="--step")
    values: Mapping[str, str] = start_values(pipeline, pairs(session.args.variable, "variable"))
    view = next(one for one in step_views(pipeline, values) if one.step.name == step.name)
    context = ExecutionContext(working_directory=view.context.working_directory, variables=dict(values))
    made = run_cancellable(lambda cancel: migrate(step, context, session.services.tools, out, cancel))
    for notice in made.notices:
        session.out.note(notice)
    if session.out.is_text:
        compared = msg_n("%(count)d object compared.", "%(count)d objects compared.", made.compared)
        session.out.line(msg("Written: %(path)s; %(compared)s", path=made.folder, compared=compared))
        session.out.line(msg("The step's fields for it:"))
        session.out.line(_yaml(made.config))
    else:
        session.out.document({"path": made.folder, "compared": made.compared, "k8s_config": made.config})
    return int(ExitCode.DONE)


def _yaml(config: Mapping[str, object]) -> str:
    from ansflow_desktop.pipelines.templates import as_yaml

    shown = {name: value for name, value in config.items() if not name.startswith(("manifest", "kustomize"))}
    return as_yaml({"k8s_config": shown}).rstrip("\n")
