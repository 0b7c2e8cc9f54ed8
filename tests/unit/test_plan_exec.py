"""`k8s_exec`: what is run where, and that the exit code is the stream's final Status (failure-modes.md, row 6)."""

from __future__ import annotations

import json
import threading
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from step_kit import FakeApi, StepRun, failure, pod

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.plan import copy_text, plan_step
from ansflow_desktop.models.command import KubeTarget, Tool, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType
from ansflow_desktop.models.run import Output, Phase

EXEC = StepType.K8S_EXEC
SUCCESS = {"status": "Success"}
TOOLS = ToolSet(kubectl=Tool(name="kubectl", path="/opt/kubectl", version="1.36.3"))


def exited(code: int) -> dict:
    causes = {"causes": [{"reason": "ExitCode", "message": str(code)}]}
    return {"status": "Failure", "reason": "NonZeroExitCode", "details": causes}


def internal(message: str) -> dict:
    return {"status": "Failure", "reason": "InternalError", "message": message, "code": 500}


def answers(*frames, drop: bool = False, wait: threading.Event | None = None):
    """Return a handler that sends frames: (channel, bytes) or a Status; then it closes, or drops the connection."""

    async def handle(request):
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        for frame in frames:
            channel, data = (3, json.dumps(frame).encode()) if isinstance(frame, dict) else frame
            await socket.send_bytes(bytes([channel]) + data)
        if wait:
            await socket.receive()
            wait.set()
        if drop:
            request.transport.abort()
        else:
            await socket.close()
        return socket

    return handle


@pytest.fixture
def api():
    with FakeApi() as made:
        yield made


@pytest.fixture
def steps(api, tmp_path):
    return StepRun(api, tmp_path)


@pytest.mark.parametrize("code", [0, 3, 126, 255])
def test_the_exit_code_is_the_status_of_the_stream(api, steps, code):
    api.on_exec = answers((1, b"out\n"), (2, b"err\n"), SUCCESS if code == 0 else exited(code))

    result = steps.run(EXEC, "pod/web", command="whatever")

    assert (result.phase, result.exit_code) == (Phase.FAILED if code else Phase.SUCCEEDED, code)
    assert (steps.text(), steps.text("stderr")) == ("out\n", "err\n")


@pytest.mark.parametrize("drop", [False, True])
def test_a_stream_without_a_status_is_unknown_whatever_it_said_before(api, steps, drop):
    api.on_exec = answers((1, b"all done\n"), drop=drop)

    result = steps.run(EXEC, "pod/web", command="x", output="v")

    assert (result.phase, result.exit_code) == (Phase.UNKNOWN, None)
    assert "not known" in str(result.message)
    assert result.context.variables == {}


def test_a_connection_that_is_lost_on_the_way_is_not_tried_again(api, steps):
    async def drop(request):
        request.transport.abort()
        return web.Response()

    api.on_exec = drop
    result = steps.run(EXEC, "pod/web", command="x")

    assert result.phase is Phase.UNKNOWN
    assert len(api.asked("/exec")) == 1, "the command may have run twice"


@pytest.mark.parametrize(
    ("message", "phase", "words"),
    [
        ('exec: "x": executable file not found in $PATH', Phase.FAILED, "The container main has no program x"),
        ("stat /x: no such file or directory: unknown", Phase.FAILED, "has no program x"),
        ('exec: "x": permission denied', Phase.FAILED, "x cannot be run in the container main"),
        ("error reading from error stream: connection reset", Phase.UNKNOWN, "not known"),
        ("", Phase.UNKNOWN, "InternalError"),
    ],
)
def test_a_status_without_an_exit_code(api, steps, message, phase, words):
    api.on_exec = answers(internal(message))

    result = steps.run(EXEC, "pod/web", command=["x"])

    assert (result.phase, result.exit_code) == (phase, None)
    assert words in str(result.message)


@pytest.mark.parametrize("body", [b"{", b"", b'{"status": "Later"}'])
def test_a_status_that_says_nothing_is_none(api, steps, body):
    api.on_exec = answers((3, body))
    assert steps.run(EXEC, "pod/web", command="x").phase is Phase.UNKNOWN


