"""Running a kubeconfig's credential program: own session, closed stdin, a login timeout, killed with its group.

The library's own runner inherits stdin, has no timeout and goes on without credentials after a failure; a plugin that
prompts or hangs would hold the caller for ever (failure-modes.md, row 9). What it prints is ExecCredential
(client.authentication.k8s.io) and is kept in memory until it expires.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import datetime
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.errors import KubeError, unreachable
from ansflow_desktop.kube.plugins import plugin_of
from ansflow_desktop.kube.text import clean
from ansflow_desktop.models.cluster import ExecPlugin
from ansflow_desktop.models.command import Command
from ansflow_desktop.process import Cancel, ProcessResult, ProcessRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_MB = 1024 * 1024
_OUTPUT_LIMIT = _MB
_WORD = 100
_KILL_S = 1.0
_EARLY_S = 60.0
_AGAIN_S = 10.0
"""What a program gave is used for so long whatever end it names: one that ends soon, or has ended, is not asked by
each of the sessions that open together; whether it still works is the server's to say, as with kubectl."""
_EXTENSION = "client.authentication.k8s.io/exec"
# where a desktop session's short PATH misses plugins (conventions.md, 6)
_PLACES = (
    "/usr/local/bin",
    "~/.local/bin",
    "/opt/homebrew/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/snap/bin",
    "~/go/bin",
    "~/.krew/bin",
    "~/google-cloud-sdk/bin",
)


class Credential(msgspec.Struct, frozen=True, rename="camel"):
    """What the program gave: a bearer token, or a client certificate with its key (PEM); empty where not given."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime.datetime | None = None

    def __repr__(self) -> str:
        """Say nothing: a representation ends up in logs and crash reports."""
        return "Credential(***)"


class _ExecCredential(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: Credential = Credential()


_Key: TypeAlias = tuple[str, str]
_Over: TypeAlias = "concurrent.futures.Future[Credential | KubeError | None]"


class _Kept(msgspec.Struct, frozen=True):
    """What a program gave, and when (seconds of the monotonic clock)."""

    credential: Credential
    given: float

    @property
    def usable(self) -> bool:
        """Whether it is used again."""
        return not _expired(self.credential) or time.monotonic() - self.given < _AGAIN_S


class _Cache:
    """Credentials by program and server; memory only, dropped when the server refuses one.

    `asked` are the programs that run now: a second session waits for the first one's answer.
    """

    lock = threading.Lock()
    known: dict[_Key, _Kept] = {}  # noqa: RUF012  # one for the process, on purpose
    asked: dict[_Key, _Over] = {}  # noqa: RUF012


def search_path() -> str:
    """Return PATH with the places that a desktop session's PATH misses, for programs and what they call."""
    listed = os.environ.get("PATH", os.defpath).split(os.pathsep)
    extra = [str(paths.expanded(place)) for place in _PLACES]
    return os.pathsep.join(dict.fromkeys([*listed, *extra]))


def resolved(command: str) -> str:
    """Return `command`, absolute when it is a bare name that PATH misses but one of the usual places has."""
    if "/" in command or shutil.which(command):
        return command
    return shutil.which(command, path=search_path()) or command


async def log_in(document: dict[str, Any], timeout: float) -> Credential | None:
    """Return the credential of the document's user from its program, None when it runs none.

    Raises KubeError (exit code 3) when the program is missing, fails, or takes longer than `timeout` seconds.
    """
    user: dict[str, Any] = next((item["user"] for item in document["users"]), {})
    plugin = plugin_of(user)
    if plugin is None:
        return None
    cluster = document["clusters"][0]["cluster"]
    key = _key(plugin, user, cluster)
    while True:
        over, mine = _turn(key)
        if isinstance(over, Credential):
            return over
        if mine:
            return await _told(key, over, lambda: _ask(plugin, user, cluster, timeout))
        found = await _waited(over, plugin, timeout)
        if isinstance(found, KubeError):
            raise found
        if found is not None:
            return found


