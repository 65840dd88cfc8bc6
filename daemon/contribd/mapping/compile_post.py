"""One post of a mapping, compiled: ``let``, RIC, fields and checks; every problem in it at once."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from contribd.mapping.codegen import Evaluate, generate, generate_all, generate_object, generate_text
from contribd.mapping.codes import Code
from contribd.mapping.compile_field import FieldCompiler, FieldPart
from contribd.mapping.compile_publish import Holidays, PublishCompiler, unguarded
from contribd.mapping.compiled import CompiledCheck, CompiledPost, DataPath
from contribd.mapping.conversions import ric_text
from contribd.mapping.expression import Expression
from contribd.mapping.fieldtypes import FieldTypes
from contribd.mapping.given_names import unfit_name
from contribd.mapping.mapping_texts import COMPARE, MappingTexts
from contribd.mapping.normal import normal
from contribd.mapping.outcome import PostType
from contribd.mapping.publish import PublishRules
from contribd.mapping.rules import PartSpec
from contribd.mapping.scope import ELEMENT, INDEX, LAST, POST, LetName, Place
from contribd.mapping.syntax import Access, Literal, Node, Path, Row, TableName, walk_tree
from contribd.mapping.tape import GATE, RIC, current_tape, noted
from contribd.mapping.template import Template, compile_template
from contribd.mapping.values import COMMANDS, clean_ric, price_ric, ric_problem
from contribd.mapping.written import short

_AS_NAMES: Final = re.compile(r"[a-z]{2,}(?:[._][a-z]+)*")
"""Small letters alone: a RIC has a capital, a digit or another sign (``.SPX``, ``EUR=``, ``0#.SPX``)."""
_TYPES: Final = {"update": PostType.UPDATE, "refresh": PostType.REFRESH}


class Whose(NamedTuple):
    """What is said where a post has no RIC or no fields."""

    lacks: str
    cure: str
    """After what to write."""


OF_MAPPING: Final = Whose(
    "the mapping has no {}, and its file's defaults have none", "; or ignore: true where such records are not posted"
)
OF_POSTS: Final = Whose(
    "the post has no {}, and beside posts there is none", ", or write it beside posts for all of them"
)


class PostParts(NamedTuple):
    """One post, and what it is made of."""

    post: CompiledPost
    when: Expression | None
    fields: dict[str, FieldPart]
    """By their names in the file."""
    ric: Template
    lets: tuple[tuple[LetName, Expression], ...]

    @property
    def identity(self) -> tuple[object, ...] | None:
        """The same for posts that have the same RIC and service with every record; None where that is not seen."""
        parts = [part if isinstance(part, str) else part.node for part in self.ric.parts]
        if not parts or any(map(_names_let, parts)):
            return None
        return self.post.service, *((part,) if isinstance(part, str) else normal(part) for part in parts)

    def differs(self) -> bool:
        """Whether its RIC depends on the element of a list, or on its position."""
        varying: set[Place] = {ELEMENT, INDEX}
        for name, expression in self.lets:
            if any(map(expression.reads, varying)):
                varying.add(name)
        parts = [part for part in self.ric.parts if isinstance(part, Expression)]
        return any(part.reads(place) for part in parts for place in varying)


@dataclass(frozen=True, slots=True)
class Given:
    """What all posts of a mapping file are compiled with."""

    types: FieldTypes
    keys: AbstractSet[str]
    """Those that test records have at the top."""
    default_service: str
    posted: frozenset[str]
    """The fields that mappings of the file post."""
    holidays: Mapping[DataPath, Holidays]
    """By the place in the file that names them."""


class PostCompiler:
    """Compiles one post. Where a part has a problem it is noted and a stand-in is used, to find the others too."""

    def __init__(self, texts: MappingTexts, given: "Given") -> None:
        """``texts``: of the place where the post's parts stand."""
        self._texts = texts
        self._keys = given.keys
        self._default_service = given.default_service
        self._given = given
        self._problem = texts.problem
        self._field = FieldCompiler(texts, given.types).field

    def post(self, name: str, spec: PartSpec, whose: Whose = OF_MAPPING, when: str | None = None) -> PostParts:
        """The post of the mapping of this ``name``."""
        if not spec.fields:
            self._lacks("fields", whose, Code.NO_FIELDS, "fields: {BID: bid}")
        begun = len(self._texts.sites)
        lets = self._lets(spec)
        condition = None if when is None else self._texts.condition(when, ("when",))
        self._texts.last(self._given.posted)
        parts = [self._field(name, field_spec) for name, field_spec in spec.fields.items()]
        self._texts.last(None)
        self._all_different(spec, parts)
        template = self._ric(spec.ric, whose)
        checks = self._checks(spec, parts)
        reads_last = self._reads_last(begun, spec)
        self._all_used(lets)
        self._meant(spec.ric or "", lets)
        of_element = current_tape() is None and any(
            part.reads(ELEMENT) for part in template.parts if isinstance(part, Expression)
        )
        made = CompiledPost(
            name=name,
            ric=_generated_ric(template, plain=of_element),
            ric_again=_generated_ric(template) if of_element else None,
            service=self._service(spec.service),
            type=_TYPES[spec.post],
            fields=tuple(part.compiled() for part in parts),
            all_fields=generate_object([(part.target.key, part.node, part.convert) for part in parts]),
            checks=checks,
            all_checks=generate_all([check.that.node for check in checks]),
            lets=tuple((place, generate(expression.node)) for place, expression in lets),
            constants=_constants(parts),
            reads_post=any(check.that.reads(POST) for check in checks),
            reads_last=reads_last,
            publish=self._publish(spec, parts, reads_last=reads_last),
        )
        asked = None if condition is None else replace(condition, run=generate(condition.node))
        return PostParts(made, asked, dict(zip(spec.fields, parts, strict=True)), template, lets)

    def _publish(self, spec: PartSpec, parts: list[FieldPart], *, reads_last: bool) -> PublishRules | None:
        holidays = self._given.holidays.get(self._texts.path)
        return PublishCompiler(self._texts, parts).rules(spec.publish, holidays, reads_last=reads_last)

    def _reads_last(self, begun: int, spec: PartSpec) -> bool:
        """Whether the post reads what was last posted; told where it could not do without."""
        sites = [site for site in self._texts.sites[begun:] if site.expression.reads(LAST)]
        for site in sites:
            if site.section == "fields" and spec.fields[str(site.below[1])].missing != "reject":
                continue
            for path in unguarded(site.expression):
                text = f"the first record of each RIC has no {short(path)}, and would be rejected"
                cure = f"Write coalesce({short(path)}, …) with what stands for it then"
                self._texts.problem_at(site, path.at, text, code=Code.LAST_UNKNOWN, cure=cure)
        return bool(sites)

    def _lets(self, spec: PartSpec) -> tuple[tuple[LetName, Expression], ...]:
        made: list[tuple[LetName, Expression]] = []
        names = list(spec.let)
        for index, (name, source) in enumerate(spec.let.items()):
            path: DataPath = ("let", name)
            clash = self._clash(name)
            if clash:
                self._problem(path, clash, key=True, code=Code.LET_NAME, cure="Give it another name")
            expression = self._texts.expression(source, path)
            self._texts.not_yet(expression, path, names[index + 1 :], "is computed after it", "Put it before")
            text = "is what is being computed here, no longer the record's key"
            self._texts.not_yet(expression, path, [name], text, "Give the let a name that no key of the record has")
            place = LetName(name)
            made.append((place, expression))
            self._texts.let(place)
        return tuple(made)

    def _clash(self, name: str) -> str | None:
        """Why a ``let`` cannot have this name."""
        if name in self._texts.scope.tables:
            return f"a table is called {name}"
        if name == INDEX.name and self._texts.scope.element:
            return "index is the element's position where there is each"
        return unfit_name(name, "let")

    def _all_used(self, lets: tuple[tuple[LetName, Expression], ...]) -> None:
        for place, _ in lets if not self._texts.problems else ():
            if not self._texts.reads(place):
                text = f"{place.name} is computed and not used"
                self._texts.no_effect(("let", place.name), text, Code.LET_UNUSED, "Remove it, or use it", key=True)

    def _meant(self, ric: str, lets: tuple[tuple[LetName, Expression], ...]) -> None:
        """A RIC without braces that is the name of something else, or is written as no RIC is and as names are."""
        named = ric in self._texts.names or ric in self._keys or any(ric == place.name for place, _ in lets)
        if named or _AS_NAMES.fullmatch(ric):
            text = f'every record would be posted under the one RIC "{ric}"'
            self._problem(("ric",), text, code=Code.RIC_MEANT, cure=f'Write "{{{ric}}}"')

    def _checks(self, spec: PartSpec, parts: list[FieldPart]) -> tuple[CompiledCheck, ...]:
        self._texts.post(frozenset().union(*(part.target.names for part in parts)))
        self._texts.last(self._given.posted)
        made: list[CompiledCheck] = []
        for index, check in enumerate(spec.checks):
            path: DataPath = ("checks", index, *check.short_path)
            that = self._texts.condition(check.that, path)
            if (answer := that.always) is not None:
                text = "this check is true for every record" if answer else "this check rejects every record"
                self._texts.no_effect(path, text, Code.CONSTANT_CHECK, COMPARE)
            made.append(CompiledCheck(that, check.text))
        return tuple(made)

    def _lacks(self, key: str, whose: Whose, code: Code, example: str) -> None:
        self._problem((key,), whose.lacks.format(key), code=code, cure=f"Write {example}{whose.cure}")

    def _all_different(self, spec: PartSpec, parts: list[FieldPart]) -> None:
        first: dict[str, str] = {}
        for name, part in zip(spec.fields, parts, strict=True):
            other = first.setdefault(part.target.name, name)
            if other != name:
                text = f"{name} is {part.target.label}, which the mapping sets already as {other}"
                self._problem(("fields", name), text, key=True, code=Code.SAME_FIELD, cure=f"Remove {name} or {other}")

    def _ric(self, source: str | None, whose: Whose) -> Template:
        if not source:
            self._lacks("ric", whose, Code.NO_RIC, 'text with expressions in braces, as in ric: "{pair}=TRCC"')
        template = self._texts.compiled(compile_template, source or "", ("ric",)) or Template("", ())
        parts = [part if isinstance(part, str) else part.node for part in template.parts]
        if parts and (wrong := ric_problem([part if isinstance(part, str) else None for part in parts])):
            self._problem(("ric",), wrong, code=Code.RIC_NOT_POSTED, cure="Write printable ASCII, no space at its ends")
        return template

    def _service(self, name: str | None) -> str:
        if name is None:
            return self._default_service
        if not name or name.isdigit() or not name.isprintable() or name != name.strip() or len(name) > 255:
            text = "a service is named by its name: printable text, not a number"
            self._problem(("service",), text, code=Code.SERVICE, cure="Write the service's name, as the ADS has it")
        elif "{" in name:
            text = "a service is a constant: braces in it would be part of its name"
            self._problem(("service",), text, code=Code.SERVICE, cure="Write a mapping for each service, with a when")
        return name


def _names_let(part: str | Node) -> bool:
    nodes = () if isinstance(part, str) else walk_tree(part)
    return any(isinstance(node, Path) and isinstance(node.keys[0], LetName) for node in nodes)


def _generated_ric(template: Template, *, plain: bool = False) -> Evaluate:
    parts = [part if isinstance(part, str) else part.node for part in template.parts]
    ordered = bool(parts) and isinstance(parts[0], str) and parts[0].startswith(COMMANDS)
    return generate_text(parts, noted(GATE, ric_text), noted(RIC, clean_ric if ordered else price_ric), plain=plain)


def _constants(parts: list[FieldPart]) -> frozenset[str]:
    """The fields that say nothing by themselves. A blank says that the quote is gone."""
    names = frozenset(part.target.name for part in parts if not _says(part.node))
    return names if len(names) < len(parts) else frozenset()


def _says(node: Node) -> bool:
    if isinstance(node, Literal) and node.value is None:
        return True
    return any(
        isinstance(each, Access | Row | TableName) or (isinstance(each, Path) and each.keys[0] is not INDEX)
        for each in walk_tree(node)
    )
