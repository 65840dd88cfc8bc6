"""Mappings that no record reaches."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from contribd.mapping.codes import Code
from contribd.mapping.compiled import CompiledMapping
from contribd.mapping.scope import EMPTY

_MOST_PARTS: Final = 6
"""Of conditions with more, joined by ``and``, only the same are looked for."""


class Unreached(NamedTuple):
    """A mapping that never takes a record, since one before it takes them all."""

    mapping: str
    by: str
    code: Code
    text: str
    cure: str


def unreached(mappings: Sequence[CompiledMapping]) -> Iterator[Unreached]:
    """Those of all mappings, in the order in which they are tried."""
    every: str | None = None
    asked: dict[tuple[bool, frozenset[str]], str] = {}
    for mapping in mappings:
        when, of_nothing = mapping.when, mapping.when is not None and mapping.when.reads(EMPTY)
        if every is not None and not of_nothing:
            yield _behind(mapping.name, every)
        elif when is None or when.always is True:
            every = mapping.name
        else:
            parts = when.demands
            before = next((asked[of_nothing, some] for some in _subsets(parts) if (of_nothing, some) in asked), None)
            if before is None:
                asked[of_nothing, parts] = mapping.name
            else:
                same = asked.get((of_nothing, parts)) == before
                yield _again(mapping.name, before) if same else _narrower(mapping.name, before)


def _behind(name: str, by: str) -> Unreached:
    text = f"{name} never takes a record: {by}, which is tried before it, takes every one"
    return Unreached(name, by, Code.UNREACHED, text, f"Give {by} a when, or let it be the last")


def _again(name: str, by: str) -> Unreached:
    text = f"{name} never takes a record: {by}, which is tried before it, has the same when"
    return Unreached(name, by, Code.SAME_WHEN, text, "Remove one of them, or tell their records apart")


def _narrower(name: str, by: str) -> Unreached:
    text = (
        f"{name} never takes a record: all it would take are taken by {by}, which is tried before it and asks for less"
    )
    return Unreached(name, by, Code.UNREACHED, text, f"Put {name} before {by}")


def _subsets(parts: frozenset[str]) -> Iterator[frozenset[str]]:
    """The parts themselves, then fewer of them, unless there are very many."""
    yield parts
    if len(parts) <= _MOST_PARTS:
        for count in range(1, len(parts)):
            yield from map(frozenset, combinations(parts, count))
