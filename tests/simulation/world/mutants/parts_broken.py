"""Daemons without a rule of records that make several posts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from msgspec import structs
from tests.simulation.world.mutants.mutant import Mutant, around
from tests.simulation.world.plan import (
    ALL_MAPPINGS,
    AS_THEY_COME,
    FEWER,
    MORE,
    TURNED,
    CurvePlan,
    Plan,
    Takes,
    harm_alone,
    harmless_plan,
    with_curves,
)

from contribd.engine.records import offsets as tracker_module
from contribd.engine.records import result_encoder as encoder_module
from contribd.engine.records.commit_metadata import About, encode_metadata
from contribd.engine.records.intake import Intake
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.outbox import Outbox
from contribd.engine.records.partition_rules import PartitionRules
from contribd.engine.records.parts import Parts, Told
from contribd.engine.records.price import Settlement
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.engine.records.taker import Taker
from contribd.mapping import mapper as mapper_module
from contribd.mapping import several_posts as several_module
from contribd.mapping.outcome import RejectCode, Rejected, Several
from contribd.streams.group import start_offsets as start_offsets_module
from contribd.streams.group.settled_offsets import SettledOffsets

_CURVES = CurvePlan(share=0.5, widest=6, rics=6, changes="some")


def _curves(plan: Callable[[int], Plan] = harmless_plan, **settings: Any) -> Callable[[int], Plan]:
    """Makes the plan of a seed in which half of the records are curves."""

    def make(seed: int) -> Plan:
        return replace(with_curves(plan(seed)), **{"curves": _CURVES, "takes": Takes(), **settings})

    return make


def _killed(*mappings: int, **settings: Any) -> Callable[[int], Plan]:
    """The same, with many kills; each process has one of these mappings."""

    def make(seed: int) -> Plan:
        plan = _curves(**{"curves": replace(_CURVES, mappings=mappings or (AS_THEY_COME,)), **settings})(seed)
        return replace(plan, rates={**plan.rates, "kill": 0.4, "ads_slow": 0.3})

    return make


_UNTOLD = _killed(curves=replace(_CURVES, widest=50, rics=50, changes="all", told=200))
"""Most curves make more posts than a commit can tell of."""


def _without_answers(seed: int) -> Plan:
    """The outcome of many transactions is not known."""
    plan = _UNTOLD(seed)
    return replace(plan, shares={**plan.shares, "txn_unknown": 0.3})


def _in_few_characters(seed: int) -> Plan:
    """Each process has to find out that the brokers take little with an offset."""
    return replace(_killed(AS_THEY_COME, TURNED)(seed), takes=Takes(metadata=52, tells=False))


def _by_two_mappings(seed: int) -> Plan:
    """One mapping rejects the first of two posts, the other one the second."""
    curves = replace(_CURVES, share=0.8, widest=2, rics=2, changes="all", mappings=(AS_THEY_COME, TURNED))
    return replace(
        _in_few_characters(seed), curves=curves, rates={"kill": 0.4, "ads_slow": 0.3}, shares={"part_nameless": 0.5}
    )


def _without_offsets(seed: int) -> Plan:
    """The group's offsets are deleted now and then."""
    plan = _killed()(seed)
    rates = {name: rate for name, rate in plan.rates.items() if name != "wall_step"}
    return replace(plan, rates={**rates, "offsets_gone": 0.1}, latest=False)


def _one_does_harm(seed: int) -> Plan:
    """One RIC ends sessions; it is in curves, beside others."""
    plan = harm_alone(replace(harmless_plan(seed), harm="closes"))
    return replace(plan, curves=replace(_CURVES, share=0.3, rics=2), spread=50.0, records=60)


# What a commit tells


def _next_part_has_it(original: Any, base: int, told: dict[int, Told]) -> str:
    return str(original(base, {at: each._replace(settled=each.settled << 1) for at, each in told.items()}))


def _one_offset_later(original: Any, base: int, told: dict[int, Told]) -> str:
    return str(original(base, {at + 1: each for at, each in told.items()}))


def _only_what_was_reached(_original: Any, self: OffsetTracker) -> dict[int, Told]:
    return dict(self._ledger.partial())


def _by_position(original: Any, self: Parts, told: Told | None) -> None:
    original(self, told)
    if told is not None:
        self.settled = told.settled & (1 << len(self.tags)) - 1
        self.left = len(self.tags) - self.settled.bit_count()


def _those_of_now(original: Any, self: Parts, told: Told | None) -> None:
    tags = self.tags
    original(self, told)
    self.tags = tags
    self.settled &= (1 << len(tags)) - 1
    self.left = len(tags) - self.settled.bit_count()


