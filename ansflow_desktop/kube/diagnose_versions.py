"""Which servers kubectl and helm support.

kubectl: one minor version older or newer than the server (kubernetes.io, Version Skew Policy). helm: the Kubernetes it
was built with and the three before (helm.sh, Helm Version Support Policy): 1.35 for 3.20, one more with each minor
version; 1.34 for 4.0, one more with each. A newer server than that is the usual case and works mostly, so it is told
only where helm is more than two versions behind.
"""

from __future__ import annotations

import re

from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.command import Tool, ToolSet

_MINOR = re.compile(r"v?(\d+)\.(\d+)")
_HELM_NEWEST = {3: 15, 4: 34}
_HELM_BACK = 3
_HELM_AHEAD = 2
_KUBECTL_SKEW = 1


def skew(server: str, tools: ToolSet) -> tuple[Message, ...]:
    """Return a message for each tool that does not support the server's version; nothing for what is not known."""
    minor = _minor(server)
    if minor is None:
        return ()
    found = [_kubectl(minor, server, tools.kubectl), _helm(minor, server, tools.helm)]
    return tuple(message for message in found if message)


def _minor(version: str) -> int | None:
    """Return the minor version of Kubernetes 1, None for what cannot be read."""
    match = _MINOR.match(version)
    return int(match[2]) if match and match[1] == "1" else None


def _kubectl(minor: int, server: str, tool: Tool | None) -> Message | None:
    ours = _minor(tool.version) if tool else None
    if tool is None or ours is None or abs(ours - minor) <= _KUBECTL_SKEW:
        return None
    values = {"server": server, "version": tool.version}
    if ours < minor:
        return msg("kubectl %(version)s is too old for Kubernetes %(server)s", **values)
    return msg("kubectl %(version)s is too new for Kubernetes %(server)s", **values)


def _helm(minor: int, server: str, tool: Tool | None) -> Message | None:
    match = _MINOR.match(tool.version) if tool else None
    base = _HELM_NEWEST.get(int(match[1])) if match else None
    if tool is None or match is None or base is None:
        return None
    newest = base + int(match[2])
    values = {"server": server, "version": tool.version}
    if minor > newest + _HELM_AHEAD:
        return msg("helm %(version)s is too old for Kubernetes %(server)s", **values)
    if minor < newest - _HELM_BACK:
        return msg("helm %(version)s is too new for Kubernetes %(server)s", **values)
    return None
