"""YAML as nodes with their places, so that every problem can name line and column; bounded against hostile files."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import yaml

from ansflow_desktop import safe_yaml
from ansflow_desktop.errors import UserError
from ansflow_desktop.files import open_to_read
from ansflow_desktop.i18n import Text, msg
from ansflow_desktop.models.problem import Problem

MAX_BYTES = 1_000_000
MAX_NODES = 100_000
MAX_DEPTH = 50
_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"

Node: TypeAlias = "yaml.Node"


class PipelineError(UserError):
    """A pipeline file that cannot be used; `problems` holds all that was found, the first one is the error itself."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Show the first problem; at least one is given."""
        first = problems[0]
        super().__init__(first.title, first.message, first.hint, field=first.field)
        self.problems = problems


class Reader:
    """Walks the nodes of one document and collects problems; caps what aliases can blow up."""

    def __init__(self, name: str) -> None:
        """Name the file in problems; `name` is its path as the person typed it."""
        self.name = name
        self.problems: list[Problem] = []
        self._nodes = 0
        self._pairs: dict[int, list[tuple[str, Node, Node]]] = {}

    def problem(self, node: Node, field: str, title: Text, hint: Text = "") -> None:
        """Note a problem at `node`."""
        self.problems.append(Problem(field=field, title=title, message=self.place(node.start_mark), hint=hint))

    def place(self, mark: yaml.Mark) -> Text:
        """Return where `mark` is, counted from 1."""
        return self.position(mark.line + 1, mark.column + 1)

    def position(self, line: int, column: int) -> Text:
        """Return a place in the file in words."""
        return msg("%(file)s, line %(line)s, column %(column)s", file=self.name, line=line, column=column)

    def fail(self, node: Node, field: str, title: Text, hint: Text = "") -> PipelineError:
        """Return the error that ends the reading at `node`."""
        self.problem(node, field, title, hint)
        return PipelineError((self.problems[-1], *self.problems[:-1]))

    def count(self, node: Node, depth: int) -> None:
        """Count one visited node; raises where aliases make more of the file than anyone writes by hand."""
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise self.fail(node, "", msg("The file is too large or too deep once its aliases are followed"))

    def pairs(self, node: Node, field: str, depth: int = 0) -> list[tuple[str, Node, Node]]:
        """Return (key, key node, value node) of a mapping in order; problems for duplicates and keys that are no text.

        A merge key (`<<`) gives what the mapping itself does not define. Asked again for the same node, the answer is
        the same and no problem is noted twice.
        """
        if id(node) not in self._pairs:
            self._pairs[id(node)] = self._read_pairs(node, field, depth)
        return self._pairs[id(node)]

    def _read_pairs(self, node: Node, field: str, depth: int) -> list[tuple[str, Node, Node]]:
        assert isinstance(node, yaml.MappingNode)
        own: dict[str, tuple[str, Node, Node]] = {}
        merged: list[Node] = []
        for key, value in node.value:
            self.count(key, depth)
            if key.tag == _MERGE:
                merged.extend(value.value if isinstance(value, yaml.SequenceNode) else [value])
            elif not isinstance(key, yaml.ScalarNode):
                self.problem(key, field, msg("A name is expected here, not a list or a mapping"))
            elif key.value in own:
                self._duplicate(key, own[key.value][1], field)
            else:
                own[key.value] = (key.value, key, value)
        for source in merged:
            for pair in self._merged(source, field, depth + 1):
                own.setdefault(pair[0], pair)
        return list(own.values())

    def _duplicate(self, key: Node, first: Node, field: str) -> None:
        title = msg("%(name)s is written twice", name=join(field, key.value))
        hint = msg("The first one is in line %(line)s; keep one of them.", line=first.start_mark.line + 1)
        self.problem(key, join(field, key.value), title, hint)

    def _merged(self, source: Node, field: str, depth: int) -> list[tuple[str, Node, Node]]:
        self.count(source, depth)
        if isinstance(source, yaml.MappingNode):
            return self.pairs(source, field, depth)
        self.problem(source, field, msg("Only a mapping can be merged by <<"))
        return []


def join(field: str, name: str) -> str:
    """Return the path of `name` below `field`: `steps[1]` and `timeout` give `steps[1].timeout`."""
    return f"{field}.{name}" if field else name


def is_null(node: Node) -> bool:
    """Say whether a scalar was left empty or written as null."""
    return bool(node.tag == _NULL)


def scalar_text(node: Node) -> str:
    """Return what was written: `012` and `yes` stay as they are; empty and null give the empty text."""
    return "" if is_null(node) else str(node.value)


def compose(text: str, name: str) -> tuple[Reader, Node]:
    """Return a reader and the root node of the one document in `text`; raises PipelineError."""
    reader = Reader(name)
    text = text.removeprefix("\ufeff")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _whole_file(reader, msg("The file is larger than %(limit)s bytes", limit=MAX_BYTES))
    try:
        safe_yaml.check(text)  # the C composer recurses: deep nesting must not reach it
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except safe_yaml.YamlProblem as problem:
        raise _not_yaml(reader, problem) from problem
    except yaml.YAMLError as error:
        raise _not_yaml(reader, safe_yaml.problem_of(error)) from error
    if root is None or is_null(root):
        hint = msg("Write a pipeline into it; the command schema describes all fields.")
        raise _whole_file(reader, msg("The pipeline file is empty"), hint)
    return reader, root


def _whole_file(reader: Reader, title: Text, hint: Text = "") -> PipelineError:
    return PipelineError((Problem(field="", title=title, message=reader.name, hint=hint),))


def _not_yaml(reader: Reader, problem: safe_yaml.YamlProblem) -> PipelineError:
    place = reader.position(problem.line, problem.column) if problem.line else reader.name
    title = msg("The pipeline file is not valid YAML: %(reason)s", reason=problem.reason)
    return PipelineError((Problem(field="", title=title, message=place),))


def read_text(path: Path) -> str:
    """Return the text of a pipeline file; raises UserError for a missing, unreadable or huge one, or one not UTF-8."""
    try:
        with open_to_read(path) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        title = msg("The pipeline file cannot be read: %(path)s", path=str(path))
        raise UserError(title, error.strerror or str(error), msg("Check the path.")) from error
    if len(data) > MAX_BYTES:
        raise UserError(msg("The file is larger than %(limit)s bytes", limit=MAX_BYTES), str(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        title = msg("The pipeline file is not UTF-8 text")
        raise UserError(title, str(path), msg("Save it as UTF-8.")) from error
