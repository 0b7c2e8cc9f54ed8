"""The slower checks of a pipeline's steps, in the order of their cost: helm, then the cluster. Answers are kept.

A step that did not change is not asked about again: its answer is kept by the step, its directory and its files.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.checks import below
from ansflow_desktop.executors.checks_context import StepView
from ansflow_desktop.executors.checks_helm import HelmSays, helm_says, is_hook, rendered_objects
from ansflow_desktop.executors.checks_manifest import LocatedObject, schema_findings
from ansflow_desktop.executors.kubectl import FIELD_MANAGER
from ansflow_desktop.executors.planned import decode, step_directory
from ansflow_desktop.executors.server_check import AskingCancelled, ServerCheck, ask_cluster
from ansflow_desktop.helm.chart_files import signature
from ansflow_desktop.helm.find import absolute, find_chart
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.openapi import SchemaStore, refresh
from ansflow_desktop.models.command import ToolSet
from ansflow_desktop.models.pipeline import HelmDeploy, ManifestDeploy, StepType
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.process import Cancel

_KEPT = 64
_QUIET_S = 20.0  # a cluster that did not answer is not asked again at every key
_HELM_MANAGER = "helm"
_PASS_HELM_3 = ("There is no such field", "field not declared in schema", "duplicate entries for key")

DocumentOf: TypeAlias = Callable[[str], dict[str, Any]]
Answer: TypeAlias = "tuple[StepView, tuple[Problem, ...]]"


class SlowChecks:
    """Asks helm and clusters about steps; used by one thread at a time for each of the two."""

    def __init__(self, store: SchemaStore) -> None:
        """Keep the `store` of clusters' schemas."""
        self._store = store
        self._lock = threading.Lock()
        self._said: dict[Any, HelmSays] = {}
        self._quiet: dict[str, tuple[float, UserError]] = {}
        self._helm_major = 4

    def helm(self, views: Sequence[StepView], tools: ToolSet, cancel: Cancel) -> list[tuple[StepView, HelmSays]] | None:
        """Return what helm says of each deploy step that is known by now; None when cancelled."""
        answers = []
        self._helm_major = tools.helm.major if tools.helm else 4
        for view in views:
            if view.step.type is not StepType.K8S_DEPLOY or not (view.known and view.placed):
                continue
            said = self._helm(view, tools, cancel)
            if said.cancelled or cancel.requested:
                return None
            answers.append((view, said))
        return answers

    def _helm(self, view: StepView, tools: ToolSet, cancel: Cancel) -> HelmSays:
        key = _key(view, tools)
        with self._lock:
            if key in self._said:
                return self._said[key]
        said = helm_says(view.step, view.context, tools, cancel)
        if not said.cancelled:
            with self._lock:
                self._said[key] = said
                while len(self._said) > _KEPT:
                    self._said.pop(next(iter(self._said)))
        return said

    def server(
        self, answers: Sequence[tuple[StepView, HelmSays]], document_of: DocumentOf, cancel: Cancel
    ) -> list[Answer] | None:
        """Return what the steps' clusters say of what was rendered; None when cancelled. Nothing is changed."""
        found: list[Answer] = []
        for view, said in answers:
            objects = rendered_objects(said, view.step)
            if not objects or not view.step.k8s_cluster or not view.step.k8s_namespace:
                continue
            try:
                problems = self._on_cluster(view, objects, document_of, cancel)
            except AskingCancelled:
                return None
            except UserError as error:
                problems = [_not_asked(view.step.k8s_cluster, error)]
            found.append((view, tuple(below(view.field, problem) for problem in problems)))
        return found

    def _on_cluster(
        self, view: StepView, objects: tuple[LocatedObject, ...], document_of: DocumentOf, cancel: Cancel
    ) -> list[Problem]:
        name = view.step.k8s_cluster
        until, error = self._quiet.get(name, (0.0, None))
        if error is not None and time.monotonic() < until:
            raise error
        document = document_of(name)
        is_chart = view.step.k8s_config.get("deploy_type") != "manifest"

        async def ask(client: ClusterClient) -> list[Problem]:
            await refresh(client, self._store, {each.found.api_version for each in objects})
            check = ServerCheck(
                client,
                view.step.k8s_namespace,
                manager=_HELM_MANAGER if is_chart else FIELD_MANAGER,
                creates_namespace=view.step.k8s_config.get("create_namespace", True) is not False,
                conflicts=Severity.WARNING if is_chart else Severity.ERROR,
            )
            if not is_chart:
                return await check.problems(objects)
            known = list(self._by_schema(objects, client.server))
            said = await check.problems([each for each in objects if not is_hook(each)])
            found = _first_of_each_path(known, [each for each in said if not _own_claim(each)])
            return [_as_helm_takes_it(each, self._helm_major) for each in found]

        try:
            problems = ask_cluster(document, ask, cancel)
        except AskingCancelled:
            raise
        except UserError as failed:
            self._quiet[name] = (time.monotonic() + _QUIET_S, failed)
            raise
        self._quiet.pop(name, None)
        return problems

    def _by_schema(self, objects: Sequence[LocatedObject], server: str) -> Iterator[Problem]:
        """Yield what an unknown field is: `helm --dry-run=server` lets it pass, and then helm 4 fails the release."""
        for each in objects:
            yield from schema_findings(each, lambda api_version: self._store.known(server, api_version))


