"""Runs and calls off the window's thread, with real shells: order, batches, cancel, and objects that die early."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading

import pytest
from PySide6.QtCore import QObject, QThread, Slot

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors import worker
from ansflow_desktop.executors.runner import PipelineRunner, RunOutcome
from ansflow_desktop.executors.shell import ShellStepExecutor
from ansflow_desktop.executors.worker import CallThread, RunThread, joined
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import Pipeline, PipelineStep, StepType
from ansflow_desktop.models.run import Notice, Output, Phase, RunFinished, RunStarted, StepFinished
from ansflow_desktop.paths import Directories
from ansflow_desktop.store.journal import Journal


class Recorder(QObject):
    """Keeps what was signalled, in order, and the threads on which it came."""

    def __init__(self):
        super().__init__()
        self.batches = []
        self.ends = []
        self.threads = set()
        self.after_end = 0

    @Slot(object)
    def on_events(self, events):
        self.threads.add(QThread.currentThread())
        self.after_end += bool(self.ends)
        self.batches.append(events)

    @Slot(object)
    def on_finished(self, answer):
        self.threads.add(QThread.currentThread())
        self.ends.append(answer)

    @property
    def events(self):
        return [event for batch in self.batches for event in batch]

    @property
    def text(self):
        return "".join(event.text for event in self.events if isinstance(event, Output))


@pytest.fixture
def runner(tmp_path):
    directories = Directories(data=tmp_path / "data", tools=tmp_path)
    journal = Journal(directories.database)
    yield PipelineRunner({StepType.SHELL: ShellStepExecutor()}, journal, ToolSet(), None, directories)
    worker._held.stop_all()
    journal.close()


def pipeline(folder, *commands):
    steps = tuple(
        PipelineStep(name=f"s{number}", type=StepType.SHELL, command=command) for number, command in enumerate(commands)
    )
    return Pipeline(name="p", steps=steps, folder=str(folder))


def start(runner, pipeline, **options):
    thread, recorder = RunThread(runner, pipeline, **options), Recorder()
    thread.events_ready.connect(recorder.on_events)
    thread.finished.connect(recorder.on_finished)
    thread.start()
    return thread, recorder


def finish(qtbot, recorder):
    qtbot.waitUntil(lambda: bool(recorder.ends), timeout=30_000)
    return recorder.ends[0]


def test_events_come_in_order_on_the_windows_thread_and_the_end_last(qtbot, runner, tmp_path):
    thread, recorder = start(runner, pipeline(tmp_path, "echo a; echo b", "echo c"))
    outcome = finish(qtbot, recorder)
    assert isinstance(outcome, RunOutcome)
    assert (outcome.phase, outcome.exit_code) == (Phase.SUCCEEDED, ExitCode.DONE)
    assert isinstance(recorder.events[0], RunStarted)
    assert isinstance(recorder.events[-1], RunFinished)
    assert recorder.text == "a\nb\nc\n"
    assert recorder.threads == {QThread.currentThread()}
    assert (recorder.after_end, len(recorder.ends)) == (0, 1)
    assert not thread.running
    thread.close()


def test_a_storm_of_output_comes_whole_in_few_batches(qtbot, runner, tmp_path):
    _, recorder = start(runner, pipeline(tmp_path, "for i in {1..20000}; do echo line $i; done"))
    finish(qtbot, recorder)
    assert recorder.text == "".join(f"line {number}\n" for number in range(1, 20001))
    assert len(recorder.events) < 1000


def test_cancel_from_the_windows_thread_takes_effect_at_once(qtbot, runner, tmp_path):
    thread, recorder = start(runner, pipeline(tmp_path, "echo ready; sleep 60", "echo never"))
    qtbot.waitUntil(lambda: "ready" in recorder.text, timeout=30_000)
    thread.cancel()
    assert finish(qtbot, recorder).exit_code is ExitCode.CANCELLED
    phases = [event.phase for event in recorder.events if isinstance(event, StepFinished)]
    assert phases == [Phase.CANCELLED, Phase.SKIPPED]


def test_cancel_before_the_start_runs_nothing(qtbot, runner, tmp_path):
    thread, recorder = RunThread(runner, pipeline(tmp_path, "touch ran")), Recorder()
    thread.finished.connect(recorder.on_finished)
    thread.cancel()
    thread.start()
    assert finish(qtbot, recorder).phase is Phase.CANCELLED
    assert not (tmp_path / "ran").exists()


def test_what_cannot_be_run_ends_with_its_error(qtbot, runner, tmp_path):
    _, recorder = start(runner, pipeline(tmp_path / "gone", "true"))
    error = finish(qtbot, recorder)
    assert isinstance(error, UserError)
    assert "does not exist" in str(error.title)
    assert recorder.batches == []


def test_an_unexpected_exception_ends_as_a_user_error(qtbot, tmp_path, caplog):
    class Broken:
        def run(self, *_, **__):
            raise ZeroDivisionError("oops")

    _, recorder = start(Broken(), pipeline(tmp_path, "true"))
    error = finish(qtbot, recorder)
    assert isinstance(error, UserError)
    assert error.message == "ZeroDivisionError: oops"
    assert "call off the window's thread failed" in caplog.text


def test_options_reach_the_runner(qtbot, runner, tmp_path):
    _, recorder = start(runner, pipeline(tmp_path, "echo a", "echo $V"), only="s1", variables={"V": "given"})
    finish(qtbot, recorder)
    assert recorder.text == "given\n"


def test_started_twice_it_runs_once(qtbot, runner, tmp_path):
    thread, recorder = start(runner, pipeline(tmp_path, "echo once"))
    thread.start()
    finish(qtbot, recorder)
    thread.start()
    assert recorder.text == "once\n"
    assert len(recorder.ends) == 1


def test_deleted_in_mid_run_it_cancels_and_the_thread_ends_by_itself(qtbot, runner, tmp_path):
    parent = QObject()
    thread, recorder = RunThread(runner, pipeline(tmp_path, "echo $$ > pid; sleep 60"), parent), Recorder()
    thread.finished.connect(recorder.on_finished)
    thread.start()
    inner = thread._thread
    qtbot.waitUntil(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()), timeout=30_000)
    del thread, parent
    gc.collect()
    qtbot.waitUntil(lambda: not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}"), timeout=30_000)
    inner.quit()
    assert inner.wait(30_000)
    assert recorder.ends == []


def test_close_in_mid_run_cancels_and_waits(qtbot, runner, tmp_path):
    thread, recorder = start(runner, pipeline(tmp_path, "echo ready; sleep 60"))
    qtbot.waitUntil(lambda: "ready" in recorder.text, timeout=30_000)
    thread.close()
    assert thread._thread.isFinished()


def test_a_hundred_runs_leave_nothing_behind(qtbot, runner, tmp_path):
    def one():
        thread, recorder = start(runner, pipeline(tmp_path, "true"))
        finish(qtbot, recorder)
        thread.close()
        thread.deleteLater()

    for _ in range(5):
        one()
    before = (len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd")))
    for _ in range(100):
        one()
    gc.collect()
    after = (len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd")))
    assert after[0] <= before[0]
    assert after[1] <= before[1] + 2
    assert len(worker._held._pairs) <= 2


def test_the_interpreter_ends_with_a_run_under_way(tmp_path):
    script = f"""
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer
from ansflow_desktop.executors.runner import PipelineRunner
from ansflow_desktop.executors.shell import ShellStepExecutor
from ansflow_desktop.executors.worker import RunThread
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import Pipeline, PipelineStep, StepType
from ansflow_desktop.paths import Directories
from ansflow_desktop.store.journal import Journal
folder = Path({str(tmp_path)!r})
directories = Directories(data=folder / "data", tools=folder)
journal = Journal(directories.database)
runner = PipelineRunner({{StepType.SHELL: ShellStepExecutor()}}, journal, ToolSet(), None, directories)
step = PipelineStep(name="a", type=StepType.SHELL, command="echo x; sleep 60")
app = QCoreApplication(sys.argv)
thread = RunThread(runner, Pipeline(name="p", steps=(step,), folder=str(folder)))
thread.events_ready.connect(lambda events: app.quit() if any(hasattr(e, "text") for e in events) else None)
thread.start()
sys.exit(app.exec())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


