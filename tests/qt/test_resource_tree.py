"""The tree of a release's objects: owners and what they own come, move and go in any order."""

import pytest
from window_kit import garbage_here_only, no_qt_warnings, no_window_left

from ansflow_desktop.models.run import Health
from ansflow_desktop.presenters.run_view import ResourceNode
from ansflow_desktop.widgets.run_panel import ResourceTree

__all__ = ["garbage_here_only", "no_qt_warnings", "no_window_left"]


def node(name: str, *children: ResourceNode) -> ResourceNode:
    return ResourceNode(key=f"Pod/{name}", kind="Pod", name=name, health=Health.HEALTHY, children=children)


def names(tree: ResourceTree) -> list:
    def below(item):
        return [item.data(0, 256).name, *[below(item.child(index)) for index in range(item.childCount())]]

    return [below(tree.topLevelItem(index)) for index in range(tree.topLevelItemCount())]


@pytest.mark.parametrize("count", range(1, 9))
def test_owners_go_together_with_what_they_own(qtbot, count):
    tree = ResourceTree()
    qtbot.addWidget(tree)
    owned = [node(f"pod-{number}") for number in range(count)]
    tree.show_nodes((node("deployment", node("set", *owned)), node("other")))
    tree.show_nodes((node("other"),))
    assert names(tree) == [["other"]]


def test_a_pod_may_change_its_owner_and_stay_when_the_former_one_goes(qtbot):
    tree = ResourceTree()
    qtbot.addWidget(tree)
    tree.show_nodes((node("old", node("pod")), node("new")))
    tree.show_nodes((node("new", node("pod")),))
    assert names(tree) == [["new", ["pod"]]]
