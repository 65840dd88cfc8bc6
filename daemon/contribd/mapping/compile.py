"""A mapping file's model, compiled; every problem in it at once."""

import re
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from difflib import get_close_matches

from contribd.mapping.codegen import (
    Evaluate,
    generate,
    generate_all,
    generate_object,
    generate_text,
)
from contribd.mapping.codes import Code
from contribd.mapping.compile_field import FieldCompiler, FieldPart
from contribd.mapping.compiled import (
    Compiled,
    CompiledCheck,
    CompiledMapping,
    DataPath,
    MappingProblem,
)
from contribd.mapping.conversions import As, ric_text
from contribd.mapping.expression import Expression
from contribd.mapping.fieldtypes import NO_DICTIONARY, FieldTypes, named_as_posted
from contribd.mapping.given_names import ELEMENT, given_names, unfit_name, uses
from contribd.mapping.kind import Kind, words
from contribd.mapping.mapping_texts import NOTHING, MappingTexts
from contribd.mapping.outcome import Ignored, PostType
from contribd.mapping.rules import MappingFile, MappingSpec
from contribd.mapping.scope import POST, SURROUNDINGS, LetName, Scope
from contribd.mapping.syntax import (
    Access,
    Call,
    Literal,
    Node,
    Path,
    Row,
    TableName,
    path_text,
    walk_tree,
)
from contribd.mapping.tables import Table
from contribd.mapping.tape import GATE, RIC, noted
from contribd.mapping.template import Template, compile_template
from contribd.mapping.values import COMMANDS, clean_ric, price_ric, ric_problem

_AS_NAMES = re.compile(r"[a-z]{2,}(?:[._][a-z]+)*")
"""Small letters alone: a RIC has a capital, a digit or another sign (``.SPX``, ``EUR=``, ``0#.SPX``)."""
_COMPARE = "Compare it with something, as in bid > 0"
_TYPES = {"update": PostType.UPDATE, "refresh": PostType.REFRESH}


def compile_file(
    model: MappingFile,
    default_service: str,
    taken: Collection[str] = (),
    types: FieldTypes = NO_DICTIONARY,
    tables: Mapping[str, Table] | None = None,
) -> Compiled:
    """Compile every mapping of a file. ``taken`` holds the names of mappings in other files; names are unique.

    ``types``: what is known of fields; ``tables``: those that the expressions can name.
    """
    compiled = Compiled(tests=[named_as_posted(case, types) for case in model.tests])
    names = set(taken)
    keys = frozenset(key for test in model.tests for key in test.record or ())
    for index, spec in enumerate(model.mappings):
        texts = MappingTexts(spec.name, ("mappings", index), Scope(tables=tables or {}, mapping=spec.name))
        if spec.name in names:
            text = f"another mapping is named {spec.name}; results tell mappings apart by name"
            texts.problem(("name",), text, code=Code.SAME_NAME, cure="Give one of them another name")
        names.add(spec.name)
        mapping = _Compiler(texts, types, keys).mapping(spec, default_service)
        compiled.problems.extend([*texts.problems, *texts.without_effect])
        if not texts.problems:
            compiled.mappings.append(mapping)
            compiled.sites.extend(texts.sites)
            compiled.specs[spec.name] = (("mappings", index), spec)
    lets = {name for spec in model.mappings for name in spec.let}
    compiled.problems.extend(_shadowed(compiled, lets))
    return compiled


def _shadowed(compiled: Compiled, lets: Collection[str]) -> Iterator[MappingProblem]:
    """Keys of test records that mean something else to the mappings: real records may have them too."""
    given = {**dict.fromkeys(lets, "a let"), **given_names(site.expression for site in compiled.sites)}
    for index, test in enumerate(compiled.tests):
        for key in test.record or ():
            if key in given:
                text = f"the mappings of this file read {key} as {given[key]}, not as the record's key"
                cure = f"Call {given[key]} otherwise" if given[key] != ELEMENT else f'Rename the key, or read ["{key}"]'
                path: DataPath = ("tests", index, "record", key)
                yield MappingProblem(path, 0, text, key=True, code=Code.SHADOWED, cure=cure)


