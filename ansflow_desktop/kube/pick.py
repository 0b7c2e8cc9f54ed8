"""From what a step names to pods and a container: a pod, a workload with its pods, or those that a selector matches."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.fields import conditions, mapping, sequence, text
from ansflow_desktop.kube.pods import assess_pod

FIELD = "k8s_resource_name"
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
MOST_PODS = 500

Pod: TypeAlias = Mapping[str, Any]

_NAMED = 10
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_SELECTOR = re.compile(r"[A-Za-z0-9_./,=!() -]+")
# kind: (path of its API, plural, other names that kubectl takes for it)
_KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "pod": ("/api/v1", "pods", ("po",)),
    "deployment": ("/apis/apps/v1", "deployments", ("deploy", "deployment.apps")),
    "statefulset": ("/apis/apps/v1", "statefulsets", ("sts", "statefulset.apps")),
    "daemonset": ("/apis/apps/v1", "daemonsets", ("ds", "daemonset.apps")),
    "replicaset": ("/apis/apps/v1", "replicasets", ("rs", "replicaset.apps")),
    "job": ("/apis/batch/v1", "jobs", ("job.batch",)),
    "service": ("/api/v1", "services", ("svc",)),
    "replicationcontroller": ("/api/v1", "replicationcontrollers", ("rc",)),
}
_ALIASES = {alias: kind for kind, (_, plural, others) in _KINDS.items() for alias in (kind, plural, *others)}
_OPERATORS = {
    "In": "{key} in ({values})",
    "NotIn": "{key} notin ({values})",
    "Exists": "{key}",
    "DoesNotExist": "!{key}",
}


class PodTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What a step works on: an object (`kind` and `name`), or pods by label (`selector`, the other two empty)."""

    kind: str = ""
    name: str = ""
    selector: str = ""

    @property
    def label(self) -> str:
        """`kind/name`, or the selector, for people and command lines."""
        return f"{self.kind}/{self.name}" if self.name else self.selector

    @property
    def is_pod(self) -> bool:
        """True where one pod is named."""
        return self.kind == "pod"


def parse_target(resource_name: str, selector: str) -> PodTarget:
    """Return what `k8s_resource_name` (`kind/name`; a bare name is a deployment) or the `selector` mean.

    Raises UserError naming `k8s_resource_name` or `k8s_config.selector`.
    """
    if bool(resource_name) == bool(selector):
        given = msg("Both are given.") if selector else msg("Neither is given.")
        hint = msg("Write pod/NAME, deployment/NAME or the like as k8s_resource_name, or labels such as app=web.")
        raise UserError(msg("Give one of k8s_resource_name and selector"), given, hint, field=FIELD)
    if selector:
        return PodTarget(selector=_checked_selector(selector.strip()))
    kind, slash, name = resource_name.strip().rpartition("/")
    known = _ALIASES.get(kind.lower()) if slash else "deployment"
    if known is None:
        kinds = ", ".join(_KINDS)
        raise UserError(
            msg("%(kind)s is no kind that has pods", kind=kind or '""'),
            msg("Known: %(kinds)s.", kinds=kinds),
            field=FIELD,
        )
    if len(name) > 253 or not _NAME.fullmatch(name):
        words = msg("A name holds small letters a-z, digits, hyphens and dots.")
        raise UserError(msg("%(name)s is no name of an object", name=name or '""'), words, field=FIELD)
    return PodTarget(kind=known, name=name)


def _checked_selector(selector: str) -> str:
    if _SELECTOR.fullmatch(selector) and not selector.startswith("-"):
        return selector
    raise UserError(
        msg("%(text)s is no label selector", text=selector or '""'),
        hint=msg("Write labels such as app=web,tier!=cache."),
        field="k8s_config.selector",
    )


