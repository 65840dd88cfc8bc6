"""What an expression can give, worked out before there is a record: finds at load what could only fail later."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from contribd.mapping.codes import Code
from contribd.mapping.foreign import function_error
from contribd.mapping.functions import FUNCTIONS, Form
from contribd.mapping.kind import Kind, kind_of, words
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.names import table_alone
from contribd.mapping.numbers import parse_number
from contribd.mapping.patterns import pattern_of
from contribd.mapping.scope import EMPTY, INDEX, ITEM, POST, SURROUNDINGS
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
    children,
    walk_tree,
)
from contribd.mapping.written import constant_text, short

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
            return _column(node)
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


def _column(node: Access) -> Kind:
    """The kinds that a table's column has; of all else nothing is known."""
    if not isinstance(node.base, Row) or not isinstance(node.key, Literal):
        return Kind.ANY
    samples = node.base.table.samples.get(str(node.key.value), {})
    return _union(map(kind_of, samples.values())) or Kind.ANY


def _need(node: Node, wanted: Kind, what: str) -> Kind:
    """The kinds of ``node`` that are among those ``wanted``; a problem where there are none."""
    kind = analyse(node)
    if not kind & wanted:
        text = f"{what} takes {words(wanted)}; this is {words(kind)}"
        raise ExpressionError(node.at, text, code=Code.KIND, cure=_made_into(node, kind, wanted))
    return kind & wanted


def _made_into(node: Node, kind: Kind, wanted: Kind) -> str:
    """How ``node``, which is of this kind, becomes what is wanted."""
    if Kind.NUMBER in wanted and kind is Kind.TEXT:
        is_number = isinstance(node, Literal) and parse_number(str(node.value)) is not None
        return f"Write {str(node.value) if isinstance(node, Literal) and is_number else f'number({short(node)})'}"
    if Kind.TEXT in wanted and kind & (Kind.NUMBER | Kind.BOOLEAN):
        return f"Write text({short(node)})"
    if Kind.BOOLEAN in wanted:
        return f"Compare it with something, as in {short(node)} != " + ("0" if Kind.NUMBER in kind else '""')
    return f"Write something that gives {words(wanted)}"


def _path(node: Path) -> Kind:
    root, *rest = node.keys
    if root is SURROUNDINGS:
        return Kind.NUMBER if rest[0] in _NUMBERED else Kind.TEXT
    if root is POST:
        return Kind.NUMBER | Kind.TEXT | Kind.NULL
    if root is INDEX:
        return Kind.NUMBER
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
    if node.operator == "+":
        return _pair(node, what)
    if node.operator in _ORDER:
        _pair(node, what)
        _no_number_as_text(node)
    elif node.operator in {"in", "not in"}:
        _membership(node, what)
    elif not analyse(node.left) & analyse(node.right):
        raise _never_equal(node, analyse(node.left), analyse(node.right))
    return Kind.BOOLEAN


def _membership(node: Binary, what: str) -> None:
    right = node.right
    if isinstance(right, TableName):
        _need(node.left, _ROW_KEY, f"the key of a row of {right.table.name}")
        return
    kind = _need(node.left, _CONSTANT, what)
    _need(right, Kind.LIST | Kind.TEXT, what)
    if isinstance(right, Literal):
        value, left = constant_text(right.value), short(node.left)
        equal = "==" if node.operator == "in" else "!="
        text = f"'{node.operator}' looks for a part of the text {value}; a list of constants stands in square brackets"
        cure = f"Write {left} {equal} {value}, or {left} {node.operator} [{value}]"
        raise ExpressionError(right.at, text, code=Code.IN_TEXT, cure=cure)
    if isinstance(right, Literals) and not any(kind_of(value) & kind for value in right.values):
        text = f"this list never holds what is looked for: it is {words(kind)}"
        raise ExpressionError(right.at, text, code=Code.NEVER_EQUAL, cure=f"Write values that are {words(kind)}")


