"""A Pratt parser: expression text to syntax tree.

Loosest to tightest: ``x if c else y``, ``or``, ``and``, ``not``, comparison and ``in`` (which do not chain),
``+ -``, ``* / %``, unary ``-``, paths and calls.
"""

from decimal import Decimal

from contribd.mapping.codes import Code
from contribd.mapping.functions import FUNCTIONS, Form
from contribd.mapping.lexer import KEYWORDS, LexemeKind, Token, tokenize
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.names import named, place, stepped
from contribd.mapping.numbers import whole
from contribd.mapping.scope import ITEM, RECORD_ONLY, Scope
from contribd.mapping.syntax import Binary, Call, Conditional, Literal, Literals, Node, Path, Scalar, Unary

MAX_NESTING = 40
"""Brackets, calls and prefix operators within each other. Keeps parsing far from Python's recursion limit."""

MAX_NODES = 200
"""Operators, calls and operands in one expression. Bounds the depth of the tree and the time of an evaluation."""

MAX_LISTS = 2
"""List functions within each other."""

EACH = frozenset(name for name, function in FUNCTIONS.items() if function.form is Form.EACH)
"""The functions in which ``item`` is an element from their second argument on."""

EACH_ITSELF = frozenset(name for name in EACH if FUNCTIONS[name].least == 1)
"""Those that take the elements themselves where there is no second argument."""

_CONDITIONAL, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN = 1, 2, 3, 4, 5, 6, 7, 8
_POWERS = {
    "if": _CONDITIONAL,
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(["==", "!=", "<", "<=", ">", ">=", "in", "not"], _COMPARISON),
    **dict.fromkeys(["+", "-"], _SUM),
    **dict.fromkeys(["*", "/", "%"], _PRODUCT),
}
_CONSTANTS: dict[str, Scalar] = {"true": True, "false": False, "null": None}


def parse(source: str, scope: Scope = RECORD_ONLY) -> Node:
    """The tree of ``source``. Raises ExpressionError with the offset of what was not understood."""
    tokens = tokenize(source)
    parser = _Parser(tokens, scope)
    if tokens[0].kind is LexemeKind.END:
        raise ExpressionError(0, "an expression is missing here")
    node = parser.expression(0)
    rest = parser.next
    if rest.kind is not LexemeKind.END:
        raise ExpressionError(rest.at, f"expected an operator or the end, found {rest.describe()}")
    return node


