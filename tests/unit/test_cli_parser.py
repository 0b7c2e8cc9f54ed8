"""The grammar of cli.md, and argparse's own words in both languages."""

from __future__ import annotations

import argparse
import ast
import inspect

import pytest

from ansflow_desktop import __version__, cli, i18n
from ansflow_desktop.commands import parser
from ansflow_desktop.commands.argparse_texts import TEXTS
from ansflow_desktop.commands.output import Format
from ansflow_desktop.errors import ExitCode, UserError

DEPLOY = ("deploy", "chart", "-c", "dev", "-n", "fe")


@pytest.fixture(autouse=True)
def english():
    yield
    i18n.set_language("en")


@pytest.mark.parametrize(
    "words",
    [
        ("-o", "jsonl", "--data-dir", "d", "--read-only", *DEPLOY),
        (*DEPLOY, "-o", "jsonl", "--data-dir", "d", "--read-only"),
        ("--data-dir=d", *DEPLOY, "--read-only", "-ojsonl"),
    ],
)
def test_global_options_work_before_and_after_the_subcommand(words: tuple[str, ...]) -> None:
    args = parser.parse(words)
    assert (args.form, args.data_dir, args.read_only) == (Format.JSONL, "d", True)


def test_global_options_work_at_every_level_of_a_group() -> None:
    args = parser.parse(["clusters", "--helm", "h", "list", "--kubectl", "k"])
    assert (args.command, args.action, args.helm, args.kubectl) == ("clusters", "list", "h", "k")


def test_an_option_after_the_subcommand_wins_over_one_before_it() -> None:
    assert parser.parse(["--lang", "en", "info", "--lang", "zh_CN"]).lang == "zh_CN"


def test_everything_deploy_takes() -> None:
    more = ("--no-wait", "--rollback-on-failure", "--dry-run", "--reset-values")
    given = ("-r", "rel", "-f", "a.yaml", "-f", "b.yaml", "--set", "x=1", "--timeout", "5m")
    args = parser.parse([*DEPLOY, *given, *more])
    assert (args.release, args.values, args.set, args.timeout) == ("rel", ["a.yaml", "b.yaml"], ["x=1"], "5m")
    assert args.no_wait and args.rollback_on_failure and args.dry_run and args.reset_values


@pytest.mark.parametrize(
    "words",
    [
        ("deploy",),
        ("deploy", "chart"),
        ("nothing",),
        ("clusters",),
        ("clusters", "nothing"),
        ("info", "-o", "xml"),
        ("info", "--log-level", "loud"),
        ("info", "--data"),
        ("practice", "start", "--nodes", "many"),
        ("deploy", "chart", "-c", "-n"),
    ],
)
def test_wrong_usage_is_a_user_error(words: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as raised:
        parser.parse(words)
    assert raised.value.code is ExitCode.INVALID
    assert str(raised.value.message)


def test_version_and_help_need_nothing(capsys) -> None:
    for words in (["--version"], ["--help"], ["deploy", "--help"]):
        with pytest.raises(SystemExit) as left:
            cli.main(words)
        assert left.value.code == 0
    shown = capsys.readouterr().out
    assert __version__ in shown and "CHART_DIR" in shown


def test_scan_finds_an_option_before_anything_is_parsed() -> None:
    assert parser.scan(["info", "--lang", "zh_CN"], "--lang") == "zh_CN"
    assert parser.scan(["--lang=en"], "--lang") == "en"
    assert parser.scan(["--", "--lang", "zh_CN"], "--lang") is None
    assert parser.scan(["--lang"], "--lang") is None


def test_every_text_of_this_pythons_argparse_can_be_translated() -> None:
    """Texts of features that the parser does not use are named here, so that a new one is noticed."""
    unused = {
        "can't open '%(filename)s': %(error)s",
        "cannot have multiple subparser arguments",
        "%r is not callable",
        " (default: %(default)s)",
        "conflicting option string: %s",
        "conflicting subparser: %s",
        "conflicting subparser alias: %s",
        ".__call__() not defined",
        "unexpected option string: %s",
        "invalid conflict_resolution value: %r",
        "mutually exclusive arguments must be optional",
        'argument "-" with mode %r',
        "cannot merge actions - two groups are named %r",
        "can't open '%s': %s",
        "'required' is an invalid argument for positionals",
        "invalid option string %(option)r: must start with a character %(prefix_chars)r",
        "dest= is required for options like %r",
        "conflicting option strings: %s",
        "%(heading)s:",
        "option '%(option)s' is deprecated",
        "argument '%(argument_name)s' is deprecated",
        "command '%(parser_name)s' is deprecated",
        "%(prog)s: warning: %(message)s\n",
    }
    listed = {text.text for text in TEXTS} | {text.plural for text in TEXTS}
    assert argparse_texts() - unused <= listed


def argparse_texts() -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(argparse))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "ngettext"):
            found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)} - {""}
    return {text for text in found if isinstance(text, str)}
