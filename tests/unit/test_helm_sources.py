"""Charts that are no folder: what helm is given, and the name that a release gets from it."""

from __future__ import annotations

import pytest

from ansflow_desktop.errors import UserError
from ansflow_desktop.helm.find import find_chart
from ansflow_desktop.models.pipeline import HelmDeploy


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://charts.example/web-1.2.3.tgz", "web"),
        ("https://charts.example/my-web-v1.2.3-beta.1+build.tgz?token=1", "my-web"),
        ("https://charts.example/k8s-2-app-0.1.0.tgz", "k8s-2-app"),
        ("https://charts.example/latest.tgz", "latest"),
        ("oci://registry.example:5000/charts/web", "web"),
        ("oci://registry.example:5000/charts/web:1.2.3", "web"),
        ("oci://registry.example/charts/web@sha256:0123", "web"),
    ],
)
@pytest.mark.parametrize("field", ["chart_name", "chart_path"])
def test_the_name_in_an_address(field, address, name):
    found = find_chart(HelmDeploy(**{field: address}), "/")
    assert (found.name, found.argument, found.chart) == (name, address, None)


def test_the_name_of_a_packed_file(tmp_path):
    (tmp_path / "my-web-1.2.3-rc.1.tgz").write_bytes(b"")
    assert find_chart(HelmDeploy(chart_path="my-web-1.2.3-rc.1.tgz"), str(tmp_path)).name == "my-web"


@pytest.mark.parametrize(
    ("repo", "argument", "flag"),
    [
        ("https://charts.example", "web", "https://charts.example"),
        ("oci://registry.example/charts/", "oci://registry.example/charts/web", ""),
        ("mine", "mine/web", ""),
    ],
)
def test_repositories_of_every_kind(tmp_path, repo, argument, flag):
    found = find_chart(HelmDeploy(chart_name="web", chart_repo=repo, chart_version="~1.2"), str(tmp_path))
    assert (found.argument, found.repo, found.version) == (argument, flag, "~1.2")


def test_a_folder_of_that_name_does_not_hide_the_repository(tmp_path):
    (tmp_path / "web").mkdir()
    found = find_chart(HelmDeploy(chart_name="web", chart_repo="https://charts.example"), str(tmp_path))
    assert found.cwd != str(tmp_path)


@pytest.mark.parametrize("field", ["chart_name", "chart_path", "chart_repo"])
@pytest.mark.parametrize("login", ["me:secret", "secret"])
def test_a_login_in_an_address_is_refused_unrepeated(field, login):
    config = {"chart_name": "web", field: f"https://{login}@charts.example/web-1.2.3.tgz"}
    with pytest.raises(UserError) as caught:
        find_chart(HelmDeploy(**config), "/")
    assert caught.value.field == field
    assert "secret" not in str(caught.value)
