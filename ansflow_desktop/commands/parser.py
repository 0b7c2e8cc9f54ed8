"""The command line's grammar (cli.md): global options work before and after the subcommand."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from ansflow_desktop import __version__
from ansflow_desktop.commands.argparse_texts import use_our_catalogue
from ansflow_desktop.commands.grammar import Maker, add_approval
from ansflow_desktop.commands.grammar_clusters import add_clusters, add_credentials, add_vault
from ansflow_desktop.commands.output import Format
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import LANGUAGES, _, msg
from ansflow_desktop.paths import APP

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG_LEVELS = ("debug", "info", "warning", "error")

_DEFAULTS: dict[str, Any] = {
    "kubeconfig": None,
    "data_dir": None,
    "helm": None,
    "kubectl": None,
    "form": Format.TEXT,
    "log_level": "warning",
    "read_only": False,
    "lang": None,
    "passphrase_file": None,
    "command": None,
    "action": None,
}


_GLOBAL_LABELS = {name: f"--{name}" for name in ("kubeconfig", "helm", "kubectl", "variable", "nodes", "confirm")}
_DEPLOY_LABELS = {
    "chart_path": "CHART_DIR",
    "chart_name": "CHART_DIR",
    "cluster": "--cluster",
    "k8s_cluster": "--cluster",
    "namespace": "--namespace",
    "k8s_namespace": "--namespace",
    "release_name": "--release",
    "values_files": "--values",
    "set_values": "--set",
    "timeout": "--timeout",
    "atomic": "--rollback-on-failure",
    "rollback": "--rollback-on-failure",
}
_CLUSTER_LABELS = {
    "k8s_cluster": "CLUSTER",
    "name": "NAME",
    "server": "--server",
    "ca": "--ca-file",
    "token": "--token-file",
    "certificate": "--client-certificate",
    "key": "--client-key",
    "exec_command": "--exec-command",
    "proxy_url": "--proxy-url",
    "tls_server_name": "--tls-server-name",
    "description": "--description",
    "group": "--group",
    "kubeconfig": "--from-kubeconfig",
}


def labels(args: argparse.Namespace) -> dict[str, str]:
    """Return how the fields of errors are called on the command line that was typed.

    A pipeline file has fields of its own names: commands that read one name those.
    """
    if args.command in ("run", "preview", "validate", "convert", "templates"):
        return _GLOBAL_LABELS
    positional = dict(_cluster_labels(args)) if args.command == "clusters" else {}
    positional |= {"release_name": "RELEASE"} if args.command == "releases" else {}
    return {**_GLOBAL_LABELS, **_DEPLOY_LABELS, **positional}


def _cluster_labels(args: argparse.Namespace) -> dict[str, str]:
    """Return what `clusters add|edit` call the fields of a cluster; the others only name a cluster."""
    if args.action == "add" and args.from_kubeconfig is None:
        return {**_CLUSTER_LABELS, "kubeconfig": "FILE"}
    return _CLUSTER_LABELS if args.action in ("add", "edit") else {"k8s_cluster": "CLUSTER"}


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are UserErrors, so that they too come as JSON where that was asked for."""

    def error(self, message: str) -> NoReturn:
        raise UserError(msg("Wrong usage"), message, msg("See: %(command)s --help", command=self.prog))


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the parsed command line with every global option set.

    Raises UserError for wrong usage (exit code 2); `--help` and `--version` print and leave by SystemExit(0).
    """
    use_our_catalogue()
    found = _whole().parse_args(list(argv))
    return argparse.Namespace(**{**_DEFAULTS, **vars(found)})


def scan(argv: Sequence[str], *names: str) -> str | None:
    """Return the value of an option before anything is parsed: the language must be known to print the help in it.

    Given several times, the last one counts, as in argparse.
    """
    found: str | None = None
    for before, part in zip(("", *argv), argv, strict=False):
        if part == "--":
            break
        name, separator, value = part.partition("=")
        if before in names:
            found = part
        elif separator and name in names:
            found = value
    return found


def _whole() -> _Parser:
    shared = _global_options()
    parser = _Parser(
        prog=APP, parents=[shared], description=_("Deploy a chart folder to Kubernetes."), allow_abbrev=False
    )
    text = _("show program's version number and exit")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}", help=text)
    commands = parser.add_subparsers(dest="command", metavar=_("COMMAND"), title=_("commands"))
    maker = Maker(commands, shared)
    for add in (_add_info, _add_deploy, _add_pipelines, _add_convert, _add_templates):
        add(maker)
    for add in (add_clusters, add_credentials, add_vault, _add_releases, _add_practice, _add_screenshot):
        add(maker)
    return parser


def _global_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS, allow_abbrev=False)
    group = options.add_argument_group(_("global options"))
    group.add_argument("--kubeconfig", metavar="PATH", help=_("kubeconfig file (else KUBECONFIG, else the default)"))
    group.add_argument("--data-dir", metavar="DIR", help=_("where this program stores everything"))
    group.add_argument("--helm", metavar="PATH", help=_("the helm program to use"))
    group.add_argument("--kubectl", metavar="PATH", help=_("the kubectl program to use"))
    group.add_argument(
        "-o", "--output", dest="form", type=_form, metavar="text|json|jsonl", help=_("form of the result")
    )
    group.add_argument("--log-level", choices=LOG_LEVELS, metavar="LEVEL", help=_("debug, info, warning or error"))
    group.add_argument("--read-only", action="store_true", help=_("refuse whatever changes a cluster"))
    text = _("file whose first line is the passphrase of the vault")
    group.add_argument("--passphrase-file", metavar="PATH", help=text)
    group.add_argument("--lang", choices=LANGUAGES, metavar="en|zh_CN", help=_("language of messages"))
    return options


def _form(text: str) -> Format:
    return Format(text)


_form.__name__ = "output"  # argparse names the type by it: "invalid output value: 'x'"


def _add_info(maker: Maker) -> None:
    maker.command("info", _("tools, versions, directories and clusters found"))


def _add_deploy(maker: Maker) -> None:
    parser = maker.command("deploy", _("deploy a chart folder and wait until it is ready"))
    parser.add_argument("chart", metavar="CHART_DIR", help=_("folder that holds Chart.yaml"))
    parser.add_argument("-c", "--cluster", required=True, metavar="CLUSTER", help=_("name in the cluster list"))
    parser.add_argument("-n", "--namespace", metavar="NS", help=_("namespace (else that of the context)"))
    parser.add_argument("-r", "--release", metavar="RELEASE", help=_("release name (else CHART-release)"))
    parser.add_argument(
        "-f", "--values", action="append", default=[], metavar="FILE", help=_("values file, repeatable")
    )
    parser.add_argument("--set", action="append", default=[], metavar="K=V", help=_("one value, repeatable"))
    parser.add_argument("--timeout", default="300s", metavar="DURATION", help=_("how long to wait, such as 300s or 5m"))
    parser.add_argument("--no-wait", action="store_true", help=_("do not wait until everything is ready"))
    parser.add_argument("--rollback-on-failure", action="store_true", help=_("go back to the last release on failure"))
    parser.add_argument("--reset-values", action="store_true", help=_("start from the chart's default values"))
    parser.add_argument("--dry-run", action="store_true", help=_("show commands and manifest, run nothing"))
    add_approval(parser)


def _add_pipelines(maker: Maker) -> None:
    run = maker.command("run", _("run a pipeline file"))
    run.add_argument("pipeline", metavar="PIPELINE", help=_("pipeline file"))
    _add_variables(run)
    run.add_argument("--from", dest="start_from", metavar="STEP", help=_("begin with this step"))
    run.add_argument("--only", metavar="STEP", help=_("run only this step"))
    run.add_argument("--dry-run", action="store_true", help=_("show commands and manifests, run nothing"))
    text = _("type the name of a production cluster on which something may be destroyed, repeatable")
    run.add_argument("--confirm", action="append", default=[], metavar="NAME", help=text)
    add_approval(run)
    preview = maker.command("preview", _("show commands and manifests of a pipeline, run nothing"))
    preview.add_argument("pipeline", metavar="PIPELINE", help=_("pipeline file"))
    _add_variables(preview)
    preview.add_argument("--step", metavar="NAME", help=_("only this step"))
    preview.add_argument("--diff", action="store_true", help=_("compare with what is live on the clusters too"))
    add_approval(preview)
    validate = maker.command("validate", _("check a pipeline file"))
    validate.add_argument("pipeline", metavar="PIPELINE", help=_("pipeline file"))
    _add_variables(validate)
    maker.command("schema", _("print the JSON Schema of pipeline files"))


def _add_variables(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-v", "--variable", action="append", default=[], metavar="K=V", help=_("pipeline variable, repeatable")
    )


def _add_convert(maker: Maker) -> None:
    parser = maker.command("convert", _("make a pipeline for another engine, or AnsFlow's JSON, or a chart of a step"))
    parser.add_argument("source", metavar="IN", help=_("pipeline file, or AnsFlow's JSON"))
    parser.add_argument(
        "out", metavar="OUT", help=_("Jenkinsfile, NAME.sh, NAME.argo.yaml, NAME.json, NAME.yaml or a new folder")
    )
    forms = ("bash", "jenkins", "argo", "ansflow", "pipeline", "chart")
    parser.add_argument("--to", choices=forms, metavar="|".join(forms), help=_("what OUT is (else its name says it)"))
    parser.add_argument("--step", default="", metavar="NAME", help=_("the step that becomes a chart"))
    parser.add_argument("--overwrite", action="store_true", help=_("replace what is there"))
    parser.add_argument(
        "--cluster-id", action="append", default=[], metavar="NAME=ID", help=_("AnsFlow's number of a cluster")
    )
    _add_variables(parser)


def _add_templates(maker: Maker) -> None:
    group = maker.group("templates", _("steps with a few named parameters"))
    listing = group.command("list", _("all templates, or those that hold every word"))
    listing.add_argument("words", nargs="*", metavar="WORD", help=_("word to look for"))
    listing.add_argument("--category", metavar="CATEGORY", help=_("only this category"))
    name = _("name of the template")
    for action, text in (("show", _("write its YAML")), ("remove", _("remove one of your own"))):
        group.command(action, text).add_argument("name", metavar="NAME", help=name)
    new = group.command("new", _("make one from steps of a pipeline file"))
    new.add_argument("name", metavar="NAME", help=name)
    new.add_argument("pipeline", metavar="PIPELINE", help=_("pipeline file"))
    new.add_argument("--step", action="append", default=[], metavar="NAME", help=_("only this step, repeatable"))
    for option in ("title", "description", "category"):
        new.add_argument(f"--{option}", default="", metavar="TEXT")
    new.add_argument("--overwrite", action="store_true", help=_("replace what is there"))
    _add_variables(new)
    group.command("import", _("read a template file")).add_argument("file", metavar="FILE", help=_("template file"))
    export = group.command("export", _("write a template to a file"))
    export.add_argument("name", metavar="NAME", help=name)
    export.add_argument("file", metavar="FILE", help=_("template file"))
    apply = group.command("apply", _("add its steps to a pipeline file"))
    apply.add_argument("name", metavar="NAME", help=name)
    apply.add_argument("pipeline", metavar="PIPELINE", help=_("pipeline file, made where there is none"))
    _add_variables(apply)


def _add_releases(maker: Maker) -> None:
    group = maker.group("releases", _("Helm releases"))
    listing = group.command("list", _("releases in all states, newest revision each"))
    listing.add_argument("-c", "--cluster", metavar="CLUSTER", help=_("only this cluster (else all)"))
    listing.add_argument("-n", "--namespace", metavar="NS", help=_("only this namespace (else all)"))
    add_approval(listing)
    history = group.command("history", _("revisions of a release, newest first"))
    history.add_argument("release", metavar="RELEASE", help=_("release name"))
    history.add_argument("-c", "--cluster", required=True, metavar="CLUSTER", help=_("name in the cluster list"))
    history.add_argument("-n", "--namespace", metavar="NS", help=_("namespace (else that of the context)"))
    add_approval(history)


def _add_practice(maker: Maker) -> None:
    group = maker.group("practice", _("a local cluster to practise on"))
    start = group.command("start", _("start it, making it at the first time"))
    stop = group.command("stop", _("stop it and keep its state"))
    status = group.command("status", _("whether it runs"))
    remove = group.command("remove", _("stop it and delete its state"))
    for parser in (start, stop, remove):
        parser.add_argument("name", nargs="?", default="practice", metavar="NAME", help=_("name of the cluster"))
    status.add_argument("name", nargs="?", default="", metavar="NAME", help=_("name of the cluster (else all)"))
    start.add_argument("--nodes", type=int, default=3, metavar="N", help=_("simulated nodes, 1 to 1000"))
    start.add_argument(
        "--exec-on-this-machine", action="store_true", help=_("let exec into a pod run commands on this machine")
    )


def _add_screenshot(maker: Maker) -> None:
    parser = maker.command("screenshot", _("write a picture of every page of the window"))
    parser.add_argument("folder", metavar="DIR", help=_("folder for the PNG files"))
    parser.add_argument("--chart", metavar="CHART_DIR", help=_("chart folder to show on the Deploy page"))
    parser.add_argument("-c", "--cluster", metavar="CLUSTER", help=_("cluster to show (else the first)"))
    parser.add_argument("--theme", choices=("light", "dark"), metavar="light|dark", help=_("only this one (else both)"))
