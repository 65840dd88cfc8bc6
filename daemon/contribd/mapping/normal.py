"""Expressions that say the same, whatever the order in which they say it."""

from decimal import Decimal
from typing import Final

from contribd.mapping.numbers import key_text
from contribd.mapping.syntax import (
    Access,
    Binary,
    Call,
    Conditional,
    Literal,
    Literals,
    Node,
    Path,
    Row,
    Scalar,
    TableName,
    Unary,
    path_text,
)
from contribd.mapping.written import constant_text

OPPOSITES: Final = {
    "==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in", "not in": "in",
}  # fmt: skip
"""``not (a < b)`` is ``a >= b``: what one cannot compare, the other cannot either."""

_TURNED: Final = {">": "<", ">=": "<="}
_EITHER_WAY: Final = frozenset({"==", "!=", "*"})


def normal(node: Node) -> str:  # noqa: C901, PLR0911 - one for each kind of node
    """A text that is the same for expressions that give the same with every record, as far as that is seen easily."""
    match node:
        case Literal():
            return normal_constant(node.value)
        case Literals():
            return f"[{', '.join(sorted({normal_constant(value) for value in node.values}))}]"
        case Path():
            # A let, or the element of a list, is not the record's key of the same name.
            return path_text(node.keys) if isinstance(node.keys[0], str) else f"@{path_text(node.keys)}"
        case TableName():
            return node.table.name
        case Row():
            return f"{node.table.name}[{normal(node.key)}]"
        case Access():
            return f"({normal(node.base)})[{normal(node.key)}]"
        case Call():
            return f"{node.function}({', '.join(map(normal, node.arguments))})"
        case Conditional():
            return f"({normal(node.then)} if {normal(node.condition)} else {normal(node.otherwise)})"
        case Unary(operator="not"):
            return _negated(node.operand)
        case Unary():
            return f"-({normal(node.operand)})"
        case Binary(operator="and" | "or"):
            return f"({f' {node.operator} '.join(sorted(parts(node, node.operator)))})"
        case Binary():
            return _operation(node)


def parts(node: Node, operator: str) -> frozenset[str]:
    """The normal forms of what ``operator`` (``and``, ``or``) joins in ``node``; of ``node`` alone elsewhere."""
    return frozenset(normal(each) for each in joined(node, operator))


def joined(node: Node, operator: str) -> tuple[Node, ...]:
    """The nodes that ``operator`` (``and``, ``or``) joins in ``node``."""
    if isinstance(node, Binary) and node.operator == operator:
        return joined(node.left, operator) + joined(node.right, operator)
    return (node,)


def normal_constant(value: Scalar) -> str:
    """The same for numbers of the same value."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return key_text(value) or constant_text(value)
    return constant_text(value)


def _negated(node: Node) -> str:
    if isinstance(node, Unary) and node.operator == "not":
        return normal(node.operand)
    if isinstance(node, Binary) and node.operator in OPPOSITES:
        return normal(Binary(node.at, OPPOSITES[node.operator], node.left, node.right))
    return f"not ({normal(node)})"


def _operation(node: Binary) -> str:
    operator, left, right = node.operator, normal(node.left), normal(node.right)
    if operator in {"in", "not in"} and isinstance(node.right, Literals) and len(node.right.values) == 1:
        operator, right = "==" if operator == "in" else "!=", normal_constant(node.right.values[0])
    if operator in _TURNED:
        operator, left, right = _TURNED[operator], right, left
    if operator in _EITHER_WAY:
        left, right = sorted((left, right))
    return f"({left} {operator} {right})"
