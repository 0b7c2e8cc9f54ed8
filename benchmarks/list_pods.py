"""Goal 3: 10,000 pods to rows, to a first screen and to figures, against `kubectl get pods -A`; and the bytes.

Run: `python3 dev.py bench list_pods`. A real API server holds the pods. Every round opens its connection anew; kubectl
is a process of its own each time, as for who types it. The rows are the same ones, or it stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from typing import Any

from many_pods import CLUSTER, cluster_of_pods
from ratios import faster, interleave, spread

from ansflow_desktop.kube import tables
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.statistics import read_statistics
from ansflow_desktop.presenters.resources_state import COMMON

PODS, NAMESPACES, ROUNDS = 10_000, 10, 5
POD = COMMON[0]


class Counting(ClusterClient):
    """A client that counts the bytes of the answers."""

    size = 0

    async def get(self, *words: Any, **named: Any) -> bytes:
        body = await super().get(*words, **named)
        self.size += len(body)
        return body


class Bench:
    """The two ways to a table of pods."""

    def __init__(self, document: dict[str, Any], kubectl: list[str]) -> None:
        self._document, self._kubectl = document, kubectl

    def kubectl(self) -> float:
        """Return the seconds of `kubectl get pods -A`."""
        started = time.perf_counter()
        subprocess.run(self._kubectl, check=True, capture_output=True)
        return time.perf_counter() - started

    def rows(self) -> float:
        """Return the seconds to all rows."""
        started = time.perf_counter()
        asyncio.run(self._rows(ClusterClient(self._document)))
        return time.perf_counter() - started

    def first(self) -> float:
        """Return the seconds to the first rows."""
        started = time.perf_counter()
        return asyncio.run(self._first()) - started

    async def _rows(self, client: ClusterClient) -> set[tuple[str, str]]:
        async with client:
            found = await tables.list_table(client, POD)
        return {(row.namespace, row.name) for row in found.rows}

    async def _first(self) -> float:
        async with (
            ClusterClient(self._document) as client,
            contextlib.aclosing(tables.pages(client, POD, None, [])) as pages,
        ):
            async for page in pages:
                if page.rows:
                    return time.perf_counter()
        raise SystemExit("no pods")

    def counted(self) -> float:
        """Return the seconds to the figures of the cluster but what its pods request."""
        started = time.perf_counter()
        return asyncio.run(self._counted()) - started

    async def _counted(self) -> float:
        ready: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        reading = read_statistics(self._document, CLUSTER, told=lambda _found: ready.set_result(time.perf_counter()))
        whole = asyncio.create_task(reading)
        await asyncio.wait((ready, whole), return_when=asyncio.FIRST_COMPLETED)
        whole.cancel()
        return ready.result()

    def whole(self) -> float:
        """Return the seconds to all figures."""
        started = time.perf_counter()
        asyncio.run(read_statistics(self._document, CLUSTER))
        return time.perf_counter() - started

    def compare(self) -> None:
        """Stop where the rows are not kubectl's; print the bytes of ours and of the objects as JSON."""
        client = Counting(self._document)
        ours = asyncio.run(self._rows(client))
        printed = subprocess.run(self._kubectl, check=True, capture_output=True, text=True).stdout
        theirs = {tuple(line.split()[:2]) for line in printed.splitlines()[1:]}
        if ours != theirs:
            raise SystemExit(f"not the same rows: {len(ours)} and {len(theirs)}")
        size = asyncio.run(self._json())
        verdict = "met" if client.size * 25 <= size else "MISSED"
        print(f"{len(ours)} pods: {client.size / 1e6:.2f} MB, objects as JSON {size / 1e6:.1f} MB")
        print(f"bytes: 1/{size / client.size:.0f} of full JSON (goal: at most 1/25) {verdict}")

    async def _json(self) -> int:
        async with ClusterClient(self._document, timeout=120) as client:
            return len(await client.get("/api/v1/pods"))


def main() -> None:
    """Fill a practice cluster, measure, print the ratios."""
    with cluster_of_pods(PODS, NAMESPACES) as (services, info):
        document = services.catalog.document(CLUSTER)
        kubectl = [services.tools.kubectl.path, "--kubeconfig", str(info.kubeconfig), "get", "pods", "-A"]
        bench = Bench(document, kubectl)
        bench.compare()
        cases = {"kubectl": bench.kubectl, "rows": bench.rows, "first": bench.first}
        took = interleave(ROUNDS, cases | {"counted": bench.counted, "whole": bench.whole})
    print(f"kubectl get pods -A         {spread(took['kubectl'])}")
    print(f"all rows                    {spread(took['rows'])}")
    print(f"first screen                {spread(took['first'])}")
    print(f"figures, all but requests   {spread(took['counted'])}")
    print(f"figures, all                {spread(took['whole'])}")
    faster("10,000 pods to rows", took["kubectl"], took["rows"], 40)
    faster("first screen", took["kubectl"], took["first"], 200)
    faster("figures, all but requests", took["kubectl"], took["counted"], 40)


if __name__ == "__main__":
    main()
