"""An expression in another language's words, put into ours as far as simple rules go.

Only ever a suggestion: it is shown where what comes out compiles, and never used.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from contribd.mapping.foreign import CONSTANTS, FUNCTIONS

_TEXT = re.compile(r"""r?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_MARK = "\N{LATIN LETTER BILABIAL CLICK}"
"""Around the number of a text that was put aside: what stands for it looks like a name."""

_WORD = rf"[\w{_MARK}@]"
_PATH = rf"(?:{_WORD}[\w{_MARK}.]*(?:\[[^\[\]]*\][\w{_MARK}.]*)*)"
_NUMBER = r"(?:\d+(?:\.\d+)?)"
_OPERAND = rf"(?:{_PATH}|{_NUMBER}|\([^()]*\))"
_FILTERS = "upper|lower|trim|round|abs|length|float|int|string|default"
_NULL = "|".join(word for word, meant in CONSTANTS.items() if meant == "null") + "|null"

_CHARACTERS: Final = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u2007\u2009\u202f\u3000\u2002\u2003", " "),
        **dict.fromkeys("\u200b\ufeff\u2060\u200e\u200f", ""),
        **dict.fromkeys("\u2212\u2013\u2014\u2010\u2011", "-"),
        **dict.fromkeys("\u00d7\u00b7\u22c5\u2217", "*"),
        **dict.fromkeys("\u00f7\u2215", "/"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a\u2032", "'"),
        "\u2264": "<=",
        "\u2265": ">=",
        "\u2260": "!=",
    }
)

Replacement = str | Callable[[re.Match[str]], str]


def _call(match: re.Match[str]) -> str:
    """``x.name(y)`` and ``name(x, y)`` by the function that is meant; as it stands where none is known."""
    name, *arguments = [part.strip() for part in match.groups() if part and part.strip()]
    alias = FUNCTIONS.get(name.lower(), f"{name.lower()}({', '.join(arguments)})")
    try:
        return alias.format(*arguments)
    except (IndexError, KeyError, ValueError):  # braces, or too few arguments
        return match.group()


def _method(match: re.Match[str]) -> str:
    base, name, arguments = match.groups()
    return f"{name}({base}{', ' if arguments.strip() else ''}{arguments})"


def _filter(match: re.Match[str]) -> str:
    return f"{match[2]}({match[1]}{', ' + match[3] if match[3] else ''})"


def _part(match: re.Match[str]) -> str:
    return f"slice({match[1]}, {match[2] or 0}{', ' + match[3] if match[3] else ''})"


def _of_element(match: re.Match[str]) -> str:
    name = re.compile(rf"(?<![.])\b{re.escape(match[1] or match[2])}\b")
    return f", {name.sub('item', match[3].strip())})"


def _part_of_hundred(match: re.Match[str]) -> str:
    return str(Decimal(match[1]) / 100)


