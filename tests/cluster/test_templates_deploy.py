"""Every built-in template deploys as it is; a converted pipeline leaves the same objects as the run of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansflow_desktop import cli
from ansflow_desktop.pipelines.templates import builtin_templates

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LIMIT_S = 90
KINDS = "deployments,statefulsets,jobs,cronjobs,services,ingresses,configmaps,hpa,pdb"


class Caller:
    """Runs the command line as processes on the shared cluster."""

    def __init__(self, folder: Path, kubeconfig: Path, helm: str, kubectl: str) -> None:
        self.folder = folder
        self._words = [sys.executable, "-m", "ansflow_desktop", "--data-dir", str(folder / "data")]
        self._words += ["--kubeconfig", str(kubeconfig), "--helm", helm, "--kubectl", kubectl]

    def __call__(self, *words: str) -> str:
        """Return what was written; the command must end with 0."""
        done = subprocess.run(
            [*self._words, *words], capture_output=True, text=True, cwd=self.folder, timeout=LIMIT_S, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def call(tmp_path: Path, kubeconfig: Path, helm4, kubectl) -> Caller:
    return Caller(tmp_path, kubeconfig, helm4.path, kubectl.path)


def names(kubectl_json, namespace: str) -> set[str]:
    """Return the objects of a namespace that were not made by the cluster itself."""
    items = kubectl_json("get", KINDS, "--namespace", namespace)["items"]
    return {f"{one['kind']}/{one['metadata']['name']}" for one in items} - {"ConfigMap/kube-root-ca.crt"}


WANTED = {
    "CronJob/nightly",
    "ConfigMap/my-release-fe-app",
    "Deployment/my-release-fe-app",
    "Service/my-release-fe-app",
    "Deployment/site",
    "Service/site",
    "Ingress/site",
    "Job/task",
    "ConfigMap/api",
    "Deployment/api",
    "Service/api",
    "HorizontalPodAutoscaler/api",
    "PodDisruptionBudget/api",
    "StatefulSet/store",
    "Service/store",
    "Deployment/worker",
}  # not the web app: the last template removes it


def test_all_templates_deploy_as_they_are(call: Caller, namespace: str, kubectl_json) -> None:
    """One pipeline made of every template, its parameters' defaults but for where it goes."""
    order = ["web-app", *(one.name for one in builtin_templates() if one.name not in ("web-app", "remove-app"))]
    for name in [*order, "remove-app"]:
        given = ["-v", "cluster=practice", "-v", f"namespace={namespace}"]
        given += ["-v", f"chart_path={EXAMPLES / 'fe-app'}"] if name == "helm-chart" else []
        cli.main(
            ["--data-dir", str(call.folder / "data"), "templates", "apply", name, str(call.folder / "p.yaml"), *given]
        )
    call("run", "p.yaml")
    assert names(kubectl_json, namespace) == WANTED


PIPELINE = """apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {{name: both}}
spec:
  variables: {{ns: {namespace}, name: web}}
  steps:
    - {{name: enter, type: shell, command: "cd {examples}; export REPLICAS=2"}}
    - name: chart
      type: k8s_deploy
      <<: &where {{k8s_cluster: practice, k8s_namespace: "${{ns}}"}}
      k8s_config: {{deploy_type: helm, chart_name: fe-app, release_name: front, atomic: true, timeout: 60s}}
    - name: yaml
      type: k8s_deploy
      <<: *where
      k8s_config:
        deploy_type: manifest
        timeout: 60s
        manifest: |
          apiVersion: v1
          kind: ConfigMap
          metadata: {{name: "${{name}}-settings"}}
          data: {{replicas: "${{REPLICAS}}", price: "$$5"}}
          ---
          apiVersion: batch/v1
          kind: Job
          metadata: {{name: once}}
          spec:
            template:
              spec: {{restartPolicy: Never, containers: [{{name: a, image: busybox}}]}}
    - {{name: scale, type: k8s_scale, <<: *where, k8s_resource_name: front-fe-app, k8s_config: {{replicas: 3}}}}
    - {{name: wait, type: k8s_wait, <<: *where, k8s_resource_name: front-fe-app, k8s_config: {{condition: Available}}}}
    - {{name: remove, type: k8s_delete, <<: *where, k8s_resource_name: job/once}}
    - {{name: never, type: shell, when: "${{ns}} == prod", command: exit 1}}
"""


def state(kubectl_json, namespace: str) -> tuple[set[str], int, dict[str, str]]:
    replicas = kubectl_json("get", "deployment", "front-fe-app", "--namespace", namespace)["status"]["readyReplicas"]
    settings = kubectl_json("get", "configmap", "web-settings", "--namespace", namespace)["data"]
    return names(kubectl_json, namespace), replicas, settings


def test_the_script_leaves_what_the_run_leaves(
    call: Caller, namespace: str, practice_api, kubectl_json, kubeconfig: Path, helm4, kubectl, tmp_path: Path
) -> None:
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.format(namespace=namespace, examples=EXAMPLES))
    call("run", "pipeline.yaml")
    ran = state(kubectl_json, namespace)
    assert ran[1:] == (3, {"replicas": "2", "price": "$5"})
    call("convert", "pipeline.yaml", "deploy.sh")
    other = f"{namespace}-sh"
    path = f"{Path(helm4.path).parent}:{Path(kubectl.path).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["./deploy.sh", f"ns={other}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=LIMIT_S,
        check=False,
        env={**os.environ, "PATH": path, "KUBECONFIG": str(kubeconfig)},
    )
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        assert state(kubectl_json, other) == ran
    finally:
        practice_api.request("DELETE", f"/api/v1/namespaces/{other}")