def _one_post_is_all(original: Any, self: Taker, tracker: Any, record: Any, outcome: Any, now: Any, *told: Any) -> bool:
    if told and not isinstance(outcome, Several):
        return bool(original(self, tracker, record, outcome, now))
    return bool(original(self, tracker, record, outcome, now, *told))


def _is_not_asked(_original: Any, self: OffsetTracker, *_args: Any) -> About:
    return self._about


def _is_asked_of_too_little(original: Any, self: OffsetTracker, *args: Any) -> About:
    about: About = original(self, *args)
    return about._replace(results_to=about.results_to - 1)


def _same_text_again(original: Any, bitmap: int, turn: int, about: About, parts: str = "") -> str:
    return str(original(bitmap, 0 if about.results_to else turn, about, parts))


def _bitmap_is_lost(_original: Any, self: OffsetTracker, about: About, *_args: Any) -> str:
    self.turn += 1
    return encode_metadata(0, self.turn, about._replace(rules=None, results_since=0))


def _as_if_by_the_same_rules(original: Any, self: OffsetTracker, *args: Any, **how: Any) -> None:
    original(self, *args, **{**how, "same_rules": True})


def _one_result_is_all(_original: Any, self: SettledOffsets, offset: int, *_part: Any) -> None:
    self.add(offset)


def _by_any_rules(original: Any, self: SettledOffsets, *said: Any) -> None:
    original(self, *said[:4])


def _is_lost(original: Any, self: Intake, tracker: OffsetTracker, record: Any) -> None:
    original(self, tracker, record)
    self._buffered[tracker.partition].popleft()


# What waits


def _bytes_each(original: Any, self: OffsetTracker, parts: Parts) -> None:
    original(self, parts)
    if parts.left:
        self.waiting_bytes -= parts.size


def _counts_as_one(original: Any, self: OffsetTracker, *args: Any, **how: Any) -> Any:
    waiting = self.waiting
    parts = original(self, *args, **how)
    self.waiting = waiting
    return parts


def _posts_at_once(original: Any, self: Taker, *args: Any) -> None:
    held, self._intake.hold = self._intake.hold, lambda price: self._queue(price, args[-1])  # type: ignore[method-assign]
    original(self, *args)
    self._intake.hold = held  # type: ignore[method-assign]


def _all_at_once(original: Any, self: Outbox, settlement: Settlement, instrument: Any = None) -> None:
    """The results of a record are written together."""
    if (part := settlement.part) is None:
        original(self, settlement, instrument)
        return
    kept = _kept.setdefault(id(part.of), [])
    kept.append((settlement, instrument))
    if len(kept) >= part.of.left:
        for entry in _kept.pop(id(part.of)):
            original(self, *entry)


_kept: dict[int, list[tuple[Settlement, Any]]] = {}


# Its results


def _numbered_from_one(original: Any, self: ResultEncoder, *args: Any) -> Any:
    *others, part = args
    return original(self, *others, None if part is None else structs.replace(part, number=part.number + 1))


def _number_is_left_out(original: Any, self: ResultEncoder, *args: Any) -> Any:
    return original(self, *args[:-1], None)


# What it makes


def _all_are_rejected(original: Any, *args: Any) -> Any:
    made = original(*args)
    if isinstance(made, Several) and any(isinstance(each, Rejected) for each in made.parts):
        made.parts = [Rejected(RejectCode.CHECK_FAILED, "", each.ric, each.service) for each in made.parts]
    return made


def _rules_are_always_named(original: Any, self: PartitionRules, _offset: int, **_bounded: bool) -> Any:
    return original(self, 1 << 62, bounded=True)


