"""What generated files are filled with: names, the server, its authority, how often; never a secret."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from ansflow_desktop.credentials.automation_quote import in_yaml
from ansflow_desktop.credentials.renew import require_account, require_lifetime
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.names import to_label
from ansflow_desktop.redact import password_of

_MAX_TEXT = 4096
_IMAGE = re.compile(r"[a-z0-9][a-zA-Z0-9._:/@-]{0,254}")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400
_HOURS = (1, 2, 3, 4, 6, 8, 12)
_MINUTES = (3, 5, 10, 15, 20, 30)


class AutomationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """For which cluster and ServiceAccount files are made.

    `cluster` is the name in the list; `server`, `ca` (PEM or Base64 of PEM as in a kubeconfig, or `ca_file`),
    `insecure`, `tls_server_name` and `proxy_url` say how it is reached. `source` and `context` name the user's own
    kubeconfig and context that may ask for the token (empty: the kubeconfig that the files keep themselves). `target`
    is that kubeconfig; a leading `~` is the home folder. `seconds` is each token's lifetime; it is renewed after a
    third of it. `folder` is where the files will lie (absolute). `image` of the CronJob holds sh and kubectl.
    """

    cluster: str
    server: str
    namespace: str
    account: str
    seconds: int = _DAY_S
    ca_data: str = ""
    ca_file: str = ""
    insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    source: str = ""
    context: str = ""
    target: str = ""
    folder: str = "~/.local/share/ansflow"
    kubectl: str = "kubectl"
    image: str = "docker.io/alpine/k8s:1.33.4"


def request_of(
    document: Mapping[str, Any], cluster: str, namespace: str, account: str, seconds: int
) -> AutomationRequest:
    """Return a request with how the one cluster of a kubeconfig `document` is reached; nothing of its user is taken."""
    found = document["clusters"][0]["cluster"]
    return AutomationRequest(
        cluster=cluster,
        server=str(found.get("server") or ""),
        namespace=namespace,
        account=account,
        seconds=seconds,
        ca_data=str(found.get("certificate-authority-data") or ""),
        ca_file=str(found.get("certificate-authority") or ""),
        insecure=bool(found.get("insecure-skip-tls-verify")),
        tls_server_name=str(found.get("tls-server-name") or ""),
        proxy_url=str(found.get("proxy-url") or ""),
    )


def require(kind: str, request: AutomationRequest, kinds: Collection[str]) -> None:
    """Raise UserError, naming the field, for what no file can be made of."""
    if kind not in kinds:
        title = msg("There is no automation “%(kind)s”", kind=kind)
        raise UserError(title, "", msg("There are: %(names)s.", names=", ".join(kinds)), field="kind")
    require_account(request.namespace, request.account)
    require_lifetime(request.seconds)
    for field in ("cluster", "server", "source", "context", "target", "folder", "kubectl", "proxy_url"):
        _require_line(field, str(getattr(request, field)))
    if not request.server:
        raise UserError(msg("The cluster has no server address"), field="server")
    if password_of(request.proxy_url) or password_of(request.server):
        title = msg("The address of the server or proxy holds a password, which no generated file may hold")
        hint = msg("Take it out of the address; where the file is used, HTTPS_PROXY can name the proxy.")
        raise UserError(title, "", hint, field="proxy_url")
    if not _IMAGE.fullmatch(request.image):
        title = msg("%(text)s is no name of an image", text=request.image or '""')
        raise UserError(title, "", msg("Name one that holds sh and kubectl."), field="image")


def _require_line(field: str, text: str) -> None:
    if len(text) > _MAX_TEXT or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        title = msg("A generated file cannot hold this")
        reason = msg("It has line breaks or control characters, or is very long.")
        raise UserError(title, reason, msg("Choose another name or path."), field=field)


def filled(request: AutomationRequest) -> dict[str, str]:
    """Return the value of every placeholder of the templates, unquoted."""
    head, tail = kubeconfig_around_token(request)
    return {
        "CLUSTER": request.cluster,
        "NAMESPACE": request.namespace,
        "ACCOUNT": request.account,
        "EVERY": str(every(request)),
        "SCHEDULE": schedule(every(request)),
        "CLUSTER_JSON": in_yaml(cluster_json(request)),
        "SOURCE": request.source,
        "CONTEXT": request.context,
        "TARGET": target(request),
        "SCRIPT": _joined(request.folder, script_name(request, ".sh")),
        "HELPER": f"./{script_name(request, '-exec.sh')}",  # beside the kubeconfig: client-go looks from there
        "KUBECTL": request.kubectl,
        "IMAGE": request.image,
        "LABEL": label(request),
        "SECRET": secret_name(request),
        "RENEWER": renewer_name(request),
        "DURATION": f"{request.seconds}s",
        "CONFIG_HEAD": head,
        "CONFIG_TAIL": tail,
        "EXEC_USER": f"{request.namespace}-{request.account}",
    }


def every(request: AutomationRequest) -> int:
    """Return how often the token is renewed, in seconds: after a third of its life, so that two tries may fail."""
    return max(request.seconds // 3, 3 * _MINUTE_S)


def schedule(seconds: int) -> str:
    """Return a cron schedule (of a CronJob, UTC) that comes round at least as often as every `seconds`."""
    if seconds >= _DAY_S:
        return "17 3 * * *"
    if seconds >= _HOUR_S:
        hours = max(hour for hour in _HOURS if hour * _HOUR_S <= seconds)
        return f"17 */{hours} * * *"
    minutes = max(minute for minute in _MINUTES if minute * _MINUTE_S <= seconds)
    return f"*/{minutes} * * * *"


def cluster_json(request: AutomationRequest) -> str:
    """Return the `cluster` mapping of a kubeconfig as JSON, which is YAML too."""
    found: dict[str, Any] = {"server": request.server}
    if request.insecure:
        found["insecure-skip-tls-verify"] = True
    elif request.ca_data:
        found["certificate-authority-data"] = request.ca_data
    elif request.ca_file:
        found["certificate-authority"] = request.ca_file
    if request.tls_server_name:
        found["tls-server-name"] = request.tls_server_name
    if request.proxy_url:
        found["proxy-url"] = request.proxy_url
    return json.dumps(found)


def kubeconfig_around_token(request: AutomationRequest) -> tuple[str, str]:
    """Return what stands before and behind the token in a kubeconfig of one context, named as the cluster."""
    name, user = request.cluster, f"{request.namespace}-{request.account}"
    context = {"cluster": name, "namespace": request.namespace, "user": user}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": json.loads(cluster_json(request))}],
        "contexts": [{"name": name, "context": context}],
        "users": [{"name": user, "user": {"token": ""}}],
    }
    whole = in_yaml(json.dumps(document))  # kubectl takes it for YAML
    place = whole.rindex('"token": ""') + len('"token": "')
    return whole[:place], whole[place:]


def label(request: AutomationRequest) -> str:
    """Return a file and object name for cluster and account: readable, and different for different ones."""
    whole = f"{request.cluster}/{request.namespace}/{request.account}"
    tail = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{to_label(f'{request.cluster}-{request.account}', 32) or 'cluster'}-{tail}"


def script_name(request: AutomationRequest, ending: str) -> str:
    """Return the name of a generated file."""
    return f"renew-{label(request)}{ending}"


def unit_name(request: AutomationRequest) -> str:
    """Return the name of the systemd units without their ending."""
    return f"ansflow-renew-{label(request)}"


def target(request: AutomationRequest) -> str:
    """Return the kubeconfig that the scripts keep, `~` being the home folder."""
    return request.target or f"~/.kube/ansflow-{label(request)}.yaml"


def secret_name(request: AutomationRequest) -> str:
    """Return the name of the Secret that the CronJob fills."""
    return f"{to_label(request.account, 38)}-token-{label(request)[-6:]}"


def renewer_name(request: AutomationRequest) -> str:
    """Return the name of the CronJob, and of the ServiceAccount and Role that it works with."""
    return f"ansflow-renew-{to_label(request.account, 25)}-{label(request)[-6:]}"


def _joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if folder else name
