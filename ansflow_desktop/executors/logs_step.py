"""Runs `k8s_logs`: the log of a pod or of all pods of a workload or selector, once or followed until a pattern or time.

`until` means following, with or without `follow`. Secrets are masked in what is shown; the file (mode 0600) and the
variable hold the text as it is, as a shell step's do.
"""

from __future__ import annotations

import asyncio
import functools
import re
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.exec_output import with_output
from ansflow_desktop.executors.exec_target import check_target, kubectl_command, stopped_by
from ansflow_desktop.executors.logs_sink import LogFile, Sink, Tail, check_file
from ansflow_desktop.executors.planned import CONFIG, StepPlan, step_directory
from ansflow_desktop.helm.find import absolute
from ansflow_desktop.i18n import Message, Text, msg, msg_n
from ansflow_desktop.kube import sync
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.fields import mapping, text
from ansflow_desktop.kube.logs import LogRequest
from ansflow_desktop.kube.logs_follow import LogSession, PodLog
from ansflow_desktop.kube.pick import PodTarget, containers_of, find_pods, name_of, no_pods, pick_container
from ansflow_desktop.models.command import Command, KubeTarget, ToolSet
from ansflow_desktop.models.duration import parse_duration
from ansflow_desktop.models.pipeline import ExecutionContext, Logs, PipelineStep
from ansflow_desktop.models.run import CommandStarted, Phase
from ansflow_desktop.pipelines.patterns import search_problem

MOST_FOLLOWED = 50


class LogsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """A `k8s_logs` configuration, checked: durations in seconds, the pattern compiled, the file's absolute path."""

    target: PodTarget
    seconds: float
    since: float | None
    until: re.Pattern[str] | None
    follow: bool
    path: str


def check_logs(step: PipelineStep, config: Logs, context: ExecutionContext) -> LogsWanted:
    """Return what the step asks for; raises UserError naming the field at fault."""
    target = check_target(step, config)
    follow = config.follow or bool(config.until)
    if follow and config.previous:
        raise UserError(
            msg("The log of an earlier run cannot be followed"),
            hint=msg("Give either previous or follow (until means following)."),
            field=f"{CONFIG}.previous",
        )
    if config.tail_lines is not None and config.tail_lines < 0:
        raise UserError(
            msg("tail_lines is below zero"), hint=msg("Leave it out for all."), field=f"{CONFIG}.tail_lines"
        )
    return LogsWanted(
        target=target,
        seconds=parse_duration(config.timeout, f"{CONFIG}.timeout"),
        since=parse_duration(config.since, f"{CONFIG}.since") if config.since else None,
        until=_pattern(config.until),
        follow=follow,
        path=absolute(config.to_file, step_directory(step, context)) if config.to_file else "",
    )


def _pattern(written: str) -> re.Pattern[str] | None:
    try:
        endless = search_problem(written) if written else None
        if endless:
            title = msg("%(text)s cannot be searched for: %(reason)s", text=written, reason=endless)
            raise UserError(title, "", msg("Write it more simply."), field=f"{CONFIG}.until")
        return re.compile(written) if written else None
    except (re.error, RecursionError, OverflowError) as error:
        raise UserError(
            msg("%(text)s is no regular expression", text=written),
            str(error),
            msg("Correct the pattern; put a backslash before a character that is meant as it is."),
            field=f"{CONFIG}.until",
        ) from error


def plan_logs(
    step: PipelineStep,
    config: Logs,
    context: ExecutionContext,
    tools: ToolSet,
    target: KubeTarget,
    folder: object = None,
) -> StepPlan:
    """Return the equivalent `kubectl logs`, and what it cannot do; raises UserError naming a field."""
    del folder
    wanted = check_logs(step, config, context)
    notices: list[Text] = []
    problem = check_file(wanted.path) if wanted.path else None
    if problem:
        notices.append(msg("%(title)s. %(hint)s", title=problem.title, hint=problem.hint))
    if wanted.follow:
        notices.append(_ends(config))
    command = _shown(step, config, wanted, context, tools, target)
    return StepPlan(commands=(command,), notices=tuple(notices), namespace=step.k8s_namespace, timeout=wanted.seconds)


def _ends(config: Logs) -> Message:
    if config.until:
        return msg(
            "Followed until %(until)s is in a line; fails after %(time)s.", until=config.until, time=config.timeout
        )
    return msg("Followed for %(time)s, or until its pods have ended.", time=config.timeout)


