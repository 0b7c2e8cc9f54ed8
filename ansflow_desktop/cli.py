"""The headless face (cli.md): parses the command line, runs one subcommand, turns errors into words and exit codes.

Qt is imported only for the window and for `screenshot`.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, cast

from ansflow_desktop import i18n
from ansflow_desktop.commands import parser
from ansflow_desktop.commands.output import Format, Output
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.services import Options, Services, build
from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.process import let_children_be_interrupted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from ansflow_desktop.commands.session import Session

_MODULES = {
    "info": "info",
    "deploy": "deploy",
    "run": "pipelines",
    "preview": "pipelines",
    "validate": "pipelines",
    "schema": "pipelines",
    "convert": "convert",
    "templates": "templates",
    "clusters": "clusters",
    "releases": "releases",
    "practice": "practice",
    "screenshot": "screenshot",
    "credentials": "credentials",
    "vault": "vault",
}
_OWN_MODULES = {
    "credentials_renew": "credentials_renew",
    "credentials_script": "credentials_renew",
}
_DEEDS = (
    *("deploy", "run", "practice_start", "practice_stop", "practice_remove", "credentials_renew"),
    *("clusters_add", "clusters_edit", "clusters_remove"),
    *("vault_create", "vault_passphrase", "vault_change", "vault_set_aside", "vault_export", "vault_import"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; without a subcommand the window opens."""
    words = list(sys.argv[1:] if argv is None else argv)
    i18n.set_language(parser.scan(words, "--lang"))
    out = Output(_wanted_form(words))
    try:
        let_children_be_interrupted()
        return _run(words, out)
    except UserError as error:
        out.error(error)
        return int(error.code)
    except KeyboardInterrupt:
        out.note(msg("Cancelled."))
        return int(ExitCode.CANCELLED)
    except Exception as error:
        return _crashed(words, out, error)


def _wanted_form(words: Sequence[str]) -> Format:
    """Return the form asked for, before anything is parsed: a usage error too is written in it."""
    given = parser.scan(words, "-o", "--output") or next((w[2:] for w in words if w.startswith("-o") and w[2:]), "")
    return Format(given) if given in list(Format) else Format.TEXT


def _run(words: Sequence[str], out: Output) -> int:
    # the language must be known before the help can be written; this may also set a damaged settings file aside
    early = build(Options(data_dir=parser.scan(words, "--data-dir"), lang=parser.scan(words, "--lang")))
    _tell(out, early.settings_notice)
    args = parser.parse(words)
    out.form, out.labels = args.form, parser.labels(args)
    services = build(_options(args))
    try:
        return _dispatch(args, services, out)
    finally:
        for notice in services.notices():
            _tell(out, notice)
        services.close()


def _options(args: argparse.Namespace) -> Options:
    return Options(
        kubeconfig=args.kubeconfig,
        data_dir=args.data_dir,
        helm=args.helm,
        kubectl=args.kubectl,
        read_only=args.read_only,
        lang=args.lang,
        log_level=args.log_level,
        passphrase_file=args.passphrase_file,
    )


def _tell(out: Output, notice: Message | None) -> None:
    if notice:
        out.note(notice)


def _dispatch(args: argparse.Namespace, services: Services, out: Output) -> int:
    if args.command is None:
        return _window(services.options)
    from ansflow_desktop.commands.session import Session

    _start_log(services, out)
    function = f"{args.command}_{args.action.replace('-', '_')}" if args.action else args.command
    name = _OWN_MODULES.get(function, _MODULES[args.command])
    module = importlib.import_module(f"ansflow_desktop.commands.{name}")
    command = cast("Callable[[Session], int]", getattr(module, function))
    return command(Session(args, services, out)) or _unless_lost(function, out)


def _unless_lost(function: str, out: Output) -> int:
    """Return 1 where a result was asked for and could not be written; the code of a deed tells of the deed."""
    return int(ExitCode.FAILED if out.lost and function not in _DEEDS else ExitCode.DONE)


def _start_log(services: Services, out: Output) -> None:
    """Begin to log; where that cannot be, say so and go on: looking must work on a full disk too."""
    try:
        services.start_log()
    except UserError as error:
        out.note(msg("Nothing is logged: %(reason)s", reason=str(error)))


def _window(options: Options) -> int:
    from ansflow_desktop.commands.window import open_window

    return open_window(options)


def _crashed(words: Sequence[str], out: Output, error: Exception) -> int:
    from ansflow_desktop.commands import crash

    out.error(crash.report(words, error))
    return int(ExitCode.FAILED)
