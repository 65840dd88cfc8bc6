"""A mapping file's model, compiled; every problem in it at once."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from contribd.mapping.codegen import generate
from contribd.mapping.codes import Code
from contribd.mapping.compile_post import OF_POSTS, Given, PostCompiler, PostParts
from contribd.mapping.compile_publish import Holidays
from contribd.mapping.compile_several import SeveralCompiler, makes_one
from contribd.mapping.compiled import (
    Compiled,
    CompiledMapping,
    CompiledPost,
    DataPath,
    MappingProblem,
    attributes,
)
from contribd.mapping.conversions import As
from contribd.mapping.expression import Expression
from contribd.mapping.fieldtypes import NO_DICTIONARY, FieldTypes, named_as_posted, posted_name
from contribd.mapping.given_names import OF_A_LIST, given_names
from contribd.mapping.mapping_texts import NOTHING, MappingTexts
from contribd.mapping.outcome import Ignored, PostType
from contribd.mapping.rules import MappingFile, MappingSpec, PartSpec
from contribd.mapping.scope import ELEMENT, INDEX, SURROUNDINGS, Scope
from contribd.mapping.syntax import Call, Node, walk_tree
from contribd.mapping.tables import Table


def compile_file(
    model: MappingFile,
    default_service: str,
    taken: Collection[str] = (),
    types: FieldTypes = NO_DICTIONARY,
    tables: Mapping[str, Table] | None = None,
    holidays: Mapping[DataPath, Holidays] | None = None,
) -> Compiled:
    """Compile every mapping of a file. ``taken`` holds the names of mappings in other files; names are unique.

    ``types``: what is known of fields; ``tables``: those that the expressions can name; ``holidays``: by the place of
    the mapping or post whose publish rules name them.
    """
    compiled = Compiled(tests=[named_as_posted(case, types) for case in model.tests])
    names = set(taken)
    keys = frozenset(key for test in model.tests for key in test.record or ())
    given = Given(types, keys, default_service, frozenset(_posted(model, types)), holidays or {})
    for index, spec in enumerate(model.mappings):
        texts = MappingTexts(spec.name, ("mappings", index), Scope(tables=tables or {}, mapping=spec.name))
        if spec.name in names:
            text = f"another mapping is named {spec.name}; results tell mappings apart by name"
            texts.problem(("name",), text, code=Code.SAME_NAME, cure="Give one of them another name")
        names.add(spec.name)
        mapping = _Compiler(texts, given).mapping(spec)
        compiled.problems.extend([*texts.problems, *texts.without_effect])
        if not texts.problems:
            compiled.mappings.append(mapping)
            compiled.sites.extend(texts.sites)
            compiled.specs[spec.name] = (("mappings", index), spec)
    lets = {name for spec in model.mappings for part in (spec, *(spec.posts or ())) for name in part.let}
    compiled.problems.extend(_shadowed(compiled, lets))
    return compiled


def _posted(model: MappingFile, types: FieldTypes) -> Iterator[str]:
    """The fields that a file's mappings post, under their own names."""
    for spec in model.mappings:
        for part in spec.posts or (spec,):
            for name in part.fields:
                yield posted_name(name, types)


def _shadowed(compiled: Compiled, lets: Collection[str]) -> Iterator[MappingProblem]:
    """Keys of test records that mean something else to the mappings: real records may have them too."""
    given = {**dict.fromkeys(lets, "a let"), **given_names(site.expression for site in compiled.sites)}
    for index, test in enumerate(compiled.tests):
        for key in test.record or ():
            if key in given:
                text = f"the mappings of this file read {key} as {given[key]}, not as the record's key"
                of_a_list = given[key] in OF_A_LIST.values()
                cure = f'Rename the key, or read ["{key}"]' if of_a_list else f"Call {given[key]} otherwise"
                path: DataPath = ("tests", index, "record", key)
                yield MappingProblem(path, 0, text, key=True, code=Code.SHADOWED, cure=cure)


