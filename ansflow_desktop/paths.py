"""Where things are: the program's resources and the user's directories (XDG by platformdirs)."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import platformdirs

APP = "ansflow-desktop"


def resources() -> Path:
    """Return the folder of icons, catalogues, schemas and templates: in the wheel, or beside the package in a clone."""
    inside = Path(__file__).parent / "resources"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "resources"


def tool_modules() -> Path:
    """Return the folder of Go modules from which the practice tools are built: in the wheel, or in a clone."""
    inside = resources() / "tools"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "packaging" / "tools"


def expanded(path: str | Path) -> Path:
    """Return `path` with its leading `~` resolved; one that names nobody stays as it was typed.

    pathlib raises RuntimeError there, and for a user without a home, and no path that a person typed may do that.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111


def home() -> Path:
    """Return the home folder of this user, `/` for one who has none (an unknown number in a container)."""
    found = expanded("~")
    return found if found.is_absolute() else Path("/")


def cache_dir() -> Path:
    """Return the user's cache folder: practice tools, built or downloaded once per user."""
    return Path(platformdirs.user_cache_dir(APP, appauthor=False))


class Directories(msgspec.Struct, frozen=True):
    """Everything the program stores lies below `data` (`--data-dir`); practice tools lie in `tools`."""

    data: Path
    tools: Path

    @property
    def runs(self) -> Path:
        """Private files of runs (kubeconfigs, chart copies), 0700, swept at start."""
        return self.data / "runs"

    @property
    def practice(self) -> Path:
        """State of the practice clusters, one folder a name."""
        return self.data / "practice"

    @property
    def database(self) -> Path:
        """The journal of runs: SQLite in WAL mode."""
        return self.data / "ansflow.db"

    @property
    def settings(self) -> Path:
        """Preferences as JSON."""
        return self.data / "settings.json"


def directories(data_dir: str | Path | None = None) -> Directories:
    """Return the directories below `data_dir`, or below the platform's data directory; nothing is created."""
    data = Path(data_dir) if data_dir else Path(platformdirs.user_data_dir(APP, appauthor=False))
    return Directories(data=expanded(data).absolute(), tools=cache_dir() / "tools")


def make_private(folder: Path) -> Path:
    """Create `folder` and its parents with mode 0700 for itself, and return it.

    Raises OSError where it cannot be created, NotADirectoryError where a file is in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error
    folder.chmod(0o700)
    return folder