MUTANTS = [
    Mutant(
        "a commit tells which posts of a record have results",
        [around(tracker_module, "encode", _next_part_has_it)],
        world=_curves(),
    ),
    Mutant(
        "a commit tells of which record these posts are",
        [around(tracker_module, "encode", _one_offset_later)],
        world=_curves(),
    ),
    Mutant(
        "a restart makes only the posts that have none",
        [(OffsetTracker, "settled_parts", lambda *_: None)],
        world=_killed(),
    ),
    Mutant(
        "what is settled in part and not reached yet stays in the commit",
        [around(OffsetTracker, "_partial", _only_what_was_reached)],
        500,
        world=_killed(),
    ),
    Mutant(
        "a post is known by RIC and service, whatever its place",
        [around(Parts, "begin", _by_position)],
        500,
        world=_killed(AS_THEY_COME, TURNED, MORE),
    ),
    Mutant(
        "what another mapping made stays in the commit",
        [around(Parts, "begin", _those_of_now)],
        500,
        world=_killed(AS_THEY_COME, FEWER),
    ),
    Mutant(
        "what another mapping made stays in the commit of one that makes one post",
        [around(Taker, "_take_parts", _one_post_is_all)],
        500,
        world=_killed(curves=replace(_CURVES, widest=2, mappings=(AS_THEY_COME, FEWER))),
    ),
    Mutant(
        "in the results topic, too, a record is settled once all its posts are",
        [around(SettledOffsets, "add_part", _one_result_is_all)],
        world=_without_offsets,
    ),
    Mutant(
        "in the results topic, a record is settled by posts of one set of rules",
        [around(SettledOffsets, "add_part", _by_any_rules)],
        500,
        world=_by_two_mappings,
    ),
    Mutant(
        "what the results topic tells of single posts is not repeated",
        [(SettledOffsets, "in_part", property(lambda _self: {}))],
        world=_without_offsets,
    ),
    Mutant(
        "a record is settled once all its posts are",
        [(Parts, "whole", property(lambda self: bool(self.settled)))],
        world=_curves(),
    ),
    Mutant(
        "what a commit has no room to tell is left to the results topic",
        [around(OffsetTracker, "_ask_results", _is_not_asked)],
        world=_UNTOLD,
    ),
    Mutant(
        "all that a commit has no room for is left to the results topic",
        [around(OffsetTracker, "_ask_results", _is_asked_of_too_little)],
        500,
        world=_UNTOLD,
    ),
    Mutant(
        "the results topic is read from where the first of these results can be",
        [(start_offsets_module, "KEPT_MARGIN", -5.0)],
        500,
        world=_UNTOLD,
    ),
    Mutant(
        "a commit names the rules only where no more was taken than they allow",
        [around(PartitionRules, "of_commit", _rules_are_always_named)],
        500,
        world=_killed(curves=replace(_CURVES, share=0.8, changes="all", told=300)),
    ),
    Mutant(
        "a commit without room differs from the one before",
        [around(tracker_module, "encode_metadata", _same_text_again)],
        500,
        world=_without_answers,
    ),
    Mutant(
        "a bitmap without room is left to the results topic",
        [around(OffsetTracker, "_without_bitmap", _bitmap_is_lost)],
        500,
        world=_in_few_characters,
    ),
    Mutant(
        "the last owner may have taken more, by other rules",
        [around(OffsetTracker, "__init__", _as_if_by_the_same_rules)],
        1_000,
        world=_killed(
            curves=replace(_CURVES, changes="all", rics=6, mappings=tuple(ALL_MAPPINGS), told=300), conflate=True
        ),
    ),
    Mutant("what finds room is told", [(tracker_module, "text_bits", lambda *_: 1_000_000)], world=_killed()),
    Mutant(
        "a record all of whose posts turn out to have results is committed",
        [(Outbox, "add_known", lambda *_: None)],
        500,
        world=_killed(AS_THEY_COME, FEWER),
    ),
    Mutant(
        "a record that has to wait for room in a commit is taken later",
        [around(Intake, "put_back", _is_lost)],
        500,
        world=_curves(curves=replace(_CURVES, changes="all", rics=50, told=600)),
    ),
    Mutant(
        "the bytes of a record wait until all its posts are settled",
        [around(OffsetTracker, "_wait_for_less", _bytes_each)],
        world=_curves(),
    ),
    Mutant("each of its posts waits", [around(OffsetTracker, "split", _counts_as_one)], world=_curves()),
    Mutant(
        "a partition catches up before it posts what is in curves",
        [around(Taker, "_bring", _posts_at_once)],
        500,
        world=_killed(),
    ),
    Mutant(
        "the result of a post does not wait for those of its record's others",
        [around(Outbox, "add", _all_at_once)],
        world=_one_does_harm,
    ),
    Mutant(
        "a result says which post of its record it is of",
        [around(ResultEncoder, "_source", _numbered_from_one)],
        world=_curves(),
    ),
    Mutant(
        "CONFLATED names the post that carried it",
        [
            (
                ResultEncoder,
                "_price_source",
                lambda self, price: self._source(price.tracker, *price.record[:3], None),
            )
        ],
        world=_curves(),
    ),
    Mutant(
        "the headers of a result say which post of its record it is of",
        [(encoder_module, "_part", lambda *_: ("part", b"0/1"))],
        world=_curves(),
    ),
    Mutant(
        "of two posts of a RIC none is made",
        [(several_module, "_different", lambda made, *_: made)],
        500,
        world=_curves(shares={"part_twice": 0.2}),
    ),
    Mutant(
        "a post that cannot be mapped is rejected by itself",
        [around(mapper_module, "several_posts", _all_are_rejected)],
        world=_curves(shares={"part_crossed": 0.2}),
    ),
    Mutant(
        "all or nothing is posted where the mapping says so",
        [(several_module, "_keep_back", lambda *_: None)],
        world=_curves(shares={"part_crossed": 0.2, "all_or_nothing": 0.2}),
    ),
]
