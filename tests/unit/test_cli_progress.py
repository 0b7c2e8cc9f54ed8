"""A run's events as text, lines and a document."""

from __future__ import annotations

import io
import json

import pytest

from ansflow_desktop.commands.output import Format, Output
from ansflow_desktop.commands.practice import ProgressLines
from ansflow_desktop.commands.progress import DocumentReporter, LineReporter, TextReporter, reporter, short_time
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.release import Release, ReleaseStatus
from ansflow_desktop.models.run import (
    ClusterEvent,
    CommandStarted,
    Health,
    Notice,
    Phase,
    ResourceChanged,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from ansflow_desktop.models.run import (
    Output as OutputEvent,
)
from ansflow_desktop.practice.progress import Progress

RELEASE = Release(
    name="web",
    namespace="fe",
    revision=2,
    updated="2026-01-01T00:00:00.123Z",
    status=ReleaseStatus.DEPLOYED,
    chart="web-1",
)


def at(**fields) -> dict:
    return {"time": 1.0, "run": "r1", "step": "deploy", **fields}


def pod(health: Health, message: str) -> ResourceChanged:
    return ResourceChanged(**at(kind="Pod", namespace="fe", name="web-1", health=health, message=message))


STORY = (
    RunStarted(time=1, run="r1", pipeline="p", steps=("enter", "deploy")),
    StepStarted(**at(step_type="k8s_deploy", timeout=300)),
    CommandStarted(**at(argv=("/opt/helm", "upgrade", "a b"), cwd="/charts")),
    OutputEvent(**at(stream="stdout", text="working\x1b[2K\n")),
    pod(Health.PROGRESSING, "0 of 1 ready"),
    pod(Health.PROGRESSING, "0 of 1 ready"),
    pod(Health.HEALTHY, "Ready"),
    ClusterEvent(**at(kind="Pod", namespace="fe", name="web-1", reason="Pulled", message="fine")),
    ClusterEvent(**at(kind="Pod", namespace="fe", name="web-1", reason="Failed", message="no image", warning=True)),
    ClusterEvent(**at(kind="Pod", namespace="fe", name="web-1", reason="Failed", message="no image", warning=True)),
    Notice(**at(level="debug", message=msg("Only with --log-level debug"))),
    Notice(**at(level="warning", message=msg("Look out"))),
    StepFinished(
        **at(phase=Phase.SUCCEEDED, exit_code=0, duration_s=1.25, message="Well done.", hint="", release=RELEASE)
    ),
    RunFinished(time=2, run="r1", phase=Phase.SUCCEEDED),
)


@pytest.fixture
def streams():
    return io.StringIO(), io.StringIO()


def test_the_story_as_text(streams) -> None:
    report = TextReporter(Output(Format.TEXT, *streams), "warning")
    for event in STORY:
        report.emit(event)
    report.close()
    assert streams[0].getvalue().splitlines() == [
        "Step 2 of 2: deploy (k8s_deploy)",
        "In /charts:",
        "$ helm upgrade 'a b'",
        "working",
        "  Pod/web-1  Progressing  0 of 1 ready",
        "  Pod/web-1  Healthy  Ready",
        "  ! Pod/web-1  Failed: no image",
        "",
        "NAME  NAMESPACE  CHART  APP VERSION  REVISION  STATUS    UPDATED",
        "web   fe         web-1               2         deployed  2026-01-01T00:00:00Z",
        "",
        "deploy: Succeeded after 1.2 s",
        "  Well done.",
        "Run: Succeeded",
    ]
    assert streams[1].getvalue() == "Look out\n"


def test_debug_notices_with_the_level_debug(streams) -> None:
    report = TextReporter(Output(Format.TEXT, *streams), "debug")
    for event in STORY:
        report.emit(event)
    assert "Only with --log-level debug" in streams[1].getvalue()


def test_every_event_is_a_line_with_jsonl(streams) -> None:
    report = LineReporter(Output(Format.JSONL, *streams))
    for event in STORY:
        report.emit(event)
    lines = [json.loads(line) for line in streams[0].getvalue().splitlines()]
    assert [line["type"] for line in lines][:5] == [
        "run_started",
        "step_started",
        "command_started",
        "output",
        "resource",
    ]
    assert len(lines) == len(STORY)
    assert lines[-2]["release"]["name"] == "web"


def test_one_document_with_json(streams) -> None:
    report = DocumentReporter(Output(Format.JSON, *streams))
    for event in STORY:
        report.emit(event)
    assert streams[0].getvalue() == ""
    report.close()
    document = json.loads(streams[0].getvalue())
    assert (document["run"], document["phase"]) == ("r1", "Succeeded")
    assert document["steps"][0]["release"]["revision"] == 2
    assert streams[1].getvalue() == "Look out\n"


@pytest.mark.parametrize(
    ("form", "kind"), [(Format.TEXT, TextReporter), (Format.JSON, DocumentReporter), (Format.JSONL, LineReporter)]
)
def test_the_form_chooses_the_reporter(form: Format, kind: type, streams) -> None:
    assert type(reporter(Output(form, *streams), "info")) is kind


def test_times_are_cut_to_seconds() -> None:
    assert short_time("2026-01-01T00:00:00.999Z") == "2026-01-01T00:00:00Z"
    assert short_time("2026-01-01T00:00:00Z") == "2026-01-01T00:00:00Z"
    assert short_time("") == ""


def test_many_reports_become_few_lines() -> None:
    lines: list[str] = []
    write = ProgressLines(lines.append)
    for percent in range(101):
        write(Progress(tool="etcd", what=msg("Downloading"), fraction=percent / 100))
    for second in range(25):
        write(Progress(tool="helm", what=msg("Building"), elapsed_s=second))
    assert lines[0] == "etcd: Downloading 0 %"
    assert lines[10] == "etcd: Downloading 100 %"
    assert lines[11:] == ["helm: Building", "helm: Building (10 s)", "helm: Building (20 s)"]
