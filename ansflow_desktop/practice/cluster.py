"""Practice clusters: start, stop, status, list, remove; several side by side, each in a folder of its own.

A cluster is `<data>/practice/<name>/`: `kubeconfig`, `cluster.json`, `etcd/` (its whole state), `pki/`, `logs/`.
Every start writes the programs' configuration anew, so a new version of a tool, ports that somebody else took over a
restart, or another choice about exec are followed by themselves, while the state stays. Whatever a crash left running
is found by its command line (daemons.py) and ended first.

Every method may be called from any thread and blocks; a lock file a cluster holds off other threads and processes.
How pods can be made to fail for a rehearsal is told in simulation.py.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.practice import components, daemons, locks, pins, pki, simulation, tools
from ansflow_desktop.practice.api import Api
from ansflow_desktop.practice.components import Layout, Ports
from ansflow_desktop.practice.names import check_name
from ansflow_desktop.practice.progress import Progress
from ansflow_desktop.process import Cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    OnProgress = Callable[[Progress], None]

DEFAULT_NAME = "practice"
"""The cluster that is meant when no name is given."""

_READY_S = 60.0
_POLL_S = 0.05
_ATTEMPTS = 3
_LOG_TAIL = 2000
_MOST_NODES = 1000


class PracticeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A practice cluster: is it `running`, the API `server`'s address, and may `exec` run on this machine.

    `kubeconfig` holds one context called `name`; while the cluster is stopped its server does not answer.
    """

    name: str
    kubeconfig: Path
    running: bool
    server: str = ""
    exec_enabled: bool = False