_RULES: Final[tuple[tuple[re.Pattern[str], Replacement], ...]] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # Names and numbers.
        (r"\$?\{+\s*([^{}]*?)\s*\}+", r"\1"),
        (r"^(.+):\.(\d)f$", r"fixed(\1, \2)"),
        (r"\b(?:Math|math|np|String|strings|Number)\.(?=\w+\()", ""),
        (rf"({_PATH})\s*\|\s*({_FILTERS})\b(?:\(([^()]*)\))?", _filter),
        (rf"({_PATH})\[(-?\d*):(-?\d*)\]", _part),
        (r"\$\.?(?=\w)", ""),
        (r"\?\.", "."),
        (rf"(?<![\w{_MARK}\])])\.(?=[^\W\d])", ""),
        (r"(?<![\w.])(?:record|this)\.(?=\w)", ""),
        (r"`(\w+)`", r"\1"),
        (r"(?<=\d)_(?=\d)", ""),
        (r"\b0[xX]([0-9a-fA-F]+)\b", lambda match: str(int(match[1], 16))),
        (r"(?<![\w.\])])\.(?=\d)", "0."),
        (r"(?<![\w.\])])(\d+)\.(?![\w.])", r"\1.0"),
        (r",\s*[A-Za-z_]+\s*=\s*(?=-?\d)", ", "),
        (r"^([^\[(]*?\b\d{1,3}),(?=\d{3}\b)", r"\1"),
        (rf"({_NUMBER})\s*%(?=\s*(?:$|[)\],<>=+*/-]|and\b|or\b))", _part_of_hundred),
        (r",\s*(?:lambda\s+(\w+)\s*:|(\w+)\s*[=-]>)([^()]*)\)", _of_element),
        # Operators.
        (r"\s*&&?\s*", " and "),
        (r"\s*(?<!\|)\|\|?\s*", " or "),
        (r"={3}", "=="),
        (r"!==", "!="),
        (r"<>", "!="),
        (r"=<", "<="),
        (r"=>", ">="),
        (r"(?<![=!<>]):?=(?!=)", "=="),
        (r"!(?!=)\s*", "not "),
        (rf"\b(?:is|IS|Is)\s+(?:not|NOT|Not)\s+(?:{_NULL})\b", "!= null"),
        (rf"\b(?:is|IS|Is)\s+(?:{_NULL})\b", "== null"),
        (r"\b(?:is|IS)\s+(?:not|NOT)\b", "!="),
        (r"(?<=\s)(?:is|IS)(?=\s)", "=="),
        (r"(?<![\w.])(?:AND|And)(?![\w.(\[])", "and"),
        (r"(?<![\w.])(?:OR|Or)(?![\w.(\[])", "or"),
        (r"(?<![\w.])(?:NOT|Not)(?![\w.\[])", "not"),
        (r"(?<![\w.])(?:IN|In)(?=\s*[\[(])", "in"),
        (rf"(?<![\w.])({'|'.join(CONSTANTS)})(?![\w.(\[])", lambda match: CONSTANTS[match[1]]),
        (rf"\b(in)\s*\(\s*([\w\s{_MARK},.-]*?),?\s*\)", r"\1 [\2]"),
        (rf"\b(not\s+)?in\s+({_MARK}\d+{_MARK})", lambda match: f"{'!=' if match[1] else '=='} {match[2]}"),
        (rf"({_OPERAND})\s+(?:between|BETWEEN)\s+({_OPERAND})\s+(?:and|AND)\s+({_OPERAND})", r"\2 <= \1 and \1 <= \3"),
        (rf"({_OPERAND})\s+(?:contains|CONTAINS)\s+({_OPERAND})", r"\2 in \1"),
        (rf"({_OPERAND})\s*//\s*({_OPERAND})", r"floor(\1 / \2)"),
        (rf"({_OPERAND})\s*(?:\*\*|\^)\s*2\b", r"\1 * \1"),
        # Functions, and what goes around the whole.
        (rf"({_PATH})\.(\w+)\(([^()]*)\)", _method),
        (r"\b([A-Za-z_]\w*)\(([^(),]*)(?:,([^(),]*))?(?:,([^(),]*))?\)", _call),
        (r"^\s*if\b(.+?)\bthen\b(.+?)\belse\b(.+)$", r"\2 if \1 else \3"),
        (r"^(.+?)\s*\?\?\s*(.+)$", r"coalesce(\1, \2)"),
        (r"^([^?]+)\?([^?:]+):(.+)$", r"\2 if \1 else \3"),
    )
)


_THIS: Final = re.compile(r"(?<![\w.])this\.(?=\w)")


def rewritten(source: str, *, element: bool = False) -> str:
    """``source`` as it may have been meant. What stands within quotes stays as it is.

    ``element``: there is an element of a list, which others call ``this``.
    """
    texts: list[str] = []

    def aside(match: re.Match[str]) -> str:
        texts.append(match.group())
        return f"{_MARK}{len(texts) - 1}{_MARK}"

    text = _TEXT.sub(aside, source)
    text = _TEXT.sub(aside, text.translate(_CHARACTERS))
    text = _THIS.sub("item.", text) if element else text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = re.sub(r"  +", " ", text).strip()
    return re.sub(rf"{_MARK}(\d+){_MARK}", lambda match: texts[int(match[1])], text)
