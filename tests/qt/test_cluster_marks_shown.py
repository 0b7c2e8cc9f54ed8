"""A mark of another entry of the same server is shown wherever one looks: banner, list, details and dialog."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from ansflow_desktop.models.cluster import ClusterMarks
from ansflow_desktop.widgets.cluster_details import DetailCard
from ansflow_desktop.widgets.cluster_form import ClusterDialog


def texts(part):
    return {one.text() for one in part.findChildren(QLabel) if one.isVisible()}


def test_the_mark_of_another_entry_is_seen_with_its_name(window, qtbot, services):
    services.cluster_book.mark("stage", ClusterMarks(read_only=True, production=True))
    window.shell.show_page("clusters")
    page = window.shell.page
    window.clusters.refresh_list()
    window.frame.choose_cluster("dev")
    shown = "dev is a production cluster, and read-only"
    qtbot.waitUntil(lambda: shown in texts(window.shell.banners))
    assert any("that of stage" in text for text in texts(window.shell.banners))
    page.table.choose("dev")
    model = page.table.model()
    cells = {model.index(number, 0).data(): model.index(number, 2).data() for number in range(model.rowCount())}
    assert cells["dev"] == "Production (by stage)  ·  Read-only (by stage)"
    assert cells["stage"] == "Production  ·  Read-only"
    assert cells["dev"] in {one.text() for one in page.findChild(DetailCard).findChildren(QLabel)}
    qtbot.mouseClick(page.findChild(QPushButton, "edit_cluster"), Qt.MouseButton.LeftButton)
    dialog = next(one for one in page.findChildren(ClusterDialog) if one.isVisible())
    assert sum("mark of stage" in text for text in texts(dialog)) == 2
    dialog.reject()
    assert not services.catalog.entry("dev").marks.read_only
