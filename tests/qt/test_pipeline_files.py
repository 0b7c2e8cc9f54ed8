"""Where pipelines live: files and the library, changes on disk, drafts, closing, and the list of all."""

import contextlib
import json
import os

import pytest
from pipeline_kit import TWO_STEPS, Hands, dialog_button, opened
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QPlainTextEdit
from window_kit import shown_window

from ansflow_desktop.presenters import loop as window_loop
from ansflow_desktop.widgets.pipeline_dialogs import NoticesDialog

CTRL = Qt.KeyboardModifier.ControlModifier
THEIRS = TWO_STEPS.replace("echo built", "echo theirs")


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "shop" / "pipeline.yaml"
    made.parent.mkdir()
    made.write_text(TWO_STEPS)
    return made


@pytest.fixture
def hands(window, qtbot, file) -> Hands:
    made = opened(window, qtbot, file)
    made.steps("build", "scale")
    return made


def rename_first(hands: Hands, name: str) -> None:
    hands.type("field_name", name)
    hands.settle()
    hands.until(lambda: hands.names()[0] == name)


def put(file, text: str) -> None:
    """Write as an editor does: a new file in the place of the old one."""
    fresh = file.with_suffix(".tmp")
    fresh.write_text(text)
    os.replace(fresh, file)


# Changes on disk


def test_a_change_on_disk_is_noticed_and_mine_is_kept_only_when_i_say_so(hands, file):
    rename_first(hands, "mine")
    put(file, THEIRS)
    hands.until(lambda: hands.state.theirs == THEIRS)
    assert hands.find("disk_note").isVisible()
    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.saving)
    assert file.read_text() == THEIRS, "nothing is written over it before one chose"
    hands.click("disk_difference")
    hands.until(lambda: hands.shown("difference_text"))
    shown = hands.find("difference_text", QPlainTextEdit).toPlainText()
    assert "- " in shown and "echo theirs" in shown and "+ " in shown and "name: mine" in shown
    hands.key(hands.find("difference"), Qt.Key.Key_Escape)
    hands.click("disk_mine")
    hands.until(lambda: hands.state.theirs is None)
    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.dirty)
    assert file.read_text() == TWO_STEPS.replace("name: build", "name: mine")


def test_theirs_can_be_taken_and_mine_had_again_by_undo(hands, file):
    rename_first(hands, "mine")
    put(file, THEIRS)
    hands.until(lambda: hands.shown("disk_theirs"))
    hands.click("disk_theirs")
    hands.until(lambda: hands.state.text == THEIRS and hands.state.fresh)
    assert not hands.state.dirty and hands.state.theirs is None
    hands.click("pipeline_undo")
    hands.steps("mine", "scale")
    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.dirty)
    assert "name: mine" in file.read_text()


def test_a_save_that_comes_before_the_notice_writes_nothing_either(hands, file):
    rename_first(hands, "mine")
    hands.desk.editor._disk.watch("")
    put(file, THEIRS)
    hands.key(hands.find("step_list"), Qt.Key.Key_S, CTRL)
    hands.until(lambda: hands.state.theirs == THEIRS)
    assert file.read_text() == THEIRS


def test_a_file_that_is_gone_is_said_and_can_be_written_again(hands, file):
    rename_first(hands, "mine")
    file.unlink()
    hands.until(lambda: hands.state.theirs == "")
    note = hands.find("disk_note")
    assert any("not there any more" in one.text() for one in note.findChildren(QLabel))
    assert not hands.shown("disk_theirs")
    hands.click("disk_mine")
    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.dirty)
    assert "name: mine" in file.read_text()


def test_ones_own_save_is_no_change_by_somebody_else(hands, file, qtbot):
    rename_first(hands, "mine")
    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.dirty)
    with contextlib.suppress(Exception), qtbot.waitSignal(hands.desk.editor._disk.touched, timeout=1000):
        pass
    hands.desk.editor.look_at_disk()
    hands.until(lambda: "disk" in hands.desk.editor._tasks and hands.desk.editor._tasks["disk"].done())
    assert hands.state.theirs is None


