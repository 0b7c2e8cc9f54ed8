"""`info`: what this machine has; no cluster is contacted, but for a run whose AnsFlow died."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansflow_desktop import __version__
from ansflow_desktop.commands import leftovers
from ansflow_desktop.commands.output import table
from ansflow_desktop.commands.session import Session, tell_problems
from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import _, msg

if TYPE_CHECKING:
    from ansflow_desktop.models.command import Tool


def info(session: Session) -> int:
    """Show version, tools, directories and clusters found; always exit code 0."""
    services = session.services
    leftovers.tell(session)
    tell_problems(session, services.catalog.problems())
    document: dict[str, Any] = {
        "version": __version__,
        "tools": {"helm": _tool(services.tools.helm), "kubectl": _tool(services.tools.kubectl)},
        "directories": {"data": str(services.directories.data), "tools": str(services.directories.tools)},
        "clusters": [
            {"name": entry.name, "server": entry.server, "source": entry.source} for entry in services.catalog.entries()
        ],
    }
    if session.out.is_text:
        _print(session, document)
    else:
        session.out.document(document)
    return int(ExitCode.DONE)


def _tool(tool: Tool | None) -> dict[str, str] | None:
    return {"path": tool.path, "version": tool.version} if tool else None


def _print(session: Session, document: dict[str, Any]) -> None:
    out = session.out
    out.line(f"AnsFlow Desktop {document['version']}")
    out.line()
    rows = [
        (name, found["version"], found["path"]) if found else (name, _("not found"), "")
        for name, found in document["tools"].items()
    ]
    out.line(table((_("TOOL"), _("VERSION"), _("PATH")), rows))
    out.line()
    out.line(table((_("DIRECTORY"), _("PATH")), list(document["directories"].items())))
    out.line()
    clusters = [(item["name"], item["server"], item["source"]) for item in document["clusters"]]
    if clusters:
        out.line(table((_("NAME"), _("SERVER"), _("SOURCE")), clusters))
    else:
        out.line(msg("No cluster found. `ansflow-desktop practice start` starts one on this machine."))
