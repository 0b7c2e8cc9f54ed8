"""Where Kubernetes objects name others, and where workloads hold their pods: for lifting names into values."""

from __future__ import annotations

POD_SPECS: dict[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Pod": ("spec",),
}

# (field that holds the mapping, field of the name) -> kinds it may be of; "*": the kind stands beside it
NAMED_BY: dict[tuple[str, str], tuple[str, ...]] = {
    ("scaleTargetRef", "name"): ("*",),
    ("roleRef", "name"): ("*",),
    ("subjects", "name"): ("*",),
    ("service", "name"): ("Service",),
    ("configMapRef", "name"): ("ConfigMap",),
    ("configMapKeyRef", "name"): ("ConfigMap",),
    ("configMap", "name"): ("ConfigMap",),
    ("secretRef", "name"): ("Secret",),
    ("secretKeyRef", "name"): ("Secret",),
    ("", "secretName"): ("Secret",),
    ("", "claimName"): ("PersistentVolumeClaim",),
    ("", "serviceName"): ("Service",),
    ("", "serviceAccountName"): ("ServiceAccount",),
}
