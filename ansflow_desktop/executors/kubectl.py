"""kubectl's command lines for manifests: data only, nothing runs here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ansflow_desktop.executors.manifest_documents import ManifestObject, joined
from ansflow_desktop.models.command import Command, KubeTarget, Tool

FIELD_MANAGER = "ansflow"
CALL_TIMEOUT_S = 120.0
ESTABLISH_S = 60
_ROLLOUT_KINDS = {"Deployment", "StatefulSet", "DaemonSet"}


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

    def established(self, crds: Sequence[ManifestObject]) -> Command:
        """Wait until the API server serves the new kinds."""
        names = tuple(f"crd/{crd.name}" for crd in crds)
        words = ("wait", "--for=condition=Established", *names, f"--timeout={ESTABLISH_S}s")
        return self.command(words, "establish")

    def ready(self, found: ManifestObject, namespace: str, timeout: str) -> Command | None:
        """Wait until a workload is rolled out or a Job is complete; None for a kind that nothing waits for."""
        where = ("--namespace", found.namespace or namespace, f"--timeout={timeout}")
        if found.kind in _ROLLOUT_KINDS and found.group == "apps":
            return self.command(("rollout", "status", f"{found.kind.lower()}/{found.name}", *where), "wait", limit=None)
        if found.kind == "Job" and found.group == "batch":
            return self.command(("wait", "--for=condition=Complete", f"job/{found.name}", *where), "wait", limit=None)
        return None

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
