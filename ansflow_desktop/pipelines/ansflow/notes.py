"""What is said at an import: gathered by kind while steps are read, one message a kind at the end."""

from __future__ import annotations

from ansflow_desktop.i18n import Message, msg

_SHOWN = 20


class Notes:
    """Collects what was noticed; names are those of steps, variables or pipelines, each once."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._found: dict[str, dict[str, None]] = {}
        self.clusters: dict[int | str, None] = {}
        self.others: list[Message] = []

    def add(self, kind: str, name: str) -> None:
        """Note `name` under a kind, one of the keys below."""
        self._found.setdefault(kind, {})[name] = None

    def messages(self) -> tuple[Message, ...]:
        """Return one message for each kind that was noted, in a fixed order, then the others."""
        said = [_message(kind, _names(self._found[kind])) for kind in _KINDS if kind in self._found]
        return (*said, *self.others)


def _names(found: dict[str, None]) -> str:
    names = list(found)
    shown = ", ".join(names[:_SHOWN])
    return f"{shown}, … (+{len(names) - _SHOWN})" if len(names) > _SHOWN else shown


_KINDS = (
    "foreign",
    "approval",
    "conditions",
    "all resources",
    "parallel",
    "dependencies",
    "notifications",
    "terminal",
    "deadline",
    "wrong type",
    "no text",
    "renamed",
    "variables",
    "cluster",
    "not steps",
)


def _message(kind: str, names: str) -> Message:
    if kind in ("foreign", "approval", "conditions", "all resources"):
        return _disabled(kind, names)
    if kind in ("parallel", "dependencies", "notifications", "terminal", "deadline"):
        return _kept(kind, names)
    return _changed(kind, names)


def _disabled(kind: str, names: str) -> Message:
    if kind == "foreign":
        return msg(
            "Of a type that cannot run here, imported as disabled shell steps with a command to look at: %(names)s",
            names=names,
        )
    if kind == "approval":
        return msg(
            "Wait for an approval in AnsFlow, which is not possible here; imported disabled: %(names)s", names=names
        )
    if kind == "conditions":
        return msg("Run on conditions of AnsFlow that are not checked here; imported disabled: %(names)s", names=names)
    return msg("Delete all resources of a name, of whatever kind; imported disabled: %(names)s", names=names)


def _kept(kind: str, names: str) -> Message:
    if kind == "parallel":
        return msg("Ran at the same time in AnsFlow, run one after the other here: %(names)s", names=names)
    if kind == "dependencies":
        return msg("Their dependencies are kept, but steps run in the order of the list: %(names)s", names=names)
    if kind == "notifications":
        return msg("Their notifications are kept, but nothing is sent from here: %(names)s", names=names)
    if kind == "terminal":
        return msg("An open input or a terminal (stdin, tty) is not given to a command: %(names)s", names=names)
    return msg("Their own time limit is shorter than their wait and was left out here: %(names)s", names=names)


def _changed(kind: str, names: str) -> Message:
    if kind == "wrong type":
        return msg("Not understood, kept for AnsFlow but without effect here: %(names)s", names=names)
    if kind == "no text":
        return msg("Without a name; named by their place: %(names)s", names=names)
    if kind == "renamed":
        return msg("Renamed, as names are unique here: %(names)s", names=names)
    if kind == "variables":
        return msg("AnsFlow sets these variables while it runs; define them here or give them: %(names)s", names=names)
    if kind == "cluster":
        return msg("The cluster is not known by its number; choose one in: %(names)s", names=names)
    return msg("Entries that are no pipeline and no step were left out: %(names)s", names=names)
