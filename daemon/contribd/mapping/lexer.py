"""Expression text to tokens."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto

from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.numbers import DIGITS

MAX_SOURCE = 4096
"""Characters in an expression. The longest sensible ones hold a list of a few hundred codes."""

KEYWORDS = frozenset({"and", "or", "not", "in", "if", "else", "true", "false", "null"})

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<place>@[^\W\d]\w*)
      | (?P<text>["'])
      | (?P<symbol>==|!=|<=|>=|&&|\|\||[-+*/%<>()\[\],.=!])""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
_INSTEAD = {"=": "==", "&&": "and", "||": "or", "!": "not"}


class LexemeKind(Enum):
    """What a token is."""

    NUMBER = auto()
    TEXT = auto()
    NAME = auto()
    PLACE = auto()
    SYMBOL = auto()
    END = auto()


_NAMES = {"name": LexemeKind.NAME, "place": LexemeKind.PLACE}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: ``at`` is its offset in the source, ``value`` its text (names, symbols, text) or number."""

    kind: LexemeKind
    at: int
    value: str | int | Decimal

    def describe(self) -> str:
        """The token as an error message names it."""
        if self.kind is LexemeKind.END:
            return "the end"
        return f'the text "{self.value}"' if self.kind is LexemeKind.TEXT else f"'{self.value}'"


def tokenize(source: str) -> list[Token]:
    """All tokens of ``source``, END last. Raises ExpressionError."""
    if len(source) > MAX_SOURCE:
        raise ExpressionError(MAX_SOURCE, f"an expression has at most {MAX_SOURCE} characters, this one {len(source)}")
    tokens: list[Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ExpressionError(at, f"'{source[at]}' has no meaning in an expression")
        kind = match.lastgroup
        end = match.end()
        if kind == "number":
            tokens.append(Token(LexemeKind.NUMBER, at, _number(source, at, end)))
        elif kind in _NAMES:
            tokens.append(Token(_NAMES[kind], at, match.group()))
        elif kind == "text":
            value, end = _text(source, at)
            tokens.append(Token(LexemeKind.TEXT, at, value))
        elif kind == "symbol":
            tokens.append(_symbol(match.group(), at))
        at = end
    tokens.append(Token(LexemeKind.END, len(source), ""))
    return tokens


def _symbol(symbol: str, at: int) -> Token:
    if symbol in _INSTEAD:
        raise ExpressionError(at, f"'{symbol}' is no operator here; write '{_INSTEAD[symbol]}'")
    return Token(LexemeKind.SYMBOL, at, symbol)


def _number(source: str, at: int, end: int) -> int | Decimal:
    if end < len(source) and (source[end].isalnum() or source[end] == "_"):
        raise ExpressionError(at, 'a name cannot start with a digit; write ["…"] around an odd key')
    text = source[at:end]
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa.replace(".", "").strip("0")) > DIGITS or len(exponent.lstrip("+-0")) > 2:
        raise ExpressionError(at, f"a number has at most {DIGITS} digits and an exponent within 99")
    number = Decimal(text)
    if number and abs(number.adjusted()) >= DIGITS:
        raise ExpressionError(at, f"a number's magnitude lies between 1e-{DIGITS} and 1e{DIGITS}")
    return int(text) if text.isdigit() else number


def _text(source: str, start: int) -> tuple[str, int]:
    """The text literal that opens at ``start``, and the offset behind it."""
    quote = source[start]
    parts: list[str] = []
    at = start + 1
    while at < len(source):
        character = source[at]
        if character == quote:
            return "".join(parts), at + 1
        if character == "\\":
            character, at = _escape(source, at)
        else:
            at += 1
        parts.append(character)
    raise ExpressionError(start, f"this text is not closed; a {quote} is missing")


def _escape(source: str, at: int) -> tuple[str, int]:
    letter = source[at + 1 : at + 2]
    if letter in _ESCAPES:
        return _ESCAPES[letter], at + 2
    digits = source[at + 2 : at + 6]
    if letter == "u" and re.fullmatch("[0-9a-fA-F]{4}", digits):
        code = int(digits, 16)
        if not 0xD800 <= code <= 0xDFFF:
            return chr(code), at + 6
    raise ExpressionError(at, r"unknown escape; there are \n \t \r \\ \" \' and \uXXXX (no surrogates)")
