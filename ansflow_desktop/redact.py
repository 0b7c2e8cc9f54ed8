"""Takes secrets out of text before anything is stored or shown (failure-modes.md, row 7)."""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "***"
MIN_LENGTH = 5
_MIN_LINE = 12
_SECRET_FIELDS = ("token", "password", "client-key-data")
_SECRET_WORDS = re.compile(r"secret|token|passw|credential|api_?key|private|access_?key", re.IGNORECASE)


class Redactor:
    """Replaces known secrets, in every form in which they usually appear, by `***`.

    A secret shorter than `MIN_LENGTH` characters is not replaced: it would mangle ordinary text. Safe from any thread.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Know `secrets` from the start."""
        self._forms: frozenset[str] = frozenset()
        self._search: _Search | None = None
        self._known: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Know `secrets` from now on too."""
        with self._lock:
            new = frozenset(secrets) - self._known
            forms = self._forms.union(*(forms_of(secret) for secret in new))
            self._known |= new
            if forms != self._forms:
                self._forms, self._search = forms, None

    def __call__(self, text: str) -> str:
        """Return `text` with every known secret replaced."""
        return self._searching()(text) if self._forms and text else text

    def _searching(self) -> _Search:
        """Return the search for all forms, made at the first text behind the last new secret."""
        search = self._search
        if search is None:
            with self._lock:
                search = self._search = _Search(self._forms)
        return search


class _Search:
    """Finds forms by their first letters, then compares: a pattern of whole tokens takes seconds to compile."""

    def __init__(self, forms: Iterable[str]) -> None:
        """Look for `forms`, none shorter than `MIN_LENGTH`, the longest first."""
        self._by_start: dict[str, list[str]] = {}
        for form in sorted(forms, key=lambda form: (-len(form), form)):
            self._by_start.setdefault(form[:MIN_LENGTH], []).append(form)
        self._starts = re.compile(_tree(sorted(self._by_start)))

    def __call__(self, text: str) -> str:
        """Return `text` with every form replaced, from left to right."""
        parts: list[str] = []
        kept = at = 0
        while found := self._starts.search(text, at):
            begin = found.start()
            form = next((one for one in self._by_start[found.group()] if text.startswith(one, begin)), "")
            if form:
                parts += (text[kept:begin], MASK)
            at = begin + (len(form) or 1)
            kept = at if form else kept
        return "".join((*parts, text[kept:])) if parts else text


def _tree(words: Sequence[str]) -> str:
    """Return a pattern for `words` of one length, letter by letter: a long list of whole words is tried one by one."""
    following: dict[str, list[str]] = {}
    for word in words:
        following.setdefault(word[:1], []).append(word[1:])
    parts = [re.escape(letter) + (_tree(rest) if rest[0] else "") for letter, rest in following.items()]
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"


def forms_of(secret: str) -> set[str]:
    """Return the forms of one secret: raw, quoted in JSON and URLs, base64; its long lines too when it has several."""
    stripped = secret.strip()
    forms = set(_plain_forms(stripped)) if len(stripped) >= MIN_LENGTH else set()
    for line in stripped.splitlines() if "\n" in stripped else ():
        if len(line.strip()) >= _MIN_LINE and not line.startswith("-----"):
            forms.update(_plain_forms(line.strip()))
    return forms


def _plain_forms(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield "".join(map(_yaml_letter, json.dumps(secret, ensure_ascii=False)[1:-1]))
    yield quote(secret)
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield from _base64_forms(secret.encode("utf-8", "surrogatepass"))


def _yaml_letter(letter: str) -> str:
    """Return a letter as YAML writes it between double quotes where a document is kept to ASCII."""
    code = ord(letter)
    if code < 0x7F:
        return letter
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _base64_forms(data: bytes) -> Iterator[str]:
    """Yield what base64 of any text around the secret has in common: one form for each of three alignments."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode()
        first = -(-before * 4 // 3)
        last = len(encoded.rstrip("="))
        inner = encoded[first : last - (1 if (before + len(data)) % 3 else 0)]
        if len(inner) >= MIN_LENGTH:
            yield inner
            yield inner.translate(str.maketrans("+/", "-_"))
    whole = base64.b64encode(data).decode()
    yield from (whole, whole.translate(str.maketrans("+/", "-_")))


def secrets_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the secrets in a kubeconfig document: tokens, passwords, keys, and values of an exec plugin's environment.

    The password in the address of a proxy is one too.

    Files that the document points to (`tokenFile`, `client-key`) are not read.
    """
    found: list[str] = []
    for user in _mappings(document.get("users")):
        found.extend(_user_secrets(user.get("user")))
    for item in _mappings(document.get("clusters")):
        found.extend(_address_secrets(item.get("cluster")))
    return tuple(dict.fromkeys(secret for secret in found if secret))


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list | tuple):
        yield from (item for item in value if isinstance(item, Mapping))


def _user_secrets(user: Any) -> Iterator[str]:
    if not isinstance(user, Mapping):
        return
    yield from (str(user[field]) for field in _SECRET_FIELDS if user.get(field))
    yield from _decoded(user.get("client-key-data"))
    execute = user.get("exec")
    for variable in _mappings(execute.get("env") if isinstance(execute, Mapping) else ()):
        if _looks_secret(str(variable.get("name", "")), str(variable.get("value") or "")):
            yield str(variable["value"])
    provider = user.get("auth-provider")
    config = provider.get("config") if isinstance(provider, Mapping) else None
    if isinstance(config, Mapping):
        yield from (str(value) for name, value in config.items() if _SECRET_WORDS.search(str(name)) and value)


def _address_secrets(cluster: Any) -> Iterator[str]:
    for field in ("proxy-url", "server"):
        password = password_of(str(cluster.get(field) or "")) if isinstance(cluster, Mapping) else ""
        yield from (password, unquote(password))


def password_of(address: str) -> str:
    """Return the password that stands in `address` (`http://user:password@host`), as written; empty for none."""
    try:
        return urlsplit(address).password or ""
    except ValueError:
        return ""


def _looks_secret(name: str, value: str) -> bool:
    """Take every value but short words, numbers and paths, which would mangle ordinary text; a telling name decides."""
    if _SECRET_WORDS.search(name):
        return bool(value)
    return len(value) >= _MIN_LINE and not value.startswith(("/", "~", "http://", "https://"))


def _decoded(value: Any) -> Iterator[str]:
    try:
        yield base64.b64decode(str(value or ""), validate=False).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
