"""argparse's own words in the user's language.

argparse asks the process-wide gettext domain, which follows the environment and not `--lang`; its two names are
pointed at our catalogue instead. A test compares the list below with what the running Python's argparse can say.
"""

from __future__ import annotations

import argparse

from ansflow_desktop import i18n
from ansflow_desktop.i18n import Message, msg, msg_n

TEXTS: tuple[Message, ...] = (
    msg("usage: "),
    msg("options"),
    msg("positional arguments"),
    msg("subcommands"),
    msg("show this help message and exit"),
    msg("show program's version number and exit"),
    msg("%(prog)s: error: %(message)s\n"),
    msg("argument %(argument_name)s: %(message)s"),
    msg("expected one argument"),
    msg("expected at least one argument"),
    msg("expected at most one argument"),
    msg_n("expected %s argument", "expected %s arguments", 2),
    msg("invalid choice: %(value)r (choose from %(choices)s)"),
    msg("invalid %(type)s value: %(value)r"),
    msg("unrecognized arguments: %s"),
    msg("unknown parser %(parser_name)r (choices: %(choices)s)"),
    msg("the following arguments are required: %s"),
    msg("ignored explicit argument %r"),
    msg("not allowed with argument %s"),
    msg("one of the arguments %s is required"),
    msg("ambiguous option: %(option)s could match %(matches)s"),
)


def use_our_catalogue() -> None:
    """Let argparse translate through the language in use."""
    for name, function in (("_", i18n._), ("gettext", i18n._), ("ngettext", i18n.ngettext)):
        if hasattr(argparse, name):
            setattr(argparse, name, function)
