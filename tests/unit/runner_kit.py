"""What the tests of whole runs share: a runner with real shells and a scripted Kubernetes executor."""

from __future__ import annotations

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.context import StepResult
from ansflow_desktop.executors.runner import PipelineRunner
from ansflow_desktop.executors.shell import ShellStepExecutor
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import Pipeline, PipelineStep, StepType
from ansflow_desktop.models.run import Notice, Output, Phase, StepFinished
from ansflow_desktop.paths import Directories
from ansflow_desktop.process import Cancel
from ansflow_desktop.store.journal import Journal


class Scripted:
    """Stands for the Kubernetes executor: does what the step's release name says."""

    def __init__(self):
        self.steps = []
        self.behaviour = {}
        self.folders = []

    def execute(self, step, context, scope):
        self.steps.append(step)
        self.folders.append((scope.folder, scope.folder.stat().st_mode & 0o777))
        act = self.behaviour.get(step.name)
        return act(step, context, scope) if act else StepResult(phase=Phase.SUCCEEDED, context=context)


class Clusters:
    """A cluster `dev` with a token."""

    def document(self, name):
        if name != "dev":
            raise UserError(msg("Unknown"))
        return {"users": [{"user": {"token": "very-secret-token"}}]}


class World:
    def __init__(self, tmp_path):
        self.directories = Directories(data=tmp_path / "data", tools=tmp_path / "tools")
        self.folder = tmp_path / "my 流水线"
        self.folder.mkdir()
        self.journal = Journal(self.directories.database)
        self.kubernetes = Scripted()
        self.events = []
        self.cancel = Cancel()
        self.on_event = lambda event: None

    def runner(self, journal=None):
        executors = {StepType.SHELL: ShellStepExecutor(), StepType.K8S_DEPLOY: self.kubernetes}
        return PipelineRunner(executors, journal or self.journal, ToolSet(), Clusters(), self.directories)

    def emit(self, event):
        self.events.append(event)
        self.on_event(event)

    def run(self, *steps, journal=None, variables=None, given=None, literal=False, **options):
        self.events.clear()
        pipeline = Pipeline(name="p", steps=steps, variables=variables or {}, folder=str(self.folder), literal=literal)
        return self.runner(journal).run(pipeline, self.emit, self.cancel, variables=given or {}, **options)

    def finished(self):
        return {event.step: event for event in self.events if isinstance(event, StepFinished)}

    def phases(self):
        return {name: event.phase for name, event in self.finished().items()}

    def notices(self):
        return [str(event.message) for event in self.events if isinstance(event, Notice)]

    def text(self):
        return "".join(event.text for event in self.events if isinstance(event, Output))


def shell(name, command="true", **fields):
    return PipelineStep(name=name, type=StepType.SHELL, command=command, **fields)


def deploy(name, **fields):
    config = {"deploy_type": "helm", "chart_name": "x", **fields.pop("config", {})}
    return PipelineStep(name=name, type=StepType.K8S_DEPLOY, k8s_cluster="dev", k8s_config=config, **fields)


def raising(error):
    def act(*_):
        raise error

    return act


def returning(phase, **fields):
    return lambda step, context, scope: StepResult(phase=phase, context=context, **fields)