def _turn(key: _Key) -> tuple[Credential | _Over, bool]:
    """Return what is kept under `key`, else what tells when the program is over and whether we are to run it."""
    with _Cache.lock:
        known = _Cache.known.get(key)
        if known is not None and known.usable:
            return known.credential, False
        over, mine = _Cache.asked.get(key), False
        if over is None:
            over, mine = concurrent.futures.Future(), True
            over.set_running_or_notify_cancel()  # who gives up waiting must not end it for others
            _Cache.asked[key] = over
        return over, mine


async def _told(key: _Key, over: _Over, ask: Callable[[], Coroutine[Any, Any, Credential]]) -> Credential:
    """Run the program, keep what it gave and tell those who wait; they run it themselves where we were cancelled."""
    result: Credential | KubeError | None = None
    try:
        result = found = await ask()
    except KubeError as error:
        result = error
        raise
    finally:
        with _Cache.lock:
            if isinstance(result, Credential):
                _Cache.known[key] = _Kept(result, time.monotonic())
            _Cache.asked.pop(key, None)
        over.set_result(result)
    return found


async def _waited(over: _Over, plugin: ExecPlugin, timeout: float) -> Credential | KubeError | None:
    """Return how another session's run of the program went; raises KubeError after `timeout` seconds."""
    try:
        return await asyncio.wait_for(asyncio.wrap_future(over), timeout)
    except TimeoutError as error:
        raise _late(plugin, timeout) from error


def forget(document: dict[str, Any]) -> None:
    """Drop the kept credential of the document's user: the server refused it."""
    user: dict[str, Any] = next((item["user"] for item in document["users"]), {})
    plugin = plugin_of(user)
    if plugin:
        with _Cache.lock:
            _Cache.known.pop(_key(plugin, user, document["clusters"][0]["cluster"]), None)


def held(document: dict[str, Any]) -> Credential | None:
    """Return what the document's program gave in this process, even where it has ended; nothing is run."""
    user: dict[str, Any] = next((item["user"] for item in document["users"]), {})
    plugin = plugin_of(user)
    if plugin is None:
        return None
    known = _Cache.known.get(_key(plugin, user, document["clusters"][0]["cluster"]))
    return known.credential if known else None


def _key(plugin: ExecPlugin, user: dict[str, Any], cluster: dict[str, Any]) -> _Key:
    """Return what a credential is kept by: the program and the server, or all that it is told of the cluster."""
    asked = user.get("exec") or {}
    if not asked.get("provideClusterInfo"):
        return plugin.digest, str(cluster.get("server"))
    return plugin.digest, msgspec.json.encode(_exec_info(asked, cluster), order="deterministic").decode()


def _expired(credential: Credential) -> bool:
    end = credential.expiration_timestamp
    return end is not None and end.timestamp() - _EARLY_S < time.time()


