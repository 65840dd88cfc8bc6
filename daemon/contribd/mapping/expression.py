"""Expressions and templates, compiled once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import localcontext
from typing import Any

from contribd.mapping.analysis import analyse
from contribd.mapping.codegen import Evaluate, generate
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import RAISED, ExpressionError, as_evaluation_error
from contribd.mapping.names import check_names
from contribd.mapping.numbers import CONTEXT
from contribd.mapping.operators import Value
from contribd.mapping.parser import parse
from contribd.mapping.scope import ITEM, RECORD_ONLY, Place, Scope
from contribd.mapping.syntax import Key, Node, Path, Row, TableName, walk_tree


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: its ``source``, the kinds of value it can give, and the function itself."""

    source: str
    kind: Kind
    node: Node
    paths: tuple[tuple[Key, ...], ...]
    """Every path that it reads, once each, in the order written; those of what is not the record begin with a Place.

    What is read of an element of a list is none of them."""
    tables: frozenset[str]
    """The tables that it looks into."""
    run: Evaluate
    """For the hot path: needs ``numbers.CONTEXT`` to be current, raises what ``errors.RAISED`` lists."""
    at: int = 0
    """Where it begins in the template that it stands in."""

    def reads(self, place: Place) -> bool:
        """Whether it reads what stands under ``place``, as SURROUNDINGS, POST, EMPTY or a LetName."""
        return any(path[0] is place for path in self.paths)

    def evaluate(self, record: Mapping[Any, Value]) -> Value:
        """The value for ``record``, in any thread and under any decimal context. Raises EvaluationError only."""
        with localcontext(CONTEXT):
            try:
                return self.run(record)
            except RAISED as error:
                raise as_evaluation_error(error) from None


def compile_expression(source: str, scope: Scope = RECORD_ONLY) -> Expression:
    """``source`` compiled; ``scope`` is what it can name beside the record. Raises ExpressionError."""
    node = parse(source, scope)
    every = tuple(walk_tree(node))
    check_names(every, scope)
    kind = analyse(node)
    paths = tuple(dict.fromkeys(each.keys for each in every if isinstance(each, Path) and each.keys[0] is not ITEM))
    tables = frozenset(each.table.name for each in every if isinstance(each, Row | TableName))
    return Expression(source, kind, node, paths, tables, generate(node))


@dataclass(frozen=True, slots=True)
class Template:
    """Text with expressions in braces. ``parts`` alternate as they stand; a text part is never empty."""

    source: str
    parts: tuple[str | Expression, ...]


def compile_template(source: str, scope: Scope = RECORD_ONLY) -> Template:
    """``source`` compiled; ``{{`` and ``}}`` stand for braces. Raises ExpressionError with offsets in ``source``."""
    parts: list[str | Expression] = []
    text: list[str] = []
    at = 0
    while at < len(source):
        character = source[at]
        if source[at : at + 2] in {"{{", "}}"}:
            text.append(character)
            at += 2
        elif character == "{":
            end = _closing(source, at)
            parts.extend(["".join(text)] if text else [])
            text = []
            parts.append(_embedded(source, at + 1, end, scope))
            at = end + 1
        elif character == "}":
            raise ExpressionError(at, "this '}' closes nothing; write '}}' for a brace")
        else:
            text.append(character)
            at += 1
    parts.extend(["".join(text)] if text else [])
    return Template(source, tuple(parts))


def _embedded(source: str, start: int, end: int, scope: Scope) -> Expression:
    try:
        expression = compile_expression(source[start:end], scope)
    except ExpressionError as problem:
        raise ExpressionError(start + problem.at, problem.text, code=problem.code, cure=problem.cure) from None
    if not expression.kind & (Kind.TEXT | Kind.NUMBER):
        raise ExpressionError(start, "an expression in braces gives text or a number")
    return replace(expression, at=start)


def _closing(source: str, start: int) -> int:
    """The offset of the brace that closes the one at ``start``; braces within quoted text do not count."""
    quote = ""
    at = start + 1
    while at < len(source):
        character = source[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "}":
            return at
        at += 1
    raise ExpressionError(start, "this '{' is not closed; write '{{' for a brace")
