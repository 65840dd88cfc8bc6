"""What an expression can give, worked out before there is a record: finds at load what could only fail later."""

import difflib

from contribd.mapping.functions import FUNCTIONS, Form, Function
from contribd.mapping.kind import Kind, kind_of, words
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.names import table_alone
from contribd.mapping.patterns import pattern_of
from contribd.mapping.scope import EMPTY, POST, SURROUNDINGS
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
    TableName,
    Unary,
)

_ARITHMETIC = frozenset({"-", "*", "/", "%"})
_ORDER = frozenset({"<", "<=", ">", ">="})
_LOGIC = frozenset({"and", "or"})
_NUMBERED = frozenset({"partition", "offset", "timestamp"})
_ROW_KEY = Kind.TEXT | Kind.NUMBER
_CONSTANT = Kind.ANY & ~(Kind.LIST | Kind.OBJECT)


def analyse(node: Node) -> Kind:  # noqa: C901, PLR0911 - one for each kind of node
    """The kinds ``node`` can give. Raises ExpressionError for what would fail with every record."""
    match node:
        case Literal():
            return kind_of(node.value)
        case Path():
            return _path(node)
        case Access():
            _need(node.base, Kind.LIST | Kind.OBJECT, "what a key or position follows")
            _need(node.key, Kind.TEXT | Kind.NUMBER, "a key or position")
            return Kind.ANY
        case Row():
            _need(node.key, _ROW_KEY, f"the key of a row of {node.table.name}")
            return _CONSTANT if node.table.columns is None else Kind.OBJECT
        case TableName():
            raise table_alone(node)
        case Literals():
            return Kind.LIST
        case Unary():
            return _unary(node)
        case Binary():
            return _binary(node)
        case Conditional():
            _need(node.condition, Kind.BOOLEAN, "the condition after 'if'")
            return analyse(node.then) | analyse(node.otherwise)
        case Call():
            return _call(node)


def _need(node: Node, wanted: Kind, what: str) -> Kind:
    """The kinds of ``node`` that are among those ``wanted``; a problem where there are none."""
    kind = analyse(node)
    if not kind & wanted:
        raise ExpressionError(node.at, f"{what} takes {words(wanted)}; this is {words(kind)}")
    return kind & wanted


def _path(node: Path) -> Kind:
    root, *rest = node.keys
    if root is SURROUNDINGS:
        return Kind.NUMBER if rest[0] in _NUMBERED else Kind.TEXT
    if root is POST:
        return Kind.NUMBER | Kind.TEXT | Kind.NULL
    return Kind.BOOLEAN if root is EMPTY else Kind.ANY


def _unary(node: Unary) -> Kind:
    return _need(node.operand, Kind.NUMBER if node.operator == "-" else Kind.BOOLEAN, f"'{node.operator}'")


def _binary(node: Binary) -> Kind:
    what = f"'{node.operator}'"
    if node.operator in _ARITHMETIC:
        _need(node.left, Kind.NUMBER, what)
        return _need(node.right, Kind.NUMBER, what)
    if node.operator in _LOGIC:
        _need(node.left, Kind.BOOLEAN, what)
        return _need(node.right, Kind.BOOLEAN, what)
    if node.operator == "+" or node.operator in _ORDER:
        both = _pair(node, what)
        return both if node.operator == "+" else Kind.BOOLEAN
    if node.operator in {"in", "not in"}:
        if isinstance(node.right, TableName):
            _need(node.left, _ROW_KEY, f"the key of a row of {node.right.table.name}")
            return Kind.BOOLEAN
        _need(node.left, _CONSTANT, what)
        _need(node.right, Kind.LIST | Kind.TEXT, what)
    else:
        analyse(node.left)
        analyse(node.right)
    return Kind.BOOLEAN


def _pair(node: Binary, what: str) -> Kind:
    """Both sides numbers, or both text."""
    left = _need(node.left, Kind.NUMBER | Kind.TEXT, what)
    right = _need(node.right, Kind.NUMBER | Kind.TEXT, what)
    if not left & right:
        raise ExpressionError(node.at, f"{what} takes two numbers or two texts, not {words(left)} and {words(right)}")
    return left & right


def _call(node: Call) -> Kind:
    function = FUNCTIONS.get(node.function)
    if function is None:
        near = difflib.get_close_matches(node.function, FUNCTIONS, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(FUNCTIONS))}"
        raise ExpressionError(node.at, f"there is no function {node.function}{hint}")
    if not function.least <= len(node.arguments) <= function.most:
        raise ExpressionError(node.at, f"it is {function.signature}; this has {len(node.arguments)} arguments")
    if node.function == "exists" and not isinstance(node.arguments[0], Path | Access | Row):
        raise ExpressionError(node.arguments[0].at, "exists takes a path into the record")
    if function.form is Form.PATTERN:
        pattern_of(node)
    if function.check is not None:
        function.check(node)
    kinds = [_argument(node, function, index) for index in range(len(node.arguments))]
    if node.function == "coalesce":
        return _union(kinds)
    return function.gives


def _argument(node: Call, function: Function, index: int) -> Kind:
    return _need(node.arguments[index], function.takes[min(index, len(function.takes) - 1)], node.function)


def _union(kinds: list[Kind]) -> Kind:
    union = kinds[0]
    for kind in kinds:
        union |= kind
    return union
