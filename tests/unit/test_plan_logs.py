"""`k8s_logs`: whole over breaks, no line twice, gaps marked (failure-modes.md, row 27); bounded; where it goes."""

from __future__ import annotations

import asyncio
import datetime
import os
import random
import stat
import tracemalloc
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from step_kit import FakeApi, StepRun, failure, pod

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import logs_sink
from ansflow_desktop.executors.plan import plan_step
from ansflow_desktop.kube import logs_follow
from ansflow_desktop.kube.logs import LogRequest, Position
from ansflow_desktop.models.command import KubeTarget, Tool, ToolSet
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType
from ansflow_desktop.models.run import Output, Phase

LOGS = StepType.K8S_LOGS
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
TOOLS = ToolSet(kubectl=Tool(name="kubectl", path="/opt/kubectl", version="1.36.3"))


def stamped(count: int, step: float = 0.17, zone: str = "Z", text: str = "line {0} 中文") -> list[bytes]:
    """Return lines as the kubelet sends them with timestamps, `step` seconds apart."""
    found = []
    for number in range(count):
        time = START + datetime.timedelta(seconds=number * step)
        found.append(f"{time:%Y-%m-%dT%H:%M:%S.%f}000{zone} {text.format(number)}\n".encode())
    return found


def plain(lines: list[bytes]) -> str:
    return b"".join(line.split(b" ", 1)[1] for line in lines).decode()


