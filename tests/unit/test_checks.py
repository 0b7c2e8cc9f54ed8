"""executors/checks*.py: what files alone tell of a pipeline's text, by field; and what is known of each step."""

from __future__ import annotations

import msgspec
import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.checks import Surroundings, check_text, joined
from ansflow_desktop.executors.checks_context import directory_after, step_views
from ansflow_desktop.kube.openapi import Schemas
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.pipelines.codec import parse

HEAD = "apiVersion: ansflow.dev/v1\nkind: Pipeline\nmetadata: {name: x}\nspec:\n  variables: {ns: fe}\n  steps:\n"
SCHEMAS = msgspec.convert(
    {
        "components": {
            "schemas": {
                "ConfigMap": {
                    "type": "object",
                    "properties": {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "metadata": {},
                        "data": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                    "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "ConfigMap"}],
                }
            }
        }
    },
    Schemas,
)


@pytest.fixture
def chart(tmp_path):
    folder = tmp_path / "charts" / "web"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text("replicas: 1\n")
    (folder / "values.schema.json").write_text('{"properties": {"replicas": {"type": "integer"}}}')
    (folder / "templates" / "a.yaml").write_text("a: {{ .Values.replicas }}\n")
    return folder


def helm(name="deploy", *, cluster="dev", namespace="${ns}", **config):
    pairs = {"deploy_type": "helm", "chart_name": "web", "release_name": "r", **config}
    lines = "".join(f"      {key}: {msgspec.json.encode(value).decode()}\n" for key, value in pairs.items())
    return (
        f"  - name: {name}\n    type: k8s_deploy\n    k8s_cluster: {cluster}\n    k8s_namespace: {namespace}\n"
        f"    k8s_config:\n{lines}"
    )


def manifest(text, **config):
    return helm("m", namespace="fe", **{**config, "deploy_type": "manifest", "manifest": text}).replace(
        '      chart_name: "web"\n      release_name: "r"\n', ""
    )


def found(text, folder, around=None):
    return [
        (each.field, each.severity, str(each.title)) for each in check_text(HEAD + text, str(folder), around).problems
    ]


def test_a_sound_pipeline_has_no_problem(chart, tmp_path):
    assert found(helm(custom_values="replicas: 2\n"), tmp_path) == []


def test_text_that_is_no_yaml_names_line_and_column(tmp_path):
    [problem] = check_text("a: [\n", str(tmp_path)).problems
    assert "line 2, column 1" in str(problem.message)


def test_values_that_do_not_fit_the_schema_name_field_line_and_way_out(chart, tmp_path):
    [problem] = check_text(HEAD + helm(custom_values="a: 1\nreplicas: two\n"), str(tmp_path)).problems
    assert problem.field == "steps[0].k8s_config.custom_values"
    assert (str(problem.title), problem.severity) == ("replicas does not fit the chart", Severity.ERROR)
    assert str(problem.message) == "Line 2, column 11: It is a text, but must be a whole number."
    assert str(problem.hint)


def test_the_file_that_gives_the_wrong_value_is_named(chart, tmp_path):
    (tmp_path / "one.yaml").write_text("replicas: x\n")
    (tmp_path / "two.yaml").write_text("other: x\n")
    problems = found(helm(values_files=["one.yaml", "two.yaml"]), tmp_path)
    assert problems == [("steps[0].k8s_config.values_files[0]", Severity.ERROR, "replicas does not fit the chart")]


def test_a_missing_values_file_does_not_hide_what_else_is_wrong(chart, tmp_path):
    fields = {field for field, _, _ in found(helm(values_files=["gone.yaml"], custom_values="replicas: x"), tmp_path)}
    assert fields == {"steps[0].k8s_config.values_files[0]", "steps[0].k8s_config.custom_values"}


def test_a_chart_that_is_not_there_is_a_problem_of_its_field(tmp_path):
    [(field, severity, _)] = found(helm(), tmp_path)
    assert (field, severity) == ("steps[0].k8s_config.chart_name", Severity.ERROR)


def test_values_that_read_differently_are_a_warning(chart, tmp_path):
    [(field, severity, _)] = found(helm(custom_values="debug: no\n"), tmp_path)
    assert (field, severity) == ("steps[0].k8s_config.custom_values", Severity.WARNING)


def test_an_unknown_cluster_is_named_with_those_there_are(chart, tmp_path):
    around = Surroundings(clusters=("dev", "prod"))
    [problem] = check_text(HEAD + helm(cluster="dve"), str(tmp_path), around).problems
    assert problem.field == "steps[0].k8s_cluster"
    assert "dev, prod" in str(problem.hint)


def test_secret_values_are_not_repeated(chart, tmp_path):
    (chart / "values.schema.json").write_text('{"properties": {"password": {"type": "integer", "enum": [1]}}}')
    problems = check_text(HEAD + helm(custom_values="password: hunter2\n"), str(tmp_path)).problems
    assert problems and "hunter2" not in str([msgspec.to_builtins(problem) for problem in problems])


# Manifests

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: b}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: ConfigMap\nmetadata: {name: a}\n", "line 1"),
        (OBJECT % "A_b", "ConfigMap A_b: metadata.name"),
        (OBJECT % "a" + "data: {}\n", "ConfigMap a: data"),
        (OBJECT % "a" + "---\n- x\n", "line 6"),
        ("a: [\n", "not YAML"),
    ],
)
def test_manifests_are_checked_object_by_object(tmp_path, text, words):
    problems = found(manifest(text), tmp_path)
    assert [field for field, _, _ in problems] == ["steps[0].k8s_config.manifest"]
    assert words in problems[0][2]


