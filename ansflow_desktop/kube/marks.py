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


def held(
    entries: Iterable[ClusterEntry], lost: Mapping[str, Iterable[str]], marks: Mapping[str, ClusterMarks]
) -> dict[str, tuple[str, str]]:
    """Return by server the name whose mark makes it read-only, and production; empty where none does.

    Entries that are there go before `lost` names, whose notes are among `marks`.
    """
    found: dict[str, tuple[str, str]] = {}
    for entry in entries:
        _note(found, same_server(entry.server), entry.name, entry.marks)
    for server, names in lost.items():
        for name in names:
            _note(found, server, name, marks[name])
    return found


def _note(found: dict[str, tuple[str, str]], server: str, name: str, marks: ClusterMarks) -> None:
    read_only, production = found.get(server, ("", ""))
    found[server] = (
        read_only or (name if marks.read_only else ""),
        production or (name if marks.production else ""),
    )


def told(entry: ClusterEntry, holders: Mapping[str, tuple[str, str]]) -> ClusterEntry:
    """Return `entry` with the names whose marks hold for its server, where it has not those marks itself."""
    read_only, production = holders.get(same_server(entry.server), ("", "")) if entry.server else ("", "")
    read_only = "" if entry.marks.read_only else read_only
    production = "" if entry.marks.production else production
    if not read_only and not production:
        return entry
    return msgspec.structs.replace(entry, read_only_by=read_only, production_by=production)
