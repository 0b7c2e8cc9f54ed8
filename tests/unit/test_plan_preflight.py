"""What can be told of a deploy request before anything runs, each next to its field."""

from __future__ import annotations

import msgspec
import pytest

from ansflow_desktop.executors.preflight import check_request
from ansflow_desktop.models.cluster import ClusterEntry
from ansflow_desktop.models.command import Tool, ToolSet
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.problem import Severity

HELM = Tool(name="helm", path="/bin/helm", version="4.3.1")


class Catalog:
    """Two clusters, one of them unusable."""

    def entries(self):
        return (ClusterEntry(name="dev", context="dev"), ClusterEntry(name="bad", context="bad", problem="no user"))


@pytest.fixture
def request_(tmp_path):
    chart = tmp_path / "web"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (chart / "list.yaml").write_text("- a\n")
    return DeployRequest(chart_path=str(chart), cluster="dev", namespace="fe", release_name="web-release")


def problems(request, helm=HELM):
    return check_request(request, ToolSet(helm=helm), Catalog())


def test_good_request_has_none(request_):
    assert problems(request_) == ()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"chart_path": ""}, "chart_path"),
        ({"chart_path": "/nowhere"}, "chart_path"),
        ({"cluster": ""}, "cluster"),
        ({"cluster": "gone"}, "cluster"),
        ({"cluster": "bad"}, "cluster"),
        ({"namespace": ""}, "namespace"),
        ({"namespace": "Fe"}, "namespace"),
        ({"release_name": ""}, "release_name"),
        ({"release_name": "-x"}, "release_name"),
        ({"timeout": "0"}, "timeout"),
        ({"values_files": ("/nowhere.yaml",)}, "values_files[0]"),
        ({"values_files": ("list.yaml",)}, "values_files[0]"),
        ({"custom_values": "a: [1"}, "custom_values"),
        ({"set_values": ("a",)}, "set_values[0]"),
    ],
)
def test_each_error_belongs_to_its_field(request_, change, field):
    found = problems(msgspec.structs.replace(request_, **change))
    assert [(problem.field, problem.severity) for problem in found] == [(field, Severity.ERROR)]


def test_several_errors_are_all_told(request_):
    request = msgspec.structs.replace(request_, namespace="", timeout="abc", release_name="")
    assert {problem.field for problem in problems(request)} == {"namespace", "timeout", "release_name"}


def test_missing_helm_is_one_of_them(request_):
    assert [problem.field for problem in problems(request_, helm=None)] == ["helm"]


def test_warnings_and_missing_dependencies_do_not_stop_a_deploy(request_, tmp_path):
    with (tmp_path / "web" / "Chart.yaml").open("a") as file:
        file.write("dependencies: [{name: db, version: 1.0.0, repository: 'https://charts.example'}]\n")
    found = problems(msgspec.structs.replace(request_, custom_values="a: no\n"))
    assert {(problem.field, problem.severity) for problem in found} == {
        ("chart_path", Severity.INFO),
        ("custom_values", Severity.WARNING),
    }
