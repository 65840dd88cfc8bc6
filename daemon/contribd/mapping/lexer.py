"""Expression text to tokens."""

import re
from decimal import Decimal
from enum import Enum, auto
from typing import NamedTuple

from contribd.mapping.codes import Code
from contribd.mapping.foreign import symbol_error
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.numbers import DIGITS

MAX_SOURCE = 4096
"""Characters in an expression. The longest sensible ones hold a list of a few hundred codes."""

KEYWORDS = frozenset({"and", "or", "not", "in", "if", "else", "true", "false", "null"})

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<raw>r["'])
      | (?P<prefixed>[a-zA-Z]{1,2}["'])
      | (?P<name>[^\W\d]\w*)
      | (?P<place>@[^\W\d]\w*)
      | (?P<text>["'])
      | (?P<foreign>===|!==|<>|=<|=>|&&?|\|\|?|//|\*\*|\?\?|\?\.|->|:=|[=!](?!=))
      | (?P<symbol>==|!=|<=|>=|[-+*/%<>()\[\],.])""",
    re.VERBOSE,
)
_FEWER = "Write fewer digits: no price needs so many"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


class LexemeKind(Enum):
    """What a token is."""

    NUMBER = auto()
    TEXT = auto()
    NAME = auto()
    PLACE = auto()
    SYMBOL = auto()
    END = auto()


_KINDS = {"name": LexemeKind.NAME, "place": LexemeKind.PLACE, "symbol": LexemeKind.SYMBOL}


class Token(NamedTuple):
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
        raise ExpressionError(MAX_SOURCE, text, code=Code.BOUND, cure="Use several fields or checks, or a table")
    tokens: list[Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise symbol_error(source[at], at)
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
    if kind == "prefixed":
        raise _prefixed(match)
    if kind == "raw":
        value, end = _raw_text(source, at + 1)
        return Token(LexemeKind.TEXT, at + 1, value), end
    if kind == "foreign":
        raise symbol_error(match.group(), at)
    return Token(_KINDS[str(kind)], at, match.group()), end


def _prefixed(match: re.Match[str]) -> ExpressionError:
    prefix = match.group()[:-1]
    text = f"'{prefix}' before a quote has no meaning; only r does, where backslashes stand for themselves"
    cure = 'Join the parts, as in pair + "=" + text(n)' if "f" in prefix.lower() else f"Take the {prefix} away"
    return ExpressionError(match.start(), text, code=Code.FOREIGN, cure=cure)


_DATE = re.compile(r"(?<![\w.)\]])[12][0-9]{3}-(?:0[1-9]|1[0-2])-[0-3][0-9](?![\w.])")


def _number(source: str, at: int, end: int) -> int | Decimal:
    text = source[at:end]
    if date := _DATE.match(source, at):
        cure = f'Write "{date.group()}" in quotes'
        raise _bad_number(at, f"{date.group()} is a difference of numbers, not a date", cure)
    if end < len(source) and (source[end].isalnum() or source[end] == "_"):
        raise _no_number(source, at)
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa.replace(".", "").strip("0")) > DIGITS or len(exponent.lstrip("+-0")) > 2:
        raise _bad_number(at, f"a number has at most {DIGITS} digits and an exponent within 99", _FEWER)
    number = Decimal(text)
    if number and abs(number.adjusted()) >= DIGITS:
        raise _bad_number(at, f"a number's magnitude lies between 1e-{DIGITS} and 1e{DIGITS}", _FEWER)
    if text[0] == "0" and text[1:2].isdigit():
        raise _leading_zero(source, at, text)
    return int(text) if text.isdigit() else number


def _leading_zero(source: str, at: int, text: str) -> ExpressionError:
    grouped = re.search(r"[0-9]{1,3}(,[0-9]{3})*,$", source[:at])
    if grouped is not None:
        plain = grouped.group().replace(",", "") + text
        return _bad_number(grouped.start(), "the digits of a number are not parted by commas", f"Write {plain}")
    cure = f'Write {text.lstrip("0") or "0"}, or "{text}" where it is text'
    return _bad_number(at, "a number does not begin with a 0 before other digits", cure)


def _bad_number(at: int, text: str, cure: str) -> ExpressionError:
    return ExpressionError(at, text, code=Code.NUMBER, cure=cure)


def _no_number(source: str, at: int) -> ExpressionError:
    """What begins with digits and goes on with letters: another language's number, or a name."""
    word = re.compile(r"\w+").match(source, at)
    text = word.group() if word else source[at]
    if re.fullmatch(r"[0-9]+(_[0-9]+)+", text):
        return _bad_number(at, "the digits of a number are not grouped", f"Write {text.replace('_', '')}")
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,16}", text):
        return _bad_number(at, "numbers are written in decimal digits", f"Write {int(text, 16)}")
    return _bad_number(at, 'a name cannot start with a digit; write ["…"] around an odd key', f'Write ["{text[:40]}"]')


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
    match = re.compile(r"""(["'])((?:\\.|(?!\1)[^\\])*)\1""", re.DOTALL).match(source, start)
    if match is None:
        raise _unclosed(source, start)
    return match[2], match.end()


def _unclosed(source: str, start: int) -> ExpressionError:
    quote = source[start]
    text = f"this text is not closed; a {quote} is missing"
    return ExpressionError(start, text, code=Code.TEXT, cure=f"Add {quote} where it ends")


def _escape(source: str, at: int) -> tuple[str, int]:
    letter = source[at + 1 : at + 2]
    if letter in _ESCAPES:
        return _ESCAPES[letter], at + 2
    digits = source[at + 2 : at + 6]
    if letter == "u" and re.fullmatch("[0-9a-fA-F]{4}", digits):
        code = int(digits, 16)
        if not 0xD800 <= code <= 0xDFFF:
            return chr(code), at + 6
    text = r"unknown escape; there are \n \t \r \\ \" \' and \uXXXX (no surrogates)"
    cure = r'Write \\ for a backslash; in a pattern put r before the quote, as in r"^\d+$"'
    raise ExpressionError(at, text, code=Code.TEXT, cure=cure)