class _State(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a cluster between calls."""

    ports: Ports
    nodes_address: str = components.LOOPBACK
    exec_enabled: bool = False
    nodes: int = 3


class PracticeClusters:
    """The practice clusters below one data directory."""

    def __init__(self, directories: paths.Directories) -> None:
        """Keep the directories; nothing is created or started."""
        self._tools = directories.tools
        self._root = directories.practice

    def start(
        self,
        name: str = DEFAULT_NAME,
        exec_on_this_machine: bool = False,
        nodes: int = 3,
        on_progress: OnProgress | None = None,
        cancel: Cancel | None = None,
    ) -> PracticeInfo:
        """Start cluster `name` and return once its nodes are ready; a running one is left alone.

        Missing tools are downloaded or built first. With `exec_on_this_machine`, `kubectl exec` runs commands on the
        user's own machine. `nodes` is 1 to 1000; a cluster never gets fewer than it has. Raises UserError for a bad
        name or number, tools that cannot be had, a start that fails, and when `cancel` came first.
        """
        check_name(name)
        _check_nodes(nodes)
        report = on_progress or _ignore
        tools.ensure(self._tools, pins.CLUSTER_TOOLS, report, cancel)
        with self._locked(name, report, cancel):
            layout = self._layout(name)
            state = self._read(layout)
            if state and state.exec_enabled == exec_on_this_machine and self._serves(layout, state):
                grown = msgspec.structs.replace(state, nodes=max(nodes, state.nodes))
                return self._settle(name, layout, grown, cancel)
            report(Progress(tool=name, what=msg("Starting the practice cluster")))
            self._end(layout)
            fresh = _State(
                ports=components.free_ports(state.ports if state else None),
                nodes_address=components.node_address(exec_on_this_machine),
                exec_enabled=exec_on_this_machine,
                nodes=max(nodes, state.nodes if state else 0),
            )
            return self._begin(name, layout, fresh, cancel)

    def stop(self, name: str = DEFAULT_NAME) -> None:
        """Stop cluster `name`, keeping its state; a stopped one is left alone. Raises UserError for an unknown one."""
        check_name(name)
        with self._locked(name):
            self._existing(name)
            self._end(self._layout(name))

    def status(self, name: str = DEFAULT_NAME) -> PracticeInfo:
        """Return what cluster `name` is doing. Raises UserError for an unknown one."""
        check_name(name)
        return self._info(name, self._existing(name))

    def list(self) -> list[PracticeInfo]:
        """Return all practice clusters, sorted by name."""
        states = {name: self._read(self._layout(name)) for name in self._names()}
        return [self._info(name, state) for name, state in states.items() if state]

    def remove(self, name: str = DEFAULT_NAME) -> None:
        """Stop cluster `name` and delete everything it held. Raises UserError for an unknown one."""
        check_name(name)
        with self._locked(name):
            layout = self._layout(name)
            if not layout.folder.is_dir():
                raise _unknown(name, self._names())
            self._end(layout)
            shutil.rmtree(layout.folder)

    def _begin(self, name: str, layout: Layout, state: _State, cancel: Cancel | None) -> PracticeInfo:
        """Start all programs; new ports are tried when somebody takes one between the choice and the start."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._launch(name, layout, state, cancel)
            except _PortTaken:
                self._end(layout)
                state = msgspec.structs.replace(state, ports=components.free_ports())
                if attempt == _ATTEMPTS:
                    raise
            except BaseException:
                self._end(layout)
                raise
        raise AssertionError

    def _launch(self, name: str, layout: Layout, state: _State, cancel: Cancel | None) -> PracticeInfo:
        paths.make_private(layout.folder)
        paths.make_private(layout.etcd)
        paths.make_private(layout.logs)
        pki.ensure(layout, self._program("helm"))
        pki.write_kubeconfig(layout, name, state.ports)
        simulation.write_configuration(layout, state.exec_enabled)
        pki.write_private(layout.state, msgspec.json.encode(state).decode())
        _rotate(layout)
        programs = {program: self._program(program) for program in components.PROGRAMS}
        starts = components.starts(layout, programs, state.ports, state.nodes_address)
        first = len(components.FIRST)
        daemons.start(layout.folder, starts[:first])
        _wait(layout, _api(layout, state).ready, cancel, components.FIRST)
        daemons.start(layout.folder, starts[first:])
        return self._settle(name, layout, state, cancel)

    def _settle(self, name: str, layout: Layout, state: _State, cancel: Cancel | None) -> PracticeInfo:
        api = _api(layout, state)
        stop = cancel or Cancel()
        place = simulation.Place(address=state.nodes_address, port=state.ports.nodes)
        _wait(layout, lambda: simulation.populate(api, state.nodes, place, state.exec_enabled, stop), cancel)
        _wait(layout, lambda: simulation.is_settled(api, state.nodes), cancel)
        pki.write_private(layout.state, msgspec.json.encode(state).decode())
        return self._info(name, state)

    def _serves(self, layout: Layout, state: _State) -> bool:
        return _complete(layout) and _api(layout, state).ready()

    def _end(self, layout: Layout) -> None:
        for programs in components.STOP_ORDER:
            daemons.stop(layout.folder, programs)

    def _info(self, name: str, state: _State) -> PracticeInfo:
        layout = self._layout(name)
        return PracticeInfo(
            name=name,
            kubeconfig=layout.kubeconfig,
            running=_complete(layout),
            server=pki.server(state.ports),
            exec_enabled=state.exec_enabled,
        )

    def _program(self, name: str) -> Path:
        path = tools.tool_path(self._tools, name)
        assert path, name
        return path

    def _layout(self, name: str) -> Layout:
        return Layout(folder=self._root.resolve() / name)

    def _names(self) -> tuple[str, ...]:
        with contextlib.suppress(OSError):
            return tuple(sorted(entry.name for entry in self._root.iterdir() if _is_cluster_folder(entry)))
        return ()

    def _existing(self, name: str) -> _State:
        state = self._read(self._layout(name))
        if state is None:
            raise _unknown(name, self._names())
        return state

    def _read(self, layout: Layout) -> _State | None:
        try:
            return msgspec.json.decode(layout.state.read_bytes(), type=_State)
        except (OSError, msgspec.MsgspecError):
            return None

    @contextlib.contextmanager
    def _locked(self, name: str, report: OnProgress | None = None, cancel: Cancel | None = None) -> Iterator[None]:
        """Hold the cluster's lock; a full disk or a missing permission inside the block is told in words.

        Raises UserError when `cancel` came while another holder was in the way.
        """

        def on_wait() -> None:
            (report or _ignore)(Progress(tool=name, what=msg("Waiting for another process that works on it")))

        with _as_user_errors(name):
            paths.make_private(self._root)
            with locks.held(self._root / f".{name}.lock", cancel, on_wait) as locked:
                if not locked:
                    raise _cancelled()
                yield


class _PortTaken(UserError):
    """A program could not listen because its port was taken."""


def _cancelled() -> UserError:
    return UserError(msg("Cancelled"), code=ExitCode.CANCELLED)


def _check_nodes(nodes: int) -> None:
    if not 1 <= nodes <= _MOST_NODES:
        raise UserError(
            msg("A practice cluster has 1 to %(most)s nodes, not %(nodes)s", most=_MOST_NODES, nodes=nodes),
            "",
            msg("Each node takes memory of this machine; three are enough for most charts."),
            field="nodes",
        )


def _complete(layout: Layout, programs: Sequence[str] = components.PROGRAMS) -> bool:
    return {daemon.program for daemon in daemons.running(layout.folder)} >= set(programs)


def _is_cluster_folder(entry: Path) -> bool:
    return entry.is_dir() and not entry.name.startswith(".")


def _api(layout: Layout, state: _State) -> Api:
    return Api(port=state.ports.api, ca=layout.ca, token=pki.token(layout))


def _rotate(layout: Layout) -> None:
    """Keep the output of the last start beside that of this one, no more."""
    for program in components.PROGRAMS:
        log = layout.log(program)
        with contextlib.suppress(FileNotFoundError):
            log.replace(log.with_suffix(".previous.log"))


def _wait(
    layout: Layout,
    condition: Callable[[], bool],
    cancel: Cancel | None,
    programs: Sequence[str] = components.PROGRAMS,
) -> None:
    deadline = time.monotonic() + _READY_S
    while not condition():
        if not _complete(layout, programs):
            raise _ended(layout)
        if cancel is not None and cancel.requested:
            raise _cancelled()
        if time.monotonic() >= deadline:
            raise _failed(layout, "kube-apiserver")
        time.sleep(_POLL_S)


def _ended(layout: Layout) -> UserError:
    alive = {daemon.program for daemon in daemons.running(layout.folder)}
    program = next((one for one in components.PROGRAMS if one not in alive), components.PROGRAMS[0])
    return _failed(layout, program)


def _failed(layout: Layout, program: str) -> UserError:
    words = _tail(layout.log(program))
    kind = _PortTaken if "address already in use" in words else UserError
    return kind(
        msg("%(program)s of the practice cluster did not start", program=program),
        words,
        msg("The whole output is in %(path)s.", path=str(layout.log(program))),
        code=ExitCode.FAILED,
    )


def _tail(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL:].strip()
    except OSError:
        return ""


_START = msg("`ansflow-desktop practice start` starts one.")


def _unknown(name: str, names: tuple[str, ...]) -> UserError:
    known = ", ".join(names)
    return UserError(
        msg("There is no practice cluster called %(name)s", name=name),
        msg("Practice clusters: %(names)s", names=known) if known else msg("There are no practice clusters yet."),
        msg("`ansflow-desktop practice status` shows all of them.") if known else _START,
    )


@contextlib.contextmanager
def _as_user_errors(name: str) -> Iterator[None]:
    """Turn a full disk or a missing permission into words."""
    try:
        yield
    except OSError as error:
        raise UserError(
            msg("The files of practice cluster %(name)s could not be written", name=name),
            os.strerror(error.errno) if error.errno else str(error),
            str(error.filename or ""),
            code=ExitCode.FAILED,
        ) from error


def _ignore(_: Progress) -> None:
    """Drop a progress report that nobody asked for."""
