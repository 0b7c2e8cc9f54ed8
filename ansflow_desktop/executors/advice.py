"""What to do about an object that does not become ready: its trouble in plain words, the server's own, a way out."""

from __future__ import annotations

import re

import msgspec

from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.run import Health, ResourceChanged

_MOST = 600

# by the server's own words first: one trouble has several causes
_BY_WORDS: tuple[tuple[str, Message], ...] = (
    (
        r"exceeded quota",
        msg("The namespace's quota is used up. Free some of it, ask for more, or lower the requests."),
    ),
    (
        r"violates PodSecurity",
        msg("The namespace's security level refuses these pods: set the securityContext that is named in the values."),
    ),
    (
        r"no such file or directory|executable file not found|permission denied: unknown",
        msg("The container's command cannot be run: correct the command in the values, or the image."),
    ),
    (
        r"OOMKilled|out of memory",
        msg("Raise its memory limit in the values."),
    ),
)
_IMAGE = msg(
    "Correct the image in the values (often image.repository and image.tag), "
    "or give the namespace a pull secret for the registry."
)
_CONFIGURATION = msg(
    "Create the ConfigMap or Secret that is named, with the key that is asked for, or correct its name in the values."
)
_LOG = msg("Read its log: kubectl logs %(name)s --previous --namespace %(namespace)s", name="", namespace="")
_BY_TROUBLE: dict[str, Message] = {
    "Image cannot be pulled": _IMAGE,
    "Image name is not valid": _IMAGE,
    "Image cannot be inspected": _IMAGE,
    "Configuration is missing (ConfigMap or Secret not found)": _CONFIGURATION,
    "A volume cannot be mounted": _CONFIGURATION,
    "Cannot be scheduled": msg("Correct nodeSelector, tolerations or requests in the values, or make room."),
    "Container keeps crashing": _LOG,
    "Container ended with exit code %(code)s": _LOG,
    "Container ran out of memory": msg("Raise its memory limit in the values."),
    "A probe fails": msg(
        "Correct the probe's path and port in the values, "
        "or read the pod's log: kubectl logs %(name)s --namespace %(namespace)s",
        name="",
        namespace="",
    ),
    "The job failed": msg("Read its log: kubectl logs job/%(name)s --namespace %(namespace)s", name="", namespace=""),
    "Pods cannot be created": msg("Correct what the server names."),
}


def about(cause: ResourceChanged) -> Message:
    """Return what is wrong with an object and the way out, in one text."""
    if cause.health is Health.PROGRESSING:
        advice = msg("Look at its events, or give it a longer timeout.")
    else:
        advice = _advice(cause)
    return msg("%(trouble)s. %(advice)s", trouble=_trouble(cause), advice=advice)


def _trouble(cause: ResourceChanged) -> Message:
    words = " ".join(cause.detail.split()).rstrip(". ")
    named = msg("%(kind)s %(name)s: %(message)s", kind=cause.kind, name=cause.name, message=cause.message)
    if not words:
        return named
    return msg("%(what)s: %(said)s", what=named, said=words if len(words) <= _MOST else words[:_MOST] + "…")


def _advice(cause: ResourceChanged) -> Message:
    for pattern, advice in _BY_WORDS:
        if re.search(pattern, cause.detail):
            return advice
    key = cause.message.text if isinstance(cause.message, Message) else cause.message
    known = _BY_TROUBLE.get(key)
    if known is None:
        return msg("Correct that, then deploy again.")
    where = {"name": cause.name, "namespace": cause.namespace} if known.params else {}
    return msgspec.structs.replace(known, params=where)
