"""Expressions, compiled once."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import localcontext
from typing import Any, Final

from contribd.mapping.analysis import analyse
from contribd.mapping.codegen import Evaluate, generate_later
from contribd.mapping.constants import always, check_constants
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import RAISED, ExpressionError, as_evaluation_error
from contribd.mapping.names import check_names
from contribd.mapping.normal import normal, parts
from contribd.mapping.numbers import CONTEXT
from contribd.mapping.operators import Value
from contribd.mapping.parser import parse
from contribd.mapping.rewriting import rewritten
from contribd.mapping.scope import ITEM, RECORD_ONLY, Place, Scope
from contribd.mapping.syntax import Key, Node, Path, Row, TableName, walk_tree

MAX_REWRITTEN: Final = 400
"""Characters of an expression for which a cure is looked for by rewriting it."""


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
    """Needs ``numbers.CONTEXT`` to be current, raises what ``mistakes.RAISED`` lists. Made when it is first called."""
    at: int = 0
    """Where it begins in the template that it stands in."""

    @property
    def always(self) -> bool | None:
        """What this condition is for every record with which it does not fail; None where that depends on it."""
        return always(self.node)

    @property
    def normal(self) -> str:
        """A text that is the same for expressions that say the same in another order."""
        return normal(self.node)

    @property
    def demands(self) -> frozenset[str]:
        """The normal forms of all that must be true for this condition to be true.

        A condition whose demands hold all those of another is never true without the other.
        """
        return parts(self.node, "and")

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
    try:
        return _compiled(source, scope)
    except ExpressionError as error:
        _suggest(error, source, scope)
        raise


def _compiled(source: str, scope: Scope) -> Expression:
    node = parse(source, scope)
    every = tuple(walk_tree(node))
    check_names(every, scope)
    kind = analyse(node)
    check_constants(node)
    paths = tuple(dict.fromkeys(each.keys for each in every if isinstance(each, Path) and each.keys[0] is not ITEM))
    tables = frozenset(each.table.name for each in every if isinstance(each, Row | TableName))
    return Expression(source, kind, node, paths, tables, generate_later(node))


def _suggest(error: ExpressionError, source: str, scope: Scope) -> None:
    """Gives ``error`` a cure in the user's own words, where simple rules make an expression of ``source``."""
    if len(source) > MAX_REWRITTEN:
        return
    meant = rewritten(source, element=scope.element)
    if meant == source:
        return
    try:
        _compiled(meant, scope)
    except ExpressionError:
        return
    error.cure = f"Write {meant}"
