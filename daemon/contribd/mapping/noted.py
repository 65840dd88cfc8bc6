"""A mapper that tells what it did: the production code, compiled while a tape records."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contribd.mapping.compiled import CompiledMapping, Site
from contribd.mapping.judging import Judge
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Outcome, PartOutcome, RejectCode, Rejected, parts_of
from contribd.mapping.scope import Surroundings
from contribd.mapping.tape import PartPlace, Tape
from contribd.mapping.traces import Trace, Tracer


class NotedPart(NamedTuple):
    """One of the posts of a mapping that makes several; ``outcome``: None where it is not made."""

    place: PartPlace
    outcome: PartOutcome | None
    traces: list[Trace]


class Noted(NamedTuple):
    """What a record came to, and the way there."""

    outcome: Outcome
    traces: list[Trace]
    """Where it makes several posts: of what was computed once for all of them."""
    parts: list[NotedPart]
    """In the order in which they were made; empty where the record makes one post, or none."""


class NotedMapper:
    """Maps as ``Mapper`` does, and gives with each outcome what was computed on the way.

    Every mapping is asked in turn: no ``when`` is passed over because another could be looked up.
    """

    def __init__(self, mappings: Sequence[CompiledMapping], sites: Iterable[Site], tape: Tape) -> None:
        """``mappings`` and ``sites`` were compiled while ``tape`` recorded."""
        self.mapper = Mapper(mappings, ask_all=True)
        self._tape = tape
        self._tracer = Tracer(sites)
        tape.take()  # what constants came to while they were compiled

    def map(self, value: bytes | None, surroundings: Surroundings | None, judge: Judge | None = None) -> Noted:
        """The outcome of one record, and the way there; ``judge``: what asks the publish rules."""
        outcome = self.mapper.map(value, surroundings, None if judge is None else judge.view)
        outcome = outcome if judge is None else judge.judge(outcome)
        ends, events = self._tape.ends, self._tape.take()
        became: dict[object, PartOutcome] = {
            (part.service, part.ric): part for part in parts_of(outcome) if part.ric is not None
        }
        of_record: list[Trace] = []
        parts: list[NotedPart] = []
        begin = 0
        for place, made, at in ends:
            traces = self._tracer.traces(events[begin:at])
            begin = at
            own = [each for each in traces if not each.site.of_record and each.site.post in (None, place.post)]
            of_record += [each for each in traces if each not in own]
            if own or place.text:  # else there is no list to make them of
                parts.append(NotedPart(place, made and became.get((made.service, made.ric), made), own))
        if isinstance(outcome, Rejected) and outcome.code is RejectCode.TOO_LARGE:
            parts = []  # nothing became of them
        return Noted(outcome, [*of_record, *self._tracer.traces(events[begin:])], parts)