class Log:
    """A container's log as the kubelet serves it, from a whole second on; cut after so many bytes, again and again."""

    def __init__(self, lines: list[bytes], cuts: list[int] | None = None, *, end: bool = True, after=None) -> None:
        self.lines, self.cuts = lines, list(cuts or [])
        self.end, self.after = end, after

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        data = b"".join(self._from(parse_qs(request.query_string)))
        cut = self.cuts.pop(0) if self.cuts else None
        await response.write(data[:cut])
        if self.after:
            self.after()
        if cut is not None and cut < len(data):
            await asyncio.sleep(0)
            request.transport.abort()
        elif not self.end:
            await asyncio.sleep(60)
        return response

    def _from(self, query: dict[str, list[str]]) -> list[bytes]:
        since = query.get("sinceTime", [""])[0].encode()
        chosen = [line for line in self.lines if line[:19] >= since[:19]]
        return chosen[-int(query["tailLines"][0]) :] if "tailLines" in query else chosen


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Try again at once, and look after the pod often."""
    monkeypatch.setattr(logs_follow.Backoff, "next", lambda self: 0.001)
    monkeypatch.setattr(logs_follow, "_POLL_S", 0.05)
    monkeypatch.setattr(logs_follow, "_DRAIN_S", 0.1)


@pytest.fixture
def api():
    with FakeApi() as made:
        yield made


@pytest.fixture
def steps(api, tmp_path):
    return StepRun(api, tmp_path)


def ended(api, name: str = "web") -> None:
    api.pods[name]["status"] |= {"phase": "Succeeded"}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("follow", [False, True])
def test_a_log_cut_at_random_bytes_is_whole_and_has_no_line_twice(api, steps, seed, follow):
    chance = random.Random(seed)
    zone = chance.choice(["Z", "+08:00"])
    lines = stamped(120, chance.choice([0.01, 0.17, 1.7]), zone)
    total = sum(map(len, lines))
    cuts = [chance.randrange(total) for _ in range(4 if not follow else 12)]
    api.on_log = Log(lines, cuts)
    if follow:
        ended(api)
        api.on_log.after = lambda: None if api.on_log.cuts else ended(api)
        api.pods["web"]["status"]["phase"] = "Running"

    result = steps.run(LOGS, "pod/web", follow=follow, timeout="20s")

    assert result.phase is Phase.SUCCEEDED, result.message
    assert steps.text() == plain(lines)
    assert "120 lines" in str(result.message)
    assert steps.notices("warning") == []
    assert all("sinceTime" in path for path in api.asked("/log")[1:] if cuts[0] > len(lines[0]))


def test_lines_out_of_order_are_neither_lost_nor_repeated(api, steps):
    lines = stamped(60, 0.05)
    for index in range(10, 50, 7):
        lines[index], lines[index + 3] = lines[index + 3], lines[index]
    api.on_log = Log(lines, [sum(map(len, lines[:count])) + 5 for count in (13, 26, 41)])

    steps.run(LOGS, "pod/web")

    assert steps.text() == plain(lines)


def test_a_rotated_log_marks_the_gap(api, steps):
    lines = stamped(40)
    log = api.on_log = Log(lines, [sum(map(len, lines[:20])) + 3])
    log.after = lambda: log.lines.__delitem__(slice(0, 25)) if len(log.lines) == 40 else None

    result = steps.run(LOGS, "pod/web")

    assert result.phase is Phase.SUCCEEDED
    assert steps.text() == plain(stamped(40)[:20] + stamped(40)[25:])
    assert any("may be missing" in said for said in steps.notices("warning"))


def test_a_log_that_breaks_off_for_good_keeps_what_came(api, steps, tmp_path):
    lines = stamped(10)
    api.on_log = Log(lines, [sum(map(len, lines[:4]))] + [1] * 20)

    result = steps.run(LOGS, "pod/web", to_file="kept.log")

    assert result.phase is Phase.FAILED
    assert (tmp_path / "kept.log").read_text() == plain(lines[:4])


def test_following_goes_on_in_the_next_run_of_the_container(api, steps):
    first, second = stamped(5), stamped(9, text="again {0}")[5:]
    log = api.on_log = Log(first)

    def restart():
        status = api.pods["web"]["status"]["containerStatuses"][0]
        if log.lines is second:
            ended(api)
        status |= {"containerID": "run-2", "restartCount": 1}
        log.lines = second

    log.after = restart
    result = steps.run(LOGS, "pod/web", follow=True, timeout="20s")

    assert result.phase is Phase.SUCCEEDED
    assert steps.text() == plain(first + second)
    assert any("started again" in said for said in steps.notices())
    assert steps.notices("warning") == []


@pytest.mark.parametrize("gone", [True, False])
def test_following_ends_with_its_pod_though_the_stream_does_not(api, steps, gone):
    """A simulated node never ends a followed log (recipes.md, "kwok")."""
    api.on_log = Log(stamped(3), end=False, after=lambda: api.pods.pop("web") if gone else ended(api))

    result = steps.run(LOGS, "pod/web", follow=True, timeout="30s")

    assert (result.phase, steps.text()) == (Phase.SUCCEEDED, plain(stamped(3)))


def test_following_for_a_time_is_a_success(api, steps):
    api.on_log = Log(stamped(3), end=False)
    result = steps.run(LOGS, "pod/web", follow=True, timeout="1500ms")
    assert (result.phase, steps.text()) == (Phase.SUCCEEDED, plain(stamped(3)))


def test_the_pattern_ends_following_at_its_line(api, steps):
    api.on_log = Log(stamped(9), end=False)

    result = steps.run(LOGS, "pod/web", until=r"line [3-5]\b", timeout="30s", output="LOG")

    assert result.phase is Phase.SUCCEEDED
    assert "Found: line 3 中文" in str(result.message)
    assert steps.text() == plain(stamped(4))
    assert result.context.outputs["LOG"] == plain(stamped(4)).rstrip("\n")


@pytest.mark.parametrize("over", [True, False])
def test_a_pattern_that_does_not_come_is_a_failure(api, steps, over):
    api.on_log = Log(stamped(3), end=over, after=lambda: ended(api) if over else None)

    result = steps.run(LOGS, "pod/web", until="nowhere", timeout="20s" if over else "1500ms", output="LOG")

    assert result.phase is Phase.FAILED
    assert "nowhere was not in the log" in str(result.message)
    assert result.context.outputs == {}


def test_a_container_that_does_not_start_is_waited_for_and_named(api, steps):
    waiting = {"name": "main", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    api.pods["web"] = pod(phase="Pending", containerStatuses=[waiting])

    async def not_yet(request):
        return failure('container "main" in pod "web" is waiting to start: ImagePullBackOff', 400)

    api.on_log = not_yet
    result = steps.run(LOGS, "pod/web", follow=True, timeout="1500ms")
    assert result.phase is Phase.FAILED
    assert "Image cannot be pulled" in str(result.message)

    with pytest.raises(UserError) as caught:
        steps.run(LOGS, "pod/web")
    assert "waiting to start" in str(caught.value.message)
    assert caught.value.code is ExitCode.FAILED


def test_cancelling_keeps_what_came(api, steps, tmp_path):
    api.on_log = Log(stamped(3), end=False)
    steps.on_event = lambda event: (steps.events.append(event), isinstance(event, Output) and steps.cancel.request())

    result = steps.run(LOGS, "pod/web", follow=True, timeout="30s", to_file="out.log")

    assert result.phase is Phase.CANCELLED
    assert (tmp_path / "out.log").read_text() == plain(stamped(3))


def test_all_pods_of_a_workload_are_read_with_their_names(api, steps):
    api.pods = {"one": pod("one"), "two": pod("two")}
    api.on_log = Log(stamped(2))

    result = steps.run(LOGS, "deployment/web", container="side", tail_lines=1, since="90s")

    assert result.phase is Phase.SUCCEEDED
    assert steps.text() == "[one/side] line 1 中文\n[two/side] line 1 中文\n"
    assert all("tailLines=1" in path and "sinceSeconds=90" in path for path in api.asked("/log"))


def test_one_pod_of_a_workload_needs_no_name_before_its_lines(api, steps):
    api.on_log = Log(stamped(1))
    steps.run(LOGS, "", selector="app=web")
    assert steps.text() == plain(stamped(1))


def test_the_file_replaces_the_old_one_at_the_end_only(api, steps, tmp_path):
    target, link = tmp_path / "real.log", tmp_path / "link.log"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    seen = []
    api.on_log = Log(stamped(2), after=lambda: seen.append(target.read_text()))

    result = steps.run(LOGS, "pod/web", to_file="link.log")

    assert seen == ["old"]
    assert target.read_text() == plain(stamped(2)) and link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert str(link) in str(result.message)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.log", "real.log"]


@pytest.mark.parametrize("name", ["folder", "gone/x.log", "pipe"])
def test_a_place_that_takes_no_file_is_refused_before_anything(api, steps, tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(UserError) as caught:
        steps.run(LOGS, "pod/web", to_file=name)

    assert caught.value.field == "k8s_config.to_file"
    assert api.requests == []


def test_a_full_disk_leaves_the_old_file(api, steps, tmp_path, monkeypatch):
    (tmp_path / "out.log").write_text("old")
    api.on_log = Log(stamped(2))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(logs_sink.os, "fsync", full)
    with pytest.raises(UserError) as caught:
        steps.run(LOGS, "pod/web", to_file="out.log")

    assert "No space left" in str(caught.value.message)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("out.log", "old")]


def test_the_variable_holds_the_newest_lines(api, steps):
    lines = stamped(5000, 0.001, text="{0} " + "x" * 60)
    api.on_log = Log(lines)

    result = steps.run(LOGS, "pod/web", output="LOG")

    held = result.context.outputs["LOG"]
    assert 120_000 < len(held) <= 128 * 1024
    assert plain(lines).endswith(held + "\n") and held[0].isdigit()
    assert any("newest 128 KiB" in said for said in steps.notices("warning"))


def test_a_storm_is_bounded(api, steps, tmp_path):
    line = b"2026-01-01T00:00:00.000000000Z " + b"x" * 200 + b"\n"
    chunk, count = line * 2000, 50

    async def storm(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(count):
            await response.write(chunk)
        return response

    api.on_log = storm
    shown = []
    steps.on_event = lambda event: shown.append(len(event.text)) if isinstance(event, Output) else None
    tracemalloc.start()
    try:
        result = steps.run(LOGS, "pod/web", to_file="storm.log", output="LOG")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert result.phase is Phase.SUCCEEDED
    assert (tmp_path / "storm.log").stat().st_size == 201 * 2000 * count  # 20 MB
    assert logs_sink.SHOWN_MOST <= sum(shown) < logs_sink.SHOWN_MOST + 4 * 1024 * 1024
    assert peak < 12 * 1024 * 1024, f"{peak} bytes"


def test_a_line_without_end_is_bounded_and_whole(api, steps):
    data = b"2026-01-01T00:00:00.000000000Z " + b"y" * 3_000_000 + b"\n"
    api.on_log = Log([data, *stamped(1)])
    steps.run(LOGS, "pod/web")
    assert steps.text() == "y" * 3_000_000 + "\n" + plain(stamped(1))


def test_carriage_returns_and_lines_without_a_time_stay(api, steps):
    lines = [stamped(1, text="10%\r20%\r")[0], b"no time here\n", b"\n", stamped(1, text="")[0]]
    api.on_log = Log(lines)
    steps.run(LOGS, "pod/web")
    assert steps.text() == "10%\r20%\r\nno time here\n\n\n"


def test_the_position_is_the_last_lines_second():
    position = Position()
    for line in stamped(8, 0.4, "+08:00"):
        position.take(line)
    assert position.since_time == "2026-01-01T00:00:02+08:00"
    path = LogRequest(namespace="n", pod="p", container="c", tail=5, follow=True).path(position.since_time)
    assert "sinceTime=2026-01-01T00%3A00%3A02%2B08%3A00" in path and "tailLines" not in path


def plan(target="pod/web", **config):
    step = PipelineStep(
        name="l", type=LOGS, k8s_cluster="c", k8s_namespace="fe", k8s_resource_name=target, k8s_config=config
    )
    return plan_step(
        step, ExecutionContext(working_directory="/w"), TOOLS, KubeTarget(kubeconfig="/k", context="c"), "/"
    )


@pytest.mark.parametrize(
    ("target", "config", "words"),
    [
        ("pod/web", {}, "pod/web"),
        ("pod/web", {"previous": True, "container": "c", "since": "5m", "tail_lines": 9},
         "pod/web --container=c --since=5m --tail=9 --previous"),
        ("sts/web", {"follow": True}, "statefulset/web --prefix --all-pods --max-log-requests=50 --follow"),
        ("", {"selector": "app=web"}, "--selector=app=web --prefix --tail=-1"),
        ("pod/web", {"until": "ready"}, "pod/web --follow"),
    ],
)  # fmt: skip
def test_the_plan_is_the_same_kubectl_command(target, config, words):
    [command] = plan(target, **config).commands
    assert " ".join(command.argv[1:]) == f"logs {words} --namespace fe --kubeconfig /k --context c"


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"until": "("}, "until"),
        ({"since": "1"}, "since"),
        ({"timeout": "0s"}, "timeout"),
        ({"tail_lines": -1}, "tail_lines"),
        ({"follow": True, "previous": True}, "previous"),
        ({"until": "x", "previous": True}, "previous"),
        ({"output": "1"}, "output"),
        ({"container": "A"}, "container"),
    ],
)
def test_bad_input_names_its_field_and_asks_nothing(api, steps, config, field):
    for attempt in (lambda: plan(**config), lambda: steps.run(LOGS, "pod/web", **config)):
        with pytest.raises(UserError) as caught:
            attempt()
        assert caught.value.field == f"k8s_config.{field}"
    assert api.requests == []
