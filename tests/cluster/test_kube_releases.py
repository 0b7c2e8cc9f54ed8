"""The release table against Helm's own list, on a real API server, with releases in all states a cluster can hold."""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
import os
import re
import signal
import subprocess

import pytest
from deploy_help import HELM_4

from ansflow_desktop.kube import kubeconfig as reader
from ansflow_desktop.kube import releases, sync
from ansflow_desktop.models.release import ReleaseStatus

CONFIG_MAP = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata: {v: {{ .Values.v | quote }}}\n"
)
HOOK = """
apiVersion: batch/v1
kind: Job
metadata: {name: "{{ .Release.Name }}-wait", annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}
spec:
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {never: matches}
      containers: [{name: a, image: a}]
"""


@pytest.fixture
def document(kubeconfig):
    return reader.load((kubeconfig,)).document("practice")


@pytest.fixture
def chart(tmp_path):
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: tiny\nversion: 1.2.3\nappVersion: '4.5'\n")
    (folder / "values.yaml").write_text("v: 1\nhook: false\n")
    (folder / "templates" / "c.yaml").write_text(CONFIG_MAP)
    (folder / "templates" / "h.yaml").write_text("{{ if .Values.hook }}" + HOOK + "{{ end }}")
    return folder


@pytest.fixture
def run(helm, kubeconfig, namespace):
    """Helm on the test's own namespace."""

    def call(*arguments: str, fails: bool = False) -> str:
        argv = [helm.path, *arguments, "-n", namespace, "--kubeconfig", str(kubeconfig)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stdout

    return call


@pytest.fixture
def kill_midway(helm, kubeconfig, namespace, kubectl):
    """A helm that is killed while its hook waits: the release stays pending."""

    def call(release: str, *arguments: str) -> None:
        argv = [helm.path, *arguments, "-n", namespace, "--kubeconfig", str(kubeconfig), "--set", "hook=true"]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            waited = [kubectl.path, "--kubeconfig", str(kubeconfig), "-n", namespace, "wait", "--for=create"]
            subprocess.run([*waited, f"job/{release}-wait", "--timeout=30s"], check=True, capture_output=True)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    return call


def helm_row(row: dict[str, str]) -> dict[str, str]:
    """Return a row of `helm list -o json` with its time as ours: RFC 3339 in UTC."""
    day, clock, offset, _ = row["updated"].split(" ", 3)
    seconds, _, fraction = clock.partition(".")
    moment = datetime.datetime.strptime(f"{day} {seconds} {offset}", "%Y-%m-%d %H:%M:%S %z")
    shown = moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return {**row, "updated": f"{shown}.{fraction}Z" if fraction else f"{shown}Z"}


def our_row(release) -> dict[str, str]:
    names = ("name", "namespace", "revision", "updated", "status", "chart", "app_version")
    return {name: str(getattr(release, name)) for name in names}


def helm_rows(run, helm, *scope: str) -> list[dict[str, str]]:
    every = ["-a"] if helm.major == 3 else []
    found = json.loads(run("list", *scope, *every, "--max", "0", "-o", "json"))
    return sorted(map(helm_row, found), key=lambda row: row["name"])


UPGRADES = {3: 1, 4: 11}  # by Helm's major version; revision 11 is newer than 9


@pytest.fixture
def in_all_states(run, chart, kill_midway, namespace, helm):
    here = str(chart)
    run("install", "good", here, "--create-namespace")
    for _ in range(UPGRADES[helm.major]):
        run("upgrade", "good", here, "--history-max", "12")
    run("install", "failed", here)
    run("upgrade", "failed", here, "--set", "v=2,hook=true", "--timeout", "1s", fails=True)
    run("install", "gone", here)
    run("uninstall", "gone", "--keep-history")
    run("install", "stuck", here)
    kill_midway("stuck", "upgrade", "stuck", here)
    kill_midway("half", "install", "half", here)
    return namespace


def test_the_rows_are_those_of_helm_list_in_all_states(in_all_states, run, helm, document):
    ours = sync.run(releases.list_releases(document, in_all_states))
    assert [our_row(release) for release in ours] == helm_rows(run, helm)
    assert {release.name: str(release.status) for release in ours} == {
        "failed": "failed",
        "gone": "uninstalled",
        "good": "deployed",
        "half": "pending-install",
        "stuck": "pending-upgrade",
    }
    assert next(release.revision for release in ours if release.name == "good") == UPGRADES[helm.major] + 1
    everywhere = sync.run(releases.list_releases(document))
    assert [release for release in everywhere if release.namespace == in_all_states] == ours
    assert {(row.name, row.status) for row in sync.run(releases.list_status_rows(document, in_all_states))} == {
        (row.name, row.status) for row in ours
    }


@HELM_4
def test_history_newest_revision_and_kept_values(run, chart, namespace, document):
    here = str(chart)
    assert sync.run(releases.read_release(document, namespace, "one")) is None
    assert sync.run(releases.release_values(document, namespace, "one")) is None
    assert sync.run(releases.history(document, namespace, "one")) == []
    run("install", "one", here, "--create-namespace", "--set", "v=deployed")
    run("upgrade", "one", here, "--set", "v=broken,hook=true", "--timeout", "1s", fails=True)
    newest = sync.run(releases.read_release(document, namespace, "one"))
    assert (newest.revision, newest.status, newest.chart) == (2, ReleaseStatus.FAILED, "tiny-1.2.3")
    assert "failed" in newest.description
    found = sync.run(releases.history(document, namespace, "one"))
    assert [(item.revision, str(item.status)) for item in found] == [(1, "deployed"), (2, "failed")]
    kept = sync.run(releases.release_values(document, namespace, "one"))
    assert kept == {"v": "deployed"}
    run("upgrade", "one", here)
    assert json.loads(run("get", "values", "one", "-o", "json")) == kept


@HELM_4
def test_a_damaged_record_and_a_large_one(run, chart, namespace, document, kubectl, kubeconfig):
    words = "".join(
        re.sub(r"[^a-z]", "", base64.b64encode(os.urandom(64)).decode().lower()) + "\n" for _ in range(8_000)
    )
    (chart / "files.txt").write_text(words)
    run("install", "large", str(chart), "--create-namespace")
    run("install", "bad", str(chart))
    patch = json.dumps({"data": {"release": base64.b64encode(b"rubbish").decode()}})
    name = "sh.helm.release.v1.bad.v1"
    argv = [kubectl.path, "--kubeconfig", str(kubeconfig), "-n", namespace, "patch", "secret", name, "-p", patch]
    subprocess.run(argv, check=True, capture_output=True)
    rows = sync.run(releases.list_releases(document, namespace))
    assert [(row.name, str(row.status), row.chart) for row in rows] == [
        ("bad", "unknown", ""),
        ("large", "deployed", "tiny-1.2.3"),
    ]


@HELM_4
def test_the_watch_reports_what_changes(run, chart, namespace, document):
    seen: asyncio.Queue = asyncio.Queue()
    here = str(chart)

    async def until(wanted):
        while True:
            rows = await seen.get()
            if [(row.name, row.revision, str(row.status)) for row in rows if row.namespace == namespace] == wanted:
                return

    async def story():
        watching = asyncio.create_task(releases.watch_releases(document, seen.put_nowait))
        try:
            async with asyncio.timeout(30):
                await until([])
                await asyncio.to_thread(run, "install", "one", here, "--create-namespace")
                await until([("one", 1, "deployed")])
                await asyncio.to_thread(run, "upgrade", "one", here)
                await until([("one", 2, "deployed")])
                await asyncio.to_thread(run, "uninstall", "one")
                await until([])
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(story())


@HELM_4
def test_unchanged_records_are_not_read_twice(run, chart, namespace, document, monkeypatch):
    from ansflow_desktop.kube import revisions

    for name in ("a", "b", "c"):
        run("install", name, str(chart), "--create-namespace")
    first = sync.run(releases.list_releases(document, namespace))

    async def refused(*_):
        raise AssertionError("a Secret was read again")

    monkeypatch.setattr(revisions, "secret", refused)
    assert sync.run(releases.list_releases(document, namespace)) == first
