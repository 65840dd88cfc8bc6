"""One field of a mapping, compiled; every problem in it at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import localcontext

from contribd.mapping.codegen import generate_later, generate_name
from contribd.mapping.codes import Code
from contribd.mapping.compiled import CompiledField, DataPath
from contribd.mapping.conversions import As, Lookup
from contribd.mapping.expression import Expression
from contribd.mapping.field_problem import FieldProblem
from contribd.mapping.field_specs import FieldSpec
from contribd.mapping.fieldrules import field_problems
from contribd.mapping.fieldtypes import FieldNameError, FieldTypes, Target
from contribd.mapping.mapping_texts import NOTHING, MappingTexts
from contribd.mapping.mistakes import RAISED, ExpressionError, as_evaluation_error
from contribd.mapping.numbers import CONTEXT
from contribd.mapping.operators import Value
from contribd.mapping.outcome import FieldValue
from contribd.mapping.syntax import Literal, Node, Scalar, outcomes
from contribd.mapping.template import compile_template
from contribd.mapping.values import Convert


@dataclass(frozen=True, slots=True)
class FieldPart:
    """A field before its functions are generated."""

    target: Target
    node: Node
    convert: Convert
    missing: str
    name: str
    """As it is written."""
    made_into: As | None
    """What its values are made into, as far as its settings or its type say so."""

    def compiled(self) -> CompiledField:
        """The field by itself."""
        computed = self.target.computed
        return CompiledField(
            self.target.name,
            generate_later(self.node),
            self.convert,
            self.missing,
            self.target.label,
            None if computed is None else generate_name(computed),
        )


class FieldCompiler:
    """Compiles the fields of one mapping."""

    def __init__(self, texts: MappingTexts, types: FieldTypes) -> None:
        """``types``: what is known of fields."""
        self._texts = texts
        self._types = types

    def field(self, name: str, spec: FieldSpec) -> FieldPart:
        """The field of this name."""
        path: DataPath = ("fields", name)
        target = self._target(name, path)
        spec = target.completed(spec)
        expression = NOTHING
        if spec.from_ is not None:
            expression = self._texts.expression(spec.from_, path + spec.short_path)
        wrong_settings = target.problems(spec, expression.kind, field_problems(spec, expression.kind, expression.node))
        for problem in wrong_settings:
            self._field_problem(path, spec, problem)
        last = target.fitting(spec)
        checked = target.checked(last)
        made_into = spec.to or (None if target.type is None else target.type.implied)
        if spec.has("value"):
            value = self._constant((*path, "value"), spec.value, checked)
            return FieldPart(target, Literal(0, value), _as_it_is, spec.missing, name, made_into)
        if spec.lookup is not None:
            lookup = self._lookup(path, spec, spec.lookup, checked)
            fitting = target.fitting(spec, lookup)
            return FieldPart(target, expression.node, fitting, spec.missing, name, made_into)
        if not wrong_settings:
            self._constant_expression(path + spec.short_path, expression, checked)
        return FieldPart(target, expression.node, last, spec.missing, name, made_into)

    def _target(self, name: str, path: DataPath) -> Target:
        """The field of this name; one of which nothing is known where there is a problem."""
        try:
            if "{" in name or "}" in name:
                template = compile_template(name, self._texts.scope)
                self._texts.note(path, template.parts, in_key=True)
                return Target(name, *self._types.computed(template))
            known = self._types.field(name)
        except (ExpressionError, FieldNameError) as error:
            self._texts.problem(path, error.text, key=True, code=error.code, cure=error.cure)
            return Target(name)
        return Target(name if known is None else known.name, None, known)

    def _lookup(self, path: DataPath, spec: FieldSpec, table: Mapping[str, Scalar], last: Convert) -> Lookup:
        for key, value in table.items():
            self._constant((*path, "lookup", key), value, last)
        default = (spec.default,) if spec.has("default") else ()
        for value in default:
            self._constant((*path, "default"), value, last)
        return Lookup(table, default)

    def _field_problem(self, path: DataPath, spec: FieldSpec, problem: FieldProblem) -> None:
        below = spec.short_path if problem.key == "from" else (problem.key,) if problem.key else ()
        self._texts.problem(path + below, problem.text, problem.at, code=problem.code, cure=problem.cure)

    def _constant(self, path: DataPath, value: Scalar, convert: Convert, at: int = 0) -> FieldValue:
        """A constant as it will be posted; a problem where it cannot be."""
        try:
            with localcontext(CONTEXT):
                return convert(value)
        except RAISED as error:
            failure = as_evaluation_error(error)
            cure = failure.cure or "Write a value that can be posted, or null for a blank"
            self._texts.problem(path, failure.text, at, code=failure.code or Code.CONSTANT_NOT_POSTED, cure=cure)
            return None

    def _constant_expression(self, path: DataPath, expression: Expression, convert: Convert) -> None:
        """What an expression gives without reading the record is a constant too."""
        for node in outcomes(expression.node):
            if isinstance(node, Literal):
                self._constant(path, node.value, convert, node.at)


def _as_it_is(value: Value) -> Value:
    return value
