"""The library's REST client with our resolver; imports the library, so import this module late."""

from __future__ import annotations

import aiohttp
from kubernetes.aio.client.rest import RESTClientObject

from ansflow_desktop.kube.resolver import DaemonResolver


class RestClient(RESTClientObject):
    """The library's REST client, looking names up without holding the program at its end."""

    def _create_connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(limit=self.maxsize, ssl=self.ssl_context, resolver=DaemonResolver())
