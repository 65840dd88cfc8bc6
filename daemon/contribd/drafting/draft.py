"""Samples to a draft: which RIC, which fields, which checks, and what was left out."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from contribd.drafting.fields import Proposal, Refusal, propose, shown
from contribd.drafting.identity import Identity, identity
from contribd.drafting.leaves import MOST_LEAVES, Leaf, leaves_of
from contribd.drafting.samples import Sample, SampleError
from contribd.drafting.words import ABOUT, SIZES, Meaning, Role, meaning, words_of

_KINDS: Final = frozenset({"type", "kind", "event", "action"})
"""Last words of the names of fields that say what sort of record it is."""
_ROLES: Final = {"QUOTIM": Role.TIME, "TRDTIM_1": Role.TIME, "TIMACT": Role.TIME, "ACTIV_DATE": Role.DATE}
_MOST_KINDS: Final = 10


class Wanted(NamedTuple):
    """What the user has said: the RIC, and fields with their expressions."""

    ric: str | None = None
    fields: Mapping[str, str] = {}


@dataclass
class Draft:
    """A mapping to be written."""

    ric: str
    ric_note: str
    fields: list[Proposal]
    when: str | None = None
    when_note: str = ""
    checks: list[tuple[str, str]] = field(default_factory=list)
    """Expressions, each with a note."""
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """Paths, each with the reason."""


def draft(samples: Sequence[Sample], wanted: Wanted) -> Draft:
    """The mapping that these samples suggest. Raises SampleError where there is none to suggest."""
    priced = [sample for sample in samples if _has_price(sample.record, wanted)] or list(samples)
    leaves = leaves_of([sample.record for sample in priced])
    named = Identity(wanted.ric, None, "") if wanted.ric is not None else identity(leaves, priced)
    found, left_out = _fields([leaf for leaf in leaves if leaf.path != named.path], wanted)
    if not _says_a_price(found, wanted):
        raise _no_price(leaves, found, left_out)
    made = Draft(named.ric, named.note, found, left_out=left_out)
    made.when, made.when_note = _when(samples, priced)
    made.checks = _checks(made, leaves)
    if len(leaves) == MOST_LEAVES:
        made.left_out.append(("...", f"only the first {MOST_LEAVES} fields were looked at"))
    return made


def _has_price(record: dict[str, Any], wanted: Wanted) -> bool:
    leaves = leaves_of([record])
    return any(
        leaf.source in wanted.fields.values() or ((means := meaning(leaf.path)) and means.role is Role.NUMBER)
        for leaf in leaves
    )


def _fields(leaves: list[Leaf], wanted: Wanted) -> tuple[list[Proposal], list[tuple[str, str]]]:
    made = [_wanted(acronym, source, leaves) for acronym, source in wanted.fields.items()]
    taken = {each.acronym: each.source for each in made}
    used = set(wanted.fields.values())
    left_out: list[tuple[str, str]] = []
    for leaf in _surest_first([leaf for leaf in leaves if leaf.source not in used]):
        outcome = _one(leaf, meaning(leaf.path), taken)
        if isinstance(outcome, Proposal):
            made.append(outcome)
            taken[outcome.acronym] = outcome.source
        else:
            left_out.append((leaf.shown, outcome.reason))
    order = {leaf.source: at for at, leaf in enumerate(leaves)}
    return sorted(made, key=lambda each: order.get(each.source, -1)), left_out


def _surest_first(leaves: list[Leaf]) -> list[Leaf]:
    """Of two that mean the same field, the surer comes first, then the one that more samples have."""

    def rank(leaf: Leaf) -> tuple[bool, int, int]:
        means = meaning(leaf.path)
        return not (means and means.sure), len(leaf.path), -len(leaf.values)

    return sorted(leaves, key=rank)


def _wanted(acronym: str, source: str, leaves: list[Leaf]) -> Proposal:
    leaf = next((leaf for leaf in leaves if leaf.source == source), None)
    if leaf is None:
        return Proposal(acronym, source)
    outcome = propose(acronym, _ROLES.get(acronym), leaf)
    if isinstance(outcome, Refusal):
        raise SampleError(f"--field {acronym}={source}: {outcome.reason}")
    return outcome


def _one(leaf: Leaf, means: Meaning | None, taken: Mapping[str, str]) -> Proposal | Refusal:
    if means is None:
        postable = leaf.source and not leaf.kinds & {"a list", "an object"}
        how = f"; to post it, write NAME: {leaf.source}" if postable else ""
        return Refusal(f"{_example(leaf)}: its name says no field that is known here{how}")
    if means.acronym in taken:
        return Refusal(f"{_example(leaf)}: it would be {means.acronym}, which is {taken[means.acronym]} already")
    outcome = propose(means.acronym, means.role, leaf)
    if isinstance(outcome, Refusal) or means.sure:
        return outcome
    return Proposal(outcome.acronym, outcome.source, outcome.settings, _guess(outcome.note))


def _guess(note: str) -> str:
    if note.startswith("guess"):
        return note
    return f"guess, by its name; {note}" if note else "guess, by its name"


def _example(leaf: Leaf) -> str:
    kinds = " or ".join(sorted(leaf.kinds)) or "null"
    plain = [value for value in leaf.given if not isinstance(value, list | dict)]
    return f"{kinds}, {shown(plain[0])}" if plain else kinds


def _says_a_price(found: list[Proposal], wanted: Wanted) -> bool:
    """Whether one was recognised or asked for. A size by itself is one only where somebody has asked for it."""
    return any(
        each.acronym not in ABOUT and (each.acronym not in SIZES or each.acronym in wanted.fields) for each in found
    )


def _no_price(leaves: list[Leaf], found: list[Proposal], left_out: list[tuple[str, str]]) -> SampleError:
    made = [f"{each.source} (it would be {each.acronym})" for each in found]
    others = [f"{path} ({reason.partition(':')[0]})" for path, reason in left_out]
    lists = [leaf.source for leaf in leaves if "a list" in leaf.kinds]
    each = f" Prices within {lists[0]} need each (Several posts, in docs/mapping.md)." if lists else ""
    return SampleError(
        "no price was recognised in the sample; beside what names the instrument it has "
        f"{'; '.join([*others, *made][:20]) or 'nothing'}. "
        f"Say which field is which with --field, as in {_option(leaves, {path for path, _ in left_out})}.{each}"
    )


def _option(leaves: list[Leaf], paths: set[str]) -> str:
    """An example of --field with what the sample has, if any of it can be a price."""
    could = [leaf.source for leaf in leaves if leaf.shown in paths and _could_be_price(leaf)]
    return f"--field BID={could[0]}" if could else "--field BID=b --field ASK=a"


def _could_be_price(leaf: Leaf) -> bool:
    outcome = propose("BID", Role.NUMBER, leaf)
    return isinstance(outcome, Proposal) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", outcome.source) is not None


def _when(samples: Sequence[Sample], priced: Sequence[Sample]) -> tuple[str | None, str]:
    """What the priced samples have in common and the others have not."""
    ours, all_of_them = (leaves_of([each.record for each in some]) for some in (priced, samples))
    others = leaves_of([each.record for each in samples if not _among(each, priced)])
    for leaf in all_of_them:
        values = _kinds_of(leaf, ours)
        if not values or not leaf.everywhere:
            continue
        condition = f"{leaf.source} == {values[0]}" if len(values) == 1 else f"{leaf.source} in [{', '.join(values)}]"
        if not others:
            return None, condition
        theirs = next((json.dumps(value) for other in others if other.path == leaf.path for value in other.values), "")
        if not set(values) & {json.dumps(v) for other in others if other.path == leaf.path for v in other.values}:
            return condition, f"guess: samples without a price have others, as {theirs}; map them, or ignore: true"
    return None, ""


def _among(sample: Sample, some: Sequence[Sample]) -> bool:
    return any(sample is each for each in some)


def _kinds_of(leaf: Leaf, ours: list[Leaf]) -> list[str]:
    """The values of a field that says what sort of record it is, as expressions write them."""
    words = words_of(leaf.path)
    here = next((each for each in ours if each.path == leaf.path), None)
    if not words or words[-1] not in _KINDS or not leaf.source or here is None or leaf.kinds != {"text"}:
        return []
    values = list(dict.fromkeys(here.values))
    good = all(isinstance(value, str) and value.isascii() and value.isprintable() for value in values)
    return [json.dumps(value) for value in values] if good and len(values) <= _MOST_KINDS else []


def _checks(made: Draft, leaves: list[Leaf]) -> list[tuple[str, str]]:
    """That a bid is no higher than its ask, where every sample has both and agrees."""
    by_name = {each.acronym: each for each in made.fields}
    if not {"BID", "ASK"} <= set(by_name):
        return []
    sides = [by_name["BID"], by_name["ASK"]]
    values = [next((leaf.values for leaf in leaves if leaf.source == side.source), []) for side in sides]
    if len(values[0]) != len(values[1]) or not values[0] or any("missing" in side.settings for side in sides):
        return []
    if any(side.settings.get("as") not in (None, "real") for side in sides):
        return []
    try:
        agree = all(Decimal(bid) <= Decimal(ask) for bid, ask in zip(*values, strict=True))
    except (TypeError, ValueError, ArithmeticError):
        return []  # a null in some of them
    bid, ask = (f"number({side.source})" if side.settings else side.source for side in sides)
    return [(f"{bid} <= {ask}", "true of every sample")] if agree else []
