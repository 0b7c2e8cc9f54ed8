"""From one page of a list to the next one: never in a circle, and never without end."""

from __future__ import annotations

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.kube.errors import KubeError

MOST_PAGES = 5_000
"""Pages of one list: half a million objects at the smallest size that is asked for, more than a cluster takes
(kubernetes.io, "Considerations for large clusters": 150,000 pods)."""


class PageTurner:
    """Turns the pages of one list and counts them."""

    def __init__(self, asked: dict[str, str | int]) -> None:
        """Keep `asked`, the parameters of the first page; they become those of each next one."""
        self._asked = asked
        self._turned = 0

    def turn(self, token: str) -> None:
        """Make the parameters those of the page behind `token`.

        Raises KubeError where the server names the page that it just gave, or always one more.
        """
        if self._asked.get("continue") == token:
            raise _endless(msg("It names the page that it just gave as the next one."))
        self._turned += 1
        if self._turned >= MOST_PAGES:
            raise _endless(msg("There was one more behind each of %(pages)d pages.", pages=MOST_PAGES))
        self._asked["continue"] = token


def _endless(message: Text) -> KubeError:
    hint = msg("Check that the address is that of a Kubernetes API server.")
    return KubeError(msg("The server's list has no end"), message, hint, code=ExitCode.FAILED)
