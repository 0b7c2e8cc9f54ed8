"""What the editor does beyond editing, by real clicks: other engines, charts, templates, completion, other values."""

import subprocess

import pytest
import yaml
from pipeline_kit import LEFT, TWO_STEPS, Hands, opened
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QListWidget, QMenu, QPlainTextEdit
from window_kit import FakeRunner

from ansflow_desktop.models.problem import Problem
from ansflow_desktop.models.run import Phase
from ansflow_desktop.presenters import pipeline_convert
from ansflow_desktop.presenters.pipeline_problems import in_words

CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier

DEPLOY = """\
apiVersion: ansflow.dev/v1
kind: Pipeline
metadata:
  name: shop
spec:
  variables:
    env: dev
    tag: "1.0"
  steps:
    - name: web
      type: k8s_deploy
      k8s_cluster: dev
      k8s_namespace: fe
      k8s_config:
        deploy_type: manifest
        manifest: |   # the web
          apiVersion: v1
          kind: ConfigMap
          metadata:
            name: web
          data:
            tag: "${tag}"
        timeout: 2m
    - name: shut
      type: shell
      enabled: false
      command: echo ${env}
"""


@pytest.fixture
def hands(window, qtbot, tmp_path) -> Hands:
    return opened_with(window, qtbot, tmp_path, TWO_STEPS)


@pytest.fixture
def deploy(window, qtbot, tmp_path) -> Hands:
    return opened_with(window, qtbot, tmp_path, DEPLOY)


def opened_with(window, qtbot, tmp_path, text) -> Hands:
    file = tmp_path / "shop" / "pipeline.yaml"
    file.parent.mkdir()
    file.write_text(text)
    made = opened(window, qtbot, file)
    made.until(lambda: made.state.open and len(made.names()) == 2)
    made.settle()
    return made


def said(hands: Hands) -> str:
    return hands.window.shell.toast.text()


# Other engines


def choose_form(hands: Hands, form: str, path) -> None:
    """Choose a form from the menu and answer the file dialog."""
    hands.click("pipeline_more")
    hands.menu("pipeline_menu", "convert")
    hands.until(lambda: hands.shown("convert_menu"))
    hands.menu("convert_menu", f"convert_{form}")
    dialog = file_dialog(hands)
    assert dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave
    line = dialog.findChild(QLineEdit, "fileNameEdit")
    assert line.text() == path.name
    line.setText(str(path))
    dialog.accept()


def file_dialog(hands: Hands) -> QFileDialog:
    hands.until(lambda: any(one.isVisible() for one in hands.window.shell.findChildren(QFileDialog)))
    return next(one for one in hands.window.shell.findChildren(QFileDialog) if one.isVisible())


def notices(hands: Hands) -> str:
    """Read the notices that are shown, and close them."""
    hands.until(lambda: hands.shown("notices_text"))
    text = hands.find("notices_text", QPlainTextEdit).toPlainText()
    hands.click("notices_close")
    return text


def test_a_pipeline_becomes_a_script_a_jenkinsfile_and_a_workflow(deploy, tmp_path):
    script, jenkins, argo = (tmp_path / name for name in ("shop.sh", "Jenkinsfile", "shop.argo.yaml"))
    for form, path in (("bash", script), ("jenkins", jenkins), ("argo", argo)):
        choose_form(deploy, form, path)
        deploy.until(lambda path=path: str(path) in said(deploy))
        text = notices(deploy)
        assert "shut is left out" in text and "contexts: dev" in text
    assert script.stat().st_mode & 0o777 == 0o755
    assert subprocess.run(["/bin/bash", "-n", str(script)], check=False).returncode == 0
    assert "pipeline {" in jenkins.read_text() and "stage('web')" in jenkins.read_text()
    assert yaml.safe_load(argo.read_text())["kind"] == "Workflow"
    assert jenkins.stat().st_mode & 0o777 == 0o644


def test_a_pipeline_with_mistakes_is_not_converted(hands, tmp_path):
    hands.click("palette_shell")
    hands.steps("build", "shell", "scale")
    choose_form(hands, "bash", tmp_path / "shop.sh")
    hands.until(lambda: any(str(one.title) == "Script is missing" for one in hands.window.frame.state.banners))
    assert not (tmp_path / "shop.sh").exists()


# A chart of a step


def step_menu(hands: Hands, index: int, action: str) -> None:
    """Open a step's menu by the right button and choose an action."""
    steps = hands.find("step_list", QListWidget)
    place = steps.visualItemRect(steps.item(index)).center()
    steps.customContextMenuRequested.emit(place)
    hands.until(lambda: hands.shown("step_menu"))
    hands.menu("step_menu", action)


