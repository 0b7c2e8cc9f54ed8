"""kubectl's command lines for manifests: data only, nothing runs here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ansflow_desktop.executors.manifest_documents import ManifestObject, joined
from ansflow_desktop.models.command import Command, KubeTarget, Tool

FIELD_MANAGER = "ansflow"
CALL_TIMEOUT_S = 120.0
ESTABLISH_S = 60
DELETE_S = 60
_ROLLOUT_KINDS = {"Deployment", "StatefulSet", "DaemonSet"}
_COUNTED = {("apps", "ReplicaSet"), ("", "ReplicationController")}


class Kubectl(msgspec.Struct, frozen=True, kw_only=True):
    """kubectl with where it runs and which cluster it talks to; each method returns one command."""

    tool: Tool
    target: KubeTarget
    directory: str
    env: dict[str, str] = {}

    def kustomize(self, folder: str) -> Command:
        """Render a kustomization; no cluster is contacted."""
        return self.command(("kustomize", folder), "kustomize", on_cluster=False)

    def get_namespace(self, name: str) -> Command:
        """Ask whether a namespace exists: its name on stdout, or nothing."""
        return self.command(("get", "namespace", name, "--ignore-not-found", "--output=name"), "check")

    def apply(self, objects: Sequence[ManifestObject], namespace: str, *, dry_run: bool = False) -> Command:
        """Apply `objects` server-side, or only have the server check them."""
        trial = ("--dry-run=server",) if dry_run else ()
        words = ("apply", "--server-side", f"--field-manager={FIELD_MANAGER}", *trial, "--filename=-")
        command = self.command((*words, "--namespace", namespace), "check" if dry_run else "apply")
        return msgspec.structs.replace(command, stdin=joined(list(objects)))

    def apply_kustomization(self, folder: str, namespace: str) -> Command:
        """Return the short form of what a kustomize step comes to: for people to read and copy."""
        words = ("apply", "--server-side", f"--field-manager={FIELD_MANAGER}", f"--kustomize={folder}")
        return self.command((*words, "--namespace", namespace), "apply")

    def get_objects(self, objects: Sequence[ManifestObject], namespace: str) -> Command:
        """Read the live state of `objects`, who set which field included; those that are not there are left out."""
        words = ("get", "--filename=-", "--ignore-not-found", "--show-managed-fields", "--output=json")
        command = self.command((*words, "--namespace", namespace), "read")
        return msgspec.structs.replace(command, stdin=joined(list(objects)))

    def delete(self, found: ManifestObject, namespace: str) -> Command:
        """Delete one object and what it owns, and wait until they are gone; a Namespace empties itself afterwards."""
        words = ("delete", "--filename=-", "--ignore-not-found", "--cascade=foreground", f"--timeout={DELETE_S}s")
        wait = "--wait=false" if found.is_namespace else "--wait=true"
        command = self.command((*words, wait, "--namespace", namespace), "delete")
        return msgspec.structs.replace(command, stdin=joined([found]))

    def names(self, kinds: str, namespace: str) -> Command:
        """List the objects of `kinds` in a namespace, or everywhere with "", as kind/name."""
        where = ("--namespace", namespace) if namespace else ("--all-namespaces",)
        return self.command(("get", kinds, "--ignore-not-found", "--output=name", *where), "list")

    def established(self, crds: Sequence[ManifestObject]) -> Command:
        """Wait until the API server serves the new kinds."""
        names = tuple(f"crd/{crd.name}" for crd in crds)
        words = ("wait", "--for=condition=Established", *names, f"--timeout={ESTABLISH_S}s")
        return self.command(words, "establish")

    def ready(self, found: ManifestObject, namespace: str, timeout: str) -> Command | None:
        """Wait until a workload is rolled out, a Job complete, a pod ready; None where there is nothing to wait for."""
        where = ("--namespace", found.namespace or namespace, f"--timeout={timeout}")
        words = _until_ready(found)
        return self.command((*words, *where), "wait", limit=None) if words else None

    def command(
        self, words: tuple[str, ...], purpose: str, *, on_cluster: bool = True, limit: float | None = CALL_TIMEOUT_S
    ) -> Command:
        """Return kubectl with these `words`; kubeconfig and context come last (failure-modes.md, row 10)."""
        where = ("--kubeconfig", self.target.kubeconfig, "--context", self.target.context) if on_cluster else ()
        return Command(
            argv=(self.tool.path, *words, *where),
            cwd=self.directory,
            env={**self.env, "KUBECONFIG": None, "KUBERC": "off"},
            timeout=limit,
            purpose=purpose,
        )


def _until_ready(found: ManifestObject) -> tuple[str, ...]:
    """Return kubectl's words for waiting, none for a kind without readiness or one that is only updated by hand."""
    place = f"{found.kind.lower()}/{found.name}"
    if found.kind in _ROLLOUT_KINDS and found.group == "apps":
        strategy = found.spec.get("updateStrategy")
        by_hand = isinstance(strategy, dict) and strategy.get("type") == "OnDelete"
        return () if by_hand else ("rollout", "status", place)
    if found.kind == "Job" and found.group == "batch":
        return ("wait", "--for=condition=Complete", place)
    if found.kind == "Pod" and not found.group:
        lasting = found.spec.get("restartPolicy", "Always") == "Always"
        return ("wait", "--for=condition=Ready" if lasting else "--for=jsonpath={.status.phase}=Succeeded", place)
    if (found.group, found.kind) in _COUNTED:
        count = found.spec.get("replicas", 1)
        return ("wait", f"--for=jsonpath={{.status.readyReplicas}}={count}", place) if count else ()
    return ()
