"""Single Kubernetes steps against a small API server of our own: for what a real one does only when things go wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import kubernetes.aio.client  # here, as importing it takes longer than some steps may
import kubernetes.aio.config  # noqa: F401
from aiohttp import web

from ansflow_desktop.executors.context import RunScope, StepResult
from ansflow_desktop.executors.kubernetes import KubernetesStepExecutor
from ansflow_desktop.models.command import KubeTarget, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType
from ansflow_desktop.models.run import CommandStarted, Notice, Output
from ansflow_desktop.process import Cancel

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def pod(name: str = "web", ready: bool = True, **changes: Any) -> dict[str, Any]:
    """Return a pod with the containers main and side, running unless `changes` to its status say otherwise."""
    running = {"state": {"running": {}}, "restartCount": 0}
    status = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        "containerStatuses": [{**running, "name": each, "containerID": f"run-1-{each}"} for each in ("main", "side")],
        **changes,
    }
    metadata = {"name": name, "uid": f"uid-{name}", "labels": {"app": "web"}}
    return {"metadata": metadata, "spec": {"containers": [{"name": "main"}, {"name": "side"}]}, "status": status}


def failure(message: str, code: int, reason: str = "") -> web.Response:
    """Return an answer of the API for a request that it refuses."""
    return web.json_response({"kind": "Status", "message": message, "code": code, "reason": reason}, status=code)


class FakeApi:
    """An API server on the loopback: pods, one Deployment `web`, and handlers for exec and log."""

    def __init__(self) -> None:
        self.pods: dict[str, dict[str, Any]] = {"web": pod()}
        self.on_exec: Handler = self._refuse
        self.on_log: Handler = self._refuse
        self.requests: list[tuple[str, str]] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> FakeApi:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs))
        parts = request.path.strip("/").split("/")
        if parts[-1] == "exec":
            return await self.on_exec(request)
        if parts[-1] == "log":
            return await self.on_log(request)
        if parts[-1] == "pods":
            return web.json_response({"items": list(self.pods.values())})
        if parts[-2:] == ["deployments", "web"]:
            return web.json_response({"spec": {"selector": {"matchLabels": {"app": "web"}}}})
        found = self.pods.get(parts[-1]) if parts[-2] == "pods" else None
        return web.json_response(found) if found else failure(f'{parts[-2]} "{parts[-1]}" not found', 404)

    async def _refuse(self, request: web.Request) -> web.StreamResponse:
        return failure("nothing was expected here", 500)

    @property
    def document(self) -> dict[str, Any]:
        """The kubeconfig document of this server."""
        return {
            "current-context": "fake",
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
            "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "fake", "user": {"token": "t"}}],
        }

    def asked(self, ending: str) -> list[str]:
        """Return the GET requests whose path ends so."""
        return [path for method, path in self.requests if method == "GET" and path.split("?")[0].endswith(ending)]


class _Clusters:
    """Where commands that are shown point to."""

    def private_target(self, name: str, folder: Path) -> KubeTarget:
        raise AssertionError("these steps need no private kubeconfig")

    def user_target(self, name: str) -> KubeTarget:
        return KubeTarget(kubeconfig="/k", context=name)


class StepRun:
    """Runs steps on a FakeApi and keeps what was said."""

    def __init__(self, api: FakeApi, folder: Path) -> None:
        self.api, self.folder = api, folder
        self.cancel = Cancel()
        self.events: list[Any] = []
        self.on_event: Callable[[Any], None] = self.events.append

    def run(self, kind: StepType, target: str = "", /, **config: Any) -> StepResult:
        """Run one step; `config` is its k8s_config."""
        scope = RunScope(
            run_id="test",
            emit=lambda event: self.on_event(event),
            cancel=self.cancel,
            tools=ToolSet(),
            clusters=_Clusters(),
            folder=self.folder,
            redact=lambda text: text,
        )
        step = PipelineStep(
            name="step", type=kind, k8s_cluster="fake", k8s_namespace="fe", k8s_resource_name=target, k8s_config=config
        )
        context = ExecutionContext(working_directory=str(self.folder))
        return KubernetesStepExecutor(lambda name: self.api.document).execute(step, context, scope)

    def text(self, stream: str = "stdout") -> str:
        return "".join(event.text for event in self.events if isinstance(event, Output) and event.stream == stream)

    def notices(self, level: str = "info") -> list[str]:
        return [str(event.message) for event in self.events if isinstance(event, Notice) and event.level == level]

    @property
    def argvs(self) -> list[tuple[str, ...]]:
        return [event.argv for event in self.events if isinstance(event, CommandStarted)]
