"""What a bearer token says of itself, unverified: only the server can say whether it is true (RFC 7519)."""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import re
from typing import Any

from ansflow_desktop.credentials import times
from ansflow_desktop.credentials.verdict_words import EMPTY
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.text import clean
from ansflow_desktop.models.credential import Claims, OldSecret
from ansflow_desktop.models.names import namespace_problem

MOST_LETTERS = 1024 * 1024
"""A longer token is not read at all; servers refuse headers of far less."""

_MOST_GROUPS = 200
_LONGEST = 300
_MILLISECONDS = 1e11  # as seconds this is the year 5138; as milliseconds 1973
_SECRET = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")  # RFC 1123
_LONGEST_NAME = 253
_LEGACY = "kubernetes.io/serviceaccount/"


def read_token(text: str) -> Claims:
    """Return what the token `text` says of itself; never raises.

    What is no JWT is `opaque`; what begins like one and cannot be read has a `problem`. The token itself is in neither.
    """
    token = text.strip()
    problem = _unusable(token)
    if problem:
        return Claims(problem=problem)
    parts = token.split(".")
    header = _object(parts[0])
    if header is None or "alg" not in header:
        return Claims(opaque=True)
    if len(parts) == 5:
        return Claims(opaque=True, notes=(msg("It is encrypted: only who made it can read it."),))
    if len(parts) != 3:
        return Claims(problem=msg("It has %(count)s parts; a JWT has three", count=len(parts)))
    return _claims(token, header)


def service_account(subject: str) -> tuple[str, str]:
    """Return namespace and name of the ServiceAccount that `subject` names, empty for any other user."""
    parts = subject.split(":")
    if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"]:
        return parts[2], parts[3]
    return "", ""


def _unusable(token: str) -> Text:
    if not token:
        return EMPTY
    if len(token) > MOST_LETTERS:
        return msg("It is longer than any token")
    if token[:7].lower() == "bearer ":
        return msg("It begins with the word Bearer, which is not part of a token")
    if any(letter.isspace() for letter in token):
        return msg("There is a space or a line break in it")
    if not token.isascii() or not token.isprintable():
        return msg("There are letters in it that no token has")
    return ""


def _object(part: str) -> dict[str, Any] | None:
    """Return the JSON object that `part` (base64url) holds, None where it holds none."""
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _claims(token: str, header: dict[str, Any]) -> Claims:
    payload = _payload(token)
    if payload is None:
        return Claims(problem=msg("Its content cannot be read: it was cut off or changed"))
    reader = _Reader(payload)
    issued, begins, ends = reader.time("iat"), reader.time("nbf"), reader.time("exp")
    algorithm = _word(header.get("alg"))
    return Claims(
        subject=_word(payload.get("sub")) or _legacy_subject(payload),
        groups=_words(payload.get("groups")),
        issuer=_word(payload.get("iss")),
        audience=_words(payload.get("aud")),
        issued_at=issued,
        not_before=begins,
        expires_at=ends,
        algorithm=algorithm,
        problem=reader.problem,
        notes=(*reader.notes, *_notes(algorithm, begins, ends), *_bound(payload)),
    )


def _payload(token: str) -> dict[str, Any] | None:
    """Return the payload as PyJWT reads it, without any check of the signature; None where it cannot."""
    import jwt

    try:
        found = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class _Reader:
    """Reads the times of a payload, and keeps what is wrong with them."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self._payload = payload
        self.problem: Text = ""
        self.notes: list[Text] = []

    def time(self, name: str) -> datetime.datetime | None:
        """Return the time `name`, a NumericDate (RFC 7519, 2); None where there is none or it is no number."""
        value = self._payload.get(name)
        if value is None:
            return None
        seconds = self._number(name, value)
        when = None if seconds is None else times.from_epoch(seconds)
        if when is None:
            self.problem = self.problem or msg("%(claim)s is not a time", claim=name)
        elif seconds is not None and seconds > _MILLISECONDS:
            self.notes.append(msg("%(claim)s is thousands of years away; is it in milliseconds?", claim=name))
        elif seconds is not None and seconds <= 0:
            self.notes.append(msg("%(claim)s is not after 1970", claim=name))
        return when

    def _number(self, name: str, value: Any) -> float | None:
        if isinstance(value, str):
            self.notes.append(msg("%(claim)s is written as text; many servers refuse that", claim=name))
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        try:
            return float(value)
        except OverflowError:  # an integer of more than 308 digits
            return float("inf") if isinstance(value, int) and value > 0 else float("-inf")
        except ValueError:
            return None


def _notes(algorithm: str, begins: datetime.datetime | None, ends: datetime.datetime | None) -> tuple[Text, ...]:
    notes: list[Text] = []
    if algorithm.lower() == "none":
        notes.append(msg("Nobody signed it (alg none): no server should accept it."))
    if begins and ends and ends <= begins:
        notes.append(msg("It ends before it begins."))
    return tuple(notes)


def _bound(payload: dict[str, Any]) -> tuple[Text, ...]:
    """Return what the token is bound to: Kubernetes refuses it once that object is gone."""
    known = payload.get("kubernetes.io")
    if not isinstance(known, dict):
        return ()
    found: list[Text] = []
    for kind in ("pod", "secret", "node"):
        item = known.get(kind)
        name = _word(item.get("name")) if isinstance(item, dict) else ""
        if name:
            found.append(msg("It ends with the %(kind)s %(name)s that it is bound to.", kind=kind, name=name))
    return tuple(found)


def _legacy_subject(payload: dict[str, Any]) -> str:
    namespace, name = (_word(payload.get(_LEGACY + key)) for key in ("namespace", "service-account.name"))
    return f"system:serviceaccount:{namespace}:{name}" if namespace and name else ""


def is_legacy(text: str) -> bool:
    """Return whether `text` is a token of a ServiceAccount's Secret, which has no end (before Kubernetes 1.24)."""
    payload = _unverified(text)
    return payload is not None and _LEGACY + "secret.name" in payload


def legacy_secret(text: str) -> OldSecret | None:
    """Return the Secret that the token `text` says it stands in, None where it does not say all of it.

    The names become a path of the API: a token may say anything, so what no Secret can be called is none.
    """
    payload = _unverified(text) or {}
    keys = ("namespace", "secret.name", "service-account.uid")
    namespace, name, uid = (_word(payload.get(_LEGACY + key)) for key in keys)
    named = not namespace_problem(namespace) and len(name) <= _LONGEST_NAME and _SECRET.fullmatch(name)
    return OldSecret(namespace=namespace, name=name, account_uid=uid) if named and uid else None


def _unverified(text: str) -> dict[str, Any] | None:
    parts = text.strip().split(".")
    return _object(parts[1]) if len(parts) == 3 and len(text) <= MOST_LETTERS else None


def _word(value: Any) -> str:
    return clean(value.replace("\n", " "), _LONGEST) if isinstance(value, str) else ""


def _words(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(word for item in items[:_MOST_GROUPS] if (word := _word(item)))
