"""How other languages write it: symbols, words and functions, and what stands for them here."""

import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from contribd.mapping.codes import Code
from contribd.mapping.mistakes import ExpressionError

_SIGNS = {"\u2212": "-", "\u2013": "-", "\u2014": "-", "\u00d7": "*", "\u00b7": "*", "\u00f7": "/"}
"""Minus, dashes, times, middle dot and division sign, as word processors and spreadsheets write them."""

OPERATORS: Final[Mapping[str, str]] = {
    "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not", "=": "==", "===": "==", ":=": "==", "!==": "!=",
    "<>": "!=", "=<": "<=", "=>": ">=", "≤": "<=", "≥": ">=", "≠": "!=", "?.": ".", **_SIGNS,
}  # fmt: skip
"""Symbols with one that means the same here."""

_OTHERS: Final[Mapping[str, tuple[str, str]]] = {
    "//": ("'//' is no operator here", "Write floor(a / b)"),
    "**": ("'**' is no operator here", "Write the product, as in bid * bid"),
    "^": ("'^' is no operator here", "Write the product, as in bid * bid"),
    "??": ("'??' is no operator here", "Write coalesce(a, b)"),
    "?": ("'?' is no operator here", "Write x if condition else y"),
    ":": ("':' stands nowhere in an expression", "Write x if condition else y, or put text in quotes"),
    "->": ("'->' is no operator here", "Write item, as in first(list, item.price > 0)"),
    "{": ("braces stand around an expression within a text such as ric, not in an expression", "Take the braces away"),
    "}": ("braces stand around an expression within a text such as ric, not in an expression", "Take the braces away"),
    "$": ("'$' is no part of a name", "Write the name alone: it is a key of the record"),
    "`": ("'`' is no quote here", 'Write ["odd key"] for a key, "text" for text'),
    ";": ("';' ends nothing: there is one expression", "Use several fields or checks, or let"),
    "#": ("'#' begins no comment within an expression", "Put the comment behind it, after the quote that ends it"),
    "@": ("a name is missing behind '@'", "Write @key, @headers.NAME or another of the names with @"),
    "\\": ("a backslash stands only within text", "Take it away"),
}

_QUOTES = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb\u2039\u203a\u2032\u2033"
"""Every form of typographic quotes, and primes."""

WORDS: Final[Mapping[str, str]] = {
    "is": "==", "isnt": "!=", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "equals": "==",
    "AND": "and", "OR": "or", "NOT": "not", "IN": "in", "IF": "if", "ELSE": "else", "And": "and", "Or": "or",
    "Not": "not", "In": "in", "mod": "%", "MOD": "%", "contains": "in", "CONTAINS": "in", "IS": "==",
    "THEN": "x if condition else y", "then": "x if condition else y", "elif": "else x if condition else y",
    "between": "a <= x and x <= b", "BETWEEN": "a <= x and x <= b", "LIKE": "matches(text, pattern)",
    "like": "matches(text, pattern)", "matches": "matches(text, pattern)", "when": "if", "unless": "if not",
    "div": "floor(a / b)", "DIV": "floor(a / b)", "xor": "!=", "XOR": "!=",
}  # fmt: skip
"""Words that stand where an operator is expected."""

CONSTANTS: Final[Mapping[str, str]] = {
    "None": "null", "nil": "null", "NULL": "null", "Null": "null", "undefined": "null", "True": "true",
    "TRUE": "true", "False": "false", "FALSE": "false",
}  # fmt: skip

RECORDS: Final = frozenset({"record", "this"})
"""What other languages put before a key of the record."""

FUNCTIONS: Final[Mapping[str, str]] = {
    "int": "floor({0})", "toint": "floor({0})", "integer": "floor({0})", "trunc": "floor({0})",
    "str": "text({0})", "string": "text({0})", "tostring": "text({0})", "to_string": "text({0})",
    "float": "number({0})", "decimal": "number({0})", "double": "number({0})", "tonumber": "number({0})",
    "parse_float": "number({0})", "to_number": "number({0})", "parsefloat": "number({0})", "parse_int": "number({0})",
    "length": "len({0})", "size": "len({0})", "strip": "trim({0})",
    "toupper": "upper({0})", "touppercase": "upper({0})", "upcase": "upper({0})", "uppercase": "upper({0})",
    "tolower": "lower({0})", "tolowercase": "lower({0})", "downcase": "lower({0})", "lowercase": "lower({0})",
    "if": "{1} if {0} else {2}", "iif": "{1} if {0} else {2}", "ifelse": "{1} if {0} else {2}",
    "nvl": "coalesce({0}, {1})", "ifnull": "coalesce({0}, {1})", "default": "coalesce({0}, {1})",
    "is_null": "{0} == null", "not": "not {0}", "bool": "{0} == true",
    "substr": "slice({0}, start, end)", "substring": "slice({0}, start, end)", "mid": "slice({0}, start, end)",
    "left": "slice({0}, 0, {1})", "right": "slice({0}, -{1})",
    "contains": "{1} in {0}", "includes": "{1} in {0}", "concat": "{0} + {1}", "append": "{0} + {1}",
    "startswith": "starts_with({0}, {1})", "has_prefix": "starts_with({0}, {1})", "hasprefix": "starts_with({0}, {1})",
    "endswith": "ends_with({0}, {1})", "has_suffix": "ends_with({0}, {1})", "hassuffix": "ends_with({0}, {1})",
    "match": "matches({0}, {1})", "regex_match": "matches({0}, {1})", "re_match": "matches({0}, {1})",
    "pow": "{0} * {0}", "avg": "({0} + {1}) / 2", "average": "({0} + {1}) / 2", "mean": "({0} + {1}) / 2",
    "mod": "{0} % {1}", "div": "floor({0} / {1})", "index": "find({0}, {1})", "indexof": "find({0}, {1})",
    "format": "fixed({0}, places)", "tofixed": "fixed({0}, {1})", "to_fixed": "fixed({0}, {1})",
    "padstart": "pad_left({0}, {1})", "ljust": "pad_right({0}, {1})", "padend": "pad_right({0}, {1})",
    "rjust": "pad_left({0}, {1})", "zfill": 'pad_left({0}, {1}, "0")', "lpad": "pad_left({0}, {1})",
    "rpad": "pad_right({0}, {1})", "get": "{0}[{1}]",
    "items": "entries({0})", "to_entries": "entries({0})", "key_values": "entries({0})", "pairs": "entries({0})",
    "last": "filter({0}, {1})[-1]",
    "where": "filter({0}, condition)", "select": "filter({0}, condition)",
    "abs_value": "abs({0})", "ceiling": "ceil({0})", "minimum": "min({0}, {1})", "maximum": "max({0}, {1})",
    "lookup": "table[{0}], with a table under tables:", "vlookup": "table[{0}], with a table under tables:",
    "now": "@timestamp", "today": "@timestamp", "defined": "exists({0})", "has": "exists({0})",
}  # fmt: skip
"""By their names without capitals; the numbers stand for the arguments."""


