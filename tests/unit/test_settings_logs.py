"""The log: private, redacted, never in the way."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest

from ansflow_desktop import logs
from ansflow_desktop.errors import UserError
from ansflow_desktop.paths import Directories
from ansflow_desktop.redact import Redactor


@pytest.fixture
def directories(tmp_path):
    yield Directories(data=tmp_path / "data", tools=tmp_path)
    logs.shutdown()


def lines(directories):
    return [json.loads(line) for line in logs.log_file(directories).read_text().splitlines()]


def test_a_record_is_one_redacted_line_in_a_private_file(directories):
    path = logs.configure(directories, "debug", Redactor(["my-secret-token"]))
    logger = logging.getLogger("ansflow_desktop.test")
    logger.debug("using %s", "my-secret-token", extra={"place": "./charts", "headers": {"auth": ["my-secret-token"]}})
    (line,) = lines(directories)
    assert (line["event"], line["place"], line["level"]) == ("using ***", "./charts", "debug")
    assert line["headers"] == {"auth": ["***"]}
    assert line["logger"] == "ansflow_desktop.test"
    assert "my-secret-token" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_tracebacks_are_redacted_too(directories):
    logs.configure(directories, "info", Redactor(["my-secret-token"]))
    try:
        raise RuntimeError("my-secret-token")
    except RuntimeError:
        logging.getLogger("ansflow_desktop.test").exception("failed")
    (line,) = lines(directories)
    assert "RuntimeError: ***" in line["exception"]


def test_below_the_level_nothing_is_written(directories):
    logs.configure(directories, "warning", Redactor())
    logging.getLogger("ansflow_desktop.test").info("quiet")
    assert not logs.log_file(directories).exists()


def test_configured_twice_it_writes_once(directories):
    logs.configure(directories, "info", Redactor())
    logs.configure(directories, "info", Redactor())
    logging.getLogger("ansflow_desktop.test").info("once")
    assert len(lines(directories)) == 1


def test_it_rotates(directories, monkeypatch):
    monkeypatch.setattr(logs, "MAX_BYTES", 2000)
    logs.configure(directories, "info", Redactor())
    for _ in range(100):
        logging.getLogger("ansflow_desktop.test").info("x" * 200)
    names = sorted(os.listdir(logs.log_file(directories).parent))
    assert names == [logs.FILE_NAME, *(f"{logs.FILE_NAME}.{number}" for number in range(1, logs.BACKUPS + 1))]


def test_a_full_disk_silences_the_log_and_nothing_else(directories, capsys):
    path = logs.configure(directories, "info", Redactor())
    path.symlink_to("/dev/full")
    logging.getLogger("ansflow_desktop.test").info("lost")
    assert capsys.readouterr().err == ""
    path.unlink()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(UserError):
        logs.configure(Directories(data=tmp_path / "data", tools=tmp_path), "info", Redactor())


def test_structlog_is_not_imported_before_the_first_record(tmp_path):
    script = (
        "import sys; from pathlib import Path; from ansflow_desktop import logs, paths\n"
        f"d = paths.Directories(data=Path({str(tmp_path)!r}), tools=Path('/'))\n"
        "logs.configure(d, 'warning', str)\n"
        "assert 'structlog' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
