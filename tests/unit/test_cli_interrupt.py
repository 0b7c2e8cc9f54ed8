"""Ctrl+C: the first asks, the second insists; the handler takes no lock and the old handlers come back."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from ansflow_desktop.commands.interrupt import run_cancellable
from ansflow_desktop.process import Cancel

LIMIT_S = 10


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_result_and_the_error_come_back() -> None:
    assert run_cancellable(lambda cancel: cancel.requested) is False
    with pytest.raises(ZeroDivisionError):
        run_cancellable(lambda cancel: 1 // 0)


def test_the_first_signal_asks_and_the_second_forces() -> None:
    told: list[int] = []

    def work(cancel: Cancel) -> tuple[bool, bool]:
        first, second = threading.Event(), threading.Event()
        with cancel.waking(lambda: (second if cancel.forced else first).set()):
            interrupt()
            assert first.wait(LIMIT_S)
            asked = (cancel.requested, cancel.forced)
            assert asked == (True, False)
            interrupt()
            assert second.wait(LIMIT_S)
        return cancel.requested, cancel.forced

    assert run_cancellable(work, told.append) == (True, True)
    assert told == [1, 2]


def test_the_handlers_are_as_before() -> None:
    before = (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
    run_cancellable(lambda cancel: None)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_away_from_the_main_thread_nothing_is_installed() -> None:
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(run_cancellable(lambda cancel: 7)))
    thread.start()
    thread.join(LIMIT_S)
    assert answers == [7]


def test_a_storm_of_signals_is_survived() -> None:
    def work(cancel: Cancel) -> bool:
        for _ in range(200):
            interrupt()
        return cancel.wait(LIMIT_S)

    assert run_cancellable(work) is True


def test_a_closed_terminal_asks_once_and_never_insists() -> None:
    told: list[int] = []

    def work(cancel: Cancel) -> tuple[bool, bool]:
        os.kill(os.getpid(), signal.SIGHUP)
        assert cancel.wait(LIMIT_S)
        os.kill(os.getpid(), signal.SIGHUP)
        interrupt()
        deadline = time.monotonic() + LIMIT_S
        while not cancel.forced and time.monotonic() < deadline:
            time.sleep(0.01)
        return cancel.requested, cancel.forced

    assert run_cancellable(work, told.append) == (True, True)
    assert told == [1, 2]


def test_a_hang_up_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:

        def work(cancel: Cancel) -> bool:
            os.kill(os.getpid(), signal.SIGHUP)
            interrupt()
            assert cancel.wait(LIMIT_S)
            return cancel.forced

        assert run_cancellable(work) is False
    finally:
        signal.signal(signal.SIGHUP, before)
