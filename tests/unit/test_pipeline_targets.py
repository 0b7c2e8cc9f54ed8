"""Names of objects, selectors, conditions and paths: their syntax, with kinds of custom resources let through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansflow_desktop.pipelines import kinds, targets


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("web", "deployment", "web"),
        ("deploy/web", "deploy", "web"),
        (" Pod/web-0 ", "Pod", "web-0"),
        ("certificates.cert-manager.io/a.b", "certificates.cert-manager.io", "a.b"),
        ("clusterrole/system:node", "clusterrole", "system:node"),
        ("deployment.v1.apps/x", "deployment.v1.apps", "x"),
    ],
)
def test_names_of_objects(text, kind, name):
    assert targets.split_resource(text) == (kind, name)
    assert targets.resource_problem(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "missing"),
        ("pod/", "missing"),
        ("/web", "no kind"),
        ("-l/web", "no kind"),
        ("pod/-x", "begin and end"),
        ("--all", "begin and end"),
        ("pod/Web", "small letters"),
        ("pod/a/b", "small letters"),
        ("pod/a b", "small letters"),
        ("pod/a;b", "small letters"),
        ("pod/a\nb", "small letters"),
        ("pod/ａ", "small letters"),
        ("pod/" + "x" * 254, "254 characters"),
        ("role/-x", "cannot be a name"),
    ],
)
def test_what_names_no_object(text, words):
    assert words in str(targets.resource_problem(text))


@given(st.text(max_size=40))
def test_what_passes_as_a_name_never_is_an_option(text):
    if targets.resource_problem(text) is None:
        kind, name = targets.split_resource(text)
        assert kind[0] != "-" and name[0] != "-" and not set(kind + name) & set(" \t\n;|&$\"'")


@pytest.mark.parametrize(
    "text",
    [
        "app=web",
        "app==web",
        "app = web",
        "app!=web,tier=",
        "app",
        "!app",
        "env in (a, b),tier notin (c)",
        "app.kubernetes.io/name=fe-app",
        "cpu>1",
    ],
)
def test_selectors(text):
    assert targets.selector_problem(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "app=web,",
        "-l",
        "a in b",
        "a in (b",
        "x/y/z=1",
        "a=b c",
        "a=b;c",
        "=web",
        "a=" + "x" * 64,
        "ä=1",
        "-a=1",
    ],
)
def test_what_is_no_selector(text):
    assert targets.selector_problem(text) is not None


def test_a_huge_selector():
    assert "longer" in str(targets.selector_problem("a" * 5000))


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("{.status.phase}=Running", ".status.phase", "Running"),
        (".status.phase=Running", ".status.phase", "Running"),
        ("{.status.phase}", ".status.phase", None),
        ("{.status.loadBalancer.ingress[0].ip}", ".status.loadBalancer.ingress[0].ip", None),
        ('{.a[?(@.t=="x")].b}=1', '.a[?(@.t=="x")].b', "1"),
        ("{.a}=b=c", ".a", "b=c"),
        ("{.a}={x}", ".a", "{x}"),
    ],
)
def test_paths_to_a_value(text, path, value):
    assert targets.split_jsonpath(text) == (path, value)
    assert targets.jsonpath_problem(text) is None


@pytest.mark.parametrize("text", ["", "{}", "{.a", "{.a}x", "{.a}=", "=x", "{.a[0}=1", "{.a}{.b}"])
def test_what_is_no_path(text):
    assert targets.jsonpath_problem(text) is not None


@given(st.text(alphabet="{}.=[]()a@?\"'0 ", max_size=30))
def test_any_path_is_taken_or_refused(text):
    found = targets.split_jsonpath(text)
    assert (found is None) is (targets.jsonpath_problem(text) is not None)
    assert found is None or (found.path and found.value != "")


@pytest.mark.parametrize(
    ("text", "fine"), [("Ready", True), ("Ready=False", True), ("a.b/C", True), ("Ready==x", False)]
)
def test_conditions_of_objects(text, fine):
    assert (targets.condition_name_problem(text) is None) is fine


@pytest.mark.parametrize(("text", "fine"), [("Started .* in", True), ("(", False), ("a{99999999999}", False)])
def test_patterns(text, fine):
    assert (targets.pattern_problem(text) is None) is fine


@pytest.mark.parametrize(
    "check",
    [
        targets.resource_problem,
        targets.kind_problem,
        targets.selector_problem,
        targets.condition_name_problem,
        targets.jsonpath_problem,
        targets.pattern_problem,
    ],
)
def test_a_huge_text_is_not_repeated_in_whole(check):
    for text in ("(" + "a" * 3000, "a" * 3000 + "/(", "(" * 3000 + "/x"):
        assert len(str(check(text) or "")) < 300


class TestKinds:
    @pytest.mark.parametrize(
        ("written", "name"),
        [
            ("deploy", "deployment"),
            ("Deployments", "deployment"),
            ("deployment.apps", "deployment"),
            ("deployments.v1.apps", "deployment"),
            ("ingresses", "ingress"),
            ("ingress.networking.k8s.io", "ingress"),
            ("networkpolicies", "networkpolicy"),
            ("priorityclasses", "priorityclass"),
            ("endpoints", "endpoints"),
            ("po", "pod"),
            ("cj", "cronjob"),
        ],
    )
    def test_known_ones_by_any_name(self, written, name):
        assert kinds.traits(written).name == name

    @pytest.mark.parametrize("written", ["certificate", "services.serving.knative.dev", "deployment.example.com", ""])
    def test_others_are_not_known(self, written):
        assert kinds.traits(written) is None

    @pytest.mark.parametrize(
        ("written", "near"), [("deploymnt", "deployment"), ("pod", ""), ("a.b", ""), ("rollout", "")]
    )
    def test_the_nearest(self, written, near):
        assert kinds.nearest(written) == near

    def test_what_can_be_scaled_and_rolled_out(self):
        able = {name for name in kinds.KNOWN if kinds.traits(name).scalable}
        assert able == {"deployment", "statefulset", "replicaset", "replicationcontroller"}
        assert {name for name in kinds.KNOWN if kinds.traits(name).rollout} == {
            "deployment",
            "statefulset",
            "daemonset",
        }
        assert not kinds.traits("ns").namespaced and kinds.traits("svc").namespaced
