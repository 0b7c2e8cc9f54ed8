"""The Templates page by clicks and keys: found, filled in, used, made one's own, shared, trusted first."""

import pytest
import yaml
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QWidget
from window_kit import EXAMPLE

from ansflow_desktop import i18n
from ansflow_desktop.pipelines.templates import builtin_templates
from ansflow_desktop.presenters import loop as window_loop
from ansflow_desktop.presenters.templates import TemplatesPresenter
from ansflow_desktop.widgets.templates_page import TemplatesPage

IMPORTED = """apiVersion: ansflow.dev/v1
kind: Template
metadata: {name: smoke, title: Smoke test}
spec:
  parameters: [{name: url}]
  steps:
    - {name: look, type: shell, command: "curl -f ${url}"}
"""


class Hands:
    """The page with its presenter, and what it asked for."""

    def __init__(self, page, presenter, qtbot):
        self.page, self.presenter, self.qtbot = page, presenter, qtbot
        self.uses, self.errors = [], []
        presenter.use_asked.connect(self.uses.append)
        presenter.failed.connect(self.errors.append)
        self.until(lambda: presenter.state.loaded)

    @property
    def state(self):
        return self.presenter.state

    def until(self, met):
        self.qtbot.waitUntil(met, timeout=10_000)

    def part(self, kind, name):
        found = self.page.window().findChild(kind, name)
        assert found is not None, name
        return found

    def click(self, name):
        self.qtbot.mouseClick(self.part(QPushButton, name), Qt.MouseButton.LeftButton)

    def type(self, name, text):
        line = self.part(QLineEdit, name)
        line.selectAll()
        self.qtbot.keyClicks(line, text)

    def search(self, text):
        self.type("templates_search", text)

    def dialog(self, name):
        self.until(lambda: self.page.window().findChild(QDialog, name) is not None)
        return self.part(QDialog, name)

    def texts(self):
        return [label.text() for label in self.page.findChildren(QLabel) if label.isVisibleTo(self.page)]


@pytest.fixture
def hands(loop, services, qtbot):
    presenter = TemplatesPresenter(services)
    presenter.work_in("dev", "fe")
    page = TemplatesPage(presenter, ("dev", "stage"))
    qtbot.addWidget(page)
    page.resize(1200, 800)
    page.show()
    made = Hands(page, presenter, qtbot)
    yield made
    page.hide()
    window_loop.run_here(presenter.close())


def test_a_template_is_found_filled_in_and_used(hands):
    hands.search("stateful")
    hands.until(lambda: [one.name for one in hands.state.rows] == ["stateful-service"])
    assert "A StatefulSet with a volume for each replica and a headless Service." in hands.texts()
    assert hands.part(QLineEdit, "template_namespace").text() == "fe", "where one works is filled in"
    hands.type("template_name", "cache")
    hands.type("template_replicas", "3")
    assert "replicas: 3" in hands.part(QPlainTextEdit, "template_preview").toPlainText()
    hands.click("template_new_pipeline")
    hands.until(lambda: bool(hands.uses))
    use = hands.uses[0]
    assert (use.name, use.new) == ("cache", True)
    step = use.steps[0]
    assert (step["k8s_cluster"], step["k8s_namespace"]) == ("dev", "fe")
    objects = list(yaml.safe_load_all(step["k8s_config"]["manifest"]))
    assert [one["kind"] for one in objects] == ["Service", "StatefulSet"]
    assert objects[1]["spec"]["replicas"] == 3


def test_what_cannot_be_used_is_told_at_its_field(hands):
    hands.search("in front of")
    hands.until(lambda: [one.name for one in hands.state.rows] == ["web-app"])
    hands.type("template_replicas", "two")
    hands.until(lambda: any("whole number of at least 0" in text for text in hands.texts()))
    assert not hands.part(QPushButton, "template_new_pipeline").isEnabled()
    assert hands.part(QLineEdit, "template_replicas").text() == "two", "nothing that was typed is lost"
    hands.type("template_replicas", "2")
    assert hands.part(QPushButton, "template_new_pipeline").isEnabled()
    assert not hands.part(QPushButton, "template_add").isEnabled(), "no pipeline is open"
    hands.presenter.set_pipeline("shop")
    hands.click("template_add")
    hands.until(lambda: bool(hands.uses))
    assert not hands.uses[0].new


def test_one_of_the_programs_own_is_edited_as_a_copy(hands, services):
    hands.search("worker")
    hands.until(lambda: [one.name for one in hands.state.rows] == ["worker"])
    hands.click("template_edit")
    dialog = hands.dialog("edit_template")
    text = hands.part(QPlainTextEdit, "edit_template_text")
    text.setPlainText("kind: Template\nspec: [")
    hands.click("edit_template_save")
    hands.until(lambda: any("not valid YAML" in label.text() for label in dialog.findChildren(QLabel)))
    assert text.toPlainText() == "kind: Template\nspec: [", "it stays open with what was typed"
    changed = IMPORTED.replace("smoke", "worker-2").replace("Smoke test", "My worker")
    text.setPlainText(changed)
    hands.click("edit_template_save")
    hands.until(lambda: hands.state.chosen.name == "worker-2")
    assert services.templates.get("worker-2").title == "My worker"
    assert services.templates.get("worker").origin == "builtin"


