"""What is told in banners at the start: tools that are missing or old, damaged files, another window, runs left over.

Everything here blocks and is called off the window's thread; the words are shown later, in the language then in use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.command import Tool, ToolSet
from ansflow_desktop.presenters.shell_state import Banner

if TYPE_CHECKING:
    from ansflow_desktop.executors.reconcile import State, Unfinished

RUN = "run "
"""What the key of a banner on a run left over begins with; the run's id follows."""


def start_banners(services: Any) -> tuple[Banner, ...]:
    """Return what is known at once: a read-only start, and a settings file that was set aside or cannot be read."""
    found: list[Banner] = []
    if services.read_only:
        text = msg("This start was asked to change nothing on any cluster. Start without --read-only to deploy.")
        found.append(Banner(key="read_only", tone="warn", title=msg("Read-only: nothing can be deployed"), text=text))
    if services.settings_notice:
        found.append(Banner(key="settings", tone="warn", title=msg("Settings"), text=services.settings_notice))
    services.catalog.entries()  # so that a damaged list of clusters is noticed now
    if services.shelf.notice:
        found.append(Banner(key="clusters", tone="warn", title=msg("Clusters"), text=services.shelf.notice))
    return tuple(found)


def tool_banners(tools: ToolSet) -> tuple[Banner, ...]:
    """Return what is wrong with helm and kubectl, and how to get them."""
    from ansflow_desktop.tools import require_helm, require_kubectl, tool_warnings

    found = [_tool_banner("helm", "bad", lambda: require_helm(tools))]
    found.append(_tool_banner("kubectl", "warn", lambda: require_kubectl(tools)))
    said = {banner.key for banner in found if banner}
    found += [
        Banner(key=problem.field, tone="warn", title=problem.title, text=problem.hint)
        for problem in tool_warnings(tools)
        if problem.field not in said
    ]
    return tuple(banner for banner in found if banner)


def _tool_banner(name: str, tone: str, require: Callable[[], Tool]) -> Banner | None:
    try:
        require()
    except UserError as error:
        return Banner(key=name, tone=tone, title=error.title, text=_how_to_get(name, error))
    return None


def _how_to_get(name: str, error: UserError) -> Text:
    guide = {"helm": "helm.sh/docs/intro/install", "kubectl": "kubernetes.io/docs/tasks/tools"}[name]
    return msg("%(hint)s How to install it: %(guide)s", hint=error.hint, guide=guide)


def wrong_tool(error: UserError) -> Banner:
    """Return what is wrong with a path that was given for helm or kubectl."""
    text = msg("%(why)s %(hint)s", why=error.message, hint=error.hint) if error.message else error.hint
    return Banner(key="tools", tone="bad", title=error.title, text=text)


def data_banners(services: Any) -> tuple[Banner, ...]:
    """Take the data directory's lock and return what is to be told about the directory: another window, damage."""
    found = [_another_window(services), _journal_notice(services)]
    return tuple(banner for banner in found if banner)


def _another_window(services: Any) -> Banner | None:
    try:
        first = services.instance_lock.acquire()
    except OSError as error:
        title = msg("%(folder)s cannot be written to", folder=str(services.directories.data))
        return Banner(key="data", tone="bad", title=title, text=error.strerror or str(error))
    if first:
        return None
    text = msg("Both can be used side by side. The runs of each are shown in its own window only.")
    return Banner(key="instance", tone="warn", title=msg("Another AnsFlow window is open on the same data"), text=text)


def _journal_notice(services: Any) -> Banner | None:
    if not services.directories.database.exists():
        return None
    try:
        notice = services.journal.notice
    except UserError as error:
        text = msg("%(why)s %(hint)s", why=error.message, hint=error.hint) if error.message else error.hint
        return Banner(key="journal", tone="bad", title=error.title, text=text)
    return Banner(key="journal", tone="warn", title=msg("Record of runs"), text=notice) if notice else None


def runs_left_over(services: Any) -> tuple[Unfinished, ...]:
    """Return the newest runs without an end whose process is gone (failure-modes.md, row 1), at most five."""
    from ansflow_desktop.executors.reconcile import unfinished_runs

    try:
        return unfinished_runs(services)
    except UserError:
        return ()  # told by `data_banners`


def told(services: Any, run: Unfinished) -> None:
    """Write the end of `run` as the cluster says it into the journal: a person was told. Blocks; raises UserError."""
    from ansflow_desktop.executors.reconcile import report

    report(services, run)


def run_banner(run: Unfinished, states: tuple[State, ...]) -> Banner:
    """Return the banner on a run left over; `states` are what the cluster says of its releases now."""
    from ansflow_desktop.executors.reconcile import name_of

    title = msg("%(run)s did not end: AnsFlow was closed or ended in the middle of it", run=name_of(run))
    locked = any(state.release is not None and state.release.status.pending for state in states)
    return Banner(key=RUN + run.run, tone="bad" if locked else "warn", title=title, text=_text(run, states))


def _text(run: Unfinished, states: tuple[State, ...]) -> Text:
    from ansflow_desktop.executors.reconcile import sentence, still_working

    if run.alive:
        return still_working(run)
    said = [sentence(state) for state in states] or [msg("What its steps had done until then stays done.")]
    text: Text = said[0]
    for more in said[1:]:
        text = msg("%(one)s %(more)s", one=text, more=more)
    return text
