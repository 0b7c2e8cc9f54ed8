"""A cluster's own OpenAPI v3: fetched by group version, kept on disk without what a check does not need.

The API server names every document with a hash of its content, so a document is fetched once for each version of it
that a cluster serves, and clusters of one version share it. What is known answers at once and offline.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs, quote, urlsplit

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.files import write_atomic
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.errors import KubeError

MAX_BYTES = 32 * 1024 * 1024
_MOST_DOCUMENTS = 300
_GVK = "x-kubernetes-group-version-kind"


class Kind(msgspec.Struct, frozen=True):
    """A kind that a schema stands for."""

    group: str = ""
    version: str = ""
    kind: str = ""


class Schema(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The parts of an OpenAPI v3 schema that decide which fields and types the API server takes."""

    type: str = ""
    format: str = ""
    ref: str = msgspec.field(default="", name="$ref")
    properties: dict[str, Schema] = {}
    items: Schema | None = None
    additional: Schema | bool | None = msgspec.field(default=None, name="additionalProperties")
    required: tuple[str, ...] = ()
    enum: tuple[Any, ...] = ()
    all_of: tuple[Schema, ...] = ()
    one_of: tuple[Schema, ...] = ()
    any_of: tuple[Schema, ...] = ()
    preserves: bool = msgspec.field(default=False, name="x-kubernetes-preserve-unknown-fields")
    int_or_string: bool = msgspec.field(default=False, name="x-kubernetes-int-or-string")
    embedded: bool = msgspec.field(default=False, name="x-kubernetes-embedded-resource")
    kinds: tuple[Kind, ...] = msgspec.field(default=(), name=_GVK)


class _Components(msgspec.Struct, frozen=True):
    schemas: dict[str, Schema] = {}


class Schemas(msgspec.Struct, frozen=True):
    """One group version's schemas by name."""

    components: _Components = _Components()

    def of(self, api_version: str, kind: str) -> Schema | None:
        """Return the schema of a kind, None where this document has none."""
        group, _, version = api_version.rpartition("/")
        wanted = Kind(group, version, kind)
        return next((found for found in self.components.schemas.values() if wanted in found.kinds), None)

    def named(self, ref: str) -> Schema | None:
        """Return what a `$ref` points to."""
        return self.components.schemas.get(ref.rpartition("/")[2])


class _Path(msgspec.Struct, frozen=True, rename="camel"):
    server_relative_url: str = msgspec.field(default="", name="serverRelativeURL")


class _Index(msgspec.Struct, frozen=True):
    paths: dict[str, _Path] = {}


Hashes: TypeAlias = dict[str, str]  # group version to the hash of its document


class SchemaStore:
    """What is known of clusters' schemas, in memory and below `folder`; safe from any thread."""

    def __init__(self, folder: Path) -> None:
        """Keep below `folder` (the cache directory); nothing is read yet."""
        self._folder = folder
        self._lock = threading.Lock()
        self._clusters: dict[str, Hashes] = {}
        self._documents: dict[str, Schemas | None] = {}

    def known(self, server: str, api_version: str) -> Schemas | None:
        """Return the schemas of a group version as the cluster at `server` (its address) last served them.

        Quick: memory, else a file of some 100 kB; no cluster is asked. None where nothing is known.
        """
        with self._lock:
            found = self._hashes(server).get(api_version)
            if not found:
                return None
            if found not in self._documents:
                self._documents[found] = self._read(found)
            return self._documents[found]

    def keep(self, server: str, api_version: str, mark: str, schemas: Schemas) -> None:
        """Keep a document under its hash; a disk that takes nothing only means that it is fetched again."""
        with self._lock:
            self._documents[mark] = schemas
            with contextlib.suppress(OSError, UserError):
                write_atomic(self._document(mark), msgspec.json.encode(schemas))
                self._forget_old()
        self.serves(server, api_version, mark)

    def serves(self, server: str, api_version: str, mark: str) -> None:
        """Note that the cluster now serves the document `mark` for a group version (empty: none)."""
        with self._lock:
            hashes = self._hashes(server)
            if hashes.get(api_version) == mark:
                return
            hashes[api_version] = mark
            with contextlib.suppress(OSError, UserError):
                write_atomic(self._cluster(server), msgspec.json.encode(hashes))

    def has(self, mark: str) -> bool:
        """Return whether the document with this hash is kept."""
        with self._lock:
            if mark not in self._documents:
                self._documents[mark] = self._read(mark)
            return self._documents[mark] is not None

    def _hashes(self, server: str) -> Hashes:
        if server not in self._clusters:
            self._clusters[server] = {}
            with contextlib.suppress(OSError, msgspec.MsgspecError):
                self._clusters[server] = msgspec.json.decode(self._cluster(server).read_bytes(), type=Hashes)
        return self._clusters[server]

    def _read(self, mark: str) -> Schemas | None:
        try:
            return msgspec.json.decode(self._document(mark).read_bytes(), type=Schemas)
        except (OSError, msgspec.MsgspecError):
            return None

    def _document(self, mark: str) -> Path:
        return self._folder / f"{_safe(mark)}.schemas.json"

    def _cluster(self, server: str) -> Path:
        return self._folder / f"{_safe(server)}.cluster.json"

    def _forget_old(self) -> None:
        files = sorted(self._folder.glob("*.schemas.json"), key=lambda path: path.stat().st_mtime)
        for path in files[:-_MOST_DOCUMENTS]:
            path.unlink(missing_ok=True)


