"""A manifest cut into its objects, each one's text kept as it was written."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.i18n import Message, msg


class ManifestObject(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a manifest: what it is, its own `namespace` ("" where it names none), its text and first line."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    text: str
    line: int = 1

    @property
    def group(self) -> str:
        """The API group, "" for core."""
        return self.api_version.rpartition("/")[0]

    @property
    def comes_first(self) -> bool:
        """True for what others need to exist: Namespaces and CustomResourceDefinitions (row 19)."""
        return self.is_namespace or self.is_crd

    @property
    def is_namespace(self) -> bool:
        """True for a core Namespace."""
        return self.kind == "Namespace" and not self.group

    @property
    def is_crd(self) -> bool:
        """True for a CustomResourceDefinition."""
        return self.kind == "CustomResourceDefinition" and self.group == "apiextensions.k8s.io"

    @property
    def spec(self) -> dict[str, Any]:
        """Its `spec` as plain data, empty where it has none."""
        value = safe_yaml.load(self.text)
        spec = value.get("spec") if isinstance(value, dict) else None
        return spec if isinstance(spec, dict) else {}

    @property
    def label(self) -> str:
        """`Kind name`, for people."""
        return f"{self.kind} {self.name}"


def read_objects(text: str, field: str) -> tuple[ManifestObject, ...]:
    """Return the objects of a manifest in order, the items of a List one by one; raises UserError naming `field`."""
    if text.startswith("\ufeff"):
        text = text[1:]
    try:
        nodes = safe_yaml.compose(text)
        found = [made for node in nodes for made in _objects(node, text, field)]
    except safe_yaml.YamlProblem as problem:
        raise UserError(
            msg("The manifest is not YAML that can be used"), problem.text(), msg("Correct the YAML."), field=field
        ) from problem
    if not found:
        raise UserError(
            msg("The manifest holds no object"), hint=msg("Give at least one Kubernetes object."), field=field
        )
    return tuple(found)


def _objects(node: Any, text: str, field: str) -> list[ManifestObject]:
    if isinstance(node, yaml.ScalarNode) and not node.value:
        return []
    value = safe_yaml.construct(node)
    line = node.start_mark.line + 1
    if not isinstance(value, dict):
        raise _wrong(field, line, msg("It is no object with apiVersion, kind and metadata."))
    if str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
        return [_object(item, _as_json(item), line, field) for item in value["items"]]
    return [_object(value, _verbatim(node, text), line, field)]


def _object(value: Any, text: str, line: int, field: str) -> ManifestObject:
    if not isinstance(value, dict):
        raise _wrong(field, line, msg("It is no object with apiVersion, kind and metadata."))
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    words = {"apiVersion": value.get("apiVersion"), "kind": value.get("kind"), "metadata.name": metadata.get("name")}
    for name, word in words.items():
        if not isinstance(word, str) or not word:
            raise _wrong(field, line, msg("%(name)s is missing.", name=name))
    return ManifestObject(
        api_version=str(words["apiVersion"]),
        kind=str(words["kind"]),
        name=str(words["metadata.name"]),
        namespace=str(metadata.get("namespace") or ""),
        text=text,
        line=line,
    )


def _wrong(field: str, line: int, message: Message) -> UserError:
    title = msg("The object that begins on line %(line)d of the manifest cannot be applied", line=line)
    return UserError(title, message, msg("Correct the manifest."), field=field)


def _as_json(item: Any) -> str:
    return msgspec.json.encode(item, enc_hook=str).decode() + "\n"


def _verbatim(node: Any, text: str) -> str:
    """Return the document's own lines: comments, quotes and block texts stay as they are."""
    start = node.start_mark.index - node.start_mark.column
    chunk = text[start : node.end_mark.index]
    if text[start : node.start_mark.index].startswith("---"):
        chunk = chunk[3:]
    return chunk if chunk.endswith("\n") else chunk + "\n"


def joined(objects: tuple[ManifestObject, ...] | list[ManifestObject]) -> str:
    """Return the objects' texts as one stream of YAML documents."""
    return "".join(f"---\n{each.text}" for each in objects)
