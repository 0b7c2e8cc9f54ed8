"""From a cluster that was added by hand to the kubeconfig document that every other cluster has."""

from __future__ import annotations

import base64
import ipaddress
import itertools
import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.plugins import make_plugin
from ansflow_desktop.kube.proxy import SOCKS_HINT, SOCKS_TITLE, is_socks
from ansflow_desktop.models.cluster import MASKED, ClusterEntry, ClusterMarks, ClusterSecret, ExecPlugin, OwnCluster
from ansflow_desktop.models.names import namespace_problem
from ansflow_desktop.models.problem import Problem, Severity

OWN = "own"
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,253}")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_KB = 1024
MAX_TOKEN = 256 * _KB  # servers refuse headers of far less; a JWT of 100 kB is still shown and tried

_NO_MARKS = ClusterMarks()
MOST_DESCRIPTION = 1_000
MOST_GROUP = 100
_MOST_URL = 2_000
_MOST_NAME = 253  # RFC 1035, 2.3.4: a name in DNS
_MOST_PROGRAM = 64 * _KB
_MOST_PEM = 1_024 * _KB


class SecretMissing(UserError):
    """The vault does not hold the token or certificate of a cluster that was added by hand."""

    def __init__(self, name: str) -> None:
        """Name the cluster and the way out."""
        super().__init__(
            msg("The secret of the cluster “%(name)s” is not in the vault", name=name),
            msg("It was kept for one session only, or the vault was replaced."),
            msg("Edit the cluster and give its token, certificate or environment again."),
            field="k8s_cluster",
        )
        self.cluster = name


def vault_key(cluster: OwnCluster) -> str:
    """Return the name under which the vault keeps the secret of `cluster`."""
    return key_of(cluster.id)


def key_of(cluster_id: str) -> str:
    """Return the name under which the vault keeps the secret of the cluster with this id."""
    return f"cluster/{cluster_id}"


def needs_secret(cluster: OwnCluster) -> bool:
    """Return whether `cluster` signs in with a token or certificate of the vault."""
    return cluster.auth in ("token", "certificate")


def uses_vault(cluster: OwnCluster) -> bool:
    """Return whether `cluster` can be used only with what the vault holds of it."""
    kept = cluster.auth == "exec" and cluster.exec_plugin is not None and cluster.exec_plugin.kept
    return needs_secret(cluster) or kept


def hidden_part(cluster: OwnCluster) -> ClusterSecret | None:
    """Return what of the credential program of `cluster` belongs into the vault, None where nothing (more) does."""
    plugin = cluster.exec_plugin if cluster.auth == "exec" else None
    if plugin is None or plugin.kept:
        return None
    secret = any(value for _name, value in plugin.env) or plugin.shown_args != plugin.args
    return ClusterSecret(env=plugin.env, args=plugin.args) if secret else None


def without_hidden(cluster: OwnCluster) -> OwnCluster:
    """Return `cluster` as it may lie in a file: of its program the names of the environment, and masked arguments.

    A program that it does not sign in with is left out.
    """
    plugin = cluster.exec_plugin if cluster.auth == "exec" else None
    if plugin is None or hidden_part(cluster) is None:
        return msgspec.structs.replace(cluster, exec_plugin=plugin)
    names = tuple((name, "") for name, _value in plugin.env)
    shown = msgspec.structs.replace(plugin, env=names, args=plugin.shown_args, kept=True)
    return msgspec.structs.replace(cluster, exec_plugin=shown)


def whole_plugin(plugin: ExecPlugin, secret: ClusterSecret | None, name: str) -> ExecPlugin:
    """Return `plugin` with what the vault holds of it, its digest anew; raises SecretMissing for cluster `name`."""
    if not plugin.kept:
        return plugin
    if secret is None:
        raise SecretMissing(name)
    return make_plugin(plugin.command, secret.args, secret.env)


def edited_plugin(plugin: ExecPlugin, known: ExecPlugin) -> ExecPlugin:
    """Return `plugin` as typed, with what stands as `***` taken from `known`, which is whole."""
    before = dict(known.env)
    env = tuple((name, before.get(name, value) if value == MASKED else value) for name, value in plugin.env)
    masked = [(shown, arg) for shown, arg in zip(known.shown_args, known.args, strict=True) if shown != arg]
    return make_plugin(plugin.command, tuple(_unmasked(arg, masked) for arg in plugin.args), env)


