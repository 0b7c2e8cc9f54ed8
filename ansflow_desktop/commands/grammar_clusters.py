"""The grammar of `clusters`, `credentials` and `vault` (cli.md); nothing secret is ever an argument."""

from __future__ import annotations

import argparse

from ansflow_desktop.commands.grammar import Maker, add_approval
from ansflow_desktop.i18n import _
from ansflow_desktop.models.cluster import CLUSTER_TYPES, COLOURS

AUTOMATION = ("bash", "powershell", "systemd", "cronjob", "exec")


def add_clusters(maker: Maker) -> None:
    """Add `clusters list|add|edit|remove|test|sync|stats|namespaces`."""
    group = maker.group("clusters", _("clusters of kubeconfigs, those added by hand, and the practice clusters"))
    group.command("list", _("every cluster, and whether it can be reached"))
    _add_add(group)
    _add_edit(group)
    words = _(
        "remove a cluster added by hand, with its secret, one's notes on another, or a kubeconfig file that was added"
    )
    _named(group, "remove", words)
    _named(group, "test", _("test the connection of one cluster, stage by stage"))
    _named(group, "sync", _("show version, namespaces and figures as they are now; the namespaces are kept"), one=False)
    _named(group, "stats", _("figures of a cluster: nodes, workloads, pods, CPU and memory"))
    _named(group, "namespaces", _("namespaces of a cluster"))


def _named(maker: Maker, name: str, text: str, *, one: bool = True) -> argparse.ArgumentParser:
    parser = maker.command(name, text)
    if one:
        parser.add_argument("cluster", metavar="CLUSTER", help=_("name in the cluster list"))
    else:
        words = _("name in the cluster list (else all)")
        parser.add_argument("cluster", nargs="?", default="", metavar="CLUSTER", help=words)
    add_approval(parser)
    return parser


def _add_add(maker: Maker) -> None:
    parser = maker.command("add", _("read one more kubeconfig file from now on, or add a cluster by its address"))
    words = _("kubeconfig file, which is never written; or the name of the new cluster, with --server")
    parser.add_argument("file", metavar="FILE|NAME", help=words)
    _connection(parser)
    _marks(parser)
    add_approval(parser)


def _add_edit(maker: Maker) -> None:
    parser = maker.command("edit", _("change a cluster added by hand, or the notes on any cluster"))
    parser.add_argument("cluster", metavar="CLUSTER", help=_("name in the cluster list"))
    parser.add_argument("--rename", metavar="NAME", help=_("new name of a cluster added by hand"))
    _connection(parser)
    _marks(parser)
    add_approval(parser)


def _connection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(_("connection"))
    group.add_argument("--server", metavar="URL", help=_("address of the API server"))
    group.add_argument("--ca-file", metavar="PATH", help=_("PEM file of the authority that signed its certificate"))
    group.add_argument(
        "--token-file", metavar="PATH", help=_("file that holds the bearer token; - reads it from stdin")
    )
    group.add_argument("--client-certificate", metavar="PATH", help=_("PEM file of a client certificate"))
    group.add_argument("--client-key", metavar="PATH", help=_("PEM file of its key"))
    group.add_argument("--exec-command", metavar="PROGRAM", help=_("credential program that gives a token"))
    group.add_argument("--exec-arg", action="append", metavar="ARG", help=_("one argument of it, repeatable"))
    group.add_argument("--exec-env", action="append", metavar="K=V", help=_("one variable of it, repeatable"))
    group.add_argument("--proxy-url", metavar="URL", help=_("proxy on the way to the server"))
    group.add_argument("--tls-server-name", metavar="NAME", help=_("name that its certificate must hold"))
    words = _("do not verify the server's certificate (a banner says so)")
    group.add_argument("--insecure-skip-tls-verify", action=argparse.BooleanOptionalAction, default=None, help=words)
    words = _("a kubeconfig to take all of it from; - reads it from stdin")
    group.add_argument("--from-kubeconfig", metavar="PATH", help=words)


