"""Nodes of an expression to nodes of Python."""

import ast
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from contribd.mapping import operators
from contribd.mapping.analysis import analyse
from contribd.mapping.computed_names import ComputedName, name_text
from contribd.mapping.functions import FUNCTIONS, Form, Function
from contribd.mapping.kind import Kind
from contribd.mapping.list_functions import MAX_ELEMENTS
from contribd.mapping.numbers import NUMBERS
from contribd.mapping.operators import HELPERS, Value, split_booleans
from contribd.mapping.patterns import pattern_of
from contribd.mapping.scope import ELEMENT, EMPTY, ITEM, MEMBERS, MOST, Place
from contribd.mapping.syntax import (
    Access,
    Binary,
    Call,
    Conditional,
    Key,
    Literal,
    Literals,
    Node,
    Path,
    Row,
    TableName,
    Unary,
)
from contribd.mapping.tape import current_tape
from contribd.mapping.written import short

_OF_DECIMALS: Final[dict[str, ast.operator | ast.cmpop]] = {
    "+": ast.Add(),
    "-": ast.Sub(),
    "*": ast.Mult(),
    "/": ast.Div(),
    "<": ast.Lt(),
    "<=": ast.LtE(),
    ">": ast.Gt(),
    ">=": ast.GtE(),
}
"""What Python does with two decimals just as this language does."""

_WALKS: Final[dict[tuple[type, ...], Callable[..., Value]]] = {
    (str, str): operators.walk_object,
    (str, int, str): operators.walk_entry,
}
"""The commonest of the longer paths, by the types of their keys."""

_LOAD: Final = ast.Load()
_ADDED: Final = 20
"""Pieces of a text that are added up: Python takes no tree of a thousand sums."""

RECORD: Final = "record"
"""The parameter of what is generated."""


def lambda_of(body: ast.expr, parameters: list[str]) -> ast.Lambda:
    arguments = ast.arguments([], [ast.arg(name) for name in parameters], None, [], [], None, [])
    return ast.Lambda(arguments, body)


def load(name: str) -> ast.expr:
    return ast.Name(name, _LOAD)