def _unmasked(arg: str, masked: list[tuple[str, str]]) -> str:
    """Return the next kept argument that is shown as `arg`, taken out of `masked`; else `arg` itself."""
    found = next((pair for pair in masked if pair[0] == arg), None)
    if found is None:
        return arg
    masked.remove(found)
    return found[1]


def entry_of(cluster: OwnCluster, marks: ClusterMarks) -> ClusterEntry:
    """Return the row of the cluster list."""
    return ClusterEntry(
        name=cluster.name,
        context=cluster.name,
        server=cluster.server,
        source=OWN,
        user=cluster.user or cluster.name,
        namespace=marks.namespace,
        exec_plugin=cluster.exec_plugin if cluster.auth == "exec" else None,
        insecure=cluster.insecure,
        marks=marks,
    )


def document_of(cluster: OwnCluster, secret: ClusterSecret | None, namespace: str = "") -> dict[str, Any]:
    """Return the kubeconfig document of `cluster` with one context; raises SecretMissing."""
    if uses_vault(cluster) and secret is None:
        raise SecretMissing(cluster.name)
    context = {"cluster": cluster.name, "user": cluster.user or cluster.name}
    if namespace:
        context["namespace"] = namespace
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": cluster.name,
        "contexts": [{"name": cluster.name, "context": context}],
        "clusters": [{"name": cluster.name, "cluster": _cluster(cluster)}],
        "users": [{"name": context["user"], "user": _user(cluster, secret)}],
    }


def _cluster(cluster: OwnCluster) -> dict[str, Any]:
    found: dict[str, Any] = {"server": cluster.server}
    if cluster.ca and not cluster.insecure:  # kubectl refuses both together
        found["certificate-authority-data"] = _encoded(cluster.ca)
    if cluster.insecure:
        found["insecure-skip-tls-verify"] = True
    if cluster.tls_server_name:
        found["tls-server-name"] = cluster.tls_server_name
    if cluster.proxy_url:
        found["proxy-url"] = cluster.proxy_url
    return found


def _user(cluster: OwnCluster, secret: ClusterSecret | None) -> dict[str, Any]:
    if cluster.auth == "token" and secret:
        return {"token": secret.token}
    if cluster.auth == "certificate" and secret:
        return {
            "client-certificate-data": _encoded(secret.certificate),
            "client-key-data": _encoded(secret.key),
        }
    if cluster.auth == "exec" and cluster.exec_plugin:
        plugin = whole_plugin(cluster.exec_plugin, secret, cluster.name)
        env = [{"name": name, "value": value} for name, value in plugin.env]
        asked = {"apiVersion": cluster.exec_api_version, "command": plugin.command, "args": list(plugin.args)}
        return {"exec": {**asked, "env": env, "interactiveMode": "Never"}}
    return {}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def check(cluster: OwnCluster, secret: ClusterSecret | None, marks: ClusterMarks = _NO_MARKS) -> tuple[Problem, ...]:
    """Return what is wrong with what was typed, by field; nothing is contacted and nothing run."""
    found = [
        ("name", _name_problem(cluster.name)),
        ("server", server_problem(cluster.server)),
        ("proxy_url", _proxy_problem(cluster.proxy_url)),
        ("tls_server_name", _too_long(cluster.tls_server_name, _MOST_NAME)),
        ("ca", _pem_problem(cluster.ca, "CERTIFICATE") if cluster.ca else ""),
        *_auth_problems(cluster, secret),
    ]
    wrong = [*_problems(found), *check_marks(marks)]
    if is_socks(cluster.proxy_url) and not any(problem.field == "proxy_url" for problem in wrong):
        wrong.append(Problem(field="proxy_url", title=SOCKS_TITLE, hint=SOCKS_HINT, severity=Severity.WARNING))
    return tuple(wrong)


def check_marks(marks: ClusterMarks) -> tuple[Problem, ...]:
    """Return what is wrong with the notes on a cluster, by field."""
    found = [
        ("namespace", (namespace_problem(marks.namespace) if marks.namespace else "") or ""),
        ("description", _too_long(marks.description, MOST_DESCRIPTION)),
        ("group", _too_long(marks.group, MOST_GROUP)),
    ]
    return tuple(_problems(found))


def _problems(found: list[tuple[str, Text]]) -> list[Problem]:
    return [Problem(field=field, title=_TITLES[field], message=text) for field, text in found if text]


def _too_long(text: str, most: int) -> Text:
    return msg("It is longer than %(count)d characters.", count=most) if len(text) > most else ""


