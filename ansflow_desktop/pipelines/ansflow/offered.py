"""A shell command for a step of a type that only AnsFlow runs: offered to a person, in a disabled step, never run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ansflow_desktop.pipelines.ansflow import texts

Values: TypeAlias = "Callable[..., str]"


def command_for(kind: str, parameters: Mapping[str, Any]) -> str:
    """Return a command that does about what a step of type `kind` with these parameters did."""

    def value(*names: str, default: str = "") -> str:
        found = (texts.command_here(parameters.get(name)) for name in names)
        return next((text for text in found if text and text.strip()), default)

    own = _COMMANDS.get(kind)
    made = own(value, parameters) if own else value("command", "script")
    return made or f"false  # {_comment(kind)}: no equivalent here"


def _comment(kind: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in kind).split())[:80]


def _q(text: str) -> str:
    return shlex.quote(text)


def _fetch(value: Values, _: Mapping[str, Any]) -> str:
    address = value("repository_url", "repository")
    clone = f"git clone -b {_q(value('branch', default='main'))} -- {_q(address)}" if address else ""
    return value("command") or clone


def _build(value: Values, _: Mapping[str, Any]) -> str:
    if value("command"):
        return value("command")
    tool, target = value("build_tool"), value("build_command")
    if tool == "docker":
        return _docker_build(value, _)
    if tool in ("maven", "gradle"):
        return f"{'mvn' if tool == 'maven' else 'gradle'} {target}".strip()
    if tool == "npm":
        return f"npm ci\nnpm run {_q(target or 'build')}"
    return target


def _test(value: Values, _: Mapping[str, Any]) -> str:
    return value("command", "test_command")


def _deploy(value: Values, _: Mapping[str, Any]) -> str:
    own = value("command", "deploy_command")
    if own:
        return own
    if value("deploy_type") == "docker":
        name, image = value("container_name"), value("image")
        return f"docker run -d --name {_q(name)} {_q(image)}" if name and image else ""
    return _kubectl(value, _)


def _kubectl(value: Values, _: Mapping[str, Any]) -> str:
    path = value("manifest_path")
    return f"kubectl apply -f {_q(path)} -n {_q(value('namespace', default='default'))}" if path else ""


def _scan(value: Values, _: Mapping[str, Any]) -> str:
    key = value("project_key")
    return value("command", "scan_command") or (f"sonar-scanner -Dsonar.projectKey={_q(key)}" if key else "")


def _notify(value: Values, _: Mapping[str, Any]) -> str:
    own, text, address = value("command", "notify_command"), value("message"), value("webhook_url")
    if own or not address:
        return own or (f"echo {_q(text)}" if text else "")
    data = json.dumps({"text": text}, ensure_ascii=False)
    return f"curl -X POST -H 'Content-Type: application/json' -d {_q(data)} -- {_q(address)}"


def _upload(_: Values, parameters: Mapping[str, Any]) -> str:
    paths = parameters.get("paths")
    names = [path for path in paths if isinstance(path, str) and path] if isinstance(paths, list) else []
    return f"tar -czf artifacts.tar.gz -- {' '.join(map(_q, names))}" if names else ""


def _image(value: Values) -> str:
    image, tag = value("docker_image", "image_name", "image"), value("docker_tag", "tag")
    if not image:
        return tag
    return f"{image}:{tag}" if tag and ":" not in image.rpartition("/")[2] else image


def _docker_build(value: Values, _: Mapping[str, Any]) -> str:
    tag, context = _image(value), value("context", default=".")
    named = f" -t {_q(tag)}" if tag else ""
    return f"docker build -f {_q(value('dockerfile', default='Dockerfile'))}{named} -- {_q(context)}"


def _docker_run(value: Values, _: Mapping[str, Any]) -> str:
    image, ports, name = _image(value), value("ports"), value("container_name")
    options = f"{f' --name {_q(name)}' if name else ''}{f' -p {_q(ports)}' if ports else ''}"
    return f"docker run -d{options} {_q(image)} {value('command')}".rstrip() if image else ""


def _docker_image(verb: str) -> Callable[[Values, Mapping[str, Any]], str]:
    def made(value: Values, _: Mapping[str, Any]) -> str:
        return f"docker {verb} {_q(_image(value))}" if _image(value) else ""

    return made


def _ansible(value: Values, parameters: Mapping[str, Any]) -> str:
    playbook = value("playbook", "playbook_path")
    options = (("inventory", "-i"), ("tags", "--tags"), ("skip_tags", "--skip-tags"), ("limit", "--limit"))
    words = [f"{option} {_q(value(name))}" for name, option in options if value(name)]
    words += [f"--extra-vars {_q(value('extra_vars'))}"] if value("extra_vars") else []
    words += [option for name, option in (("become", "--become"), ("check_mode", "--check")) if parameters.get(name)]
    return " ".join(["ansible-playbook", *words, "--", _q(playbook)]) if playbook else ""


_COMMANDS: dict[str, Callable[[Values, Mapping[str, Any]], str]] = {
    "fetch_code": _fetch,
    "build": _build,
    "test": _test,
    "test_execution": _test,
    "deploy": _deploy,
    "kubernetes_deploy": _kubectl,
    "security_scan": _scan,
    "notify": _notify,
    "notification": _notify,
    "artifact_upload": _upload,
    "docker_build": _docker_build,
    "docker_run": _docker_run,
    "docker_push": _docker_image("push"),
    "docker_pull": _docker_image("pull"),
    "ansible": _ansible,
}
