"""What to do when an object of the chart is there already and belongs to somebody else, from helm's own words."""

from __future__ import annotations

import re

import msgspec

from ansflow_desktop.i18n import Message, Text, msg

_OBJECT = re.compile(
    r"(?:: |^)(?P<kind>\w+) \"(?P<name>[^\"]+)\" in namespace \"[^\"]*\" exists and cannot be imported", re.M
)
_WANTED = r"\"meta\.helm\.sh/release-%s\"(?::)? must (?:equal|be set to) \"([^\"]+)\""
_OWNER = re.compile(r"\"meta\.helm\.sh/release-name\" must equal \"[^\"]*\": current value is \"([^\"]+)\"")
_ADOPT = (
    "kubectl annotate --overwrite %(kind)s %(name)s meta.helm.sh/release-name=%(release)s "
    "meta.helm.sh/release-namespace=%(namespace)s && kubectl label %(kind)s %(name)s app.kubernetes.io/managed-by=Helm"
)


class _Clash(msgspec.Struct, frozen=True):
    kind: str
    name: str
    owner: str
    adopt: str


def clash_hint(stderr: str) -> Text:
    """Return the way out where helm says that an object belongs to something else, "" where it says nothing of that.

    Never to remove it: removing a CustomResourceDefinition deletes all its objects.
    """
    if "invalid ownership metadata" not in stderr:
        return ""
    clash = _clash(stderr)
    if clash is None:
        return msg("An object of that name exists and belongs to something else. Choose another release name.")
    if clash.kind == "CustomResourceDefinition":
        return msg("%(object)s %(out)s", object=_belongs(clash), out=_skip_crds(clash))
    return msg(
        "%(object)s Choose another release name or namespace, or hand it over to this release: %(command)s",
        object=_belongs(clash),
        command=clash.adopt,
    )


def _skip_crds(clash: _Clash) -> Message:
    return msg(
        "Do not remove it: that deletes every object of its kind. Leave the CRDs out by the chart's value for that "
        "(often crds.enabled=false or installCRDs=false), or hand it over to this release: %(command)s",
        command=clash.adopt,
    )


def _belongs(clash: _Clash) -> Message:
    if clash.owner:
        return msg(
            "%(kind)s %(name)s belongs to the release %(owner)s.", kind=clash.kind, name=clash.name, owner=clash.owner
        )
    return msg("%(kind)s %(name)s exists and belongs to something else than Helm.", kind=clash.kind, name=clash.name)


def _clash(stderr: str) -> _Clash | None:
    found = _OBJECT.search(stderr)
    if not found:
        return None
    owner = _OWNER.search(stderr)
    release, namespace = (_first(_WANTED % word, stderr) for word in ("name", "namespace"))
    words = {"kind": found["kind"].lower(), "name": found["name"], "release": release, "namespace": namespace}
    return _Clash(found["kind"], found["name"], owner[1] if owner else "", _ADOPT % words)


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else "..."