_TITLES = {
    "name": msg("The name cannot be used"),
    "server": msg("The server address cannot be used"),
    "proxy_url": msg("The proxy address cannot be used"),
    "namespace": msg("The namespace cannot be used"),
    "ca": msg("The certificate of the authority cannot be used"),
    "token": msg("The token cannot be used"),
    "certificate": msg("The client certificate cannot be used"),
    "key": msg("The key cannot be used"),
    "exec_command": msg("The credential program cannot be used"),
    "tls_server_name": msg("The name in the server's certificate cannot be used"),
    "description": msg("The description cannot be kept"),
    "group": msg("The group cannot be kept"),
}


def _auth_problems(cluster: OwnCluster, secret: ClusterSecret | None) -> list[tuple[str, Text]]:
    if cluster.auth == "exec":
        return [("exec_command", _program_problem(cluster.exec_plugin))]
    if cluster.auth == "token":
        return [("token", token_problem(secret.token if secret else ""))]
    if cluster.auth == "certificate":
        certificate, key = (secret.certificate, secret.key) if secret else ("", "")
        return [("certificate", _pem_problem(certificate, "CERTIFICATE")), ("key", _pem_problem(key, "KEY"))]
    return []


def _program_problem(plugin: ExecPlugin | None) -> Text:
    if plugin is None or not plugin.command.strip():
        return msg("Name the program that gives the credentials.")
    size = sum(map(len, (plugin.command, *plugin.args, *itertools.chain(*plugin.env))))
    if size > _MOST_PROGRAM:
        return msg("The program, its arguments and its environment are longer than %(kb)d kB.", kb=_MOST_PROGRAM // _KB)
    return ""


def token_problem(token: str) -> Text:
    """Return why `token` cannot be sent as a bearer token, empty when it can."""
    if not token:
        return msg("Paste the token.")
    if len(token) > MAX_TOKEN:
        return msg("It is longer than %(kb)d kB.", kb=MAX_TOKEN // _KB)
    if not _TOKEN.fullmatch(token):
        return msg("It holds spaces, line breaks or letters that a token cannot have.")
    return ""


def _name_problem(name: str) -> Text:
    if not name.strip():
        return msg("Give the cluster a name.")
    if name != name.strip() or not _NAME.fullmatch(name):
        return msg("Use up to 253 letters without line breaks, and no space at either end.")
    return msg("It must not begin with a hyphen.") if name.startswith("-") else ""


def server_problem(server: str) -> Text:
    """Return why `server` cannot be the address of an API server, empty when it can."""
    if not server.strip():
        return msg("Give the address of the API server, such as https://10.0.0.1:6443.")
    return _url_problem(server, ("https", "http"))


def _proxy_problem(url: str) -> Text:
    return _url_problem(url, ("http", "https", "socks5", "socks5h")) if url else ""


def _url_problem(url: str, schemes: tuple[str, ...]) -> Text:
    if len(url) > _MOST_URL:
        return _too_long(url, _MOST_URL)
    try:
        parts = urlsplit(url)
        host = parts.hostname
        if host and (":" in host or host.replace(".", "").isdigit()):
            ipaddress.ip_address(host)
    except ValueError as error:
        return str(error)
    if parts.scheme not in schemes:
        *first, last = (f"{one}://" for one in schemes)
        return msg("Write %(first)s or %(last)s in front of it.", first=", ".join(first), last=last)
    if not host or re.search(r"[\s\x00-\x1f\x7f]", url):
        return msg("It names no server.")
    if _port(parts) == 0:
        return msg("Its port is no number from 1 to 65535.")
    if parts.username or parts.password:
        return msg("It must not hold a name or a password: they would be shown in lists and logs.")
    return msg("It must end behind the port or path.") if parts.query or parts.fragment else ""


def _port(parts: SplitResult) -> int | None:
    """Return the port, None where none is named, 0 where what stands there can be none."""
    try:
        return parts.port
    except ValueError:
        return 0


def _pem_problem(text: str, what: str) -> Text:
    if not text.strip():
        return msg("Paste it as PEM text, from -----BEGIN to -----END.")
    if len(text) > _MOST_PEM:
        return msg("It is longer than %(kb)d kB.", kb=_MOST_PEM // _KB)
    begin = re.search(rf"-----BEGIN [A-Z ]*{what}-----", text)
    if begin is None or not re.compile(rf"-----END [A-Z ]*{what}-----").search(text, begin.end() + 1):
        return msg("It is no PEM text with BEGIN %(what)s and END %(what)s.", what=what)
    return ""
