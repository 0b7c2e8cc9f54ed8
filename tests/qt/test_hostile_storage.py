"""What happens to the place of an open pipeline while one edits: locked, removed, damaged, taken by another window."""

import sqlite3

import pytest
from pipeline_kit import TWO_STEPS, Hands, opened
from window_kit import FakeReads, shown_window

from ansflow_desktop.executors.services import Options, Services
from ansflow_desktop.store import database
from ansflow_desktop.store.library import Library


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Wait for a lock as long as a test should."""
    monkeypatch.setattr(database, "BUSY_S", 0.2)


@pytest.fixture
def hands(window, qtbot, services) -> Hands:
    """A pipeline of the library, with a change that is not saved."""
    services.library.save("pipeline", "shop", TWO_STEPS)
    made = opened(window, qtbot)
    window.pipelines.open(window.pipelines.state.rows[0])
    made.steps("build", "scale")
    made.type("field_name", "mine")
    made.settle()
    return made


def told(hands: Hands) -> str:
    return " ".join(f"{one.title} {one.text}" for one in hands.window.frame.state.banners)


def stored(services) -> str:
    """Return what another process finds in the library."""
    library = Library(services.directories.database)
    item = library.read("pipeline", "shop")
    library.close()
    return item.document if item else ""


def save_anyway(hands: Hands) -> None:
    hands.until(lambda: hands.shown("disk_mine"))
    assert not hands.shown("disk_theirs"), "there is nothing to take"
    hands.click("disk_mine")
    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.dirty)


def test_a_locked_library_is_said_and_saving_works_again_afterwards(hands, services):
    other = sqlite3.connect(services.directories.database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    hands.click("pipeline_save")
    hands.until(lambda: "locked" in told(hands))
    assert hands.state.dirty and not hands.state.saving and hands.names() == ["mine", "scale"]
    other.execute("COMMIT")
    other.close()
    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.dirty)
    assert "name: mine" in stored(services)


def test_a_library_that_was_removed_from_the_disk_is_written_anew(hands, services):
    for file in services.directories.data.glob(f"{services.directories.database.name}*"):
        file.unlink()
    hands.click("pipeline_save")
    save_anyway(hands)
    assert "name: mine" in stored(services)


def test_a_pipeline_that_another_window_deleted_can_be_saved_again(hands, services):
    services.library.remove("pipeline", "shop")
    hands.click("pipeline_save")
    save_anyway(hands)
    assert "name: mine" in stored(services)


def test_deleted_and_renamed_it_takes_nobody_elses_name(hands, services):
    services.library.save("pipeline", "blog", "name: theirs")
    services.library.remove("pipeline", "shop")
    hands.click("pipeline_settings")
    hands.type("pipeline_name", "blog")
    hands.settle()
    hands.click("pipeline_save")
    hands.until(lambda: hands.shown("disk_mine"))
    hands.click("disk_mine")
    hands.click("pipeline_save")
    hands.until(lambda: "already" in told(hands))
    assert hands.state.dirty and services.library.read("pipeline", "blog").document == "name: theirs"


def test_two_windows_on_one_data_directory_never_overwrite_each_other(hands, services, qtbot, tmp_path):
    options = Options(data_dir=str(services.directories.data), kubeconfig=str(tmp_path / "kubeconfig"), lang="en")
    second = Services(options)
    with shown_window(second, qtbot, reads=FakeReads()) as window:
        theirs = opened(window, qtbot)
        window.pipelines.open(window.pipelines.state.rows[0])
        theirs.steps("build", "scale")
        theirs.type("field_name", "theirs")
        theirs.settle()
        theirs.click("pipeline_save")
        theirs.until(lambda: not theirs.state.dirty)
    second.close()
    hands.click("pipeline_save")
    hands.until(lambda: hands.state.theirs is not None)
    assert "name: theirs" in stored(services) and hands.names() == ["mine", "scale"]


def test_a_cluster_that_is_removed_while_a_step_names_it_stands_in_the_way_of_a_run_only(hands, services, tmp_path):
    kubeconfig = tmp_path / "kubeconfig"
    text = kubeconfig.read_text()
    kubeconfig.unlink()
    hands.window.clusters.load()
    hands.type("field_name", "still mine")
    hands.settle()
    hands.until(lambda: any("dev" in str(one.title) for one in hands.state.errors))
    assert not hands.desk.can_run
    hands.click("pipeline_save")
    hands.until(lambda: not hands.state.dirty)
    kubeconfig.write_text(text)
    hands.window.clusters.load()
    hands.type("field_name", "mine again")
    hands.settle()
    hands.until(lambda: not hands.state.errors)
