"""Steps on single objects, run by the real executor on the practice cluster."""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import subprocess
import threading
from pathlib import Path

import yaml
from deploy_help import Deployer

from ansflow_desktop.executors.context import StepResult
from ansflow_desktop.models.pipeline import PipelineStep

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: %d
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {%s containers: [{name: main, image: nginx}]}
"""
NOWHERE = "nodeSelector: {nowhere: '1'},"
HELD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.com/hold]}\n"
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: broken}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {practice.ansflow.dev/behaviour: crash}}
    spec: {restartPolicy: Never, containers: [{name: main, image: nginx}]}
"""


class Steps(Deployer):
    """Runs steps of one type on one cluster, keeps what was said, and asks kubectl for what is there."""

    kind = None

    def run(self, resource: str, /, **config) -> StepResult:
        """Run a step of `kind` on `resource`; `config` is its k8s_config."""
        step = PipelineStep(
            name="step",
            type=self.kind,
            k8s_cluster=self.cluster,
            k8s_namespace=self.namespace,
            k8s_resource_name=resource,
            k8s_config=config,
        )
        return self.carry_out(step, "/")

    def kubectl(self, *words: str, stdin: str = "", namespace: str | None = None) -> str:
        """Run kubectl as the administrator and return its stdout."""
        where = ("-n", namespace or self.namespace)
        argv = [self.tools.kubectl.path, "--kubeconfig", str(self.admin), *where, *words]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def prepare(self, *manifests: str) -> None:
        """Make the namespace and what the manifests say, by client-side apply."""
        self.kubectl("create", "namespace", self.namespace)
        if manifests:
            self.kubectl("apply", "-f", "-", stdin="---\n".join(manifests))

    def there(self, kinds: str) -> set[str]:
        """The names of the objects of these kinds."""
        names = self.kubectl("get", kinds, "--output=name").split()
        return {name for name in names if "kube-root-ca.crt" not in name}

    def replicas(self, resource: str = "deployment/web") -> int:
        return int(self.kubectl("get", resource, "-o", "jsonpath={.spec.replicas}"))


def steps(kind, kubeconfig, tools, folder, namespace) -> Steps:
    """Return what runs steps of `kind`."""
    made = Steps(kubeconfig, tools, folder, namespace)
    made.kind, made.admin = kind, kubeconfig
    return made


RBAC = "/apis/rbac.authorization.k8s.io/v1"


def limited(practice_api, kubeconfig: Path, namespace: str, folder: Path, *rules) -> Path:
    """Make a user who may do only what `rules` (verbs, group, resources) say in `namespace`; return a kubeconfig."""
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    listed = [{"verbs": verbs, "apiGroups": [group], "resources": names} for verbs, group, names in rules]
    subject = {"kind": "ServiceAccount", "name": "some", "namespace": namespace}
    reference = {"kind": "Role", "name": "some", "apiGroup": "rbac.authorization.k8s.io"}
    bodies = {
        accounts: {"metadata": {"name": "some"}},
        f"{RBAC}/namespaces/{namespace}/roles": {"metadata": {"name": "some"}, "rules": listed},
        f"{RBAC}/namespaces/{namespace}/rolebindings": {
            "metadata": {"name": "some"},
            "subjects": [subject],
            "roleRef": reference,
        },
    }
    for path, body in bodies.items():
        status, answer = practice_api.request("POST", path, body)
        assert status == 201, answer
    _, token = practice_api.request("POST", f"{accounts}/some/token", {"spec": {}})
    document = yaml.safe_load(kubeconfig.read_text())
    document["users"][0]["user"] = {"token": json.loads(token)["status"]["token"]}
    (folder / "limited").write_text(json.dumps(document))
    return folder / "limited"


class Cable:
    """A connection to the API server that can be cut: bytes are passed on until then, afterwards nobody listens."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        cluster = document["clusters"][0]["cluster"]
        self._to = int(cluster["server"].rsplit(":", 1)[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]
        cluster["server"] = f"https://127.0.0.1:{self.port}"
        self.kubeconfig = folder / "cable"
        self.kubeconfig.write_text(json.dumps(document))

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                with self._lock:
                    self._open |= {near, far}
                threading.Thread(target=self._pass, args=(near, far), daemon=True).start()

    def _pass(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        with contextlib.suppress(OSError, ValueError, KeyError), selectors.DefaultSelector() as ready:
            for each in other:
                ready.register(each, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(65536)
                    if not data:
                        return self._close(near, far)
                    other[key.fileobj].sendall(data)
        return self._close(near, far)

    def _close(self, *sockets: socket.socket) -> None:
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        with self._lock:
            self._open -= set(sockets)

    def cut(self) -> None:
        """End all connections and accept no new ones."""
        self._close(self._listener)
        with self._lock:
            left = list(self._open)
        for each in left:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Listen again at the same port."""
        self._listener = self._listen(self.port)
