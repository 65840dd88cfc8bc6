"""What is known of the fields that a mapping names: their types, where there is a field dictionary.

The compiler asks by the protocols below; who reads dictionaries implements them, and ``NO_DICTIONARY`` stands where
there is none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from contribd.mapping.case_expectations import ExpectedPart, ExpectedPost
from contribd.mapping.case_specs import CaseSpec
from contribd.mapping.computed_names import ComputedName
from contribd.mapping.conversions import As, Lookup, conversion
from contribd.mapping.field_problem import FieldProblem
from contribd.mapping.field_specs import FieldSpec
from contribd.mapping.fieldnames import field_name_problem
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import RAISED, EvaluationError, as_evaluation_error
from contribd.mapping.operators import Value
from contribd.mapping.outcome import FieldValue
from contribd.mapping.readings import DATE_SETTINGS, reading_of
from contribd.mapping.tape import noted
from contribd.mapping.template import Template
from contribd.mapping.values import Convert

_Expected = TypeVar("_Expected", ExpectedPost, ExpectedPart)


class FieldNameError(Exception):
    """A field's name that cannot stand."""

    def __init__(self, text: str, code: str, cure: str) -> None:
        super().__init__(text)
        self.text: Final = text
        self.code: Final = code
        self.cure: Final = cure


class FieldType(Protocol):
    """What is known of one field, or of all that a name with braces can become."""

    @property
    def name(self) -> str:
        """As it is posted; with braces as written."""

    @property
    def label(self) -> str:
        """For people: "BID (FID 22, Real)"."""

    @property
    def implied(self) -> As | None:
        """The ``as`` that goes without saying."""

    def converter(self, made: As | None) -> Convert:
        """What makes a value one of this field, and raises EvaluationError; ``made``: by what ``as`` it came."""

    def problems(self, spec: FieldSpec, gives: Kind) -> Iterator[FieldProblem]:
        """What of a field's settings cannot go with its type; ``gives``: what its expression can give."""


class FieldTypes(Protocol):
    """What is known of fields."""

    def field(self, name: str) -> FieldType | None:
        """The field of this acronym or FID; None where nothing is known of it. Raises FieldNameError."""

    def computed(self, template: Template) -> tuple[ComputedName, FieldType | None]:
        """The fields that a name with braces can become. Raises FieldNameError."""


class Target(NamedTuple):
    """The field that a value goes to."""

    name: str
    """As it is posted; with braces as written."""
    computed: ComputedName | None = None
    type: FieldType | None = None

    @property
    def key(self) -> str | ComputedName:
        """Its name, or how that is computed."""
        return self.computed or self.name

    @property
    def label(self) -> str:
        """For people."""
        return self.type.label if self.type is not None else self.name

    @property
    def names(self) -> frozenset[str]:
        """All that its name can be."""
        return self.computed.names if self.computed is not None else frozenset({self.name})

    def problems(self, spec: FieldSpec, gives: Kind, found: Iterable[FieldProblem]) -> list[FieldProblem]:
        """Those found, and what of the settings cannot go with the field's type; of a setting only the first."""
        listed = list(found)
        keys = {problem.key for problem in listed}
        further = self.type.problems(spec, gives) if self.type is not None else ()
        return listed + [problem for problem in further if problem.key not in keys]

    def completed(self, spec: FieldSpec) -> FieldSpec:
        """The settings with the ``as`` that the field's type implies, where others of them say how it reads."""
        implied = self.type.implied if self.type is not None else None
        if implied is None or spec.to is not None or not any(map(spec.has, DATE_SETTINGS)):
            return spec
        return spec.model_copy(update={"as_": implied.value})

    def fitting(self, spec: FieldSpec, lookup: Lookup | None = None) -> Convert:
        """What makes a value one of this field: what its settings ask for, then what its type wants."""
        asked = conversion(lookup, reading_of(spec), spec.round)
        if self.type is None:
            return asked
        convert = noted(self.label, self.type.converter(spec.to))
        # Where nothing is asked for but that the value can be posted, the type sees to that.
        plain = lookup is None and spec.to is None and spec.round is None
        return convert if plain else _after(asked, convert)

    def checked(self, convert: Convert) -> Convert:
        """The same for constants: what does not fit is told with the field's name and type."""
        return convert if self.type is None else _labelled(self.label, convert)


def _after(first: Callable[[Value], Value], convert: Convert) -> Convert:
    def fit(value: Value) -> FieldValue:
        return convert(first(value))

    return fit


def _labelled(label: str, convert: Convert) -> Convert:
    def check(value: Value) -> FieldValue:
        try:
            return convert(value)
        except RAISED as error:
            failure = as_evaluation_error(error)
            text = f"{label}: {failure.text}"
            raise EvaluationError(failure.kind, text, code=failure.code, cure=failure.cure) from None

    return check


class _NoDictionary:
    """Nothing is known but which names no dictionary has."""

    def field(self, name: str) -> FieldType | None:
        _refuse(name)
        return None

    def computed(self, template: Template) -> tuple[ComputedName, FieldType | None]:
        _refuse(template.source)
        raise AssertionError("a name with braces is refused without a dictionary")


def _refuse(name: str) -> None:
    if wrong := field_name_problem(name):
        raise FieldNameError(wrong.text, wrong.code, wrong.cure)


class _Unread:
    """There is a dictionary, which nobody looked into: all is taken."""

    def field(self, name: str) -> FieldType | None:  # noqa: ARG002 - it knows none
        return None

    def computed(self, template: Template) -> tuple[ComputedName, FieldType | None]:
        return computed_name(template, lambda name: name, frozenset()), None


NO_DICTIONARY: Final[FieldTypes] = _NoDictionary()
UNREAD: Final[FieldTypes] = _Unread()


def named_as_posted(case: CaseSpec, types: FieldTypes) -> CaseSpec:
    """A test with the names that fields are posted under: the field's own where a FID stands."""
    if types is NO_DICTIONARY:
        return case
    if case.last:
        case = case.model_copy(update={"last": _last_names(case.last, types)})
    if case.post is not None:
        return case.model_copy(update={"post": _with_names(case.post, types)})
    if case.posts is not None:
        return case.model_copy(update={"posts": case.posts.with_each(lambda each: _with_names(each, types))})
    return case


def _with_names(post: _Expected, types: FieldTypes) -> _Expected:
    renamed = {
        key: {posted_name(name, types): value for name, value in fields.items()}
        for key in ("fields", "including")
        if (fields := getattr(post, key)) is not None
    }
    return post.model_copy(update=renamed)


def _last_names(last: Mapping[str, Any], types: FieldTypes) -> dict[str, Any]:
    """By field, or by RIC and then by field."""
    return {
        (name if isinstance(value, dict) else posted_name(name, types)): (
            _last_names(value, types) if isinstance(value, dict) else value
        )
        for name, value in last.items()
    }


def posted_name(name: str, types: FieldTypes) -> str:
    """The name that a field is posted under; one that is wrong is its own."""
    try:
        known = types.field(name)
    except FieldNameError:
        return name
    return name if known is None else known.name


def computed_name(template: Template, resolve: Callable[[str], str], names: frozenset[str]) -> ComputedName:
    """A template as what code is generated from."""
    parts = tuple(part if isinstance(part, str) else part.node for part in template.parts)
    return ComputedName(parts, resolve, names)
