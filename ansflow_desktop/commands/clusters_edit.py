"""`clusters add|edit|remove`: connections and notes from the command line; a secret comes from a file or stdin."""

from __future__ import annotations

import argparse
import errno
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.commands.cluster_rows import show_named
from ansflow_desktop.commands.session import Session, pairs
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.files import is_there, open_to_read
from ansflow_desktop.i18n import Text, _, msg
from ansflow_desktop.kube.plugins import make_plugin
from ansflow_desktop.kube.proxy import SOCKS_HINT, SOCKS_TITLE, is_socks
from ansflow_desktop.models.cluster import ClusterMarks, ClusterSecret, OwnCluster

_MAX_FILE = 1024 * 1024
_MARKS = ("description", "type", "group", "colour", "namespace", "production", "default")
_SIGN_IN = {
    "token": ("token_file",),
    "certificate": ("client_certificate", "client_key"),
    "exec": ("exec_command", "exec_arg", "exec_env"),
}
_CONNECTION = ("server", "ca_file", "proxy_url", "tls_server_name", "insecure_skip_tls_verify")


def clusters_add(session: Session) -> int:
    """Remember one more kubeconfig file, or add a cluster by its address, and show what it brings."""
    args = session.args
    if not _connects(args):
        show_named(session, _add_file(session))
        return int(ExitCode.DONE)
    book = session.services.cluster_book
    new = OwnCluster(id=book.new_id(), name=args.file, server="", auth="none")
    cluster, secret = _from_kubeconfig(session, args.file) if args.from_kubeconfig else (new, None)
    cluster, changed = _changed(args, cluster)
    book.add(cluster, changed or secret, _marks(args, ClusterMarks()))
    if cluster.auth == "none":
        session.out.note(msg("No credentials were given: the server will know nobody."))
    _tell_of_socks(session, cluster)
    show_named(session, [cluster.name])
    return int(ExitCode.DONE)


def clusters_edit(session: Session) -> int:
    """Change what is known of a cluster; of one that stands in a kubeconfig only the notes."""
    args, services = session.args, session.services
    entry = services.catalog.entry(args.cluster)
    marks = _marks(args, entry.marks)
    if not _connects(args) and args.rename is None:
        services.cluster_book.mark(entry.name, marks)
        show_named(session, [entry.name])
        return int(ExitCode.DONE)
    known = services.cluster_book.own(entry.name)
    if known is None:
        raise _of_a_kubeconfig(entry.name)
    base, secret = _from_kubeconfig(session, known.name) if args.from_kubeconfig else (known, None)
    cluster, changed = _changed(args, base)
    renamed = msgspec.structs.replace(cluster, name=known.name if args.rename is None else args.rename)
    services.cluster_book.change(entry.name, renamed, changed or secret, marks)
    services.namespaces.rename(entry.name, renamed.name)
    _tell_of_socks(session, renamed)
    show_named(session, [renamed.name])
    return int(ExitCode.DONE)


def _tell_of_socks(session: Session, cluster: OwnCluster) -> None:
    if is_socks(cluster.proxy_url):
        session.out.note(SOCKS_TITLE)
        session.out.note(SOCKS_HINT)


def clusters_remove(session: Session) -> int:
    """Remove a cluster that was added by hand with its secret; of any other one only the notes.

    Where no cluster has that name, a kubeconfig file that was added is read no more.
    """
    services, name = session.services, session.args.cluster
    if not _is_cluster(session, name) and services.forget_kubeconfig(Path(name)):
        return _forgotten(session, name)
    entry = services.catalog.entry(name)
    mine = services.cluster_book.own(name) is not None
    services.cluster_book.remove(name)
    if mine:
        services.namespaces.forget(name)
    if not session.out.is_text:
        session.out.document({"name": name, "removed": mine})
    elif mine:
        session.out.line(_("%(name)s was removed, and its secret") % {"name": name})
    else:
        words = _("The notes on %(name)s were removed; the cluster stands in %(source)s, which is never written")
        session.out.line(words % {"name": name, "source": entry.source})
        if entry.source in services.settings.extra_kubeconfigs:
            session.out.note(
                msg(
                    "To read this file no more: ansflow-desktop clusters remove %(file)s",
                    file=shlex.quote(entry.source),
                )
            )
    return int(ExitCode.DONE)


def _is_cluster(session: Session, name: str) -> bool:
    return any(entry.name == name for entry in session.services.catalog.entries())


def _forgotten(session: Session, file: str) -> int:
    if session.out.is_text:
        session.out.line(_("%(file)s is not read any more; the file itself was left as it is") % {"file": file})
    else:
        session.out.document({"name": file, "removed": True})
    return int(ExitCode.DONE)


def _connects(args: argparse.Namespace) -> bool:
    """Return whether any option of a connection was given."""
    names = (*_CONNECTION, "from_kubeconfig", *(name for group in _SIGN_IN.values() for name in group))
    return any(getattr(args, name) is not None for name in names)


