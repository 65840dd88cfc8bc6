"""A mapper that tells what it did: the production code, compiled while a tape records."""

from collections.abc import Iterable, Sequence

from contribd.mapping.compiled import CompiledMapping, Site
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Outcome
from contribd.mapping.scope import Surroundings
from contribd.mapping.tape import Tape
from contribd.mapping.traces import Trace, Tracer


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

    def map(self, value: bytes | None, surroundings: Surroundings | None) -> tuple[Outcome, list[Trace]]:
        """The outcome of one record, and the way there."""
        outcome = self.mapper.map(value, surroundings)
        return outcome, self._tracer.traces(self._tape.take())