async def find_pods(client: ClusterClient, namespace: str, target: PodTarget) -> list[Pod]:
    """Return the pods of `target`, the most usable first (at most 500); raises UserError where it is not there.

    An empty list means that it has none.
    """
    if target.is_pod:
        return [await _read(client, namespace, target)]
    selector = target.selector
    if target.name:
        selector = _selector_of(await _read(client, namespace, target))
        if not selector:
            return []
    listed = await client.get(f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": selector, "limit": MOST_PODS})
    return sorted(sequence(msgspec.json.decode(listed), "items"), key=_rank)


async def _read(client: ClusterClient, namespace: str, target: PodTarget) -> dict[str, Any]:
    base, plural, _ = _KINDS[target.kind]
    path = f"{base}/namespaces/{namespace}/{plural}"
    try:
        found: dict[str, Any] = msgspec.json.decode(await client.get(f"{path}/{target.name}"))
    except KubeError as error:
        if error.status != 404:
            raise
        raise await _missing(client, path, namespace, target, error) from error
    return found


async def _missing(client: ClusterClient, path: str, namespace: str, target: PodTarget, error: KubeError) -> UserError:
    """Return the error for an object that is not there, with the names of those that are."""
    try:
        listed = sequence(msgspec.json.decode(await client.get(path, {"limit": _NAMED})), "items")
    except KubeError:
        listed = []
    names = ", ".join(name_of(item) for item in listed)
    hint = msg("There are: %(names)s.", names=names) if names else msg("There is none of this kind there.")
    title = msg("%(object)s is not in namespace %(namespace)s", object=target.label, namespace=namespace)
    return UserError(title, error.message, hint, field=FIELD, code=ExitCode.FAILED)


def _selector_of(obj: Mapping[str, Any]) -> str:
    """Return `spec.selector` as a label selector; a Service and a ReplicationController hold plain labels there."""
    given = mapping(mapping(obj, "spec"), "selector")
    if not given:
        return ""
    if "matchLabels" not in given and "matchExpressions" not in given:
        return ",".join(f"{key}={value}" for key, value in given.items())
    labels = [f"{key}={value}" for key, value in mapping(given, "matchLabels").items()]
    return ",".join([*labels, *_expressions(given)])


def _expressions(given: Mapping[str, Any]) -> Iterator[str]:
    for each in sequence(given, "matchExpressions"):
        values = ",".join(str(value) for value in each.get("values") or ())
        yield _OPERATORS[str(each.get("operator"))].format(key=each.get("key"), values=values)


def name_of(obj: Mapping[str, Any]) -> str:
    """Return an object's name."""
    return text(mapping(obj, "metadata"), "name")


def is_leaving(pod: Pod) -> bool:
    """Return whether the pod is being deleted."""
    return bool(mapping(pod, "metadata").get("deletionTimestamp"))


def is_ready(pod: Pod) -> bool:
    """Return whether the pod runs, is ready and stays."""
    running = text(mapping(pod, "status"), "phase") == "Running"
    return running and not is_leaving(pod) and conditions(pod).get("Ready", {}).get("status") == "True"


def _rank(pod: Pod) -> tuple[bool, bool, str, str]:
    """Order pods as kubectl does: ready ones, then running ones, the longest running first."""
    status = mapping(pod, "status")
    return not is_ready(pod), text(status, "phase") != "Running", text(status, "startTime"), name_of(pod)


def ready_pod(pods: Sequence[Pod], target: PodTarget, namespace: str) -> Pod:
    """Return the pod to enter: the named one, or the first ready one; raises UserError saying how the others fare."""
    if target.is_pod:
        return pods[0]
    if not pods:
        raise no_pods(target, namespace)
    if is_ready(pods[0]):
        return pods[0]
    states = [msg("%(pod)s is %(state)s", pod=name_of(pod), state=pod_state(pod)) for pod in pods[:_NAMED]]
    words = functools.reduce(lambda one, two: msg("%(one)s, %(two)s", one=one, two=two), states)
    title = msg("No pod of %(object)s is ready", object=target.label)
    hint = msg("Wait for it first, with a k8s_wait step.")
    raise UserError(title, words, hint, field=_field(target), code=ExitCode.FAILED)


def no_pods(target: PodTarget, namespace: str) -> UserError:
    """Return the error for a target that has no pods."""
    title = msg("%(object)s has no pods in namespace %(namespace)s", object=target.label, namespace=namespace)
    hint = msg("Check its replicas, the labels and the namespace.")
    return UserError(title, "", hint, field=_field(target), code=ExitCode.FAILED)


def _field(target: PodTarget) -> str:
    return FIELD if target.name else "k8s_config.selector"


def pod_state(pod: Pod) -> Message:
    """Return the pod's state in words: `Failed (Evicted from its node)`."""
    phase = text(mapping(pod, "status"), "phase") or "Unknown"
    found = assess_pod(pod)
    return msg("%(phase)s (%(state)s)", phase=phase, state=found.message or found.health.value)


def containers_of(pod: Pod) -> list[str]:
    """Return the names of all containers: the pod's own, then init containers, then ephemeral ones."""
    spec = mapping(pod, "spec")
    lists = ("containers", "initContainers", "ephemeralContainers")
    return [text(item, "name") for name in lists for item in sequence(spec, name)]


def pick_container(pod: Pod, wanted: str) -> str:
    """Return `wanted`, else the pod's default container, else its first; raises UserError listing those there."""
    names = containers_of(pod)
    if wanted:
        if wanted in names:
            return wanted
        raise UserError(
            msg("Pod %(pod)s has no container %(name)s", pod=name_of(pod), name=wanted),
            "",
            msg("It has: %(names)s.", names=", ".join(names)),
            field="k8s_config.container",
            code=ExitCode.FAILED,
        )
    default = text(mapping(mapping(pod, "metadata"), "annotations"), DEFAULT_CONTAINER)
    return default if default in names else names[0]


def container_status(pod: Pod, name: str) -> Mapping[str, Any]:
    """Return the status of one container, empty where the kubelet has not told any yet."""
    status = mapping(pod, "status")
    lists = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    return next((item for key in lists for item in sequence(status, key) if item.get("name") == name), {})
