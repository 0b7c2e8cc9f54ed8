"""From the mapping of a step here to AnsFlow's step, as one that was made here would be written there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ansflow_desktop.models.pipeline import StepType
from ansflow_desktop.pipelines.ansflow import fields, texts
from ansflow_desktop.pipelines.ansflow.kept import digest

_QUALIFIED = (StepType.K8S_SCALE, StepType.K8S_DELETE, StepType.K8S_WAIT)
_ON_PODS = (StepType.K8S_EXEC, StepType.K8S_LOGS)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """How AnsFlow wrote a step, kept with it so that it is written the same way again.

    `places` are where its configuration lies ("" is the top level), `type` and `key` the type and the parameter of a
    shell step, `offered` the digest of the command that stands for a type that cannot run here, `spaced` that
    variables are written `{{ name }}`. `clusters` are ids by name.
    """

    atomic: bool = False
    places: tuple[str, ...] = ()
    type: str = ""
    key: str = "command"
    offered: str = ""
    spaced: bool = False
    clusters: dict[str, int | str] = {}


def step_there(step: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
    """Return AnsFlow's step for `step`, whose fields are plain data; what cannot be said there is left out."""
    kind = str(step.get("type") or "")
    made: dict[str, Any] = {"name": texts.plain_text(step.get("name")) or ""}
    if step.get("description"):
        made["description"] = texts.plain_text(step["description"])
    if kind != StepType.SHELL:
        made["step_type"] = kind
        _place(made, origin, _k8s(step, StepType(kind), origin) if kind in list(StepType) else {})
        if kind == StepType.K8S_EXEC and "" in origin.places and not origin.atomic:
            _put(made, "command", fields.config_fields(StepType.K8S_EXEC)[0].to_there(_config(step).get("command")))
    elif not _is_offered(step, origin):
        made["step_type"] = origin.type if origin.type in fields.SHELL_TYPES else "custom"
        command = step.get("command")
        _place(made, origin, {} if command in (None, "") else {origin.key: command})
    made.update(_options(step, origin))
    env = _environment(step, origin)
    if env:
        owner = made.setdefault("parameters", {}) if origin.atomic else made
        owner["environment_vars"] = env
    return made


def offer(step: Mapping[str, Any]) -> str:
    """Return the digest by which an offered command is known again as long as nobody changed or enabled it."""
    return digest([step.get("command"), step.get("enabled") is False])


def _is_offered(step: Mapping[str, Any], origin: Origin) -> bool:
    return bool(origin.offered) and origin.offered == offer(step)


def _place(made: dict[str, Any], origin: Origin, values: Mapping[str, Any]) -> None:
    for place in origin.places:
        if place and values:
            made[place] = {**made.get(place, {}), **values}
        elif values:
            made.update(values)


def _put(made: dict[str, Any], name: str, value: Any) -> None:
    if value is not None:
        made[name] = value


def _text(value: Any, origin: Origin) -> str | None:
    return texts.text_there(value, spaced=origin.spaced)


def _config(step: Mapping[str, Any]) -> Mapping[str, Any]:
    config = step.get(fields.CONFIG)
    return config if isinstance(config, Mapping) else {}


def _k8s(step: Mapping[str, Any], kind: StepType, origin: Origin) -> dict[str, Any]:
    made: dict[str, Any] = {}
    cluster = texts.plain_text(step.get(fields.CLUSTER))
    if cluster:
        made[fields.CLUSTER] = origin.clusters.get(cluster)
        if made[fields.CLUSTER] is None:
            made["k8s_cluster_name"] = cluster
    namespace = _text(step.get(fields.NAMESPACE), origin)
    if namespace:
        made[fields.NAMESPACE] = namespace
    config = _config_there(step, kind, origin)
    resource, owner = _resource(step, kind, origin)
    if resource:
        made[fields.RESOURCE] = resource
    if owner:
        config["resource_type"] = owner
    if config:
        made[fields.CONFIG] = config
    return made


def _resource(step: Mapping[str, Any], kind: StepType, origin: Origin) -> tuple[str, str]:
    """Return the name and, where AnsFlow takes one, the kind of the object a step works on."""
    if kind is StepType.K8S_DEPLOY:
        release = _text(_config(step).get("release_name"), origin) or ""
        return ("" if origin.type else release), ""
    text = _text(step.get(fields.RESOURCE), origin) or ""
    owner, slash, name = text.partition("/")
    if kind in _QUALIFIED and slash:
        return name, owner
    return (name if kind in _ON_PODS and owner == "pod" and slash else text), ""


def _config_there(step: Mapping[str, Any], kind: StepType, origin: Origin) -> dict[str, Any]:
    written = _config(step)
    mode = str(written.get("deploy_type") or "")
    made: dict[str, Any] = {"deploy_type": mode} if kind is StepType.K8S_DEPLOY and mode else {}
    for field in fields.config_fields(kind, mode):
        if written.get(field.here) not in (None, ""):
            value = field.to_there(written[field.here])
            if isinstance(value, str) and origin.spaced:
                value = texts.respaced(value)
            _put(made, field.there, value)
    return made


def _options(step: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if texts.flag(step.get("enabled")) is False and not _is_offered(step, origin):
        made["is_active"] = False
    elif origin.offered and not _is_offered(step, origin):
        made["is_active"] = True
    _put(made, "timeout" if origin.atomic else "timeout_seconds", texts.duration_there(step.get("timeout")))
    retries = texts.count_there(step.get("retries"))
    if origin.atomic and isinstance(retries, int) and retries:
        made["retry_count"] = retries
    policy = _policy(step, origin, retries)
    if policy:
        made["retry_policy"] = policy
    return made


def _policy(step: Mapping[str, Any], origin: Origin, retries: Any) -> dict[str, Any]:
    policy: dict[str, Any] = {}
    if isinstance(retries, int) and retries and not origin.atomic:
        policy = {"max_retries": retries, "retry_on_failure": True}
        _put(policy, "retry_delay_seconds", texts.duration_there(step.get("retry_delay")))
    if texts.flag(step.get("continue_on_error")):
        policy["continue_on_failure"] = True
    return policy


def _environment(step: Mapping[str, Any], origin: Origin) -> dict[str, str]:
    env = step.get("env")
    found = {str(name): _text(value, origin) for name, value in env.items()} if isinstance(env, Mapping) else {}
    return {name: text for name, text in found.items() if text is not None}