class PythonNodes:
    """Turns nodes into Python nodes and collects the values that they refer to by name."""

    def __init__(self, *, plain: bool = False) -> None:
        """``plain``: what is generated need not say which path of an element is missing."""
        self.names: dict[str, Any] = {"__builtins__": {}}
        self._tape = current_tape()
        self._lists = 0
        """How many list functions the node at hand stands within."""
        self._kept_values = 0
        self._plain = plain and self._tape is None

    @property
    def noted(self) -> bool:
        """Whether what is generated notes what it computes."""
        return self._tape is not None

    def piped(self, node: Node, function: Callable[[Value], Value]) -> ast.expr:
        return self.called(function, self.expression(node))

    def called(self, function: Callable[..., Value], *arguments: ast.expr) -> ast.expr:
        return ast.Call(self._named(function), list(arguments), [])

    def text(self, parts: Sequence[str | Node], convert: Callable[[Value], str]) -> ast.expr:
        pieces = [ast.Constant(part) if isinstance(part, str) else self.piped(part, convert) for part in parts]
        if len(pieces) > _ADDED:
            return self.called("".join, ast.Tuple(pieces, _LOAD))
        whole: ast.expr = ast.Constant("")
        for number, piece in enumerate(pieces):
            whole = ast.BinOp(whole, ast.Add(), piece) if number else piece
        return whole

    def key(self, key: str | ComputedName) -> ast.expr:
        if isinstance(key, str):
            return ast.Constant(key)
        return self.called(key.resolve, self.text(key.parts, name_text))

    def expression(self, node: Node) -> ast.expr:
        made = self._unnoted(node)
        if self._tape is None:
            return made
        return ast.Call(self._named(self._tape.around), [self._named(node), lambda_of(made, [])], [])

    def _unnoted(self, node: Node) -> ast.expr:  # noqa: C901, PLR0911 - one for each kind of node
        match node:
            case Literal():
                return self._constant(node.value)
            case Path():
                return self._path(node)
            case Access():
                return self._step(node)
            case Row():
                return self.called(operators.row, self.expression(node.key), self._named(node.table))
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Conditional():
                return ast.IfExp(
                    self.condition(node.condition), self.expression(node.then), self.expression(node.otherwise)
                )
            case Call():
                return self._function(node)
            case Literals() | TableName():
                raise AssertionError("these stand only after 'in', which takes them itself")

    def _constant(self, value: Any) -> ast.expr:
        if value is None or isinstance(value, str | bool | int):
            return ast.Constant(value)
        return self._named(value)

    def _named(self, value: Any) -> ast.expr:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return load(name)

    def _path(self, node: Path) -> ast.expr:
        if node.keys[0] is ITEM:
            return self._item(node)
        if node.keys == (EMPTY,):
            return ast.Compare(self._named(EMPTY), [ast.In()], [load(RECORD)])
        if self._plain and node.keys[0] is ELEMENT and len(node.keys) > 1 and isinstance(node.keys[1], str):
            return self._walked(ast.Subscript(load(RECORD), self._named(MEMBERS), _LOAD), node.keys[1:])
        return self._walked(load(RECORD), node.keys)

    def _walked(self, within: ast.expr, keys: tuple[Key, ...]) -> ast.expr:
        if len(keys) == 1:
            return ast.Subscript(within, self._key(keys[0]), _LOAD)
        how = _WALKS.get(tuple(str if key is ELEMENT else type(key) for key in keys))
        if how is None:
            return self.called(operators.walk, within, self._named(keys))
        return self.called(how, within, self._named(keys), *map(self._key, keys))

    def _key(self, key: Key) -> ast.expr:
        return self._named(key) if isinstance(key, Place) else ast.Constant(key)

    def _step(self, node: Access) -> ast.expr:
        computed = [] if isinstance(node.key, Literal) else [ast.Constant(short(node.key))]
        return self.called(
            operators.step, self.expression(node.base), self.expression(node.key), ast.Constant(short(node)), *computed
        )

    def condition(self, node: Node) -> ast.expr:
        expression = self.expression(node)
        return expression if analyse(node) is Kind.BOOLEAN else self.called(operators.truth, expression)

    def _unary(self, node: Unary) -> ast.expr:
        if node.operator == "not":
            return ast.UnaryOp(ast.Not(), self.condition(node.operand))
        return self.called(operators.negate, self.expression(node.operand))

    def _binary(self, node: Binary) -> ast.expr:
        if node.operator in {"and", "or"}:
            logic = ast.And() if node.operator == "and" else ast.Or()
            return ast.BoolOp(logic, [self.condition(node.left), self.condition(node.right)])
        if node.operator in {"in", "not in"}:
            found = self._membership(node)
            return found if node.operator == "in" else ast.UnaryOp(ast.Not(), found)
        if node.operator in {"==", "!="} and (_plain(node.left) or _plain(node.right)):
            comparison = ast.Eq() if node.operator == "==" else ast.NotEq()
            return ast.Compare(self.expression(node.left), [comparison], [self.expression(node.right)])
        return self._arithmetic(node)

    def _arithmetic(self, node: Binary) -> ast.expr:
        """Two decimals are what it nearly always is: they are told here, and all else is left to a function."""
        left, right = self.expression(node.left), self.expression(node.right)
        if node.operator not in _OF_DECIMALS or not analyse(node.left) & analyse(node.right) & Kind.NUMBER:
            return self.called(HELPERS[node.operator], left, right)
        number = _number(node.right) if self._tape is None else None
        types = [self.called(type, self._kept(left))]
        one = two = load(f"v{self._kept_values}")
        if number is None:
            types.append(self.called(type, self._kept(right)))
            two = load(f"v{self._kept_values}")
        else:
            two = self._named(number)
        fits: ast.expr = ast.Compare(types[0], [ast.Is() for _ in types], [*types[1:], self._named(Decimal)])
        if node.operator == "/":
            fits = ast.BoolOp(ast.And(), [fits, two])  # not by zero
        return self._either(fits, node.operator, one, two)

    def _either(self, fits: ast.expr, operator: str, left: ast.expr, right: ast.expr) -> ast.expr:
        how = _OF_DECIMALS[operator]
        quick = ast.Compare(left, [how], [right]) if isinstance(how, ast.cmpop) else ast.BinOp(left, how, right)
        return ast.IfExp(fits, quick, self.called(HELPERS[operator], left, right))

    def _kept(self, value: ast.expr) -> ast.NamedExpr:
        self._kept_values += 1
        return ast.NamedExpr(ast.Name(f"v{self._kept_values}", ast.Store()), value)

    def _membership(self, node: Binary) -> ast.expr:
        value = self.expression(node.left)
        if isinstance(node.right, Literals):
            plain, booleans = split_booleans(node.right.values)
            return self.called(operators.among, value, self._named(plain), self._named(booleans))
        if isinstance(node.right, TableName):
            return self.called(operators.has_row, value, self._named(node.right.table))
        return self.called(operators.contained, value, self.expression(node.right), self._most(None))

    def _function(self, node: Call) -> ast.expr:
        function = FUNCTIONS[node.function]
        if function.form is Form.EACH:
            return self._for_each(node, function)
        arguments = [self.expression(argument) for argument in node.arguments]
        if function.form is Form.UNEVALUATED:
            arguments = [lambda_of(argument, []) for argument in arguments]
        elif function.form is Form.PATTERN:
            arguments[1] = self._named(pattern_of(node))
        return self.called(function.call, *arguments)

    def _for_each(self, node: Call, function: Function) -> ast.expr:
        elements = self.expression(node.arguments[0])
        most = self._most(MAX_ELEMENTS)
        self._lists += 1
        of = lambda_of(self.expression(node.arguments[1]), [f"item{self._lists}", f"most{self._lists}"])
        self._lists -= 1
        return self.called(function.call, elements, of, most)

    def _most(self, alone: int | None) -> ast.expr:
        """How many elements of a list may be looked at here; ``alone``: where nothing is done for each of another."""
        if self._lists:
            return load(f"most{self._lists}")
        return ast.Call(ast.Attribute(load(RECORD), "get", _LOAD), [self._named(MOST), ast.Constant(alone)], [])

    def _item(self, node: Path) -> ast.expr:
        item = load(f"item{self._lists}")
        if len(node.keys) == 1:
            return item
        return self.called(operators.walk, ast.Dict([self._named(ITEM)], [item]), self._named(node.keys))


def _number(node: Node) -> Decimal | None:
    """A constant number, as a decimal: decimals compute with it as with the number itself."""
    value = node.value if isinstance(node, Literal) else None
    return Decimal(value) if isinstance(value, int | Decimal) and type(value) in NUMBERS else None


def _plain(node: Node) -> bool:
    """Text and null compare in Python as they do here; numbers do not, since Python takes True for 1."""
    return isinstance(node, Literal) and (node.value is None or isinstance(node.value, str))
