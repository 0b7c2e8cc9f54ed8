"""The blob in a release Secret: Base64 (the API's) of Base64 (Helm's) of gzip of JSON, read with a cap."""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import re
import threading
import zlib
from typing import Any

import msgspec

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.errors import KubeError

MAX_DECODED = 64 * 1024 * 1024
_KEPT = 20_000
_GZIP = b"\x1f\x8b\x08"
_BEGINNING = 16 * 1024  # characters of the blob: enough for info, notes included, and the chart's metadata
_INFO = re.compile(r'\{"name":"[^"\\]*","info":')
_CHART = ',"chart":{"metadata":'
_JSON = json.JSONDecoder()


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What a row shows beyond the labels; `corrupt` when the blob could not be decoded."""

    updated: str = ""
    chart: str = ""
    app_version: str = ""
    description: str = ""
    corrupt: bool = False


class _Data(msgspec.Struct, frozen=True):
    release: str = ""


class _Secret(msgspec.Struct, frozen=True):
    data: _Data = _Data()


class _Info(msgspec.Struct, frozen=True):
    last_deployed: str = ""
    description: str = ""


class _ChartMetadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    version: str = ""
    app_version: str = ""


class _Chart(msgspec.Struct, frozen=True):
    metadata: _ChartMetadata | None = None


class _Blob(msgspec.Struct, frozen=True):
    """The fields of a release that rows need; msgspec skips the templates and the manifest without making objects."""

    info: _Info | None = None
    chart: _Chart | None = None


class _Config(msgspec.Struct, frozen=True):
    config: dict[str, Any] | None = None


class Hook(msgspec.Struct, frozen=True):
    """One hook of a release: its manifest."""

    manifest: str = ""


class Record(msgspec.Struct, frozen=True):
    """What a revision holds beyond its row: user-supplied values, the manifest, and the hooks' manifests."""

    config: dict[str, Any] | None = None
    manifest: str = ""
    hooks: tuple[Hook, ...] | None = None


class _Kept:
    """Decoded blobs by uid and resourceVersion: a Secret that did not change is never read twice."""

    lock = threading.Lock()
    details: dict[tuple[str, str], Details] = {}  # noqa: RUF012  # one for the process, on purpose


def known(key: tuple[str, str]) -> Details | None:
    """Return what was decoded before for `key` (uid, resourceVersion), None when nothing was."""
    return _Kept.details.get(key)


def remember(key: tuple[str, str], details: Details) -> None:
    """Keep `details` for `key`; the oldest go when there are more than 20,000."""
    with _Kept.lock:
        while len(_Kept.details) >= _KEPT:
            _Kept.details.pop(next(iter(_Kept.details)))
        _Kept.details[key] = details


def details(secret: bytes) -> Details:
    """Return the row's details from a Secret's JSON; never raises: a corrupt blob is marked as such.

    Helm writes `info` and `chart.metadata` first, so the beginning mostly does; templates and manifest, nearly all
    of a release, are then never unpacked.
    """
    try:
        packed = msgspec.json.decode(secret, type=_Secret).data.release
        return _details(_from_beginning(packed) or msgspec.json.decode(_unpacked(packed), type=_Blob))
    except (msgspec.MsgspecError, binascii.Error, zlib.error, ValueError):
        return Details(corrupt=True)


def _details(blob: _Blob) -> Details:
    chart = (blob.chart.metadata if blob.chart else None) or _ChartMetadata()
    info = blob.info or _Info()
    return Details(
        updated=utc(info.last_deployed),
        chart=f"{chart.name}-{chart.version}" if chart.name else "",
        app_version=chart.app_version,
        description=info.description,
    )


def _from_beginning(packed: str) -> _Blob | None:
    """Return the blob's info and chart metadata from its first part, None where that is not laid out as Helm does."""
    try:
        inner = base64.b64decode(base64.b64decode(packed[:_BEGINNING])[: _BEGINNING * 3 // 4 // 4 * 4])
        text = zlib.decompressobj(wbits=31).decompress(inner, _BEGINNING * 8).decode("utf-8", "ignore")
        start = _INFO.match(text)
        info, end = _JSON.raw_decode(text, start.end()) if start else (None, 0)
        if not info or not text.startswith(_CHART, end):
            return None
        metadata, _ = _JSON.raw_decode(text, end + len(_CHART))
        return msgspec.convert({"info": info, "chart": {"metadata": metadata}}, _Blob)
    except (msgspec.MsgspecError, binascii.Error, zlib.error, ValueError):
        return None


def values(secret: bytes) -> dict[str, Any]:
    """Return the user-supplied values in a Secret's JSON; raises KubeError when the blob is corrupt."""
    try:
        packed = msgspec.json.decode(secret, type=_Secret).data.release
        return msgspec.json.decode(_unpacked(packed), type=_Config).config or {}
    except (msgspec.MsgspecError, binascii.Error, zlib.error, ValueError) as error:
        hint = msg("Restore the Secret, or uninstall the release.")
        raise KubeError(msg("The release's record is damaged"), str(error), hint, code=ExitCode.UNKNOWN) from error


def record(secret: bytes) -> Record:
    """Return values and manifests in a Secret's JSON; raises KubeError when the blob is corrupt."""
    try:
        return msgspec.json.decode(_unpacked(msgspec.json.decode(secret, type=_Secret).data.release), type=Record)
    except (msgspec.MsgspecError, binascii.Error, zlib.error, ValueError) as error:
        hint = msg("Restore the Secret, or uninstall the release.")
        raise KubeError(msg("The release's record is damaged"), str(error), hint, code=ExitCode.UNKNOWN) from error


def _unpacked(packed: str) -> bytes:
    inner = base64.b64decode(base64.b64decode(packed))
    if not inner.startswith(_GZIP):
        return inner  # Helm reads releases stored without compression, too
    decompressor = zlib.decompressobj(wbits=31)
    plain = decompressor.decompress(inner, MAX_DECODED)
    if decompressor.unconsumed_tail or not decompressor.eof:
        raise ValueError("the release is cut off or larger than 64 MiB")
    return plain


def utc(stamp: str) -> str:
    """Return an RFC 3339 time in UTC with a Z, its fraction unchanged; empty where it is none."""
    head, _, rest = stamp.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    zone = rest[len(digits) :] if rest else ""
    try:
        moment = datetime.datetime.fromisoformat(head + zone)
    except ValueError:
        return ""
    shown = moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{shown}.{digits}Z" if digits else f"{shown}Z"


def from_epoch(seconds: str) -> str:
    """Return the label `modifiedAt` (epoch seconds) as RFC 3339 in UTC; empty where it is no number."""
    try:
        return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return ""
