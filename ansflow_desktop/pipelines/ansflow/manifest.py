"""A manifest for AnsFlow's `deployment_spec` (image, replicas, ports, …), which has no place here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansflow_desktop.models.names import to_label
from ansflow_desktop.pipelines.ansflow import texts
from ansflow_desktop.pipelines.ansflow.writer import dump

_DEFAULT_PORT = 80


def deployment_manifest(spec: Mapping[str, Any], name: str, namespace: str) -> str | None:
    """Return the Deployment that AnsFlow would make, None where it could not (no name, or parts of wrong types).

    The image may be left out there: an earlier step's `docker_image` is taken then.
    """
    name = name or texts.text_here(spec.get("name")) or ""
    image = texts.text_here(spec.get("image") or "{{docker_image}}")
    replicas = texts.count_here(spec.get("replicas", 1))
    labels = _texts(spec.get("labels"))
    container = _container(spec, to_label(name) or "app", image)
    if not name or image is None or replicas is None or labels is None or container is None:
        return None
    labels = labels or {"app": name}
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    where = texts.text_here(namespace)
    if where:
        metadata["namespace"] = where
    return dump(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        }
    )


def _container(spec: Mapping[str, Any], name: str, image: str | None) -> dict[str, Any] | None:
    found: dict[str, Any] = {"name": name, "image": image}
    ports = _ports(spec.get("ports"))
    env = _texts(spec.get("environment_vars"))
    resources = _resources(spec.get("resources"))
    if ports is None or env is None or resources is None:
        return None
    if ports:
        found["ports"] = ports
    if env:
        found["env"] = [{"name": key, "value": value} for key, value in env.items()]
    if resources:
        found["resources"] = resources
    return found


def _ports(value: Any) -> list[dict[str, Any]] | None:
    if value in (None, [], {}):
        return []
    if not isinstance(value, list):
        return None
    found = [texts.count_here(port.get("container_port", _DEFAULT_PORT)) for port in value if isinstance(port, Mapping)]
    return [{"containerPort": port} for port in found] if len(found) == len(value) and None not in found else None


def _resources(value: Any) -> dict[str, dict[str, str]] | None:
    if value in (None, {}):
        return {}
    if not isinstance(value, Mapping):
        return None
    parts = {name: _texts(value.get(name)) for name in ("requests", "limits")}
    if None in parts.values():
        return None
    return {name: part for name, part in parts.items() if part}


def _texts(value: Any) -> dict[str, str] | None:
    """Return a mapping of texts with their variables as ours, {} for none, None for a wrong type."""
    if value in (None, {}, []):
        return {}
    if not isinstance(value, Mapping):
        return None
    found = {key: texts.text_here(item) for key, item in value.items()}
    return {key: text for key, text in found.items() if text is not None} if None not in found.values() else None
