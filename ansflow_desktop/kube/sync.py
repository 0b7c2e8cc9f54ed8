"""Coroutines of this package for callers without an event loop: the command line and the executors."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `coroutine` to its end in a loop of its own, in the calling thread, and return its value."""
    return asyncio.run(coroutine)