class _Parser:
    def __init__(self, tokens: list[Token], scope: Scope) -> None:
        self._tokens = tokens
        self._scope = scope
        self._index = 0
        self._nodes = 0
        self._nesting = 0
        self._lists = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._index]

    def expression(self, power: int) -> Node:
        """An expression whose operators all bind tighter than ``power``."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ExpressionError(self.next.at, f"nested more than {MAX_NESTING} deep; use several fields or checks")
        node = self._postfix(self._prefix())
        while (binds := self._power()) > power:
            node = self._infix(node, binds)
        self._nesting -= 1
        return node

    def _power(self) -> int:
        token = self.next
        return _POWERS.get(str(token.value), 0) if token.kind in {LexemeKind.SYMBOL, LexemeKind.NAME} else 0

    def _take(self) -> Token:
        token = self.next
        self._index += 1
        return token

    def _count(self, at: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ExpressionError(at, f"more than {MAX_NODES} operators and operands; use several fields or checks")

    def _at(self, symbol: str) -> bool:
        return self.next.kind in {LexemeKind.SYMBOL, LexemeKind.NAME} and self.next.value == symbol

    def _expect(self, symbol: str, why: str) -> Token:
        if not self._at(symbol):
            raise ExpressionError(self.next.at, f"expected '{symbol}' {why}, found {self.next.describe()}")
        return self._take()

    def _prefix(self) -> Node:
        token = self._take()
        self._count(token.at)
        if token.kind in {LexemeKind.NUMBER, LexemeKind.TEXT}:
            return Literal(token.at, token.value)
        if token.kind is LexemeKind.NAME:
            return self._name(token)
        if token.kind is LexemeKind.PLACE:
            return Path(token.at, place(token, self._scope))
        if token.value == "-":
            return self._minus(token)
        if token.value == "(":
            node = self.expression(0)
            self._expect(")", f"to close the '(' at character {token.at + 1}")
            return node
        if token.value == "[":
            return self._root_key(token)
        raise ExpressionError(token.at, f"expected a value, found {token.describe()}")

    def _name(self, token: Token) -> Node:
        name = str(token.value)
        if name in _CONSTANTS:
            return Literal(token.at, _CONSTANTS[name])
        if name == "not":
            return Unary(token.at, "not", self.expression(_NOT))
        if name in KEYWORDS:
            raise ExpressionError(token.at, f"expected a value, found '{name}'; a key of that name is [\"{name}\"]")
        if self._at("("):
            return self._call(token)
        if name == ITEM.name and self._lists:
            return Path(token.at, (ITEM,))
        return named(token, self._scope)

    def _minus(self, token: Token) -> Node:
        operand = self.expression(_SIGN)
        if isinstance(operand, Literal) and type(operand.value) is int:
            return Literal(token.at, -operand.value)
        if isinstance(operand, Literal) and isinstance(operand.value, Decimal):
            return Literal(token.at, operand.value.copy_negate())
        return Unary(token.at, "-", operand)

    def _root_key(self, bracket: Token) -> Node:
        key = self._take()
        if key.kind is not LexemeKind.TEXT or not self._at("]"):
            raise ExpressionError(bracket.at, "a list stands only after 'in'; a key of the record is [\"key\"]")
        self._take()
        return Path(bracket.at, (str(key.value),))

    def _postfix(self, node: Node) -> Node:
        """``node`` with the keys and positions behind it. Signs and words bind less tightly: they took theirs."""
        if isinstance(node, Unary):
            return node
        while self._at(".") or self._at("["):
            dot = self._take()
            node = stepped(node, self._dotted() if dot.value == "." else self._bracketed(), dot)
        return node

    def _dotted(self) -> Literal:
        if self.next.kind is not LexemeKind.NAME:
            raise ExpressionError(self.next.at, f"expected a name after '.', found {self.next.describe()}")
        token = self._take()
        return Literal(token.at, str(token.value))

    def _bracketed(self) -> Node:
        nodes, at = self._nodes, self.next.at
        key = self.expression(0)
        self._expect("]", "after the position or key")
        if not isinstance(key, Literal):
            return key
        self._nodes = nodes
        value = key.value if isinstance(key.value, str) else whole(key.value)
        if value is None:
            raise ExpressionError(at, 'expected a position such as [0] or [-1], or a key such as ["key"]')
        return Literal(at, value)

    def _call(self, name: Token) -> Node:
        self._take()
        arguments: list[Node] = []
        each = str(name.value) in EACH
        while not self._at(")"):
            if arguments:
                self._expect(",", "or ')' after an argument")
            arguments.append(self._of_element() if each and arguments else self.expression(0))
        self._take()
        if str(name.value) in EACH_ITSELF and len(arguments) == 1:
            arguments.append(Path(name.at, (ITEM,)))
        return Call(name.at, str(name.value), tuple(arguments))

    def _of_element(self) -> Node:
        """What a list function works out of each element."""
        if self._lists == MAX_LISTS:
            text = f"list functions stand within each other at most {MAX_LISTS} deep"
            cure = "Compute the inner one before, under let."
            raise ExpressionError(self.next.at, text, code=Code.NESTED_LISTS, cure=cure)
        self._lists += 1
        node = self.expression(0)
        self._lists -= 1
        return node

    def _infix(self, left: Node, power: int) -> Node:
        token = self._take()
        self._count(token.at)
        operator = str(token.value)
        if operator == "if":
            return self._conditional(token, left)
        if operator == "not":
            self._expect("in", "after 'not'")
            operator = "not in"
        if operator in {"in", "not in"} and self._at("["):
            node: Node = Binary(token.at, operator, left, self._literals())
        else:
            node = Binary(token.at, operator, left, self.expression(power))
        if power == _COMPARISON and self._power() == _COMPARISON:
            raise ExpressionError(self.next.at, "comparisons do not chain; write 'a < b and b < c'")
        return node

    def _conditional(self, token: Token, then: Node) -> Node:
        condition = self.expression(_CONDITIONAL)
        self._expect("else", "after 'x if c'")
        return Conditional(token.at, condition, then, self.expression(0))

    def _literals(self) -> Literals:
        bracket = self._take()
        values: list[Scalar] = []
        while not self._at("]"):
            if values:
                self._expect(",", "or ']' after a value")
            values.append(self._literal())
        self._take()
        return Literals(bracket.at, tuple(values))

    def _literal(self) -> Scalar:
        at = self.next.at
        nodes = self._nodes
        node = self.expression(_SUM)
        self._nodes = nodes  # a long list of codes costs nothing to evaluate
        if not isinstance(node, Literal):
            raise ExpressionError(at, "a list holds constants only: numbers, text, true, false, null")
        return node.value
