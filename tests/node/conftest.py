"""Fixtures of the tests on a real node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import node_files
import node_host
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def node_tools(real_tools: Path) -> dict[str, Path]:
    """Return the practice tools and the kubelet by name, built where they are not there yet."""
    from ansflow_desktop.errors import UserError
    from ansflow_desktop.practice import tools
    from ansflow_desktop.process import Cancel

    if reason := node_host.reason_to_skip():
        pytest.skip(reason)
    names = [*node_files.PROGRAMS, "kubectl", "helm"]
    try:
        tools.ensure(real_tools, names, lambda _: None, Cancel())
    except UserError as error:
        pytest.skip(f"a real node needs the practice tools and the kubelet: {error}")
    found = {name: tools.tool_path(real_tools, name) for name in names}
    assert all(found.values()), found
    return {name: path for name, path in found.items() if path}


@pytest.fixture(scope="session")
def real_node(node_tools: dict[str, Path]) -> Iterator[node_host.RealNode]:
    """One node that really runs containers, for the whole session."""
    node = node_host.RealNode(node_tools, node_tools["kubectl"])
    try:
        node.ready()
        yield node
    finally:
        node.stop()
    assert node.leftovers() == []
