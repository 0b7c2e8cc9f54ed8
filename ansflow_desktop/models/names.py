"""Names that reach a command line or the Kubernetes API.

Row 10 of failure-modes.md: a name that begins with `-` becomes a flag, so every name is checked before it reaches argv.
"""

from __future__ import annotations

import re

from ansflow_desktop.i18n import Message, msg

MAX_RELEASE = 53
MAX_LABEL = 63

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def release_name_problem(text: str) -> Message | None:
    """Return why Helm would not take `text` as a release name, None where it would (Helm's own rule, 53 characters)."""
    if not text:
        return msg("The release name is empty.")
    if len(text) > MAX_RELEASE:
        return msg(
            "The release name has %(length)d characters, Helm takes at most %(most)d.",
            length=len(text),
            most=MAX_RELEASE,
        )
    if not _RELEASE.fullmatch(text):
        return _characters(text, dots=True)
    return None


def namespace_problem(text: str) -> Message | None:
    """Return why Kubernetes would not take `text` as a namespace, None where it would (RFC 1123 label)."""
    if not text:
        return msg("The namespace is empty.")
    if len(text) > MAX_LABEL:
        return msg(
            "The namespace has %(length)d characters, Kubernetes takes at most %(most)d.",
            length=len(text),
            most=MAX_LABEL,
        )
    if not _LABEL.fullmatch(text):
        return _characters(text, dots=False)
    return None


def container_problem(text: str) -> Message | None:
    """Return why `text` can be no container's name, None where it can (RFC 1123 label)."""
    if len(text) <= MAX_LABEL and _LABEL.fullmatch(text):
        return None
    return msg("A container's name has at most %(most)d small letters, digits and hyphens.", most=MAX_LABEL)


def to_label(text: str, most: int = MAX_LABEL) -> str:
    """Return `text` made an RFC 1123 label of at most `most` characters; empty where no letter or digit is left."""
    lowered = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return lowered[:most].rstrip("-")


def _characters(text: str, *, dots: bool) -> Message:
    if text[0] in "-.":
        return msg("%(name)s must begin with a letter or a digit.", name=text)
    if text[-1] in "-.":
        return msg("%(name)s must end with a letter or a digit.", name=text)
    if dots:
        return msg("%(name)s may hold only small letters a-z, digits, hyphens and dots.", name=text)
    return msg("%(name)s may hold only small letters a-z, digits and hyphens.", name=text)
