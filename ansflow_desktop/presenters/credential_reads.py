"""How presenters read credentials: thin calls into `services.credentials`, imported at the first use (goal 9)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ansflow_desktop.presenters.base import off_thread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ansflow_desktop.credentials.service import Overview
    from ansflow_desktop.executors.services import Services
    from ansflow_desktop.models.credential import CredentialReport


class CredentialReads:
    """Readings of all credentials; one object, so that tests can put another in its place."""

    def __init__(self, services: Services) -> None:
        """Start with nothing imported and nothing read."""
        self._services = services
        self._imported = False

    async def _ready(self) -> None:
        """Import the Kubernetes client and cryptography in another thread: both would stall the window."""
        if not self._imported:
            await off_thread(_import_parts)
            self._imported = True

    async def overview(self, ask: bool, *, names: Iterable[str] | None = None, fresh: bool = False) -> Overview:
        """Return all credentials (of the clusters `names`), actions, and clusters that could not be read.

        Without `ask` nothing is contacted; with it kept answers are used again unless they are old or `fresh`.
        """
        await self._ready()
        service = await off_thread(lambda: self._services.credentials)
        return await service.overview(ask, names=names, fresh=fresh)

    async def reports(self, ask: bool, *, fresh: bool = False) -> tuple[CredentialReport, ...]:
        """Return the rows of `overview`."""
        return (await self.overview(ask, fresh=fresh)).reports


def _import_parts() -> None:
    for name in ("kubernetes.aio.client", "kubernetes.aio.config", "cryptography.x509", "jwt"):
        importlib.import_module(name)
    for name in ("service", "inventory", "advice", "registries"):
        importlib.import_module(f"ansflow_desktop.credentials.{name}")