def _shown(
    step: PipelineStep,
    config: Logs,
    wanted: LogsWanted,
    context: ExecutionContext,
    tools: ToolSet,
    where: KubeTarget,
) -> Command:
    target = wanted.target
    words = ["logs", target.label if target.name else f"--selector={target.selector}"]
    if not target.is_pod:
        words += ["--prefix", *(["--all-pods"] if target.name else [])]
        words += [f"--max-log-requests={MOST_FOLLOWED}"] if wanted.follow else []
    words += [f"--container={config.container}"] if config.container else []
    words += [f"--since={config.since}"] if config.since else []
    if config.tail_lines is not None or target.selector:  # with a selector kubectl shows 10 lines where none is given
        words.append(f"--tail={-1 if config.tail_lines is None else config.tail_lines}")
    words += ["--previous"] if config.previous else []
    words += ["--follow"] if wanted.follow else []
    return kubectl_command(tuple(words), (), step, context, tools, where)


def run_logs(
    step: PipelineStep, config: Logs, context: ExecutionContext, scope: RunScope, document: dict[str, Any]
) -> StepResult:
    """Read or follow the logs; raises UserError where there is nothing to read or the cluster cannot be asked."""
    wanted = check_logs(step, config, context)
    file = LogFile(wanted.path) if wanted.path else None
    try:
        return sync.run(_Run(step, config, wanted, context, scope, file).carry_out(document))
    finally:
        if file:
            file.close()


