"""Operands: names, paths with their keys and positions, calls, and the lists of constants behind ``in``."""

from collections.abc import Callable

from contribd.mapping.codes import Code
from contribd.mapping.cursor import Cursor
from contribd.mapping.foreign import CONSTANTS, RECORDS, WORDS, constant_error, method_error
from contribd.mapping.functions import FUNCTIONS, Form
from contribd.mapping.lexer import KEYWORDS, LexemeKind, Token
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.names import named, place, stepped
from contribd.mapping.numbers import whole
from contribd.mapping.scope import ELEMENT, INDEX, ITEM, Scope
from contribd.mapping.syntax import Call, Literal, Literals, Node, Path, Scalar
from contribd.mapping.written import constant_text, short

MAX_LISTS = 2
"""List functions within each other."""

EACH = frozenset(name for name, function in FUNCTIONS.items() if function.form is Form.EACH)
"""The functions in which ``item`` is an element from their second argument on."""

EACH_ITSELF = frozenset(name for name in EACH if FUNCTIONS[name].least == 1)
"""Those that take the elements themselves where there is no second argument."""

_OF_EACH = {place.name: place for place in (ELEMENT, INDEX)}
_LITERALS: dict[str, Scalar] = {"true": True, "false": False, "null": None}
_OPERANDS = (LexemeKind.NAME, LexemeKind.NUMBER, LexemeKind.TEXT, LexemeKind.PLACE)
_SUM = 6
"""How tightly a constant binds in a list: its sign belongs to it."""


