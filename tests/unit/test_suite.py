"""tests/suite.py: which parts it runs, beside each other or not; and what keeps all files from one collection."""

from __future__ import annotations

import importlib.util
import signal
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]


def test_no_two_test_files_have_one_name() -> None:
    """Without packages a file's name is its module's: two of one name keep the whole suite from being collected."""
    names = Counter(path.name for path in TESTS.rglob("*.py") if path.name != "conftest.py")
    assert len(names) > 100
    assert [name for name, count in names.items() if count > 1] == []


@pytest.fixture
def suite(monkeypatch):
    """A fresh copy of the module whose parts only say that they ran: `ran` holds one list a time of waiting."""
    spec = importlib.util.spec_from_file_location("suite_under_test", TESTS / "suite.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ran, module.codes = [], {}

    def together(parts):
        module.ran.append([part.name for part in parts])
        module.words = [word for part in parts for word in part.words]
        return next((module.codes[part.name] for part in parts if part.name in module.codes), 0)

    monkeypatch.setattr(module, "together", together)
    monkeypatch.setattr(module, "covered", lambda: module.ran.append(["covered"]) or 0)
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)
    return module


@pytest.mark.parametrize(
    "kib, expected", [("99999999", [["main", "node"], ["covered"]]), ("1000", [["main"], ["node"], ["covered"]])]
)
def test_the_node_runs_beside_the_rest_only_where_memory_allows(suite, monkeypatch, kib, expected) -> None:
    monkeypatch.setattr(suite.Path, "read_text", lambda _: f"MemTotal: 5 kB\nMemAvailable:   {kib} kB\n")
    assert suite.main([]) == 0
    assert suite.ran == expected


def test_where_the_memory_is_unknown_nothing_runs_beside(suite, monkeypatch) -> None:
    def missing(_):
        raise FileNotFoundError

    monkeypatch.setattr(suite.Path, "read_text", missing)
    assert not suite.roomy()


@pytest.mark.parametrize("roomy", [True, False])
@pytest.mark.parametrize("failed", ["main", "node"])
def test_a_part_that_fails_fails_the_whole(suite, monkeypatch, failed, roomy) -> None:
    monkeypatch.setattr(suite, "roomy", lambda: roomy)
    suite.codes = {failed: 3}
    assert suite.main([]) == 3
    assert [name for names in suite.ran for name in names] == ["main", "node"]


def test_chosen_tests_run_alone_and_without_coverage(suite) -> None:
    assert suite.main(["tests/unit/test_tools.py", "-x"]) == 0
    assert suite.ran == [["chosen"]]
    assert "tests/unit/test_tools.py" in suite.words
    assert not any("cov" in word for word in suite.words)


def test_options_alone_go_to_both_parts(suite) -> None:
    suite.main(["--maxfail=1"])
    assert [word for names in suite.ran[:-1] for word in names] == ["main", "node"]
    assert "--maxfail=1" in suite.words


def test_bytecode_is_kept_in_a_folder_whatever_the_environment_says(suite, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    made = suite.with_bytecode()
    assert "PYTHONDONTWRITEBYTECODE" not in made
    assert Path(made["PYTHONPYCACHEPREFIX"]).is_relative_to(TESTS.parent)


@pytest.fixture
def parts(monkeypatch, tmp_path):
    """The real module with a temporary folder of its own and nothing left behind in the clone."""
    spec = importlib.util.spec_from_file_location("suite_for_real", TESTS / "suite.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(module, "BYTECODE", tmp_path / "bytecode")
    monkeypatch.setattr(module, "SWEEP", "")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return module


def test_parts_run_at_once_and_the_second_is_shown_when_both_ended(parts, tmp_path, capfd) -> None:
    meet = "import pathlib, time\nhere = pathlib.Path(__file__).parent\n\ndef test_it():\n"
    for name, other in (("one", "two"), ("two", "one")):
        (tmp_path / f"test_{name}.py").write_text(
            f"{meet}    (here / '{name}.there').touch()\n"
            f"    while not (here / '{other}.there').exists():\n        time.sleep(0.01)\n"
            f"    assert '{name}' == 'one'\n"
        )
    made = [
        parts.Part(name, "-p", "no:cacheprovider", "-c", "/dev/null", str(tmp_path / f"test_{name}.py"))
        for name in ("one", "two")
    ]
    assert parts.together(made) == 1
    said = capfd.readouterr().out
    assert said.index("1 passed") < said.index("== one tests") < said.index("== two tests") < said.index("1 failed")
    assert not any(part.folder.exists() for part in made)


def test_an_interrupt_ends_all_parts_and_goes_on(parts, tmp_path, monkeypatch, capfd) -> None:
    (tmp_path / "test_long.py").write_text("import time\n\ndef test_it():\n    time.sleep(600)\n")
    restored = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def interrupted(part):
        raise KeyboardInterrupt

    monkeypatch.setattr(parts.Part, "wait", interrupted)
    words = ("-p", "no:cacheprovider", "-c", "/dev/null", str(tmp_path / "test_long.py"))
    made = [parts.Part(name, *words) for name in ("one", "two")]
    try:
        with pytest.raises(KeyboardInterrupt):
            parts.together(made)
    finally:
        for kind, handler in restored.items():
            signal.signal(kind, handler)
    assert all(part.process.poll() is not None for part in made)
    assert "being ended" in capfd.readouterr().out
