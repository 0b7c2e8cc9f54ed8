"""From one page of a list to the next one, and never in a circle."""

from __future__ import annotations

from ansflow_desktop.errors import ExitCode
from ansflow_desktop.i18n import msg
from ansflow_desktop.kube.errors import KubeError


def turn(asked: dict[str, str | int], token: str) -> None:
    """Make `asked`, the parameters of a page, those of the page behind `token`.

    Raises KubeError where the server names the page that it just gave: it would be read for ever.
    """
    if asked.get("continue") == token:
        title = msg("The server's list has no end")
        message = msg("It names the page that it just gave as the next one.")
        hint = msg("Check that the address is that of a Kubernetes API server.")
        raise KubeError(title, message, hint, code=ExitCode.FAILED)
    asked["continue"] = token
