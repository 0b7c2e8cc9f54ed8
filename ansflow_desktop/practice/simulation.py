"""What the simulated nodes do: kwok's configuration, the nodes themselves and the default StorageClass.

Rehearsing failures: the annotation or label `practice.ansflow.dev/behaviour` of a pod (a chart's `podAnnotations` or
`podLabels`) chooses how it behaves. Without it, or with another value, a pod is ready at once.

| value           | what the pod does                                                                               |
|-----------------|-------------------------------------------------------------------------------------------------|
| `slow`          | runs, not ready for 20 s, then ready; annotation `practice.ansflow.dev/delay: 3s` changes the time |
| `never-ready`   | runs, its readiness probe fails for ever (event `Unhealthy`)                                     |
| `crash`         | exit code 1, then `CrashLoopBackOff` with a growing restart count; phase Failed when not restarted |
| `image-missing` | stays Pending with `ErrImagePull`, then `ImagePullBackOff`                                        |

Pods of Jobs and hook pods succeed at once; `crash` makes them fail. Claims bind through the StorageClass
`kwok-volume`, Services of type LoadBalancer get an address of 192.0.2.0/24. `kubectl logs` plays a bundled log.
`kubectl exec` is refused in words by an admission policy, for simulated nodes run nothing, unless exec on this machine
was asked for: then the command runs on the user's own machine, as the user, and its exit code is lost.
"""

from __future__ import annotations

import http
import json
import shutil
from typing import TYPE_CHECKING, Any

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.practice.pki import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from ansflow_desktop.practice.api import Api
    from ansflow_desktop.practice.components import Layout
    from ansflow_desktop.process import Cancel

BEHAVIOUR = "practice.ansflow.dev/behaviour"
"""The label or annotation of a pod that chooses how it behaves."""

DELAY = "practice.ansflow.dev/delay"
"""The annotation that says how long a `slow` pod takes, as a duration text (`3s`)."""

BEHAVIOURS = ("slow", "never-ready", "crash", "image-missing")
"""The values of `BEHAVIOUR`."""

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_NODES = "/api/v1/nodes?labelSelector=node-role.kubernetes.io/worker"
_CAPACITY = {"cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "10000"}
_PARTS = ("nodes", "pods", "behaviours", "volumes", "services", "logs")


def _source(name: str) -> Path:
    return paths.resources() / "practice" / name


def write_configuration(layout: Layout, exec_on_this_machine: bool) -> None:
    """Write kwok's configuration, exec among it only when asked for. Raises OSError."""
    log = layout.folder / "container.log"
    shutil.copyfile(_source("container.log"), log)
    parts = (*_PARTS, "exec") if exec_on_this_machine else _PARTS
    texts = [_source(f"{part}.yaml").read_text(encoding="utf-8") for part in parts]
    write_private(layout.simulation, "\n---\n".join(texts).replace("{log}", json.dumps(str(log))))


def node(number: int) -> dict[str, Any]:
    """Return the simulated node `practice-node-<number>`."""
    name = f"practice-node-{number}"
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": "practice",
        "topology.kubernetes.io/zone": f"practice-{number}",
        "node-role.kubernetes.io/worker": "",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "status": {"capacity": _CAPACITY, "allocatable": _CAPACITY},
    }


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the nodes' kubelets listen."""

    address: str
    port: int


def populate(api: Api, nodes: int, place: Place, exec_enabled: bool, cancel: Cancel) -> bool:
    """Create the nodes, the default StorageClass and the rule about exec where missing; return whether all is there.

    `place` is where the nodes' kubelets listen now: nodes from before a restart may remember another. A request to
    `cancel` ends it early, with False.
    """
    storage = json.loads(_source("storage-class.json").read_text(encoding="utf-8"))
    made = [api.create("/apis/storage.k8s.io/v1/storageclasses", storage)]
    known = {item["metadata"]["name"] for item in api.get(_NODES).get("items", [])}
    for missing in (one for one in map(node, range(1, nodes + 1)) if one["metadata"]["name"] not in known):
        if cancel.requested:
            return False
        made.append(api.create("/api/v1/nodes", missing))
    return all(made) and _move_kubelets(api, place) and _rule_exec(api, exec_enabled)


def _move_kubelets(api: Api, place: Place) -> bool:
    addresses = [{"type": "InternalIP", "address": place.address}]
    endpoints = {"kubeletEndpoint": {"Port": place.port}}
    status = {"status": {"addresses": addresses, "daemonEndpoints": endpoints}}
    for item in api.get(_NODES).get("items", []):
        known = item.get("status", {})
        if known.get("addresses") and (known["addresses"], known.get("daemonEndpoints")) != (addresses, endpoints):
            answer, _ = api.request("PATCH", f"/api/v1/nodes/{item['metadata']['name']}/status", status)
            if answer != http.HTTPStatus.OK:
                return False
    return True


def _rule_exec(api: Api, enabled: bool) -> bool:
    """Refuse exec and attach in the server, in words, unless exec on this machine was asked for."""
    policy, binding = json.loads(_source("no-exec.json").read_text(encoding="utf-8"))
    if enabled:
        status, _ = api.request(
            "DELETE", f"{_ADMISSION}/validatingadmissionpolicybindings/{binding['metadata']['name']}"
        )
        return status in (http.HTTPStatus.OK, http.HTTPStatus.NOT_FOUND)
    made = api.create(f"{_ADMISSION}/validatingadmissionpolicies", policy)
    return made and api.create(f"{_ADMISSION}/validatingadmissionpolicybindings", binding)


def is_settled(api: Api, nodes: int) -> bool:
    """Return whether `nodes` simulated nodes are ready and pods may be created in the default namespace."""
    items = api.get(_NODES).get("items", [])
    ready = sum(_is_ready(item) for item in items)
    return ready >= nodes and bool(api.get("/api/v1/namespaces/default/serviceaccounts/default"))


def _is_ready(item: dict[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
