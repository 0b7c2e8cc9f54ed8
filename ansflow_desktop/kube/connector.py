"""The library's REST client with our resolver and our bounds; imports the library, so import this module late."""

from __future__ import annotations

import asyncio
import functools
from typing import cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from kubernetes.aio.client.rest import RESTClientObject
from yarl import URL

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.errors import KubeError
from ansflow_desktop.kube.resolver import DaemonResolver
from ansflow_desktop.kube.text import clean


class RestClient(RESTClientObject):
    """The library's REST client: looks names up without holding the program at its end, and is not led elsewhere."""

    def _create_pool_manager(self) -> aiohttp.ClientSession:
        watched = aiohttp.TraceConfig()
        watched.on_request_redirect.append(_on_redirect)
        self.configuration.trace_configs = [watched]
        made = super()._create_pool_manager()
        made._trust_env = False  # which proxy is used was decided as kubectl does (proxy.py)
        return made

    def _create_connector(self) -> aiohttp.TCPConnector:
        connector = aiohttp.TCPConnector(limit=self.maxsize, ssl=self.ssl_context, resolver=DaemonResolver())
        factory = functools.partial(_Handler, loop=asyncio.get_running_loop())
        connector._factory = cast("functools.partial[ResponseHandler]", factory)
        return connector


class _Handler(ResponseHandler):
    """A connection that is not used again (a watch's, a cancelled call's) ends at once.

    A graceful TLS end waits for the server's answer, and so outlives the event loop of a run that is over.
    """

    def close(self) -> None:
        """End the connection without a farewell."""
        self.abort()


async def _on_redirect(_session: object, _context: object, asked: aiohttp.TraceRequestRedirectParams) -> None:
    """Let a reading call go on at the same server; refuse any other redirect, before anything is sent there.

    A body may hold Secrets, and what another server answers is not this cluster's word.
    """
    there = asked.response.headers.get("Location", "")
    if asked.method in ("GET", "HEAD") and _is_same_server(asked.url, there):
        return
    asked.response.close()
    title = msg("%(server)s sends us on to another address", server=str(asked.url.origin()))
    hint = msg("Sign in to the network you are in with a browser, or correct the server's address.")
    raise KubeError(title, clean(there, 300), hint, code=ExitCode.FAILED, status=asked.response.status)


def _is_same_server(url: URL, location: str) -> bool:
    try:
        return url.join(URL(location)).origin() == url.origin()
    except ValueError:
        return False
