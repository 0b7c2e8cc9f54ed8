"""What `k8s_exec` and `k8s_logs` share: their target, the checks before anything runs, and kubectl's words for it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.planned import CONFIG, require_namespace, step_directory
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.pick import PodTarget, parse_target
from ansflow_desktop.models.command import Command, KubeTarget, ToolSet
from ansflow_desktop.models.pipeline import Exec, ExecutionContext, Logs, PipelineStep
from ansflow_desktop.pipelines import fields
from ansflow_desktop.process import Cancel

_CONTAINER = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def check_target(step: PipelineStep, config: Exec | Logs) -> PodTarget:
    """Return what the step works on; raises UserError naming the field at fault."""
    require_namespace(step)
    target = parse_target(step.k8s_resource_name, config.selector)
    if config.container and not _CONTAINER.fullmatch(config.container):
        raise UserError(
            msg("%(name)s is no name of a container", name=config.container),
            msg("A name holds small letters a-z, digits and hyphens."),
            field=f"{CONFIG}.container",
        )
    if config.output and not fields.NAME.fullmatch(config.output):
        raise UserError(
            msg("%(name)s is no name of a variable", name=config.output),
            msg("A name holds letters, digits and underscores, and does not begin with a digit."),
            field=f"{CONFIG}.output",
        )
    return target


def kubectl_command(
    words: tuple[str, ...],
    tail: tuple[str, ...],
    step: PipelineStep,
    context: ExecutionContext,
    tools: ToolSet,
    where: KubeTarget,
) -> Command:
    """Return the kubectl call that does the same, to be shown and copied: `words`, the cluster, then `tail`."""
    program = tools.kubectl.path if tools.kubectl else "kubectl"
    on = ("--namespace", step.k8s_namespace, "--kubeconfig", where.kubeconfig, "--context", where.context)
    return Command(argv=(program, *words, *on, *tail), cwd=step_directory(step, context), purpose=words[0])


@contextlib.contextmanager
def stopped_by(cancel: Cancel) -> Iterator[asyncio.Event]:
    """Yield an event of the running loop that is set when `cancel` is requested, from whatever thread."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(event.set)

    with cancel.waking(wake):
        if cancel.requested:
            event.set()
        yield event
