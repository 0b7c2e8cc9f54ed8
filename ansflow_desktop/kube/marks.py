"""Notes on clusters hold for the server, whatever its entries are called (conventions.md, 10).

A context that is renamed, a second context of one server, another kubeconfig: none of them takes a mark off. Where one
address leads to many clusters and credential programs name the one that is meant (Teleport), these are told apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from ansflow_desktop.models.cluster import ClusterEntry, ClusterMarks

_PORTS = {"http": 80}
_TLS_PORT = 443
_NAMES_CLUSTER = re.compile(r"--?[\w-]*cluster[\w-]*")


class Holder(NamedTuple):
    """A name with its notes, and the cluster that its credential program names (empty: none)."""

    name: str
    marks: ClusterMarks
    meant: tuple[str, ...] = ()


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
) -> dict[str, list[Holder]]:
    """Return by server the names whose marks hold there.

    Entries that are there go before `lost` names, whose notes are among `marks`.
    """
    found: dict[str, list[Holder]] = {}
    for entry in entries:
        found.setdefault(same_server(entry.server), []).append(Holder(entry.name, entry.marks, _meant(entry)))
    for server, names in lost.items():
        found.setdefault(server, []).extend(Holder(name, marks[name]) for name in names)
    return found


def told(entry: ClusterEntry, holders: Mapping[str, list[Holder]]) -> ClusterEntry:
    """Return `entry` with the names whose marks hold for its server, where it has not those marks itself."""
    meant = _meant(entry)
    others = holders.get(same_server(entry.server), []) if entry.server else []
    same = [one for one in others if not (meant and one.meant) or meant == one.meant]
    read_only = next((one.name for one in same if one.marks.read_only), "")
    production = next((one.name for one in same if one.marks.production), "")
    return msgspec.structs.replace(
        entry,
        read_only_by="" if entry.marks.read_only else read_only,
        production_by="" if entry.marks.production else production,
    )


def _meant(entry: ClusterEntry) -> tuple[str, ...]:
    """Return what the credential program's arguments say of a cluster: `--kube-cluster=shop`, `--cluster-name shop`."""
    words = entry.exec_plugin.args if entry.exec_plugin else ()
    found = []
    for word, after in pairwise((*words, "")):
        option, equals, value = word.partition("=")
        if _NAMES_CLUSTER.fullmatch(option):
            found.append(f"{option}={value if equals else after}")
    return tuple(sorted(found))
