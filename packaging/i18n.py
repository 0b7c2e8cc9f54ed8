"""The message catalogue: `python packaging/i18n.py update` after a text changed, `check` to see that all is translated.

Texts are found in the sources by Babel: `_("...")`, `ngettext`, `msg` and `msg_n`. English is the text itself.
"""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

ROOT = Path(__file__).resolve().parents[1]
LOCALE = "zh_CN"
PO = ROOT / "resources/i18n" / LOCALE / "LC_MESSAGES/ansflow.po"
MO = PO.with_suffix(".mo")
KEYWORDS = {"_": None, "msg": (1,), "msg_n": (1, 2), "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[a-zA-Z]")
FIXED_DATE = datetime(2026, 1, 1, tzinfo=UTC)


def template() -> Catalog:
    """Return every text of the sources, each with the files it stands in."""
    found = Catalog(project="ansflow-desktop", creation_date=FIXED_DATE, charset="utf-8")
    folder = ROOT / "ansflow_desktop"
    for name, line, message, comments, context in extract_from_dir(str(folder), keywords=KEYWORDS, comment_tags=()):
        place = [(f"ansflow_desktop/{Path(name).as_posix()}", line)]
        found.add(message, locations=place, auto_comments=comments, context=context)
    return found


def catalogue() -> Catalog:
    """Return the translations as they stand in the file, an empty catalogue where there is none."""
    if not PO.exists():
        return Catalog(locale=LOCALE, project="ansflow-desktop", charset="utf-8")
    with PO.open("rb") as stream:
        return pofile.read_po(stream, locale=LOCALE)


def merged() -> Catalog:
    """Return the translations brought up to date with the sources: nothing guessed, nothing obsolete kept."""
    result = catalogue()
    result.update(template(), no_fuzzy_matching=True)
    result.obsolete.clear()
    result.revision_date = result.creation_date = FIXED_DATE
    result.fuzzy = False
    result.version, result.msgid_bugs_address = "1", ""
    result.header_comment = "# Simplified Chinese texts of AnsFlow Desktop."
    result.last_translator = result.language_team = "AnsFlow Desktop"
    return result


def po_bytes(messages: Catalog) -> bytes:
    """Return the catalogue as a .po file, sorted, with file names but no line numbers: a moved line changes nothing."""
    stream = io.BytesIO()
    pofile.write_po(stream, messages, width=120, sort_output=True, include_lineno=False)
    return stream.getvalue()


def mo_bytes(messages: Catalog) -> bytes:
    """Return the catalogue as gettext reads it at run time."""
    stream = io.BytesIO()
    mofile.write_mo(stream, messages)
    return stream.getvalue()


def placeholders(text: str) -> list[str]:
    """Return the placeholders of a text, sorted."""
    return sorted(match.group(0) for match in PLACEHOLDER.finditer(text.replace("%%", "")))


def problems() -> list[str]:
    """Return what keeps the catalogue from being complete, exact and fresh, empty when nothing does."""
    found: list[str] = []
    here, wanted = catalogue(), template()
    known = {message.id for message in here if message.id}
    needed = {message.id for message in wanted if message.id}
    found += [f"missing: {text!r}" for text in sorted(needed - known, key=str)]
    found += [f"no longer used: {text!r}" for text in sorted(known - needed, key=str)]
    found += [f"obsolete entry: {text!r}" for text in here.obsolete]
    for message in here:
        if message.id:
            found += message_problems(message)
    if not MO.exists() or MO.read_bytes() != mo_bytes(here):
        found.append("the .mo file is not what the .po file makes: run `python packaging/i18n.py update`")
    return found


def message_problems(message) -> list[str]:  # type: ignore[no-untyped-def]  # Babel's Message is not typed
    """Return what is wrong with one translation."""
    texts = [message.string] if isinstance(message.string, str) else list(message.string)
    sources = [message.id] if isinstance(message.id, str) else list(message.id)
    if message.fuzzy:
        return [f"fuzzy: {message.id!r}"]
    if not all(texts):
        return [f"not translated: {message.id!r}"]
    allowed = [placeholders(source) for source in sources]
    return [f"placeholders differ: {message.id!r} {text!r}" for text in texts if placeholders(text) not in allowed]


def update() -> None:
    """Write both files."""
    PO.parent.mkdir(parents=True, exist_ok=True)
    result = merged()
    PO.write_bytes(po_bytes(result))
    MO.write_bytes(mo_bytes(catalogue()))


def main(words: list[str]) -> int:
    """Run `update` or `check`; 1 when the catalogue is not complete."""
    if words not in (["update"], ["check"]):
        sys.stderr.write("usage: python packaging/i18n.py update|check\n")
        return 2
    if words == ["update"]:
        update()
    found = problems()
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
