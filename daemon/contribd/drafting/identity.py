"""Which field of the samples names the instrument."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from contribd.drafting.leaves import Leaf
from contribd.drafting.samples import Sample, SampleError
from contribd.drafting.words import IDENTITIES, identity_rank
from contribd.mapping.values import COMMANDS, MAX_RIC

_TEXT: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?\Z")
_LOOKS_LIKE_RIC: Final = re.compile(r"[A-Za-z0-9]{1,12}(?:=[A-Za-z0-9]{0,8}|\.[A-Z]{1,4})\Z")
_PAIR: Final = re.compile(r"[A-Z]{3}[/.-]?[A-Z]{3}\Z")
_COMPLETE: Final = 'add what is missing, as in "{name}=TRCC", or a table (Tables in docs/mapping.md)'


class Identity(NamedTuple):
    """The RIC as a mapping writes it. ``path``: what of the record it is made of, None where it is the record's key."""

    ric: str
    path: tuple[str, ...] | None
    note: str


def identity(leaves: Sequence[Leaf], samples: Sequence[Sample]) -> Identity:
    """The surest there is. Raises SampleError where none is."""
    for found in (_by_name(leaves), _by_value(leaves), _by_key(samples)):
        if found is not None:
            return found
    fields = ", ".join(leaf.shown for leaf in leaves[:20]) or "none"
    raise SampleError(
        f"no field of the sample says which instrument it is of, so there is no RIC; its fields are {fields}. "
        "Say it with --ric, in braces what the record gives: --ric '{FIELD}='"
    )


def _by_name(leaves: Sequence[Leaf]) -> Identity | None:
    ranked = [(rank, len(leaf.path), at) for at, leaf in enumerate(leaves) if (rank := _rank(leaf)) is not None]
    if not ranked:
        return None
    rank, _, at = min(ranked)
    leaf = leaves[at]
    others = [leaves[other].shown for _, _, other in sorted(ranked)[1:3]]
    beside = f"; {' and '.join(others)} may name it, too" if others else ""
    if IDENTITIES[rank] == "ric":
        return _of(leaf, f"guess: the other is {others[0]}" if others and ranked.count(min(ranked)) > 1 else "")
    return _of(leaf, f"guess: {leaf.source} as it is; {_COMPLETE}{beside}")


def _rank(leaf: Leaf) -> int | None:
    return identity_rank(leaf.path) if leaf.source and leaf.everywhere and _names(leaf) else None


def _names(leaf: Leaf) -> bool:
    """Whether each of its values can be a RIC."""
    return bool(leaf.values) and all(isinstance(value, str) and _can_be_ric(value) for value in leaf.values)


def _can_be_ric(text: str) -> bool:
    good = len(text) <= MAX_RIC and _TEXT.match(text) is not None and not text.startswith(COMMANDS)
    return good and "${" not in text  # which mapping files, and so their tests, cannot say


def _by_value(leaves: Sequence[Leaf]) -> Identity | None:
    for form, what in ((_LOOKS_LIKE_RIC, "RICs"), (_PAIR, "pairs of currencies")):
        found = [leaf for leaf in leaves if leaf.source and leaf.everywhere and _names(leaf)]
        found = [leaf for leaf in found if all(form.match(value) for value in leaf.values)]
        if len(found) == 1:
            return _of(found[0], f"guess: its values look like {what}; {_COMPLETE}")
    return None


def _by_key(samples: Sequence[Sample]) -> Identity | None:
    keys = [sample.given.surroundings.key for sample in samples]
    if keys and all(key is not None and _can_be_ric(key) for key in keys):
        return Identity("{@key}", None, f"guess: no field names the instrument, so the record's key does; {_COMPLETE}")
    return None


def _of(leaf: Leaf, note: str) -> Identity:
    return Identity(f"{{{leaf.source}}}", leaf.path, note)
