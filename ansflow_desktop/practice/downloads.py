"""Downloads one tool from its publisher: resumed where it was cut off, never used without a matching SHA-256.

The checksum is the pinned one, else the publisher's own file beside the download, else the digest that GitHub's API
gives for the release's asset. Where none can be had, nothing is downloaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import queue
import shutil
import socket
import tarfile
import threading
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from typing import IO, TYPE_CHECKING

from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.practice.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ansflow_desktop.practice.pins import Pin
    from ansflow_desktop.process import Cancel

CONNECT_S = 3.0
"""How long (seconds) an address may take to answer a connection before the tools are built instead."""

_READ_S = 20.0
_ATTEMPTS = 4
_CHUNK = 256 * 1024
_SMALL = 4 * 1024 * 1024
_HASH_LENGTH = 64


class Unavailable(Exception):
    """The tool cannot be downloaded here; `reason` says why. Not an error by itself: it can still be built."""

    def __init__(self, reason: Text) -> None:
        """Keep the reason."""
        super().__init__(str(reason))
        self.reason = reason


class Downloader:
    """Downloads tools for one session; after one failed connection no further address is tried."""

    def __init__(self) -> None:
        """Start without a known failure."""
        self._offline: Unavailable | None = None

    def fetch(self, pin: Pin, folder: Path, report: Callable[[Progress], None], cancel: Cancel | None = None) -> Path:
        """Download the program of `pin` into `folder`, check it and return its path there (not yet executable).

        Raises Unavailable when it cannot be had, UserError when what came is not what the publisher promised, when
        the user cancelled, and OSError when `folder` cannot be written.
        """
        if not pin.url:
            raise Unavailable(msg("The publisher offers no %(tool)s for this system", tool=pin.name))
        self._check_reach(pin.url)
        expected = self._checksum(pin)
        archive = folder / f"{pin.folder}-{pin.url.rsplit('/', 1)[-1]}.part"
        self._attempts(pin, archive, report, cancel)
        _verify(pin, archive, expected)
        program = _extract(pin, archive)
        archive.unlink(missing_ok=True)
        return program

    def _check_reach(self, url: str) -> None:
        if self._offline is None and not _reachable(url):
            host = urllib.parse.urlsplit(url).hostname or url
            self._offline = Unavailable(msg("%(host)s could not be reached", host=host))
        if self._offline is not None:
            raise self._offline

    def _checksum(self, pin: Pin) -> str:
        if pin.sha256:
            return pin.sha256
        source, api = pin.checksum.removeprefix("github:"), pin.checksum.startswith("github:")
        self._check_reach(source)
        try:
            with _open(source) as answer:
                text = answer.read(_SMALL).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise _unavailable(source, error) from error
        found = _asset_digest(text, pin.url) if api else _listed_digest(text, pin.url)
        if not found:
            raise Unavailable(msg("No checksum of %(tool)s was found at %(address)s", tool=pin.name, address=source))
        return found

    def _attempts(self, pin: Pin, archive: Path, report: Callable[[Progress], None], cancel: Cancel | None) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return _transfer(pin, archive, report, cancel)
            except urllib.error.HTTPError as error:
                error.close()
                raise _unavailable(pin.url, error) from error
            except (OSError, http.client.HTTPException) as error:
                if attempt == _ATTEMPTS or not isinstance(error, _CutOff | socket.timeout | ConnectionError):
                    raise _unavailable(pin.url, error) from error


class _CutOff(OSError):
    """The connection ended before everything had come."""


def _reachable(url: str) -> bool:
    """Return whether the address (or the proxy for it) takes a connection within `CONNECT_S`, name lookup included."""
    parts = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urllib.parse.urlsplit(proxy)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    answers: queue.Queue[bool] = queue.Queue()
    threading.Thread(target=_connect, args=(parts.hostname or "", port, answers), daemon=True).start()
    try:
        return answers.get(timeout=CONNECT_S)
    except queue.Empty:
        return False


def _connect(host: str, port: int, answers: queue.Queue[bool]) -> None:
    """Answer whether a connection could be made; on a thread of its own, for a name lookup has no time limit."""
    try:
        socket.create_connection((host, port), CONNECT_S).close()
        answers.put(True)
    except OSError:
        answers.put(False)


def _open(url: str, start: int = 0) -> http.client.HTTPResponse:
    headers = {"User-Agent": "ansflow-desktop", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # https addresses of pins.toml only
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_READ_S)  # noqa: S310  # as above
    return answer


def _transfer(pin: Pin, archive: Path, report: Callable[[Progress], None], cancel: Cancel | None) -> None:
    """Append what is still missing to `archive`, or start over where the server does not resume."""
    have = archive.stat().st_size if archive.exists() else 0
    try:
        answer = _open(pin.url, have)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        error.close()
        archive.unlink()
        have, answer = 0, _open(pin.url)
    with answer:
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        have = have if resumed else 0
        total = have + int(answer.headers.get("Content-Length") or 0)
        with archive.open("ab" if resumed else "wb") as file:
            _copy(pin, answer, file, have, total, report, cancel)


def _copy(
    pin: Pin,
    source: http.client.HTTPResponse,
    target: IO[bytes],
    have: int,
    total: int,
    report: Callable[[Progress], None],
    cancel: Cancel | None,
) -> None:
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        have += len(chunk)
        report(Progress(tool=pin.key, what=msg("Downloading"), fraction=min(1.0, have / total) if total else None))
        if cancel is not None and cancel.requested:
            raise UserError(msg("Cancelled"), code=ExitCode.CANCELLED)
    if have < total:
        raise _CutOff("the connection was cut off")


def _unavailable(url: str, error: Exception) -> Unavailable:
    return Unavailable(msg("%(address)s: %(reason)s", address=url, reason=str(error) or type(error).__name__))


def _listed_digest(text: str, url: str) -> str:
    """Return the checksum in a file that holds one alone, or `<checksum>  <file name>` lines."""
    name = url.rsplit("/", 1)[-1]
    lines = [line.split() for line in text.splitlines() if line.strip()]
    alone = lines[0][0] if len(lines) == 1 and len(lines[0]) == 1 else ""
    named = next((line[0] for line in lines if len(line) > 1 and line[-1].lstrip("*") == name), "")
    return _digest(named or alone)


def _asset_digest(text: str, url: str) -> str:
    """Return the digest of the asset with the download's file name in GitHub's description of a release."""
    name = url.rsplit("/", 1)[-1]
    try:
        assets = json.loads(text).get("assets", [])
    except (ValueError, AttributeError):
        return ""
    found = next((asset.get("digest") or "" for asset in assets if asset.get("name") == name), "")
    return _digest(found.removeprefix("sha256:"))


def _digest(text: str) -> str:
    lowered = text.lower()
    return lowered if len(lowered) == _HASH_LENGTH and not lowered.strip("0123456789abcdef") else ""


def _verify(pin: Pin, archive: Path, expected: str) -> None:
    """Raise UserError, and drop the download, unless it has the expected checksum."""
    with archive.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual == expected:
        return
    archive.unlink()
    raise UserError(
        msg("The download of %(tool)s is not what its publisher released", tool=pin.name),
        msg("SHA-256 is %(actual)s, expected %(expected)s.", actual=actual, expected=expected),
        msg("Nothing of it was used. Try again; if it stays so, the network between changes downloads."),
        code=ExitCode.FAILED,
    )


def _extract(pin: Pin, archive: Path) -> Path:
    """Return a copy of the program alone, taken out of the verified archive."""
    program = archive.with_suffix(".program")
    try:
        with _member(pin, archive) as source, program.open("wb") as target:
            shutil.copyfileobj(source, target)
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise Unavailable(
            msg("The archive of %(tool)s could not be read: %(reason)s", tool=pin.name, reason=str(error))
        ) from error
    return program


@contextlib.contextmanager
def _member(pin: Pin, archive: Path) -> Iterator[IO[bytes]]:
    with contextlib.ExitStack() as stack:
        if not pin.member:
            yield stack.enter_context(archive.open("rb"))
        elif pin.url.endswith(".zip"):
            bundle = stack.enter_context(zipfile.ZipFile(archive))
            yield stack.enter_context(bundle.open(pin.member))
        else:
            yield _tar_member(stack.enter_context(tarfile.open(archive)), pin.member)


def _tar_member(bundle: tarfile.TarFile, name: str) -> IO[bytes]:
    file = bundle.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file
