"""Templates: text with expressions in braces."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from contribd.mapping.codes import Code
from contribd.mapping.expression import Expression, compile_expression
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.scope import RECORD_ONLY, Scope

_QUOTED = re.compile(r"""^\s*[fF]?(["'])(.*\{.*)\1\s*$""", re.DOTALL)
_DOLLAR = re.compile(r"\$(?=\{)")
_DOUBLE = re.compile(r"\{\{([^{}]*)\}\}")
_PERCENT = re.compile(r"%(?:\((\w+)\))?(?:\.\d+)?[sdfi](?!\w)")
_ANGLED = re.compile(r"<([^\W\d][\w.]*)>")


@dataclass(frozen=True, slots=True)
class Template:
    """Text with expressions in braces. ``parts`` alternate as they stand; a text part is never empty."""

    source: str
    parts: tuple[str | Expression, ...]


def compile_template(source: str, scope: Scope = RECORD_ONLY) -> Template:
    """``source`` compiled; ``{{`` and ``}}`` stand for braces. Raises ExpressionError with offsets in ``source``.

    The error is the first; ``others`` are those of further expressions.
    """
    parts: list[str | Expression] = []
    errors = list(_foreign(source, scope))
    text = ""
    for piece in _pieces(source):
        if isinstance(piece, str):
            text += piece
            continue
        parts.extend([text] if text else [])
        text = ""
        try:
            parts.append(_embedded(source, *piece, scope))
        except ExpressionError as error:
            errors.append(error)
    if errors:
        raise _together(errors)
    return Template(source, tuple([*parts, text] if text else parts))


def _together(errors: list[ExpressionError]) -> ExpressionError:
    first, *others = sorted(errors, key=lambda error: error.at)
    first.others = tuple(others)
    return first


def _pieces(source: str) -> Iterator[str | tuple[int, int]]:
    """Characters of text, and where expressions begin and end."""
    at = 0
    while at < len(source):
        character = source[at]
        if source[at : at + 2] in {"{{", "}}"}:
            yield character
            at += 2
        elif character == "{":
            end = _closing(source, at)
            yield at + 1, end
            at = end + 1
        elif character == "}":
            text = "this '}' closes nothing; write '}}' for a brace"
            raise ExpressionError(at, text, code=Code.BRACE, cure="Take it away, or write { before the expression")
        else:
            yield character
            at += 1


def _embedded(source: str, start: int, end: int, scope: Scope) -> Expression:
    try:
        expression = compile_expression(source[start:end], scope)
    except ExpressionError as problem:
        raise ExpressionError(start + problem.at, problem.text, code=problem.code, cure=problem.cure) from None
    if not expression.kind & (Kind.TEXT | Kind.NUMBER):
        cure = f"Write {{text({expression.source})}}"
        raise ExpressionError(start, "an expression in braces gives text or a number", code=Code.KIND, cure=cure)
    return replace(expression, at=start)


def _closing(source: str, start: int) -> int:
    """The offset of the brace that closes the one at ``start``; braces within quoted text do not count."""
    quote = ""
    at = start + 1
    while at < len(source):
        character = source[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "}":
            return at
        at += 1
    text = "this '{' is not closed; write '{{' for a brace"
    raise ExpressionError(start, text, code=Code.BRACE, cure="Add '}' behind the expression")


def _foreign(source: str, scope: Scope) -> Iterator[ExpressionError]:
    """What other languages write where a value is to be put in."""
    quoted = _QUOTED.match(source)
    if quoted:
        text = "the quotes would be part of the text"
        yield ExpressionError(0, text, code=Code.FOREIGN, cure=f"Write {quoted[2]}, in the quotes of YAML alone")
    for match in _DOLLAR.finditer(source):
        if source[match.start() - 1 : match.start()] != "{":
            cure = f"Write {_DOLLAR.sub('', source)}"
            text = "the '$' would be part of the text; an expression stands in braces alone"
            yield ExpressionError(match.start(), text, code=Code.FOREIGN, cure=cure)
    for match in _DOUBLE.finditer(source):
        if _is_expression(match[1], scope):
            cure = f"Write {_DOUBLE.sub(lambda found: f'{{{found[1].strip()}}}', source)}"
            text = "'{{' stands for a brace; an expression stands in single ones"
            yield ExpressionError(match.start(), text, code=Code.FOREIGN, cure=cure)
    if "{" not in source:
        yield from _without_braces(source)


def _without_braces(source: str) -> Iterator[ExpressionError]:
    for pattern in (_PERCENT, _ANGLED):
        for match in pattern.finditer(source):
            name = match[1] or "pair"
            text = f"'{match.group()}' would be posted as it is; an expression stands in braces"
            cure = f"Write {source[: match.start()]}{{{name}}}{source[match.end() :]}"
            yield ExpressionError(match.start(), text, code=Code.FOREIGN, cure=cure)


def _is_expression(source: str, scope: Scope) -> bool:
    try:
        compile_expression(source, scope)
    except ExpressionError:
        return False
    return True
