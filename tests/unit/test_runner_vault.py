"""A run and the vault: it does not lock itself while a run is going on, and is not made for a run that needs none."""

import pytest
from runner_kit import World, shell

from ansflow_desktop.executors.services import Options, build
from ansflow_desktop.models.pipeline import Pipeline
from ansflow_desktop.models.run import Phase
from ansflow_desktop.process import Cancel

PASSPHRASE = "correct horse battery"


@pytest.fixture
def services(tmp_path):
    made = build(Options(data_dir=str(tmp_path / "data")))
    yield made
    made.close()


def test_a_vault_made_before_or_inside_a_run_stays_open_to_its_end(services):
    with services.vault_held():
        services.vault.create("passphrase", PASSPHRASE)
        services.vault._idle_s = -1
        with services.vault_held():
            assert not services.vault.lock_if_idle()
        assert not services.vault.lock_if_idle()
    assert services.vault.lock_if_idle()


def test_a_run_is_inside_and_makes_no_vault(services, tmp_path):
    world = World(tmp_path)
    seen = []
    runner = services.runner()
    pipeline = Pipeline(name="p", folder=str(tmp_path), steps=(shell("a", "echo x"),))
    outcome = runner.run(pipeline, lambda event: seen.append(len(services._runs)), Cancel())
    world.journal.close()
    assert outcome.phase is Phase.SUCCEEDED
    assert set(seen) == {1} and not services._runs
    assert "vault" not in services._made