@pytest.mark.parametrize(("status", "code"), [(403, ExitCode.FORBIDDEN), (401, ExitCode.UNREACHABLE), (500, 3)])
def test_a_refusal_has_the_servers_own_words(api, steps, status, code):
    async def refuse(request):
        return failure("pods/exec is forbidden: no", status)

    api.on_exec = refuse
    with pytest.raises(UserError) as caught:
        steps.run(EXEC, "pod/web", command="x")

    assert caught.value.code == code
    assert "no" in str(caught.value.message)


def test_cancelling_closes_the_stream_and_says_what_that_does_not_do(api, steps):
    closed = threading.Event()
    api.on_exec = answers((1, b"working\n"), wait=closed)

    def stop(event):
        steps.events.append(event)
        if isinstance(event, Output):
            steps.cancel.request()

    steps.on_event = stop
    result = steps.run(EXEC, "pod/web", command="x")

    assert result.phase is Phase.CANCELLED
    assert "may still run" in str(result.message)
    assert closed.wait(5)


def test_a_cancel_before_the_start_starts_nothing(api, steps):
    steps.cancel.request()
    result = steps.run(EXEC, "pod/web", command="x")
    assert (result.phase, api.asked("/exec")) == (Phase.CANCELLED, [])


def test_the_time_is_limited(api, steps):
    closed = threading.Event()
    api.on_exec = answers((1, b"half a line"), wait=closed)

    result = steps.run(EXEC, "pod/web", command="x", timeout="1500ms")

    assert result.phase is Phase.FAILED
    assert "1500ms" in str(result.message) and "may still run" in str(result.message)
    assert steps.text() == "half a line"
    assert closed.wait(5)


def test_output_is_whole_and_goes_into_the_variable(api, steps):
    data = "héllo 中文 ✓\n".encode()
    api.on_exec = answers(*((1, data[index : index + 1]) for index in range(len(data))), SUCCESS)

    result = steps.run(EXEC, "pod/web", command="x", output="WORD")

    assert steps.text() == "héllo 中文 ✓\n"
    assert result.context.variables == result.context.outputs == {"WORD": "héllo 中文 ✓"}


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"x" * (128 * 1024), "128 KiB"), (b"x" * (1024 * 1024), "128 KiB"), (b"a\0b", "NUL")],
)
def test_output_that_no_variable_can_hold_fails_the_step(api, steps, data, words):
    api.on_exec = answers((1, data), SUCCESS)

    result = steps.run(EXEC, "pod/web", command="x", output="WORD")

    assert (result.phase, result.exit_code) == (Phase.FAILED, 0)
    assert words in str(result.message)
    assert result.context.variables == {}


def query(path: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(path).query, keep_blank_values=True)


def test_a_ready_pod_is_picked_and_named(api, steps):
    leaving = pod("leaving")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    api.pods = {each["metadata"]["name"]: each for each in (pod("broken", ready=False), leaving, pod("good"))}
    api.on_exec = answers(SUCCESS)

    for target, config in (("deployment/web", {}), ("deploy/web", {}), ("web", {}), ("", {"selector": "app=web"})):
        steps.events.clear()
        assert steps.run(EXEC, target, command=["a b", "$x"], **config).phase is Phase.SUCCEEDED
        assert "/pods/good/exec" in api.asked("/exec")[-1]
        assert any("Picked pod good" in said for said in steps.notices())
        assert steps.argvs[0][1:3] == ("exec", "pod/good")
    asked = query(api.asked("/exec")[-1])
    assert [value for name, value in asked if name == "command"] == ["a b", "$x"]