def test_a_manifest_is_checked_by_the_clusters_own_schemas_where_they_are_known(tmp_path):
    around = Surroundings(schemas=lambda cluster, version: SCHEMAS if (cluster, version) == ("dev", "v1") else None)
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndatas: {}\ndata: {x: 5}\n"
    problems = check_text(HEAD + manifest(text), str(tmp_path), around).problems
    assert [str(each.title) for each in problems] == ["ConfigMap a: datas", "ConfigMap a: data.x"]
    assert "Line 4, column 1" in str(problems[0].message) and "data" in str(problems[0].hint)
    assert found(manifest(text), tmp_path) == []


def test_manifest_files_are_checked_one_by_one(tmp_path):
    (tmp_path / "a.yaml").write_text(OBJECT % "fine")
    (tmp_path / "b.yaml").write_text(OBJECT % "Not")
    step = manifest("x", manifest_files=["a.yaml", "b.yaml", "c.yaml"]).replace('      manifest: "x"\n', "")
    fields = [field for field, _, _ in found(step, tmp_path)]
    assert fields == ["steps[0].k8s_config.manifest_files[1]", "steps[0].k8s_config.manifest_files[2]"]


# What is known of a step

SHELL = "  - {name: enter, type: shell, command: %s}\n"


def test_a_plain_cd_is_followed(chart, tmp_path):
    assert found(SHELL % '"cd charts/web"' + helm(), tmp_path) == []


def test_behind_a_clever_shell_step_nothing_is_claimed_about_files(chart, tmp_path):
    problems = found(SHELL % '"cd $(mktemp -d)"' + helm(custom_values="a: ["), tmp_path)
    assert ("steps[1].k8s_config", Severity.INFO, "The files of this step are checked when it runs") in problems
    assert {field for field, _, _ in problems} == {"steps[1].k8s_config", "steps[1].k8s_config.custom_values"}


@pytest.mark.parametrize(
    ("script", "ends"),
    [
        ("cd charts/web", "charts/web"),
        ("make\ncd charts # there\nls", "charts"),
        ("cd charts && ls", "charts"),
        ("cd 'charts'; cd web", None),
        ("cd charts\ncd web", "charts/web"),
        ("echo hi", "."),
        ("# cd nowhere", "."),
        ("abcd charts", "."),
        ("(cd charts)", None),
        ("if true; then cd charts; fi", None),
        ("  cd charts", None),
        ("cd $HOME", None),
        ("cd gone", None),
        ("pushd charts", None),
        (". ./env.sh", None),
    ],
)
def test_where_a_script_ends(chart, tmp_path, script, ends):
    wanted = None if ends is None else str((tmp_path / ends).resolve())
    assert directory_after(script, str(tmp_path.resolve())) == wanted


def test_variables_are_replaced_and_unknown_ones_said(tmp_path):
    text = HEAD + SHELL % '"export IMAGE=x"' + helm(namespace="${ns}") + helm("late", namespace="${IMAGE}")
    views = step_views(parse(text, str(tmp_path)))
    assert [view.known for view in views] == [True, True, False]
    assert views[1].step.k8s_namespace == "fe"
    assert views[2].error is not None


