"""Fits a helm command to what the user may do: no flag that must fail although the deploy itself is allowed."""

from __future__ import annotations

import msgspec

from ansflow_desktop.i18n import Message, msg
from ansflow_desktop.kube.rights import Rights
from ansflow_desktop.models.command import Command, Tool

_CREATE, _WAIT, _LEGACY = "--create-namespace", "--wait", "--wait=legacy"


def verbs(helm: Tool, command: Command) -> tuple[str, ...]:
    """Return the verbs on the namespace that `command` uses: Helm 3 creates it, Helm 4 applies it."""
    if _CREATE not in command.argv:
        return ()
    return ("create", "patch") if helm.major >= 4 else ("create",)


def watches(helm: Tool, command: Command) -> bool:
    """Return whether `command` waits in Helm 4's way, which needs the rights to list and watch (row 25)."""
    return helm.major >= 4 and _WAIT in command.argv


def fitted(command: Command, rights: Rights) -> tuple[Command, tuple[Message, ...]]:
    """Return the command without what the user may not do, and what to say about it."""
    notices = []
    if not rights.make_namespace and _CREATE in command.argv:
        command = _without(command, _CREATE)
        notices.append(
            msg("Your account may not create or change namespaces, and this one exists: without --create-namespace.")
        )
    if not rights.watch and _WAIT in command.argv:
        argv = tuple(_LEGACY if arg == _WAIT else arg for arg in command.argv)
        command = msgspec.structs.replace(command, argv=argv)
        notices.append(
            msg("Your account may not list and watch deployments here, which Helm 4 needs to wait: --wait=legacy.")
        )
    return command, tuple(notices)


def _without(command: Command, flag: str) -> Command:
    place = command.argv.index(flag)
    argv = (*command.argv[:place], *command.argv[place + 1 :])
    masked = tuple(index - (index > place) for index in command.masked)
    return msgspec.structs.replace(command, argv=argv, masked=masked)