def _marks(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(_("notes"))
    group.add_argument("--description", metavar="TEXT", help=_("what the cluster is for"))
    group.add_argument("--type", choices=CLUSTER_TYPES, metavar="TYPE", help=_("one of: %s") % ", ".join(CLUSTER_TYPES))
    group.add_argument("--group", metavar="TEXT", help=_("group in the list"))
    group.add_argument("--colour", choices=COLOURS, metavar="COLOUR", help=_("one of: %s") % ", ".join(COLOURS))
    group.add_argument("--namespace", "-n", metavar="NS", help=_("namespace that is chosen first"))
    flags = {
        "read-only": _("refuse whatever changes this cluster"),
        "production": _("ask for the cluster's name before anything is destroyed"),
        "default": _("choose this cluster when nothing else is chosen"),
    }
    for name, words in flags.items():
        option = f"--{name}" if name != "read-only" else "--marked-read-only"
        group.add_argument(option, action=argparse.BooleanOptionalAction, default=None, help=words)


def add_credentials(maker: Maker) -> None:
    """Add `credentials list|show|renew|script`."""
    group = maker.group("credentials", _("tokens, certificates and logins: what they say, what the servers say"))
    listing = group.command("list", _("every credential; exit code 1 when one ends within --within"))
    listing.add_argument("--within", metavar="DURATION", help=_("only those that end within this time, such as 7d"))
    listing.add_argument("--no-ask", action="store_true", help=_("ask no server"))
    add_approval(listing)
    show = group.command("show", _("all that is known of one credential, and what to do"))
    renew = group.command("renew", _("get a new one, try it, and put it in place of the old one"))
    script = group.command("script", _("files that renew it by themselves"))
    for parser in (show, renew, script):
        parser.add_argument("name", metavar="NAME", help=_("name in the list, user @ context"))
        add_approval(parser)
    for parser in (renew, script):
        parser.add_argument("--duration", default="24h", metavar="DURATION", help=_("lifetime of the new one"))
        words = _("ServiceAccount to ask a token for (else that of the token)")
        parser.add_argument("--account", metavar="NS/NAME", help=words)
    _renewal(renew)
    words = _("one of: %s") % ", ".join(AUTOMATION)
    script.add_argument("--kind", choices=AUTOMATION, default="bash", metavar="KIND", help=words)
    script.add_argument("--out", metavar="DIR", help=_("folder to write the files to (else they are printed)"))


def _renewal(parser: argparse.ArgumentParser) -> None:
    """Add what only `credentials renew` takes: the way, whom a certificate names, who asks, where it goes."""
    words = _("token of a ServiceAccount, or certificate that the cluster signs (else like the one in use)")
    parser.add_argument("--by", choices=("token", "certificate"), metavar="token|certificate", help=words)
    parser.add_argument("--user", metavar="NAME", help=_("user of the new certificate (else that of the one in use)"))
    words = _("group of the new certificate, repeatable (else those of the one in use)")
    parser.add_argument("--group", action="append", default=[], metavar="NAME", help=words)
    words = _("signer of the new certificate (else that of Kubernetes for users)")
    parser.add_argument("--signer", metavar="DOMAIN/NAME", help=words)
    words = _("how long an administrator may take to approve the certificate")
    parser.add_argument("--patience", default="20s", metavar="DURATION", help=words)
    words = _("another cluster of the list, with the same server, that asks in its place")
    parser.add_argument("--via", default="", metavar="CLUSTER", help=words)
    words = _("write a kubeconfig with the new one to this file, and change nothing else")
    parser.add_argument("--save", metavar="FILE", help=words)
    words = _("then delete the Secret that the old endless token stands in, unless another cluster uses it")
    parser.add_argument("--remove-old-secret", action="store_true", help=words)
    words = _("the name of the production cluster in which the Secret is deleted")
    parser.add_argument("--confirm", action="append", default=[], metavar="NAME", help=words)


def add_vault(maker: Maker) -> None:
    """Add `vault status|create|passphrase|change|set-aside|export|import`."""
    group = maker.group("vault", _("where the secrets of clusters added by hand are kept"))
    group.command("status", _("which kind it is, and whether it is locked"))
    create = group.command("create", _("make it; a passphrase is read from --passphrase-file"))
    create.add_argument("--kind", choices=("keyring", "passphrase"), default="keyring", metavar="keyring|passphrase")
    words = _("file whose first line is the new passphrase")
    change = group.command("passphrase", _("change the passphrase"))
    change.add_argument("--new-passphrase-file", required=True, metavar="PATH", help=words)
    change = group.command("change", _("let keyring or passphrase open it from now on; its secrets stay"))
    change.add_argument("--kind", choices=("keyring", "passphrase"), required=True, metavar="keyring|passphrase")
    change.add_argument("--new-passphrase-file", metavar="PATH", help=words)
    group.command("set-aside", _("keep one that nobody can open any more under another name, to make a new one"))
    for action, text in (("export", _("write all secrets to an encrypted file")), ("import", _("read such a file"))):
        parser = group.command(action, text)
        parser.add_argument("file", metavar="FILE", help=_("encrypted file"))
        words = _("file whose first line is the passphrase of that file")
        parser.add_argument("--export-passphrase-file", required=True, metavar="PATH", help=words)
