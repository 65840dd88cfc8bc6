"""The syntax tree of an expression. ``at`` is a node's offset in the source."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

Scalar: TypeAlias = str | int | Decimal | bool | None
Key: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    at: int
    value: Scalar


@dataclass(frozen=True, slots=True)
class Path:
    """A place in the record: ``a.b[0]`` is ``("a", "b", 0)``. Never empty; the first key is text."""

    at: int
    keys: tuple[Key, ...]


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


Node: TypeAlias = Literal | Path | Literals | Unary | Binary | Conditional | Call


def children(node: Node) -> "tuple[Node, ...]":
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
        case Literal() | Path() | Literals():
            return ()


def path_text(keys: tuple[Key, ...]) -> str:
    """A path as it is written in an expression: ``a.b[0]["odd key"]``."""
    parts: list[str] = []
    for key in keys:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif key.isidentifier():
            parts.append(f".{key}" if parts else key)
        else:
            parts.append(f'["{key}"]')
    return "".join(parts)
