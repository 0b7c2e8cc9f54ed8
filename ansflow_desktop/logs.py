"""The program's own log: `<data>/logs/ansflow.log`, private, rotating, secrets taken out.

Modules log by the standard library (`logging.getLogger(__name__)`, fields in `extra`); structlog makes the line and is
imported with the first record that is written, never at start-up.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
from collections.abc import Callable, MutableMapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO, cast

from ansflow_desktop import files, paths
from ansflow_desktop.paths import Directories

LOGGER = "ansflow_desktop"
FILE_NAME = "ansflow.log"
MAX_BYTES = 2_000_000
BACKUPS = 3
LEVELS = ("debug", "info", "warning", "error")


def log_file(directories: Directories) -> Path:
    """Return where the log is."""
    return directories.data / "logs" / FILE_NAME


def configure(directories: Directories, level: str, redact: Callable[[str], str]) -> Path:
    """Log records of `level` (debug, info, warning or error) and above from now on; return the file.

    `redact` takes secrets out of every line. Nothing is written before the first record. Raises UserError where the
    folder cannot be made. Called again, it replaces the earlier set-up.
    """
    path = log_file(directories)
    try:
        paths.make_private(directories.data)
        paths.make_private(path.parent)
    except OSError as error:
        raise files.cannot_write(path.parent, error) from error
    shutdown()
    handler = _PrivateFileHandler(path)
    handler.setFormatter(_LazyFormatter(redact))
    logger = logging.getLogger(LOGGER)
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False
    return path


def shutdown() -> None:
    """Close the log file; later records go nowhere until `configure` is called again."""
    logger = logging.getLogger(LOGGER)
    for handler in [handler for handler in logger.handlers if isinstance(handler, _PrivateFileHandler)]:
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


class _PrivateFileHandler(logging.handlers.RotatingFileHandler):
    """A rotating file that only its owner can read; a full disk silences the log and nothing else."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        return cast("TextIOWrapper", _open_private(self.baseFilename))

    def close(self) -> None:
        """Close the file; what could not be written to a full disk is given up."""
        with contextlib.suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop the record: a log that cannot be written must not end what the person is doing."""


def _open_private(name: str) -> TextIO:
    return open(name, "a", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600))


class _LazyFormatter(logging.Formatter):
    """One JSON object a line, made by structlog, redacted as the last step."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact
        self._inner: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        self._inner = self._inner or _structlog_formatter(self._redact)
        return self._inner.format(record)


def _structlog_formatter(redact: Callable[[str], str]) -> logging.Formatter:
    import structlog

    def redacted(_: Any, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        return {redact(str(key)): _redacted(value, redact) for key, value in event.items()}

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redacted,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    """Redact texts inside plain containers too; anything else is written as its text."""
    if isinstance(value, dict):
        return {redact(str(key)): _redacted(item, redact) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, redact) for item in value]
    return value if isinstance(value, int | float | bool | None) else redact(str(value))
