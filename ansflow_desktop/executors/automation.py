"""Files that renew a cluster's token by themselves: for which account, asked by whom, written where."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ansflow_desktop.credentials import automation_values
from ansflow_desktop.credentials.automation_values import AutomationRequest
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors import renewal
from ansflow_desktop.files import is_file, is_folder, is_there, open_to_read, write_atomic
from ansflow_desktop.i18n import msg
from ansflow_desktop.models.credential import GeneratedFile
from ansflow_desktop.paths import expanded

if TYPE_CHECKING:
    from ansflow_desktop.executors.services import Services

_OURS = b"Made by AnsFlow Desktop"
_HEAD = 400


async def request_for(
    services: Services,
    cluster: str,
    *,
    namespace: str = "",
    account: str = "",
    seconds: int = renewal.DAY_S,
    folder: str = "",
) -> AutomationRequest:
    """Return what files for `cluster` are made of; without an account it is that of the token in use.

    The user's own kubeconfig and context ask for the token where the cluster stands in one. Raises UserError for an
    unknown, unapproved or locked cluster, and where no ServiceAccount is known.
    """
    if not account:
        known = await renewal.renewable(services, cluster)
        namespace, account = known.namespace, known.account
        if not account:
            title = msg("Only the token of a ServiceAccount can be renewed by a script")
            hint = msg("Name one as NAMESPACE/NAME, such as default/deployer.")
            raise UserError(title, known.reason, hint, field="account")
    document = await asyncio.to_thread(services.catalog.document, cluster)
    made = automation_values.request_of(document, cluster, namespace, account, seconds)
    if folder:
        made = msgspec.structs.replace(made, folder=str(expanded(folder).absolute()))
    if await asyncio.to_thread(services.cluster_book.own, cluster):
        return made
    target = await asyncio.to_thread(services.catalog.user_target, cluster)
    return msgspec.structs.replace(made, source=target.kubeconfig, context=target.context)


def save(files: Sequence[GeneratedFile], folder: str, *, replace: bool = True) -> tuple[Path, ...]:
    """Write the files into `folder` (made where it is missing) and return their paths.

    Files of the same names are replaced where this program made them, unless `replace` is False: that is an error of
    the field `exists`. Raises UserError, before anything is written, for a name that somebody else's file has, and
    where the folder cannot be written.
    """
    place = expanded(folder).absolute()
    if is_there(place) and not is_folder(place):
        raise UserError(msg("%(folder)s is not a folder", folder=str(place)), field="out")
    paths = tuple(place / Path(file.name).name for file in files)
    for path in paths:
        _require_ours(path)
    there = [path.name for path in paths if is_there(path)]
    if there and not replace:
        title = msg("There is a file of this name already: %(names)s", names=", ".join(there))
        raise UserError(title, "", msg("Choose another folder, or replace it."), field="exists")
    for path, file in zip(paths, files, strict=True):
        write_atomic(path, file.text.encode(), mode=file.mode)
    return paths


def _require_ours(path: Path) -> None:
    if not is_there(path):
        return
    try:
        with open_to_read(path) as stream:
            mine = os.fstat(stream.fileno()).st_uid == os.geteuid()  # what is written over stays its owner's
            ours = mine and is_file(path) and _OURS in stream.read(_HEAD)
    except OSError:
        ours = False
    if not ours:
        title = msg("%(file)s is there already and was not made by this program", file=str(path))
        raise UserError(title, "", msg("Choose another folder."), field="out")
