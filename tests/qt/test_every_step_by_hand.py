"""A step of every type made by clicks and keys, saved, and found complete when the program is started again."""

import pytest
from every_step_kit import NAMES, STEPS, found_again, make
from pipeline_kit import opened
from window_kit import shown_window


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_type_is_found_complete_after_a_restart(loop, services, reads, qtbot, language):
    with shown_window(services, qtbot, reads=reads) as window:
        window.frame.choose_language(language)
        hands = opened(window, qtbot)
        hands.until(lambda: hands.shown("pipelines_new"))
        hands.click("pipelines_new")
        hands.until(lambda: hands.state.open)
        hands.type("pipeline_name", "everything")
        make(hands, "team-a")
        hands.click("pipeline_save")
        hands.until(lambda: not hands.state.dirty and hands.state.home.saved)
    text = services.library.read("pipeline", "everything").document

    with shown_window(services, qtbot, reads=reads) as window:
        hands = opened(window, qtbot)
        assert window.frame.state.language == language
        hands.find("pipelines_table").selectRow(0)
        hands.click("pipelines_open")
        hands.steps(*NAMES)
        found_again(hands, "team-a")
        assert [step["type"] for step in hands.state.document.steps] == [kind for kind, _fields in STEPS]
        assert hands.state.text == text and not hands.state.dirty
