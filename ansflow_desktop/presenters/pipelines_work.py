"""What the list of pipelines does off the window's thread: reading, copying, renaming, removing, importing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.presenters.pipeline_editor_state import unique
from ansflow_desktop.presenters.pipeline_editor_work import NEW_DRAFT, PIPELINE, STEP, item_of, read
from ansflow_desktop.presenters.pipelines_state import PipelineRow

_USUAL = ("pipeline.yaml", "pipeline.yml", "ansflow.yaml", "ansflow.yml")
_LOOKED_AT = 200
_MAX_BYTES = 1_000_000
_MAX_IMPORT = 20_000_000


def rows(services: Any) -> tuple[PipelineRow, ...]:
    """Return the drafts without a home, the library's pipelines, and the files opened lately; raises UserError."""
    kept = {draft.key: draft for draft in services.drafts.all()}
    new = [_draft_row(draft) for key, draft in kept.items() if key.startswith(NEW_DRAFT)]
    library = [_library_row(item, kept) for item in items(services, PIPELINE)]
    files = [_file_row(path, kept) for path in services.settings.recent_pipelines]
    return (*new, *library, *files)


def items(services: Any, kind: str) -> tuple[Any, ...]:
    """Return the library's items of a kind; a look alone makes no database. Raises UserError."""
    return tuple(services.library.items(kind)) if services.directories.database.exists() else ()


def _draft_row(draft: Any) -> PipelineRow:
    document = read(draft.text)
    return PipelineRow(
        kind="draft",
        key=draft.key,
        name=document.name or str(msg("pipeline")),
        where=msg("Not saved yet"),
        steps=None if document.problem else len(document.steps),
        updated=draft.saved,
        draft=True,
    )


def _library_row(item: Any, drafts: Mapping[str, Any]) -> PipelineRow:
    document = read(item.document)
    return PipelineRow(
        kind="library",
        key=item.name,
        name=item.name,
        description=document.description,
        where=msg("Library"),
        steps=None if document.problem else len(document.steps),
        updated=item.updated,
        draft=f"library:{item.name}" in drafts,
        origin=item.origin,
    )


def _file_row(path: str, drafts: Mapping[str, Any]) -> PipelineRow:
    from ansflow_desktop.pipelines.document import read_text

    file, draft = Path(path), f"file:{path}" in drafts
    try:
        text, updated = read_text(file), file.stat().st_mtime
    except (UserError, OSError):
        problem = msg("The file cannot be read")
        return PipelineRow(kind="file", key=path, name=file.name, where=path, draft=draft, problem=problem)
    document = read(text)
    return PipelineRow(
        kind="file",
        key=path,
        name=document.name or file.name,
        description=document.description,
        where=path,
        steps=None if document.problem else len(document.steps),
        updated=updated,
        draft=draft,
    )


def free_name(services: Any, wanted: str) -> str:
    """Return `wanted`, or with a number behind it, so that no pipeline of the library bears it; raises UserError."""
    return unique(wanted, {item.name for item in items(services, PIPELINE)})


def rename(services: Any, row: PipelineRow, name: str) -> None:
    """Give a pipeline of the library the name `name`, in its text too; raises UserError."""
    from ansflow_desktop.pipelines import edit

    library = services.library
    item = item_of(library, PIPELINE, row.key)
    text = edit.set_field(item.document, ("metadata", "name"), name)
    moved = library.rename(PIPELINE, row.key, name, item.updated)
    library.save(PIPELINE, name, text, item.folder, item.origin, moved.updated)


def duplicate(services: Any, row: PipelineRow) -> str:
    """Put a copy of a pipeline into the library under a free name and return that name; raises UserError."""
    from ansflow_desktop.pipelines import edit
    from ansflow_desktop.pipelines.document import read_text

    folder, origin = "", "user"
    if row.kind == "library":
        item = item_of(services.library, PIPELINE, row.key)
        text, folder, origin = item.document, item.folder, item.origin
    elif row.kind == "file":
        text, folder = read_text(Path(row.key)), str(Path(row.key).parent)
    else:
        text = services.drafts.read(row.key).text
    name = free_name(services, row.name)
    services.library.save(PIPELINE, name, edit.set_field(text, ("metadata", "name"), name), folder, origin)
    return name


