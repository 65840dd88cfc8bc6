"""One field that a mapping names, with what of the mapping's settings cannot go with its type."""

from collections.abc import Iterator
from dataclasses import dataclass

from contribd.dictionary.enums_file import EnumTable
from contribd.dictionary.fields_file import Field
from contribd.dictionary.fit import cut, fit, fit_rmtes
from contribd.dictionary.rwf import FRACTIONS, TEXTS, TIMES, WHOLE, RwfType
from contribd.mapping.codes import Code
from contribd.mapping.conversions import As
from contribd.mapping.field_problem import FieldProblem
from contribd.mapping.field_specs import FieldSpec
from contribd.mapping.kind import Kind, words
from contribd.mapping.values import Convert

_TAKES = {
    **dict.fromkeys(FRACTIONS | WHOLE, Kind.NUMBER),
    **dict.fromkeys(TEXTS | {RwfType.BUFFER}, Kind.TEXT),
    **dict.fromkeys(TIMES | {RwfType.ENUM}, Kind.NUMBER | Kind.TEXT),
    RwfType.OTHER: Kind.NULL,
}
_GIVES = {As.REAL: Kind.NUMBER, As.INT: Kind.NUMBER, As.FRACTION: Kind.NUMBER}
_IMPLIED = {RwfType.DATE: As.DATE, RwfType.TIME: As.TIME, RwfType.DATETIME: As.DATETIME}
_WRONG_FORMS = {
    RwfType.DATE: {As.TIME, As.RMTES},
    RwfType.TIME: {As.DATE, As.RMTES},
    RwfType.DATETIME: {As.DATE, As.TIME, As.RMTES},
    RwfType.ENUM: {As.DATE, As.TIME, As.DATETIME, As.RMTES},
    RwfType.ASCII: {As.RMTES},
    RwfType.UTF8: {As.RMTES},
    RwfType.BUFFER: {As.RMTES},
}
"""What is text as well, but never one that the type takes."""
_REMOVE = "Remove as: the dictionary says how values are made to fit"
_INSTEAD = {
    **dict.fromkeys(FRACTIONS, "Write as: real, for text that is a number, or remove as"),
    **dict.fromkeys(WHOLE, "Write as: int, for text that is a whole number, or remove as"),
    **dict.fromkeys(TEXTS, "Write as: text, or remove as"),
}
_CURES = {
    **dict.fromkeys(FRACTIONS, "Add as: real, for text that is a number"),
    **dict.fromkeys(WHOLE, "Add as: int, for text that is a whole number"),
    **dict.fromkeys(TEXTS, "Add as: text"),
}


@dataclass(frozen=True)
class KnownField:
    """A field with its table, where it has one. ``name`` and ``label`` are a template's where several are meant."""

    field: Field
    table: EnumTable | None
    name: str
    label: str

    @property
    def implied(self) -> As | None:
        """The ``as`` that goes without saying."""
        return _IMPLIED.get(self.field.type)

    def converter(self, made: As | None) -> Convert:
        """What makes a value one of this field, and raises EvaluationError; ``made``: by what ``as`` it came."""
        if made is not None and made is self.implied:
            return cut(self.field)
        if made is As.RMTES:
            return fit_rmtes(self.field)
        return fit(self.field, self.table)

    def problems(self, spec: FieldSpec, gives: Kind) -> Iterator[FieldProblem]:
        """What of a field's settings cannot go with its type; ``gives``: what its expression can give."""
        kind = self.field.type
        if kind is RwfType.OTHER:
            text = f"{self.label} cannot be posted: its type holds no single value"
            yield FieldProblem("", text, Code.FIELD_TYPE)
            return
        if spec.round is not None and (kind not in FRACTIONS and (kind not in WHOLE or spec.round)):
            text = f"{self.label} has no decimals to be rounded"
            yield FieldProblem("round", text, Code.FIELD_KIND, "Remove round")
        if spec.to is not None:
            yield from self._as(spec.to)
        elif spec.from_ is not None and spec.lookup is None and not gives & (_TAKES[kind] | Kind.NULL):
            text = f"{self.label} takes {words(_TAKES[kind])}; this is {words(gives)}"
            yield FieldProblem("from", text, Code.FIELD_KIND, _CURES.get(kind, ""))

    def _as(self, to: As) -> Iterator[FieldProblem]:
        kind = self.field.type
        if to in _WRONG_FORMS.get(kind, ()) or not _GIVES.get(to, Kind.TEXT) & _TAKES[kind]:
            text = f"{self.label} does not take what as: {to} makes"
            yield FieldProblem("as", text, Code.FIELD_KIND, _INSTEAD.get(kind, _REMOVE))
