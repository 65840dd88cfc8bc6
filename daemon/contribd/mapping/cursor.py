"""The tokens of an expression, taken one after the other, within the bounds of an expression."""

from typing import Final

from contribd.mapping.codes import Code
from contribd.mapping.foreign import OPERATOR, word_error
from contribd.mapping.lexer import LexemeKind, Token
from contribd.mapping.mistakes import ExpressionError

MAX_NESTING = 40
"""Brackets, calls and prefix operators within each other. Keeps parsing far from Python's recursion limit."""

MAX_NODES = 200
"""Operators, calls and operands in one expression. Bounds the depth of the tree and the time of an evaluation."""

NAMELIKE: Final = (LexemeKind.SYMBOL, LexemeKind.NAME)
"""What symbols and words of the language are, as text in quotes is not."""

_LESS = "Use several fields or checks, or let"


class Cursor:
    """Where the parser is in its tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        """``tokens`` ends with one of the kind END."""
        self._tokens = tokens
        self._index = 0
        self._nesting = 0
        self.nodes = 0
        """Counted so far."""

    @property
    def next(self) -> Token:
        """The token that has not been taken."""
        return self._tokens[self._index]

    @property
    def behind(self) -> Token:
        """The one behind the next; the last one where there is none."""
        return self._tokens[min(self._index + 1, len(self._tokens) - 1)]

    @property
    def taken(self) -> list[Token]:
        """The last two that were taken."""
        return self._tokens[max(self._index - 2, 0) : self._index]

    def take(self) -> Token:
        """The next token; the end is never passed."""
        token = self.next
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def at(self, symbol: str) -> bool:
        """Whether the next token is that symbol or word."""
        token = self._tokens[self._index]
        return token.value == symbol and token.kind in NAMELIKE

    def expect(self, symbol: str, why: str) -> Token:
        """The next token, which must be ``symbol``."""
        if not self.at(symbol):
            raise self.unexpected(f"expected '{symbol}' {why}")
        return self.take()

    def close(self, symbol: str, opening: Token, or_comma: str = "") -> None:
        """Takes the bracket that closes ``opening``; where the end comes first, ``opening`` is at fault."""
        if self.next.kind is LexemeKind.END:
            text = f"this '{opening.value}' is not closed; a '{symbol}' is missing"
            raise ExpressionError(opening.at, text, code=Code.BRACKET, cure=f"Add '{symbol}' where it ends")
        self.expect(symbol, or_comma or f"to close the '{opening.value}' at character {opening.at + 1}")

    def unexpected(self, wanted: str) -> ExpressionError:
        """The next token is not what was ``wanted``."""
        token = self.next
        if token.kind is LexemeKind.NAME:
            return word_error(str(token.value), token.at, wanted)
        return ExpressionError(token.at, f"{wanted}, found {token.describe()}", code=Code.SYNTAX, cure=OPERATOR)

    def count(self, at: int) -> None:
        """One operator, call or operand more."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ExpressionError(at, f"more than {MAX_NODES} operators and operands", code=Code.BOUND, cure=_LESS)

    def enter(self) -> None:
        """One level deeper."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ExpressionError(self.next.at, f"nested more than {MAX_NESTING} deep", code=Code.BOUND, cure=_LESS)

    def leave(self) -> None:
        """One level up."""
        self._nesting -= 1
