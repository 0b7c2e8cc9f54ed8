"""A Go template as a tree, refused where Helm's parser refuses it: blocks, pipelines, functions, variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from ansflow_desktop.helm.template_functions import FUNCTIONS
from ansflow_desktop.helm.template_lex import Action, TemplateError, Token, actions
from ansflow_desktop.i18n import msg

_OPENS = ("if", "range", "with", "define", "block")
_CONSTANTS = {"true": True, "false": False, "nil": None}
_MAX_DEPTH = 100


class Term(msgspec.Struct, frozen=True):
    """An operand: `kind` is literal, dot, variable, function, nested; `fields` are what is asked of it.

    `value` is a literal's value, the name of a variable or function; `inner` a pipeline in parentheses.
    """

    kind: str
    value: str | float | bool | None = None
    fields: tuple[str, ...] = ()
    inner: Pipe | None = None
    line: int = 0


class Pipe(msgspec.Struct, frozen=True):
    """A pipeline: commands of terms, each result the last argument of the next; `names` are declared or assigned."""

    commands: tuple[tuple[Term, ...], ...]
    names: tuple[str, ...] = ()
    line: int = 0


class Node(msgspec.Struct, frozen=True):
    """A node: `kind` is output, if, with, range, define, block, template, break or continue."""

    kind: str
    line: int
    pipe: Pipe | None = None
    name: str = ""
    body: tuple[Node, ...] = ()
    otherwise: tuple[Node, ...] = ()


Nodes: TypeAlias = "tuple[Node, ...]"


def parse(text: str) -> Nodes:
    """Return a template's nodes, texts left out; raises TemplateError at the first thing that Helm refuses."""
    parser = _Parser(list(actions(text)))
    nodes, end = parser.nodes(("$",), 0, in_range=False)
    if end is not None:
        raise TemplateError(msg("%(word)s closes nothing.", word=end[0]), end[1])
    return nodes


class _Parser:
    def __init__(self, found: list[Action]) -> None:
        self._actions = found
        self._place = 0

    def nodes(
        self, names: tuple[str, ...], depth: int, *, in_range: bool
    ) -> tuple[Nodes, tuple[str, int, list[Token]] | None]:
        """Return the nodes up to an `end` or `else`, and that; None at the end of the file."""
        made: list[Node] = []
        while self._place < len(self._actions):
            action = self._actions[self._place]
            self._place += 1
            head = action.tokens[0].text if action.tokens and action.tokens[0].kind == "word" else ""
            if head in ("end", "else"):
                return tuple(made), (head, action.line, list(action.tokens[1:]))
            node = self._node(action, head, names, depth, in_range=in_range)
            if node.pipe and node.kind == "output":
                names = (*names, *node.pipe.names)
            made.append(node)
        return tuple(made), None

    def _node(self, action: Action, head: str, names: tuple[str, ...], depth: int, *, in_range: bool) -> Node:
        if depth > _MAX_DEPTH:
            raise TemplateError(msg("Too deeply nested."), action.line)
        if head in _OPENS:
            return self._block(head, list(action.tokens[1:]), action.line, names, depth, in_range=in_range)
        if head in ("break", "continue"):
            if not in_range:
                raise TemplateError(msg("%(word)s stands outside a range.", word=head), action.line)
            return Node(head, action.line)
        if head == "template":
            name, rest = _name(list(action.tokens[1:]), action.line)
            return Node(
                "template", action.line, pipe=_pipe(rest, names, action.line) if _solid(rest) else None, name=name
            )
        return Node("output", action.line, pipe=_pipe(list(action.tokens), names, action.line))

    def _block(
        self, head: str, tokens: list[Token], line: int, names: tuple[str, ...], depth: int, *, in_range: bool
    ) -> Node:
        name, pipe = "", None
        if head in ("define", "block"):
            name, tokens = _name(tokens, line)
        if head != "define":
            if not _solid(tokens):
                raise TemplateError(msg("%(word)s has no value.", word=head), line)
            pipe = _pipe(tokens, names, line, ranged=head == "range")
        inside = ("$",) if head in ("define", "block") else (*names, *(pipe.names if pipe else ()))
        looping = head == "range" or (in_range and head in ("if", "with"))
        body, end = self.nodes(inside, depth + 1, in_range=looping)
        otherwise: Nodes = ()
        if end and end[0] == "else":
            otherwise, end = self._else(head, end, inside, depth, in_range=looping)
        if end is None:
            raise TemplateError(msg("%(word)s is not closed by an end.", word=head), line)
        if end[0] == "else":
            raise TemplateError(msg("A second else stands in one block."), end[1])
        return Node(head, line, pipe=pipe, name=name, body=body, otherwise=otherwise)

    def _else(
        self, head: str, end: tuple[str, int, list[Token]], names: tuple[str, ...], depth: int, *, in_range: bool
    ) -> tuple[Nodes, tuple[str, int, list[Token]] | None]:
        if head in ("define", "block"):
            raise TemplateError(msg("%(word)s closes nothing.", word="else"), end[1])
        rest = [token for token in end[2] if token.kind != "space"]
        if not rest:
            return self.nodes(names, depth + 1, in_range=in_range)
        if rest[0].text not in ("if", "with") or rest[0].text != ("with" if head == "with" else "if"):
            raise TemplateError(msg("%(character)s cannot stand here.", character=rest[0].text), end[1])
        tokens = end[2][end[2].index(rest[0]) + 1 :]
        inner = self._block(rest[0].text, tokens, end[1], names, depth + 1, in_range=in_range)
        return (inner,), ("end", end[1], [])