def test_the_library_changed_in_another_window_is_no_less_guarded(window, qtbot, services):
    services.library.save("pipeline", "shop", TWO_STEPS)
    hands = opened(window, qtbot)
    window.pipelines.open(window.pipelines.state.rows[0])
    hands.steps("build", "scale")
    rename_first(hands, "mine")
    services.library.save("pipeline", "shop", THEIRS)
    hands.click("pipeline_save")
    hands.until(lambda: hands.state.theirs == THEIRS)
    assert services.library.read("pipeline", "shop").document == THEIRS
    hands.click("disk_mine")
    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.dirty)
    assert "name: mine" in services.library.read("pipeline", "shop").document


# Drafts and closing


def test_what_was_not_saved_when_the_program_died_is_offered(loop, services, reads, qtbot, file):
    with shown_window(services, qtbot, reads=reads) as window:
        hands = opened(window, qtbot, file)
        hands.steps("build", "scale")
        rename_first(hands, "mine")
        hands.until(lambda: services.drafts.read(f"file:{file}") is not None)
        # The program dies here: nobody is asked, nothing is saved.
    assert file.read_text() == TWO_STEPS
    with shown_window(services, qtbot, reads=reads) as window:
        hands = opened(window, qtbot, file)
        hands.until(lambda: hands.shown("draft_take"))
        assert hands.state.text == TWO_STEPS
        hands.click("draft_take")
        hands.steps("mine", "scale")
        assert hands.state.dirty and not hands.shown("draft_note")
        hands.click("pipeline_save")
        hands.until(lambda: not hands.state.dirty)
        hands.until(lambda: services.drafts.read(f"file:{file}") is None)
    assert "name: mine" in file.read_text()


def test_a_draft_can_be_forgotten(loop, services, reads, qtbot, file):
    services.drafts.save(f"file:{file}", THEIRS, TWO_STEPS)
    with shown_window(services, qtbot, reads=reads) as window:
        hands = opened(window, qtbot, file)
        hands.until(lambda: hands.shown("draft_drop"))
        hands.click("draft_drop")
        hands.until(lambda: services.drafts.read(f"file:{file}") is None)
        assert hands.state.text == TWO_STEPS and not hands.state.dirty


def test_a_new_pipeline_that_was_never_saved_is_in_the_list_again(loop, services, reads, qtbot):
    with shown_window(services, qtbot, reads=reads) as window:
        hands = opened(window, qtbot)
        hands.click("pipelines_new")
        hands.until(lambda: hands.state.open)
        hands.click("palette_shell")
        hands.steps("shell")
    with shown_window(services, qtbot, reads=reads) as window:
        hands = opened(window, qtbot)
        assert [(row.kind, row.name) for row in window.pipelines.state.rows] == [("draft", "pipeline")]
        table = hands.find("pipelines_table")
        table.selectRow(0)
        hands.click("pipelines_open")
        hands.steps("shell")
        hands.click("pipeline_save")
        hands.until(lambda: services.library.read("pipeline", "pipeline") is not None and not hands.state.dirty)
        hands.until(lambda: [row.kind for row in window.pipelines.state.rows] == ["library"])


def close(hands: Hands, qtbot):
    hands.window.shell.close()
    hands.until(lambda: hands.shown("unsaved_save"))


def test_closing_asks_about_unsaved_changes_and_goes_back(hands, qtbot, file):
    rename_first(hands, "mine")
    hands.window.shell.show_page("deploy")
    close(hands, qtbot)
    assert hands.window.shell.current == "pipelines"
    hands.click("unsaved_back")
    hands.until(lambda: not hands.shown("unsaved_back"))
    assert hands.window.shell.isVisible() and hands.names() == ["mine", "scale"]
    assert file.read_text() == TWO_STEPS


def test_closing_can_save(hands, qtbot, file):
    rename_first(hands, "mine")
    close(hands, qtbot)
    with qtbot.waitSignal(hands.window.closed):
        hands.click("unsaved_save")
    assert "name: mine" in file.read_text()


def test_closing_can_let_changes_go(hands, qtbot, file, services):
    rename_first(hands, "mine")
    hands.until(lambda: services.drafts.read(f"file:{file}") is not None)
    close(hands, qtbot)
    with qtbot.waitSignal(hands.window.closed):
        hands.click("unsaved_discard")
    assert file.read_text() == TWO_STEPS
    assert services.drafts.read(f"file:{file}") is None


def test_closing_without_changes_closes(hands, qtbot):
    with qtbot.waitSignal(hands.window.closed):
        hands.window.shell.close()


