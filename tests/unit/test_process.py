"""ProcessRunner against real children, the stubborn ones too (recipes.md, "Child processes")."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.models.command import Command
from ansflow_desktop.process import Cancel, ProcessRunner, child_environment


def bash(script, tmp_path, **fields):
    return Command(argv=("/bin/bash", "-c", script), cwd=str(tmp_path), **fields)


def python(script, tmp_path, **fields):
    return Command(argv=(sys.executable, "-S", "-c", script), cwd=str(tmp_path), **fields)


def cancelling(word, cancel, times=1):
    """Return an on_output that asks for a cancel when `word` was written, and a list of what came."""
    seen = []

    def on_output(stream, text):
        seen.append((stream, text))
        if word in text:
            for _ in range(times):
                cancel.request()

    return on_output, seen


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(pid):
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return not alive(pid)


def test_output_exit_code_and_streams(tmp_path):
    seen = []
    result = ProcessRunner().run(bash("echo out; echo err >&2; exit 7", tmp_path), lambda *part: seen.append(part))
    assert (result.exit_code, result.stdout, result.stderr) == (7, "out\n", "err\n")
    assert sorted(seen) == [("stderr", "err\n"), ("stdout", "out\n")]
    assert not (result.cancelled or result.timed_out or result.truncated)


def test_without_capture_nothing_is_kept(tmp_path):
    seen = []
    result = ProcessRunner().run(bash("echo out", tmp_path), lambda *part: seen.append(part), capture=False)
    assert (result.stdout, seen) == ("", [("stdout", "out\n")])
    assert not result.truncated


def test_environment_is_merged_and_none_removes(tmp_path, monkeypatch):
    monkeypatch.setenv("ANSFLOW_A", "1")
    monkeypatch.setenv("ANSFLOW_B", "2")
    command = bash("echo ${ANSFLOW_A-none} $ANSFLOW_B $ANSFLOW_C", tmp_path, env={"ANSFLOW_A": None, "ANSFLOW_C": "3"})
    assert ProcessRunner().run(command).stdout == "none 2 3\n"
    assert "ANSFLOW_A" not in child_environment({"ANSFLOW_A": None})


def test_large_stdin_comes_through_whole(tmp_path):
    text = "0123456789abcdé\n" * 200_000
    result = ProcessRunner().run(Command(argv=("/bin/cat",), cwd=str(tmp_path), stdin=text))
    assert result.stdout == text


def test_stdin_that_nobody_reads_does_not_hang(tmp_path):
    assert ProcessRunner().run(bash("exit 3", tmp_path, stdin="x" * 5_000_000)).exit_code == 3


def test_stdin_is_closed_where_none_is_given(tmp_path):
    assert ProcessRunner().run(bash("cat; echo end", tmp_path)).stdout == "end\n"


def test_flood_on_both_streams_is_bounded_and_counted(tmp_path):
    script = "import sys\nfor s in (sys.stdout, sys.stderr):\n    s.write('y' * 3_000_000)"
    lengths = {"stdout": 0, "stderr": 0}

    def count(stream, text):
        lengths[stream] += len(text)

    result = ProcessRunner(capture_limit=1000).run(python(script, tmp_path), count)
    assert (len(result.stdout), len(result.stderr), result.truncated) == (1000, 1000, True)
    assert lengths == {"stdout": 3_000_000, "stderr": 3_000_000}


def test_truncation_is_told_when_the_limit_is_met_exactly_by_the_first_part(tmp_path):
    script = "import os\nos.write(1, b'x' * 10)\nos.read(0, 1)\nos.write(1, b'y')"
    seen = []
    command = python(script, tmp_path, stdin="g")
    result = ProcessRunner(capture_limit=10).run(command, lambda *part: seen.append(part))
    assert (result.stdout, result.truncated) == ("x" * 10, True)


def test_utf8_cut_between_two_writes_is_joined_and_bad_bytes_are_replaced(tmp_path):
    script = (
        "import os, sys\n"
        "data = '中文\\n'.encode()\n"
        "os.write(1, data[:2]); os.read(0, 1); os.write(1, data[2:] + b'\\xff\\n')"
    )
    seen = []
    result = ProcessRunner().run(python(script, tmp_path, stdin="g"), lambda _, text: seen.append(text))
    assert result.stdout == "中文\n\ufffd\n"
    assert "".join(seen) == result.stdout


def test_lines_are_delivered_whole(tmp_path):
    seen = []
    script = "import os\nfor i in range(3000): os.write(1, b'line %d\\n' % i)"
    ProcessRunner().run(python(script, tmp_path), lambda _, text: seen.append(text))
    assert all(text.endswith("\n") for text in seen)
    assert "".join(seen).splitlines() == [f"line {i}" for i in range(3000)]


def test_a_prompt_without_newline_is_shown_while_the_process_waits(tmp_path):
    cancel = Cancel()
    on_output, seen = cancelling("Password:", cancel)
    result = ProcessRunner().run(bash("printf Password:; sleep 30", tmp_path), on_output, cancel)
    assert result.cancelled
    assert seen == [("stdout", "Password:")]


def test_background_grandchild_holding_the_pipe_does_not_hang_and_is_ended(tmp_path):
    started = time.monotonic()
    result = ProcessRunner().run(bash("sleep 60 & echo $!; exit 0", tmp_path))
    assert time.monotonic() - started < 10
    assert result.exit_code == 0
    assert gone(int(result.stdout))


def test_grandchild_in_a_session_of_its_own_does_not_hang(tmp_path):
    result = ProcessRunner().run(bash("setsid sleep 60 & echo $!", tmp_path))
    pid = int(result.stdout)
    try:
        assert result.exit_code == 0
        assert result.duration_s < 10
    finally:
        os.kill(pid, signal.SIGKILL)
    assert gone(pid)


def test_output_already_written_is_read_though_the_reader_is_slow(tmp_path):
    """Each delivery takes longer than the drain: what lies in the other pipe must not be lost."""
    seen = []
    pause = threading.Event()

    def slow(stream, text):
        seen.append(text)
        pause.wait(0.35)

    result = ProcessRunner().run(bash("echo one; echo two >&2; sleep 60 & exit 0", tmp_path), slow)
    assert (result.stdout, result.stderr) == ("one\n", "two\n")
    assert sorted(seen) == ["one\n", "two\n"]


def test_cancel_sends_interrupt_first(tmp_path):
    cancel = Cancel()
    on_output, _ = cancelling("ready", cancel)
    script = "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.05; done"
    result = ProcessRunner().run(bash(script, tmp_path), on_output, cancel)
    assert (result.exit_code, result.cancelled) == (5, True)
    assert result.stdout == "ready\ninterrupted\n"


def test_what_ignores_interrupt_is_terminated_after_its_grace(tmp_path):
    cancel = Cancel()
    on_output, _ = cancelling("ready", cancel)
    script = "trap '' INT; trap 'echo terminated; exit 6' TERM; echo ready; while :; do sleep 0.05; done"
    result = ProcessRunner().run(bash(script, tmp_path, grace=0.2), on_output, cancel)
    assert (result.exit_code, result.stdout) == (6, "ready\nterminated\n")
    assert result.duration_s >= 0.2


def test_a_second_request_kills_at_once_what_ignores_everything(tmp_path):
    cancel = Cancel()
    on_output, _ = cancelling("ready", cancel, times=2)
    script = "trap '' INT TERM; echo ready; while :; do sleep 0.05; done"
    result = ProcessRunner().run(bash(script, tmp_path, grace=60.0), on_output, cancel)
    assert (result.exit_code, result.cancelled) == (-signal.SIGKILL, True)
    assert result.duration_s < 20


def test_cancel_reaches_the_whole_group(tmp_path):
    cancel = Cancel()
    on_output, seen = cancelling("pid", cancel)
    result = ProcessRunner().run(bash("sleep 60 & echo pid $!; wait", tmp_path), on_output, cancel)
    assert result.cancelled
    assert gone(int(seen[0][1].split()[1]))


def test_cancel_before_the_start_runs_nothing(tmp_path):
    cancel = Cancel()
    cancel.request()
    result = ProcessRunner().run(bash("touch ran", tmp_path), None, cancel)
    assert result.cancelled
    assert not (tmp_path / "ran").exists()


def test_cancel_from_another_thread_wakes_a_silent_process(tmp_path):
    cancel = Cancel()
    timer = threading.Timer(0.1, cancel.request)
    timer.start()
    result = ProcessRunner().run(bash("exec sleep 60", tmp_path), None, cancel)
    timer.join()
    assert (result.cancelled, result.exit_code) == (True, -signal.SIGINT)
    assert result.duration_s < 10


def test_a_late_request_does_not_write_into_a_descriptor_that_was_used_again(tmp_path):
    """A request copies its wakers before it calls them; the run may have ended in between."""
    cancel = Cancel()
    kept = []
    original = cancel.waking

    def remembering(wake):
        kept.append(wake)
        return original(wake)

    cancel.waking = remembering
    ProcessRunner().run(bash("true", tmp_path), None, cancel)
    pipes = [os.pipe() for _ in range(20)]
    try:
        for _, write in pipes:
            os.set_blocking(write, False)
        kept[0]()
        for read, _ in pipes:
            os.set_blocking(read, False)
            with pytest.raises(BlockingIOError):
                os.read(read, 1)
    finally:
        for pair in pipes:
            for fd in pair:
                os.close(fd)


def test_timeout_ends_the_process_and_is_told_apart_from_a_cancel(tmp_path):
    result = ProcessRunner().run(bash("exec sleep 60", tmp_path, timeout=0.1))
    assert (result.timed_out, result.cancelled, result.exit_code) == (True, False, -signal.SIGINT)


def test_an_error_in_the_listener_ends_the_process(tmp_path):
    pids = []

    def broken(_, text):
        pids.append(int(text))
        raise RuntimeError("listener")

    with pytest.raises(RuntimeError, match="listener"):
        ProcessRunner().run(bash("echo $$; exec sleep 60", tmp_path), broken)
    assert gone(pids[0])


def test_no_descriptor_is_left_open(tmp_path):
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(20):
        ProcessRunner().run(bash("true", tmp_path, stdin="x"))
        with pytest.raises(UserError):
            ProcessRunner().run(Command(argv=("/nonexistent/program",), cwd=str(tmp_path)))
    assert len(set(os.listdir("/proc/self/fd"))) == len(before)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("/nonexistent/program",), errno.ENOENT),
        (("/etc/passwd",), errno.EACCES),
        (("/bin/echo", "x" * 200_000), errno.E2BIG),
        (("/bin/echo", "a\0b"), "null byte"),
    ],
)
def test_what_cannot_be_started_is_an_error_with_the_systems_words(argv, words, tmp_path):
    with pytest.raises(UserError) as caught:
        ProcessRunner().run(Command(argv=argv, cwd=str(tmp_path)))
    # The C library may answer in the language that another test has set: ask it now.
    assert (words if isinstance(words, str) else os.strerror(words)) in str(caught.value.message)
    assert str(caught.value.hint)
    assert caught.value.code is ExitCode.FAILED


def test_missing_directory_is_named(tmp_path):
    with pytest.raises(UserError) as caught:
        ProcessRunner().run(bash("true", tmp_path / "gone"))
    assert str(caught.value.message) == str(tmp_path / "gone")


def test_paths_with_spaces_and_chinese(tmp_path):
    folder = tmp_path / "我的 文件夹"
    folder.mkdir()
    assert ProcessRunner().run(bash("pwd", folder)).stdout == f"{folder}\n"


def test_many_at_once_from_several_threads(tmp_path):
    results = {}

    def work(number):
        results[number] = ProcessRunner().run(bash(f"echo {number}", tmp_path)).stdout

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: f"{number}\n" for number in range(20)}


class TestNarrowed:
    def test_the_outer_request_reaches_the_inner(self):
        outer = Cancel()
        with outer.narrowed() as inner:
            outer.request()
            assert inner.requested
            assert not inner.forced
            outer.request()
            assert inner.forced

    def test_the_inner_request_stays_inside(self):
        outer = Cancel()
        with outer.narrowed() as inner:
            inner.request()
        assert not outer.requested

    def test_earlier_requests_count_once(self):
        outer = Cancel()
        outer.request()
        with outer.narrowed() as inner:
            assert (inner.requested, inner.forced) == (True, False)
        outer.request()
        with outer.narrowed() as inner:
            assert inner.forced
