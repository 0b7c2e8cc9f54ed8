"""Health of a Pod: what its containers wait for, in plain words, the kubelet's own words beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.kube.fields import conditions, mapping, number, sequence, text
from ansflow_desktop.models.run import Health


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """Health of an object: `message` in plain words, `detail` the server's own words, both may be empty."""

    health: Health
    message: Text = ""
    detail: str = ""


_IMAGE = msg("Image cannot be pulled")
_SETUP = msg("Container cannot be started")
# reasons of a waiting container that do not go away by waiting (kubelet: pkg/kubelet/images, kuberuntime)
_TROUBLE: dict[str, Message] = {
    "ErrImagePull": _IMAGE,
    "ImagePullBackOff": _IMAGE,
    "ErrImageNeverPull": _IMAGE,
    "RegistryUnavailable": _IMAGE,
    "SignatureValidationFailed": _IMAGE,
    "ImageInspectError": msg("Image cannot be inspected"),
    "InvalidImageName": msg("Image name is not valid"),
    "CrashLoopBackOff": msg("Container keeps crashing"),
    "CreateContainerConfigError": msg("Configuration is missing (ConfigMap or Secret not found)"),
    "CreateContainerError": _SETUP,
    "RunContainerError": _SETUP,
    "PreCreateHookError": _SETUP,
    "PreStartHookError": _SETUP,
    "PostStartHookError": msg("The container's start hook failed"),
    "CreatePodSandboxError": msg("The pod's network or sandbox cannot be set up"),
}
_STARTING: dict[str, Message] = {
    "ContainerCreating": msg("Container is being created"),
    "PodInitializing": msg("Waiting for the init containers"),
}


def assess_pod(pod: Mapping[str, Any]) -> Assessment:
    """Return the health of a Pod from its phase, conditions and container states."""
    status = mapping(pod, "status")
    phase = text(status, "phase")
    if phase == "Succeeded":
        return Assessment(health=Health.HEALTHY, message=msg("Completed"))
    if phase == "Failed":
        return _failed(status)
    trouble = _container_trouble(status)
    if trouble:
        return trouble
    scheduled = conditions(pod).get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return _not_scheduled(scheduled)
    return _running(pod, status)


def _failed(status: Mapping[str, Any]) -> Assessment:
    reason, detail = text(status, "reason"), text(status, "message")
    if reason == "Evicted":
        return Assessment(health=Health.DEGRADED, message=msg("Evicted from its node"), detail=detail)
    for container in [*sequence(status, "initContainerStatuses"), *sequence(status, "containerStatuses")]:
        ended = mapping(mapping(container, "state"), "terminated")
        if number(ended, "exitCode"):
            return _ended(container, ended)
    return Assessment(health=Health.DEGRADED, message=msg("Failed"), detail=detail or reason)


def _not_scheduled(condition: Mapping[str, Any]) -> Assessment:
    if condition.get("reason") == "SchedulingGated":
        return Assessment(health=Health.SUSPENDED, message=msg("Held back by a scheduling gate"))
    detail = text(condition, "message")
    return Assessment(health=Health.DEGRADED, message=msg("Cannot be scheduled"), detail=detail)


def _container_trouble(status: Mapping[str, Any]) -> Assessment | None:
    """Return what is wrong with the first container that waits for something which does not come by itself."""
    for container in [*sequence(status, "initContainerStatuses"), *sequence(status, "containerStatuses")]:
        state = mapping(container, "state")
        waiting, ended = mapping(state, "waiting"), mapping(state, "terminated")
        plain = _TROUBLE.get(text(waiting, "reason"))
        if plain:
            return Assessment(health=Health.DEGRADED, message=plain, detail=_waiting_detail(container, waiting))
        if number(ended, "exitCode"):
            return _ended(container, ended)
    return None


def _waiting_detail(container: Mapping[str, Any], waiting: Mapping[str, Any]) -> str:
    """Return the container's name and the kubelet's words; for a crash also how the last run ended."""
    words = text(waiting, "message") or text(waiting, "reason")
    last = mapping(mapping(container, "lastState"), "terminated")
    if last:
        said = text(last, "message").strip()
        words += f" ({text(last, 'reason')}, exit code {number(last, 'exitCode')}{': ' + said if said else ''})"
    return f"{text(container, 'name')}: {words}"


def _ended(container: Mapping[str, Any], ended: Mapping[str, Any]) -> Assessment:
    code, reason = number(ended, "exitCode"), text(ended, "reason")
    plain = msg("Container ended with exit code %(code)s", code=code)
    if reason == "OOMKilled":
        plain = msg("Container ran out of memory")
    detail = f"{text(container, 'name')}: {text(ended, 'message').strip() or reason}"
    return Assessment(health=Health.DEGRADED, message=plain, detail=detail)


def _running(pod: Mapping[str, Any], status: Mapping[str, Any]) -> Assessment:
    states = sequence(status, "containerStatuses")
    wanted = len(sequence(mapping(pod, "spec"), "containers")) or len(states)
    ready = sum(1 for container in states if container.get("ready") is True)
    condition = conditions(pod).get("Ready", {})
    if condition.get("status") == "True":
        return Assessment(health=Health.HEALTHY, message=msg("Ready"))
    if text(status, "phase") == "Unknown":
        return Assessment(health=Health.UNKNOWN, message=msg("Its node does not answer"))
    starting = _starting(status)
    if starting:
        return Assessment(health=Health.PROGRESSING, message=starting)
    message = msg("%(ready)s of %(wanted)s containers ready", ready=ready, wanted=wanted)
    return Assessment(health=Health.PROGRESSING, message=message, detail=text(condition, "message"))


def _starting(status: Mapping[str, Any]) -> Message | None:
    for container in [*sequence(status, "initContainerStatuses"), *sequence(status, "containerStatuses")]:
        plain = _STARTING.get(text(mapping(mapping(container, "state"), "waiting"), "reason"))
        if plain:
            return plain
    return None
