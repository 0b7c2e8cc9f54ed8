"""Notes on clusters hold for the server, whatever its entries are called (conventions.md, 10).

A context that is renamed, a second context of one server, another kubeconfig: none of them takes a mark off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlsplit

import msgspec

from ansflow_desktop.models.cluster import ClusterEntry, ClusterMarks

_PORTS = {"http": 80}
_TLS_PORT = 443


def same_server(address: str) -> str:
    """Return the one spelling of a server's address, so that two entries of one server have the same; empty for none.

    Two names of one host are two servers: nobody is asked.
    """
    try:
        parts = urlsplit(address if "://" in address or not address else f"https://{address}")
        port = parts.port or _PORTS.get(parts.scheme, _TLS_PORT)
    except ValueError:
        return address
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path.rstrip('/')}" if parts.hostname else address


def lost_names(
    there: Collection[str], marks: Mapping[str, ClusterMarks], servers: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return by server the noted names that are not `there` any more: their contexts were renamed, or left out."""
    lost: dict[str, tuple[str, ...]] = {}
    for name in marks:
        server = same_server(servers.get(name, ""))
        if name not in there and server:
            lost[server] = (*lost.get(server, ()), name)
    return lost


def found_again(lost: Mapping[str, Iterable[str]], marks: Mapping[str, ClusterMarks]) -> dict[str, ClusterMarks]:
    """Return by server the notes of lost names; of several the strictest."""
    found: dict[str, ClusterMarks] = {}
    for server, names in lost.items():
        known = [marks[name] for name in names]
        flags = {"read_only": any(one.read_only for one in known), "production": any(one.production for one in known)}
        found[server] = msgspec.structs.replace(known[0], default=False, **flags)
    return found


def held(entries: Iterable[ClusterEntry], lost: Mapping[str, ClusterMarks]) -> dict[str, tuple[bool, bool]]:
    """Return by server whether it is read-only, and whether production, by any of its entries or lost names."""
    found = {server: (marks.read_only, marks.production) for server, marks in lost.items()}
    for entry in entries:
        server = same_server(entry.server)
        read_only, production = found.get(server, (False, False))
        found[server] = (read_only or entry.marks.read_only, production or entry.marks.production)
    return found