class TestJoined:
    def out(self, text, step="s", stream="stdout"):
        return Output(time=1.0, run="r", step=step, stream=stream, text=text)

    def test_neighbours_of_one_stream_are_one(self):
        events = [self.out("a"), self.out("b"), self.out("c", stream="stderr"), self.out("d"), self.out("e")]
        assert [event.text for event in joined(events)] == ["ab", "c", "de"]

    def test_what_stands_between_keeps_its_place(self):
        notice = Notice(time=1.0, run="r", level="info", message=msg("x"))
        events = [self.out("a"), notice, self.out("b"), self.out("c", step="t")]
        assert joined(events) == events

    def test_nothing(self):
        assert joined([]) == []


class Answers(QObject):
    def __init__(self):
        super().__init__()
        self.got = []
        self.threads = set()

    @Slot(int, object)
    def on_answer(self, number, answer):
        self.threads.add(QThread.currentThread())
        self.got.append((number, answer))


@pytest.fixture
def calls(qtbot):
    thread, answers = CallThread(), Answers()
    thread.answered.connect(answers.on_answer)
    yield thread, answers
    thread.close()


class TestCalls:
    def test_they_run_off_the_windows_thread_and_are_answered_on_it(self, qtbot, calls):
        thread, answers = calls
        thread.call(1, threading.get_ident)
        qtbot.waitUntil(lambda: bool(answers.got), timeout=10_000)
        assert answers.got[0][0] == 1
        assert answers.got[0][1] != threading.get_ident()
        assert answers.threads == {QThread.currentThread()}

    def test_the_latest_wins(self, qtbot, calls):
        thread, answers = calls
        begun, go, ran = threading.Event(), threading.Event(), []

        def slow():
            begun.set()
            go.wait(10)
            return "stale"

        thread.call(1, slow)
        assert begun.wait(10)
        for number in range(2, 6):
            thread.call(number, lambda number=number: ran.append(number) or number)
        go.set()
        qtbot.waitUntil(lambda: bool(answers.got), timeout=10_000)
        assert answers.got == [(5, 5)]
        assert ran == [5]

    def test_errors_are_answers(self, qtbot, calls):
        thread, answers = calls
        error = UserError(msg("Wrong"))

        def refuse():
            raise error

        thread.call(1, refuse)
        qtbot.waitUntil(lambda: len(answers.got) == 1, timeout=10_000)
        thread.call(2, lambda: 1 / 0)
        qtbot.waitUntil(lambda: len(answers.got) == 2, timeout=10_000)
        assert answers.got[0] == (1, error)
        assert isinstance(answers.got[1][1], UserError)

    def test_closed_it_answers_no_more(self, qtbot, calls):
        thread, answers = calls
        begun, go = threading.Event(), threading.Event()

        def slow():
            begun.set()
            return go.wait(10)

        thread.call(1, slow)
        assert begun.wait(10)
        go.set()
        thread.close()
        assert thread._thread.isFinished()
        qtbot.wait(1)
        assert answers.got == []

    def test_closed_before_any_call(self):
        CallThread().close()

    def test_deleted_with_a_call_under_way(self, qtbot):
        begun, go = threading.Event(), threading.Event()

        def slow():
            begun.set()
            return go.wait(10)

        thread = CallThread()
        thread.call(1, slow)
        inner = thread._thread
        assert begun.wait(10)
        del thread
        gc.collect()
        go.set()
        qtbot.waitUntil(lambda: not inner.isRunning() or inner.quit() or False, timeout=10_000)
        assert inner.wait(10_000)

    def test_many_threads_leave_nothing_behind(self, qtbot):
        def one(number):
            thread, answers = CallThread(), Answers()
            thread.answered.connect(answers.on_answer)
            thread.call(number, lambda: number)
            qtbot.waitUntil(lambda: bool(answers.got), timeout=10_000)
            thread.close()
            thread.deleteLater()

        def threads() -> int:
            return len(os.listdir("/proc/self/task"))

        one(0)
        before = threads()
        for number in range(50):
            one(number)
        # Earlier tests' daemon threads may still be on their way in or out; fifty that stayed are a leak.
        qtbot.waitUntil(lambda: threads() <= before + 2, timeout=10_000)
