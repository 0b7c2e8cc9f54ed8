"""Files that renew a ServiceAccount's token by themselves: scripts, a systemd timer, a CronJob, a kubeconfig `exec`.

The texts stand in resources/automation; what is filled in is quoted for the language of the file it goes into, and none
of it is secret. Every file asks for the new token by TokenRequest, tries it, and only then replaces the old one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import msgspec

from ansflow_desktop import paths
from ansflow_desktop.credentials import automation_quote as quote
from ansflow_desktop.credentials import automation_values as values
from ansflow_desktop.credentials.automation_values import AutomationRequest
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.credential import GeneratedFile

Kind: TypeAlias = Literal["bash", "powershell", "systemd", "cronjob", "exec"]

KINDS: tuple[Kind, ...] = ("bash", "powershell", "systemd", "cronjob", "exec")

_PLACE = re.compile(r"@@(=?)([A-Z_]+)@@")
_PROGRAM, _TEXT = 0o700, 0o600


def files(kind: str, request: AutomationRequest) -> tuple[GeneratedFile, ...]:
    """Return the files of `kind` (one of KINDS) for `request`.

    Raises UserError for a kind, name, lifetime or path that cannot be used.
    """
    values.require(kind, request, KINDS)
    return _MAKERS[kind](request)


def _bash(request: AutomationRequest) -> tuple[GeneratedFile, ...]:
    target = values.target(request)
    about = msg(
        "Renews the token in %(target)s. Run it from cron or by hand; it needs bash and kubectl.", target=target
    )
    if not request.source:
        about = msg(
            "Renews the token in %(target)s, which has to be there: save a renewed token to it first. Run the script "
            "from cron or by hand; it needs bash and kubectl, and the account the right to renew its own token.",
            target=target,
        )
    return (_file(values.script_name(request, ".sh"), "renew.sh", quote.bash, request, _PROGRAM, about),)


def _powershell(request: AutomationRequest) -> tuple[GeneratedFile, ...]:
    about = msg(
        "Renews the token in %(target)s. Run it from Task Scheduler; it needs PowerShell 5.1 or later and kubectl.",
        target=values.target(request),
    )
    made = _file(values.script_name(request, ".ps1"), "renew.ps1", quote.powershell, request, _TEXT, about)
    if made.text.isascii():
        return (made,)
    return (msgspec.structs.replace(made, text=f"\ufeff{made.text}"),)  # PowerShell 5.1 knows UTF-8 by its mark only


def _systemd(request: AutomationRequest) -> tuple[GeneratedFile, ...]:
    unit = values.unit_name(request)
    install = msg(
        "Put both units into ~/.config/systemd/user, then: systemctl --user daemon-reload && "
        "systemctl --user enable --now %(unit)s.timer",
        unit=unit,
    )
    service = msg("Runs the script once; its output is in journalctl --user -u %(unit)s.", unit=unit)
    return (
        *_bash(request),
        _file(f"{unit}.service", "renew.service", quote.systemd, request, _TEXT, service),
        _file(f"{unit}.timer", "renew.timer", quote.systemd, request, _TEXT, install),
    )


def _cronjob(request: AutomationRequest) -> tuple[GeneratedFile, ...]:
    about = msg(
        "Keeps a fresh token in the Secret %(secret)s of the cluster itself, with no more rights than that takes. "
        "Put it to use: kubectl apply -f FILE",
        secret=f"{request.namespace}/{values.secret_name(request)}",
    )
    return (_file(values.script_name(request, "-cronjob.yaml"), "cronjob.yaml", quote.yaml, request, _TEXT, about),)


def _exec(request: AutomationRequest) -> tuple[GeneratedFile, ...]:
    helper = msg("Gives kubectl and helm a fresh token and keeps it, 0600, until two thirds of its life are over.")
    stanza = msg("A kubeconfig that asks the script. Use it by --kubeconfig, or take its user into your own file.")
    return (
        _file(values.script_name(request, "-exec.sh"), "exec.sh", quote.bash, request, _PROGRAM, helper),
        _file(values.script_name(request, "-exec.yaml"), "exec.yaml", quote.yaml, request, _TEXT, stanza),
    )


def _file(
    name: str, source: str, quoted: Callable[[str], str], request: AutomationRequest, mode: int, about: Text
) -> GeneratedFile:
    template = (paths.resources() / "automation" / source).read_text(encoding="utf-8")
    return GeneratedFile(name=name, text=_filled(template, values.filled(request), quoted), mode=mode, about=about)


def _filled(template: str, known: Mapping[str, str], quoted: Callable[[str], str]) -> str:
    """Return the template with each `@@NAME@@` replaced by its quoted value, `@@=NAME@@` by the bare one."""
    return _PLACE.sub(lambda found: known[found[2]] if found[1] else quoted(known[found[2]]), template)


_MAKERS: Mapping[str, Callable[[AutomationRequest], tuple[GeneratedFile, ...]]] = {
    "bash": _bash,
    "powershell": _powershell,
    "systemd": _systemd,
    "cronjob": _cronjob,
    "exec": _exec,
}
