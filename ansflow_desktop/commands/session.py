"""What every subcommand is given: the parsed arguments, the services, and where to write."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, TextIO

from ansflow_desktop.commands.output import Output, problem_lines
from ansflow_desktop.errors import UserError
from ansflow_desktop.executors.services import Services
from ansflow_desktop.i18n import _, msg
from ansflow_desktop.kube.text import visible
from ansflow_desktop.models.problem import Problem, Severity
from ansflow_desktop.pipelines.fields import NAME
from ansflow_desktop.pipelines.variables import is_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ansflow_desktop.models.cluster import ClusterEntry, ExecPlugin


class Session:
    """One call of the command line."""

    def __init__(self, args: argparse.Namespace, services: Services, out: Output) -> None:
        """Keep the three parts."""
        self.args = args
        self.services = services
        self.out = out

    def entry(self, name: str) -> ClusterEntry:
        """Return the cluster `name`, its credential program approved, ready to be contacted.

        Raises UserError for an unknown or broken entry, and for a credential program that nobody approved.
        """
        entry = self.services.catalog.entry(name)
        if entry.problem:
            raise UserError(msg("Cluster %(name)s cannot be used", name=name), entry.problem, field="k8s_cluster")
        if entry.exec_plugin and not self.services.approvals.approved(entry.exec_plugin):
            shown = self.services.cluster_book.shown(entry)
            self._approve(shown, shown.exec_plugin or entry.exec_plugin)
        return entry

    def namespace(self, entry: ClusterEntry, field: str = "k8s_namespace") -> str:
        """Return `-n`, else the namespace of the cluster's context; raises UserError when there is neither."""
        namespace = self.args.namespace if self.args.namespace is not None else entry.namespace
        if namespace:
            return str(namespace)
        raise UserError(
            msg("No namespace given"),
            msg("The context %(name)s has none of its own.", name=entry.name),
            msg("Give one with -n."),
            field=field,
        )

    def _approve(self, entry: ClusterEntry, plugin: ExecPlugin) -> None:
        if plugin.digest and plugin.digest in self.args.approve_plugin:
            self.services.approvals.approve(plugin)
            return
        if not _is_terminal(sys.stdin) or not _is_terminal(sys.stderr):
            raise approval_needed(entry, plugin)
        self.out.note(_("The cluster %(name)s runs this program to get credentials:") % {"name": entry.name})
        self.out.note("\n".join(plugin_lines(plugin)))
        self.out.note(_("Allow it? [y/N]"))
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise approval_needed(entry, plugin)
        self.services.approvals.approve(plugin)


def _is_terminal(stream: TextIO | None) -> bool:
    """Return whether a person is there; None is a stream that was closed by whoever started this process."""
    return stream is not None and not stream.closed and stream.isatty()


def tell_problems(session: Session, problems: Sequence[Problem]) -> None:
    """Write what is wrong with the kubeconfig files to stderr; mere remarks are left out."""
    for problem in problems:
        if problem.severity is not Severity.INFO:
            session.out.note("\n".join(problem_lines(problem)))


def plugin_lines(plugin: ExecPlugin) -> list[str]:
    """Return what a credential program would run, one item a line, for a person to judge (failure-modes.md, row 8)."""
    found = [(_("command"), plugin.command), *((_("argument"), arg) for arg in plugin.shown_args)]
    found += [(_("environment"), f"{name}={value}") for name, value in plugin.shown_env]
    return [f"  {label}: {visible(text)}" for label, text in (*found, (_("digest"), plugin.digest))]


def approval_needed(entry: ClusterEntry, plugin: ExecPlugin) -> UserError:
    """Return the error that shows the program and says how to allow it."""
    return UserError(
        msg("The cluster %(name)s asks to run a program that nobody has allowed yet", name=entry.name),
        "\n".join(plugin_lines(plugin)),
        msg("To allow exactly this program, once and for all, add: --approve-plugin %(digest)s", digest=plugin.digest),
        field="k8s_cluster",
    )


def pairs(given: Sequence[str], option: str) -> dict[str, str]:
    """Return `K=V` options as a mapping; raises UserError for one without `=` or without a name.

    Those of the option `variable` must be names of variables, with values that are text.
    """
    found: dict[str, str] = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator or not name:
            raise UserError(msg("%(text)s is not of the form K=V", text=item), field=option)
        if option == "variable":
            _require_variable(name, value)
        found[name] = value
    return found


def _require_variable(name: str, value: str) -> None:
    title, hint = None, msg("Use letters, digits and underscores, and begin with a letter.")
    if not NAME.fullmatch(name):
        title = msg("%(name)s cannot be the name of a variable", name=name)
    elif not is_text(value):
        title, hint = msg("The value of %(name)s is not UTF-8 text", name=name), msg("Give the name of a file instead.")
    if title:
        raise UserError(title, "", hint, field="variable")
