"""One set of services: made at first use, closed once, refusing what a read-only start must not do."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ansflow_desktop import i18n
from ansflow_desktop.errors import ExitCode, UserError
from ansflow_desktop.executors.instance import InstanceLock
from ansflow_desktop.executors.services import Options, build

HOLDER = """
import sys
from pathlib import Path
from ansflow_desktop.executors.instance import InstanceLock
print(InstanceLock(Path(sys.argv[1])).acquire(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def services(tmp_path: Path):
    made = build(Options(data_dir=str(tmp_path / "data"), lang="en"))
    yield made
    made.close()


def test_nothing_is_written_before_it_is_used(services, tmp_path: Path) -> None:
    assert services.settings.language == ""
    assert services.catalog.entries() == ()
    assert not (tmp_path / "data").exists()


def test_each_service_is_made_once(services) -> None:
    for name in ("catalog", "approvals", "journal", "practice", "tools", "instance_lock"):
        assert getattr(services, name) is getattr(services, name)


def test_saved_settings_are_used_at_once_and_after_the_next_start(services, tmp_path: Path) -> None:
    services.save_settings(msgspec.structs.replace(services.settings, language="zh_CN"))
    assert services.settings.language == "zh_CN"
    again = build(Options(data_dir=str(tmp_path / "data")))
    assert i18n.active_language() == "zh_CN"
    again.close()
    i18n.set_language("en")


def test_the_log_knows_the_secrets_of_every_cluster_that_was_read(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(
        "apiVersion: v1\nkind: Config\n"
        "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "users: [{name: u, user: {token: canary-token}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
    )
    services = build(Options(data_dir=str(tmp_path / "data"), kubeconfig=str(file), lang="en", log_level="debug"))
    services.start_log()
    services.catalog.document("c")
    logging.getLogger("ansflow_desktop.test").error("Authorization: Bearer canary-token")
    services.close()
    text = (tmp_path / "data" / "logs" / "ansflow.log").read_text()
    assert "Bearer ***" in text and "canary-token" not in text


def test_read_only_gives_no_runner(tmp_path: Path) -> None:
    services = build(Options(data_dir=str(tmp_path), read_only=True, lang="en"))
    with pytest.raises(UserError) as raised:
        services.runner()
    assert raised.value.code is ExitCode.FORBIDDEN


def test_tools_are_looked_for_anew_when_asked(services, tmp_path: Path, monkeypatch) -> None:
    first = services.tools
    fake = tmp_path / "helm"
    fake.write_text("#!/bin/sh\necho v4.9.9\n")
    fake.chmod(0o755)
    services.save_settings(msgspec.structs.replace(services.settings, helm=str(fake)))
    assert services.tools is first
    assert services.find_tools_again().helm.version == "4.9.9"
    assert services.tools.helm.path == str(fake)


def test_building_imports_nothing_heavy() -> None:
    """performance.md, goal 9."""
    script = (
        "import sys\nfrom ansflow_desktop.executors.services import Options, build\n"
        "build(Options(data_dir='/nowhere'))\n"
        "heavy = {'sqlalchemy', 'alembic', 'kubernetes', 'structlog', 'yaml', 'jsonschema', 'aiohttp', 'PySide6'}\n"
        "sys.exit(str(heavy & {m.split('.')[0] for m in sys.modules} or ''))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_a_second_window_is_noticed_and_a_dead_one_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "data" / "instance.lock"
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline().strip() == "True"
        mine = InstanceLock(file)
        assert mine.acquire() is False and not mine.held
        other.kill()
        other.wait()
        assert mine.acquire() is True and mine.acquire() is True
    mine.release()
    assert not mine.held
