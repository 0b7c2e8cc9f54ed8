"""What every part of the command line's grammar uses."""

from __future__ import annotations

import argparse
from typing import Any

from ansflow_desktop.i18n import _


class Maker:
    """Adds subcommands that all know the global options."""

    def __init__(self, commands: Any, shared: argparse.ArgumentParser) -> None:
        """Add to `commands` (argparse's subparsers); `shared` holds the global options."""
        self._commands = commands
        self._shared = shared

    def command(self, name: str, text: str) -> argparse.ArgumentParser:
        """Return the parser of the new subcommand `name`, which `text` describes."""
        made: argparse.ArgumentParser = self._commands.add_parser(
            name, help=text, description=text, parents=[self._shared], allow_abbrev=False
        )
        return made

    def group(self, name: str, text: str) -> Maker:
        """Return a maker of the actions of subcommand `name`."""
        parser = self.command(name, text)
        actions = parser.add_subparsers(dest="action", metavar=_("ACTION"), required=True, title=_("actions"))
        return Maker(actions, self._shared)


def add_approval(parser: argparse.ArgumentParser) -> None:
    """Add `--approve-plugin DIGEST` (failure-modes.md, row 8)."""
    parser.add_argument(
        "--approve-plugin",
        metavar="DIGEST",
        action="append",
        default=[],
        help=_("allow the credential program of a kubeconfig that has this digest"),
    )
