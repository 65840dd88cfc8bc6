"""Which settings of a field go together, and which cannot work with any record."""

from collections.abc import Iterator

from contribd.mapping.codes import Code
from contribd.mapping.conversions import NUMERIC, As
from contribd.mapping.field_problem import FieldProblem
from contribd.mapping.field_specs import FieldSpec
from contribd.mapping.kind import Kind, words
from contribd.mapping.readings import reading_problems
from contribd.mapping.syntax import Call, Node, outcomes

_TAKES = Kind.NUMBER | Kind.TEXT | Kind.NULL
_TAKES_AS_TEXT = _TAKES | Kind.BOOLEAN
"""Of lookup too, whose keys are text."""


def field_problems(spec: FieldSpec, gives: Kind, node: Node) -> Iterator[FieldProblem]:
    """What is wrong with the settings of a field whose expression gives ``gives``, as ``node`` is written."""
    has_from = spec.from_ is not None
    if has_from == spec.has("value"):
        yield FieldProblem(
            "",
            "a field has either from (an expression) or value (a constant)",
            cure="Keep one of from and value" if has_from else "Add from: and an expression",
        )
    yield from _unused(spec, has_from=has_from)
    yield from reading_problems(spec)
    if spec.to is not As.RMTES and any(_is_partial(each) for each in outcomes(node)):
        yield FieldProblem("from", "what partial() makes is posted as: rmtes", cure="Add as: rmtes")
    if has_from:
        yield from _kinds(spec, gives)


def _is_partial(node: Node) -> bool:
    return isinstance(node, Call) and node.function == "partial"


def _unused(spec: FieldSpec, *, has_from: bool) -> Iterator[FieldProblem]:
    if not has_from:
        for key in ("missing", "lookup", "default"):
            if spec.has(key):
                yield FieldProblem(key, f"{key} goes with from; there is none", cure=f"Take {key} away")
    elif spec.has("default") and spec.lookup is None:
        yield FieldProblem(
            "default",
            "default goes with lookup; for what the record lacks, see missing and coalesce()",
            cure=f"Write coalesce({spec.from_}, …), or missing: skip",
        )
    if spec.lookup is not None and not spec.lookup:
        yield FieldProblem("lookup", "the table is empty", cure="Write its entries, as in {USD: 840, EUR: 978}")
    if spec.round is not None and spec.to not in NUMERIC:
        yield FieldProblem(
            "round", f"round goes with numbers; as: {spec.to} makes none that has decimals", cure="Take round away"
        )


def _kinds(spec: FieldSpec, gives: Kind) -> Iterator[FieldProblem]:
    if spec.lookup is not None:
        if not gives & _TAKES_AS_TEXT:
            yield _never("from", "lookup", _TAKES_AS_TEXT, gives)
        return
    takes = _TAKES_AS_TEXT if spec.to in {As.TEXT, As.RMTES} else _TAKES
    if not gives & takes:
        yield _never("from", f"as: {spec.to}" if spec.to else "a field", takes, gives)
    elif spec.round is not None and spec.to is None and not gives & (Kind.NUMBER | Kind.NULL):
        yield _never("round", "round", Kind.NUMBER, gives)


def _never(key: str, what: str, takes: Kind, gives: Kind) -> FieldProblem:
    text = f"{what} takes {words(takes)}; this is {words(gives)}"
    return FieldProblem(key, text, Code.NEVER_FITS, f"Write an expression that gives {words(takes)}")
