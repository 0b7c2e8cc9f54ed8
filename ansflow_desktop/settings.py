"""Preferences as JSON: typed, written atomically, kept aside when damaged, open to fields of a newer version."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from ansflow_desktop import files
from ansflow_desktop.i18n import Message, msg

RECENT_LIMIT = 10


class LastDeploy(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed on the Deploy page for one chart folder the last time; nothing secret is kept here."""

    cluster: str = ""
    namespace: str = ""
    release_name: str = ""
    values_files: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person's preferences.

    `language` is `en`, `zh_CN` or empty for the system's; `helm` and `kubectl` are paths, empty to look for them.
    `recent_charts` are absolute folders, newest first; `last` maps such a folder to what was last chosen for it.
    `recent_pipelines` are absolute paths of pipeline files, newest first.
    `warn_days` is when a credential "expires soon", `reminder_days` when one is told of it; `answers_s` is how long
    (seconds) what a server said of a credential is taken as it is.
    `unknown` holds the fields of a newer version, which are written back unchanged.
    """

    language: str = ""
    theme: Literal["system", "light", "dark"] = "system"
    helm: str = ""
    kubectl: str = ""
    recent_charts: tuple[str, ...] = ()
    recent_pipelines: tuple[str, ...] = ()
    extra_kubeconfigs: tuple[str, ...] = ()
    last: dict[str, LastDeploy] = {}
    warn_days: int = 7
    reminder_days: tuple[int, ...] = (14, 7, 3, 1)
    answers_s: int = 300
    unknown: dict[str, Any] = {}

    def with_chart(self, folder: str, last: LastDeploy) -> Settings:
        """Return these settings with `folder` as the most recent chart and `last` remembered for it."""
        recent = (folder, *(other for other in self.recent_charts if other != folder))[:RECENT_LIMIT]
        kept = {path: value for path, value in self.last.items() if path in recent}
        return msgspec.structs.replace(self, recent_charts=recent, last={**kept, folder: last})

    def with_pipeline(self, path: str) -> Settings:
        """Return these settings with the file `path` as the most recent pipeline."""
        recent = (path, *(other for other in self.recent_pipelines if other != path))[:RECENT_LIMIT]
        return msgspec.structs.replace(self, recent_pipelines=recent)

    def without_pipeline(self, path: str) -> Settings:
        """Return these settings without the file `path` among the recent pipelines."""
        recent = tuple(other for other in self.recent_pipelines if other != path)
        return msgspec.structs.replace(self, recent_pipelines=recent)


def load(path: Path) -> tuple[Settings, Message | None]:
    """Return the settings in `path` and what is to be said about it (None: nothing).

    A missing file gives the defaults. A damaged one is renamed and named in the message; one that cannot be read is
    left alone and named. Never raises.
    """
    try:
        return _decode(path.read_bytes()), None
    except FileNotFoundError:
        return Settings(), None
    except OSError as error:
        return Settings(), _unreadable(path, error)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Settings(), _keep_damaged(path)


def _decode(data: bytes) -> Settings:
    fields = msgspec.json.decode(data, type=dict[str, Any])
    known = {name: value for name, value in fields.items() if name in Settings.__struct_fields__ and name != "unknown"}
    unknown = {name: value for name, value in fields.items() if name not in known}
    return msgspec.structs.replace(msgspec.convert(known, Settings), unknown=unknown)


def _unreadable(path: Path, error: OSError) -> Message:
    return msg("%(path)s could not be read: %(reason)s", path=str(path), reason=error.strerror or str(error))


def _keep_damaged(path: Path) -> Message:
    try:
        return files.damaged_notice(path, files.set_aside(path))
    except OSError as error:
        return _unreadable(path, error)


def save(path: Path, settings: Settings) -> None:
    """Write `settings` to `path` atomically, mode 0600; raises UserError where it cannot be written."""
    known = msgspec.to_builtins(settings)
    unknown = known.pop("unknown", {})
    data = msgspec.json.format(msgspec.json.encode({**unknown, **known}), indent=2)
    files.write_atomic(path, data + b"\n")
