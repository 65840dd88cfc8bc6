"""A syntax tree as it would be written: for the texts of errors and cures, and to tell equal expressions."""

import json
from decimal import Decimal

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

MAX_WRITTEN = 60
"""Characters of an expression within the text of an error."""

_OPERAND, _SIGN = 9, 8
_POWERS = {"or": 2, "and": 3, "not": 4, "+": 6, "-": 6, "*": 7, "/": 7, "%": 7}
_COMPARISON = 5


def written(node: Node) -> str:  # noqa: C901, PLR0911 - one for each kind of node
    """``node`` in the mapping language, spaced as usual, with only the brackets that it needs."""
    match node:
        case Literal():
            return constant_text(node.value)
        case Literals():
            return f"[{', '.join(map(constant_text, node.values))}]"
        case Path():
            return path_text(node.keys)
        case TableName():
            return node.table.name
        case Row():
            return f"{node.table.name}[{written(node.key)}]"
        case Access():
            return _within(node.base, _OPERAND) + _key(node.key)
        case Call():
            return f"{node.function}({', '.join(map(written, node.arguments))})"
        case Unary() | Binary() | Conditional():
            return _operation(node)


def short(node: Node) -> str:
    """``written``, of a bounded length."""
    text = written(node)
    return text if len(text) <= MAX_WRITTEN else text[: MAX_WRITTEN - 1] + "…"


def constant_text(value: Scalar) -> str:
    """A constant as it is written."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value).replace("E+", "e")


def _key(key: Node) -> str:
    if isinstance(key, Literal) and isinstance(key.value, str) and key.value.isidentifier():
        return f".{key.value}"
    return f"[{written(key)}]"


def _power(node: Node) -> int:
    match node:
        case Conditional():
            return 1
        case Unary():
            return _SIGN if node.operator == "-" else _POWERS["not"]
        case Binary():
            return _POWERS.get(node.operator, _COMPARISON)
        case Literal(value=int() | Decimal() as number) if not isinstance(number, bool) and number < 0:
            return _SIGN
    return _OPERAND


def _within(node: Node, power: int) -> str:
    text = written(node)
    return text if _power(node) >= power else f"({text})"


def _operation(node: Unary | Binary | Conditional) -> str:
    power = _power(node)
    match node:
        case Unary():
            return node.operator + (" " if node.operator == "not" else "") + _within(node.operand, power)
        case Binary():
            # Comparisons do not chain, and what stands on the right of - or / does not lose its brackets.
            left = _within(node.left, power + (power == _COMPARISON))
            return f"{left} {node.operator} {_within(node.right, power + 1)}"
        case Conditional():
            then, condition = _within(node.then, power + 1), _within(node.condition, power + 1)
            return f"{then} if {condition} else {_within(node.otherwise, power)}"
