"""A connection test that says which part of the way is at fault, stage by stage, instead of a stack trace.

The network stages use sockets of our own and send nothing secret; the server must have shown itself to be a Kubernetes
API server before the credentials are sent.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube import diagnose_versions
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.diagnose_network import find_way
from ansflow_desktop.kube.diagnose_stages import Stages, Stop
from ansflow_desktop.kube.diagnose_tls import look_at_tls
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.pages import decode
from ansflow_desktop.kube.text import clean
from ansflow_desktop.kube.who import ANONYMOUS, Who, who
from ansflow_desktop.models.cluster import ClusterEntry, ClusterStatus, Diagnosis, Reach
from ansflow_desktop.models.command import ToolSet

CLOCK_S = 60.0
_ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_NEEDED = (  # what helm and kubectl use to deploy and to look
    ("create", "apps", "deployments"),
    ("patch", "apps", "deployments"),
    ("create", "", "services"),
    ("list", "", "pods"),
    ("get", "", "secrets"),
    ("create", "", "secrets"),
)


async def diagnose(
    entry: ClusterEntry, document: dict[str, Any], timeout: float = 5.0, tools: ToolSet | None = None
) -> Diagnosis:
    """Return what a connection test of `entry` found; never raises, ends within some `timeout` seconds a stage.

    Who gives `document` (`ClusterCatalog.document`) has approved its credential program. With `tools` the server's
    version is compared with what they support.
    """
    test = _Test(entry, document, timeout, tools)
    try:
        await test.run()
    except Stop:
        pass
    except (
        UserError,
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
    ) as error:  # a document of another shape
        test.stages.bad("address", msg("The kubeconfig entry of this cluster cannot be used"), clean(str(error)))
    return test.result()


class _Test:
    """One test as it goes on."""

    def __init__(self, entry: ClusterEntry, document: dict[str, Any], timeout: float, tools: ToolSet | None) -> None:
        self.stages = Stages()
        self._entry = entry
        self._document = document
        self._timeout = timeout
        self._tools = tools
        self._who = Who()
        self._version = ""
        self._latency = 0.0
        self._clock = 0.0

    async def run(self) -> None:
        """Go through the stages until one is at fault."""
        cluster = self._document["clusters"][0]["cluster"]
        way = await find_way(cluster, self.stages, self._timeout)
        await look_at_tls(way, cluster, self.stages, self._timeout)
        self.stages.begin()
        await self._api()
        try:
            async with self._client(self._document) as client:
                await self._credentials(client)
                await self._rights(client)
                await self._compare(client)
        except KubeError as error:
            if error.status == 401:
                raise self._refused(error.message) from error
            raise self.stages.bad("credentials", error.title, error.message, error.hint) from error

    def _client(self, document: dict[str, Any]) -> ClusterClient:
        return ClusterClient(document, timeout=self._timeout)

    async def _api(self) -> None:
        """See whether a Kubernetes API server answers, before anything secret is sent to it."""
        context = {"cluster": "one", "user": "one"}
        bare = {
            "contexts": [{"name": "one", "context": context}],
            "clusters": [{"name": "one", "cluster": self._document["clusters"][0]["cluster"]}],
            "users": [],
        }
        try:
            async with self._client(bare) as client:
                await self._ask_version(client)
        except KubeError as error:
            if error.status in (401, 403):
                self.stages.good("api", msg("The server answers and asks who we are"))
                return
            if error.status == 404:
                title = msg("The server has no /version: it is no Kubernetes API server")
                raise self.stages.bad("api", title, error.message, _ADDRESS) from error
            raise self.stages.bad("api", error.title, error.message, error.hint) from error
        self.stages.good("api", msg("Kubernetes %(version)s answers", version=self._version))

    async def _ask_version(self, client: ClusterClient) -> None:
        body = await client.get("/version")
        try:
            self._version = clean(msgspec.json.decode(body, type=_Version).git_version)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._version = ""
        if not self._version:
            raise _no_kubernetes(self.stages, body)
        started = time.perf_counter()
        await client.get("/version")
        self._latency = (time.perf_counter() - started) * 1000
        self._clock = client.clock_ahead

    async def _credentials(self, client: ClusterClient) -> None:
        found = await who(client)
        self._clock = client.clock_ahead
        if found.username == ANONYMOUS:
            raise self._refused("")
        self._who = found
        if not found.username:
            found = Who(username=str(self._entry.user or self._entry.name))
            await client.get("/api")  # a server that knows no SelfSubjectReview still refuses wrong credentials
        title = msg("The server takes you for %(user)s", user=found.username)
        groups = msg("Groups: %(groups)s", groups=", ".join(found.groups)) if found.groups else ""
        if abs(self._clock) >= CLOCK_S:
            values = {"user": found.username, "clocks": self._clocks()}
            title = msg("The server takes you for %(user)s, but %(clocks)s", **values)
            self.stages.warn("credentials", title, groups, _CLOCK_HINT)
        else:
            self.stages.good("credentials", title, groups)

    def _refused(self, words: Text) -> Stop:
        title = msg("The server refuses the credentials")
        hint: Text = msg("Sign in again, or renew the credentials of this cluster.")
        if abs(self._clock) >= CLOCK_S:
            title, hint = msg("The server refuses the credentials, and %(clocks)s", clocks=self._clocks()), _CLOCK_HINT
        return self.stages.bad("credentials", title, words or msg("It knows no user of these credentials"), hint)

    def _clocks(self) -> Text:
        seconds = f"{abs(self._clock):.0f}"
        if self._clock > 0:
            return msg("its clock is %(seconds)s s ahead of this machine's", seconds=seconds)
        return msg("its clock is %(seconds)s s behind this machine's", seconds=seconds)

    async def _rights(self, client: ClusterClient) -> None:
        context = self._document["contexts"][0]["context"]
        namespace = self._entry.namespace or str(context.get("namespace") or "") or "default"
        try:
            answers = await asyncio.gather(*(_allowed(client, namespace, needed) for needed in _NEEDED))
        except KubeError as error:
            self.stages.skip("rights", msg("The server cannot say what you may do"), error.message or error.title)
            return
        missing = [needed for needed, good in zip(_NEEDED, answers, strict=True) if not good]
        if not missing:
            self.stages.good("rights", msg("You may deploy into %(namespace)s", namespace=namespace))
            return
        title = msg("Not everything that a deploy needs is allowed in %(namespace)s", namespace=namespace)
        words = ", ".join(f"{verb} {resource}" for verb, _, resource in missing)
        hint = msg("Choose another namespace, or ask the cluster's administrator for the rights.")
        self.stages.warn("rights", title, msg("Not allowed: %(rights)s", rights=words), hint)

    async def _compare(self, client: ClusterClient) -> None:
        if not self._version:  # a server that shows its version to nobody unknown
            await self._ask_version(client)
        skewed = diagnose_versions.skew(self._version, self._tools or ToolSet())
        if skewed:
            hint = msg("Install a version that supports this cluster.")
            self.stages.warn("version", skewed[0], skewed[1] if len(skewed) > 1 else "", hint)
        else:
            self.stages.good("version", msg("Kubernetes %(version)s", version=self._version))

    def result(self) -> Diagnosis:
        """Return what was found."""
        stages = self.stages.all()
        found = Diagnosis(
            status=ClusterStatus(name=self._entry.name),
            stages=stages,
            user=self._who.username,
            groups=self._who.groups,
            clock_ahead=self._clock,
        )
        status = self._status(found)
        return msgspec.structs.replace(found, status=status)

    def _status(self, found: Diagnosis) -> ClusterStatus:
        at_fault = next((stage for stage in found.stages if self.stages.failed(stage.name)), None)
        message: Text = ""
        reach = Reach.REACHABLE
        if at_fault:
            reach = Reach.REFUSED if at_fault.name == "credentials" else Reach.UNREACHABLE
            message = at_fault.title
            if at_fault.message:
                message = msg("%(title)s: %(words)s", title=at_fault.title, words=at_fault.message)
        return ClusterStatus(
            name=self._entry.name,
            reach=reach,
            version=self._version,
            latency_ms=self._latency,
            message=message,
            checked_at=time.time(),
        )


_ADDRESS = msg("Check that the address is that of a Kubernetes API server.")
_CLOCK_HINT = msg("Set the clock of this machine by the network: tokens and certificates are valid by the clock.")


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    git_version: str = ""


def _no_kubernetes(stages: Stages, body: bytes) -> Stop:
    """Note what answered in the place of the server: often the sign-in page of a network."""
    words = clean(body[:300].decode("utf-8", "replace").strip(), 300)
    if body.lstrip()[:1] == b"<":
        title = msg("A web page answers in the place of the API server")
        hint = msg("Sign in to the network you are in with a browser, or check the address and the proxy.")
        return stages.bad("api", title, words, hint)
    return stages.bad("api", msg("What answers is no Kubernetes API server"), words, _ADDRESS)


class _Allowed(msgspec.Struct, frozen=True):
    allowed: bool = False


class _AccessReview(msgspec.Struct, frozen=True):
    status: _Allowed = _Allowed()


async def _allowed(client: ClusterClient, namespace: str, needed: tuple[str, str, str]) -> bool:
    verb, group, resource = needed
    attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": resource}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return decode(await client.post(_ACCESS, body), _AccessReview).status.allowed
