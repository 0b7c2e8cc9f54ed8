"""The Templates page under a naive and a hostile hand: nothing typed is lost, nothing of another window overwritten."""

import msgspec
import pytest
from look_kit import cut_off
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit
from test_templates_page import IMPORTED, Hands

from ansflow_desktop import i18n
from ansflow_desktop.pipelines.templates import builtin_templates

NO_BREAK = "Two\u00a0words"


@pytest.fixture
def hands(window, qtbot) -> Hands:
    """The page in the window, with the stateful service chosen."""
    qtbot.waitUntil(lambda: bool(window.frame.state.namespaces))
    window.shell.show_page("templates")
    made = Hands(window.shell.page, window.templates, qtbot)
    choose(made, "stateful-service")
    made.window = window
    return made


def choose(hands: Hands, name: str) -> None:
    hands.part(QLineEdit, "templates_search").clear()
    row = next(number for number, one in enumerate(hands.state.rows) if one.name == name)
    hands.page.table.selectRow(row)
    hands.until(lambda: hands.state.chosen.name == name)


def said(dialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def test_what_was_typed_is_there_again_after_a_search_another_one_and_another_language(hands):
    hands.type("template_name", "cache")
    hands.search("in front of")
    hands.until(lambda: hands.state.chosen.name == "web-app")
    choose(hands, "worker")
    choose(hands, "stateful-service")
    assert hands.part(QLineEdit, "template_name").text() == "cache"
    hands.window.frame.choose_language("zh_CN")
    hands.page = hands.window.shell.page
    hands.until(lambda: hands.part(QLineEdit, "template_name").text() == "cache")
    assert "name: cache" in hands.state.preview
    i18n.set_language("en")


def test_tab_goes_from_the_list_through_the_fields_to_the_buttons(hands):
    hands.page.table.setFocus()
    seen = []
    for _number in range(12):
        hands.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget().objectName())
    fields = [f"template_{one.name}" for one in hands.state.chosen.parameters]
    fields[0] = "template_box_cluster"
    wanted = [*fields, "template_new_pipeline", "template_preview"]  # no pipeline is open to add to
    assert seen[: len(wanted)] == wanted


def test_the_list_stays_where_it_is_while_nothing_is_chosen(hands):
    place = hands.page.table.mapTo(hands.page, QPoint(0, 0))
    chosen = hands.state.chosen
    hands.presenter.choose(None)
    hands.until(lambda: not hands.page._form.isVisible())
    QApplication.sendPostedEvents()
    assert hands.page.table.mapTo(hands.page, QPoint(0, 0)) == place
    hands.presenter.choose(chosen)


def test_a_cluster_is_not_completed_unasked(hands):
    hands.part(QLineEdit, "template_cluster").setFocus()
    hands.type("template_cluster", "sta")
    hands.qtbot.keyClick(hands.part(QLineEdit, "template_cluster"), Qt.Key.Key_Return)
    assert hands.part(QLineEdit, "template_cluster").text() == "sta" == hands.state.values["cluster"]


@pytest.mark.parametrize("text", ["x" * 40_000, "a\nb", "\0", "${name}", "<b>x</b>", "'", "中文 🚀"], ids=range(7))
def test_nonsense_is_told_at_its_field_or_goes_into_the_steps_as_it_is(hands, text):
    for line in hands.page.findChildren(QLineEdit):
        if line.objectName() in ("template_name", "template_image", "template_replicas", "template_cluster"):
            line.setFocus()
            line.selectAll()
            line.insert(text)
    name = hands.part(QLineEdit, "template_name").text()
    assert len(name) == len(text)
    assert hands.state.values["name"] == name
    hands.presenter.use(new=True)
    if hands.state.can_apply:
        hands.until(lambda: bool(hands.uses))
    assert bool(hands.uses) == hands.state.can_apply and not hands.errors


def test_letting_an_edit_go_is_asked_once_and_leaves_no_copy(hands, services):
    hands.click("template_edit")
    dialog = hands.dialog("edit_template")
    dialog.editor.insertPlainText("# mine\n")
    hands.qtbot.keyClick(dialog.editor, Qt.Key.Key_Escape)
    assert dialog.isVisible() and "not saved" in said(dialog)
    hands.qtbot.keyClick(dialog.editor, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert services.library.items("template") == ()


def test_no_break_spaces_are_kept(hands, services):
    hands.click("template_edit")
    dialog = hands.dialog("edit_template")
    dialog.editor.setPlainText(IMPORTED.replace("Smoke test", NO_BREAK))
    hands.click("edit_template_save")
    hands.until(lambda: hands.state.chosen.name == "smoke")
    assert services.templates.get("smoke").title == NO_BREAK


def test_what_another_window_saved_is_not_overwritten(hands, services):
    template = msgspec.structs.replace(builtin_templates()[0], name="mine", origin="user")
    services.templates.save(template)
    hands.page.reload()
    hands.until(lambda: any(one.name == "mine" for one in hands.state.rows))
    choose(hands, "mine")
    hands.click("template_edit")
    dialog = hands.dialog("edit_template")
    theirs = services.templates.save(msgspec.structs.replace(template, title="Theirs"), replace=True)
    dialog.editor.moveCursor(dialog.editor.textCursor().MoveOperation.End)
    dialog.editor.insertPlainText("\n# mine\n")
    hands.click("edit_template_save")
    hands.until(lambda: "another window" in said(dialog))
    assert dialog.editor.toPlainText().endswith("# mine\n")
    assert services.templates.get("mine") == theirs


def test_an_export_replaces_the_file_that_the_dialog_asked_about(hands, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("old")
    hands.presenter.export_file(str(file))
    hands.until(lambda: "kind: Template" in file.read_text())
    assert not hands.errors


def test_the_help_of_an_imported_parameter_is_plain_text(hands, services, tmp_path):
    file = tmp_path / "odd.yaml"
    file.write_text(IMPORTED.replace("{name: url}", "{name: url, help: '<img src=x>'}"))
    hands.presenter.import_file(str(file))
    hands.until(lambda: hands.state.chosen.name == "smoke")
    tip = hands.part(QLineEdit, "template_url").toolTip()
    assert "&lt;img" in tip and "<img" not in tip


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_template_fits_into_the_smallest_window(hands, language):
    hands.window.frame.appear(language, "light")
    hands.page = hands.window.shell.page
    hands.window.shell.resize(1024, 700)
    for template in hands.state.rows:
        hands.presenter.choose(template)
        hands.presenter.type_value("name", "not a name")
        hands.until(lambda name=template.name: hands.page._form._shown.name == name and not cut_off(hands.window))
    i18n.set_language("en")
