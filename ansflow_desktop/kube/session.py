"""From a kubeconfig document to the library's client: credentials, TLS and proxy (libraries.md: kubernetes.aio).

Everything that reads files or imports the library runs in a thread, so that an event loop with a window never waits.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.files import make_private_folder, read_small
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.errors import KubeError, unreachable
from ansflow_desktop.kube.login import Credential, log_in
from ansflow_desktop.kube.proxy import usable

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
_FILES = {
    "certificate-authority-data": "certificate-authority",
    "client-certificate-data": "client-certificate",
    "client-key-data": "client-key",
}


class Session:
    """An open library client with the headers that every request carries; `close` it in the loop that opened it."""

    def __init__(self, api: Any, server: str, headers: list[tuple[str, str]]) -> None:
        """Keep the parts; made by `open_session`."""
        self.api = api
        self.server = server
        self.headers = headers

    async def close(self) -> None:
        """Close the connections."""
        await self.api.close()


async def open_session(document: dict[str, Any], login_timeout: float) -> Session:
    """Return a client for the one cluster of `document`; its credential program is run here when there is one.

    Raises KubeError when the credentials cannot be had (3), the entry is broken (2), or the disk takes no file (1).
    """
    credential = await log_in(document, login_timeout)
    async with _place():
        try:
            return await _in_a_folder(document, credential)
        except OSError as error:
            raise _no_room(error) from error


async def _in_a_folder(document: dict[str, Any], credential: Credential | None) -> Session:
    folder = await asyncio.to_thread(make_private_folder)
    try:
        return await _opened(document, credential, folder)
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


def _no_room(error: OSError) -> KubeError:
    hint = msg("Check free space and permissions of the folder for temporary files (TMPDIR).")
    return KubeError(
        msg("The certificates could not be written to a private folder"),
        error.strerror or str(error),
        hint,
        code=ExitCode.FAILED,
    )


_AT_ONCE = 2
_PLACES: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def _place() -> asyncio.Semaphore:
    """Return what lets two clients be made at a time in this loop: they are made in threads, for which a window waits.

    Sixteen at once held it up for 150 ms, since Python runs one thread at a time (benchmarks/many_clusters.py).
    """
    return _PLACES.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE))


async def _opened(document: dict[str, Any], credential: Credential | None, folder: Path) -> Session:
    proxy = usable(document["clusters"][0]["cluster"])
    plain = await asyncio.to_thread(_plain, document, credential, folder)
    config = await _configuration(plain)
    config.proxy = proxy or None
    return await asyncio.to_thread(_session, config, plain["users"][0]["user"])


def _plain(document: dict[str, Any], credential: Credential | None, folder: Path) -> dict[str, Any]:
    """Return the document with a bearer token or files only: no program, no inline data."""
    cluster = dict(document["clusters"][0]["cluster"])
    user = dict(next((item["user"] for item in document["users"]), {}))
    if credential:
        user = _with_credential(user, credential)
    if user.get("tokenFile"):
        user["token"] = _read_token(str(user["tokenFile"]))
    cluster, user = _with_files(cluster, folder), _with_files(user, folder)
    cluster["server"] = _with_scheme(str(cluster["server"]), tls=bool(cluster.get("certificate-authority")))
    return {
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
        "clusters": [{"name": "one", "cluster": cluster}],
        "users": [{"name": "one", "user": user}],
    }


def _with_credential(user: dict[str, Any], credential: Credential) -> dict[str, Any]:
    kept = {key: value for key, value in user.items() if key not in ("exec", "auth-provider")}
    if credential.token:
        kept["token"] = credential.token
    if credential.client_certificate_data:
        kept["client-certificate-data"] = base64.b64encode(credential.client_certificate_data.encode()).decode()
        kept["client-key-data"] = base64.b64encode(credential.client_key_data.encode()).decode()
    return kept


def _read_token(path: str) -> str:
    try:
        return read_small(path).decode().strip()
    except (OSError, ValueError) as error:
        raise unreachable(msg("The token file %(file)s cannot be read", file=path), str(error)) from error


def _with_files(value: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a copy with inline certificates as private files, which live as long as the client is made."""
    result = dict(value)
    for data_name, file_name in _FILES.items():
        data = result.pop(data_name, None)
        if data:
            target = folder / file_name
            target.touch(mode=0o600)
            target.write_bytes(_decoded(data_name, data))
            result[file_name] = str(target)
    return result


def _decoded(name: str, data: Any) -> bytes:
    try:
        return data if isinstance(data, bytes) else base64.b64decode(str(data), validate=False)
    except binascii.Error as error:
        raise _broken(msg("%(field)s is not Base64", field=name)) from error


def _with_scheme(server: str, *, tls: bool) -> str:
    """Return the address with a scheme; without one kubectl takes https where there is a CA, else http."""
    return server if "://" in server else f"{'https' if tls else 'http'}://{server}"


async def _configuration(document: dict[str, Any]) -> Any:
    """Return the library's configuration of `document`; nothing is ever written back to a kubeconfig."""
    loader_class, configuration_class, config_error = await asyncio.to_thread(_library)
    config = configuration_class()
    try:
        await loader_class(document, active_context="one", config_base_path=None).load_and_set(config)
    except (config_error, ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise _broken(str(error)) from error
    config.disable_strict_ssl_verification = True  # as kubectl: older cluster CAs lack RFC 5280 extensions
    config.client_go_retries = True
    config.retries = 2
    return config


def _library() -> tuple[Any, Any, Any]:
    """Import kubernetes.aio (about a second) and return its loader, its configuration and its error.

    The loader never refreshes an OIDC token: the library would do so without checking the issuer's certificate, and
    the new refresh token would be lost for kubectl.
    """
    from kubernetes.aio.client import Configuration
    from kubernetes.aio.config import ConfigException
    from kubernetes.aio.config.kube_config import KubeConfigLoader

    class Loader(KubeConfigLoader):
        async def _refresh_oidc(self, provider: Any) -> None:
            del provider
            title = msg("The sign-in of this user has expired")
            hint = msg("Run a kubectl command with this context, for example kubectl get namespaces, to renew it.")
            raise unreachable(title, "", hint)

    return Loader, Configuration, ConfigException


def _session(config: Any, user: dict[str, Any]) -> Session:
    from kubernetes.aio.client import ApiClient

    from ansflow_desktop.kube.connector import RestClient

    try:
        api = ApiClient(configuration=config)
        api.rest_client = RestClient(config)
        return Session(api, config.host, _headers(config, user))
    except (OSError, ValueError) as error:  # SSLError is an OSError: a certificate or key that does not load
        raise _broken(str(error)) from error


def _headers(config: Any, user: dict[str, Any]) -> list[tuple[str, str]]:
    token = config.api_key.get("BearerToken")
    headers = [("User-Agent", "ansflow-desktop")]
    if token:
        headers.append(("Authorization", token))
    if urlsplit(config.host).hostname in _HERE:  # for this machine, compressing costs more time than it saves
        headers.append(("Accept-Encoding", "identity"))
    if user.get("as"):
        headers.append(("Impersonate-User", str(user["as"])))
    headers += [("Impersonate-Group", str(group)) for group in user.get("as-groups") or []]
    if user.get("as-uid"):
        headers.append(("Impersonate-Uid", str(user["as-uid"])))
    return headers


def _broken(words: Any) -> KubeError:
    title = msg("The kubeconfig entry of this cluster cannot be used")
    return KubeError(title, words, msg("Correct the cluster or user in the kubeconfig."), code=ExitCode.INVALID)