def test_no_ready_pod_says_how_each_is(api, steps):
    waiting = {"name": "main", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    api.pods = {"one": pod("one", ready=False), "two": pod("two", False, phase="Pending", containerStatuses=[waiting])}

    with pytest.raises(UserError) as caught:
        steps.run(EXEC, "deployment/web", command="x")

    assert "one is Running" in str(caught.value.message)
    assert "two is Pending (Image cannot be pulled)" in str(caught.value.message)
    assert (caught.value.code, api.asked("/exec")) == (ExitCode.FAILED, [])


@pytest.mark.parametrize(
    ("wanted", "annotated", "used"),
    [("", "", "main"), ("", "side", "side"), ("", "gone", "main"), ("side", "", "side")],
)
def test_the_container(api, steps, wanted, annotated, used):
    api.pods["web"]["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": annotated}
    api.on_exec = answers(SUCCESS)

    steps.run(EXEC, "pod/web", command="x", container=wanted)

    assert ("container", used) in query(api.asked("/exec")[0])
    assert bool(steps.notices()) is (not wanted)


def test_a_container_that_is_not_there_lists_those_that_are(api, steps):
    with pytest.raises(UserError) as caught:
        steps.run(EXEC, "pod/web", command="x", container="gone")
    assert caught.value.field == "k8s_config.container"
    assert "main, side" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phase": "Succeeded"}, "Pod web does not run"),
        ({"phase": "Pending"}, "Pod web does not run"),
        (
            {"containerStatuses": [{"name": "main", "state": {"terminated": {"exitCode": 1}}}]},
            "Container main of pod web",
        ),
        ({"containerStatuses": [{"name": "main", "state": {"waiting": {}}}]}, "Container main of pod web"),
    ],
)
def test_what_does_not_run_cannot_be_entered(api, steps, changes, words):
    api.pods["web"] = pod(**changes)
    with pytest.raises(UserError) as caught:
        steps.run(EXEC, "pod/web", command="x")
    assert words in str(caught.value.title)
    assert api.asked("/exec") == []


def test_an_object_that_is_not_there_names_those_that_are(steps):
    with pytest.raises(UserError) as caught:
        steps.run(EXEC, "pod/wep", command="x")
    assert str(caught.value.title) == "pod/wep is not in namespace fe"
    assert "There are: web." in str(caught.value.hint)
    assert (caught.value.field, caught.value.code) == ("k8s_resource_name", ExitCode.FAILED)


def plan(target="pod/web", **config):
    step = PipelineStep(
        name="e", type=EXEC, k8s_cluster="c", k8s_namespace="fe", k8s_resource_name=target, k8s_config=config
    )
    return plan_step(
        step, ExecutionContext(working_directory="/w"), TOOLS, KubeTarget(kubeconfig="/k", context="c"), "/"
    )


def test_the_plan_is_the_same_kubectl_command():
    tail = ("--namespace", "fe", "--kubeconfig", "/k", "--context", "c", "--", "sh", "-c", "echo $HOME; exit 3")
    [command] = plan(command="echo $HOME; exit 3", container="side").commands
    assert command.argv == ("/opt/kubectl", "exec", "pod/web", "--container=side", *tail)
    assert copy_text(command).endswith("--context c -- sh -c 'echo $HOME; exit 3'")


def test_the_plan_with_a_selector_shows_how_the_pod_is_found():
    planned = plan("", command=["id"], selector="app=web")
    assert [command.argv[1:4] for command in planned.commands] == [
        ("get", "pods", "--selector=app=web"),
        ("exec", "pod/POD", "--namespace"),
    ]
    assert "app=web" in str(planned.notices[0])


@pytest.mark.parametrize(
    ("target", "config", "field"),
    [
        ("pod/web", {}, "k8s_config.command"),
        ("pod/web", {"command": "  \n"}, "k8s_config.command"),
        ("pod/web", {"command": []}, "k8s_config.command"),
        ("pod/web", {"command": "a\0b"}, "k8s_config.command"),
        ("pod/web", {"command": "x", "timeout": "never"}, "k8s_config.timeout"),
        ("pod/web", {"command": "x", "selector": "app=web"}, "k8s_resource_name"),
        ("", {"command": "x"}, "k8s_resource_name"),
        ("", {"command": "x", "selector": "--all"}, "k8s_config.selector"),
        ("", {"command": "x", "selector": "a;b"}, "k8s_config.selector"),
        ("pod/--all", {"command": "x"}, "k8s_resource_name"),
        ("pod/../secrets", {"command": "x"}, "k8s_resource_name"),
        ("--all", {"command": "x"}, "k8s_resource_name"),
        ("configmap/x", {"command": "x"}, "k8s_resource_name"),
        ("/x", {"command": "x"}, "k8s_resource_name"),
        ("pod/" + "x" * 300, {"command": "x"}, "k8s_resource_name"),
        ("pod/web", {"command": "x", "container": "-c"}, "k8s_config.container"),
        ("pod/web", {"command": "x", "output": "a-b"}, "k8s_config.output"),
    ],
)
def test_bad_input_names_its_field_and_runs_nothing(api, steps, target, config, field):
    for attempt in (lambda: plan(target, **config), lambda: steps.run(EXEC, target, **config)):
        with pytest.raises(UserError) as caught:
            attempt()
        assert caught.value.field == field
    assert api.requests == []
