"""A chart whose dependencies are missing: one beside it (file://), one in a repository that the test serves."""

from __future__ import annotations

import functools
import http.server
import subprocess
import threading
from typing import ClassVar

import pytest
from deploy_help import Deployer, make_chart, tree

from ansflow_desktop.executors.preview import render
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType
from ansflow_desktop.models.run import Phase


class _Quiet(http.server.SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_args) -> None:
        """Say nothing."""


@pytest.fixture
def repository(tmp_path, helm):
    """A chart repository on loopback HTTP that holds `cache` 0.1.0; the value is its address."""
    charts = tmp_path / "repository"
    make_chart(tmp_path / "cache", "cache")
    package = [helm.path, "package", str(tmp_path / "cache"), "--destination", str(charts)]
    subprocess.run(package, check=True, capture_output=True)
    subprocess.run([helm.path, "repo", "index", str(charts)], check=True, capture_output=True)
    handler = functools.partial(_Quiet, directory=str(charts))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def deployer(kubeconfig, toolset, tmp_path, namespace):
    return Deployer(kubeconfig, toolset, tmp_path, namespace)


def parent_of(folder, repository: str):
    """A chart `shop` with both kinds of dependency; the local one has a local dependency of its own."""
    shared = make_chart(folder / "lib" / "shared", "shared")
    base = make_chart(folder / "lib" / "base", "base")
    _depend(shared, ("base", "file://../base"))
    shop = make_chart(folder / "apps" / "my shop", "shop")
    _depend(shop, ("shared", "file://../../lib/shared"), ("cache", repository))
    assert base.is_dir()
    return shop


def _depend(chart, *dependencies) -> None:
    lines = [f"  - {{name: {name}, version: 0.1.0, repository: '{url}'}}\n" for name, url in dependencies]
    with (chart / "Chart.yaml").open("a") as file:
        file.write("dependencies:\n" + "".join(lines))


def config_maps(kubectl_json, namespace: str) -> set[str]:
    items = kubectl_json("get", "configmaps", "-n", namespace)["items"]
    return {item["metadata"]["name"] for item in items} - {"kube-root-ca.crt"}


def test_both_are_fetched_into_a_copy(deployer, repository, tmp_path, kubectl_json):
    shop = parent_of(tmp_path / "work", repository)
    before = tree(tmp_path / "work")

    result = deployer.run(shop, chart_name="shop")

    assert result.phase is Phase.SUCCEEDED, (result.message, deployer.output)
    assert config_maps(kubectl_json, deployer.namespace) == {
        f"shop-release-{name}" for name in ("shop", "shared", "base", "cache")
    }
    assert tree(tmp_path / "work") == before
    assert [notice for notice in deployer.notices("info") if "shared, cache" in notice]


def test_preview_fetches_once_until_something_that_counts_changes(toolset, repository, tmp_path):
    def preview(**config):
        step = PipelineStep(
            name="deploy",
            type=StepType.K8S_DEPLOY,
            k8s_cluster="nowhere",
            k8s_namespace="fe",
            k8s_config={"deploy_type": "helm", "chart_name": "shop", **config},
        )
        _Quiet.asked.clear()
        return render(step, ExecutionContext(working_directory=str(shop)), toolset)

    shop = parent_of(tmp_path / "work", repository)
    first = preview()
    assert (first.problems, len(first.objects), bool(_Quiet.asked)) == ((), 4, True)

    (shop / "templates" / "more.yaml").write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: more}\n")
    second = preview(custom_values="greeting: bonjour\n")
    assert (second.problems, len(second.objects), _Quiet.asked) == ((), 5, [])
    assert "bonjour" in second.text

    (tmp_path / "work" / "lib" / "base" / "templates" / "new.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: new}\n"
    )
    third = preview()
    assert (third.problems, len(third.objects), bool(_Quiet.asked)) == ((), 6, True)


def test_locked_versions_are_built_in_a_copy(deployer, repository, tmp_path, helm):
    shop = parent_of(tmp_path / "work", repository)
    update = [helm.path, "dependency", "update", str(shop)]
    subprocess.run([helm.path, "repo", "add", "mine", repository], check=True, capture_output=True)
    subprocess.run(update, check=True, capture_output=True)
    for archive in (shop / "charts").iterdir():
        archive.unlink()
    before = tree(tmp_path / "work")

    result = deployer.run(shop, chart_name="shop")

    assert result.phase is Phase.SUCCEEDED, (result.message, deployer.output)
    assert any(argv[1:3] == ("dependency", "build") for argv in deployer.argvs)
    assert tree(tmp_path / "work") == before


def test_repository_that_is_gone_fails_before_the_cluster_is_touched(deployer, tmp_path, kubectl_json):
    shop = parent_of(tmp_path / "work", "http://127.0.0.1:1")

    result = deployer.run(shop, chart_name="shop")

    assert result.phase is Phase.FAILED
    assert "Nothing was changed in the cluster" in str(result.message)
    assert "127.0.0.1:1" in str(result.message)
    assert not any("upgrade" in argv for argv in deployer.argvs)
