"""Plans of Kubernetes steps without a cluster: one step in, its commands without the cluster's part out."""

from __future__ import annotations

from pathlib import Path

from ansflow_desktop.executors.plan import plan_step
from ansflow_desktop.models.command import KubeTarget, Tool, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep

TARGET = KubeTarget(kubeconfig="/k", context="dev")
ENDS = ("--kubeconfig", "/k", "--context", "dev")

# what must never reach a command line as the name of an object (failure-modes.md, row 10)
BAD_NAMES = [
    "-rf",
    "--all",
    "deployment/-x",
    "deployment/--all",
    "deployment/",
    "/web",
    "deployment/web/x",
    "deployment/we b",
    "Web",
    "deployment/web;rm",
    "deployment/..",
    "deployment/we\nb",
    "deployment/" + "a" * 254,
    "-deployment/web",
    "deploy ment/web",
    "中文/web",
    "deployment/中文",
    "deployment/*",
    "",
    " ",
]


def plan(kind, resource="", version="1.36.3", **config):
    """Plan one step of type `kind` on `resource`."""
    step = PipelineStep(
        name="step",
        type=kind,
        k8s_cluster="dev",
        k8s_namespace="fe",
        k8s_resource_name=resource,
        k8s_config=config,
    )
    tools = ToolSet(kubectl=Tool(name="kubectl", path="/opt/kubectl", version=version))
    return plan_step(step, ExecutionContext(working_directory="/"), tools, TARGET, Path("/private"))


def words(command):
    """The words of a command without program, cluster and request timeout; checks that these are as they must be."""
    assert command.argv[0] == "/opt/kubectl"
    assert command.argv[-4:] == ENDS
    assert (command.env["KUBECONFIG"], command.env["KUBERC"]) == (None, "off")
    assert command.timeout, "an outer deadline"
    [limit] = [word for word in command.argv if word.startswith("--request-timeout=")]
    return [word for word in command.argv[1:-4] if word != limit]


def all_words(planned):
    """The words of all commands of a plan."""
    return [words(command) for command in planned.commands]