def _add_file(session: Session) -> list[str]:
    file = paths.expanded(session.args.file).absolute()
    if _marks(session.args, ClusterMarks()) != ClusterMarks():
        hint = msg("Add the file first, then: ansflow-desktop clusters edit CLUSTER")
        raise UserError(msg("Notes belong to one cluster, not to a file"), "", hint, field="FILE")
    if not is_there(file):
        hint = msg("To add a cluster by its address, give --server, too.")
        raise UserError(msg("There is no kubeconfig file %(file)s", file=str(file)), "", hint, field="FILE")
    session.services.add_kubeconfig(file)
    return [entry.name for entry in session.services.catalog.entries() if entry.source == str(file)]


def _of_a_kubeconfig(name: str) -> UserError:
    title = msg("The connection of “%(name)s” stands in a kubeconfig file, which is never written", name=name)
    hint = msg("Change the file itself, or add the cluster again under another name.")
    return UserError(title, "", hint, field="k8s_cluster")


def _marks(args: argparse.Namespace, known: ClusterMarks) -> ClusterMarks:
    """Return the notes with those changed that were given."""
    given = {name: getattr(args, name) for name in _MARKS if getattr(args, name) is not None}
    if args.marked_read_only is not None:
        given["read_only"] = args.marked_read_only
    return msgspec.structs.replace(known, **given)


def _changed(args: argparse.Namespace, cluster: OwnCluster) -> tuple[OwnCluster, ClusterSecret | None]:
    """Return `cluster` with what was given, and the new secret, None where none was given."""
    fields: dict[str, Any] = {"server": args.server, "proxy_url": args.proxy_url}
    fields |= {"tls_server_name": args.tls_server_name, "insecure": args.insecure_skip_tls_verify}
    fields["ca"] = _text(args.ca_file, "--ca-file") if args.ca_file is not None else None
    auth, secret = _sign_in(args)
    given = {name: value for name, value in {**fields, **auth}.items() if value is not None}
    return msgspec.structs.replace(cluster, **given), secret


def _sign_in(args: argparse.Namespace) -> tuple[dict[str, Any], ClusterSecret | None]:
    given = [kind for kind, names in _SIGN_IN.items() if any(getattr(args, name) is not None for name in names)]
    if len(given) > 1:
        hint = msg("Give a token, or a certificate and its key, or a credential program.")
        raise UserError(msg("More than one way to sign in was given"), "", hint)
    if not given:
        return {}, None
    if given == ["token"]:
        return {"auth": "token"}, ClusterSecret(token=_text(args.token_file, "--token-file").strip())
    if given == ["certificate"]:
        certificate = _text(args.client_certificate or "", "--client-certificate")
        key = _text(args.client_key or "", "--client-key")
        return {"auth": "certificate"}, ClusterSecret(certificate=certificate, key=key)
    env = tuple(pairs(args.exec_env or (), "--exec-env").items())
    plugin = make_plugin(args.exec_command or "", tuple(args.exec_arg or ()), env)
    return {"auth": "exec", "exec_plugin": plugin}, None


def _from_kubeconfig(session: Session, name: str) -> tuple[OwnCluster, ClusterSecret | None]:
    """Return the one cluster of the kubeconfig, or that of several whose name is `name`; it is called `name`."""
    text, refused = _text(session.args.from_kubeconfig, "--from-kubeconfig"), dict[str, UserError]()
    found = session.services.cluster_book.from_kubeconfig(text, refused)
    chosen = found if len(found) == 1 and not refused else [pair for pair in found if pair[0].name == name]
    if not chosen and name in refused:
        raise refused[name]
    if not chosen:
        names = ", ".join(cluster.name for cluster, _secret in found)
        title = msg("The kubeconfig holds several contexts, and none is called “%(name)s”", name=name)
        raise UserError(title, "", msg("There are: %(names)s.", names=names), field="NAME")
    cluster, secret = chosen[0]
    return msgspec.structs.replace(cluster, name=name), secret


def _text(given: str, option: str) -> str:
    """Return the text of the file `given`, of stdin for `-`; raises UserError naming the option."""
    if not given:
        return ""
    try:
        data = _stdin() if given == "-" else _file(given)
        text = data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        words: Text = (error.strerror or "") if isinstance(error, OSError) else msg("It is not UTF-8 text.")
        raise UserError(msg("%(file)s cannot be read", file=given), words, field=option) from error
    if len(data) > _MAX_FILE:
        raise UserError(msg("%(file)s is larger than %(mb)d MB", file=given, mb=1), field=option)
    return text


def _stdin() -> bytes:
    if sys.stdin is None:  # closed by whoever started this process
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return sys.stdin.buffer.read(_MAX_FILE + 1)


def _file(given: str) -> bytes:
    with open_to_read(paths.expanded(given)) as stream:
        return stream.read(_MAX_FILE + 1)