def _as_helm_takes_it(problem: Problem, major: int) -> Problem:
    """Return a problem of a chart's object as grave as it is for helm: Helm 3 deploys an unknown field with a warning.

    It applies on the client's side, where an entry that is there twice passes too (recipes.md).
    """
    words = str(problem.message)
    passes = major < 4 and any(part in words for part in _PASS_HELM_3)
    return msgspec.structs.replace(problem, severity=Severity.WARNING) if passes else problem


def _own_claim(problem: Problem) -> bool:
    """Say whether a conflict is with Helm's own earlier apply of the same release: that is none for helm."""
    return problem.severity is Severity.WARNING and ", helm, owns" in str(problem.message)


def _first_of_each_path(known: list[Problem], said: list[Problem]) -> list[Problem]:
    """Keep our own words where both name the same field of an object: they carry a suggestion."""
    titles = {(problem.field, str(problem.title)) for problem in known}
    return [*known, *(problem for problem in said if (problem.field, str(problem.title)) not in titles)]


def _not_asked(cluster: str, error: UserError) -> Problem:
    return Problem(
        field="k8s_cluster",
        title=msg("The cluster %(name)s could not be asked whether it takes these objects", name=cluster),
        message=error.title,
        hint=error.hint,
        severity=Severity.INFO,
    )


def _key(view: StepView, tools: ToolSet) -> Any:
    """Return what the answer depends on: the step, where it runs, helm, and the files it reads."""
    step = msgspec.json.encode(view.step)
    return (step, view.context.working_directory, tools.helm and tools.helm.path, _files(view))


def _files(view: StepView) -> Any:
    directory = step_directory(view.step, view.context)
    try:
        config = decode(view.step)
        if isinstance(config, HelmDeploy):
            ref = find_chart(config, directory)
            chart = signature(ref.chart.path) if ref.chart else _stamp(absolute(ref.argument, ref.cwd))
            return (chart, tuple(_stamp(absolute(path, directory)) for path in config.values_files))
        if isinstance(config, ManifestDeploy):
            files = tuple(_stamp(absolute(path, directory)) for path in config.manifest_files)
            return (files, signature(absolute(config.kustomize, directory)) if config.kustomize else ())
    except (UserError, OSError, ValueError):
        return ()
    return ()


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return (0, 0)
    return (found.st_size, found.st_mtime_ns)


def helm_problems_of(answers: Sequence[tuple[StepView, HelmSays]]) -> list[Answer]:
    """Return helm's problems by step, fields from the file's top."""
    return [(view, tuple(below(view.field, problem) for problem in said.problems)) for view, said in answers]


def all_problems(
    text: str, folder: str, services: Any, *, on_cluster: bool = True, cancel: Cancel | None = None
) -> tuple[Problem, ...]:
    """Return everything that is known against a pipeline's text: local, helm's, the clusters'; blocking, headless.

    `services` gives tools, catalog and directories. Nothing is changed anywhere.
    """
    from ansflow_desktop.executors.checks import check_text, joined

    cancel, store = cancel or Cancel(), schema_store(services)
    checked = check_text(text, folder, surroundings(services, store))
    slow = SlowChecks(store)
    answers = slow.helm(checked.views, services.tools, cancel) or []
    asked = (slow.server(answers, services.catalog.document, cancel) or []) if on_cluster else []
    return joined(checked.problems, flat(helm_problems_of(answers)), flat(asked))


def flat(answers: Sequence[Answer]) -> list[Problem]:
    """Return the problems of all steps in order."""
    return [problem for _, problems in answers for problem in problems]


def schema_store(services: Any) -> SchemaStore:
    """Return the store of clusters' schemas in the user's cache directory."""
    return SchemaStore(services.directories.tools.parent / "openapi")


def surroundings(services: Any, store: SchemaStore) -> Any:
    """Return what a local check knows of this machine: cluster names, Helm's version, schemas that were read before."""
    from ansflow_desktop.executors.checks import Surroundings

    entries = {entry.name: entry for entry in services.catalog.entries()}
    tools: ToolSet = services.tools

    def known(cluster: str, api_version: str) -> Any:
        entry = entries.get(cluster)
        return store.known(entry.server, api_version) if entry else None

    return Surroundings(clusters=tuple(entries), helm_major=tools.helm.major if tools.helm else 4, schemas=known)


__all__ = ["SlowChecks", "all_problems", "flat", "helm_problems_of", "schema_store", "surroundings"]
