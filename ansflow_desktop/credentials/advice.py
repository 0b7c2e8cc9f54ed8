"""What to do about a credential, and what to do first."""

from __future__ import annotations

from ansflow_desktop.models.credential import Advice, CredentialReport


def advise(report: CredentialReport) -> tuple[Advice, ...]:
    """Return what is advised for the credential of `report`, the most urgent first; nothing where all is well."""
    del report
    return ()
