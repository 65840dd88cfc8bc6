"""A Pratt parser: expression text to syntax tree.

Loosest to tightest: ``x if c else y``, ``or``, ``and``, ``not``, comparison and ``in`` (which do not chain),
``+ -``, ``* / %``, unary ``-``, paths and calls.
"""

from decimal import Decimal

from contribd.mapping.codes import Code
from contribd.mapping.cursor import NAMELIKE, Cursor
from contribd.mapping.lexer import LexemeKind, Token, tokenize
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.operands import Operands
from contribd.mapping.scope import RECORD_ONLY, Scope
from contribd.mapping.syntax import Binary, Conditional, Literal, Node, Unary
from contribd.mapping.written import short

_CONDITIONAL, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN = 1, 2, 3, 4, 5, 6, 7, 8
_POWERS = {
    "if": _CONDITIONAL,
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(["==", "!=", "<", "<=", ">", ">=", "in", "not"], _COMPARISON),
    **dict.fromkeys(["+", "-"], _SUM),
    **dict.fromkeys(["*", "/", "%"], _PRODUCT),
}
_BEGIN = frozenset({"-", "(", "["})
"""The symbols that a value can begin with."""


def parse(source: str, scope: Scope = RECORD_ONLY) -> Node:
    """The tree of ``source``. Raises ExpressionError with the offset of what was not understood."""
    cursor = Cursor(tokenize(source))
    if cursor.next.kind is LexemeKind.END:
        cure = "Write one, as in bid or round(bid, 5)"
        raise ExpressionError(0, "an expression is missing here", code=Code.EMPTY_EXPRESSION, cure=cure)
    node = _Parser(cursor, scope).expression(0)
    rest = cursor.next
    if rest.kind is LexemeKind.SYMBOL and rest.value in {")", "]"}:
        text = f"this '{rest.value}' closes nothing"
        raise ExpressionError(rest.at, text, code=Code.BRACKET, cure="Take it away, or open it before")
    if rest.kind is not LexemeKind.END:
        raise cursor.unexpected("expected an operator or the end")
    return node


class _Parser:
    def __init__(self, cursor: Cursor, scope: Scope) -> None:
        self._cursor = cursor
        self._operands = Operands(cursor, scope, self.expression)

    def expression(self, power: int) -> Node:
        """An expression whose operators all bind tighter than ``power``."""
        self._cursor.enter()
        node = self._prefix()
        if not isinstance(node, Unary):  # signs and words bind less tightly: they took theirs
            node = self._operands.postfix(node)
        while (binds := self._power()) > power:
            node = self._infix(node, binds)
        self._cursor.leave()
        return node

    def _power(self) -> int:
        token = self._cursor.next
        return _POWERS.get(str(token.value), 0) if token.kind in NAMELIKE else 0

    def _prefix(self) -> Node:
        token = self._cursor.next
        self._cursor.count(token.at)
        if token.kind is LexemeKind.END or (token.kind is LexemeKind.SYMBOL and token.value not in _BEGIN):
            raise self._no_value(token)
        self._cursor.take()
        if token.kind is LexemeKind.NAME and token.value == "not":
            return Unary(token.at, "not", self.expression(_NOT))
        if token.kind is not LexemeKind.SYMBOL or token.value == "[":
            return self._operands.operand(token)
        if token.value == "-":
            return self._minus(token)
        node = self.expression(0)
        self._cursor.close(")", token)
        return node

    def _minus(self, token: Token) -> Node:
        operand = self.expression(_SIGN)
        if isinstance(operand, Literal) and type(operand.value) is int:
            return Literal(token.at, -operand.value)
        if isinstance(operand, Literal) and isinstance(operand.value, Decimal):
            return Literal(token.at, operand.value.copy_negate())
        return Unary(token.at, "-", operand)

    def _no_value(self, token: Token) -> ExpressionError:
        before, behind = self._cursor.taken, self._cursor.behind
        text = f"expected a value, found {token.describe()}"
        if token.kind is LexemeKind.SYMBOL and token.value == ".":
            cure = f"Write {'0.' if behind.kind is LexemeKind.NUMBER else ''}{behind.value}"
            return ExpressionError(token.at, "nothing begins with a dot", code=Code.FOREIGN, cure=cure)
        if [each.value for each in before[1:]] == ["%"] and before[0].kind is LexemeKind.NUMBER:
            cure = f"Write the number itself: {before[0].value}% is {before[0].value} / 100"
            return ExpressionError(token.at, f"{text}; '%' is the remainder", code=Code.FOREIGN, cure=cure)
        if before and before[-1].kind is not LexemeKind.NUMBER:
            cure = f"Write a value behind '{before[-1].value}', or take '{before[-1].value}' away"
        else:
            cure = f"Take '{token.value}' away, or write a value before it"
        return ExpressionError(token.at, text, code=Code.SYNTAX, cure=cure)

    def _infix(self, left: Node, power: int) -> Node:
        token = self._cursor.take()
        self._cursor.count(token.at)
        operator = str(token.value)
        if operator == "if":
            return self._conditional(token, left)
        if operator == "not":
            self._cursor.expect("in", "after 'not'")
            operator = "not in"
        inside = operator in {"in", "not in"}
        right = self._operands.list_of_constants(left) if inside else None
        node = Binary(token.at, operator, left, right or self.expression(power))
        if power == _COMPARISON and self._power() == _COMPARISON:
            raise self._chained(node)
        return node

    def _chained(self, node: Binary) -> ExpressionError:
        token = self._cursor.take()
        left, middle = short(node), short(node.right)
        cure = f"Write {left} and {middle} {token.value} {short(self.expression(_COMPARISON))}"
        text = "comparisons do not chain; write 'a < b and b < c'"
        return ExpressionError(token.at, text, code=Code.CHAIN, cure=cure)

    def _conditional(self, token: Token, then: Node) -> Node:
        condition = self.expression(_CONDITIONAL)
        if not self._cursor.at("else"):
            error = self._cursor.unexpected("expected 'else' after 'x if c'")
            if self._cursor.next.kind is LexemeKind.END:
                error.cure = f"Write {short(then)} if {short(condition)} else null, or another value"
            raise error
        self._cursor.take()
        return Conditional(token.at, condition, then, self.expression(0))