def _solid(tokens: Sequence[Token]) -> bool:
    return any(token.kind != "space" for token in tokens)


def _name(tokens: list[Token], line: int) -> tuple[str, list[Token]]:
    rest = tokens[next((i for i, token in enumerate(tokens) if token.kind != "space"), len(tokens)) :]
    if not rest or rest[0].kind not in ("string", "raw"):
        raise TemplateError(msg("The name of a template is expected in quotes."), line)
    return rest[0].text[1:-1], rest[1:]


def _pipe(tokens: list[Token], names: tuple[str, ...], line: int, *, ranged: bool = False) -> Pipe:
    reader = _Terms(tokens, names, line)
    declared = reader.declarations(ranged=ranged)
    pipe = reader.pipe()
    if reader.left():
        raise TemplateError(msg("%(character)s cannot stand here.", character=reader.left()), line)
    return Pipe(pipe.commands, declared, line)


class _Terms:
    """Reads the terms of one action."""

    def __init__(self, tokens: list[Token], names: tuple[str, ...], line: int) -> None:
        self._tokens, self._names, self._line = tokens, names, line
        self._place = 0

    def left(self) -> str:
        """Return the next token's text, empty at the end."""
        return self._tokens[self._place].text if self._place < len(self._tokens) else ""

    def declarations(self, *, ranged: bool) -> tuple[str, ...]:
        """Take `$x :=`, `$x =`, or `$i, $x :=` of a range off the front."""
        solid = [(index, token) for index, token in enumerate(self._tokens) if token.kind != "space"]
        found: list[str] = []
        for step, (index, token) in enumerate(solid[:5]):
            if step % 2 == 0:
                if token.kind != "variable":
                    return ()
                found.append(token.text)
            elif token.text in (":=", "="):
                self._place = index + 1
                self._refuse_new(found, token)
                return tuple(found) if token.text == ":=" else ()
            elif token.text != "," or not ranged:
                return ()
        return ()

    def _refuse_new(self, found: list[str], token: Token) -> None:
        unknown = [name for name in found if name not in self._names]
        if token.text == "=" and unknown:
            raise TemplateError(msg("The variable %(name)s is not defined.", name=unknown[0]), token.line)

    def pipe(self) -> Pipe:
        """Return the commands up to the end or a closing parenthesis."""
        commands = [self._command()]
        while self.left() == "|":
            self._place += 1
            commands.append(self._command())
            if commands[-1][0].kind == "literal":
                raise TemplateError(msg("Only a function can stand behind a |."), self._line)
        return Pipe(tuple(commands), (), self._line)

    def _command(self) -> tuple[Term, ...]:
        terms: list[Term] = []
        spaced = True
        while self._place < len(self._tokens):
            token = self._tokens[self._place]
            if token.kind == "space":
                spaced = True
                self._place += 1
            elif token.text in ("|", ")"):
                break
            elif not spaced:
                raise TemplateError(msg("%(character)s cannot stand here.", character=token.text), token.line)
            else:
                terms.append(self._term())
                spaced = False
        if not terms:
            raise TemplateError(msg("A command has no value."), self._line)
        return tuple(terms)

    def _term(self) -> Term:
        token = self._tokens[self._place]
        self._place += 1
        if token.text == "(":
            inner = self.pipe()
            if self.left() != ")":
                raise TemplateError(msg("A parenthesis is not closed."), token.line)
            self._place += 1
            return Term("nested", inner=inner, fields=self._fields(), line=token.line)
        if token.kind == "field":
            return Term("dot", fields=(token.text[1:], *self._fields()), line=token.line)
        if token.kind == "variable":
            if token.text not in self._names:
                raise TemplateError(msg("The variable %(name)s is not defined.", name=token.text), token.line)
            return Term("variable", token.text, self._fields(), line=token.line)
        if token.text == ".":
            return Term("dot", line=token.line)
        made = _word(token) if token.kind == "word" else _literal(token)
        fields = self._fields()
        if fields and made.kind == "literal":
            raise TemplateError(msg("A value has no fields."), token.line)
        return msgspec.structs.replace(made, fields=fields)

    def _fields(self) -> tuple[str, ...]:
        found = []
        while self._place < len(self._tokens) and self._tokens[self._place].kind == "field":
            found.append(self._tokens[self._place].text[1:])
            self._place += 1
        return tuple(found)


def _word(token: Token) -> Term:
    if token.text in _CONSTANTS:
        return Term("literal", _CONSTANTS[token.text], line=token.line)
    if token.text not in FUNCTIONS:
        raise TemplateError(msg("There is no function %(name)s.", name=token.text), token.line)
    return Term("function", token.text, line=token.line)


def _literal(token: Token) -> Term:
    if token.kind in ("string", "raw", "char"):
        return Term("literal", token.text[1:-1], line=token.line)
    if token.kind == "number":
        return Term("literal", _number(token.text), line=token.line)
    raise TemplateError(msg("%(character)s cannot stand here.", character=token.text), token.line)


def _number(text: str) -> float:
    try:
        return float(int(text.replace("_", ""), 0)) if "." not in text and "e" not in text.lower() else float(text)
    except (ValueError, OverflowError):
        return 0.0
