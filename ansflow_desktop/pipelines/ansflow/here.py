"""From one AnsFlow step to the mapping of a step here; what has no place here is left to `kept`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansflow_desktop.models.pipeline import StepType
from ansflow_desktop.pipelines.ansflow import fields, texts
from ansflow_desktop.pipelines.ansflow.manifest import deployment_manifest
from ansflow_desktop.pipelines.ansflow.notes import Notes
from ansflow_desktop.pipelines.ansflow.offered import command_for
from ansflow_desktop.pipelines.fields import NAME

_ALIASES = {
    fields.CLUSTER: ("k8s_cluster", "k8s_cluster_id", "cluster_id"),
    fields.NAMESPACE: ("k8s_namespace", "namespace"),
    fields.RESOURCE: ("k8s_resource_name", "resource_name"),
}
_HARMLESS_CONDITIONS = ("always", "on_success")


class StepReader:
    """Reads the steps of one AnsFlow pipeline (or one library step) in their order.

    `atomic` says that the configuration lies under `parameters` first. `clusters` are names by AnsFlow's ids.
    """

    def __init__(self, clusters: Mapping[int | str, str], notes: Notes, *, atomic: bool) -> None:
        """Begin before the first step."""
        self._clusters = clusters
        self._notes = notes
        self._atomic = atomic
        self._order = ("parameters", "", "ansible_parameters") if atomic else fields.CONTAINERS
        self._deployment = ""
        self._step: Mapping[str, Any] = {}
        self._name = ""

    def read(self, step: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return the step here, called `name`, for AnsFlow's `step`."""
        self._step, self._name = step, name
        made: dict[str, Any] = {"name": name, "type": ""}
        description = texts.plain_text(step.get("description"))
        if description:
            made["description"] = description
        kind = texts.plain_text(step.get("step_type")) or ("custom" if self._value("command") else "")
        known = kind in StepType.__members__.values() and kind != StepType.SHELL
        made.update(self._k8s(StepType(kind)) if known else self._shell(kind))
        made.update(self._options(made))
        return made

    def _value(self, *names: str) -> Any:
        """Return the first value that is given, at the places of the configuration in their order."""
        for owner in self._owners():
            for name in names:
                if owner.get(name) not in (None, "", {}, []):
                    return owner[name]
        return None

    def _owners(self) -> list[Mapping[str, Any]]:
        """Return the mappings that hold the configuration, the first one wins."""
        found = (self._step.get(container) if container else self._step for container in self._order)
        return [owner for owner in found if isinstance(owner, Mapping)]

    def _config(self, name: str) -> Any:
        """Return a value of k8s_config; older documents have it beside it."""
        for owner in self._owners():
            for key in ("k8s_config", "config"):
                below = owner.get(key)
                if isinstance(below, Mapping) and below.get(name) not in (None, ""):
                    return below[name]
        found = (owner.get(name) for owner in self._owners() if owner is not self._step)
        return next((value for value in found if value not in (None, "")), None)

    def _shell(self, kind: str) -> dict[str, Any]:
        order = ("script", "command") if kind == "shell_script" else ("command", "script")
        command = next((found for found in map(self._command, order) if found), "")
        if kind in fields.SHELL_TYPES and command:
            return {"type": StepType.SHELL.value, "command": command}
        self._notes.add("foreign", self._name)
        return {"type": StepType.SHELL.value, "enabled": False, "command": command_for(kind, self._parameters())}

    def _command(self, name: str) -> str:
        value = self._value(name)
        text = texts.command_here(value)
        if text is None and value is not None:
            self._notes.add("wrong type", f"{self._name}: {name}")
        return text or "" if text and text.strip() else ""

    def _parameters(self) -> dict[str, Any]:
        """Return all that a step of a foreign type is configured by, in one mapping."""
        parts = [self._step.get(name) for name in ("docker_config", "ansible_parameters", "parameters")]
        top = {name: value for name, value in self._step.items() if value not in (None, "")}
        below = {name: item for part in parts if isinstance(part, Mapping) for name, item in part.items()}
        return {**top, **below}

    def _k8s(self, kind: StepType) -> dict[str, Any]:
        made: dict[str, Any] = {"type": kind.value, fields.CLUSTER: self._cluster()}
        namespace = texts.text_here(self._value(*_ALIASES[fields.NAMESPACE]) or self._config("namespace"))
        made[fields.NAMESPACE] = namespace or fields.DEFAULT_NAMESPACE
        made.update(self._resource(kind))
        config = self._deploy_config() if kind is StepType.K8S_DEPLOY else self._converted(kind)
        if kind is StepType.K8S_LOGS:
            config.setdefault("tail_lines", fields.DEFAULT_TAIL)
        if kind is StepType.K8S_WAIT and not config.get("condition") and not config.get("deleted"):
            config["condition"] = "Available"
        made[fields.CONFIG] = config
        return made

    def _cluster(self) -> str:
        value = self._value(*_ALIASES[fields.CLUSTER])
        if isinstance(value, Mapping):
            value = value.get("id")
        named = texts.plain_text(self._step.get("k8s_cluster_name")) or ""
        if isinstance(value, bool) or not isinstance(value, int | str):
            return texts.text_here(named) or ""
        found = self._known_cluster(value)
        number = isinstance(value, int) or value.isdigit()
        if number:
            self._notes.clusters[value] = None
        if found is None and number:
            self._notes.add("cluster", f"{self._name} ({value}{f': {named}' if named else ''})")
            return ""
        return found or texts.text_here(value) or ""

    def _known_cluster(self, value: int | str) -> str | None:
        """Return the name for an id, written as a number or as a text."""
        if value in self._clusters:
            return self._clusters[value]
        if isinstance(value, int):
            return self._clusters.get(str(value))
        short = value.isascii() and value.isdigit() and len(value) < 19
        return self._clusters.get(int(value)) if short else None

    def _resource(self, kind: StepType) -> dict[str, Any]:
        name: str | None = self._resource_name()
        if kind is StepType.K8S_DEPLOY:
            self._deployment = name or self._deployment
            return {}
        if kind is StepType.K8S_LOGS:
            name = name or texts.text_here(self._config("pod_name"))
        if kind in (StepType.K8S_EXEC, StepType.K8S_LOGS):
            if not name and self._deployment and not self._config("pod_selector"):
                return {fields.RESOURCE: f"deployment/{self._deployment}"}
            return {} if not name or self._config("pod_selector") else {fields.RESOURCE: _qualified(name, "pod")}
        owner = texts.text_here(self._config("resource_type")) or ""
        if owner == "all":
            self._notes.add("all resources", self._name)
            return {"enabled": False, fields.RESOURCE: name or self._deployment}
        return {fields.RESOURCE: _qualified(name or self._deployment, owner)}

    def _resource_name(self) -> str:
        return texts.text_here(self._value(*_ALIASES[fields.RESOURCE]) or self._config("name")) or ""

    def _deploy_config(self) -> dict[str, Any]:
        mode = "helm" if self._config("deploy_type") == "helm" else "manifest"
        made = {"deploy_type": mode, **self._converted(StepType.K8S_DEPLOY, mode)}
        if "manifest" in made:
            made.pop("manifest_files", None)
        spec = self._config("deployment_spec")
        if mode == "manifest" and isinstance(spec, Mapping) and not made.keys() & {"manifest", "manifest_files"}:
            manifest = deployment_manifest(spec, self._resource_name(), str(self._value("k8s_namespace") or ""))
            if manifest is None:
                self._notes.add("wrong type", f"{self._name}: deployment_spec")
            else:
                made["manifest"] = manifest
        return made

    def _converted(self, kind: StepType, mode: str = "") -> dict[str, Any]:
        made: dict[str, Any] = {}
        for field in fields.config_fields(kind, mode):
            value = self._config(field.there)
            if value is None and kind is StepType.K8S_EXEC and field.there == "command":
                value = self._value("command")
            converted = None if value is None else field.to_here(value)
            if converted is not None:
                made[field.here] = converted
            elif value is not None and field.there != "condition":
                self._notes.add("wrong type", f"{self._name}: {field.there}")
        if kind is StepType.K8S_EXEC and any(self._config(name) is True for name in ("stdin", "tty")):
            self._notes.add("terminal", self._name)
        return made

    def _options(self, made: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._step.get("is_active") is False:
            found["enabled"] = False
        found.update(self._retries())
        env = self._environment()
        if env:
            found["env"] = env
        found.update(self._timeout(made))
        found.update(self._not_here())
        return found

    def _timeout(self, made: Mapping[str, Any]) -> dict[str, Any]:
        names = ("timeout", "timeout_seconds") if self._atomic else ("timeout_seconds", "timeout")
        written = next((self._step[name] for name in names if self._step.get(name) is not None), None)
        timeout = texts.duration_here(written)
        if timeout is None:
            if written is not None:
                self._notes.add("wrong type", f"{self._name}: {names[0]}")
            return {}
        config = made.get(fields.CONFIG)
        if isinstance(config, dict) and made["type"] == StepType.K8S_WAIT and "timeout" not in config:
            config["timeout"] = timeout
        inner = texts.duration_there(config.get("timeout")) if isinstance(config, dict) else None
        outer = texts.duration_there(timeout)
        if isinstance(inner, int | float) and isinstance(outer, int | float) and outer < inner:
            self._notes.add("deadline", self._name)
            return {}
        return {"timeout": timeout}

    def _retries(self) -> dict[str, Any]:
        policy = self._step.get("retry_policy")
        policy = policy if isinstance(policy, Mapping) else {}
        found: dict[str, Any] = {}
        again = self._step.get("retry_count") if self._atomic else policy.get("max_retries")
        number = texts.count_here(again)
        if isinstance(number, int) and number and policy.get("retry_on_failure") is not False:
            found["retries"] = number
            delay = texts.duration_here(policy.get("retry_delay_seconds"))
            found.update({"retry_delay": delay} if delay else {})
        if policy.get("continue_on_failure") is True:
            found["continue_on_error"] = True
        return found

    def _environment(self) -> dict[str, str]:
        written = self._value("environment_vars")
        if written is None:
            return {}
        if not isinstance(written, Mapping):
            self._notes.add("wrong type", f"{self._name}: environment_vars")
            return {}
        found = {name: texts.text_here(value) for name, value in written.items()}
        good = {name: text for name, text in found.items() if text is not None and NAME.fullmatch(name)}
        for name in written.keys() - good.keys():
            self._notes.add("wrong type", f"{self._name}: environment_vars.{name}")
        return good

    def _not_here(self) -> dict[str, Any]:
        """Note what AnsFlow does around a step; a step that was held back by it there does not run unasked here."""
        step = self._step
        for name, kind in (("parallel_group", "parallel"), ("dependencies", "dependencies")):
            if step.get(name):
                self._notes.add(kind, self._name)
        if step.get("notification_config"):
            self._notes.add("notifications", self._name)
        held = [kind for kind, given in (("approval", _approval(step)), ("conditions", _conditions(step))) if given]
        for kind in held:
            self._notes.add(kind, self._name)
        return {"enabled": False} if held else {}


def _qualified(name: str, kind: str) -> str:
    """Return `kind/name`, or the name alone where it has a kind already or none is known."""
    return f"{kind}/{name}" if kind and name and "/" not in name else name


def _approval(step: Mapping[str, Any]) -> bool:
    return any(step.get(name) not in (None, False, "", 0) for name in ("approval_required", "requires_approval"))


def _conditions(step: Mapping[str, Any]) -> bool:
    for name in ("conditions", "condition"):
        value = step.get(name)
        harmless = isinstance(value, Mapping) and value.get("type") in _HARMLESS_CONDITIONS
        if value and not harmless:
            return True
    return False
