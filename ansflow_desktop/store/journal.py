"""The journal of runs: what was meant to run is on disk before its first process starts (failure-modes.md, row 1).

One thread writes; `append` only queues, so that a storm of output waits for no disk.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Row, delete, func, insert, select, update

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.run import Phase, RunEvent
from ansflow_desktop.store.database import ERRORS, failure
from ansflow_desktop.store.identity import ProcessIdentity, is_alive, this_process
from ansflow_desktop.store.shared import Database
from ansflow_desktop.store.tables import events, runs

_log = logging.getLogger(__name__)
_BATCH = 500
_PAUSE_S = 0.1
KEPT_RUNS = 500
_DECODER: msgspec.json.Decoder[RunEvent] = msgspec.json.Decoder(RunEvent)


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run: times in epoch seconds (`finished` None: it runs, or its process died), and what it was about."""

    id: str
    pipeline: str
    started: float
    phase: Phase
    finished: float | None = None
    cluster: str = ""
    namespace: str = ""
    release: str = ""
    details: dict[str, Any] = {}
    process: ProcessIdentity = ProcessIdentity(0)


class Journal:
    """The database of runs; every method is safe from any thread. `notice` says what happened to a damaged file."""

    def __init__(self, database: Path) -> None:
        """Open or make the file; raises UserError where that is impossible or a newer version wrote it."""
        self.path = database
        self._database = Database(database)
        self.notice = self._database.notice
        self._queue: deque[RunEvent] = deque()
        self._seqs: dict[str, int] = {}
        self._writing = threading.Lock()
        self._wake = threading.Condition()
        self._closed = False
        self._writer: threading.Thread | None = None
        self.lost: UserError | None = None

    def begin(self, run_id: str, pipeline: str, details: Mapping[str, Any]) -> None:
        """Write that `run_id` begins in this process and wait until it is on disk.

        `details` is plain data without secrets; its `cluster`, `namespace` and `release` get columns of their own.
        Raises UserError where it cannot be written: nothing must be run then.
        """
        process = this_process()
        own = {name: str(details.get(name) or "") for name in ("cluster", "namespace", "release")}
        row = {
            "id": run_id,
            "pipeline": pipeline,
            "started": time.time(),
            "phase": Phase.RUNNING.value,
            "pid": process.pid,
            "process_started": process.started,
            "boot": process.boot,
            "details": _encode(details),
            **own,
        }
        self._write(insert(runs), [row], durable=True)

    def append(self, event: RunEvent) -> None:
        """Queue an event, already redacted; it is written within about 0.1 s. What fails is kept in `lost`."""
        with self._wake:
            self._queue.append(event)
            if self._writer is None and not self._closed:
                self._writer = threading.Thread(target=self._write_queue, name="journal", daemon=True)
                self._writer.start()
            self._wake.notify()

    def finish(self, run_id: str, phase: Phase) -> None:
        """Write all events and that `run_id` ended in `phase`; raises UserError where that cannot be written.

        The newest 500 runs are kept: older ones that have an end are then removed with their events.
        """
        self.flush()
        self._write(update(runs).where(runs.c.id == run_id).values(finished=time.time(), phase=phase.value), None)
        newest = select(runs.c.id).order_by(runs.c.started.desc()).limit(KEPT_RUNS)
        self._write(delete(runs).where(runs.c.finished.is_not(None), runs.c.id.not_in(newest)), None)

    def flush(self) -> None:
        """Write all queued events now; what fails is kept in `lost`."""
        try:
            while self._write_batch():
                pass
        except UserError as error:
            self._give_up(error)

    def runs(self, limit: int = 100) -> list[RunRecord]:
        """Return the newest runs first, at most `limit`; raises UserError."""
        return [_record(row) for row in self._read(select(runs).order_by(runs.c.started.desc()).limit(limit))]

    def run(self, run_id: str) -> RunRecord | None:
        """Return one run, None where there is none; raises UserError."""
        found = self._read(select(runs).where(runs.c.id == run_id))
        return _record(found[0]) if found else None

    def events(self, run_id: str) -> list[RunEvent]:
        """Return the events of a run in order; those of a newer version are left out. Raises UserError."""
        rows = self._read(select(events.c.json).where(events.c.run == run_id).order_by(events.c.seq))
        return [event for event in (_decode(row.json) for row in rows) if event is not None]

    def unfinished(self) -> list[RunRecord]:
        """Return the runs that have no end and whose process is gone, oldest first; raises UserError."""
        open_runs = self._read(select(runs).where(runs.c.finished.is_(None)).order_by(runs.c.started))
        return [record for record in map(_record, open_runs) if not is_alive(record.process)]

    def close(self) -> None:
        """Write what is queued and close the file; a second call does nothing."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._writer is not None:
            self._writer.join()
        self.flush()
        self._database.close()

    def _write_queue(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._closed)
                if self._closed:
                    return
                self._wake.wait_for(lambda: len(self._queue) >= _BATCH or self._closed, timeout=_PAUSE_S)
            self.flush()

    def _write_batch(self) -> bool:
        with self._writing:
            batch = [self._queue.popleft() for _ in range(min(_BATCH, len(self._queue)))]
            if batch:
                self._write(insert(events), [self._event_row(event) for event in batch])
            return bool(batch)

    def _event_row(self, event: RunEvent) -> dict[str, Any]:
        if event.run not in self._seqs:
            rows = self._read(select(func.max(events.c.seq)).where(events.c.run == event.run))
            self._seqs[event.run] = rows[0][0] or 0
        self._seqs[event.run] += 1
        kind = str(event.__struct_config__.tag)
        data = _encode(event)
        return {"run": event.run, "seq": self._seqs[event.run], "time": event.time, "type": kind, "json": data}

    def _give_up(self, error: UserError) -> None:
        """Note what could not be written; the run itself goes on."""
        if self.lost is None:
            _log.error("events of a run could not be written", extra={"reason": str(error)})
        self.lost = error

    def _write(self, statement: Any, rows: Sequence[dict[str, Any]] | None, durable: bool = False) -> None:
        try:
            with self._database.writing(durable=durable) as connection:
                connection.execute(statement, rows)
        except ERRORS as error:
            raise failure(self.path, error) from error

    def _read(self, statement: Any) -> Sequence[Row[Any]]:
        try:
            return self._database.read(statement)
        except ERRORS as error:
            raise failure(self.path, error) from error


def _record(row: Row[Any]) -> RunRecord:
    return RunRecord(
        id=row.id,
        pipeline=row.pipeline,
        started=row.started,
        finished=row.finished,
        phase=Phase(row.phase),
        cluster=row.cluster,
        namespace=row.namespace,
        release=row.release,
        details=msgspec.json.decode(row.details, type=dict[str, Any]),
        process=ProcessIdentity(row.pid, row.process_started, row.boot),
    )


def _encode(value: object) -> str:
    """Return `value` as JSON; what is no Unicode (bytes of a file name that are not UTF-8) becomes question marks."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
        return text.encode("utf-8", "replace").decode()


def _decode(data: str) -> RunEvent | None:
    try:
        return _DECODER.decode(data)
    except msgspec.ValidationError:
        return None
