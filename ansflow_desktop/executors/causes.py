"""Why a deploy failed: the most telling of what was seen of its objects, even if it is gone since."""

from __future__ import annotations

from typing import TypeAlias

from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.models.run import ClusterEvent, Health, ResourceChanged

Key: TypeAlias = "tuple[str, str, str]"

# warnings that say why something does not become ready although its own status does not
_TELLING: dict[str, Message] = {
    "Unhealthy": msg("A probe fails"),
    "FailedCreate": msg("Pods cannot be created"),
    "FailedMount": msg("A volume cannot be mounted"),
    "FailedAttachVolume": msg("A volume cannot be attached"),
    "FailedCreatePodSandBox": msg("The pod's network or sandbox cannot be set up"),
    "ProvisioningFailed": msg("A volume cannot be provided"),
}
_PASSING = "Cannot be scheduled"  # over as soon as the pod gets on: no cause any more


class Causes:
    """Takes in what is seen of a release's objects and keeps the last trouble of each; not safe across threads."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._last: dict[Key, ResourceChanged] = {}
        self._degraded: dict[Key, ResourceChanged] = {}
        self._warned: dict[Key, ResourceChanged] = {}

    def put(self, seen: ResourceChanged) -> None:
        """Take in an object as it is now."""
        key = (seen.kind, seen.namespace, seen.name)
        self._last[key] = seen
        former = self._degraded.get(key)
        if seen.health is Health.DEGRADED:
            self._degraded[key] = seen
        elif former and seen.health is Health.PROGRESSING and _is_over(former, seen):
            del self._degraded[key]

    def put_event(self, event: ClusterEvent) -> None:
        """Take in an event; only warnings that tell a cause are kept, the last of each object."""
        plain = _TELLING.get(event.reason)
        if not event.warning or plain is None:
            return
        key = (event.kind, event.namespace, event.name)
        known = self._last.get(key)
        self._warned[key] = ResourceChanged(
            time=event.time,
            run=event.run,
            step=event.step,
            kind=event.kind,
            namespace=event.namespace,
            name=event.name,
            health=Health.DEGRADED,
            message=plain,
            owner=known.owner if known else "",
            detail=event.message,
        )

    @property
    def last(self) -> list[ResourceChanged]:
        """The last state of each object."""
        return list(self._last.values())

    def ranked(self) -> list[ResourceChanged]:
        """Return the troubles, the most telling first.

        What is unhealthy now, then what was and did not recover (a rollback deletes it), then warnings about what is
        not healthy, then what recovered, and last what is only not ready yet. Pods come first: they say why.
        """
        warned = [(2, each) for key, each in self._warned.items() if not self._is(key, Health.HEALTHY)]
        troubles = [(self._rank(key), each) for key, each in self._degraded.items()]
        late = [(4, each) for each in self._last.values() if each.health is Health.PROGRESSING]
        found = sorted([*troubles, *warned, *late], key=lambda pair: (pair[0], pair[1].kind != "Pod"))
        return [each for _, each in found]

    def _rank(self, key: Key) -> int:
        if self._is(key, Health.DEGRADED):
            return 0
        return 3 if self._is(key, Health.HEALTHY) else 1

    def _is(self, key: Key, health: Health) -> bool:
        return key in self._last and self._last[key].health is health


def _is_over(former: ResourceChanged, now: ResourceChanged) -> bool:
    return str(former.message) == _PASSING and str(now.message) != "Being deleted"