async def _ask(plugin: ExecPlugin, user: dict[str, Any], cluster: dict[str, Any], timeout: float) -> Credential:
    asked = user.get("exec") or {}
    command = _command(plugin, asked, cluster, timeout)
    run = _Run(command)
    try:
        result = await asyncio.wait_for(asyncio.shield(run.begin()), timeout)
    except (TimeoutError, asyncio.CancelledError) as error:
        await run.end()
        if isinstance(error, asyncio.CancelledError):
            raise
        raise _late(plugin, timeout) from error
    except UserError as error:
        raise _failed(plugin, error.message) from error
    if run.flooded:
        raise _failed(plugin, msg("It printed more than %(mb)d MB and was ended.", mb=_OUTPUT_LIMIT // _MB))
    return _credential(plugin, result, str(asked.get("apiVersion") or ""))


class _Run:
    """One run of a program, in a thread of its own: programs that hang must not keep the loop's few from others."""

    def __init__(self, command: Command) -> None:
        self.flooded = False
        self._command = command
        self._cancel = Cancel()
        self._room = _OUTPUT_LIMIT
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[ProcessResult] = self._loop.create_future()

    def begin(self) -> asyncio.Future[ProcessResult]:
        """Start it and return what will hold how it ended, or the UserError that it cannot be started."""
        threading.Thread(target=self._work, name="login", daemon=True).start()
        return self._answer

    async def end(self) -> None:
        """Kill it with its group, and wait for that a moment: a program that leaves now must leave nothing behind."""
        self._answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._kill()
        await asyncio.wait({self._answer}, timeout=_KILL_S)

    def _kill(self) -> None:
        self._cancel.request()
        self._cancel.request()

    def _work(self) -> None:
        try:
            result = ProcessRunner(_OUTPUT_LIMIT).run(self._command, self._count, self._cancel)
        except Exception as error:
            self._tell(self._answer.set_exception, error)
        else:
            self._tell(self._answer.set_result, result)

    def _tell(self, setter: Callable[[Any], None], value: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(lambda: None if self._answer.done() else setter(value))

    def _count(self, _stream: str, text: str) -> None:
        self._room -= len(text)
        if self._room < 0 and not self.flooded:
            self.flooded = True
            self._kill()


def _command(plugin: ExecPlugin, asked: dict[str, Any], cluster: dict[str, Any], timeout: float) -> Command:
    path = search_path()
    program = plugin.command if "/" in plugin.command else shutil.which(plugin.command, path=path)
    if not program:
        hint = asked.get("installHint")
        raise _failed(plugin, clean(str(hint)) if hint else msg("It is not installed, or not on PATH."))
    info = msgspec.json.encode(_exec_info(asked, cluster)).decode()
    env: dict[str, str | None] = {"PATH": path, **dict(plugin.env), "KUBERNETES_EXEC_INFO": info}
    return Command(
        argv=(program, *plugin.args), cwd=str(paths.home()), env=env, timeout=timeout + 1, grace=0.5, purpose="login"
    )


def _exec_info(asked: dict[str, Any], cluster: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {"interactive": False}
    if asked.get("provideClusterInfo"):
        names = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
        spec["cluster"] = {name: cluster[name] for name in names if name in cluster}
        for extension in cluster.get("extensions") or []:
            if extension.get("name") == _EXTENSION:
                spec["cluster"]["config"] = extension.get("extension")
    return {"apiVersion": asked.get("apiVersion", ""), "kind": "ExecCredential", "spec": spec}


def _credential(plugin: ExecPlugin, result: ProcessResult, version: str) -> Credential:
    if result.exit_code != 0:
        raise _failed(plugin, clean(result.stderr.strip()) or msg("Exit code %(code)s", code=result.exit_code))
    try:
        answer = msgspec.json.decode(result.stdout.encode(), type=_ExecCredential)
        found = answer.status if answer.kind == "ExecCredential" else _google(result.stdout)
    except msgspec.MsgspecError as error:
        raise _failed(plugin, msg("It printed something else than a credential.")) from error
    if answer.kind == "ExecCredential" and version and answer.api_version != version:
        values = {"given": clean(answer.api_version, _WORD) or "-", "asked": clean(version, _WORD)}
        raise _failed(plugin, msg("It answers in %(given)s, and the kubeconfig asks for %(asked)s.", **values))
    certificate = found.client_certificate_data and found.client_key_data
    if not found.token and not certificate:
        raise _failed(plugin, msg("It gave neither a token nor a certificate with its key."))
    return found


class _GoogleCredential(msgspec.Struct, frozen=True):
    access_token: str = ""
    token_expiry: datetime.datetime | None = None

    def __repr__(self) -> str:
        return "_GoogleCredential(***)"


class _Google(msgspec.Struct, frozen=True):
    credential: _GoogleCredential = _GoogleCredential()


def _google(text: str) -> Credential:
    """Return what `gcloud config config-helper --format=json` printed (auth-provider gcp with a cmd-path)."""
    found = msgspec.json.decode(text.encode(), type=_Google).credential
    return Credential(token=found.access_token, expiration_timestamp=found.token_expiry)


def _late(plugin: ExecPlugin, timeout: float) -> KubeError:
    return _failed(plugin, msg("It did not end within %(seconds)s s.", seconds=f"{timeout:g}"))


def _failed(plugin: ExecPlugin, words: Text) -> KubeError:
    title = msg("The credential program %(command)s gave no credentials", command=plugin.command)
    return unreachable(title, words, msg("Run it in a terminal to see what it asks for; sign in there if it does."))