class _Run:
    """One logs step under way."""

    def __init__(
        self,
        step: PipelineStep,
        config: Logs,
        wanted: LogsWanted,
        context: ExecutionContext,
        scope: RunScope,
        file: LogFile | None,
    ) -> None:
        self._step, self._config, self._wanted = step, config, wanted
        self._context, self._scope, self._file = context, scope, file
        self._tail = Tail(config.output) if config.output else None
        self._sink = Sink(
            lambda shown: scope.output(step.name, "stdout", shown), until=wanted.until, file=file, tail=self._tail
        )
        self._logs: list[PodLog] = []

    async def carry_out(self, document: dict[str, Any]) -> StepResult:
        with stopped_by(self._scope.cancel) as stop:
            reading = asyncio.create_task(self._read_all(document))
            stopping = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait(
                    (reading, stopping), timeout=self._wanted.seconds, return_when=asyncio.FIRST_COMPLETED
                )
                return self._finished(reading)
            finally:
                for task in (reading, stopping):
                    task.cancel()
                await asyncio.gather(reading, stopping, return_exceptions=True)

    async def _read_all(self, document: dict[str, Any]) -> None:
        self._tell()
        async with LogSession(document) as session:
            found = await find_pods(session.client, self._step.k8s_namespace, self._wanted.target)
            if not found:
                raise no_pods(self._wanted.target, self._step.k8s_namespace)
            chosen = self._chosen(found)
            for pod in chosen:
                self._logs.append(self._pod_log(session, pod, many=len(found) > 1))
            if self._wanted.follow:
                await self._follow()
                return
            for log in self._logs:
                await log.read()
                if self._sink.done:
                    return

    async def _follow(self) -> None:
        """Follow all until each has ended; the first that fails ends all, and its error is raised."""
        tasks = [asyncio.create_task(log.follow()) for log in self._logs]
        try:
            await asyncio.gather(*tasks)
        except _PatternFound:
            return
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _chosen(self, pods: Sequence[Any]) -> Sequence[Any]:
        names = ", ".join(name_of(pod) for pod in pods[:10])
        if not self._wanted.target.is_pod:
            count, label = len(pods), self._wanted.target.label
            said = msg_n("%(object)s has %(count)d pod: %(names)s", "%(object)s has %(count)d pods: %(names)s", count,
                         object=label, names=names)  # fmt: skip
            self._notice("info", said)
        if self._wanted.follow and len(pods) > MOST_FOLLOWED:
            self._notice("warning", msg("Only %(most)d pods are followed at once.", most=MOST_FOLLOWED))
            return pods[:MOST_FOLLOWED]
        return pods

    def _pod_log(self, session: LogSession, pod: Any, *, many: bool) -> PodLog:
        container = pick_container(pod, self._config.container)
        names = containers_of(pod)
        if not self._config.container and len(names) > 1 and not self._logs:
            said = msg("Container %(name)s is used; there are: %(names)s.", name=container, names=", ".join(names))
            self._notice("info", said)
        request = LogRequest(
            namespace=self._step.k8s_namespace,
            pod=name_of(pod),
            container=container,
            since=self._wanted.since,
            tail=self._config.tail_lines,
            previous=self._config.previous,
            follow=self._wanted.follow,
        )
        prefix = f"[{name_of(pod)}/{container}] ".encode() if many else b""
        uid = text(mapping(pod, "metadata"), "uid")
        return PodLog(session, request, uid, functools.partial(self._on_lines, prefix), self._notice)

    def _on_lines(self, prefix: bytes, data: bytes) -> None:
        if self._sink.take(data, prefix):
            raise _PatternFound

    def _tell(self) -> None:
        where = self._scope.clusters.user_target(self._step.k8s_cluster)
        shown = _shown(self._step, self._config, self._wanted, self._context, self._scope.tools, where)
        argv = tuple(self._scope.redact(word) for word in shown.argv)
        self._scope.emit(
            CommandStarted(time=time.time(), run=self._scope.run_id, step=self._step.name, argv=argv, cwd=shown.cwd)
        )

    def _notice(self, level: str, message: Message) -> None:
        self._scope.notice(self._step.name, level, message)

    def _finished(self, reading: asyncio.Task[None]) -> StepResult:
        """Return how the step ended; raises what ended the reading before anything came of it."""
        if self._sink.hidden:
            self._notice("warning", msg("Not all lines are shown here: there were too many."))
        if self._sink.done:
            return self._result(Phase.SUCCEEDED, msg("Found: %(line)s", line=self._sink.found))
        if self._scope.cancel.requested:
            return self._result(Phase.CANCELLED, msg("Cancelled."))
        if not reading.done():
            return self._late()
        error = reading.exception()
        if error is not None:
            return self._broke_off(error)
        if self._wanted.until:
            return self._result(Phase.FAILED, self._not_found(msg("The pods have ended")))
        return self._result(Phase.SUCCEEDED)

    def _late(self) -> StepResult:
        """Judge a step whose time is over: a success only where following was all that was asked for, and it worked."""
        after = msg("After %(time)s", time=self._config.timeout)
        waiting = next((log.waiting for log in self._logs if log.waiting), None)
        if waiting:
            return self._result(Phase.FAILED, msg("%(when)s the pod was still %(state)s", when=after, state=waiting))
        trouble = next((log.trouble for log in self._logs if log.trouble), None)
        if trouble:
            return self._broke_off(trouble)
        if self._wanted.until:
            hint = msg("Look at the log, correct the pattern, or give it a longer timeout.")
            return self._result(Phase.FAILED, self._not_found(after), hint)
        if self._wanted.follow and self._logs:
            return self._result(Phase.SUCCEEDED)
        return self._result(Phase.FAILED, msg("%(when)s the log was not read to its end", when=after))

    def _not_found(self, when: Message) -> Message:
        return msg("%(when)s, and %(until)s was not in the log", when=when, until=self._config.until)

    def _broke_off(self, error: BaseException) -> StepResult:
        """Keep what was read before the cluster was lost; raises the error where that is nothing."""
        if isinstance(error, KubeError) and error.code is ExitCode.UNREACHABLE and self._sink.lines:
            what = msg("%(title)s: %(reason)s", title=error.title, reason=error.message or error.hint)
            return self._result(Phase.FAILED, what, error.hint)
        if isinstance(error, KubeError) and error.status == 400:
            title = msg("There is no log to read")
            hint: Text = msg("Wait until the container has started, or follow the log.")
            if self._config.previous:
                hint = msg("The container has not been started before: leave previous out.")
            raise UserError(title, error.message, hint, field="k8s_resource_name", code=ExitCode.FAILED) from error
        raise error

    def _result(self, phase: Phase, message: Text = "", hint: Text = "") -> StepResult:
        """Keep the file whatever the phase, and the variable after a success."""
        parts = [message] if message else []
        parts.append(msg_n("%(count)d line.", "%(count)d lines.", self._sink.lines))
        if self._file:
            self._file.keep()
            parts.append(msg("Written to %(path)s.", path=self._wanted.path))
        said = functools.reduce(_joined, parts)
        context = self._context
        if phase is Phase.SUCCEEDED and self._tail:
            if self._tail.dropped:
                name = self._config.output
                self._notice("warning", msg("%(name)s holds the newest 128 KiB of the log only.", name=name))
            context = with_output(context, self._config.output, self._tail.text)
        return StepResult(phase=phase, context=context, message=said, hint=hint)


def _joined(one: Text, two: Text) -> Message:
    ended = str(one).endswith((".", "\n"))
    return msg("%(one)s %(two)s", one=one, two=two) if ended else msg("%(one)s. %(two)s", one=one, two=two)


class _PatternFound(Exception):
    """The pattern that ends following was found."""
