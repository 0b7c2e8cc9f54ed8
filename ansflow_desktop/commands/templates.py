"""`templates list|show|new|import|export|remove|apply`: steps with a few named parameters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansflow_desktop import files, i18n, paths, safe_yaml
from ansflow_desktop.commands.output import table
from ansflow_desktop.commands.session import pairs
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import _, msg
from ansflow_desktop.models.template import words_in
from ansflow_desktop.pipelines import templates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ansflow_desktop.commands.session import Session
    from ansflow_desktop.models.template import Template


def templates_list(session: Session) -> int:
    """Show all templates, or those that hold every word given; one that cannot be read is told on stderr."""
    found, errors = session.services.templates.all()
    for error in errors:
        session.out.error(error) if session.out.is_text else session.out.note(str(error))
    rows = [_row(one) for one in templates.search(found, " ".join(session.args.words), session.args.category or "")]
    if session.out.is_text:
        columns = ("name", "category", "origin", "title")
        heads = (_("NAME"), _("CATEGORY"), _("ORIGIN"), _("TITLE"))
        session.out.line(table(heads, [[row[column] for column in columns] for row in rows]))
    else:
        session.out.document(rows)
    return int(ExitCode.DONE)


def _row(template: Template) -> dict[str, Any]:
    language = i18n.active_language()
    return {
        "name": template.name,
        "title": words_in(template.title, language),
        "description": words_in(template.description, language),
        "category": template.category,
        "origin": template.origin,
        "parameters": [one.name for one in template.parameters],
        "runs_programs": templates.runs_programs(template),
    }


def templates_show(session: Session) -> int:
    """Write one template as the YAML of a file, so that its steps can be read before they are used."""
    template = session.services.templates.get(session.args.name)
    if session.out.is_text:
        session.out.line(templates.template_text(template).rstrip("\n"))
    else:
        session.out.document({**_row(template), "steps": list(template.steps)})
    return int(ExitCode.DONE)


def templates_new(session: Session) -> int:
    """Make a template from steps of a pipeline file; `-v NAME=VALUE` lifts a value of theirs into a parameter."""
    from ansflow_desktop.models.template import TemplateParameter
    from ansflow_desktop.pipelines.lossless import read

    args = session.args
    raw = read(safe_yaml.read_text(str(_path(args.pipeline)), "PIPELINE"))
    steps = [step for step in raw.steps if not args.step or step.get("name") in args.step]
    missing = [name for name in args.step if name not in [step.get("name") for step in raw.steps]]
    if raw.problem or missing or not steps:
        reason = raw.problem.text() if raw.problem else ", ".join(missing)
        raise UserError(msg("No steps for a template were found in %(file)s", file=args.pipeline), reason)
    lifted = pairs(args.variable, "variable").items()
    parameters = [TemplateParameter(name=name, default=value, label=name) for name, value in lifted]
    head = {"title": args.title, "description": args.description, "category": args.category or "custom"}
    made = templates.from_steps(args.name, steps, parameters, **head)
    return _saved(session, session.services.templates.save(made, replace=args.overwrite))


def _path(text: str) -> Path:
    return paths.expanded(text).absolute()


def _saved(session: Session, template: Template) -> int:
    if session.out.is_text:
        session.out.line(msg("Kept as template %(name)s.", name=template.name))
    else:
        session.out.document(_row(template))
    return int(ExitCode.DONE)


def templates_import(session: Session) -> int:
    """Read a template file into the library; nothing of it is run, and steps with programs are named."""
    template = session.services.templates.import_file(_path(session.args.file))
    if templates.runs_programs(template):
        names = ", ".join(str(step.get("name") or step.get("type")) for step in template.steps)
        session.out.note(msg("It holds steps that run programs; read them before you use it: %(names)s", names=names))
    return _saved(session, template)


def templates_export(session: Session) -> int:
    """Write a template to a file that does not exist yet."""
    path = _path(session.args.file)
    session.services.templates.export_file(session.args.name, path)
    return _written(session, path)


def templates_remove(session: Session) -> int:
    """Remove a template of the user's own."""
    session.services.templates.remove(session.args.name)
    if session.out.is_text:
        session.out.line(msg("Removed template %(name)s.", name=session.args.name))
    else:
        session.out.document({"removed": session.args.name})
    return int(ExitCode.DONE)


def templates_apply(session: Session) -> int:
    """Add a template's steps to a pipeline file, which is made where there is none; nothing is run."""
    path = _path(session.args.pipeline)
    template = session.services.templates.get(session.args.name)
    values = _values(template, pairs(session.args.variable, "variable"))
    _write(path, template, values)
    if session.services.templates.needs_trust(template):  # named on the command line: trusted by that act (cli.md)
        session.services.templates.trust(template)
    return _written(session, path)


def _values(template: Template, given: Mapping[str, str]) -> dict[str, str]:
    known = {one.name for one in template.parameters}
    for name in given:
        if name not in known:
            hint = msg("It has: %(names)s.", names=", ".join(sorted(known)))
            raise UserError(msg("The template has no parameter %(name)s", name=name), "", hint, field="variable")
    return dict(given)


def _write(path: Path, template: Template, values: Mapping[str, str]) -> None:
    from ansflow_desktop.pipelines.edit import insert_step, new_pipeline
    from ansflow_desktop.pipelines.files import PipelineFile
    from ansflow_desktop.pipelines.lossless import read

    file = PipelineFile.open(path) if files.is_there(path) else None
    text = file.text if file else new_pipeline(template.name)
    for step in templates.apply(template, values, [str(one.get("name", "")) for one in read(text).steps]):
        text = insert_step(text, len(read(text).steps), step)
    if file:
        file.save(text)
    else:
        PipelineFile.create(path, text)


def _written(session: Session, path: Path) -> int:
    if session.out.is_text:
        session.out.line(msg("Written: %(path)s", path=str(path)))
    else:
        session.out.document({"path": str(path)})
    return int(ExitCode.DONE)
