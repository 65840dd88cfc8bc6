"""Expression text to tokens."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto

from contribd.mapping.codes import Code
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.numbers import DIGITS

MAX_SOURCE = 4096
"""Characters in an expression. The longest sensible ones hold a list of a few hundred codes."""

KEYWORDS = frozenset({"and", "or", "not", "in", "if", "else", "true", "false", "null"})

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<raw>r["'])
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
        text = f"an expression has at most {MAX_SOURCE} characters, this one {len(source)}"
        raise ExpressionError(MAX_SOURCE, text, code=Code.BOUND)
    tokens: list[Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ExpressionError(at, f"'{source[at]}' has no meaning in an expression", code=Code.CHARACTER)
        at = match.end()
        if match.lastgroup != "space":
            token, at = _token(source, match)
            tokens.append(token)
    tokens.append(Token(LexemeKind.END, len(source), ""))
    return tokens


def _token(source: str, match: re.Match[str]) -> tuple[Token, int]:
    """The token that ``match`` begins, and the offset behind it."""
    at, end, kind = match.start(), match.end(), match.lastgroup
    if kind == "number":
        return Token(LexemeKind.NUMBER, at, _number(source, at, end)), end
    if kind == "text":
        value, end = _text(source, at)
        return Token(LexemeKind.TEXT, at, value), end
    if kind == "raw":
        value, end = _raw_text(source, at + 1)
        return Token(LexemeKind.TEXT, at + 1, value), end
    if kind == "symbol":
        return _symbol(match.group(), at), end
    return Token(_NAMES[str(kind)], at, match.group()), end


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
    raise _unclosed(source, start)


def _raw_text(source: str, start: int) -> tuple[str, int]:
    """The text behind the quote at ``start``, in which a backslash stands for itself, and the offset behind it."""
    end = source.find(source[start], start + 1)
    if end < 0:
        raise _unclosed(source, start)
    return source[start + 1 : end], end + 1


def _unclosed(source: str, start: int) -> ExpressionError:
    return ExpressionError(start, f"this text is not closed; a {source[start]} is missing")


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
