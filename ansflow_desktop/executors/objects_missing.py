"""Errors for what a step names and the cluster does not have: the object, its namespace, its kind."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.objects_names import FIELD
from ansflow_desktop.i18n import Message, Text, msg
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.discovery import ServedKind, find_kind
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.objects import get_path, list_objects, name_of

_NAMED = 10


async def missing(client: ClusterClient, kind: ServedKind, namespace: str, name: str) -> UserError:
    """Return the error for an object that is not there (exit code 1): its namespace, or names that are near."""
    if kind.namespaced and not await has_namespace(client, namespace):
        return no_namespace(namespace)
    try:
        names = sorted(name_of(each) for each in await list_objects(client, kind, namespace, most=200))
    except KubeError:
        names = []
    title = msg("%(kind)s %(name)s is not there", kind=kind.kind, name=name)
    where = msg("Looked for in namespace %(namespace)s.", namespace=namespace) if kind.namespaced else ""
    return UserError(title, where, _hint(name, names), field=FIELD, code=ExitCode.FAILED)


def _hint(name: str, names: list[str]) -> Text:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return msg("Did you mean %(name)s?", name=near[0])
    if names:
        return msg("There are: %(names)s.", names=", ".join(names[:_NAMED]))
    return msg("Check the name, the namespace and the cluster.")


async def has_namespace(client: ClusterClient, namespace: str) -> bool:
    """Return whether the namespace is there; one that may not be looked at is taken to be."""
    try:
        return await get_path(client, f"/api/v1/namespaces/{namespace}", metadata_only=True) is not None
    except KubeError as error:
        if error.status == 403:
            return True
        raise


def no_namespace(namespace: str) -> UserError:
    """Return the error for a namespace that is not there."""
    title = msg("The namespace %(namespace)s does not exist", namespace=namespace)
    hint = msg("Check the namespace and the cluster.")
    return UserError(title, "", hint, field="k8s_namespace", code=ExitCode.FAILED)


def require_kind(kinds: Sequence[ServedKind], word: str, field: str) -> ServedKind:
    """Return the kind that `word` means; raises UserError naming `field` where the cluster does not serve it."""
    found = find_kind(kinds, word)
    if found is not None:
        return found
    near = difflib.get_close_matches(word.lower(), [name for kind in kinds for name in kind.names], n=1, cutoff=0.6)
    hint: Message = (
        msg("Did you mean %(name)s?", name=near[0])
        if near
        else msg("Correct the kind, or install its definition (CRD) in the cluster first.")
    )
    title = msg("The cluster does not know the kind %(kind)s", kind=word)
    raise UserError(title, "", hint, field=field, code=ExitCode.FAILED)
