"""Passphrases: refused when too weak, and how strong one looks."""

from __future__ import annotations

import itertools
import math

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg

LEAST = 8  # NIST SP 800-63B, 5.1.1.1
LONGEST = 4096
_COMMON = ("password", "passwort", "passphrase", "qwerty", "letmein", "welcome", "12345678", "kubernetes", "ansflow")
_FAIR_BITS = 45
_STRONG_BITS = 70


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