def test_opening_another_one_asks_first(hands, services, tmp_path):
    rename_first(hands, "mine")
    other = tmp_path / "other.yaml"
    other.write_text(THEIRS.replace("name: build", "name: other"))
    hands.window.pipelines.open_file(str(other))
    dialog_button(hands, "unsaved_back")
    assert hands.names() == ["mine", "scale"]
    hands.window.pipelines.open_file(str(other))
    dialog_button(hands, "unsaved_save")
    hands.steps("other", "scale")


# The list


def names(window) -> list[str]:
    return [row.name for row in window.pipelines.state.rows]


def choose(hands: Hands, name: str) -> None:
    table = hands.find("pipelines_table")
    row = next(number for number in range(table.model().rowCount()) if table.model().index(number, 0).data() == name)
    table.selectRow(row)
    table.setFocus()


def test_rename_duplicate_and_delete(window, qtbot, services):
    services.library.save("pipeline", "shop", TWO_STEPS)
    services.library.save("pipeline", "blog", TWO_STEPS.replace("name: shop ", "name: blog "))
    hands = opened(window, qtbot)
    assert names(window) == ["blog", "shop"]
    choose(hands, "shop")
    hands.key(hands.find("pipelines_table"), Qt.Key.Key_F2)
    hands.type("new_name", "store")
    hands.click("new_name_save")
    hands.until(lambda: names(window) == ["blog", "store"])
    assert "  name: store   # the name\n" in services.library.read("pipeline", "store").document
    choose(hands, "store")
    hands.click("pipelines_duplicate")
    hands.until(lambda: names(window) == ["blog", "store", "store-2"])
    choose(hands, "store-2")
    hands.key(hands.find("pipelines_table"), Qt.Key.Key_Delete)
    dialog_button(hands, "delete_cancel")
    assert services.library.read("pipeline", "store-2") is not None
    hands.click("pipelines_remove")
    dialog_button(hands, "delete_confirm")
    hands.until(lambda: names(window) == ["blog", "store"])


def test_search_takes_every_word_and_esc_ends_it(window, qtbot, services):
    services.library.save("pipeline", "shop", TWO_STEPS)
    services.library.save("pipeline", "blog", TWO_STEPS)
    hands = opened(window, qtbot)
    qtbot.keyClick(window.shell, Qt.Key.Key_Slash)
    search = hands.find("pipelines_search")
    assert search.hasFocus()
    qtbot.keyClicks(search, "BLO lib")
    assert names(window) == ["blog"]
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    assert names(window) == ["blog", "shop"] and not search.hasFocus()


def test_a_name_that_is_taken_is_said(window, qtbot, services):
    services.library.save("pipeline", "shop", TWO_STEPS)
    services.library.save("pipeline", "blog", TWO_STEPS)
    hands = opened(window, qtbot)
    window.pipelines.rename(window.pipelines.state.rows[1], "blog")
    hands.until(lambda: any("already" in str(one.title) for one in window.frame.state.banners))
    assert services.library.read("pipeline", "shop").document == TWO_STEPS


def test_files_opened_lately_are_listed_and_those_gone_are_told(hands, services, file, tmp_path):
    assert services.settings.recent_pipelines == (str(file),)
    hands.click("pipeline_back")
    row = hands.window.pipelines.state.rows[0]
    assert (row.kind, row.name, row.steps) == ("file", "shop", 2)
    model = hands.find("pipelines_table").model()
    assert model.index(0, 3).data() == "Open"
    file.unlink()
    hands.window.pipelines.load()
    hands.until(lambda: bool(hands.window.pipelines.state.rows[0].problem))
    choose(hands, "pipeline.yaml")
    hands.click("pipelines_remove")
    dialog_button(hands, "delete_confirm")
    hands.until(lambda: not hands.window.pipelines.state.rows)
    assert services.settings.recent_pipelines == ()