def may(hands: Hands, action: str) -> bool:
    menu = hands.find("step_menu", QMenu)
    return next(one for one in menu.actions() if one.data() == action).isEnabled()


class FakeMigration:
    """Stands for executors.migrate, which is tested with real helms in tests/cluster/test_migrate.py."""

    def __init__(self, monkeypatch) -> None:
        from ansflow_desktop.executors import migrate

        self.real, self.asked, self.fails = migrate, [], []
        self.wait = False
        monkeypatch.setattr(migrate, "migrate", self)

    def __call__(self, step, context, tools, folder, cancel):
        self.asked.append((step, context, folder))
        if self.wait:
            assert cancel.wait(10)
            raise self.real.UserError("Cancelled.")
        if folder.exists():
            raise self.real.UserError("exists already", field="folder")
        folder.mkdir(parents=True)
        config = {**step.k8s_config, "deploy_type": "helm", "chart_path": "./charts/web"}
        config["custom_values"] = 'variables:\n  tag: "${tag}"\n'
        return self.real.Migrated(folder=str(folder), config=config, compared=1, notices=("Helm refuses others.",))


def test_a_yaml_step_becomes_a_chart_and_one_undo_brings_it_back(deploy, monkeypatch, tmp_path):
    made = FakeMigration(monkeypatch)
    step_menu(deploy, 0, "chart")
    assert deploy.find("chart_folder").text() == "./charts/web"
    deploy.click("chart_make")
    text = notices(deploy)
    assert "1 object was compared" in text and "Helm refuses others." in text
    folder = tmp_path / "shop" / "charts" / "web"
    assert folder.is_dir() and str(folder) in text
    deploy.settle()
    step, context, _folder = made.asked[0]
    assert (step.name, context.variables["tag"]) == ("web", "1.0")
    assert deploy.state.document.steps[0]["k8s_config"] == {
        "deploy_type": "helm",
        "manifest": step.k8s_config["manifest"],
        "timeout": "2m",
        "chart_path": "./charts/web",
        "custom_values": 'variables:\n  tag: "${tag}"\n',
    }
    assert "manifest: |   # the web" in deploy.state.text
    deploy.click("pipeline_undo")
    deploy.until(lambda: deploy.state.text == DEPLOY)


def test_a_folder_that_is_there_is_said_in_the_dialog_and_another_one_taken(deploy, monkeypatch, tmp_path):
    FakeMigration(monkeypatch)
    (tmp_path / "shop" / "charts" / "web").mkdir(parents=True)
    step_menu(deploy, 0, "chart")
    deploy.click("chart_make")
    deploy.until(lambda: deploy.find("chart_make").isEnabled())
    assert deploy.find("chart_folder").accessibleDescription() == "exists already"
    assert deploy.state.text == DEPLOY
    deploy.type("chart_folder", str(tmp_path / "elsewhere" / "web"))
    deploy.click("chart_make")
    assert "elsewhere" in notices(deploy)


def test_making_a_chart_can_be_ended(deploy, monkeypatch):
    FakeMigration(monkeypatch).wait = True
    step_menu(deploy, 0, "chart")
    deploy.click("chart_make")
    assert not deploy.find("chart_make").isEnabled()
    deploy.click("chart_cancel")
    deploy.until(lambda: not deploy.shown("chart_dialog"))
    deploy.settle()
    assert deploy.state.text == DEPLOY
    assert not deploy.window.frame.state.banners


def test_only_a_yaml_deploy_can_become_a_chart(deploy):
    deploy.desk.editor.select(1)
    deploy.until(lambda: deploy.state.selected == 1)
    deploy.click("step_more")
    deploy.until(lambda: deploy.shown("step_menu"))
    assert not may(deploy, "chart") and may(deploy, "template")
    deploy.find("step_menu").close()


def test_a_step_that_was_replaced_meanwhile_is_left_alone(deploy):
    made = pipeline_convert.ChartMade(
        index=1, name="web", folder="/x", fields={"deploy_type": "helm"}, compared=1, notices=()
    )
    deploy.desk.convert.chart_made.emit(made)
    deploy.until(lambda: any("changed meanwhile" in str(one.title) for one in deploy.window.frame.state.banners))
    notices(deploy)
    assert deploy.state.text == DEPLOY


# A template


