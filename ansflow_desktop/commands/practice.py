"""`practice start|stop|status|remove`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansflow_desktop.commands.interrupt import run_cancellable
from ansflow_desktop.commands.output import table
from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import _, msg, translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansflow_desktop.commands.session import Session
    from ansflow_desktop.practice.cluster import PracticeInfo
    from ansflow_desktop.practice.progress import Progress


EXEC_WARNING = msg(
    "exec into a pod of this cluster runs commands on this machine, as you. The simulated nodes ask nobody who they "
    "are: whoever reaches them can do the same while it runs. Not for a machine with other users. "
    "Stop it when you are done."
)


class ProgressLines:
    """Turns many reports into few lines: one when the work changes, then one every tenth or every ten seconds."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Give each line to `write`."""
        self._write = write
        self._last: tuple[str, str, int] | None = None

    def __call__(self, progress: Progress) -> None:
        """Take one report, from any thread."""
        what, fraction = translate(progress.what), progress.fraction
        mark = int(progress.elapsed_s / 10) if fraction is None else int(fraction * 10)
        if (progress.tool, what, mark) == self._last:
            return
        self._last = (progress.tool, what, mark)
        amount = f" {mark * 10} %" if fraction is not None else f" ({mark * 10} s)" if mark else ""
        self._write(f"{progress.tool}: {what}{amount}")


def practice_start(session: Session) -> int:
    """Start a practice cluster; progress goes to stderr, cluster and kubeconfig to stdout."""
    args = session.args
    info = run_cancellable(
        lambda cancel: session.services.practice.start(
            args.name,
            exec_on_this_machine=args.exec_on_this_machine,
            nodes=args.nodes,
            on_progress=ProgressLines(session.out.note),
            cancel=cancel,
        )
    )
    if session.out.is_text:
        _print(session, [info])
        session.out.line()
        session.out.line(f"kubeconfig: {info.kubeconfig}")
        if info.exec_enabled:
            session.out.note(EXEC_WARNING)
    else:
        session.out.document({"cluster": info.name, "kubeconfig": str(info.kubeconfig)})
    return int(ExitCode.DONE)


def practice_stop(session: Session) -> int:
    """Stop a practice cluster; its state stays."""
    session.services.practice.stop(session.args.name)
    return _say(session, _("Practice cluster %(name)s is stopped; its state is kept.") % {"name": session.args.name})


def practice_remove(session: Session) -> int:
    """Stop a practice cluster and delete its state."""
    session.services.practice.remove(session.args.name)
    return _say(session, _("Practice cluster %(name)s and its state are gone.") % {"name": session.args.name})


def practice_status(session: Session) -> int:
    """Show one practice cluster, or all when none is named."""
    practice = session.services.practice
    found = [practice.status(session.args.name)] if session.args.name else practice.list()
    if session.out.is_text:
        _print(session, found)
    elif session.args.name:
        session.out.document(_row(found[0]))
    else:
        session.out.document([_row(info) for info in found])
    return int(ExitCode.DONE)


def _say(session: Session, text: str) -> int:
    if session.out.is_text:
        session.out.line(text)
    else:
        session.out.document({"cluster": session.args.name, "message": text})
    return int(ExitCode.DONE)


def _row(info: PracticeInfo) -> dict[str, Any]:
    return {
        "cluster": info.name,
        "kubeconfig": str(info.kubeconfig),
        "running": info.running,
        "server": info.server,
        "exec_on_this_machine": info.exec_enabled,
    }


def _print(session: Session, found: list[PracticeInfo]) -> None:
    if not found:
        session.out.note(msg("There is no practice cluster yet. `ansflow-desktop practice start` makes one."))
        return
    words = {True: msg("running"), False: msg("stopped")}
    heads = (_("NAME"), _("STATE"), _("SERVER"))
    session.out.line(table(heads, [(info.name, translate(words[info.running]), info.server) for info in found]))
