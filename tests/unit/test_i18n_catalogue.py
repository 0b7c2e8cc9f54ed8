"""The Chinese catalogue is complete, exact and fresh, and every text that is in the sources can be filled in."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

from ansflow_desktop import i18n
from ansflow_desktop.i18n import Message, msg, msg_n, translate

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "ansflow_desktop").rglob("*.py"))


@pytest.fixture(scope="module")
def tool():
    """packaging/i18n.py, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("catalogue_tool", ROOT / "packaging" / "i18n.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def english():
    yield
    i18n.set_language("en")


def test_nothing_is_missing_fuzzy_obsolete_or_stale(tool) -> None:
    assert tool.problems() == []


def test_a_missing_translation_would_be_found(tool, monkeypatch) -> None:
    wanted = tool.template()
    wanted.add("A text that nobody translated")
    monkeypatch.setattr(tool, "template", lambda: wanted)
    assert any("A text that nobody translated" in problem for problem in tool.problems())


def test_a_lost_placeholder_would_be_found(tool) -> None:
    message = next(message for message in tool.catalogue() if message.id and "%(name)s" in str(message.id))
    message.string = "少了"
    assert tool.message_problems(message)


def test_every_chinese_text_can_be_filled_in(tool) -> None:
    """A mistyped placeholder such as `%(name)` would only show when the text is used."""
    for message in tool.catalogue():
        texts = [message.string] if isinstance(message.string, str) else message.string
        names = set(re.findall(r"%\((\w+)\)", str(message.id)))
        for text in texts if message.id and names else ():
            assert (text or str(message.id)) % dict.fromkeys(names, 1)


def texts_of(path: Path) -> list[tuple[int, str, ast.Call]]:
    """Return line, first argument and call of every msg() and _() in a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("msg", "msg_n", "_"):
            found.append((node.lineno, ast.unparse(node.args[0]) if node.args else "", node))
    return found


# argparse fills its own texts in: they are listed there without parameters
@pytest.mark.parametrize(
    "path", [path for path in FILES if path.stem != "argparse_texts"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_messages_are_plain_texts_whose_parameters_are_given(path: Path) -> None:
    wrong = []
    for line, shown, call in texts_of(path):
        name = call.func.id  # type: ignore[attr-defined]
        first = call.args[0] if call.args else None
        if isinstance(first, ast.JoinedStr | ast.BinOp):
            wrong.append(f"{line}: not a plain text: {shown}")
        if name == "_" or not isinstance(first, ast.Constant) or any(word.arg is None for word in call.keywords):
            continue
        sources = [argument.value for argument in call.args[: 2 if name == "msg_n" else 1]]  # type: ignore[attr-defined]
        wanted = {found for source in sources for found in re.findall(r"%\((\w+)\)", source)}
        given = {word.arg for word in call.keywords} | ({"count"} if name == "msg_n" else set())
        if wanted - given or (given - wanted - {"count"} and wanted):
            wrong.append(f"{line}: {shown} wants {sorted(wanted)}, is given {sorted(map(str, given))}")
        if any("!" in source.replace("!=", "") for source in sources):  # but the operator is one
            wrong.append(f"{line}: exclamation mark: {shown}")
    assert not wrong, "\n".join(wrong)


def test_english_is_the_text_itself() -> None:
    i18n.set_language("en")
    assert translate(msg("Cancelled.")) == "Cancelled."
    assert translate(msg_n("%(count)s object", "%(count)s objects", 1)) == "1 object"
    assert translate(msg_n("%(count)s object", "%(count)s objects", 2)) == "2 objects"


def test_chinese_at_once_after_a_change_of_language() -> None:
    assert i18n.set_language("zh_CN") == "zh_CN"
    assert translate(msg("Cancelled.")) == "已取消。"
    assert translate(msg_n("%(count)s object", "%(count)s objects", 2)) == "2 个对象"
    i18n.set_language("en")
    assert translate(msg("Cancelled.")) == "Cancelled."


def test_numbers_stay_numbers_for_formatting() -> None:
    message = Message("%(count)d of %(part)s", {"count": 3, "part": msg("%(x)d", x=4)})
    assert str(message) == translate(message) == "3 of 4"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_TW.UTF-8"}, "zh_CN"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "de:zh_CN:en"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({}, "en"),
    ],
)
def test_the_systems_language(environment: dict[str, str], language: str, monkeypatch) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert i18n.system_language() == language
    assert i18n.set_language(None) == language