def test_a_step_becomes_a_template(hands, services):
    step_menu(hands, 1, "template")
    hands.type("new_name", "scale the web")
    hands.click("new_name_save")
    hands.until(lambda: "is among the templates now" in said(hands))
    made = services.templates.get("scale the web")
    assert made.origin == "user"
    assert made.steps[0]["k8s_config"] == {"replicas": 2}


# Completion


@pytest.fixture
def face(hands):
    hands.tab("pipeline_faces", 1)
    found = hands.find("yaml_face", QPlainTextEdit)
    found.setFocus()
    return found


def put_cursor(face, behind: str) -> None:
    cursor = face.document().find(behind)
    assert not cursor.isNull(), behind
    cursor.setPosition(cursor.selectionEnd())
    face.setTextCursor(cursor)


def offered(hands: Hands) -> list[str]:
    hands.until(lambda: hands.shown("completion"))
    found = hands.find("completion_list", QListWidget)
    return [found.item(number).text() for number in range(found.count())]


def test_a_key_is_completed_by_the_keyboard_alone(hands, face):
    put_cursor(face, "k8s_namespace: fe")
    hands.key(face, Qt.Key.Key_Return)
    hands.qtbot.keyClicks(face, "time")
    hands.until(lambda: hands.shown("completion") and offered(hands)[0] == "timeout")
    hands.key(face, Qt.Key.Key_Return)
    hands.qtbot.keyClicks(face, "5m")
    hands.until(lambda: hands.state.fresh and hands.state.document.steps[1].get("timeout") == "5m")
    assert "      k8s_namespace: fe\n      timeout: 5m\n      k8s_resource_name" in hands.state.text
    hands.until(lambda: not hands.shown("completion"))


def test_asked_for_behind_a_colon_values_are_offered_and_tab_takes_one(hands, face):
    put_cursor(face, "k8s_resource_name: deployment/web")
    hands.key(face, Qt.Key.Key_Return)
    hands.qtbot.keyClicks(face, "enabled:")
    hands.until(lambda: hands.shown("completion") and offered(hands) == ["true", "false"])
    hands.key(face, Qt.Key.Key_Down)
    hands.key(face, Qt.Key.Key_Tab)
    hands.until(lambda: hands.state.fresh and hands.state.document.steps[1].get("enabled") is False)
    assert "      enabled: false\n" in hands.state.text


@pytest.mark.parametrize(("key", "modifier"), [(Qt.Key.Key_Space, CTRL), (Qt.Key.Key_Slash, ALT)])
def test_what_is_offered_behind_wide_letters_lands_where_the_cursor_is(hands, face, key, modifier):
    hands.desk.editor.replace_text(hands.state.text.replace("echo built", "echo 部署 😀 ${} # 😀"))
    hands.settle()
    put_cursor(face, "${")
    hands.key(face, key, modifier)
    assert "env" in offered(hands) and "run_id" in offered(hands)
    hands.qtbot.keyClicks(face, "en")
    hands.until(lambda: hands.shown("completion") and offered(hands) == ["env"])
    hands.key(face, Qt.Key.Key_Return)
    hands.until(lambda: "echo 部署 😀 ${env} # 😀\n" in hands.state.text)


def test_return_behind_the_first_key_of_a_step_goes_on_with_its_keys(hands, face):
    put_cursor(face, "- name: build   # first")
    hands.key(face, Qt.Key.Key_Return)
    hands.qtbot.keyClicks(face, "retr")
    hands.until(lambda: hands.shown("completion") and offered(hands)[0] == "retries")
    hands.key(face, Qt.Key.Key_Return)
    hands.qtbot.keyClicks(face, "2")
    hands.until(lambda: hands.state.fresh and hands.state.document.steps[0].get("retries") == 2)


def test_esc_closes_the_list_and_stays_on_the_page(hands, face):
    put_cursor(face, "type: k8s_scale")
    hands.key(face, Qt.Key.Key_Return)
    hands.key(face, Qt.Key.Key_Space, CTRL)
    assert "timeout" in offered(hands)
    before = face.toPlainText()
    hands.key(face, Qt.Key.Key_Escape)
    assert not hands.shown("completion") and face.hasFocus() and hands.shown("yaml_face")
    assert face.toPlainText() == before
    hands.key(face, Qt.Key.Key_Escape)
    hands.until(lambda: not hands.shown("yaml_face"))


