"""CPU and memory: what nodes offer, what pods ask for as the scheduler counts it, what is used now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec

from ansflow_desktop.kube.pages import Listing, decode
from ansflow_desktop.kube.quantity import parse_or_zero
from ansflow_desktop.models.cluster import Amount

Quantities: TypeAlias = dict[str, str | int | float]


class _Condition(msgspec.Struct, frozen=True):
    type: str = ""
    status: str = ""


class _NodeStatus(msgspec.Struct, frozen=True):
    allocatable: Quantities | None = None
    conditions: list[_Condition] | None = None


class Node(msgspec.Struct, frozen=True):
    """The parts of a Node that are counted."""

    status: _NodeStatus = _NodeStatus()

    @property
    def ready(self) -> bool:
        """True when its condition Ready is True."""
        return any(one.type == "Ready" and one.status == "True" for one in self.status.conditions or ())

    @property
    def allocatable(self) -> Amount:
        """What pods may use of it."""
        return amount(self.status.allocatable)


class NodeList(Listing, frozen=True):
    """A page of nodes."""

    items: tuple[Node, ...] = ()


class _Resources(msgspec.Struct, frozen=True):
    requests: Quantities | None = None


class _Container(msgspec.Struct, frozen=True, rename="camel"):
    resources: _Resources | None = None
    restart_policy: str = ""


class _PodSpec(msgspec.Struct, frozen=True, rename="camel"):
    containers: list[_Container] = []
    init_containers: list[_Container] | None = None
    overhead: Quantities | None = None
    resources: _Resources | None = None


class Pod(msgspec.Struct, frozen=True):
    """The parts of a Pod that are counted."""

    spec: _PodSpec = _PodSpec()


class PodList(Listing, frozen=True):
    """A page of pods."""

    items: tuple[Pod, ...] = ()


class _Usage(msgspec.Struct, frozen=True):
    usage: Quantities | None = None


class _UsageList(msgspec.Struct, frozen=True):
    items: list[_Usage] = []


def amount(values: Mapping[str, str | int | float] | None) -> Amount:
    """Return cores and bytes of a resource list, 0 where one is not named."""
    found = values or {}
    return Amount(cpu=parse_or_zero(str(found.get("cpu", "0"))), memory=parse_or_zero(str(found.get("memory", "0"))))


def plus(one: Amount, other: Amount) -> Amount:
    """Return the sum."""
    return Amount(cpu=one.cpu + other.cpu, memory=one.memory + other.memory)


def requested(pod: Pod) -> Amount:
    """Return what the scheduler keeps free for `pod` (kubernetes/component-helpers, resource.PodRequests).

    The containers and sidecars together, or the largest moment of the init containers where that is more (each beside
    the sidecars started before it), a request of the pod as a whole before both, and the overhead of its runtime.
    """
    spec = pod.spec
    running = _sum(spec.containers)
    sidecars, peak = Amount(), Amount()
    for one in spec.init_containers or ():
        wanted = _of(one)
        if one.restart_policy == "Always":
            sidecars = plus(sidecars, wanted)
            peak = _most(peak, sidecars)
        else:
            peak = _most(peak, plus(sidecars, wanted))
    whole = _replaced(_most(plus(running, sidecars), peak), spec.resources)
    return plus(whole, amount(spec.overhead))


def used(body: bytes) -> Amount:
    """Return the sum over the nodes of an answer of metrics.k8s.io; raises KubeError where it is none."""
    total = Amount()
    for item in decode(body, _UsageList).items:
        total = plus(total, amount(item.usage))
    return total


def _of(container: _Container) -> Amount:
    return amount(container.resources.requests if container.resources else None)


def _sum(containers: Iterable[_Container]) -> Amount:
    total = Amount()
    for one in containers:
        total = plus(total, _of(one))
    return total


def _most(one: Amount, other: Amount) -> Amount:
    return Amount(cpu=max(one.cpu, other.cpu), memory=max(one.memory, other.memory))


def _replaced(found: Amount, resources: _Resources | None) -> Amount:
    requests = (resources.requests if resources else None) or {}
    wanted = amount(requests)
    return Amount(
        cpu=wanted.cpu if "cpu" in requests else found.cpu,
        memory=wanted.memory if "memory" in requests else found.memory,
    )
