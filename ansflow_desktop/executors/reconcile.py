"""Runs whose AnsFlow died (failure-modes.md, row 1): what the cluster says of their releases at the next start.

Blocking and free of Qt. Which releases a run had begun to change is read from the commands in its journal: they were
written down before their processes started.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.run_folder import processes_left, sweep_run_folders
from ansflow_desktop.files import is_there
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.release import Release, ReleaseStatus
from ansflow_desktop.models.run import CommandStarted, Notice, Phase, RunEvent

if TYPE_CHECKING:
    from ansflow_desktop.paths import Directories
    from ansflow_desktop.store.journal import Journal, RunRecord

MOST_RUNS = 5
_READ_S = 10.0


class Documents(Protocol):
    """Clusters whose kubeconfig documents can be read; `kube.catalog.ClusterCatalog` is the real one."""

    def document(self, name: str) -> dict[str, Any]:
        """Return the kubeconfig document of `name`; raises UserError."""


class Machine(Protocol):
    """What is asked of the services; `executors.services.Services` is the real one."""

    @property
    def directories(self) -> Directories:
        """Where everything is."""

    @property
    def journal(self) -> Journal:
        """The record of runs."""

    @property
    def catalog(self) -> Documents:
        """The clusters."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One release that a run had begun to change."""

    cluster: str
    namespace: str
    release: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the cluster says of a target now: its release, None where there is none, or why it could not be asked."""

    target: Target
    release: Release | None = None
    error: UserError | None = None


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """A run without an end whose AnsFlow is gone; `alive` is true while a process of it still works on."""

    run: str
    pipeline: str
    started: float
    steps: int
    targets: tuple[Target, ...] = ()
    alive: bool = False


def unfinished_runs(services: Machine) -> tuple[Unfinished, ...]:
    """Return the newest runs without an end whose AnsFlow is gone, oldest first, at most five.

    Folders of runs that left nothing running are removed on the way. Nothing is opened or made where no run was ever
    journalled. Raises UserError where the journal cannot be read.
    """
    sweep_run_folders(services.directories)
    if not is_there(services.directories.database):
        return ()
    journal = services.journal
    return tuple(_unfinished(services, record) for record in journal.unfinished()[-MOST_RUNS:])


def _unfinished(services: Machine, record: RunRecord) -> Unfinished:
    steps: list[dict[str, str]] = record.details.get("steps", [])
    folder = services.directories.runs / record.id
    return Unfinished(
        run=record.id,
        pipeline=record.pipeline,
        started=record.started,
        steps=len(steps),
        targets=_targets(services.journal.events(record.id), {step.get("name", ""): step for step in steps}),
        alive=folder.is_dir() and processes_left(folder),
    )


def _targets(events: list[RunEvent], steps: dict[str, dict[str, str]]) -> tuple[Target, ...]:
    """Return the releases of the `helm upgrade --install RELEASE` commands that were about to start, each once."""
    found: dict[Target, None] = {}
    for event in events:
        words = event.argv[1:] if isinstance(event, CommandStarted) else ()
        if words[:2] == ("upgrade", "--install") and "--namespace" in words and not _changes_nothing(words):
            namespace = words[words.index("--namespace") + 1]
            cluster = steps.get(event.step, {}).get("cluster", "")
            found[Target(cluster=cluster, namespace=namespace, release=words[2])] = None
    return tuple(found)


def _changes_nothing(words: tuple[str, ...]) -> bool:
    return any(word.startswith("--dry-run") for word in words)


def read_state(services: Machine, target: Target) -> State:
    """Ask the cluster for the release; blocks for at most ten seconds and never raises UserError."""
    from ansflow_desktop.kube import sync

    try:
        return State(target=target, release=sync.run(_read(services.catalog.document(target.cluster), target)))
    except UserError as error:
        return State(target=target, error=error)
    except TimeoutError:
        return State(target=target, error=UserError(msg("No answer within %(seconds)s s", seconds=f"{_READ_S:g}")))


async def _read(document: dict[str, Any], target: Target) -> Release | None:
    from ansflow_desktop.kube.client import ClusterClient
    from ansflow_desktop.kube.releases import read_release

    async with asyncio.timeout(_READ_S):
        async with ClusterClient(document, timeout=_READ_S / 2) as client:
            await client.server_version()
        return await read_release(document, target.namespace, target.release)


def name_of(run: Unfinished) -> Text:
    """Return how the run is called: by its releases, else by its pipeline."""
    if not run.targets:
        return msg("The run %(name)s", name=run.pipeline)
    first = run.targets[0]
    where = {"release": first.release, "namespace": first.namespace, "cluster": first.cluster}
    return msg("The deploy of %(release)s in %(namespace)s on %(cluster)s", **where)


def sentence(state: State) -> Text:
    """Return what became of one release, and the way out where it is locked."""
    from ansflow_desktop.executors.outcome import recovery

    if state.error is not None:
        title, message = state.error.title, state.error.message
        why = msg("%(title)s: %(message)s", title=title, message=message) if message else title
        return msg("What became of it is not known: %(why)s", why=why)
    release = state.release
    if release is None:
        return msg("The cluster says: there is no such release. Nothing was deployed.")
    said = msg(
        "The cluster says: revision %(revision)s is %(status)s.",
        revision=release.revision,
        status=release.status.value,
    )
    return msg("%(said)s %(recovery)s", said=said, recovery=recovery(release)) if release.status.pending else said


def still_working(run: Unfinished) -> Text:
    """Return what to say of a run of which a process still works on."""
    if run.targets:
        return msg("A helm that it started is still at work. Wait for its end before you deploy again.")
    return msg("A command that it started is still at work. Wait for its end before you run it again.")


def report(services: Machine, run: Unfinished) -> tuple[Text, ...]:
    """Ask the clusters of `run`, write its end into the journal so that it is told once, and return what to say.

    A run of which a process still works on keeps no end: the next start asks again. Raises UserError where the journal
    cannot be written.
    """
    title = msg("%(run)s did not end: AnsFlow was closed or ended in the middle of it", run=name_of(run))
    if run.alive:
        return (title, still_working(run))
    states = [read_state(services, target) for target in run.targets]
    nothing = msg("What its steps had done until then stays done.")
    said = (title, *map(sentence, states)) if states else (title, nothing)
    for text in said:
        services.journal.append(Notice(time=time.time(), run=run.run, level="warning", message=text))
    services.journal.finish(run.run, _phase(run, states))
    return said


def _phase(run: Unfinished, states: list[State]) -> Phase:
    """Return how the run ended as far as the cluster tells; UNKNOWN where a step may have been left out."""
    if not states or any(state.error for state in states):
        return Phase.UNKNOWN
    if any(state.release is None or _bad(state.release) for state in states):
        return Phase.FAILED
    whole = run.steps == len(states) and all(state.release and _made_by(run, state.release) for state in states)
    return Phase.SUCCEEDED if whole else Phase.UNKNOWN


def _bad(release: Release) -> bool:
    return release.status.pending or release.status is ReleaseStatus.FAILED


def _made_by(run: Unfinished, release: Release) -> bool:
    """Say whether the revision is of this run: made after it began (RFC 3339 in UTC sorts as text)."""
    began = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(run.started))
    return release.status is ReleaseStatus.DEPLOYED and release.updated[: len(began)] >= began
