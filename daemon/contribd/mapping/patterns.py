"""Patterns (regular expressions) by RE2: the time of a search grows with the text and never runs away."""

from typing import Any

from contribd.mapping.codes import Code
from contribd.mapping.mistakes import ExpressionError, missing, out_of_range
from contribd.mapping.numbers import whole
from contribd.mapping.operators import Value, shown
from contribd.mapping.syntax import Call, Literal, Node
from contribd.mapping.text_functions import text_argument

MAX_PATTERN = 1_000
"""Characters of a pattern."""

_MEMORY = 1 << 20
"""Bytes that a compiled pattern and its search may take."""


class Pattern:
    """A compiled pattern. Both of its searches look anywhere in the text; ``^`` and ``$`` hold them to its ends."""

    __slots__ = ("_compiled",)

    def __init__(self, pattern: str) -> None:
        """Raises ValueError, with what is wrong and the part of the pattern at fault."""
        import re2  # takes 30 ms, for those who use it

        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY
        try:
            self._compiled = re2.compile(pattern, options)
        except re2.error as error:
            raise ValueError(*_reason(error)) from None

    def has_group(self, group: str | int) -> bool:
        """Whether the pattern has a group of that name or number; 0 is the whole."""
        if isinstance(group, str):
            return group in self._compiled.groupindex
        return 0 <= group <= int(self._compiled.groups)

    def search(self, text: str) -> Any:
        """The first match; None where there is none."""
        try:
            return self._compiled.search(text)
        except UnicodeEncodeError:
            raise out_of_range(f"a pattern takes text without half characters, not {text[:20]!a}") from None


def matches(text: Value, pattern: Pattern) -> bool:
    """Whether the pattern is found in the text."""
    return pattern.search(text_argument("matches", text)) is not None


def capture(text: Value, pattern: Pattern, group: Value = 1) -> str:
    """The part of the text that a group of the pattern takes; MISSING where the pattern or the group finds nothing."""
    found = pattern.search(text_argument("capture", text))
    part = found.group(group if type(group) is str else whole(group)) if found is not None else None
    if part is None:
        raise missing(f"capture: the pattern finds nothing in {shown(text)}")
    return str(part)


def pattern_of(node: Call) -> Pattern:
    """The compiled pattern of a call; ExpressionError at the place within the pattern that is wrong."""
    literal = node.arguments[1]
    if not isinstance(literal, Literal) or not isinstance(literal.value, str):
        raise ExpressionError(
            literal.at,
            f"the pattern of {node.function} is a constant text",
            code=Code.PATTERN,
            cure='Write it in quotes, as in r"^([A-Z]{3})/([A-Z]{3})$"',
        )
    if len(literal.value) > MAX_PATTERN:
        text = f"a pattern has at most {MAX_PATTERN} characters, this one {len(literal.value)}"
        raise ExpressionError(literal.at, text, code=Code.PATTERN, cure="Use several patterns")
    try:
        pattern = Pattern(literal.value)
    except ValueError as error:
        reason, part = error.args
        raise ExpressionError(
            literal.at + max(literal.value.find(part), 0) + 1 if part else literal.at,
            f"this pattern cannot be read: {reason}",
            code=Code.PATTERN,
            cure='Patterns are RE2\'s: no look-around, no back-references; a backslash stands for itself in r"…"',
        ) from None
    if node.function == "capture":
        _check_group(node, pattern)
    return pattern


def _check_group(node: Call, pattern: Pattern) -> None:
    group: Node = node.arguments[2] if len(node.arguments) > 2 else Literal(node.at, 1)
    value = group.value if isinstance(group, Literal) else None
    known = value if isinstance(value, str) else whole(value)
    if known is None:
        text = "the group of capture is a constant: its number or its name"
        raise ExpressionError(group.at, text, code=Code.PATTERN, cure="Write 1 for the first round bracket")
    if not pattern.has_group(known):
        cure = "Put what is to be taken in round brackets; group 0 is all that the pattern finds"
        raise ExpressionError(group.at, f"the pattern has no group {known}", code=Code.PATTERN, cure=cure)


def _reason(error: Exception) -> tuple[str, str]:
    """RE2's own words, which end with the part of the pattern at fault."""
    told = error.args[0]
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    reason, _, part = text.partition(": ")
    return text, part if reason != text else ""
