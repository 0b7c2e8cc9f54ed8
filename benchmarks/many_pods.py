"""A practice cluster that holds many pods, for the benchmarks of lists: a real kube-apiserver, pods of a usual size."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from typing import TYPE_CHECKING, Any

import yaml
from aiohttp import ClientSession, TCPConnector

from ansflow_desktop.executors.services import Options, Services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansflow_desktop.practice.cluster import PracticeInfo

CLUSTER = "bench"
_TOGETHER = 16


@contextlib.contextmanager
def cluster_of_pods(pods: int, namespaces: int) -> Iterator[tuple[Services, PracticeInfo]]:
    """Yield services and a running cluster with `pods` pods in `namespaces` namespaces; both are gone afterwards."""
    with tempfile.TemporaryDirectory() as data:
        services = Services(Options(data_dir=data, kubeconfig=os.devnull, lang="en"))
        info = services.practice.start(CLUSTER)
        try:
            print(f"creating {pods} pods", flush=True)
            asyncio.run(fill(info, pods, namespaces))
            yield services, info
        finally:
            services.practice.remove(CLUSTER)
            services.close()


async def fill(info: PracticeInfo, pods: int, namespaces: int) -> None:
    """Create the pods, evenly over the namespaces; nobody schedules them, so that they stay as they are."""
    user = yaml.safe_load(info.kubeconfig.read_text())["users"][0]["user"]
    headers = {"Authorization": f"Bearer {user['token']}"}
    connector = TCPConnector(ssl=False, limit=_TOGETHER)
    async with ClientSession(info.server, headers=headers, connector=connector) as session:
        names = [f"team-{number:02d}" for number in range(namespaces)]
        for name in names:
            body = {"metadata": {"name": name}}
            await _post(session, "/api/v1/namespaces", body)
            account = {"metadata": {"name": "default"}}  # its controller makes it, only later
            await _post(session, f"/api/v1/namespaces/{name}/serviceaccounts", account)
        work = iter([(names[number % namespaces], number) for number in range(pods)])
        await asyncio.gather(*(_create(session, work) for _ in range(_TOGETHER)))


async def _create(session: ClientSession, work: Iterator[tuple[str, int]]) -> None:
    for namespace, number in work:
        await _post(session, f"/api/v1/namespaces/{namespace}/pods", pod(number))


async def _post(session: ClientSession, path: str, body: dict[str, Any]) -> None:
    async with session.post(path, json=body) as answer:
        if answer.status not in (201, 409):
            raise SystemExit(f"{path}: {answer.status} {await answer.text()}")


def pod(number: int) -> dict[str, Any]:
    """Return a pod as a chart makes it: two containers with environment, probes, resources and mounts."""
    name = f"web-{number * 7919 % 100_000:05d}-{number:05d}"
    labels = {f"app.kubernetes.io/{key}": f"web-{number % 40}" for key in ("name", "instance", "part-of", "component")}
    return {
        "metadata": {"name": name, "labels": labels, "annotations": {"checksum/config": f"{number:064x}"}},
        "spec": {
            "schedulerName": "nobody",
            "containers": [_container("web", 8080), _container("metrics", 9090)],
            "volumes": [{"name": "data", "emptyDir": {}}, {"name": "settings", "configMap": {"name": "settings"}}],
        },
    }


def _container(name: str, port: int) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/healthz", "port": port}, "periodSeconds": 10}
    amounts = {"cpu": "100m", "memory": "128Mi"}
    return {
        "name": name,
        "image": f"registry.example.com/shop/{name}:1.27.3",
        "ports": [{"name": name, "containerPort": port}],
        "env": [{"name": f"SETTING_{number}", "value": f"value of setting {number}"} for number in range(12)],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "resources": {"requests": amounts, "limits": amounts},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "settings", "mountPath": "/settings"}],
        "securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False},
    }