def test_an_answer_to_a_text_that_is_another_by_now_is_dropped(hands, face):
    put_cursor(face, "type: k8s_scale")
    hands.key(face, Qt.Key.Key_Return)
    hands.key(face, Qt.Key.Key_Space, CTRL)
    face.moveCursor(face.textCursor().MoveOperation.Up)
    hands.qtbot.wait(150)
    assert not hands.shown("completion")
    put_cursor(face, "echo built")
    hands.qtbot.keyClicks(face, " twice")
    hands.qtbot.wait(150)
    assert not hands.shown("completion"), "nothing is offered in a command"


def test_a_click_takes_an_offer(hands, face):
    put_cursor(face, "type: k8s_")
    hands.key(face, Qt.Key.Key_Space, CTRL)
    names = offered(hands)
    found = hands.find("completion_list", QListWidget)
    place = found.visualItemRect(found.item(names.index("k8s_delete"))).center()
    face.setTextCursor(face.textCursor())
    hands.qtbot.mouseClick(found.viewport(), LEFT, pos=place)
    hands.until(lambda: "type: k8s_deletescale" in face.toPlainText())
    assert QApplication.focusWidget() is face


# Other values


def test_a_run_with_other_values_saves_nothing(hands, services, monkeypatch):
    runner = FakeRunner([], Phase.SUCCEEDED)
    options = []
    monkeypatch.setattr(runner, "run", lambda made, *_a, **kw: options.append(kw) or FakeRunner.run(runner, made, *_a))
    monkeypatch.setattr(type(services), "runner", lambda _self: runner)
    hands.until(lambda: hands.desk.can_run)
    hands.click("pipeline_more")
    hands.menu("pipeline_menu", "run_values")
    assert hands.find("run_value_env").text() == "dev"
    hands.until(lambda: hands.find("run_value_env").hasFocus())
    hands.type("run_value_env", "prod $x")
    hands.key(hands.find("run_value_env"), Qt.Key.Key_Return)
    hands.until(lambda: bool(options) and not hands.desk.run.running)
    assert options[0]["variables"] == {"env": "prod $x"}
    assert hands.state.text == TWO_STEPS and not hands.state.dirty
    hands.click("pipeline_run")
    hands.until(lambda: len(options) == 2 and not hands.desk.run.running)
    assert "variables" not in options[1], "the other values held for one run"


def test_without_variables_there_are_no_values_to_ask_for(hands):
    hands.desk.editor.replace_text(hands.state.text.replace("  variables:\n    env: dev\n", ""))
    hands.settle()
    hands.click("pipeline_more")
    menu = hands.find("pipeline_menu", QMenu)
    assert not next(one for one in menu.actions() if one.data() == "run_values").isEnabled()
    menu.close()


# Problems in the form's words


def test_what_a_new_step_lacks_stands_beneath_its_boxes_by_their_names(hands):
    hands.window.frame.choose_namespace("fe")
    hands.click("palette_k8s_scale")
    hands.steps("build", "scale-2", "scale")
    hands.until(lambda: hands.find("field_config_replicas").accessibleDescription() == "Replicas is missing")
    hands.until(lambda: "Resource is missing" in hands.find("field_k8s_resource_name").accessibleDescription())
    titles = [str(one.title) for one in hands.state.problems]
    assert not [one for one in titles if "steps[" in one or "k8s_" in one]


def test_problems_are_said_in_the_language_in_use(hands):
    hands.click("palette_k8s_scale")
    hands.steps("build", "scale-2", "scale")
    hands.until(lambda: bool(hands.state.problems))
    hands.window.frame.choose_language("zh_CN")
    hands.until(lambda: any("副本数" in str(one.title) for one in hands.state.problems))


def test_the_commands_of_a_step_are_shown_while_another_one_is_wrong(hands):
    hands.click("palette_k8s_scale")
    hands.steps("build", "scale-2", "scale")
    hands.until(lambda: bool(hands.desk.preview.state.commands.problems))
    titles = {str(one.title) for one in hands.desk.preview.state.commands.problems}
    assert {"Resource is missing", "Replicas is missing"} <= titles
    hands.desk.editor.select(0)
    hands.until(lambda: [one.shown for one in hands.desk.preview.state.commands.commands] == ["echo built"])


def test_names_that_a_person_chose_are_no_labels():
    steps = [{"name": "timeout", "type": "shell"}]
    from ansflow_desktop.i18n import msg

    problem = Problem(field="steps[0].name", title=msg("Two steps are called %(name)s", name="timeout"))
    assert str(in_words([problem], steps)[0].title) == "Two steps are called timeout"
    unknown = Problem(field="steps[0].foo", title=msg("Unknown field %(field)s", field="steps[0].foo"))
    assert str(in_words([unknown], steps)[0].title) == "Unknown field foo"
