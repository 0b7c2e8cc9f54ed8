"""Kinds of Kubernetes objects as a person names them: aliases, and what a step can do with each.

Kinds that are not in this table (custom resources) are never refused: only the cluster knows them.
"""

from __future__ import annotations

import difflib
import re

import msgspec


class KindTraits(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a kind: `conditions` are those that its objects report, None where they may report any."""

    name: str
    namespaced: bool = True
    scalable: bool = False
    rollout: bool = False
    has_pods: bool = False
    conditions: tuple[str, ...] | None = None


_POD = ("Ready", "ContainersReady", "Initialized", "PodScheduled", "PodReadyToStartContainers", "DisruptionTarget")
_JOB = ("Complete", "Failed", "Suspended", "SuccessCriteriaMet", "FailureTarget")
_NODE = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
_CRD = ("Established", "NamesAccepted", "NonStructuralSchema", "Terminating")
_PLAIN = [
    "configmap",
    "secret",
    "serviceaccount",
    "role",
    "rolebinding",
    "networkpolicy",
    "endpoints",
    "endpointslice",
    "event",
    "lease",
    "limitrange",
    "resourcequota",
]
_CLUSTER_WIDE = [
    "clusterrole",
    "clusterrolebinding",
    "storageclass",
    "priorityclass",
    "ingressclass",
    "validatingwebhookconfiguration",
    "mutatingwebhookconfiguration",
]

_TRAITS = (
    KindTraits(
        name="deployment",
        scalable=True,
        rollout=True,
        has_pods=True,
        conditions=("Available", "Progressing", "ReplicaFailure"),
    ),
    KindTraits(name="statefulset", scalable=True, rollout=True, has_pods=True, conditions=()),
    KindTraits(name="daemonset", rollout=True, has_pods=True, conditions=()),
    KindTraits(name="replicaset", scalable=True, has_pods=True, conditions=("ReplicaFailure",)),
    KindTraits(name="replicationcontroller", scalable=True, has_pods=True, conditions=("ReplicaFailure",)),
    KindTraits(name="pod", has_pods=True, conditions=_POD),
    KindTraits(name="job", has_pods=True, conditions=_JOB),
    KindTraits(name="cronjob", conditions=()),
    KindTraits(name="service", has_pods=True),
    KindTraits(name="ingress", conditions=()),
    KindTraits(name="persistentvolumeclaim"),
    KindTraits(name="horizontalpodautoscaler", conditions=("AbleToScale", "ScalingActive", "ScalingLimited")),
    KindTraits(name="poddisruptionbudget", conditions=("DisruptionAllowed",)),
    *(KindTraits(name=name, conditions=()) for name in _PLAIN),
    *(KindTraits(name=name, namespaced=False, conditions=()) for name in _CLUSTER_WIDE),
    KindTraits(name="namespace", namespaced=False),
    KindTraits(name="persistentvolume", namespaced=False),
    KindTraits(name="node", namespaced=False, conditions=_NODE),
    KindTraits(name="customresourcedefinition", namespaced=False, conditions=_CRD),
    KindTraits(name="apiservice", namespaced=False, conditions=("Available",)),
)

_SHORT = {
    "deploy": "deployment",
    "sts": "statefulset",
    "ds": "daemonset",
    "rs": "replicaset",
    "rc": "replicationcontroller",
    "po": "pod",
    "cj": "cronjob",
    "svc": "service",
    "ing": "ingress",
    "cm": "configmap",
    "pvc": "persistentvolumeclaim",
    "pv": "persistentvolume",
    "hpa": "horizontalpodautoscaler",
    "pdb": "poddisruptionbudget",
    "sa": "serviceaccount",
    "netpol": "networkpolicy",
    "ep": "endpoints",
    "ev": "event",
    "limits": "limitrange",
    "quota": "resourcequota",
    "ns": "namespace",
    "no": "node",
    "crd": "customresourcedefinition",
    "crds": "customresourcedefinition",
    "sc": "storageclass",
    "pc": "priorityclass",
}
_LONGEST = 40  # characters of a kind that is worth comparing
_GROUPS = re.compile(r"\.(v[0-9][a-z0-9]*\.)?(apps|batch|autoscaling|policy|[a-z.]+\.k8s\.io)", re.ASCII)


def _plural(name: str) -> str:
    if name.endswith(("s", "ss")):
        return f"{name}es" if name != "endpoints" else name
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


_BY_NAME = {one.name: one for one in _TRAITS}
_BY_NAME |= {_plural(one.name): one for one in _TRAITS} | {short: _BY_NAME[name] for short, name in _SHORT.items()}

KNOWN = tuple(one.name for one in _TRAITS)


def traits(kind: str) -> KindTraits | None:
    """Return what is known of a kind as a person writes it (`deploy`, `Pods`, `deployment.apps`), None for others."""
    lowered = kind.strip().lower()
    short, dot, _ = lowered.partition(".")
    if dot and not _GROUPS.fullmatch(lowered[len(short) :]):
        return None
    return _BY_NAME.get(short)


def nearest(kind: str) -> str:
    """Return the known kind that a misspelt one probably is, empty where none is near or the kind is known."""
    if "." in kind or len(kind) > _LONGEST or traits(kind):
        return ""
    near = difflib.get_close_matches(kind.lower(), KNOWN, n=1, cutoff=0.8)
    return near[0] if near else ""