def _never_equal(node: Binary, left: Kind, right: Kind) -> ExpressionError:
    text = f"the two sides are never equal: one is {words(left)}, the other {words(right)}"
    sides = ((node.left, left, right), (node.right, right, left))
    numbers = (side.value for side, kind, other in sides if isinstance(side, Literal) and Kind.TEXT in other)
    cures = [f'Write "{value}" in quotes' for value in numbers if not isinstance(value, str | bool | None)]
    cures += [_made_into(side, kind, other) for side, kind, other in sides if kind is Kind.TEXT]
    return ExpressionError(node.at, text, code=Code.NEVER_EQUAL, cure=[*cures, "Compare values of one kind"][0])


def _no_number_as_text(node: Binary) -> None:
    for side in (node.left, node.right):
        if isinstance(side, Literal) and isinstance(side.value, str) and parse_number(side.value) is not None:
            text = f"'{node.operator}' compares {constant_text(side.value)} as text, not as a number"
            raise ExpressionError(side.at, text, code=Code.NUMBER_AS_TEXT, cure=f"Write {side.value} without quotes")


def _pair(node: Binary, what: str) -> Kind:
    """Both sides numbers, or both text."""
    left = _need(node.left, Kind.NUMBER | Kind.TEXT, what)
    right = _need(node.right, Kind.NUMBER | Kind.TEXT, what)
    if not left & right:
        text = f"{what} takes two numbers or two texts, not {words(left)} and {words(right)}"
        number = node.left if left is Kind.NUMBER else node.right
        other = node.right if left is Kind.NUMBER else node.left
        cure = f"Write text({short(number)}), or number({short(other)})"
        raise ExpressionError(node.at, text, code=Code.KIND, cure=cure)
    return left & right


def _call(node: Call) -> Kind:
    function = FUNCTIONS.get(node.function)
    if function is None:
        raise function_error(node.function, node.at, [short(each) for each in node.arguments], FUNCTIONS)
    if not function.least <= len(node.arguments) <= function.most:
        count = f"{len(node.arguments)} argument{'' if len(node.arguments) == 1 else 's'}"
        text = f"it is {function.signature}; this has {count}"
        raise ExpressionError(node.at, text, code=Code.ARGUMENTS, cure=f"Write {function.signature}")
    if node.function == "exists" and not isinstance(node.arguments[0], Path | Access | Row):
        cure = "Write one path in it, as in exists(bid) and exists(ask)"
        text = "exists takes a path into the record"
        raise ExpressionError(node.arguments[0].at, text, code=Code.KIND, cure=cure)
    if function.form is Form.PATTERN:
        pattern_of(node)
    if function.check is not None:
        function.check(node)
    kinds = [_need(each, function.parameter(at), node.function) for at, each in enumerate(node.arguments)]
    if function.form is Form.EACH:
        _need_item(node)
    if node.function == "coalesce":
        return _union(kinds)
    return function.gives


def _need_item(node: Call) -> None:
    """What is asked of each element without naming it is the same for all; constants are meant so."""
    asked = node.arguments[1]
    if isinstance(asked, Literal) or _names_item(asked):
        return
    keys = (part for part in walk_tree(asked) if isinstance(part, Path) and isinstance(part.keys[0], str))
    key = next(keys, None)
    text = f"{short(asked)} does not name item: it is the same for each element of {short(node.arguments[0])}"
    cure = f"Write item.{short(key)} for a key of the element" if key else "Write item for the element"
    raise ExpressionError(key.at if key else asked.at, text, code=Code.NO_ITEM, cure=cure)


def _names_item(node: Node) -> bool:
    """Whether the element at hand is named; within another list function item is an element of that one."""
    if isinstance(node, Path):
        return node.keys[0] is ITEM
    function = FUNCTIONS.get(node.function) if isinstance(node, Call) else None
    parts = children(node)
    return any(map(_names_item, parts[:1] if function is not None and function.form is Form.EACH else parts))


def _union(kinds: Iterable[Kind]) -> Kind:
    return reduce(or_, kinds, Kind(0))
