"""What the dialog of one cluster holds and shows, as data."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypeVar

import msgspec

from ansflow_desktop.models.cluster import (
    ClusterMarks,
    ClusterSecret,
    ClusterType,
    Colour,
    Diagnosis,
    ExecPlugin,
    OwnCluster,
)
from ansflow_desktop.models.problem import Problem

Auth: TypeAlias = Literal["token", "certificate", "exec", "none"]
_Kept = TypeVar("_Kept", ClusterMarks, OwnCluster)
SECRETS = ("token", "certificate", "key")


class ClusterForm(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed, as typed. Holds secrets: never printed.

    `exec_args` is one argument a line, `exec_env` one NAME=value a line.
    """

    name: str = ""
    server: str = ""
    auth: Auth = "token"
    token: str = ""
    certificate: str = ""
    key: str = ""
    exec_command: str = ""
    exec_args: str = ""
    exec_env: str = ""
    ca: str = ""
    insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    description: str = ""
    type: ClusterType = ""
    group: str = ""
    colour: Colour = ""
    namespace: str = ""
    read_only: bool = False
    production: bool = False
    default: bool = False

    def __repr__(self) -> str:
        """Say nothing: a representation ends up in logs and crash reports."""
        return "ClusterForm(***)"


class FormState(msgspec.Struct, frozen=True, kw_only=True):
    """The dialog: `original` is the name of the cluster that is edited, empty for a new one.

    `own` is False where only notes can be changed (its connection stands in a kubeconfig, which is never written).
    `kept_secret`: the vault holds one for the original, which an empty field keeps. `groups` are those in use.
    `held_by` names by the field of a mark the other entry of the same server that makes it hold here too.
    """

    form: ClusterForm = ClusterForm()
    original: str = ""
    own: bool = True
    kept_secret: bool = False
    groups: tuple[str, ...] = ()
    held_by: dict[str, str] = {}
    problems: tuple[Problem, ...] = ()
    testing: bool = False
    diagnosis: Diagnosis | None = None
    saving: bool = False

    def __repr__(self) -> str:
        """Say nothing: it holds what was typed."""
        return "FormState(***)"


def marks_of(form: ClusterForm) -> ClusterMarks:
    """Return the notes in `form`."""
    names = ClusterMarks.__struct_fields__
    values = {name: getattr(form, name) for name in names}
    texts = {name: values[name].strip() for name in ("description", "group", "namespace")}
    return ClusterMarks(**{**values, **texts})


def merged(typed: _Kept, first: _Kept, now: _Kept) -> _Kept:
    """Return `typed` with what stands there `now` in every field that is as it was at `first`."""
    names = [name for name in typed.__struct_fields__ if name != "exec_plugin"]
    same = [name for name in names if getattr(typed, name) == getattr(first, name)]
    return msgspec.structs.replace(typed, **{name: getattr(now, name) for name in same})


def secret_of(form: ClusterForm) -> ClusterSecret | None:
    """Return the secret that was typed for the chosen way of logging in, None where none was."""
    if form.auth == "token":
        token = form.token.strip()
        token = token[7:].strip() if token[:7].lower() == "bearer " else token
        return ClusterSecret(token=token) if token else None
    if form.auth == "certificate" and (form.certificate.strip() or form.key.strip()):
        return ClusterSecret(certificate=form.certificate.strip(), key=form.key.strip())
    return None


def form_of(cluster: OwnCluster, marks: ClusterMarks) -> ClusterForm:
    """Return the form of a cluster that was added by hand, without its secret."""
    plugin = cluster.exec_plugin or ExecPlugin(command="")
    return msgspec.structs.replace(
        marks_form(cluster.name, marks),
        server=cluster.server,
        auth=cluster.auth,
        exec_command=plugin.command,
        exec_args="\n".join(plugin.shown_args),
        exec_env="\n".join(f"{name}={value}" for name, value in plugin.shown_env),
        ca=cluster.ca,
        insecure=cluster.insecure,
        tls_server_name=cluster.tls_server_name,
        proxy_url=cluster.proxy_url,
    )


def marks_form(name: str, marks: ClusterMarks) -> ClusterForm:
    """Return the form of a cluster whose connection is not ours: its notes only."""
    return ClusterForm(name=name, **msgspec.structs.asdict(marks))


def env_of(text: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs of NAME=value lines; a line without = is a name with an empty value."""
    pairs = (line.strip().partition("=") for line in text.splitlines() if line.strip())
    return tuple((name.strip(), value) for name, _equals, value in pairs)
