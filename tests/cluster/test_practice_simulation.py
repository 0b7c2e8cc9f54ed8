"""What simulated nodes do on the shared cluster: claims, addresses, logs, jobs, and failures to rehearse."""

import subprocess
import time

import pytest
from deploy_help import HELM_4
from practice_kit import until

from ansflow_desktop.practice import simulation


@pytest.fixture
def space(namespace, practice_api):
    """A created namespace."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    assert practice_api.create("/api/v1/namespaces", body)
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    until(lambda: practice_api.get(account))
    return namespace


def a_pod(name, behaviour="", as_label=False, policy="Always", **annotations):
    metadata = {"name": name, "annotations": dict(annotations)}
    if behaviour:
        metadata["labels" if as_label else "annotations"] = {simulation.BEHAVIOUR: behaviour, **annotations}
    spec = {"restartPolicy": policy, "containers": [{"name": "main", "image": "example.com/app:1"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def create(api, space, body, path="pods", group="/api/v1"):
    status, answer = api.request("POST", f"{group}/namespaces/{space}/{path}", body)
    assert status == 201, answer
    return f"{group}/namespaces/{space}/{path}/{body['metadata']['name']}"


def status_of(api, path):
    return api.get(path).get("status", {})


def is_ready(status):
    return any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", []))


def waiting_reason(status):
    states = status.get("containerStatuses") or [{}]
    return states[0].get("state", {}).get("waiting", {}).get("reason")


def reasons(api, space):
    return {event["reason"] for event in api.get(f"/api/v1/namespaces/{space}/events").get("items", [])}


def test_a_plain_pod_is_ready_and_goes_when_deleted(practice_api, space):
    path = create(practice_api, space, a_pod("plain"))
    status = until(lambda: (found := status_of(practice_api, path)) and is_ready(found) and found)
    assert status["phase"] == "Running"
    assert status["podIP"]
    assert "PodScheduled" in {one["type"] for one in status["conditions"]}
    practice_api.request("DELETE", path)
    until(lambda: not practice_api.get(path))


def test_a_slow_pod_is_not_ready_at_first_and_ready_after_its_delay(practice_api, space):
    path = create(practice_api, space, a_pod("slow", "slow", **{simulation.DELAY: "2s"}))
    status = until(lambda: (found := status_of(practice_api, path)).get("phase") == "Running" and found)
    assert not is_ready(status)
    begun = time.monotonic()
    until(lambda: is_ready(status_of(practice_api, path)))
    assert time.monotonic() - begun > 1


def test_a_never_ready_pod_runs_and_has_a_failing_probe(practice_api, space):
    path = create(practice_api, space, a_pod("never", "never-ready"))
    until(lambda: status_of(practice_api, path).get("phase") == "Running")
    until(lambda: "Unhealthy" in reasons(practice_api, space))
    assert not is_ready(status_of(practice_api, path))


@pytest.mark.parametrize("as_label", [True, False])
def test_a_crashing_pod_backs_off_with_its_exit_code(practice_api, space, as_label):
    path = create(practice_api, space, a_pod("crash", "crash", as_label))
    until(lambda: waiting_reason(status_of(practice_api, path)) == "CrashLoopBackOff")
    container = status_of(practice_api, path)["containerStatuses"][0]
    assert container["restartCount"] == 1
    assert container["lastState"]["terminated"]["exitCode"] == 1
    until(lambda: "BackOff" in reasons(practice_api, space))


def test_a_crashing_pod_that_is_not_to_be_restarted_has_failed(practice_api, space):
    path = create(practice_api, space, a_pod("crash", "crash", policy="Never"))
    until(lambda: status_of(practice_api, path).get("phase") == "Failed")


def test_a_missing_image_is_told_as_kubelet_tells_it(practice_api, space):
    path = create(practice_api, space, a_pod("image", "image-missing"))
    until(lambda: waiting_reason(status_of(practice_api, path)) == "ImagePullBackOff")
    status = status_of(practice_api, path)
    assert status["phase"] == "Pending"
    assert "example.com/app:1" in status["containerStatuses"][0]["state"]["waiting"]["message"]
    until(lambda: "Failed" in reasons(practice_api, space))


@pytest.mark.parametrize(("behaviour", "condition"), [("", "Complete"), ("crash", "Failed")])
def test_a_job_ends(practice_api, space, behaviour, condition):
    template = a_pod("unused", behaviour, policy="Never")
    del template["metadata"]["name"], template["apiVersion"], template["kind"]
    spec = {"backoffLimit": 0, "template": template}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}, "spec": spec}
    path = create(practice_api, space, body, "jobs", "/apis/batch/v1")
    until(lambda: condition in {one["type"] for one in status_of(practice_api, path).get("conditions", [])})


def test_a_hook_pod_completes(practice_api, space):
    path = create(practice_api, space, a_pod("hook", policy="Never", **{"helm.sh/hook": "test"}))
    until(lambda: status_of(practice_api, path).get("phase") == "Succeeded")


def test_a_claim_binds_and_its_volume_goes_with_it(practice_api, space):
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec}
    path = create(practice_api, space, body, "persistentvolumeclaims")
    until(lambda: status_of(practice_api, path).get("phase") == "Bound")
    claim = practice_api.get(path)
    assert claim["spec"]["storageClassName"] == "kwok-volume"
    assert "ClaimLost" not in reasons(practice_api, space)
    volume = f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}"
    assert practice_api.get(volume)
    practice_api.request("DELETE", path)
    until(lambda: not practice_api.get(volume))


def test_a_load_balancer_gets_an_address_of_the_documentation_network(practice_api, space):
    spec = {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "x"}}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front"}, "spec": spec}
    path = create(practice_api, space, body, "services")
    until(lambda: status_of(practice_api, path).get("loadBalancer", {}).get("ingress"))
    assert status_of(practice_api, path)["loadBalancer"]["ingress"][0]["ip"].startswith("192.0.2.")


def test_logs_are_played_for_every_pod(practice_api, space, kubectl, kubeconfig):
    path = create(practice_api, space, a_pod("talks"))
    until(lambda: is_ready(status_of(practice_api, path)))
    argv = [kubectl.path, "--kubeconfig", str(kubeconfig), "-n", space, "logs", "talks"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "played by a simulated node" in done.stdout


def test_exec_is_refused_in_words(practice_api, space, kubectl, kubeconfig):
    path = create(practice_api, space, a_pod("quiet"))
    until(lambda: is_ready(status_of(practice_api, path)))
    argv = [kubectl.path, "--kubeconfig", str(kubeconfig), "-n", space, "exec", "quiet", "--", "id"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    assert "simulated and run nothing" in done.stderr


@HELM_4
def test_helm_waits_for_a_plain_chart(helm, namespace, kubeconfig, tmp_path):
    created = subprocess.run([helm.path, "create", "fe-app"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert created.returncode == 0, created.stderr
    argv = [helm.path, "--kubeconfig", str(kubeconfig), "upgrade", "--install", "fe-app-release", ".", "--namespace"]
    argv += [namespace, "--create-namespace", "--wait", "--timeout", "60s"]
    done = subprocess.run(argv, cwd=tmp_path / "fe-app", capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert "STATUS: deployed" in done.stdout