class Operands:
    """Parses operands from the same tokens as the parser of expressions, which it is given for what is within them."""

    def __init__(self, cursor: Cursor, scope: Scope, expression: Callable[[int], Node]) -> None:
        """``expression`` parses operators that bind tighter than a power."""
        self._cursor = cursor
        self._scope = scope
        self._expression = expression
        self._lists = 0

    def operand(self, token: Token) -> Node:
        """What begins with ``token``, a number, a text, a name or a bracket, which has been taken."""
        if token.kind in (LexemeKind.NUMBER, LexemeKind.TEXT):
            return Literal(token.at, token.value)
        if token.kind is LexemeKind.PLACE:
            return Path(token.at, place(token, self._scope))
        return self._name(token) if token.kind is LexemeKind.NAME else self._root_key(token)

    def _name(self, token: Token) -> Node:
        name = str(token.value)
        if name in _LITERALS:
            return Literal(token.at, _LITERALS[name])
        if name in KEYWORDS:
            text = f"expected a value, found '{name}'; a key of that name is [\"{name}\"]"
            cure = f'Write a value before it, or ["{name}"] for a key'
            raise ExpressionError(token.at, text, code=Code.SYNTAX, cure=cure)
        if self._cursor.at("("):
            return self._call(token)
        self._no_foreign(name, token.at)
        if name == ITEM.name and self._lists:
            return Path(token.at, (ITEM,))
        if self._scope.element and name in _OF_EACH:
            return Path(token.at, (_OF_EACH[name],))
        return named(token, self._scope)

    def _no_foreign(self, name: str, at: int) -> None:
        """Raises ExpressionError where another language's word stands as if it were a key of the record."""
        dotted = self._cursor.at(".") or self._cursor.at("[")
        if name in self._scope.lets or name in self._scope.tables:
            return
        if name in CONSTANTS and not dotted:
            raise constant_error(name, at)
        if name in WORDS and self._cursor.next.kind in _OPERANDS and self._cursor.next.value not in KEYWORDS:
            cure = f"Write {WORDS[name]} instead of {name}"
            raise ExpressionError(at, f"expected a value; '{name}' is none", code=Code.FOREIGN, cure=cure)
        if name == "this" and self._scope.element and self._cursor.at("."):
            cure = f'Write item.{self._cursor.behind.value}; a key of the record that is called so is ["{name}"]'
            raise ExpressionError(at, "the element of a list is called item here", code=Code.FOREIGN, cure=cure)
        if name in RECORDS and self._cursor.at("."):
            cure = f'Write {self._cursor.behind.value}; a key of the record that is called so is ["{name}"]'
            text = f"the record itself has no name here; its keys stand without '{name}.'"
            raise ExpressionError(at, text, code=Code.FOREIGN, cure=cure)

    def _root_key(self, bracket: Token) -> Node:
        key = self._cursor.take()
        if key.kind is not LexemeKind.TEXT or not self._cursor.at("]"):
            text = "a list stands only after 'in'; a key of the record is [\"key\"]"
            raise ExpressionError(bracket.at, text, code=Code.SYNTAX, cure='Write ["key"], or x in ["FX", "MM"]')
        self._cursor.take()
        return Path(bracket.at, (str(key.value),))

    def postfix(self, node: Node) -> Node:
        """``node`` with the keys and positions behind it."""
        while self._cursor.at(".") or self._cursor.at("["):
            opening = self._cursor.take()
            key = self._dotted(node) if opening.value == "." else self._bracketed(opening)
            node = stepped(node, key, opening)
        return node

    def _dotted(self, node: Node) -> Literal:
        token = self._cursor.next
        if token.kind is not LexemeKind.NAME:
            text = f"expected a name after '.', found {token.describe()}"
            cure = f'Write {short(node)}["key"] for an odd key, {short(node)}[0] for a position'
            raise ExpressionError(token.at, text, code=Code.SYNTAX, cure=cure)
        self._cursor.take()
        if self._cursor.at("("):
            arguments = [node, *self._arguments(token)]
            raise method_error(str(token.value), token.at, [short(each) for each in arguments], FUNCTIONS)
        return Literal(token.at, str(token.value))

    def _bracketed(self, opening: Token) -> Node:
        nodes, at = self._cursor.nodes, self._cursor.next.at
        key = self._first_within("]", opening)
        self._cursor.close("]", opening)
        if not isinstance(key, Literal):
            return key
        self._cursor.nodes = nodes
        value = key.value if isinstance(key.value, str) else whole(key.value)
        if value is None:
            text = 'expected a position such as [0] or [-1], or a key such as ["key"]'
            raise ExpressionError(at, text, code=Code.SYNTAX, cure=f'Write ["{constant_text(key.value)}"] for a key')
        return Literal(at, value)

    def _first_within(self, symbol: str, opening: Token) -> Node:
        if self._cursor.next.kind is LexemeKind.END:
            self._cursor.close(symbol, opening)
        return self._expression(0)

    def _call(self, name: Token) -> Node:
        arguments = self._arguments(name)
        if str(name.value) in EACH_ITSELF and len(arguments) == 1:
            arguments.append(Path(name.at, (ITEM,)))
        return Call(name.at, str(name.value), tuple(arguments))

    def _arguments(self, name: Token) -> list[Node]:
        opening = self._cursor.take()
        arguments: list[Node] = []
        while not self._cursor.at(")"):
            if arguments:
                self._comma(")", opening, "an argument")
            of_element = arguments and str(name.value) in EACH
            arguments.append(self._of_element() if of_element else self._first_within(")", opening))
        self._cursor.take()
        return arguments

    def _comma(self, symbol: str, opening: Token, what: str) -> None:
        if not self._cursor.at(","):
            self._cursor.close(symbol, opening, f"or ',' after {what}")
        self._cursor.take()

    def _of_element(self) -> Node:
        """What a list function works out of each element."""
        if self._lists == MAX_LISTS:
            text = f"list functions stand within each other at most {MAX_LISTS} deep"
            cure = "Compute the inner one before, under let"
            raise ExpressionError(self._cursor.next.at, text, code=Code.NESTED_LISTS, cure=cure)
        self._lists += 1
        node = self._expression(0)
        self._lists -= 1
        return node

    def list_of_constants(self, left: Node) -> Literals | None:
        """The list behind ``in``, if there is one; ``left`` is what is looked for."""
        opening = self._cursor.next
        if self._cursor.at("("):
            self._no_round_list(left)
        if not self._cursor.at("["):
            return None
        self._cursor.take()
        values: list[Scalar] = []
        while not self._cursor.at("]"):
            if values:
                self._comma("]", opening, "a value")
            values.append(self._constant(opening))
        self._cursor.take()
        return Literals(opening.at, tuple(values))

    def _no_round_list(self, left: Node) -> None:
        token = self._cursor.behind
        if token.kind in {LexemeKind.TEXT, LexemeKind.NUMBER}:
            value = constant_text(token.value)
            cure = f"Write {short(left)} in [{value}], with all values in the square brackets"
            text = "a list of constants stands in square brackets"
            raise ExpressionError(self._cursor.next.at, text, code=Code.FOREIGN, cure=cure)

    def _constant(self, opening: Token) -> Scalar:
        at = self._cursor.next.at
        nodes = self._cursor.nodes
        if self._cursor.next.kind is LexemeKind.END:
            self._cursor.close("]", opening)
        node = self._expression(_SUM)
        self._cursor.nodes = nodes  # a long list of codes costs nothing to evaluate
        if not isinstance(node, Literal):
            text = "a list holds constants only: numbers, text, true, false, null"
            cure = (
                'Write text in quotes, as in ["FX"]' if isinstance(node, Path) else "Compare with == and join with or"
            )
            raise ExpressionError(at, text, code=Code.SYNTAX, cure=cure)
        return node.value
