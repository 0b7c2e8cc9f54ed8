"""Which credential programs a person has seen and approved: by digest, once, asked again on any change (row 8)."""

from __future__ import annotations

import shlex
import threading
from pathlib import Path

import msgspec

from ansflow_desktop import files
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.text import visible
from ansflow_desktop.models.cluster import ExecPlugin


class ApprovalNeeded(UserError):
    """A cluster's credential program was not approved yet; `plugin` is what would run."""

    def __init__(self, cluster: str, plugin: ExecPlugin) -> None:
        """Say which program and how to approve it."""
        super().__init__(
            msg("The cluster “%(cluster)s” asks to run %(command)s", cluster=cluster, command=plugin.command),
            shown(plugin),
            msg(
                "Look at the command and allow it once: in the cluster list, or with --approve-plugin %(digest)s.",
                digest=plugin.digest,
            ),
            field="k8s_cluster",
            code=ExitCode.INVALID,
        )
        self.plugin = plugin


def shown(plugin: ExecPlugin) -> str:
    """Return the command with its environment as one shell line, to be read by the person who approves it."""
    environment = " ".join(f"{name}={shlex.quote(value)}" for name, value in plugin.shown_env)
    command = shlex.join([plugin.command, *plugin.shown_args])
    return visible(f"{environment} {command}" if environment else command)


class Approvals:
    """The approved digests, kept in one private file; safe from any thread."""

    def __init__(self, path: Path) -> None:
        """Use the JSON file `path` (created at the first approval, 0600)."""
        self._path = path
        self._lock = threading.Lock()

    def approved(self, plugin: ExecPlugin) -> bool:
        """Return whether exactly this command, with these arguments and environment, was approved."""
        return bool(plugin.digest) and plugin.digest in self._read()

    def approve(self, plugin: ExecPlugin) -> None:
        """Remember `plugin` by digest and name only: its environment may hold a secret. Raises UserError."""
        with self._lock:
            known = {**self._read(), plugin.digest: plugin.command}
            files.write_atomic(self._path, msgspec.json.format(msgspec.json.encode(known)))

    def _read(self) -> dict[str, str]:
        """Return digest and command; a damaged or missing file approves nothing."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}
