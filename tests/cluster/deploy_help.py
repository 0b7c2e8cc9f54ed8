"""What the deploy tests share: one step run by the real executor, and small charts."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.kubernetes import KubernetesStepExecutor
from ansflow_desktop.kube.approvals import Approvals
from ansflow_desktop.kube.catalog import ClusterCatalog
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType
from ansflow_desktop.models.run import CommandStarted, Notice, Output, ResourceChanged
from ansflow_desktop.process import Cancel

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: 1
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      nodeSelector: {{ toJson .Values.nodeSelector }}
      containers: [{name: main, image: nginx}]
"""
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-{{ .Chart.Name }}}
data: {greeting: {{ .Values.greeting | quote }}}
"""
HELM_4 = pytest.mark.parametrize("helm", ["helm4"], indirect=True)  # where the version makes no difference
NO_NODE = '{"kubernetes.io/hostname": "nowhere"}'


def make_chart(folder: Path, name: str = "web", **templates: str) -> Path:
    """Write a small chart: a ConfigMap, and the templates given as name to text."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text("greeting: hello\nnodeSelector: {}\n")
    for key, text in {"config": CONFIG_MAP, **templates}.items():
        (folder / "templates" / f"{key}.yaml").write_text(text)
    return folder


class Deployer:
    """Runs `k8s_deploy` steps on one cluster and keeps what was said."""

    def __init__(self, kubeconfig: Path, tools, folder: Path, namespace: str, cluster: str = "practice") -> None:
        self.catalog = ClusterCatalog((kubeconfig,), Approvals(folder / "approvals.json"), folder / "none")
        self.tools, self.folder, self.namespace, self.cluster = tools, folder, namespace, cluster
        self.events: list = []
        self.cancel = Cancel()
        self.changed = threading.Condition()

    def run(self, folder: Path | str, /, **config) -> StepResult:
        """Deploy from the working directory `folder`; `config` is k8s_config (Helm mode unless it says otherwise)."""
        step = PipelineStep(
            name="deploy",
            type=StepType.K8S_DEPLOY,
            k8s_cluster=self.cluster,
            k8s_namespace=self.namespace,
            k8s_config={"deploy_type": "helm", **config},
        )
        return self.carry_out(step, str(folder))

    def carry_out(self, step: PipelineStep, directory: str) -> StepResult:
        """Run any step from `directory`, keeping what is said."""
        self.events = []
        (self.folder / "run").mkdir(exist_ok=True)
        scope = RunScope(
            run_id="test",
            emit=self._emit,
            cancel=self.cancel,
            tools=self.tools,
            clusters=self.catalog,
            folder=self.folder / "run",
            redact=lambda text: text,
        )
        context = ExecutionContext(working_directory=directory)
        return KubernetesStepExecutor(self.catalog.document).execute(step, context, scope)

    def start(self, folder: Path, /, **config) -> threading.Thread:
        """Run in a thread; the result is in `result` after its end."""

        def work() -> None:
            self.result = self.run(folder, **config)

        thread = threading.Thread(target=work)
        thread.start()
        return thread

    def _emit(self, event) -> None:
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def wait_for(self, wanted, seconds: float = 30) -> None:
        """Wait until an event satisfies `wanted`."""
        with self.changed:
            assert self.changed.wait_for(lambda: any(wanted(event) for event in self.events), seconds), self.events

    def of(self, kind: type) -> list:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def argvs(self) -> list[tuple[str, ...]]:
        return [event.argv for event in self.of(CommandStarted)]

    @property
    def output(self) -> str:
        return "".join(event.text for event in self.of(Output))

    def notices(self, level: str) -> list[str]:
        return [str(event.message) for event in self.of(Notice) if event.level == level]

    def saw(self, kind: str) -> set[str]:
        return {event.name for event in self.of(ResourceChanged) if event.kind == kind}


def is_pending_pod(event) -> bool:
    """True for a pod that no node takes."""
    return isinstance(event, ResourceChanged) and event.kind == "Pod"


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder` with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