class _Compiler:
    """Compiles one mapping. Where a part has a problem it is noted and a stand-in is used, to find the others too."""

    def __init__(self, texts: MappingTexts, types: FieldTypes, keys: AbstractSet[str]) -> None:
        """``keys``: those that test records have at the top."""
        self._texts = texts
        self._keys = keys
        self._problem = texts.problem
        self._field = FieldCompiler(texts, types).field

    def mapping(self, spec: MappingSpec, default_service: str) -> CompiledMapping:
        if spec.ignore:
            return self._ignoring(spec)
        if not spec.fields:
            self._lacks("fields", Code.NO_FIELDS, "fields: {BID: bid}")
        when = self._when(spec)
        lets = self._lets(spec)
        parts = [self._field(name, field_spec) for name, field_spec in spec.fields.items()]
        self._all_different(spec, parts)
        ric = self._ric(spec.ric)
        checks = self._checks(spec, parts)
        self._all_used(lets)
        self._meant(spec.ric or "", lets)
        return CompiledMapping(
            name=spec.name,
            when=when,
            ric=ric,
            service=self._service(spec.service, default_service),
            type=_TYPES[spec.post],
            fields=tuple(part.compiled() for part in parts),
            all_fields=generate_object([(part.target.key, part.node, part.convert) for part in parts]),
            checks=checks,
            all_checks=generate_all([check.that.node for check in checks]),
            withdraw=self._withdraw(spec, parts),
            lets=lets,
            constants=_constants(parts),
            reads_post=any(check.that.reads(POST) for check in checks),
            surrounded=self._texts.reads(SURROUNDINGS),
            rmtes=tuple(name for name, field in spec.fields.items() if field.to is As.RMTES),
            partly=any(_calls(site.expression.node, "partial") for site in self._texts.sites),
        )

    def _when(self, spec: MappingSpec) -> Expression | None:
        if spec.when is None:
            return None
        when = self._condition(spec.when, ("when",))
        text = "is computed once the mapping was chosen: when is asked before"
        self._not_yet(when, ("when",), spec.let, text, "Write out what it stands for")
        return replace(when, run=generate(when.node))  # of each record, from the first

    def _lets(self, spec: MappingSpec) -> tuple[tuple[LetName, Evaluate], ...]:
        made: list[tuple[LetName, Evaluate]] = []
        names = list(spec.let)
        for index, (name, source) in enumerate(spec.let.items()):
            path: DataPath = ("let", name)
            clash = f"a table is called {name}" if name in self._texts.scope.tables else unfit_name(name, "let")
            if clash:
                self._problem(path, clash, key=True, code=Code.LET_NAME, cure="Give it another name")
            expression = self._texts.expression(source, path)
            self._not_yet(expression, path, names[index + 1 :], "is computed after it", "Put it before")
            text = "is what is being computed here, no longer the record's key"
            self._not_yet(expression, path, [name], text, "Give the let a name that no key of the record has")
            place = LetName(name)
            made.append((place, generate(expression.node)))
            self._texts.let(place)
        return tuple(made)

    def _not_yet(self, expression: Expression, path: DataPath, names: Collection[str], text: str, cure: str) -> None:
        """Names that mean something else where ``expression`` stands: read there, they would be keys of the record."""
        for use in uses(expression, names):
            self._problem(path, f"{use.name} {text}", use.at, code=Code.LET_ORDER, cure=cure)

    def _all_used(self, lets: tuple[tuple[LetName, Evaluate], ...]) -> None:
        for place, _ in lets if not self._texts.problems else ():
            if not self._texts.reads(place):
                text = f"{place.name} is computed and not used"
                self._texts.no_effect(("let", place.name), text, Code.LET_UNUSED, "Remove it, or use it", key=True)

    def _meant(self, ric: str, lets: tuple[tuple[LetName, Evaluate], ...]) -> None:
        """A RIC without braces that is the name of something else, or is written as no RIC is and as names are."""
        read = {
            path_text(path[:count])
            for site in self._texts.sites
            for path in site.expression.paths
            for count in (1, len(path))
        }
        known = read | self._keys | {place.name for place, _ in lets}
        if ric in known or _AS_NAMES.fullmatch(ric):
            text = f'every record would be posted under the one RIC "{ric}"'
            self._problem(("ric",), text, code=Code.RIC_MEANT, cure=f'Write "{{{ric}}}"')

    def _checks(self, spec: MappingSpec, parts: list[FieldPart]) -> tuple[CompiledCheck, ...]:
        self._texts.post(frozenset().union(*(part.target.names for part in parts)))
        made: list[CompiledCheck] = []
        for index, check in enumerate(spec.checks):
            path: DataPath = ("checks", index, *check.short_path)
            that = self._condition(check.that, path)
            if (answer := that.always) is not None:
                text = "this check is true for every record" if answer else "this check rejects every record"
                self._texts.no_effect(path, text, Code.CONSTANT_CHECK, _COMPARE)
            made.append(CompiledCheck(that, check.text))
        return tuple(made)

    def _ignoring(self, spec: MappingSpec) -> CompiledMapping:
        """A mapping that takes records out of the way."""
        for key in spec.model_fields_set - {"name", "when", "ignore"}:
            text = f"a mapping that ignores its records posts nothing: {key} has no effect"
            self._problem((key,), text, key=True, code=Code.IGNORES, cure=f"Remove {key}, or remove ignore")
        when, nothing = self._when(spec), NOTHING.run
        ignored, reads = Ignored(spec.name), self._texts.reads(SURROUNDINGS)
        return CompiledMapping(
            spec.name, when, nothing, "", PostType.UPDATE, (), nothing, (), nothing, ignored=ignored, surrounded=reads
        )

    def _lacks(self, key: str, code: Code, example: str) -> None:
        text = f"the mapping has no {key}, and its file's defaults have none"
        self._problem(
            (key,), text, code=code, cure=f"Write {example}; or ignore: true where such records are not posted"
        )

    def _all_different(self, spec: MappingSpec, parts: list[FieldPart]) -> None:
        first: dict[str, str] = {}
        for name, part in zip(spec.fields, parts, strict=True):
            other = first.setdefault(part.target.name, name)
            if other != name:
                text = f"{name} is {part.target.label}, which the mapping sets already as {other}"
                self._problem(("fields", name), text, key=True, code=Code.SAME_FIELD, cure=f"Remove {name} or {other}")

    def _withdraw(self, spec: MappingSpec, parts: list[FieldPart]) -> frozenset[str]:
        for index, name in enumerate(spec.withdraw):
            if name not in spec.fields:
                near = get_close_matches(name, spec.fields, n=1)
                hint = f"Write {near[0]}" if near else f"Write one of its fields: {', '.join(spec.fields)}"
                text = f"the mapping {spec.name} has no field {name}"
                self._problem(("withdraw", index), text, code=Code.WITHDRAW, cure=hint)
            elif name in spec.withdraw[:index]:
                self._problem(("withdraw", index), f"{name} is named twice", code=Code.WITHDRAW, cure="Remove one")
        fields = dict(zip(spec.fields, parts, strict=True))
        return frozenset().union(*(fields[name].target.names for name in spec.withdraw if name in fields))

    def _condition(self, source: str, path: DataPath) -> Expression:
        expression = self._texts.expression(source, path)
        if not expression.kind & Kind.BOOLEAN:
            text = f"a condition is true or false; this gives {words(expression.kind)}"
            self._problem(path, text, code=Code.CONDITION, cure=_COMPARE)
        return expression

    def _ric(self, source: str | None) -> Evaluate:
        if not source:
            self._lacks("ric", Code.NO_RIC, 'text with expressions in braces, as in ric: "{pair}=TRCC"')
        template = self._texts.compiled(compile_template, source or "", ("ric",)) or Template("", ())
        parts = [part if isinstance(part, str) else part.node for part in template.parts]
        if parts and (wrong := ric_problem([part if isinstance(part, str) else None for part in parts])):
            self._problem(("ric",), wrong, code=Code.RIC_NOT_POSTED, cure="Write printable ASCII, no space at its ends")
        ordered = bool(parts) and isinstance(parts[0], str) and parts[0].startswith(COMMANDS)
        return generate_text(parts, noted(GATE, ric_text), noted(RIC, clean_ric if ordered else price_ric))

    def _service(self, name: str | None, default: str) -> str:
        if name is None:
            return default
        if not name or name.isdigit() or not name.isprintable() or name != name.strip() or len(name) > 255:
            text = "a service is named by its name: printable text, not a number"
            self._problem(("service",), text, code=Code.SERVICE, cure="Write the service's name, as the ADS has it")
        elif "{" in name:
            text = "a service is a constant: braces in it would be part of its name"
            self._problem(("service",), text, code=Code.SERVICE, cure="Write a mapping for each service, with a when")
        return name


def _calls(node: Node, function: str) -> bool:
    return any(isinstance(part, Call) and part.function == function for part in walk_tree(node))


def _constants(parts: list[FieldPart]) -> frozenset[str]:
    """The fields that say nothing by themselves. A blank says that the quote is gone."""
    names = frozenset(part.target.name for part in parts if not _says(part.node))
    return names if len(names) < len(parts) else frozenset()


def _says(node: Node) -> bool:
    if isinstance(node, Literal) and node.value is None:
        return True
    return any(isinstance(each, Path | Access | Row | TableName) for each in walk_tree(node))
