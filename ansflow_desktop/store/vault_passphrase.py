"""Passphrases: read from a file's first line, refused when too weak, and how strong one looks."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

from ansflow_desktop import files
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg

LEAST = 8  # NIST SP 800-63B, 5.1.1.1
LONGEST = 4096
_COMMON = ("password", "passwort", "passphrase", "qwerty", "letmein", "welcome", "12345678", "kubernetes", "ansflow")
_FAIR_BITS = 45
_STRONG_BITS = 70


def read_passphrase(path: str | Path) -> str:
    """Return the first line of a file, without its end; raises UserError where there is none. Pipes are read too."""
    try:
        with files.open_to_read(Path(path).expanduser()) as file:
            line = file.readline(LONGEST * 4).rstrip(b"\r\n").decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or msg("It is not UTF-8 text.")
        raise _unreadable(str(path), reason) from None
    if not line:
        raise _unreadable(str(path), msg("Its first line is empty."))
    return line


def _unreadable(path: str, reason: Text) -> UserError:
    title = msg("No passphrase could be read from %(path)s", path=path)
    return UserError(title, reason, msg("Name a file whose first line is the passphrase."), field="passphrase_file")


def problem_of(passphrase: str) -> Text:
    """Return why a passphrase cannot be taken, empty when it can."""
    if len(passphrase) < LEAST:
        return msg("A passphrase has at least %(count)s characters.", count=LEAST)
    if len(passphrase) > LONGEST:
        return msg("A passphrase has at most %(count)s characters.", count=LONGEST)
    if len(set(passphrase)) < 3 or passphrase.casefold() in _COMMON:
        return msg("This passphrase is guessed at once.")
    return ""


def require_good(passphrase: str, field: str) -> None:
    """Raise UserError for a passphrase that cannot be taken."""
    problem = problem_of(passphrase)
    if problem:
        hint = msg("Several words that have nothing to do with each other are strong and easy to keep in mind.")
        raise UserError(msg("Choose another passphrase"), problem, hint, field=field)


def strength(passphrase: str) -> tuple[int, Text]:
    """Return 0 (refused) to 3 (strong), and the word for it; an estimate by length and kinds of characters."""
    if not passphrase:
        return 0, ""
    if problem := problem_of(passphrase):
        return 0, problem
    bits = _bits(passphrase)
    if bits < _FAIR_BITS:
        return 1, msg("Weak: add a few more words.")
    if bits < _STRONG_BITS:
        return 2, msg("Fair: one more word makes it strong.")
    return 3, msg("Strong")


def _bits(passphrase: str) -> float:
    kinds = ((str.islower, 26), (str.isupper, 26), (str.isdigit, 10))
    pool = sum(size for is_kind, size in kinds if any(map(is_kind, passphrase)))
    pool += 33 if any(not char.isalnum() for char in passphrase) else 0
    pool += 2000 if any(ord(char) > 0x2FFF for char in passphrase) else 0
    lowered = passphrase.casefold()
    common = sum(len(word) - 1 for word in _COMMON if word in lowered)
    steps = sum(abs(ord(a) - ord(b)) <= 1 for a, b in itertools.pairwise(passphrase))
    return max(0, len(passphrase) - common - steps * 0.8) * math.log2(max(pool, 2))
