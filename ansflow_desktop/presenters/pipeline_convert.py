"""From the open pipeline to other engines, and from a YAML step to a Helm chart: off the window's thread."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import Signal

from ansflow_desktop import files, paths
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg, msg_n
from ansflow_desktop.models.problem import Severity
from ansflow_desktop.presenters.base import Presenter, off_thread, unexpected
from ansflow_desktop.presenters.pipeline_editor_state import step_of
from ansflow_desktop.presenters.pipeline_editor_work import read
from ansflow_desktop.presenters.pipeline_problems import in_words
from ansflow_desktop.process import Cancel

if TYPE_CHECKING:
    from ansflow_desktop.executors.convert.prepare import Prepared
    from ansflow_desktop.models.pipeline import ExecutionContext, Pipeline, PipelineStep


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline's text as it stands in the editor; its relative paths start in `folder`."""

    text: str
    folder: str


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A form that a pipeline can be written in: `title` for people, what its file is called, whether it is run."""

    key: str
    title: str
    name: str
    program: bool = False


FORMS = (
    Form(key="bash", title="bash", name="%(name)s.sh", program=True),
    Form(key="jenkins", title="Jenkinsfile", name="Jenkinsfile"),
    Form(key="argo", title="Argo Workflow", name="%(name)s.argo.yaml"),
)


class ChartMade(msgspec.Struct, frozen=True, kw_only=True):
    """A chart that was written to `folder`: `fields` of k8s_config are to be set in step `index`, called `name`.

    `compared` objects are the same in helm's rendering and in the manifests.
    """

    index: int
    name: str
    folder: str
    fields: dict[str, Any]
    compared: int
    notices: tuple[Text, ...]


class PipelineConvert(Presenter):
    """Emits `written(path, notices)` after a conversion.

    The making of a chart ends in `chart_made(ChartMade)`, `chart_failed(UserError)`, or `chart_stopped()` where the
    person ended it.
    """

    written = Signal(str, tuple)
    chart_made = Signal(object)
    chart_failed = Signal(object)
    chart_stopped = Signal()

    def __init__(self, services: Any) -> None:
        """Keep the services; nothing is read."""
        super().__init__()
        self._services = services
        self._cancel = Cancel()

    def convert(self, key: str, path: str, document: Document) -> None:
        """Write the pipeline in the form `key` to `path`, over what is there (the dialog has asked)."""
        form = next(one for one in FORMS if one.key == key)
        self._start("convert", self._convert(form, path, document))

    async def _convert(self, form: Form, path: str, document: Document) -> None:
        notices = await off_thread(lambda: write_as(form, Path(path), document))
        self.written.emit(path, notices)

    def to_chart(self, index: int, folder: str, document: Document) -> None:
        """Write the manifests of step `index` as a chart into the new folder `folder`."""
        self._cancel = Cancel()
        self._start("chart", self._to_chart(index, folder, document, self._cancel))

    async def _to_chart(self, index: int, folder: str, document: Document, cancel: Cancel) -> None:
        try:
            made = await off_thread(lambda: make_chart(self._services, index, folder, document, cancel))
        except Exception as error:  # the dialog waits for an answer, whatever it is
            if cancel.requested:
                self.chart_stopped.emit()
            else:
                self.chart_failed.emit(error if isinstance(error, UserError) else unexpected(error))
            return
        self.chart_made.emit(made)

    def stop_chart(self) -> None:
        """Ask the making of a chart to end; nothing is left behind then."""
        self._cancel.request()

    async def close(self) -> None:
        """End what is under way."""
        self._cancel.request()
        await super().close()


# Off the window's thread


def write_as(form: Form, path: Path, document: Document) -> tuple[Text, ...]:
    """Write the pipeline to `path` and return what is to be said of it; raises UserError, nothing is written then."""
    from ansflow_desktop.executors.convert.prepare import prepare

    with _in_words(document):
        prepared = prepare(_checked(document), {})
    text = _writer(form.key)(prepared)
    files.write_atomic(path, text.encode(), mode=0o755 if form.program else 0o644)
    return tuple(prepared.notices)


@contextlib.contextmanager
def _in_words(document: Document) -> Iterator[None]:
    """Say what is wrong with the pipeline as the form says it."""
    from ansflow_desktop.pipelines.document import PipelineError

    try:
        yield
    except PipelineError as error:
        raise PipelineError(in_words(error.problems, read(document.text).steps)) from error


def _writer(key: str) -> Callable[[Prepared], str]:
    from ansflow_desktop.executors.convert.argo import to_argo
    from ansflow_desktop.executors.convert.bash import to_bash
    from ansflow_desktop.executors.convert.jenkins import to_jenkins

    return {"bash": to_bash, "jenkins": to_jenkins, "argo": to_argo}[key]


def _checked(document: Document) -> Pipeline:
    from ansflow_desktop.pipelines.codec import parse
    from ansflow_desktop.pipelines.document import PipelineError
    from ansflow_desktop.pipelines.validate import validate

    pipeline = parse(document.text, document.folder)
    errors = tuple(one for one in validate(pipeline) if one.severity is Severity.ERROR)
    if errors:
        raise PipelineError(errors)
    return pipeline


def make_chart(services: Any, index: int, folder: str, document: Document, cancel: Cancel) -> ChartMade:
    """Write the chart and return what becomes of the step; raises UserError, nothing is left behind then.

    A relative `folder` starts where the step's own paths start.
    """
    from ansflow_desktop.executors.migrate import migrate
    from ansflow_desktop.executors.planned import step_directory

    with _in_words(document):
        step, context = _step_of(document, index)
    place = _place(folder, step_directory(step, context))
    made = migrate(step, context, services.tools, place, cancel)
    changed = {name: value for name, value in made.config.items() if step.k8s_config.get(name) != value}
    return ChartMade(
        index=index, name=step.name, folder=made.folder, fields=changed, compared=made.compared, notices=made.notices
    )


def _place(folder: str, base: str) -> Path:
    try:
        return Path(base, paths.expanded(folder)) if "\0" not in folder else _no_folder(folder)
    except RuntimeError:  # a `~name` of nobody
        return _no_folder(folder)


def _no_folder(folder: str) -> Path:
    raise UserError(msg("%(path)s cannot be a folder", path=folder.replace("\0", "\\0")), field="folder")


def _step_of(document: Document, index: int) -> tuple[PipelineStep, ExecutionContext]:
    """Return a step as it is written, with where it would run; problems of other steps are theirs."""
    from ansflow_desktop.executors.checks_context import step_views
    from ansflow_desktop.pipelines.codec import examine
    from ansflow_desktop.pipelines.document import PipelineError

    found = examine(document.text, document.folder)
    wrong = tuple(problem for problem in found.problems if step_of(problem.field) in (index, None))
    if found.pipeline is None or wrong:
        raise PipelineError(wrong or found.problems)
    return found.pipeline.steps[index], step_views(found.pipeline)[index].context


def chart_folder(step: Mapping[str, Any]) -> str:
    """Return the folder that is offered for the chart of a step."""
    name = "".join(char if char.isascii() and char.isalnum() else "-" for char in str(step.get("name", "")).lower())
    return f"./charts/{name.strip('-') or 'chart'}"


def is_yaml_deploy(step: Mapping[str, Any] | None) -> bool:
    """Return whether a step (plain data) deploys YAML, so that a chart can be made of it."""
    config = step.get("k8s_config") if step else None
    return bool(step) and isinstance(config, dict) and config.get("deploy_type") == "manifest"


def file_name(form: Form, title: str) -> str:
    """Return what the file of a pipeline called `title` is called in `form`."""
    made = "".join(char if char.isalnum() or char in "-_." else "-" for char in title).strip("-.")
    return form.name % {"name": made or "pipeline"} if "%" in form.name else form.name


def said_of(made: ChartMade) -> tuple[Text, ...]:
    """Return what is to be known of a chart that was made."""
    same = msg_n(
        "%(count)s object was compared: helm renders the same as the manifest.",
        "%(count)s objects were compared: helm renders the same as the manifests.",
        made.compared,
    )
    return (msg("The chart lies in %(folder)s. Undo brings the step back.", folder=made.folder), same, *made.notices)