def test_an_imported_one_is_shown_before_its_first_use(hands, services, tmp_path):
    file = tmp_path / "smoke.yaml"
    file.write_text(IMPORTED)
    hands.presenter.import_file(str(file))
    hands.until(lambda: hands.state.chosen is not None and hands.state.chosen.name == "smoke")
    hands.type("template_url", "http://web")
    hands.click("template_new_pipeline")
    dialog = hands.dialog("trust_template")
    assert "curl -f http://web" in dialog.findChild(QPlainTextEdit).toPlainText()
    assert not hands.uses
    hands.click("trust_template_use")
    hands.until(lambda: bool(hands.uses))
    hands.click("template_new_pipeline")
    hands.until(lambda: len(hands.uses) == 2)
    assert not services.templates.needs_trust(services.templates.get("smoke")), "it is asked once"


def test_a_step_becomes_a_template_that_is_exported_and_removed(hands, services, tmp_path):
    step = {"name": "put", "type": "k8s_deploy", "k8s_config": {"deploy_type": "helm", "chart_path": str(EXAMPLE)}}
    hands.presenter.keep_steps("mine", (step,))
    hands.until(lambda: hands.state.chosen is not None and hands.state.chosen.name == "mine")
    hands.presenter.export_file(str(tmp_path / "mine.yaml"))
    hands.until(lambda: (tmp_path / "mine.yaml").exists())
    hands.presenter.remove()
    hands.until(lambda: all(one.name != "mine" for one in hands.state.rows))
    hands.presenter.import_file(str(tmp_path / "mine.yaml"))
    hands.until(lambda: hands.state.chosen is not None and hands.state.chosen.name == "mine")
    assert services.templates.get("mine").steps == (step,)


def test_a_damaged_one_is_named_and_the_others_are_there(hands, services):
    services.library.save("template", "broken", "kind: [")
    hands.page.reload()
    hands.until(lambda: bool(hands.state.unread))
    assert hands.state.total == len(builtin_templates())
    assert any("broken is not valid YAML" in text for text in hands.texts())


def test_titles_and_categories_follow_the_language(loop, services, qtbot):
    i18n.set_language("zh_CN")
    presenter = TemplatesPresenter(services)
    page = TemplatesPage(presenter)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: presenter.state.loaded)
    shown = [page.table.model().index(row, 0).data() for row in range(page.table.model().rowCount())]
    assert "定时任务" in shown and "Web 应用" in shown
    page.hide()
    window_loop.run_here(presenter.close())
    i18n.set_language("en")


def test_another_language_sorts_by_its_own_titles(window, qtbot):
    window.shell.show_page("templates")
    qtbot.waitUntil(lambda: window.templates.state.loaded)
    english = [one.name for one in window.templates.state.rows]
    try:
        window.frame.choose_language("zh_CN")
        chinese = [one.name for one in window.templates.state.rows]
        assert chinese != english
    finally:
        window.frame.choose_language("en")
    assert [one.name for one in window.templates.state.rows] == english


def test_in_the_window_a_template_becomes_a_pipeline_and_more_steps_of_one(window, qtbot):
    window.shell.show_page("templates")
    hands = Hands(window.shell.page, window.templates, qtbot)
    hands.search("worker")
    hands.until(lambda: [one.name for one in hands.state.rows] == ["worker"])
    hands.click("template_new_pipeline")
    editor = window.pipelines.desk.editor
    hands.until(lambda: [step["name"] for step in editor.state.document.steps] == ["deploy", "wait"])
    assert window.shell.current == "pipelines"
    assert editor.state.dirty, "it is saved nowhere yet"
    window.shell.show_page("templates")
    hands.search("in front of")
    hands.until(lambda: hands.state.pipeline == "worker")
    hands.click("template_add")
    wanted = ["deploy", "deploy-2", "wait-2", "wait"]  # behind the selected step, as any new one
    hands.until(lambda: [step["name"] for step in editor.state.document.steps] == wanted)
    editor.discard()


def test_a_long_name_of_a_cluster_pushes_no_field_out_of_sight(loop, services, qtbot):
    presenter = TemplatesPresenter(services)
    presenter.work_in("dev", "fe")
    page = TemplatesPage(presenter, ("dev", "staging-eu-central-with-a-very-long-context-name@corporate" * 2))
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(960, 640)
    page.setParent(window)  # within a window, which does not grow with it
    page.resize(960, 640)
    window.show()
    inside = page._form.findChild(QWidget, "scrolled")
    lines = []

    def laid_out():
        lines[:] = page._form.findChildren(QLineEdit)
        return bool(lines) and inside.width() >= inside.minimumSizeHint().width()

    qtbot.waitUntil(laid_out, timeout=10_000)
    assert all(one.visibleRegion().boundingRect().width() == one.width() > 60 for one in lines)
    window.hide()
    window_loop.run_here(presenter.close())