def drop(page, path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place = QPointF(5, 5)
    entering = QDragEnterEvent(place.toPoint(), copy, data, left, none)
    page.dragEnterEvent(entering)
    assert entering.isAccepted()
    page.dropEvent(QDropEvent(place, copy, data, left, none))


def test_a_folder_that_is_dropped_gives_its_pipeline(window, qtbot, file, tmp_path):
    hands = opened(window, qtbot)
    drop(window.shell.page, file.parent)
    hands.steps("build", "scale")
    (file.parent / "second.yaml").write_text(TWO_STEPS.replace("name: build", "name: second"))
    (file.parent / "values.yaml").write_text("a: 1\n")
    drop(window.shell.page, file.parent)
    hands.until(lambda: hands.shown("choose_pipeline"))
    offered = [one.text() for one in hands.find("choose_pipeline").findChildren(type(hands.find("pipeline_save")))]
    assert offered[:2] == ["pipeline.yaml", "second.yaml"] and "values.yaml" not in offered
    hands.key(hands.find("choose_pipeline"), Qt.Key.Key_Escape)
    empty = tmp_path / "empty"
    empty.mkdir()
    drop(window.shell.page, empty)
    hands.until(lambda: any("no pipeline" in str(one.title) for one in window.frame.state.banners))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "a: [", "kind: Pipeline\n", "\x00\x01"], ids=range(5))
def test_a_file_that_is_no_pipeline_opens_or_is_refused_but_nothing_breaks(window, qtbot, tmp_path, text):
    file = tmp_path / "odd.yaml"
    file.write_text(text)
    hands = opened(window, qtbot)
    window.pipelines.open_file(str(file))
    hands.until(lambda: hands.state.open or bool(window.frame.state.banners))
    if hands.state.open:
        hands.settle()
        hands.click("palette_shell")
        hands.settle()
        assert not hands.find("pipeline_run").isEnabled() or hands.names() == ["shell"]
    assert file.read_text() == text
    window_loop.spin(lambda: False, 0.05)
    hands.desk.editor.discard()


def test_a_library_that_cannot_be_read_is_said_in_the_list(window, qtbot, services):
    services.directories.data.mkdir(parents=True, exist_ok=True)
    services.directories.database.mkdir()
    hands = opened(window, qtbot)
    hands.until(lambda: window.pipelines.state.error is not None)
    words = " ".join(one.text() for one in window.shell.page.findChildren(QLabel) if one.isVisible())
    assert str(services.directories.database) in words
    hands.click("pipelines_new")
    hands.until(lambda: bool(window.frame.state.banners) or hands.state.open)


# AnsFlow's own documents


def close_notices(window) -> None:
    for one in window.shell.findChildren(NoticesDialog):
        one.accept()


def test_an_import_lands_in_the_library_and_runs_nothing(window, qtbot, services, tmp_path):
    document = {
        "name": "legacy",
        "steps": [
            {"name": "say", "step_type": "custom", "order": 1, "parameters": {"command": "echo hello"}},
        ],
    }
    file = tmp_path / "legacy.json"
    file.write_text(json.dumps(document))
    hands = opened(window, qtbot)
    drop(window.shell.page, file)
    hands.until(lambda: bool(services.library.items("pipeline")) or bool(window.frame.state.banners))
    assert [item.origin for item in services.library.items("pipeline")] == ["import"], window.frame.state.banners
    close_notices(window)


def test_an_import_that_is_no_json_is_said(window, qtbot, tmp_path):
    file = tmp_path / "odd.json"
    file.write_text("{ not json")
    hands = opened(window, qtbot)
    drop(window.shell.page, file)
    hands.until(lambda: bool(window.frame.state.banners))
    assert window.pipelines.state.total == 0


def test_clusters_that_ansflow_names_by_number_are_asked_for(window, qtbot, services, tmp_path):
    step = {"name": "ship", "step_type": "k8s_deploy", "order": 1, "k8s_cluster": 7, "k8s_namespace": "fe"}
    step["parameters"] = {"k8s_config": {"deploy_type": "helm", "chart_name": "web"}}
    file = tmp_path / "legacy.json"
    file.write_text(json.dumps({"name": "legacy", "steps": [step]}))
    hands = opened(window, qtbot)
    drop(window.shell.page, file)
    hands.until(lambda: hands.shown("import_cluster_7"))
    assert not services.directories.database.exists(), "nothing is kept before it is answered"
    box = hands.find("import_cluster_7")
    box.setCurrentIndex(box.findData("stage"))
    hands.click("import_go")
    hands.until(lambda: [row.name for row in window.pipelines.state.rows] == ["legacy"])
    close_notices(window)
    window.pipelines.open(window.pipelines.state.rows[0])
    hands.steps("ship")
    assert hands.state.document.steps[0]["k8s_cluster"] == "stage"
