"""The passphrase of the vault from a file (`--passphrase-file`), never from the command line."""

from __future__ import annotations

from pathlib import Path

from ansflow_desktop import paths
from ansflow_desktop.errors import UserError
from ansflow_desktop.files import open_to_read
from ansflow_desktop.i18n import msg

_LIMIT = 4096


def read_passphrase(path: Path) -> str:
    """Return the first line of `path` without its line break; raises UserError where there is none."""
    try:
        with open_to_read(paths.expanded(path)) as stream:
            line = stream.readline(_LIMIT).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        title = msg("The passphrase file %(file)s cannot be read", file=str(path))
        raise UserError(title, str(error), field="--passphrase-file") from error
    if not line:
        title = msg("The passphrase file %(file)s is empty", file=str(path))
        raise UserError(title, "", msg("Its first line is the passphrase."), field="--passphrase-file")
    return line
