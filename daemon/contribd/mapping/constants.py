"""What of an expression is known before there is a record: constants that always fail, conditions always the same."""

from collections.abc import Callable, Sequence
from decimal import localcontext
from typing import Final, TypeAlias

from contribd.mapping import operators
from contribd.mapping.codes import Code
from contribd.mapping.functions import FUNCTIONS, Form
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import RAISED, ErrorKind, ExpressionError, as_evaluation_error
from contribd.mapping.normal import OPPOSITES, joined, normal, normal_constant
from contribd.mapping.numbers import CONTEXT
from contribd.mapping.operators import HELPERS, Value
from contribd.mapping.syntax import Binary, Call, Conditional, Literal, Literals, Node, Unary, children
from contribd.mapping.written import short

Known: TypeAlias = tuple[Value, ...]
"""The value, alone; nothing where it depends on the record."""

_STAND_INS: Final[Sequence[dict[Kind, Value]]] = ({Kind.NUMBER: 1, Kind.TEXT: "a"}, {Kind.NUMBER: 0, Kind.TEXT: ""})
"""For what the record will give: what fails with all of these fails because of the constants beside it."""


def check_constants(node: Node) -> Known:
    """The value of ``node`` where it is constant. Raises ExpressionError at the part that fails with every record."""
    with localcontext(CONTEXT):
        return _known(node)


def _known(node: Node) -> Known:
    below = [_known(each) for each in children(node)]
    match node:
        case Literal():
            return (node.value,)
        case Unary():
            return _computed(node, operators.negate if node.operator == "-" else _not, below)
        case Binary():
            return _binary(node, below)
        case Conditional():
            then, condition, otherwise = below
            return (then if condition[0] else otherwise) if condition else ()
        case Call():
            return _called(node, below)
    return ()


def _binary(node: Binary, below: list[Known]) -> Known:
    if node.operator in {"and", "or"}:
        return _computed(node, (lambda left, right: left and right) if node.operator == "and" else _or, below)
    if node.operator in HELPERS:
        kinds = (Kind.NUMBER, Kind.NUMBER) if node.operator in "-*/%" else ()
        return _computed(node, HELPERS[node.operator], below, kinds)
    if below[0] and isinstance(node.right, Literals):
        plain, booleans = operators.split_booleans(node.right.values)
        return (operators.among(below[0][0], plain, booleans) == (node.operator == "in"),)
    return ()


def _called(node: Call, below: list[Known]) -> Known:
    function = FUNCTIONS[node.function]
    if function.form is not Form.PLAIN:
        return ()
    return _computed(node, function.call, below, [function.parameter(at) for at in range(len(below))])


def _not(value: Value) -> bool:
    return not value


def _or(left: Value, right: Value) -> bool:
    return bool(left or right)


def _computed(node: Node, function: Callable[..., Value], below: list[Known], kinds: Sequence[Kind] = ()) -> Known:
    """What ``function`` gives for known operands; those of ``kinds`` that are not known are tried with stand-ins."""
    if all(below):
        try:
            return (function(*(known[0] for known in below)),)
        except RAISED as error:
            return _failed(node, node.at, error)
    if kinds and any(below):
        failure = _always_fails(function, below, kinds)
        at_fault = _at_fault(function, below, kinds) if failure is not None else None
        if failure is not None and at_fault is not None:
            return _failed(node, children(node)[at_fault].at, failure)
    return ()


def _always_fails(function: Callable[..., Value], below: list[Known], kinds: Sequence[Kind]) -> Exception | None:
    errors = [_tried(function, below, kinds, stand_ins) for stand_ins in _STAND_INS]
    return errors[0] if all(errors) else None


def _at_fault(function: Callable[..., Value], below: list[Known], kinds: Sequence[Kind]) -> int | None:
    """The first constant without which there would be no failure; None where it is the stand-ins that do not fit."""
    constants = [index for index, known in enumerate(below) if known]
    for one in constants:
        rest = [() if index == one else known for index, known in enumerate(below)]
        if _always_fails(function, rest, kinds) is None:
            return one
    return constants[0] if _always_fails(function, [()] * len(below), kinds) is None else None


def _tried(
    function: Callable[..., Value], below: list[Known], kinds: Sequence[Kind], stand_ins: dict[Kind, Value]
) -> Exception | None:
    def stand_in(kind: Kind) -> Value:
        return stand_ins[Kind.NUMBER if Kind.NUMBER in kind else Kind.TEXT]

    try:
        function(*(known[0] if known else stand_in(kind) for known, kind in zip(below, kinds, strict=True)))
    except RAISED as error:
        return error
    return None


def _failed(node: Node, at: int, error: Exception) -> Known:
    failure = as_evaluation_error(error)
    if failure.kind is ErrorKind.MISSING:
        return ()  # coalesce around it gives another value
    text = f"{short(node)} fails with every record: {failure.text}"
    raise ExpressionError(at, text, code=Code.FAILS, cure="Write a value that it takes")


_ORDERED: Final = OPPOSITES.keys() - {"in", "not in"}
"""Operators that say the same of whatever is compared with itself: text is in itself, and a list is not."""


def always(node: Node) -> bool | None:
    """What the condition ``node`` is for every record with which it does not fail; None where that depends on it."""
    known = check_constants(node)
    if known:
        return known[0] if type(known[0]) is bool else None
    match node:
        case Unary(operator="not"):
            opposite = always(node.operand)
            return None if opposite is None else not opposite
        case Binary(operator="and"):
            sides = {always(each) for each in joined(node, "and")}
            return False if False in sides or _contradict(joined(node, "and")) else True if sides == {True} else None
        case Binary(operator="or"):
            sides = {always(each) for each in joined(node, "or")}
            opposites = [_opposite(each) for each in joined(node, "or")]
            return True if True in sides or _contradict(opposites) else False if sides == {False} else None
        case Binary() if node.operator in _ORDERED and normal(node.left) == normal(node.right):
            return node.operator in {"==", "<=", ">="}
    return None


def _opposite(node: Node) -> Node:
    if isinstance(node, Binary) and node.operator in OPPOSITES:
        return Binary(node.at, OPPOSITES[node.operator], node.left, node.right)
    return Literal(node.at, True)


def _contradict(conditions: Sequence[Node]) -> bool:
    """Whether a value would have to be two constants at once."""
    allowed: dict[str, set[str]] = {}
    for condition in conditions:
        for what, constants in _demands(condition):
            allowed[what] = allowed.get(what, constants) & constants
    return not all(allowed.values())


def _demands(node: Node) -> list[tuple[str, set[str]]]:
    """Which constants the condition ``node`` wants of what."""
    match node:
        case Binary(operator="==", left=Literal(value=value), right=other):
            return [(normal(other), {normal_constant(value)})]
        case Binary(operator="==", left=other, right=Literal(value=value)):
            return [(normal(other), {normal_constant(value)})]
        case Binary(operator="in", left=other, right=Literals(values=values)):
            return [(normal(other), {normal_constant(value) for value in values})]
    return []
