"""Credential programs that a kubeconfig asks to run: what they are, exactly (failure-modes.md, row 8)."""

from __future__ import annotations

import hashlib
import shlex
from typing import TYPE_CHECKING, Any

import msgspec

from ansflow_desktop.models.cluster import ExecPlugin

if TYPE_CHECKING:
    from collections.abc import Mapping


def plugin_of(user: Mapping[str, Any]) -> ExecPlugin | None:
    """Return the program that the kubeconfig user `user` runs for credentials, None when it runs none.

    Both `exec` and the older `auth-provider` with a `cmd-path` run a program.
    """
    asked = user.get("exec")
    if isinstance(asked, dict):
        return make_plugin(str(asked.get("command") or ""), _texts(asked.get("args")), _environment(asked.get("env")))
    provider = user.get("auth-provider")
    config = provider.get("config") if isinstance(provider, dict) else None
    if isinstance(config, dict) and config.get("cmd-path"):
        return make_plugin(str(config["cmd-path"]), _words(str(config.get("cmd-args") or "")), ())
    return None


def make_plugin(command: str, args: tuple[str, ...], env: tuple[tuple[str, str], ...]) -> ExecPlugin:
    """Return the plugin with its digest: SHA-256 over command, arguments and environment as canonical JSON."""
    canonical = msgspec.json.encode([command, args, sorted(env)])
    return ExecPlugin(command=command, args=args, env=env, digest=hashlib.sha256(canonical).hexdigest())


def _texts(items: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in items) if isinstance(items, list) else ()


def _environment(items: Any) -> tuple[tuple[str, str], ...]:
    pairs = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return tuple((str(item.get("name") or ""), str(item.get("value") or "")) for item in pairs)


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return (text,)
