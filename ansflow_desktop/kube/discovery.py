"""Which kinds a cluster serves, under all the names that kubectl takes for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from ansflow_desktop.kube.client import JSON, ClusterClient
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.fields import mapping, sequence, text

# one answer for all groups from Kubernetes 1.27 on; an older server answers with the plain list of groups
_AGGREGATED = ",".join(
    [*(f"{JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")), JSON]
)


class ServedKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind as a cluster serves it; `names` are its plural, singular and kind in small letters, `short` the rest."""

    group: str = ""
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    verbs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    short: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The kind as kubectl prints it in front of a name: `deployment.apps`, `pod`."""
        return f"{self.kind.lower()}.{self.group}" if self.group else self.kind.lower()

    @property
    def resource(self) -> str:
        """The kind without any doubt for kubectl: `deployments.v1.apps`, `pods`."""
        return f"{self.plural}.{self.version}.{self.group}" if self.group else self.plural

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of the collection, or of one object; the namespace is left out where the kind has none."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced else ""
        return f"{base}{inside}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


async def served_kinds(client: ClusterClient) -> tuple[ServedKind, ...]:
    """Return the kinds that `client`'s cluster serves, each in its preferred version; raises KubeError."""
    found: list[ServedKind] = []
    for root in ("/api", "/apis"):
        answer = msgspec.json.decode(await client.get(root, accept=_AGGREGATED))
        if mapping({"answer": answer}, "answer").get("kind") == "APIGroupDiscoveryList":
            found += _aggregated(answer)
        else:
            found += await _one_by_one(client, root, answer)
    return tuple(found)


def find_kind(kinds: Sequence[ServedKind], word: str) -> ServedKind | None:
    """Return the kind that kubectl means by `word` (`deploy`, `deployments.apps`, `Deployment`), None for no kind."""
    name, _, rest = word.lower().partition(".")
    inside = [kind for kind in kinds if _is_in(kind, rest)]
    exact = next((kind for kind in inside if name in kind.names), None)
    return exact or next((kind for kind in inside if name in kind.short), None)


def _is_in(kind: ServedKind, rest: str) -> bool:
    return not rest or rest in (kind.group, f"{kind.version}.{kind.group}")


def _aggregated(answer: Any) -> Iterator[ServedKind]:
    for group in sequence(answer, "items"):
        name, seen = text(mapping(group, "metadata"), "name"), set()
        for version in sequence(group, "versions"):
            for resource in sequence(version, "resources"):
                plural = text(resource, "resource")
                if plural not in seen:
                    seen.add(plural)
                    yield _kind(
                        name,
                        text(version, "version"),
                        plural,
                        text(mapping(resource, "responseKind"), "kind"),
                        text(resource, "singularResource"),
                        resource.get("scope") != "Cluster",
                        resource,
                    )


async def _one_by_one(client: ClusterClient, root: str, answer: Any) -> list[ServedKind]:
    """Ask each group; one whose own server is down is left out, as kubectl does."""
    if root == "/api":
        versions = ["v1"]
    else:
        preferred = (mapping(group, "preferredVersion") for group in sequence(answer, "groups"))
        versions = [text(version, "groupVersion") for version in preferred]
    found: list[ServedKind] = []
    for version in versions:
        try:
            listed = msgspec.json.decode(await client.get(f"{root}/{version}"))
        except KubeError as error:
            if error.status in (404, 503):
                continue
            raise
        found += _plain(version, listed)
    return found


def _plain(group_version: str, listed: Any) -> Iterator[ServedKind]:
    group, _, version = group_version.rpartition("/")
    for resource in sequence(listed, "resources"):
        plural = text(resource, "name")
        if "/" not in plural:
            kind, singular = text(resource, "kind"), text(resource, "singularName")
            yield _kind(group, version, plural, kind, singular, bool(resource.get("namespaced")), resource)


def _kind(
    group: str, version: str, plural: str, kind: str, singular: str, namespaced: bool, resource: Any
) -> ServedKind:
    names = dict.fromkeys(name.lower() for name in (plural, singular, kind) if name)
    return ServedKind(
        group=group,
        version=version,
        kind=kind,
        plural=plural,
        namespaced=namespaced,
        verbs=_texts(resource.get("verbs")),
        names=tuple(names),
        short=tuple(name.lower() for name in _texts(resource.get("shortNames"))),
    )


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, Iterable) and not isinstance(values, str) else ()
