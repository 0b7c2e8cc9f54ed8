"""Whether a server that tells of no changes still answers: a watch without changes is as silent as one that hangs."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.kube.client import METADATA_LIST, ClusterClient
from ansflow_desktop.kube.errors import KubeError

if TYPE_CHECKING:
    from collections.abc import Callable

PULSE_S = 5.0
_ANSWER_S = 5.0
_REFUSED = 401


class Pulse:
    """Asks for one object of a collection (as current as the database, not from a cache) whenever all is silent."""

    def __init__(self, client: ClusterClient, path: str, told: Callable[[KubeError | None], None]) -> None:
        """Ask for `path`; `told(error)` hears after each question why there is no answer, None where there is one."""
        self._client, self._path, self._told = client, path, told
        self._heard = time.monotonic()
        self._lost = False

    def heard(self) -> None:
        """Note that the server said something of itself."""
        self._heard = time.monotonic()

    async def run(self) -> None:
        """Ask until cancelled; raises KubeError where the credentials are refused: there may be newer ones by now."""
        while True:
            await asyncio.sleep(PULSE_S)
            if self._lost or time.monotonic() - self._heard >= PULSE_S:
                error = await self._ask()
                if error is not None and error.status == _REFUSED:
                    raise error
                self._lost = error is not None
                self._told(error)

    async def _ask(self) -> KubeError | None:
        try:
            await self._client.get(self._path, {"limit": 1}, METADATA_LIST, _ANSWER_S)
        except KubeError as error:  # who says that this is not allowed is there
            return error if error.code is ExitCode.UNREACHABLE else None
        return None
