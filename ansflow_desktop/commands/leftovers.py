"""What the last start left, told on stderr by `deploy`, `run` and `info`: a damaged journal, runs without an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansflow_desktop.errors import UserError
from ansflow_desktop.files import is_there
from ansflow_desktop.i18n import msg, translate

if TYPE_CHECKING:
    from ansflow_desktop.commands.session import Session


def tell(session: Session) -> None:
    """Say what became of runs whose AnsFlow died (failure-modes.md, row 1), each once.

    A journal that cannot be read is named and holds up nothing here: a run, which needs it, says so by itself.
    """
    from ansflow_desktop.executors import reconcile

    try:
        runs = reconcile.unfinished_runs(session.services)
        if is_there(session.services.directories.database) and session.services.journal.notice:
            session.out.note(session.services.journal.notice)
        for run in runs:
            first, *more = reconcile.report(session.services, run)
            session.out.note(first)
            for text in more:
                session.out.note("  " + translate(text))
    except UserError as error:
        session.out.note(msg("The record of runs could not be read: %(reason)s", reason=str(error)))
