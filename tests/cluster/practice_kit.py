"""Helpers of the tests on practice clusters."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import yaml

from ansflow_desktop.practice.api import Api

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def api_of(path: Path) -> Api:
    """Return plain access to the practice cluster whose kubeconfig is `path`."""
    document = yaml.safe_load(path.read_text())
    server = document["clusters"][0]["cluster"]["server"]
    return Api(
        port=int(server.rsplit(":", 1)[1]),
        ca=path.parent / "pki" / "ca.crt",
        token=document["users"][0]["user"]["token"],
    )


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Ask `condition` again and again until it holds, and return what it said; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found
