"""The library's REST client with our resolver and our bounds; imports the library, so import this module late."""

from __future__ import annotations

import asyncio
import functools
from typing import cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from kubernetes.aio.client.rest import RESTClientObject

from ansflow_desktop.kube.resolver import DaemonResolver


class RestClient(RESTClientObject):
    """The library's REST client: looks names up without holding the program at its end, and is not led elsewhere."""

    def _create_pool_manager(self) -> aiohttp.ClientSession:
        session = super()._create_pool_manager()  # a redirect would carry what was sent, Secrets among it, elsewhere
        session._trust_env = False  # which proxy is used was decided as kubectl does (proxy.py); no .netrc either
        session.request = functools.partial(session.request, allow_redirects=False)  # type: ignore[method-assign]
        return session

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
