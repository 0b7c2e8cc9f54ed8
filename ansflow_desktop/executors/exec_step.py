"""Runs `k8s_exec`: a command in a container; its exit code is what the stream's final Status says (row 6).

The step's `env` does not reach the container: it is for programs on this machine (write `env NAME=value command`).
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.exec_output import IDLE_S, Kept, LineText, fits, with_output
from ansflow_desktop.executors.exec_target import check_target, kubectl_command, stopped_by
from ansflow_desktop.executors.planned import CONFIG, StepPlan
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.kube import sync
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.exec import Ended, ExecEnd, ExecPlace, run_in_pod
from ansflow_desktop.kube.fields import mapping, text
from ansflow_desktop.kube.pick import (
    Pod,
    PodTarget,
    container_status,
    containers_of,
    find_pods,
    name_of,
    pick_container,
    pod_state,
    ready_pod,
)
from ansflow_desktop.models.command import Command, KubeTarget, ToolSet
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.pipeline import Exec, ExecutionContext, PipelineStep
from ansflow_desktop.models.run import CommandStarted, Phase

_PRACTICE_POLICY = "practice-nodes-run-nothing"  # resources/practice/no-exec.json
_MAY_RUN = msg("The command may still run in the container: closing the connection does not end it.")


class _Picked(msgspec.Struct, frozen=True, kw_only=True):
    place: ExecPlace
    notices: tuple[Message, ...] = ()


def plan_exec(
    step: PipelineStep,
    config: Exec,
    context: ExecutionContext,
    tools: ToolSet,
    target: KubeTarget,
    folder: object = None,
) -> StepPlan:
    """Return the equivalent `kubectl exec`, and what is picked when the step runs; raises UserError naming a field."""
    del folder
    found, argv = check_target(step, config), command_words(config)
    seconds = parse_duration(config.timeout, f"{CONFIG}.timeout")
    commands = []
    notices: list[Message] = []
    if found.selector:
        words = ("get", "pods", f"--selector={found.selector}")
        commands.append(kubectl_command(words, ("--output=name",), step, context, tools, target))
    if not found.is_pod:
        notices.append(msg("A ready pod of %(object)s is picked when the step runs.", object=found.label))
    named = found.label if found.name else "pod/POD"
    commands.append(_shown(named, config.container, argv, step, context, tools, target))
    return StepPlan(commands=tuple(commands), notices=tuple(notices), namespace=step.k8s_namespace, timeout=seconds)


def command_words(config: Exec) -> tuple[str, ...]:
    """Return the command as arguments: a list as it is, a text by `sh -c`; raises UserError where there is none."""
    words = config.command if isinstance(config.command, tuple) else ("sh", "-c", config.command)
    empty = not words or not words[0] or (isinstance(config.command, str) and not config.command.strip())
    if empty or any("\0" in word for word in words):
        raise UserError(
            msg("There is no command to run") if empty else msg("The command holds a NUL character"),
            hint=msg("Write a text for sh -c, or a list of arguments."),
            field=f"{CONFIG}.command",
        )
    return words


def _shown(
    named: str,
    container: str,
    argv: tuple[str, ...],
    step: PipelineStep,
    context: ExecutionContext,
    tools: ToolSet,
    where: KubeTarget,
) -> Command:
    words = ("exec", named, *((f"--container={container}",) if container else ()))
    return kubectl_command(words, ("--", *argv), step, context, tools, where)


def run_exec(
    step: PipelineStep, config: Exec, context: ExecutionContext, scope: RunScope, document: dict[str, Any]
) -> StepResult:
    """Run the command and return its own exit code; raises UserError where nothing was started.

    That is for bad input (2), a cluster that cannot be reached (3), missing rights (4), and no pod to enter (1).
    """
    found, argv = check_target(step, config), command_words(config)
    seconds = parse_duration(config.timeout, f"{CONFIG}.timeout")
    run = _Run(step, config, context, scope)
    try:
        return sync.run(run.carry_out(document, found, argv, seconds))
    except UserError as error:
        if _PRACTICE_POLICY in str(error.message):
            error.hint = msg("To allow it: ansflow-desktop practice start --exec-on-this-machine")
        raise


class _Run:
    """One exec step under way."""

    def __init__(self, step: PipelineStep, config: Exec, context: ExecutionContext, scope: RunScope) -> None:
        self._step, self._config, self._context, self._scope = step, config, context, scope
        self._kept = Kept()
        self._lines = {
            "stdout": LineText(lambda text: scope.output(step.name, "stdout", text)),
            "stderr": LineText(lambda text: scope.output(step.name, "stderr", text)),
        }
        self._flush: asyncio.TimerHandle | None = None

    async def carry_out(
        self, document: dict[str, Any], target: PodTarget, argv: tuple[str, ...], seconds: float
    ) -> StepResult:
        with stopped_by(self._scope.cancel) as stop:
            picked = await pick_place(document, self._step.k8s_namespace, target, self._config.container)
            for notice in picked.notices:
                self._scope.notice(self._step.name, "info", notice)
            if stop.is_set():
                return self._result(Phase.CANCELLED, msg("Cancelled. Nothing was started."))
            self._tell(picked.place, argv)
            end = await self._bounded(document, picked.place, argv, stop, seconds)
        return self._ended(end, argv, picked.place)

    async def _bounded(
        self, document: dict[str, Any], place: ExecPlace, argv: tuple[str, ...], stop: asyncio.Event, seconds: float
    ) -> ExecEnd:
        timer = asyncio.get_running_loop().call_later(seconds, stop.set)
        try:
            return await run_in_pod(document, place, argv, self._on_bytes, stop)
        finally:
            timer.cancel()
            if self._flush:
                self._flush.cancel()
            for lines in self._lines.values():
                lines.feed(b"", final=True)

    def _tell(self, place: ExecPlace, argv: tuple[str, ...]) -> None:
        where = self._scope.clusters.user_target(self._step.k8s_cluster)
        shown = _shown(f"pod/{place.pod}", place.container, argv, self._step, self._context, self._scope.tools, where)
        words = tuple(self._scope.redact(word) for word in shown.argv)
        self._scope.emit(
            CommandStarted(time=time.time(), run=self._scope.run_id, step=self._step.name, argv=words, cwd=shown.cwd)
        )

    def _on_bytes(self, stream: str, data: bytes) -> None:
        if stream == "stdout" and self._config.output:
            self._kept.add(data)
        self._lines[stream].feed(data)
        if self._flush:
            self._flush.cancel()
        self._flush = asyncio.get_running_loop().call_later(IDLE_S, self._show_rest)

    def _show_rest(self) -> None:
        for lines in self._lines.values():
            lines.flush()

    def _ended(self, end: ExecEnd, argv: tuple[str, ...], place: ExecPlace) -> StepResult:
        if end.how is Ended.EXITED:
            return self._succeeded() if end.exit_code == 0 else self._failed(end, argv)
        if end.how is Ended.STOPPED:
            return self._stopped()
        if end.how is Ended.REFUSED:
            return self._refused(end, argv, place)
        return self._lost(end, place)

    def _succeeded(self) -> StepResult:
        name = self._config.output
        if not name:
            return self._result(Phase.SUCCEEDED, "", exit_code=0)
        if not self._kept.whole or not fits(name, self._kept.text):
            message = msg("%(name)s is longer than the 128 KiB that a program can be given", name=name)
            return self._result(Phase.FAILED, message, msg("Write less to stdout."), exit_code=0)
        if "\0" in self._kept.text:
            message = msg("The output for %(name)s holds a NUL character", name=name)
            return self._result(Phase.FAILED, message, exit_code=0)
        following = with_output(self._context, name, self._kept.text)
        return StepResult(phase=Phase.SUCCEEDED, context=following, exit_code=0)

    def _failed(self, end: ExecEnd, argv: tuple[str, ...]) -> StepResult:
        code = end.exit_code or 0
        message = msg("The command ended with exit code %(code)s", code=code)
        return self._result(Phase.FAILED, message, _advice(code, argv), exit_code=code)

    def _stopped(self) -> StepResult:
        if self._scope.cancel.requested:
            return self._result(Phase.CANCELLED, msg("Cancelled. %(note)s", note=_MAY_RUN))
        message = msg(
            "The command did not end within %(timeout)s. %(note)s", timeout=self._config.timeout, note=_MAY_RUN
        )
        hint = msg("Give it a longer timeout, or look at it in the container.")
        return msgspec.structs.replace(self._result(Phase.FAILED, message, hint), repeatable=False)

    def _refused(self, end: ExecEnd, argv: tuple[str, ...], place: ExecPlace) -> StepResult:
        what = msg("The command could not be started in %(where)s", where=f"{place.pod}/{place.container}")
        hint: Text = ""
        lowered = end.message.lower()
        if "executable file not found" in lowered or "no such file or directory" in lowered:
            what = msg("The container %(container)s has no program %(name)s", container=place.container, name=argv[0])
            hint = msg("Correct the command, or choose another container; a text command needs sh in the container.")
        elif "permission denied" in lowered or "exec format error" in lowered:
            what = msg("%(name)s cannot be run in the container %(container)s", name=argv[0], container=place.container)
        message = msg("%(title)s: %(reason)s", title=what, reason=end.message) if end.message else what
        return self._result(Phase.FAILED, message, hint)

    def _lost(self, end: ExecEnd, place: ExecPlace) -> StepResult:
        what = msg("The connection was lost before the command's exit code came")
        if end.message:
            what = msg("%(title)s: %(reason)s", title=what, reason=end.message)
        message = msg("%(what)s. It is not known whether the command ended, or how.", what=what)
        hint = msg("Look in pod %(pod)s what it did before you run it again.", pod=place.pod)
        return self._result(Phase.UNKNOWN, message, hint)

    def _result(self, phase: Phase, message: Text, hint: Text = "", exit_code: int | None = None) -> StepResult:
        return StepResult(phase=phase, context=self._context, exit_code=exit_code, message=message, hint=hint)


def _advice(code: int, argv: tuple[str, ...]) -> Text:
    """Return what the shells' and kernels' usual codes mean."""
    if code == 127:
        return msg("127 usually means that a command was not found in the container.")
    if code == 126:
        return msg("126 usually means that a command was found but may not be run.")
    if code == 137:
        return msg("137 means that it was killed: the container ended, or ran out of memory.")
    return ""


async def pick_place(document: dict[str, Any], namespace: str, target: PodTarget, container: str) -> _Picked:
    """Return the pod and container to enter, and what was chosen for the user; raises UserError where there is none."""
    async with ClusterClient(document) as client:
        pod = ready_pod(await find_pods(client, namespace, target), target, namespace)
    name = pick_container(pod, container)
    _require_running(pod, name)
    notices = [] if target.is_pod else [msg("Picked pod %(pod)s of %(object)s.", pod=name_of(pod), object=target.label)]
    names = containers_of(pod)
    if not container and len(names) > 1:
        notices.append(msg("Container %(name)s is used; there are: %(names)s.", name=name, names=", ".join(names)))
    return _Picked(place=ExecPlace(namespace=namespace, pod=name_of(pod), container=name), notices=tuple(notices))


def _require_running(pod: Pod, container: str) -> None:
    """Raise UserError where nothing can be entered: the pod does not run, or this container of it does not."""
    phase = text(mapping(pod, "status"), "phase")
    if phase != "Running":
        title = msg("Pod %(pod)s does not run", pod=name_of(pod))
        raise _not_there(title, msg("It is %(state)s.", state=pod_state(pod)))
    state = mapping(container_status(pod, container), "state")
    if state and not mapping(state, "running") and "running" not in state:
        title = msg("Container %(name)s of pod %(pod)s does not run", name=container, pod=name_of(pod))
        raise _not_there(title, msg("The pod is %(state)s.", state=pod_state(pod)))


def _not_there(title: Message, words: Message) -> UserError:
    hint = msg("Wait until it is ready, with a k8s_wait step, or look at its logs.")
    return UserError(title, words, hint, field="k8s_resource_name", code=ExitCode.FAILED)
