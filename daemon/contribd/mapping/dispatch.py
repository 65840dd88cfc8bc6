"""Which mappings a record can be for: a ``when`` that begins with ``name == "text"`` is looked up, not evaluated.

What comes out is what asking every mapping in turn gives: one is passed over only where its ``when`` would be false
before anything in it could fail. Where the record has no text under the name, every mapping is asked.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, takewhile
from typing import Final, NamedTuple, TypeAlias

from contribd.mapping.compiled import CompiledMapping
from contribd.mapping.normal import joined
from contribd.mapping.operators import Value
from contribd.mapping.syntax import Binary, Literal, Node, Path

WORTHWHILE: Final = 4
"""Mappings that must begin with the same name before a lookup is cheaper than asking them."""

Equal: TypeAlias = tuple[str, str]
Candidates: TypeAlias = tuple[CompiledMapping, ...]


class _Entry(NamedTuple):
    mapping: CompiledMapping
    equals: tuple[Equal, ...]
    """What its ``when`` begins with and is not known to hold yet: names with the text each must have."""


class _Branch(NamedTuple):
    name: str
    every: Candidates
    """Without a lookup."""
    by_text: "dict[str, Dispatch]"
    other: "Dispatch"


Dispatch: TypeAlias = Candidates | _Branch


def dispatch(mappings: Sequence[CompiledMapping]) -> Dispatch:
    """The lookup for these mappings, in order; for ``candidates``."""
    return _build([_Entry(each, _leading(each.when.node) if each.when else ()) for each in mappings])


def candidates(found: Dispatch, record: Mapping[str, Value]) -> Candidates:
    """The mappings that have to be asked about this record, in order."""
    while isinstance(found, _Branch):
        text = record.get(found.name)
        found = found.by_text.get(text, found.other) if type(text) is str else found.every
    return found


def _build(entries: Sequence[_Entry]) -> Dispatch:
    names = Counter(entry.equals[0][0] for entry in entries if entry.equals)
    name, count = names.most_common(1)[0] if names else ("", 0)
    if count < WORTHWHILE:
        return _all(entries)
    others = [entry for entry in entries if not _begins_with(entry, name)]
    by_text: dict[str, list[_Entry]] = {entry.equals[0][1]: [] for entry in entries if _begins_with(entry, name)}
    for entry in entries:
        if _begins_with(entry, name):
            by_text[entry.equals[0][1]].append(_Entry(entry.mapping, entry.equals[1:]))
        else:
            for found in by_text.values():
                found.append(entry)
    # Looking further where others are mixed in would multiply the lookups by the texts.
    further: Callable[[Sequence[_Entry]], Dispatch] = _all if others else _build
    return _Branch(name, _all(entries), {text: further(found) for text, found in by_text.items()}, _build(others))


def _all(entries: Sequence[_Entry]) -> Candidates:
    return tuple(entry.mapping for entry in entries)


def _begins_with(entry: _Entry, name: str) -> bool:
    return bool(entry.equals) and entry.equals[0][0] == name


def _leading(node: Node) -> tuple[Equal, ...]:
    """``name == "text"`` as often as a condition begins with it, joined by ``and``."""
    return tuple(chain.from_iterable(takewhile(bool, map(_equal, joined(node, "and")))))


def _equal(node: Node) -> tuple[Equal, ...]:
    """``node`` itself where it is of that form; nothing elsewhere."""
    match node:
        case Binary(operator="==", left=Path(keys=(str(name),)), right=Literal(value=str(text))):
            return ((name, text),)
        case Binary(operator="==", left=Literal(value=str(text)), right=Path(keys=(str(name),))):
            return ((name, text),)
    return ()
