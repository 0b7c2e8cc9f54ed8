"""What kind of failure kubectl's own words tell of; its exit code is 1 for all of them."""

from __future__ import annotations

import re

_UNREACHABLE = re.compile(
    r"Unable to connect to the server|connection refused|no such host|i/o timeout|was refused|TLS handshake"
    r"|connection reset|unexpected EOF|network is unreachable|no route to host",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"Unauthorized|must be logged in|provide credentials", re.IGNORECASE)
_FORBIDDEN = re.compile(r"\(?Forbidden\)?:? |is forbidden", re.IGNORECASE)
_LATE = re.compile(r"timed out waiting|deadline exceeded", re.IGNORECASE)


def lost(stderr: str) -> bool:
    """Return whether the cluster could not be reached."""
    return bool(_UNREACHABLE.search(stderr))


def refused(stderr: str) -> bool:
    """Return whether the cluster refused the credentials."""
    return bool(_REFUSED.search(stderr))


def forbidden(stderr: str) -> bool:
    """Return whether the user lacks a right."""
    return bool(_FORBIDDEN.search(stderr))


def late(stderr: str) -> bool:
    """Return whether kubectl's own timeout ended it."""
    return bool(_LATE.search(stderr))
