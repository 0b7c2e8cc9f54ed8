"""What the boxes offer: clusters, their real namespaces, objects, containers, charts and files; never unasked."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit
from step_form_kit import Shown, picture

from ansflow_desktop.errors import UserError
from ansflow_desktop.models.cluster import NamespaceList
from ansflow_desktop.presenters.completions import Answer, Completions, charts_below
from ansflow_desktop.widgets.form_boxes import NameList

SCALE = {"name": "s", "type": "k8s_scale", "k8s_cluster": "dev", "k8s_namespace": "fe"}
DEPLOY = {"name": "d", "type": "k8s_deploy", "k8s_config": {"deploy_type": "helm"}}


@pytest.fixture
def make(loop, services, reads, qtbot, tmp_path):
    """A function that shows a step; every form is closed at the end."""
    made: list[Shown] = []

    def show(step: dict, folder: Path = tmp_path, size=(460, 900)) -> Shown:
        made.append(Shown(services, reads, qtbot, copy.deepcopy(step), str(folder), size))
        return made[-1]

    yield show
    for shown in made:
        shown.close()


def offered(shown: Shown, name: str) -> list[str]:
    return shown.find(name, QLineEdit).names


def test_the_cluster_box_lists_all_clusters_and_choosing_one_loads_its_namespaces(make, qtbot):
    shown = make({**SCALE, "k8s_cluster": "", "k8s_namespace": "old"})
    box = shown.find("field_k8s_cluster", QLineEdit)
    qtbot.waitUntil(lambda: offered(shown, "field_k8s_cluster") == ["dev", "stage", "prod"])
    assert offered(shown, "field_k8s_namespace") == []
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(box.width() - 10, 15))
    names = shown.form.findChild(NameList)
    qtbot.waitUntil(names.isVisible)
    picture(shown.form, "offers")
    row = names.visualRect(names.model().index(1, 0)).center()
    qtbot.mouseClick(names.viewport(), Qt.MouseButton.LeftButton, pos=row)
    assert shown.document.edits == [(("k8s_cluster",), "stage"), (("k8s_namespace",), None)]
    assert (box.text(), shown.text("field_k8s_namespace"), names.isVisible()) == ("stage", "", False)
    qtbot.waitUntil(lambda: offered(shown, "field_k8s_namespace") == ["default", "fe", "prod"])
    qtbot.keySequence(box, "Ctrl+Z")
    assert box.text() == ""


@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_a_name_is_never_completed_unasked(make, qtbot, key):
    shown = make(SCALE)
    box = shown.find("field_k8s_resource_name", QLineEdit)
    box.setFocus()
    qtbot.waitUntil(lambda: len(box.names) == 3)
    qtbot.keyClicks(box, "deployment/web")
    assert box.shown == ["deployment/web", "deployment/web-app"]
    qtbot.keyClick(box, key)
    assert box.text() == shown.document.step["k8s_resource_name"] == "deployment/web"
    assert not box.shown or key == Qt.Key.Key_Return


def test_the_keyboard_chooses_from_the_list(make, qtbot):
    shown = make(SCALE)
    box = shown.find("field_k8s_resource_name", QLineEdit)
    box.setFocus()
    qtbot.waitUntil(lambda: len(box.names) == 3)
    assert shown.names.asked == [("fe", ("deployment", "statefulset", "replicaset"))]
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return):
        qtbot.keyClick(box, key)
    assert shown.document.step["k8s_resource_name"] == "statefulset/db"
    assert not box.shown


def test_new_offers_change_neither_text_nor_cursor(make, qtbot):
    shown = make(SCALE)
    box = shown.find("field_k8s_namespace", QLineEdit)
    box.setFocus()
    box.setCursorPosition(1)
    key = ("namespaces", "dev")
    shown.presenter.completions._keep(key, Answer(names=("a", "b"), at=1.0))
    assert (box.text(), box.cursorPosition(), box.names) == ("fe", 1, ["a", "b"])
    note = shown.presenter.state.field(("k8s_namespace",)).note
    assert str(note) == "There is no namespace fe in dev yet."


def test_containers_are_those_of_the_resource(make, qtbot):
    shown = make({"name": "e", "type": "k8s_exec", "k8s_cluster": "dev", "k8s_namespace": "fe"})
    box = shown.find("field_config_container", QLineEdit)
    assert "Name a pod or a workload" in box.toolTip()
    resource = shown.find("field_k8s_resource_name", QLineEdit)
    qtbot.keyClicks(resource, "pod/a")
    box.setFocus()
    qtbot.waitUntil(lambda: box.names == ["app", "sidecar"])
    assert shown.names.asked[-1] == ("fe", "pod/a", "")


def test_variables_of_the_pipeline_lead_to_the_namespace(make, qtbot):
    step = {**SCALE, "k8s_cluster": "${cluster}", "k8s_namespace": "${ns}"}
    shown = make(step)
    box = shown.find("field_k8s_resource_name", QLineEdit)
    box.setFocus()
    assert "Choose a cluster" in box.toolTip()
    shown.presenter.show(step, (), "", variables={"cluster": "dev", "ns": "fe"})
    shown.presenter.wanted(("k8s_resource_name",))
    qtbot.waitUntil(lambda: len(box.names) == 3)


def test_a_cluster_that_does_not_answer_is_told_in_the_tool_tip_only(make, qtbot):
    shown = make(SCALE)
    errors = []
    shown.presenter.failed.connect(errors.append)
    shown.presenter.completions.failed.connect(errors.append)
    shown.names.error = UserError("dev <b>does not</b> answer")
    box = shown.find("field_k8s_resource_name", QLineEdit)
    box.setFocus()
    qtbot.waitUntil(lambda: "dev &lt;b&gt;does not&lt;/b&gt; answer" in box.toolTip())
    assert errors == []
    assert box.names == []


def test_a_cluster_that_needs_approval_is_not_asked(make, qtbot, reads):
    shown = make({**SCALE, "k8s_cluster": "prod"})
    box = shown.find("field_k8s_namespace", QLineEdit)
    qtbot.waitUntil(lambda: "Nothing to choose from" in box.toolTip())
    assert box.names == []


def test_a_fresh_answer_is_not_asked_for_again_and_an_old_question_is_dropped(loop, services, reads, qtbot):
    asked = []

    class Reads:
        async def namespaces(self, cache, cluster, document, candidates):
            asked.append(cluster)
            return NamespaceList(names=("fe",), read_at=1.0)

    completions = Completions(services, Reads())
    completions.ask(("namespaces", "dev"))
    completions.ask(("namespaces", "stage"))
    qtbot.waitUntil(lambda: bool(completions.answer(("namespaces", "stage")).at))
    assert completions.answer(("namespaces", "dev")) == Answer()
    completions.ask(("namespaces", "stage"))
    assert not completions.answer(("namespaces", "stage")).asking
    assert asked == ["stage"]
    completions.forget("namespaces")
    completions.ask(("namespaces", "stage"))
    qtbot.waitUntil(lambda: asked == ["stage", "stage"])
    for number in range(100):
        completions._keep(("charts", str(number)), Answer())
    assert len(completions._answers) == 64


# The disk


def chart(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "Chart.yaml").write_text("name: x\nversion: 1.0.0\n")


def test_charts_are_offered_from_the_disk(make, qtbot, tmp_path):
    for place in ("web", "charts/fe-app", "helm/api", "k8s/db"):
        chart(tmp_path / place)
    (tmp_path / "charts/none").mkdir()
    shown = make(DEPLOY)
    box = shown.find("field_config_chart_name", QLineEdit)
    box.setFocus()
    qtbot.waitUntil(lambda: box.names == ["web", "fe-app", "api", "db"])
    assert charts_below(str(tmp_path / "web")) == ["."]
    assert charts_below("/nowhere\0") == []


def test_a_chosen_folder_is_written_relative_to_the_step(make, qtbot, tmp_path):
    chart(tmp_path / "charts/fe-app")
    shown = make(DEPLOY)
    click = shown.find("browse_field_config_chart_path")
    qtbot.mouseClick(click, Qt.MouseButton.LeftButton)
    dialog = next(one for one in shown.form.findChildren(QFileDialog) if one.isVisible())
    assert Path(dialog.directory().absolutePath()) == tmp_path
    dialog.filesSelected.emit([str(tmp_path / "charts/fe-app")])
    dialog.close()
    assert shown.document.step["k8s_config"]["chart_path"] == "charts/fe-app"
    assert shown.presenter.written_path("/elsewhere/x") == "/elsewhere/x"
    assert shown.presenter.written_path(str(tmp_path)) == "."
    shown.document.step["working_directory"] = "charts"
    shown.document.show()
    assert shown.presenter.written_path(str(tmp_path / "charts/fe-app")) == "fe-app"


def test_files_are_added_moved_and_removed(make, qtbot, tmp_path):
    shown = make({**DEPLOY, "k8s_config": {"deploy_type": "helm", "values_files": ["a.yaml"]}})
    made = shown.form._page.place_of(("k8s_config", "values_files"))[1].input
    made.choose([str(tmp_path / "envs/b.yaml"), str(tmp_path / "a.yaml"), "/etc/c.yaml"])
    config = shown.document.step["k8s_config"]
    assert config["values_files"] == ["a.yaml", "envs/b.yaml", "/etc/c.yaml"]
    shown.form.focus_field("k8s_config.values_files")
    up, down, remove = made.rows[1].buttons
    moved = ["envs/b.yaml", "a.yaml", "/etc/c.yaml"]
    for part, left in ((up, moved), (down, ["a.yaml", "envs/b.yaml", "/etc/c.yaml"])):
        qtbot.waitUntil(lambda part=part: part.visibleRegion().contains(part.rect().center()))
        qtbot.mouseClick(part, Qt.MouseButton.LeftButton)
        assert config["values_files"] == left
        assert QApplication.focusWidget() is part or not part.isEnabled()
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    assert config["values_files"] == ["a.yaml", "/etc/c.yaml"]
    assert shown.text("field_config_values_files_1_0") == "/etc/c.yaml"


def test_a_mapping_keeps_numbers_and_tells_a_name_given_twice(make, qtbot):
    shown = make({"name": "a", "type": "shell", "command": "x", "env": {"PORT": 80, "A": "b"}})
    made = shown.form._page.place_of(("env",))[1].input
    qtbot.keyClicks(made.rows[1].boxes[1], "c")
    assert shown.document.step["env"] == {"PORT": 80, "A": "cb"}
    made.add.click()
    qtbot.keyClicks(made.rows[2].boxes[0], "A")
    qtbot.keyClicks(made.rows[2].boxes[1], "last")
    assert shown.document.step["env"] == {"PORT": 80, "A": "last"}
    assert "stands twice" in made._local.text()
    assert [row.boxes[1].text() for row in made.rows] == ["80", "cb", "last"]
    made.rows[1].buttons[-1].click()
    assert (made._local.isHidden(), len(made.rows)) == (True, 2)
