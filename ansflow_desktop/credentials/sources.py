"""Reading where credentials lie: fields and files of a kubeconfig document, bounded, never raising."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from typing import Any

import msgspec

from ansflow_desktop.credentials.verdict_words import EMPTY
from ansflow_desktop.files import TooLarge, read_small
from ansflow_desktop.i18n import Text, msg

_LONG = 20


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a field or file holds: its bytes, or why there are none; `place` names the field or file. Never printed."""

    data: bytes = b""
    problem: Text = ""
    place: str = ""
    notes: tuple[Text, ...] = ()

    def __repr__(self) -> str:
        """Say nothing of the content."""
        return f"Found({self.place!r}, ***)"

    def text(self) -> str:
        """Return the content as text; bytes that are no text become a letter that no token has."""
        return self.data.decode("utf-8-sig", errors="replace")


def read_file(path: str) -> Found:
    """Return what the file `path` holds; a file that is missing, a folder, or too large is a problem."""
    try:
        data = read_small(path)
    except FileNotFoundError:
        return Found(place=path, problem=msg("The file %(file)s does not exist", file=path))
    except TooLarge:
        return Found(place=path, problem=msg("The file %(file)s is too large for a credential", file=path))
    except (OSError, ValueError) as error:
        words = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return Found(place=path, problem=msg("The file %(file)s cannot be read (%(words)s)", file=path, words=words))
    return Found(place=path, data=data, problem="" if data.strip() else EMPTY)


def plain(value: Any, place: str) -> Found:
    """Return the text field `value`; YAML may have made a number, a date or bytes of it."""
    if isinstance(value, bytes):
        return Found(data=value, place=place)
    if not isinstance(value, str):
        return Found(place=place, problem=msg("The field %(field)s is not a text", field=place))
    return Found(data=value.encode("utf-8", errors="replace"), place=place)


def data_or_file(holder: Mapping[str, Any], name: str) -> Found | None:
    """Return `name`-data (Base64) or the file `name` of a kubeconfig cluster or user, None where it has neither.

    Where both are there the data is in effect, as for kubectl (client-go, rest.Config).
    """
    data, file = holder.get(f"{name}-data"), holder.get(name)
    if data not in (None, "", b""):
        found = _decoded(data, f"{name}-data")
        both = msg("%(file)s is named too, but is not in effect.", file=str(file)) if file else ""
        return msgspec.structs.replace(found, notes=(both,)) if both else found
    if not file:
        return None
    if not isinstance(file, str):
        return Found(place=name, problem=msg("The field %(field)s is not a text", field=name))
    return read_file(file)


def _decoded(value: Any, place: str) -> Found:
    if isinstance(value, bytes):
        return Found(data=value, place=place)
    if not isinstance(value, str):
        return Found(place=place, problem=msg("The field %(field)s is not a text", field=place))
    try:
        return Found(data=base64.b64decode("".join(value.split()), validate=True), place=place)
    except (binascii.Error, ValueError):
        return Found(place=place, problem=msg("The field %(field)s is not Base64", field=place))


def fingerprint(secret: bytes) -> str:
    """Return the first 12 hex digits of the SHA-256 of `secret`; empty for a short one, which could be guessed."""
    return hashlib.sha256(secret).hexdigest()[:12] if len(secret) >= _LONG else ""


def identifier(*parts: str) -> str:
    """Return an id that is the same at every start, made of where a credential lies and never of what it is."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", errors="replace")).hexdigest()[:16]
