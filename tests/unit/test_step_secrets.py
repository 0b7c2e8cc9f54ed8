"""What is secret in a step by its name or as a part of a Secret, and that a run and a preview say none of it."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest
from runner_kit import World, shell

from ansflow_desktop.executors.plan import copy_text
from ansflow_desktop.executors.step_secrets import redactor_of, secrets_in_step, secrets_in_variables
from ansflow_desktop.models.command import Command
from ansflow_desktop.models.pipeline import ExecutionContext, PipelineStep, StepType

HERE = ExecutionContext(working_directory="/")
SECRET = """kind: List
items:
- kind: Secret
  metadata: {name: shop}
  stringData: {plain-key: string-value}
  data: {b: ZGVjb2RlZC12YWx1ZQ==, broken: not-base64!}
---
kind: ConfigMap
data: {password: of-a-map, colour: turquoise}
---
kind: Deployment
spec: {template: {spec: {containers: [{env: [{name: API_TOKEN, value: of-the-env}, {name: MODE, value: production}]}]}}}
"""


def step(kind: str, config: dict[str, object], **fields: str) -> PipelineStep:
    return PipelineStep(name="a", type=StepType(kind), k8s_cluster="c", k8s_namespace="fe", k8s_config=config, **fields)


def manifest(**config: object) -> PipelineStep:
    return step("k8s_deploy", {"deploy_type": "manifest", **config})


def test_variables_are_secret_by_their_names() -> None:
    known = {"db_password": "sesame-opens", "API_TOKEN": "tok-12345", "colour": "turquoise", "token_path": "/run/token"}
    assert secrets_in_variables(known) == ("sesame-opens", "tok-12345")


@pytest.mark.parametrize("text", ["", "true", "abc", "123456789"])
def test_what_stands_in_any_text_is_not_taken_out(text: str) -> None:
    assert secrets_in_variables({"password": text}) == ()


def test_the_environment_of_a_shell_step() -> None:
    shell = PipelineStep(name="a", type=StepType.SHELL, env={"MY_SECRET": "sesame-opens", "MODE": "production"})
    assert secrets_in_step(shell, HERE) == ("sesame-opens",)


def test_the_parts_of_secrets_in_a_manifest(tmp_path: Path) -> None:
    wanted = {"string-value", "decoded-value", base64.b64encode(b"decoded-value").decode(), "not-base64!", "of-a-map",
              "of-the-env"}  # fmt: skip
    assert set(secrets_in_step(manifest(manifest=SECRET), HERE)) == wanted
    (tmp_path / "s.yaml").write_text(SECRET)
    there = ExecutionContext(working_directory=str(tmp_path))
    assert set(secrets_in_step(manifest(manifest_files=["s.yaml"]), there)) == wanted
    assert set(secrets_in_step(step("k8s_delete", {"manifest": SECRET}), HERE)) == wanted


def test_the_values_of_a_deploy(tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_text("auth: {password: from-a-file}\n")
    there = ExecutionContext(working_directory=str(tmp_path))
    config = {
        "deploy_type": "helm",
        "chart_path": "x",
        "values_files": ["v.yaml"],
        "custom_values": "apiKey: typed-one",
    }
    assert set(secrets_in_step(step("k8s_deploy", config), there)) == {"from-a-file", "typed-one"}


def test_a_name_that_is_shown_anyway_is_no_secret() -> None:
    config = {
        "deploy_type": "helm",
        "chart_path": "x",
        "release_name": "my-postgres",
        "custom_values": "password: postgres",
    }
    deploy = step("k8s_deploy", config)
    assert secrets_in_step(deploy, HERE) == ()
    assert secrets_in_variables({"db_password": "postgres"}, deploy) == ()
    assert secrets_in_variables({"db_password": "postgres", "app": "postgres"}) == ()
    assert secrets_in_variables({"db_password": "sesame", "url": "db://sesame@db"}, deploy) == ("sesame",)


@pytest.mark.parametrize(
    "config", [{"manifest": "kind: Secret\ndata: ["}, {"manifest_files": ["none"]}, {"nope": 1}, {}]
)
def test_what_cannot_be_read_holds_none(config: dict[str, object]) -> None:
    assert secrets_in_step(manifest(**config), HERE) == ()


def test_a_copied_command_holds_none_of_them() -> None:
    command = Command(argv=("kubectl", "apply", "--filename=-"), cwd="/", stdin=SECRET, purpose="apply")
    shown = redactor_of(manifest(manifest=SECRET), HERE)(copy_text(command))
    assert "turquoise" in shown
    assert not [one for one in secrets_in_step(manifest(manifest=SECRET), HERE) if one in shown]


def test_a_run_neither_shows_nor_keeps_them(tmp_path: Path) -> None:
    secrets = {"db_password": "sesame/opens it", "GIVEN_TOKEN": "given-12345", "LATER_SECRET": "made-on-the-way"}
    code = base64.b64encode(secrets["db_password"].encode()).decode()
    world = World(tmp_path)
    world.run(
        shell("first", f'echo "$db_password {code} {quote(secrets["db_password"])} $GIVEN_TOKEN $MODE"'),
        shell("make", "export LATER_SECRET=$(echo yaw-eht-no-edam | rev)"),
        shell("use", 'echo "$LATER_SECRET $OWN_PASSWORD"', env={"OWN_PASSWORD": "only-of-this-step", "MODE": "x"}),
        variables={"db_password": secrets["db_password"], "MODE": "production"},
        given={"GIVEN_TOKEN": secrets["GIVEN_TOKEN"]},
    )
    assert world.text() == "*** *** *** *** production\n*** ***\n"
    world.journal.close()
    kept = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir() if file.is_file())
    for text in (*secrets.values(), code, "only-of-this-step"):
        assert text.encode() not in kept
    assert b"production" in kept
