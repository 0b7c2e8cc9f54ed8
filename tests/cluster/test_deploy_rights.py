"""Deploys by users who may work in their namespace only: what helm may not do is left out, and said."""

from __future__ import annotations

import json

import pytest
import yaml
from deploy_help import DEPLOYMENT, Deployer, make_chart

from ansflow_desktop.models.command import Tool
from ansflow_desktop.models.run import Phase

RBAC = "/apis/rbac.authorization.k8s.io/v1"
EDIT = {"kind": "ClusterRole", "name": "edit"}


@pytest.fixture
def limited(practice_api, kubeconfig, namespace, toolset, tmp_path):
    """A function that returns a deployer who is bound to `role` in the test's namespace only."""

    def bound(role: dict[str, str]) -> Deployer:
        subject = {"kind": "ServiceAccount", "name": "some", "namespace": namespace}
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        binding = {"metadata": {"name": "some"}, "subjects": [subject], "roleRef": role}
        practice_api.request("POST", accounts, {"metadata": {"name": "some"}})
        status, body = practice_api.request("POST", f"{RBAC}/namespaces/{namespace}/rolebindings", binding)
        assert status == 201, body
        _, token = practice_api.request("POST", f"{accounts}/some/token", {"spec": {}})
        document = yaml.safe_load(kubeconfig.read_text())
        document["users"][0]["user"] = {"token": json.loads(token)["status"]["token"]}
        (tmp_path / "config").write_text(json.dumps(document))
        return Deployer(tmp_path / "config", toolset, tmp_path, namespace)

    practice_api.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    return bound


def test_who_may_edit_only_a_namespace_deploys_into_it(limited, tmp_path):
    deployer = limited(EDIT)

    result = deployer.run(make_chart(tmp_path / "web", app=DEPLOYMENT), chart_name="web")

    assert result.phase is Phase.SUCCEEDED, deployer.output
    assert "--create-namespace" not in deployer.argvs[0]
    assert "--wait" in deployer.argvs[0]
    assert [notice for notice in deployer.notices("info") if "--create-namespace" in notice]


def test_helm_4_waits_the_old_way_where_nothing_may_be_watched(limited, practice_api, helm: Tool, namespace, tmp_path):
    verbs = ["get", "list", "create", "update", "patch", "delete"]
    rules = [
        {"apiGroups": ["", "apps"], "verbs": verbs, "resources": ["secrets", "configmaps", "deployments", "pods"]},
        {"apiGroups": ["apps"], "verbs": ["get", "list"], "resources": ["replicasets"]},
    ]
    role = {"metadata": {"name": "unwatched"}, "rules": rules}
    status, body = practice_api.request("POST", f"{RBAC}/namespaces/{namespace}/roles", role)
    assert status == 201, body
    deployer = limited({"kind": "Role", "name": "unwatched"})

    result = deployer.run(make_chart(tmp_path / "web", app=DEPLOYMENT), chart_name="web")

    assert result.phase is Phase.SUCCEEDED, (result, deployer.output)
    assert ("--wait=legacy" in deployer.argvs[0]) is (helm.major >= 4)
    assert ("--wait" in deployer.argvs[0]) is (helm.major < 4)


def test_namespace_is_still_made_by_who_may(kubeconfig, toolset, tmp_path, namespace):
    deployer = Deployer(kubeconfig, toolset, tmp_path, namespace)
    assert deployer.run(make_chart(tmp_path / "web"), chart_name="web").phase is Phase.SUCCEEDED
    assert "--create-namespace" in deployer.argvs[0]
