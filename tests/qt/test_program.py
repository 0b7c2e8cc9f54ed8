"""The program as a whole: it opens, closes, and draws its own pictures."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage
from window_kit import EXAMPLE

from ansflow_desktop import app as program
from ansflow_desktop import i18n, shots
from ansflow_desktop.executors.services import Options
from ansflow_desktop.models.deploy import DeployRequest
from ansflow_desktop.models.run import Output, Phase, RunFinished, RunStarted, StepFinished
from ansflow_desktop.presenters.collector import Collector
from ansflow_desktop.widgets import theme
from ansflow_desktop.widgets.rail import PAGES
from ansflow_desktop.widgets.shell import Shell


def test_the_window_opens_on_a_chart_and_closes(qapp, tmp_path):
    seen = []

    def look():
        shells = [one for one in qapp.topLevelWidgets() if isinstance(one, Shell) and one.isVisible()]
        if not shells or shells[0].page is None or shells[0].page.presenter.state.chart is None:
            return
        timer.stop()
        seen.append(shells[0].page.presenter.state.chart.name)
        shells[0].close()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    code = program.run_window(Options(data_dir=str(tmp_path / "data"), lang="en"), chart=str(EXAMPLE))
    assert (code, seen) == (0, ["fe-app"])


def test_pictures_show_every_page_at_both_scales_and_change_no_setting(qapp, services, tmp_path):
    before = services.settings
    made = shots.screenshots(services, tmp_path / "pictures", ("dark",), ("zh_CN",), chart=str(EXAMPLE))
    dialogs = {"clusters": ("clusters-add", "vault-create"), "templates": ("settings",)}
    views = [view for page, _icon, _word in PAGES for view in (page, *dialogs.get(page, ()))]
    expected = [f"{view}-dark-zh_CN{end}.png" for view in views for end in ("", "-200")]
    assert [path.name for path in made if not path.name.startswith("credentials-renew")] == expected
    sizes = [(QImage(str(path)).width(), QImage(str(path)).height()) for path in made[:2]]
    assert sizes == [(1440, 900), (2048, 1400)]
    assert QImage(str(made[0])).pixelColor(1435, 895).name().upper() == theme.DARK.background
    assert services.settings == before
    assert i18n.active_language() == "en"


def test_picture_of_a_finished_run(qapp, services, tmp_path):
    events = [
        RunStarted(time=1, run="r", pipeline="p", steps=("deploy",)),
        Output(time=2, run="r", stream="stdout", text="STATUS: deployed\n"),
        StepFinished(time=3, run="r", step="deploy", phase=Phase.SUCCEEDED, exit_code=0),
        RunFinished(time=4, run="r", phase=Phase.SUCCEEDED),
    ]
    request = DeployRequest(chart_path=str(EXAMPLE), cluster="dev", namespace="fe", release_name="fe-app-release")
    made = shots.screenshot_of_run(services, request, events, tmp_path / "run.png")
    assert [path.name for path in made] == ["run.png", "run-releases.png"]
    picture = QImage(str(made[0]))
    colours = {picture.pixelColor(x, 150).name().upper() for x in range(640, 1400, 5)}
    assert theme.current().ok_soft in colours, "the verdict stands at the top of the right column"


def test_garbage_is_collected_on_the_thread_of_the_window_alone(qapp):
    import gc

    collector = Collector()
    assert not gc.isenabled()
    gc.collect()
    kept = [[] for _ in range(2000)]
    assert gc.get_count()[0] > gc.get_threshold()[0]
    collector.collect()
    assert gc.get_count()[0] < 500 and kept
    collector.stop()
    assert gc.isenabled()
