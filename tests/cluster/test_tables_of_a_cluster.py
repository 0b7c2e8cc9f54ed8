"""kube/tables.py and tables_watch.py on a real API server: the rows are kubectl's, and a watch follows them."""

from __future__ import annotations

import asyncio

import yaml

from ansflow_desktop.kube import tables
from ansflow_desktop.kube.client import ClusterClient
from ansflow_desktop.kube.discovery import served_kinds
from ansflow_desktop.kube.tables_watch import Choice, TableFeed
from ansflow_desktop.presenters.resources_state import COMMON

CONFIG_MAP = next(kind for kind in COMMON if kind.kind == "ConfigMap")


def test_every_kind_that_is_served_has_rows_named_as_kubectl_names_them(kubeconfig, kubectl_json):
    async def story():
        found = {}
        async with ClusterClient(yaml.safe_load(kubeconfig.read_text())) as client:
            kinds = {kind.word: kind for kind in await served_kinds(client) if "list" in kind.verbs}
            for word in ("namespace", "node", "event", "clusterrole.rbac.authorization.k8s.io"):
                found[word] = await tables.list_table(client, kinds[word])
        return found

    found = asyncio.run(story())
    for word, rows in found.items():
        items = kubectl_json("get", word, "-A")["items"]
        wanted = {(one["metadata"].get("namespace", ""), one["metadata"]["name"]) for one in items}
        got = {(row.namespace, row.name) for row in rows.rows}
        assert got
        assert got & wanted  # others work on this cluster meanwhile
        assert any(column.kind == "name" for column in rows.columns), word


def test_a_watch_hears_of_what_comes_and_goes(kubeconfig, practice_api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    assert practice_api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})

    async def story():
        names, changed = set(), asyncio.Event()

        def on_rows(_choice, told):
            names.clear()
            names.update(row.name for row in told.rows)
            changed.set()

        async def until(ready):
            while not ready():
                changed.clear()
                await changed.wait()

        feed = TableFeed(yaml.safe_load(kubeconfig.read_text()), on_rows, lambda *_: changed.set(), lambda _: None)
        feed.choose(Choice(kind=CONFIG_MAP))
        running = asyncio.create_task(feed.run())
        try:
            async with asyncio.timeout(30):
                await until(lambda: names)
                assert await asyncio.to_thread(practice_api.create, path, {"metadata": {"name": "mine-alone"}})
                await until(lambda: "mine-alone" in names)
                await asyncio.to_thread(practice_api.request, "DELETE", f"{path}/mine-alone")
                await until(lambda: "mine-alone" not in names)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())
