"""Pictures of the window: every page in every look, and the run that the demo shows."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

from ansflow_desktop import i18n
from ansflow_desktop.app import HEIGHT, WIDTH, application, make_window
from ansflow_desktop.models.cluster import Reach
from ansflow_desktop.widgets import theme
from ansflow_desktop.widgets.rail import PAGES
from ansflow_desktop.widgets.shell import LEAST_HEIGHT, LEAST_WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from ansflow_desktop.app import Window
    from ansflow_desktop.executors.services import Services
    from ansflow_desktop.models.deploy import DeployRequest
    from ansflow_desktop.models.run import RunEvent

_SETTLE_S = 15.0
_PAINT_S = 0.08


def screenshots(
    services: Services,
    folder: Path,
    themes: Sequence[str] = theme.THEMES[1:],
    languages: Sequence[str] = i18n.LANGUAGES,
    *,
    chart: str | None = None,
    cluster: str | None = None,
    scaled: bool = True,
) -> list[Path]:
    """Write every page in each theme and language to `folder` as `<view>-<theme>-<language>.png`; return the paths.

    Views are the pages, their other tabs and their most important dialogs.

    With `scaled` also at 200 % on the smallest window (`...-200.png`). Settings are not changed. Raises UserError or
    OSError where a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    with _picture_window(services, chart, cluster) as window:
        for look, language in product(themes, languages):
            window.frame.appear(language, look)
            written += _every_page(window, folder, f"{look}-{language}", scaled=scaled)
    return written


def _every_page(window: Window, folder: Path, name: str, *, scaled: bool) -> list[Path]:
    from ansflow_desktop.presenters.loop import spin
    from ansflow_desktop.shots_views import views

    written: list[Path] = []
    for page, _icon, _word in PAGES:
        window.shell.show_page(page)
        spin(partial(_page_settled, window, page), _SETTLE_S)
        for view, widget in views(window, page):
            written += _both_scales(window, widget, folder / f"{view}-{name}", scaled=scaled)
    return written


def _both_scales(window: Window, widget: QWidget, path: Path, *, scaled: bool) -> list[Path]:
    """Write `widget` at 100 %, and with `scaled` at 200 % on the smallest window."""
    from ansflow_desktop.presenters.loop import spin
    from ansflow_desktop.widgets import pictures

    written: list[Path] = []
    for ratio, size, suffix in ((1, (WIDTH, HEIGHT), ""), (2, (LEAST_WIDTH, LEAST_HEIGHT), "-200")):
        if ratio == 1 or scaled:
            window.shell.resize(*size)
            spin(lambda: False, _PAINT_S)
            written.append(pictures.save(widget, path.with_name(f"{path.name}{suffix}.png"), ratio))
    window.shell.resize(WIDTH, HEIGHT)  # the next dialog is made for this size
    return written


def _page_settled(window: Window, page: str) -> bool:
    """Return whether the page shows what it read when it was first shown."""
    if page == "pipelines":
        return window.pipelines.state.loaded
    if page == "credentials":
        return bool(window.credentials.state.asked_at or window.credentials.state.error)
    return page != "templates" or window.templates.state.loaded


def screenshot_of_run(services: Services, request: DeployRequest, events: Sequence[RunEvent], path: Path) -> list[Path]:
    """Write the window with a finished run on its Deploy page to `path`, and the release table beside it.

    `events` are those of the run, as emitted or as journalled. Returns both paths (`<name>.png` and
    `<name>-releases.png`).
    """
    from ansflow_desktop.presenters.loop import spin
    from ansflow_desktop.widgets import pictures

    with _picture_window(services, request.chart_path, request.cluster) as window:
        window.deploy.show_finished(request, events)
        spin(lambda: _settled(window), _SETTLE_S)
        spin(lambda: False, _PAINT_S)
        first = pictures.save(window.shell, path)
        window.shell.show_page("releases")
        spin(lambda: False, _PAINT_S)
        return [first, pictures.save(window.shell, path.with_name(f"{path.stem}-releases{path.suffix}"))]


@contextmanager
def _picture_window(services: Services, chart: str | None, cluster: str | None) -> Iterator[Window]:
    from ansflow_desktop.presenters import loop
    from ansflow_desktop.presenters.collector import Collector

    app = application()
    collector = Collector()
    language, dark = i18n.active_language(), theme.current().dark
    running = loop.open_loop(app)
    window = make_window(services, chart, cluster)
    window.shell.show()
    try:
        loop.spin(lambda: _settled(window), _SETTLE_S)
        yield window
    finally:
        loop.run_here(window.aclose())
        window.shell.may_close = True
        window.shell.close()
        window.shell.deleteLater()
        loop.close_loop(running)
        collector.stop()
        i18n.set_language(language)
        theme.apply(app, "dark" if dark else "light")


def _settled(window: Window) -> bool:
    """Return whether everything that is read at the start was answered, one way or the other."""
    from ansflow_desktop.presenters.deploy_state import PreviewStatus

    deploy, rows = window.deploy.state, window.clusters.state.rows
    asking = any(row.status.reach in (Reach.UNCHECKED, Reach.CHECKING) for row in rows)
    chosen = window.frame.state.row
    reached = chosen is not None and chosen.status.reach is Reach.REACHABLE
    read = not reached or bool(window.releases.state.fresh_at or window.releases.state.error)
    return bool(rows and not asking and read and window.frame.state.tools) and (
        not deploy.chart_path or (deploy.planned and deploy.preview.status is not PreviewStatus.LOADING)
    )