def _safe(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


async def refresh(client: ClusterClient, store: SchemaStore, api_versions: set[str]) -> bool:
    """Bring what `store` knows of these group versions up to the cluster; True where something is new.

    One request where nothing changed, one more for each document that is not kept. Raises KubeError.
    """
    try:
        index = msgspec.json.decode(await client.get("/openapi/v3"), type=_Index)
    except msgspec.MsgspecError:
        return False
    news = False
    for api_version in sorted(api_versions):
        path = index.paths.get(_prefix(api_version).removeprefix("/"), _Path()).server_relative_url
        news |= await _refresh_one(client, store, api_version, path)
    return news


async def _refresh_one(client: ClusterClient, store: SchemaStore, api_version: str, path: str) -> bool:
    mark = next(iter(parse_qs(urlsplit(path).query).get("hash", ())), "")
    before = store.known(client.server, api_version)
    if not path or not mark:
        store.serves(client.server, api_version, "")
        return before is not None
    if store.has(mark):
        store.serves(client.server, api_version, mark)
        return store.known(client.server, api_version) is not before
    body = await client.get(path)
    if len(body) > MAX_BYTES:
        return False
    try:
        store.keep(client.server, api_version, mark, msgspec.json.decode(body, type=Schemas))
    except msgspec.MsgspecError:
        return False
    return True


class Resource(msgspec.Struct, frozen=True):
    """How a kind is addressed: its plural `name` in paths, and whether its objects lie in namespaces."""

    name: str = ""
    namespaced: bool = False
    kind: str = ""
    verbs: tuple[str, ...] = ()


class _Resources(msgspec.Struct, frozen=True):
    resources: tuple[Resource, ...] = ()


class Discovery:
    """Which kinds one cluster serves; every group version is asked for once."""

    def __init__(self, client: ClusterClient) -> None:
        """Ask through `client`, which is open."""
        self._client = client
        self._known: dict[str, tuple[Resource, ...]] = {}

    async def resource(self, api_version: str, kind: str) -> Resource | None:
        """Return how `kind` is addressed, None where the cluster does not serve it; raises KubeError."""
        if api_version not in self._known:
            self._known[api_version] = await self._ask(api_version)
        found = (each for each in self._known[api_version] if each.kind == kind and "/" not in each.name)
        return next(found, None)

    async def _ask(self, api_version: str) -> tuple[Resource, ...]:
        try:
            return msgspec.json.decode(await self._client.get(_prefix(api_version)), type=_Resources).resources
        except KubeError as error:
            if error.status == 404:
                return ()
            raise
        except msgspec.MsgspecError:
            return ()


def path_of(api_version: str, resource: Resource, namespace: str, name: str) -> str:
    """Return the API's path of one object; `namespace` is passed over for a kind that lies in none."""
    where = f"/namespaces/{quote(namespace, safe='')}" if resource.namespaced else ""
    return f"{_prefix(api_version)}{where}/{resource.name}/{quote(name, safe='')}"


def _prefix(api_version: str) -> str:
    quoted = quote(api_version)
    return f"/apis/{quoted}" if "/" in api_version else f"/api/{quoted}"
