"""Certificates, keys and the administrator's token of one practice cluster.

The certificates come out of helm: `genCA` and `genSignedCert` of its templates are Go's own x509, they are there on
every machine that has the practice tools, and nothing here has to write certificates by hand. What is rendered goes
to files of mode 0600 below `pki/` (0700) and is never installed anywhere.
"""

from __future__ import annotations

import base64
import os
import secrets
from typing import TYPE_CHECKING

import msgspec
import yaml

from ansflow_desktop import paths
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.command import Command
from ansflow_desktop.process import ProcessRunner

if TYPE_CHECKING:
    from pathlib import Path

    from ansflow_desktop.practice.components import Layout, Ports

_FILES = ("ca.crt", "ca.key", "server.crt", "server.key", "service-account.key")


def write_private(path: Path, content: str) -> None:
    """Write `content` to `path` with mode 0600, whole or not at all. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def ensure(layout: Layout, helm: Path) -> None:
    """Make the cluster's certificates and token once; a second call leaves them as they are.

    Raises UserError when helm cannot render them, OSError when they cannot be written.
    """
    paths.make_private(layout.pki)
    if not all((layout.pki / name).is_file() for name in _FILES):
        _certificates(layout, helm)
    if not layout.tokens.is_file():
        write_private(layout.tokens, f'{secrets.token_urlsafe(32)},practice-admin,practice-admin,"system:masters"\n')


def token(layout: Layout) -> str:
    """Return the administrator's token. Raises OSError when there is none."""
    return layout.tokens.read_text(encoding="utf-8").split(",", 1)[0]


def write_kubeconfig(layout: Layout, name: str, ports: Ports) -> None:
    """Write the kubeconfig: one cluster, one user, one context, all called `name`; certificates are embedded."""
    authority = base64.b64encode(layout.ca.read_bytes()).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [
            {
                "name": name,
                "cluster": {"server": server(ports), "certificate-authority-data": authority},
            }
        ],
        "users": [{"name": name, "user": {"token": token(layout)}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
    content = yaml.safe_dump(document, sort_keys=False)
    if not layout.kubeconfig.is_file() or layout.kubeconfig.read_text(encoding="utf-8") != content:
        write_private(layout.kubeconfig, content)


def server(ports: Ports) -> str:
    """Return the API server's address."""
    return f"https://127.0.0.1:{ports.api}"


def _certificates(layout: Layout, helm: Path) -> None:
    command = Command(
        argv=(str(helm), "template", "pki", str(paths.resources() / "practice" / "pki")),
        cwd=str(layout.folder),
        env={"HELM_PLUGINS": str(layout.folder / "none"), "HELM_DEBUG": None, "KUBECONFIG": None},
        timeout=60,
        purpose="practice",
    )
    result = ProcessRunner().run(command)
    if result.exit_code != 0:
        raise UserError(
            msg("The practice cluster's certificates could not be made"), result.stderr.strip(), code=ExitCode.FAILED
        )
    for name, content in msgspec.convert(yaml.safe_load(result.stdout), dict[str, str]).items():
        write_private(layout.pki / name, content)
