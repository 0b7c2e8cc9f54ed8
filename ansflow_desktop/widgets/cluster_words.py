"""The words for what is noted of a cluster and for what a connection test found: never colour alone (ui.md)."""

from __future__ import annotations

from ansflow_desktop.i18n import Message, Text, msg, translate
from ansflow_desktop.models.cluster import ClusterEntry, Finding
from ansflow_desktop.presenters.clusters_state import ClusterRow
from ansflow_desktop.widgets.words import Look

COLOURS: tuple[tuple[str, Message], ...] = (
    ("", msg("No colour")),
    ("blue", msg("Blue")),
    ("green", msg("Green")),
    ("yellow", msg("Yellow")),
    ("orange", msg("Orange")),
    ("red", msg("Red")),
    ("purple", msg("Purple")),
    ("grey", msg("Grey")),
)

TYPES: tuple[tuple[str, Text], ...] = (
    ("", msg("Not said")),
    ("kubernetes", "Kubernetes"),
    ("k3s", "K3s"),
    ("openshift", "OpenShift"),
    ("eks", "Amazon EKS"),
    ("aks", "Azure AKS"),
    ("gke", "Google GKE"),
    ("practice", msg("Practice")),
    ("other", msg("Other")),
)

AUTHS: tuple[tuple[str, Message], ...] = (
    ("token", msg("Token")),
    ("certificate", msg("Client certificate")),
    ("exec", msg("Credential program")),
    ("none", msg("Nothing")),
)

FINDINGS: dict[Finding, Look] = {
    Finding.GOOD: Look(msg("Good"), "check-circle", "ok"),
    Finding.WARNING: Look(msg("Warning"), "alert", "warn"),
    Finding.BAD: Look(msg("Wrong"), "close-circle", "bad"),
    Finding.SKIPPED: Look(msg("Not tried"), "minus-circle", "muted"),
}

STAGES: dict[str, Message] = {
    "address": msg("Address"),
    "proxy": msg("Proxy"),
    "dns": msg("Name lookup"),
    "tcp": msg("Connection"),
    "tls": msg("Encryption"),
    "api": msg("Kubernetes API"),
    "credentials": msg("Credentials"),
    "rights": msg("Rights"),
    "version": msg("Version"),
}

_PRODUCTION, _READ_ONLY, _DEFAULT = msg("Production"), msg("Read-only"), msg("Default")


def flags(entry: ClusterEntry) -> list[str]:
    """Return the words for the flags that hold, with the entry of the same server where they are that one's."""
    marks, held = entry.held, ((_PRODUCTION, entry.production_by), (_READ_ONLY, entry.read_only_by), (_DEFAULT, ""))
    given = (marks.production, marks.read_only, marks.default)
    return [_flag(word, by) for (word, by), is_set in zip(held, given, strict=True) if is_set]


def _flag(word: Message, by: str) -> str:
    return translate(msg("%(mark)s (by %(cluster)s)", mark=translate(word), cluster=by) if by else word)


def marks_text(row: ClusterRow) -> str:
    """Return group and flags of a cluster on one line."""
    group = row.entry.marks.group
    return "  ·  ".join([*([group] if group else []), *flags(row.entry)])


def mark_look(row: ClusterRow) -> Look:
    """Return the icon before a cluster's name: its flag, in the colour that a person gave it."""
    marks = row.entry.held
    tone = f"mark_{marks.colour}" if marks.colour else "bad" if marks.production else "muted"
    if marks.production:
        return Look(_PRODUCTION, "alert-octagon-outline", tone)
    if marks.read_only:
        return Look(_READ_ONLY, "lock-outline", tone)
    return Look(dict(COLOURS)[marks.colour], "circle" if marks.colour else "circle-outline", tone)


def name_of(choices: tuple[tuple[str, Text], ...], key: str) -> str:
    """Return the word for `key`, the key itself where it is none of them."""
    return translate(dict(choices).get(key, key))