def test_our_own_words_come_first_and_nothing_is_said_twice():
    ours = Problem(field="a", title="T: x", message="ours")
    theirs = Problem(field="a", title="T: x", message="theirs")
    helms = Problem(field="a", title="The chart cannot be rendered", message="again")
    other = Problem(field="b", title="Other")
    assert joined([ours], [helms, other], [theirs, other]) == (ours, other)


def test_one_broken_step_does_not_hide_the_others(chart, tmp_path):
    broken = "  - {name: bad, type: k8s_deploy, k8s_config: [1]}\n"
    fields = {field for field, _, _ in found(broken + helm(custom_values="replicas: x"), tmp_path)}
    assert "steps[1].k8s_config.custom_values" in fields
    assert any(field.startswith("steps[0]") for field in fields)


@pytest.mark.parametrize("value", ["!!int ''", "!!bool x", "9" * 5000, "1e999", "!!timestamp x", "*nowhere", "\x00"])
def test_hostile_values_are_problems_never_errors(chart, tmp_path, value):
    check_text(HEAD + helm(custom_values=f"replicas: {value}\n"), str(tmp_path))
    check_text(HEAD + manifest(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {value}}}\n"), str(tmp_path))


def test_a_template_with_a_huge_number_is_read(chart, tmp_path):
    (chart / "templates" / "a.yaml").write_text("a: {{ " + "9" * 5000 + " }}\n")
    assert found(helm(), tmp_path) == []


def test_lines_are_those_of_the_whole_manifest_and_documents_are_looked_at_once(tmp_path, monkeypatch):
    from ansflow_desktop.executors import checks_manifest

    def problems(text):
        checked = checks_manifest.manifest_problems(text, "m", lambda _: None)
        return [f"{each.title} | {each.message}" for each in checked]

    whole = "".join(f"---\n{OBJECT % name}" for name in ("one", "Two", "three"))
    assert problems(whole) == ["ConfigMap Two: metadata.name | Line 9, column 18: Two may hold only small letters a-z, "
                               "digits, hyphens and dots."]  # fmt: skip
    looked = []
    real = checks_manifest._problems
    monkeypatch.setattr(checks_manifest, "_problems", lambda *given: (looked.append(given[0]), real(*given))[1])
    assert "Line 10" in problems("# above\n" + whole)[0]
    assert "line 17" in problems(whole + "---\n- x\n")[-1]
    assert [text for text in looked if "Two" in text] == []


def test_three_hyphens_in_a_block_text_begin_a_document_only_in_the_first_column(tmp_path):
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: |\n    ---\n    b: [\n"
        + "---\n"
        + OBJECT % "b"
    )
    assert found(manifest(text), tmp_path) == []


LATER = """apiVersion: ansflow.dev/v1
kind: Pipeline
metadata: {name: later}
spec:
  variables: {go: "no"}
  steps:
    - {name: ask, type: shell, command: echo 1, output: version}
    - name: put
      type: k8s_deploy
      k8s_cluster: dev
      k8s_namespace: shop
      when: ${go} == yes
      k8s_config: {deploy_type: helm, chart_path: "${version}/chart", release_name: "web-${go}"}
    - name: scale
      type: k8s_scale
      k8s_cluster: dev
      k8s_namespace: shop
      k8s_resource_name: a
      k8s_config: {replicas: "${version}"}
"""


def test_what_only_the_run_knows_stands_as_it_is_written(tmp_path):
    _shell, put, scale = step_views(parse(LATER, str(tmp_path)))
    assert (put.unknown, put.known, put.met) == (("version",), False, False)
    assert put.step.k8s_config["chart_path"] == "${version}/chart"
    assert put.step.k8s_config["release_name"] == "web-no"
    assert put.excuses(UserError("x", field="k8s_config.chart_path"))
    assert not put.excuses(UserError("x", field="k8s_cluster")), "a cluster that is not there is a mistake"
    assert scale.unknown == () and scale.error is not None, "a number cannot stand as ${version}"
    given = step_views(parse(LATER, str(tmp_path)), {"version": "3", "go": "yes"})
    assert [view.known for view in given] == [True, True, True] and given[1].met
