"""What steps on single objects share: reading the cluster before and after, running kubectl, the step's deadline."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeAlias, TypeVar

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import kubectl_said
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.kubectl import Kubectl
from ansflow_desktop.executors.outcome import said_by
from ansflow_desktop.executors.planned import step_directory
from ansflow_desktop.executors.step_run import run_command, step_folder
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.kube import sync
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.models.command import Command, KubeTarget, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep
from ansflow_desktop.models.run import Health, Phase, ResourceChanged
from ansflow_desktop.process import Cancel, ProcessResult
from ansflow_desktop.tools import require_kubectl

T = TypeVar("T")
Reading: TypeAlias = Callable[[ClusterClient], Awaitable[T]]

CALL_S = 30
OVER_S = 15.0  # how long kubectl may outlive its own --timeout before it is stopped (row 23)
PAUSE_S = 1.0
_READ_S = 10.0
_READ_AGAIN_S = 15.0


def kubectl_of(step: PipelineStep, context: ExecutionContext, tools: ToolSet, target: KubeTarget) -> Kubectl:
    """Return kubectl bound to the step's directory, environment and cluster; raises UserError where there is none."""
    return Kubectl(tool=require_kubectl(tools), target=target, directory=step_directory(step, context), env=step.env)


def call(kubectl: Kubectl, words: tuple[str, ...], namespace: str, purpose: str) -> Command:
    """Return a short kubectl call: it ends by itself when the server does not answer."""
    where = (*_inside(namespace), f"--request-timeout={CALL_S}s")
    return kubectl.command((*words, *where), purpose, limit=CALL_S + OVER_S)


def waiting(kubectl: Kubectl, words: tuple[str, ...], namespace: str, seconds: float, purpose: str) -> Command:
    """Return a kubectl call that waits at most `seconds`: by its timeout, by each request's, and from outside."""
    timeout = f"{max(1, round(seconds))}s"
    where = (*_inside(namespace), f"--timeout={timeout}", f"--request-timeout={max(1, round(seconds)) + 10}s")
    return kubectl.command((*words, *where), purpose, limit=max(1.0, seconds) + OVER_S)


def _inside(namespace: str) -> tuple[str, ...]:
    """Return the namespace's flag; none where the namespace itself is the object (kubectl would warn)."""
    return ("--namespace", namespace) if namespace else ()


class ObjectWork:
    """One step on single objects under way: how it reads the cluster, runs kubectl, and how much time is left."""

    def __init__(
        self,
        step: PipelineStep,
        context: ExecutionContext,
        scope: RunScope,
        document: dict[str, Any],
        seconds: float,
    ) -> None:
        """Prepare kubectl with a private kubeconfig; `seconds` is the step's own timeout. Raises UserError."""
        self.step, self.context, self.scope, self.document = step, context, scope, document
        self.namespace = step.k8s_namespace
        target = scope.clusters.private_target(step.k8s_cluster, step_folder(step, scope))
        self.kubectl = kubectl_of(step, context, scope.tools, target)
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until the step's own timeout, 0 once it has passed."""
        return max(0.0, self._end - time.monotonic())

    def read(self, reading: Reading[T]) -> T:
        """Return what `reading` learns from the cluster; raises UserError (3 unreachable, 4 forbidden)."""
        return sync.run(_opened(self.document, reading))

    def read_again(self, reading: Reading[T]) -> T:
        """Read until the cluster answers, for 15 s; a second cancel ends the waiting. Raises UserError."""
        end = time.monotonic() + _READ_AGAIN_S
        while True:
            try:
                return self.read(reading)
            except UserError as error:
                if error.code is not ExitCode.UNREACHABLE or self.scope.cancel.forced or time.monotonic() > end:
                    raise
            time.sleep(PAUSE_S)

    def run(self, command: Command, cancel: Cancel | None = None) -> ProcessResult:
        """Run `command`, told and shown, to its end; `cancel` ends this command alone."""
        return run_command(command, self.step, self.scope, cancel=cancel)

    def notice(self, level: str, message: Message) -> None:
        """Tell something to the user."""
        self.scope.notice(self.step.name, level, message)

    def changed(
        self, kind: str, namespace: str, name: str, health: Health, message: Text = "", owner: str = ""
    ) -> None:
        """Tell what an object is like now; `owner` is `kind/name` of what controls it."""
        self.scope.emit(
            ResourceChanged(
                time=time.time(),
                run=self.scope.run_id,
                step=self.step.name,
                kind=kind,
                namespace=namespace,
                name=name,
                health=health,
                message=message,
                owner=owner,
            )
        )

    def ended(self, phase: Phase, message: Text, hint: Text = "", result: ProcessResult | None = None) -> StepResult:
        """Return the step's result; the context goes on unchanged."""
        code = result.exit_code if result else None
        return StepResult(phase=phase, context=self.context, exit_code=code, message=message, hint=hint)

    def unknown(self, error: UserError, result: ProcessResult | None = None) -> StepResult:
        """Return the result of a step after which the cluster could not be read."""
        reason = msg("%(title)s: %(message)s", title=error.title, message=error.message) if error.message else None
        return self.ended(
            Phase.UNKNOWN,
            msg("It is not known how the objects are now: %(reason)s", reason=reason or error.title),
            msg("When the cluster answers again, look at the objects before you run this step again."),
            result,
        )


def refuse(result: ProcessResult) -> None:
    """Raise UserError where kubectl says that nothing could be done at all: 3 refused credentials, 4 forbidden."""
    if kubectl_said.refused(result.stderr):
        _raise(msg("The cluster refuses the credentials"), result, msg("Renew them."), ExitCode.UNREACHABLE)
    if kubectl_said.forbidden(result.stderr):
        hint = msg("Ask the cluster's administrator for the right, or use another user.")
        _raise(msg("This is not allowed"), result, hint, ExitCode.FORBIDDEN)


def _raise(title: Message, result: ProcessResult, hint: Message, code: ExitCode) -> NoReturn:
    raise UserError(title, said_by(result), hint, field="k8s_cluster", code=code)


def not_allowed(verb: str, what: str, namespace: str) -> UserError:
    """Return the error for a right that the user lacks, found before anything ran (exit code 4)."""
    words = msg("Your account may not %(verb)s %(what)s in namespace %(namespace)s.", verb=verb, what=what,
                namespace=namespace)  # fmt: skip
    hint = msg("Ask the cluster's administrator for the right, or use another user.")
    return UserError(msg("This is not allowed"), words, hint, field="k8s_cluster", code=ExitCode.FORBIDDEN)


async def _opened(document: dict[str, Any], reading: Reading[T]) -> T:
    async with ClusterClient(document, timeout=_READ_S) as client:
        return await reading(client)


def joined(names: list[str], most: int = 20) -> str:
    """Return names for a sentence, at most `most` of them."""
    shown = ", ".join(names[:most])
    return f"{shown}, …" if len(names) > most else shown
