"""Undo of a document: what a person calls one step is one."""

from ansflow_desktop.presenters.pipeline_editor_history import TYPING, History, Moment
from ansflow_desktop.presenters.pipeline_editor_state import step_of, unique, within_step


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_keys_of_one_field_are_one_step_and_another_field_is_another() -> None:
    history = History(Clock())
    history.push(Moment("0"), "field:name 0")
    history.push(Moment("1"), "field:name 0")
    history.push(Moment("2"), "field:timeout 0")
    assert history.undo(Moment("3")) == Moment("2")
    assert history.undo(Moment("2")) == Moment("0")
    assert history.undo(Moment("0")) is None
    assert history.redo(Moment("0")) == Moment("2")
    assert history.redo(Moment("2")) == Moment("3")
    assert history.redo(Moment("3")) is None


def test_typing_in_the_text_begins_anew_after_a_pause() -> None:
    clock = Clock()
    history = History(clock)
    for text, wait in (("a", 0.1), ("b", 0.1), ("c", 9.0), ("d", 0.1)):
        clock.now += wait
        history.push(Moment(text), TYPING)
    assert [history.undo(Moment("x")).text for _ in range(2)] == ["c", "a"]


def test_an_edit_after_undo_forgets_what_was_undone() -> None:
    history = History(Clock())
    history.push(Moment("a"))
    history.push(Moment("b"))
    assert history.undo(Moment("c")) == Moment("b")
    history.push(Moment("b"))
    assert not history.can_redo
    assert history.undo(Moment("d")) == Moment("b")


def test_saving_ends_a_step() -> None:
    history = History(Clock())
    history.push(Moment("a"), "field:name 0")
    history.pause()
    history.push(Moment("b"), "field:name 0")
    assert history.undo(Moment("c")) == Moment("b")


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    history = History(Clock())
    for number in range(50):
        history.push(Moment(str(number) + "x" * 1_000_000))
    found = []
    while (moment := history.undo(Moment(""))) is not None:
        found.append(moment.text[:2].rstrip("x"))
    assert 25 <= len(found) < 40 and found[0] == "49" and "0" not in found


def test_names_get_the_first_free_number() -> None:
    assert unique("deploy", set()) == "deploy"
    assert unique("deploy", {"deploy"}) == "deploy-2"
    assert unique("deploy-2", {"deploy", "deploy-2"}) == "deploy-3"
    assert unique("web-app", {"web-app"}) == "web-app-2"
    assert unique("7", {"7"}) == "7-2"


def test_a_problems_field_leads_to_its_step() -> None:
    assert step_of("steps[12].k8s_config.timeout") == 12 and step_of("spec.steps[0].name") == 0
    assert step_of("metadata.name") is None and step_of("steps") is None and step_of("steps[x].name") is None
    assert within_step("steps[1].k8s_config.values_files[0]") == "k8s_config.values_files[0]"
    assert within_step("steps[1]") == "" and within_step("metadata.name") == ""
