"""Delete steps as data: what is named, what is refused, and that nothing outside the namespace is ever reached."""

from __future__ import annotations

import pytest
from plan_kit import BAD_NAMES, all_words, plan

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.delete_step import DEFAULT_KINDS, check_delete
from ansflow_desktop.models.pipeline import Delete, PipelineStep, StepType

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


def delete(resource="", **config):
    return plan(StepType.K8S_DELETE, resource, **config)


def test_by_name():
    planned = delete("svc/web", timeout="30s")
    assert all_words(planned) == [
        ["delete", "svc/web", "--cascade=background", "--wait=true", "--namespace", "fe", "--timeout=30s"]
    ]


@pytest.mark.parametrize(
    ("config", "flags"),
    [
        ({"propagation": "orphan"}, ["--cascade=orphan"]),
        ({"propagation": "foreground"}, ["--cascade=foreground"]),
        ({"grace_period": 7}, ["--cascade=background", "--grace-period=7"]),
        ({"grace_period": "0"}, ["--cascade=background", "--grace-period=0"]),
        ({"force": True}, ["--cascade=background", "--grace-period=0", "--force"]),
        ({"force": True, "grace_period": 0}, ["--cascade=background", "--grace-period=0", "--force"]),
        ({"ignore_not_found": True}, ["--cascade=background", "--ignore-not-found"]),
    ],
)
def test_options_are_kubectls(config, flags):
    [words] = all_words(delete("web", **config))
    assert words[2 : 2 + len(flags)] == flags


def test_without_waiting():
    [words] = all_words(delete("web", wait=False))
    assert "--wait=false" in words
    assert not [word for word in words if word.startswith("--timeout")]


def test_a_selector_is_listed_first_and_reaches_no_secrets_or_claims():
    listed, deleted = all_words(delete(selector="app=web,tier!=db"))
    assert listed[:3] == ["get", ",".join(DEFAULT_KINDS), "--selector=app=web,tier!=db"]
    assert deleted[:3] == ["delete", ",".join(DEFAULT_KINDS), "--selector=app=web,tier!=db"]
    assert not {"secret", "persistentvolumeclaim"} & set(DEFAULT_KINDS)


def test_kinds_of_a_selector_can_be_named():
    listed, _ = all_words(delete(selector="app", kinds=["Secret", "crontabs.stable.example.com", "secret"]))
    assert listed[1] == "secret,crontabs.stable.example.com"


def test_a_manifest_is_deleted_by_name_in_the_versions_it_names():
    text = (
        MAP % "a"
        + "---\n"
        + "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: fe}\n---\n"
        + MAP % "a"
    )
    [words] = all_words(delete(manifest=text))
    assert words[1:3] == ["configmap/a", "Deployment.v1.apps/web"]


def test_many_objects_are_deleted_in_several_calls_that_do_not_wait_for_each_other():
    text = "---\n".join(MAP % f"m{number}" for number in range(250))
    commands = all_words(delete(manifest=text))
    assert [sum("configmap/" in word for word in words) for words in commands] == [100, 100, 50]
    assert all("--wait=false" in words for words in commands)


def test_a_namespace_is_deleted_only_by_its_own_name():
    [words] = all_words(delete("ns/fe"))
    assert words[1] == "ns/fe"
    assert "--namespace" not in words, "kubectl warns of a namespace's namespace"


@pytest.mark.parametrize("name", [*BAD_NAMES[:-2], "namespace/other", "clusterrole/view", "node/a", "pv/a", "crd/a.b"])
def test_bad_names_and_what_lies_outside_the_namespace(name):
    with pytest.raises(UserError) as caught:
        delete(name)
    assert caught.value.field == "k8s_resource_name"


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public", "kube-node-lease"])
def test_namespaces_of_kubernetes_itself_are_refused(name):
    step = PipelineStep(name="s", type=StepType.K8S_DELETE, k8s_namespace=name, k8s_resource_name=f"namespace/{name}")
    with pytest.raises(UserError) as caught:
        check_delete(step, Delete())
    assert caught.value.field == "k8s_resource_name"


OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: other}\n"
CLUSTER = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\n"
SPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: fe}\n"


@pytest.mark.parametrize(
    ("resource", "config", "field"),
    [
        ("", {}, "k8s_resource_name"),
        ("", {"selector": "  "}, "k8s_resource_name"),
        ("web", {"selector": "app=web"}, "k8s_config.selector"),
        ("", {"selector": "app=web", "manifest": MAP % "a"}, "k8s_config.manifest"),
        ("", {"selector": "--all"}, "k8s_config.selector"),
        ("", {"selector": "app=web;x"}, "k8s_config.selector"),
        ("", {"selector": "app=web", "kinds": ["namespace"]}, "k8s_config.kinds"),
        ("", {"selector": "app=web", "kinds": ["clusterroles"]}, "k8s_config.kinds"),
        ("", {"selector": "app=web", "kinds": ["--all"]}, "k8s_config.kinds"),
        ("", {"selector": "app=web", "kinds": ["pods,nodes"]}, "k8s_config.kinds"),
        ("", {"manifest": OTHER}, "k8s_config.manifest"),
        ("", {"manifest": CLUSTER}, "k8s_config.manifest"),
        ("", {"manifest": SPACE}, "k8s_config.manifest"),
        ("", {"manifest": MAP % "'--all'"}, "k8s_config.manifest"),
        ("", {"manifest": "a: ["}, "k8s_config.manifest"),
        ("web", {"propagation": "sideways"}, "k8s_config.propagation"),
        ("web", {"grace_period": -1}, "k8s_config.grace_period"),
        ("web", {"grace_period": 5, "force": True}, "k8s_config.grace_period"),
        ("web", {"timeout": "1"}, "k8s_config.timeout"),
        ("web", {"all": True}, "k8s_config.all"),
    ],
)
def test_wrong_fields_are_named(resource, config, field):
    with pytest.raises(UserError) as caught:
        delete(resource, **config)
    assert caught.value.field == field


@pytest.mark.parametrize("config", [{}, {"selector": "app"}, {"manifest": MAP % "a"}])
def test_no_command_says_all(config):
    for words in all_words(delete("" if config else "web", **config)):
        assert not {"--all", "-A", "--all-namespaces"} & set(words)
