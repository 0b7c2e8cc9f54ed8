"""Everything in this folder drives real widgets, offscreen, without a cluster."""

import pytest
from window_kit import garbage_here_only, loop, no_qt_warnings, no_window_left, reads, services, window

from ansflow_desktop.store import vault_seal

__all__ = ["garbage_here_only", "loop", "no_qt_warnings", "no_window_left", "reads", "services", "window"]


@pytest.fixture
def cheap_passphrases(monkeypatch):
    """Passphrases cost a hundredth of what they do, for tests that are not about how strong they are."""
    monkeypatch.setattr(vault_seal, "MEMORY_KIB", 64)
    monkeypatch.setattr(vault_seal, "PASSES", 1)
