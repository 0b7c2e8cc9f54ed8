"""architecture.md, "Who may import whom": every import of every file is read, TYPE_CHECKING and lazy ones included."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "ansflow_desktop"
FILES = sorted(PACKAGE.rglob("*.py"))

LAYERS = {
    0: ("models", "errors", "paths", "i18n"),
    1: ("process", "kube", "helm", "credentials", "pipelines", "monitoring", "store", "settings"),
    2: ("executors", "strategies", "practice"),
    3: ("presenters",),
    4: ("widgets",),
    5: ("app", "closing", "shots", "shots_views", "start", "cli", "__main__", "commands"),
}
# Small helpers of layer 1 that the table does not name.
HELPERS = ("files", "logs", "redact", "safe_yaml", "tools")
LAYER_OF = {name: layer for layer, names in LAYERS.items() for name in names} | dict.fromkeys(HELPERS, 1)

QT = {"PySide6", "shiboken6", "qasync", "qtawesome", "pyqtgraph", "qtpy"}
HEAVY = {"subprocess", "kubernetes", "sqlalchemy", "alembic"}


def modules(path: Path) -> list[tuple[str, int]]:
    """Return every module imported in a file with its line; `from a import b` gives a.b."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return found


def part_of(path: Path) -> str:
    """Return the folder or file of the table that a path belongs to."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def ours(module: str) -> str | None:
    """Return the part of the table that an imported module of ours belongs to."""
    parts = module.split(".")
    return parts[1] if parts[0] == "ansflow_desktop" and len(parts) > 1 else None


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_every_part_of_the_package_is_in_the_table() -> None:
    unknown = {part_of(path) for path in FILES} - set(LAYER_OF) - {"__init__"}
    assert not unknown


@pytest.mark.parametrize("layer", range(5))
def test_imports_go_downward_only(layer: int) -> None:
    wrong = [
        f"{where(path, line)} imports {module}"
        for path in FILES
        if LAYER_OF.get(part_of(path)) == layer
        for module, line in modules(path)
        if (part := ours(module)) in LAYER_OF and LAYER_OF[str(part)] > layer
    ]
    assert not wrong, "\n".join(wrong)


def test_widgets_see_models_and_presenters_only() -> None:
    allowed = {*LAYERS[0], "presenters", "widgets"}
    wrong = [
        f"{where(path, line)} imports {module}"
        for path in FILES
        if part_of(path) == "widgets"
        for module, line in modules(path)
        if ((part := ours(module)) is not None and part in LAYER_OF and part not in allowed)
        or module.split(".")[0] in HEAVY
    ]
    assert not wrong, "\n".join(wrong)


def test_presenters_use_no_widgets() -> None:
    wrong = [
        f"{where(path, line)} imports {module}"
        for path in FILES
        if part_of(path) == "presenters"
        for module, line in modules(path)
        if module.startswith("PySide6") and not module.startswith(("PySide6.QtCore", "PySide6.QtNetwork"))
    ]
    assert not wrong, "\n".join(wrong)


def test_qt_stays_out_of_the_lower_layers_and_the_command_line() -> None:
    """Only executors/worker.py may use Qt there, QtCore only; `screenshot` and the demo reach Qt through `app`."""
    wrong = []
    for path in FILES:
        part = part_of(path)
        if LAYER_OF.get(part, 0) > 2 and part not in ("cli", "__main__", "commands"):
            continue
        for module, line in modules(path):
            worker = path == PACKAGE / "executors" / "worker.py" and module.startswith("PySide6.QtCore")
            if module.split(".")[0] in QT and not worker:
                wrong.append(f"{where(path, line)} imports {module}")
    assert not wrong, "\n".join(wrong)


def test_layer_0_uses_the_standard_library_and_msgspec() -> None:
    import sys

    allowed = {*sys.stdlib_module_names, "msgspec", "ansflow_desktop", "platformdirs"}
    wrong = [
        f"{where(path, line)} imports {module}"
        for path in FILES
        if LAYER_OF.get(part_of(path)) == 0
        for module, line in modules(path)
        if module.split(".")[0] not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_kube_never_uses_helm() -> None:
    """Within a layer arrows go one way: helm may use kube, never the reverse."""
    wrong = [
        where(path, line) for path in (PACKAGE / "kube").rglob("*.py") for m, line in modules(path) if ours(m) == "helm"
    ]
    assert not wrong


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


def test_nothing_changes_the_process_directory() -> None:
    wrong = [
        where(path, call.lineno)
        for path in FILES
        for call in calls(path)
        if ast.unparse(call.func) in ("os.chdir", "chdir", "os.fchdir", "contextlib.chdir")
    ]
    assert not wrong


def test_no_lambda_is_connected_to_a_signal() -> None:
    """A lambda runs on the thread that emits (architecture.md, "Threads")."""
    wrong = [
        where(path, call.lineno)
        for path in FILES
        for call in calls(path)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "connect"
        and any(isinstance(argument, ast.Lambda) for argument in call.args)
    ]
    assert not wrong, "\n".join(wrong)


def test_colours_stand_in_the_theme_only() -> None:
    literal = re.compile(r"#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})")
    wrong = []
    for path in FILES:
        if part_of(path) not in ("widgets", "presenters", "app") or path.stem in ("theme", "tokens"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and literal.fullmatch(node.value.strip()):
                wrong.append(where(path, node.lineno))
    assert not wrong, "\n".join(wrong)


def test_no_file_is_longer_than_500_lines() -> None:
    folders = (PACKAGE, ROOT / "tests", ROOT / "benchmarks", ROOT / "packaging")
    scripts = [path for folder in folders for path in folder.rglob("*.py")] + [ROOT / "dev.py"]
    long = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in scripts}
    assert not {name: lines for name, lines in long.items() if lines > 500}


def test_no_registry_address_stands_in_a_file() -> None:
    """The locks and every other file leave the registry to the machine's own configuration."""
    hosts = (
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "proxy." + "golang.org",
        "index" + "-url=",
        "extra-index" + "-url",
    )
    kinds = {".py", ".toml", ".in", ".lock", ".md", ".yaml", ".yml", ".cfg", ".txt", ".sh", ".mod", ""}
    skipped = {".venv", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "__pycache__"}
    wrong = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.is_file() and path.suffix in kinds and not skipped & set(path.relative_to(ROOT).parts)
        if any(host in path.read_text(encoding="utf-8", errors="replace") for host in hosts)
    ]
    assert not wrong


def test_the_wheel_depends_on_what_the_lock_was_made_from() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [line for line in (ROOT / "packaging/requirements.in").read_text(encoding="utf-8").split() if line]
    assert sorted(project["dependencies"]) == sorted(wanted)