class _Compiler:
    """Compiles one mapping. Where a part has a problem it is noted and a stand-in is used, to find the others too."""

    def __init__(self, texts: MappingTexts, given: Given) -> None:
        self._texts = texts
        self._given = given
        self._problem = texts.problem

    def mapping(self, spec: MappingSpec) -> CompiledMapping:
        if spec.ignore:
            return self._ignoring(spec)
        if spec.posts and (beside := spec.model_fields_set & PartSpec.model_fields.keys()):
            raise ValueError(f"{', '.join(sorted(beside))} beside posts are merged into each before: see config.merge")
        when = self._when(spec)
        if makes_one(spec):
            instead, parts = None, [self._one(spec)]
            post = parts[0].post
        else:
            instead, parts = SeveralCompiler(self._texts, self._post_compiler).several(spec)
            post = _no_post(spec.name)
        self._elements(spec)
        return CompiledMapping(
            **attributes(post),
            when=when,
            instead=instead,
            withdraw=self._withdraw(spec, parts),
            desk=spec.desk,
            surrounded=self._texts.reads(SURROUNDINGS),
            rmtes=tuple(_rmtes(spec)),
            partly=any(_calls(site.expression.node, "partial") for site in self._texts.sites),
        )

    def _post_compiler(self, texts: MappingTexts) -> PostCompiler:
        return PostCompiler(texts, self._given)

    def _one(self, spec: MappingSpec) -> PostParts:
        if spec.all_or_nothing:
            text = "the mapping makes one post of a record: there are no others to keep back"
            self._texts.no_effect(("all_or_nothing",), text, Code.ALL_OR_NOTHING, "Remove it", key=True)
        if spec.posts:
            return self._post_compiler(self._texts.below("posts", 0)).post(spec.name, spec.posts[0], OF_POSTS)
        return self._post_compiler(self._texts).post(spec.name, spec)

    def _elements(self, spec: MappingSpec) -> None:
        """Where ``item`` and ``index`` are keys of the record, though an element must have been meant."""
        if spec.each is not None or any(post.each is not None for post in spec.posts or ()):
            self._texts.no_element({ELEMENT.name, INDEX.name})
        elif self._given.keys and ELEMENT.name not in self._given.keys:
            self._texts.no_element({ELEMENT.name})

    def _when(self, spec: MappingSpec) -> Expression | None:
        if spec.when is None:
            return None
        when = self._texts.condition(spec.when, ("when",))
        text = "is computed once the mapping was chosen: when is asked before"
        lets = [name for part in (spec, *(spec.posts or ())) for name in part.let]
        self._texts.not_yet(when, ("when",), lets, text, "Write out what it stands for")
        return replace(when, run=generate(when.node))  # of each record, from the first

    def _ignoring(self, spec: MappingSpec) -> CompiledMapping:
        """A mapping that takes records out of the way."""
        for key in spec.model_fields_set - {"name", "when", "ignore"}:
            text = f"a mapping that ignores its records posts nothing: {key} has no effect"
            self._problem((key,), text, key=True, code=Code.IGNORES, cure=f"Remove {key}, or remove ignore")
        when, ignored = self._when(spec), Ignored(spec.name)
        reads = self._texts.reads(SURROUNDINGS)
        return CompiledMapping(**attributes(_no_post(spec.name)), when=when, instead=ignored, surrounded=reads)

    def _withdraw(self, spec: MappingSpec, parts: list[PostParts]) -> frozenset[str]:
        """Of all posts together."""
        fields: dict[str, frozenset[str]] = {}
        for part in parts:
            for name, field in part.fields.items():
                fields[name] = fields.get(name, frozenset()) | field.target.names
        for index, name in enumerate(spec.withdraw):
            if name not in fields:
                near = get_close_matches(name, fields, n=1)
                hint = f"Write {near[0]}" if near else f"Write one of its fields: {', '.join(fields)}"
                text = f"the mapping {spec.name} has no field {name}"
                self._problem(("withdraw", index), text, code=Code.WITHDRAW, cure=hint)
            elif name in spec.withdraw[:index]:
                self._problem(("withdraw", index), f"{name} is named twice", code=Code.WITHDRAW, cure="Remove one")
        return frozenset().union(*(fields[name] for name in spec.withdraw if name in fields))


def _no_post(name: str) -> CompiledPost:
    """Of a mapping that does not make one post of each record."""
    nothing = NOTHING.run
    return CompiledPost(name, nothing, "", PostType.UPDATE, (), nothing, (), nothing)


def _rmtes(spec: MappingSpec) -> Iterator[str]:
    for part in spec.posts or (spec,):
        yield from (name for name, field in part.fields.items() if field.to is As.RMTES)


def _calls(node: Node, function: str) -> bool:
    return any(isinstance(part, Call) and part.function == function for part in walk_tree(node))
