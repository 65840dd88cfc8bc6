"""What a mapping file comes to: mappings that are ready to run, and what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

from contribd.mapping.case_specs import CaseSpec
from contribd.mapping.codegen import Evaluate
from contribd.mapping.expression import Expression
from contribd.mapping.outcome import Ignored, Mapped, PostType, Rejected
from contribd.mapping.publish import PublishRules
from contribd.mapping.rules import MappingSpec
from contribd.mapping.scope import LetName
from contribd.mapping.tape import PartPlace
from contribd.mapping.values import Convert

DataPath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """One thing wrong: ``path`` leads to it in the YAML document, ``offset`` is its character within that scalar.

    With ``key`` it is the key itself, not its value, that is wrong. ``cure`` says what to write instead, ``code`` is
    its stable number.
    """

    path: DataPath
    offset: int
    text: str
    key: bool = False
    code: str = ""
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """Where an expression of a mapping stands: the tools that explain and measure name parts of it by its place."""

    mapping: str
    path: DataPath
    """Through ``mappings`` and the mapping's place, and ``posts`` and the post's where it has them."""
    expression: Expression
    in_key: bool = False
    """Whether it stands in the key at ``path``: in a field's name."""

    @property
    def post(self) -> int | None:
        """In which of the mapping's ``posts`` it stands; None where it is in none."""
        return int(self.path[3]) if self.path[2:3] == ("posts",) else None

    @property
    def below(self) -> DataPath:
        """Where it stands in its mapping or post."""
        return self.path[2:] if self.post is None else self.path[4:]

    @property
    def section(self) -> str:
        """Which part it belongs to: ``when``, ``each``, ``let``, ``ric``, ``fields``, ``checks``."""
        return str(self.below[0]) if self.below else ""

    @property
    def of_record(self) -> bool:
        """Whether it is computed once for a record, before its posts."""
        return self.post is None and self.section in {"when", "each"}


@dataclass(frozen=True, slots=True)
class CompiledField:
    """One field: ``read`` takes the value from the record, ``convert`` makes it fit for the wire."""

    name: str
    read: Evaluate
    convert: Convert
    missing: str
    """``reject``, ``skip`` or ``blank``."""
    label: str
    """What people are told of it: its name, with FID and type where they are known."""
    name_of: Evaluate | None
    """Its name for a record, where the record gives it."""


@dataclass(frozen=True, slots=True)
class CompiledCheck:
    """One condition, with the text that its failure carries."""

    that: Expression
    text: str | None


@dataclass(frozen=True, slots=True)
class CompiledPost:
    """How a record becomes one post."""

    name: str
    """That of the mapping."""
    ric: Evaluate
    """Gives the RIC, guarded."""
    service: str
    type: PostType
    fields: tuple[CompiledField, ...]
    """Field by field: to find out which one fails, and to leave out or blank what is missing."""
    all_fields: Evaluate
    """All fields at once: the same as a dict, where none is missing and none fails."""
    checks: tuple[CompiledCheck, ...]
    """Check by check: to find out which one fails."""
    all_checks: Evaluate
    """Whether all of them are true, at once."""
    lets: tuple[tuple[LetName, Evaluate], ...] = ()
    """What is computed before everything else, in this order."""
    constants: frozenset[str] = frozenset()
    """The fields that say nothing of the record, where there are others: alone they are nothing to post."""
    reads_post: bool = False
    """Whether its checks name what will be posted."""
    reads_last: bool = False
    """Whether its fields or checks name what was last posted."""
    publish: PublishRules | None = None
    """When a price of it is worth a post."""
    ric_again: Evaluate | None = None
    """The same as ``ric``, where that does not say which path of an element is missing."""


def attributes(post: CompiledPost) -> dict[str, Any]:
    """All of it, by name: for what is a post and more."""
    return {each.name: getattr(post, each.name) for each in fields(CompiledPost)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPart(CompiledPost):
    """One of the posts that a mapping makes of a record."""

    number: int
    """Its place in the mapping's ``posts``."""
    when: Expression | None
    """Whether it is made."""
    before: tuple[tuple[LetName, Evaluate], ...]
    """What is computed before ``when``, which can name it; ``lets`` are none then."""


@dataclass(frozen=True, slots=True)
class CompiledRound:
    """Posts that are made together: once, or for each element of a list."""

    each: Expression | None
    parts: tuple[CompiledPart, ...]


@dataclass(frozen=True, slots=True)
class CompiledSeveral:
    """The posts that a mapping makes of one record."""

    rounds: tuple[CompiledRound, ...]
    all_or_nothing: bool
    """Whether one that cannot be mapped keeps back the others."""
    count: int
    """How many are written in the mapping."""
    noted: Callable[[PartPlace, Mapped | Rejected | None], None] | None
    """Told of each part once it is made: None where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledMapping(CompiledPost):
    """One mapping, ready to run: the one post that it makes, unless there is something ``instead``."""

    when: Expression | None
    instead: Ignored | CompiledSeveral | None = None
    """What its records come to, where they are not for posting; or the several posts that each makes."""
    withdraw: frozenset[str] = frozenset()
    """The fields that are blanked where a quote is withdrawn."""
    desk: str | None = None
    """A label that an order to pause can name."""
    rmtes: tuple[str, ...] = ()
    """The fields that are posted ``as: rmtes``."""
    partly: bool = False
    """Whether rows are changed in part, so that no change may stand for another."""
    surrounded: bool = False
    """Whether it reads what surrounds the record in Kafka."""

    @property
    def posts(self) -> tuple[CompiledPost, ...]:
        """The posts that it makes, as they are written: itself, several, or none."""
        if isinstance(self.instead, CompiledSeveral):
            return tuple(part for each in self.instead.rounds for part in each.parts)
        return () if self.instead else (self,)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a mapping file comes to. ``mappings`` lacks those with problems."""

    mappings: list[CompiledMapping] = field(default_factory=list)
    tests: list[CaseSpec] = field(default_factory=list)
    problems: list[MappingProblem] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    """Every expression of the mappings, in the order in which they were compiled."""
    specs: dict[str, tuple[DataPath, MappingSpec]] = field(default_factory=dict)
    """Where each mapping stands, and what it says."""
