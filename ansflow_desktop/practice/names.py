"""Names of practice clusters: RFC 1123 labels, for they become folder, context and host names."""

from __future__ import annotations

import re

from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import msg

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST = 63


def check_name(name: str) -> None:
    """Raise UserError unless `name` is an RFC 1123 label (kubectl's own rule for most names)."""
    if len(name) <= _LONGEST and _LABEL.fullmatch(name):
        return
    raise UserError(
        msg("%(name)s cannot be the name of a practice cluster", name=name or '""'),
        "",
        msg("Use up to 63 lower case letters, digits and hyphens, with a letter or digit at both ends."),
        field="name",
    )
