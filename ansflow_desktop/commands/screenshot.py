"""`screenshot DIR`: a PNG of every page, drawn by the real window; needs no display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ansflow_desktop import paths
from ansflow_desktop.commands.window import draw_without_display, load_app
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.i18n import LANGUAGES, msg

if TYPE_CHECKING:
    from ansflow_desktop.commands.session import Session

THEMES = ("light", "dark")


def screenshot(session: Session) -> int:
    """Write the pictures and print their paths; `--lang` and `--theme` choose one language and one theme."""
    args = session.args
    draw_without_display()
    load_app()
    from ansflow_desktop import shots

    folder = paths.expanded(args.folder).absolute()
    try:
        written = shots.screenshots(
            session.services,
            folder,
            themes=(args.theme,) if args.theme else THEMES,
            languages=(args.lang,) if args.lang else LANGUAGES,
            chart=str(paths.expanded(args.chart).absolute()) if args.chart else None,
            cluster=args.cluster,
        )
    except OSError as error:
        raise _cannot_write(folder, error) from error
    if session.out.is_text:
        session.out.line("\n".join(map(str, written)))
    else:
        session.out.document([str(path) for path in written])
    return int(ExitCode.DONE)


def _cannot_write(folder: Path, error: OSError) -> UserError:
    return UserError(
        msg("The picture could not be written"),
        error.strerror or str(error),
        msg("Check free space and permissions of %(folder)s.", folder=str(folder)),
        field="folder",
    )
