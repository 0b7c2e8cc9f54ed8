"""The few requests that setting up a practice cluster needs: standard library only, one connection a call."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """A practice cluster's API server on loopback: its `port`, the CA file and the administrator's token."""

    port: int
    ca: Path
    token: str

    def request(self, method: str, path: str, body: Any = None, timeout: float = 5.0) -> tuple[int, bytes]:
        """Send one request and return status and body; (0, reason) when the server could not be reached."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self._context())
        try:
            connection.request(method, path, None if body is None else json.dumps(body), self._headers(method))
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error).encode()
        finally:
            connection.close()

    def get(self, path: str) -> dict[str, Any]:
        """Return the decoded object at `path`; an empty one when it is not there or not to be had."""
        status, body = self.request("GET", path)
        return json.loads(body) if status == http.HTTPStatus.OK else {}

    def ready(self) -> bool:
        """Return whether the API server says that it is ready."""
        return self.request("GET", "/readyz", timeout=2.0)[0] == http.HTTPStatus.OK

    def create(self, path: str, body: dict[str, Any]) -> bool:
        """Create `body` below `path`; return whether it is there now, made by this call or before."""
        return self.request("POST", path, body)[0] in (http.HTTPStatus.CREATED, http.HTTPStatus.CONFLICT)

    def _headers(self, method: str) -> dict[str, str]:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        return {"Authorization": f"Bearer {self.token}", "Content-Type": kind, "Accept": "application/json"}

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))