def symbol_error(symbol: str, at: int) -> ExpressionError:
    """A symbol or character that is none of this language."""
    if symbol in OPERATORS:
        text = f"'{symbol}' is no operator here; write '{OPERATORS[symbol]}'"
        return ExpressionError(at, text, code=Code.FOREIGN, cure=f"Write {OPERATORS[symbol]} instead of {symbol}")
    if symbol in _OTHERS:
        text, cure = _OTHERS[symbol]
        return ExpressionError(at, text, code=Code.FOREIGN, cure=cure)
    if symbol in _QUOTES:
        text = f"'{symbol}' is a quote of a word processor and none here"
        return ExpressionError(at, text, code=Code.FOREIGN, cure="""Write " or ' around text""")
    if symbol.isascii() and symbol.isprintable():
        cure = 'Take it away, or put it in quotes: ["odd key"], "text"'
        return ExpressionError(at, f"'{symbol}' has no meaning in an expression", code=Code.CHARACTER, cure=cure)
    name = f"U+{ord(symbol):04X} {unicodedata.name(symbol, '').lower()}".rstrip()
    looks = "; it looks like a space and is none" if unicodedata.category(symbol) in {"Zs", "Cf"} else ""
    cure = "Write a space instead" if looks else 'Take it away, or put it in quotes: ["key"], "text"'
    return ExpressionError(at, f"the character {name} has no meaning here{looks}", code=Code.CHARACTER, cure=cure)


OPERATOR: Final = "Write an operator before it, such as + or and; text stands in quotes"


def word_error(word: str, at: int, wanted: str) -> ExpressionError:
    """A name stands where an operator is ``wanted``."""
    if word not in WORDS:
        return ExpressionError(at, f"{wanted}, found '{word}'", code=Code.SYNTAX, cure=OPERATOR)
    return ExpressionError(
        at, f"{wanted}; '{word}' is none", code=Code.FOREIGN, cure=f"Write {WORDS[word]} instead of {word}"
    )


def constant_error(word: str, at: int) -> ExpressionError:
    """Another language's null, true or false."""
    return ExpressionError(
        at,
        f"{word} would be a key of the record; the constant is {CONSTANTS[word]}",
        code=Code.FOREIGN,
        cure=f'Write {CONSTANTS[word]}, or ["{word}"] where it is a key',
    )


def _by_count(name: str, arguments: int) -> str | None:
    """What stands for a function that means something else with one argument than with two."""
    if name == "isnull":
        return "{0} == null" if arguments == 1 else "coalesce({0}, {1})"
    return "sum({0}) / len({0})" if name in {"avg", "average", "mean"} and arguments == 1 else None


def function_error(name: str, at: int, arguments: Sequence[str], known: Mapping[str, object]) -> ExpressionError:
    """There is no function ``name``: the one that was meant, with the arguments as they were written."""
    near = get_close_matches(name, known, n=1, cutoff=0.7) or [each for each in known if each.endswith(f"_{name}")]
    alias = _by_count(name.lower(), len(arguments)) or FUNCTIONS.get(name.lower())
    if alias is not None and name.lower() not in known:
        cure = f"Write {_filled(alias, arguments)}"
        return ExpressionError(at, f"there is no function {name}", code=Code.FOREIGN, cure=cure)
    if name.lower() in known or near:
        meant = name.lower() if name.lower() in known else near[0]
        text = f"there is no function {name}; did you mean {meant}?"
        return ExpressionError(at, text, code=Code.NO_FUNCTION, cure=f"Write {meant}({', '.join(arguments)})")
    text = f"there is no function {name}; there are {', '.join(sorted(known))}"
    return ExpressionError(at, text, code=Code.NO_FUNCTION, cure="Write one of these")


def method_error(name: str, at: int, arguments: Sequence[str], known: Mapping[str, object]) -> ExpressionError:
    """``arguments[0].name(…)``: values have no methods."""
    error = function_error(name, at, arguments, known)
    cure = f"Write {name}({', '.join(arguments)})" if name in known else error.cure
    return ExpressionError(at, f"values have no methods; .{name}() is none", code=Code.FOREIGN, cure=cure)


def _filled(alias: str, arguments: Sequence[str]) -> str:
    stand_ins = ("x", "y", "z")
    return alias.format(*arguments[:3], *stand_ins[len(arguments) :])