def remove(services: Any, row: PipelineRow) -> None:
    """Take a pipeline out: of the library for good, a file out of the list alone; its draft goes. Raises UserError."""
    if row.kind == "library":
        services.library.remove(PIPELINE, row.key)
    elif row.kind == "file":
        services.save_settings(services.settings.without_pipeline(row.key))
    services.drafts.remove(row.key if row.kind == "draft" else row.id)


def pipelines_in(folder: str) -> tuple[str, ...]:
    """Return the pipeline files that lie in `folder` itself, the usual names first; raises UserError for none."""
    place = Path(folder)
    try:
        entries = sorted(one for one in place.iterdir() if one.suffix in (".yaml", ".yml"))[:_LOOKED_AT]
        found = [one for one in entries if one.is_file() and _is_pipeline(one)]
    except OSError as error:
        raise UserError(
            msg("The folder cannot be read: %(path)s", path=folder), error.strerror or str(error)
        ) from error
    if not found:
        raise UserError(
            msg("There is no pipeline in %(folder)s", folder=folder),
            "",
            msg(
                "A pipeline file is YAML with the line: kind: Pipeline. Make one here with New, or open another folder."
            ),
        )
    found.sort(key=lambda one: (_USUAL.index(one.name) if one.name in _USUAL else len(_USUAL), one.name))
    return tuple(str(one) for one in found)


def _is_pipeline(file: Path) -> bool:
    if file.stat().st_size > _MAX_BYTES:
        return False
    text = file.read_text(encoding="utf-8", errors="replace")
    return "ansflow.dev/" in text and "Pipeline" in text


def read_import(path: str) -> str:
    """Return the text of an AnsFlow JSON file; raises UserError where it cannot be read or is too large."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_IMPORT + 1)
    except OSError as error:
        raise UserError(msg("The file cannot be read: %(path)s", path=path), error.strerror or str(error)) from error
    if len(data) > _MAX_IMPORT:
        raise UserError(msg("The file is larger than %(limit)s bytes", limit=_MAX_IMPORT), path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(msg("The file is not UTF-8 text"), path) from error


def import_document(text: str, clusters: Mapping[int | str, str]) -> Any:
    """Return what an AnsFlow JSON document holds, its clusters named by `clusters`; raises UserError."""
    from ansflow_desktop.pipelines import ansflow

    return ansflow.import_document(text, clusters)


def export(path: str, text: str) -> None:
    """Write a pipeline as AnsFlow's JSON to the file `path`; raises UserError."""
    from ansflow_desktop.pipelines import ansflow
    from ansflow_desktop.pipelines.files import PipelineFile

    PipelineFile.create(path, ansflow.export_pipeline(text), overwrite=True)


def keep_import(services: Any, imported: Any) -> tuple[tuple[str, ...], int]:
    """Put imported pipelines and steps into the library; return the pipelines' names and the number of steps."""
    from ansflow_desktop.pipelines import edit

    names: list[str] = []
    for wanted, text in imported.pipelines:
        name = free_name(services, wanted or "pipeline")
        named = text if name == wanted else edit.set_field(text, ("metadata", "name"), name)
        services.library.save(PIPELINE, name, named, "", "import")
        names.append(name)
    for step in imported.steps:
        keep_step(services, step, "import")
    return tuple(names), len(imported.steps)


def keep_step(services: Any, step: Any, origin: str = "user") -> str:
    """Put an AtomicStep into the library under a free name and return that name; raises UserError."""
    from ansflow_desktop.pipelines import atomic

    library = services.library
    name = unique(step.name, {item.name for item in library.items(STEP)})
    library.save(STEP, name, as_text({**atomic.atomic_document(step), "name": name}), "", origin)
    return name


def as_text(document: Mapping[str, Any]) -> str:
    """Return a document as YAML text that reads the same."""
    import yaml

    return str(yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False))


def library_steps(services: Any) -> tuple[Any, ...]:
    """Return the library's steps (LibraryItem); raises UserError."""
    return items(services, STEP)


def library_step(services: Any, name: str) -> Mapping[str, Any]:
    """Return a step of the library as a pipeline file has it; raises UserError."""
    from ansflow_desktop import safe_yaml
    from ansflow_desktop.pipelines import atomic

    item = item_of(services.library, STEP, name)
    document: Any = safe_yaml.load(item.document)
    step: Mapping[str, Any] = atomic.to_pipeline_step(atomic.atomic_from(document))
    return step
