"""The syntax tree of an expression. ``at`` is the offset in the source where a node's text begins, or its operator."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from contribd.mapping.scope import SURROUNDINGS, Place
from contribd.mapping.tables import Table

Scalar: TypeAlias = str | int | Decimal | bool | None
Key: TypeAlias = str | int | Place


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    at: int
    value: Scalar


@dataclass(frozen=True, slots=True)
class Path:
    """A place in the record: ``a.b[0]`` is ``("a", "b", 0)``. Never empty; the first key is text or a Place."""

    at: int
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """One key or position further in the value of ``base``, where no Path can say it: ``first(…).price``, ``a[b]``."""

    at: int
    base: "Node"
    key: "Node"


@dataclass(frozen=True, slots=True)
class TableName:
    """A table by itself: the right side of ``in``."""

    at: int
    table: Table


@dataclass(frozen=True, slots=True)
class Row:
    """The row of a table by its key."""

    at: int
    table: Table
    key: "Node"


@dataclass(frozen=True, slots=True)
class Literals:
    """A list of constants: the right side of ``in``."""

    at: int
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x`` or ``not x``."""

    at: int
    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, comparison, ``and``, ``or``, ``in``, ``not in``; ``at`` is the operator's offset."""

    at: int
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Conditional:
    """``then if condition else otherwise``."""

    at: int
    condition: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    at: int
    function: str
    arguments: "tuple[Node, ...]"


Node: TypeAlias = Literal | Path | Access | TableName | Row | Literals | Unary | Binary | Conditional | Call


def children(node: Node) -> "tuple[Node, ...]":  # noqa: PLR0911 - one for each kind of node
    """The nodes right below ``node``, in the order written."""
    match node:
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Conditional():
            return (node.then, node.condition, node.otherwise)
        case Call():
            return node.arguments
        case Access():
            return (node.base, node.key)
        case Row():
            return (node.key,)
        case Literal() | Path() | Literals() | TableName():
            return ()


def walk_tree(node: Node) -> Iterator[Node]:
    """``node`` and all below it, in the order written."""
    yield node
    for part in children(node):
        yield from walk_tree(part)


def outcomes(node: Node) -> "tuple[Node, ...]":
    """The nodes whose values ``node`` can give: sides of a conditional, what coalesce takes, else ``node`` itself."""
    if isinstance(node, Conditional):
        return outcomes(node.then) + outcomes(node.otherwise)
    if isinstance(node, Call) and node.function == "coalesce":
        return tuple(found for argument in node.arguments for found in outcomes(argument))
    return (node,)


def path_text(keys: tuple[Key, ...]) -> str:
    """A path as it is written in an expression: ``a.b[0]["odd key"]``, ``@headers.source``."""
    parts: list[str] = []
    for key in keys:
        if isinstance(key, Place):
            parts.append(key.name)
        elif isinstance(key, int):
            parts.append(f"[{key}]")
        elif key.isidentifier():
            parts.append(f".{key}" if parts and parts != [SURROUNDINGS.name] else key)
        else:
            parts.append(f'["{key}"]')
    return "".join(parts)
