"""What has its result, where the group's offsets do not tell: looked up in the results topic.

Theory of operation
===================

Offsets that are gone (the group was deleted, or they expired) leave open what was settled. The results topic knows:
each result names its record, by ``topic:partition:offset`` and the topic's id, in its headers. Nothing else of it is
looked at.

How far. A result is written after its record was. So the results written since the first record that may be consumed
are read, from ``STAMP_MARGIN`` before its timestamp on, since clocks differ. Where that timestamp is missing or lies in
the future, all of them. Where nothing is to be consumed (``latest``), only to say what is left out, the last
``BRIEFLY``.

Up to where. To the end of the log as it is now, whatever transactions are open: what lies behind an open one may be
ours. It ends by its timeout at the latest. The partition is ours meanwhile, and nobody else writes results of it.

Of a record that makes several posts, each has its result, which says how many posts were made of it, and by which
rules. It counts as settled once all those that one set of rules made have theirs; before that, it is told which have
theirs. Commits that have no room for that name the time from which on results are to be read, by the clock of a host
that contributes: such clocks are kept right, and a smaller margin is enough.

What is bounded. Memory is a bit a record that has its result, and a little more for one that is settled in part. Time
is not bounded: it is said how far it is, others' partitions are consumed meanwhile, and this thread is none that
anybody waits for.

What it cannot tell. Results that retention has deleted, or compaction; results of a version that wrote no topic's id
count as of the topic there is. Without the right to read the results topic nothing is told.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from contribd.engine.limits import STAMP_MARGIN
from contribd.engine.records.offsets import Partition
from contribd.ops.log import get_logger
from contribd.streams.client.errors import TopicAuthorizationFailedError, TopicMissing
from contribd.streams.client.port import Kafka, ResultSource, ResultSources
from contribd.streams.client.retrying import FAILURES
from contribd.streams.client.sentences import RIGHTS, explain
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.settled_offsets import SettledOffsets
from contribd.streams.runtime import Runtime

KEPT_MARGIN: Final = 60.0
"""As ``STAMP_MARGIN``, for the clock of a host that contributes."""

BRIEFLY: Final = 50_000
"""Results, about a second's reading."""

PAUSE: Final = 2.0
"""Seconds before a lookup that failed is tried again."""

TELL_SECONDS: Final = 10.0
"""Between two lines that say how far it is."""

_POLL_SECONDS: Final = 0.2
_OFFSET_LENGTH: Final = 20
"""Longer than any offset, which has 63 bits."""

_log = get_logger("source")


class Wanted(NamedTuple):
    """The records of a partition whose results are asked for: from ``begin`` on, below ``end``, of this topic.

    ``since``: when the first of them was stamped, in milliseconds since 1970, None where that is not known.
    ``briefly``: the last results will do. ``margin``: by how many seconds that clock may be ahead.
    """

    topic_id: str | None
    begin: int
    end: int
    briefly: bool = False
    since: int | None = None
    margin: float = STAMP_MARGIN


class ResultsLookup:
    """Looks in the background, at one set of partitions at a time. Asked in the source's thread."""

    def __init__(self, kafka: Kafka, settings: KafkaSettings, runtime: Runtime) -> None:
        self._kafka = kafka
        self._settings = settings
        self._topic = settings.results
        self._runtime = runtime
        self._found: dict[Partition, SettledOffsets] = {}
        self._is_looking = False
        self._next = float("-inf")
        self._complaint = ""

    def ask(self, wanted: Mapping[Partition, Wanted]) -> dict[Partition, SettledOffsets]:
        """What is known of these by now; the rest is looked up."""
        missing = {each: want for each, want in wanted.items() if each not in self._found}
        if missing and not self._is_looking and self._runtime.mono() >= self._next:
            self._is_looking = True
            self._runtime.background("results", lambda: self._look(missing))
        return {each: self._found[each] for each in wanted if each in self._found}

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These begin, or are not ours any more: what was found is of no more use."""
        for partition in partitions:
            self._found.pop(partition, None)

    def _look(self, wanted: Mapping[Partition, Wanted]) -> None:
        settled = {each: SettledOffsets(want.begin, want.end) for each, want in wanted.items()}
        try:
            self._read(wanted, settled)
            self._complaint = ""
        except TopicMissing as error:
            _doubt(settled, str(error))
        except TopicAuthorizationFailedError:
            right = f"it needs Read on Topic {self._topic} {RIGHTS}"
            _doubt(settled, f"{self._settings.principal} may not read topic {self._topic}: {right}")
        except FAILURES as error:
            if (text := explain(error, self._settings)) != self._complaint:
                _log.warning("cannot look up what has its result yet, trying again", topic=self._topic, error=text)
            self._complaint, self._next = text, self._runtime.mono() + PAUSE
            return
        finally:
            self._is_looking = False
        self._found.update(settled)

    def _read(self, wanted: Mapping[Partition, Wanted], settled: Mapping[Partition, SettledOffsets]) -> None:
        sources = self._kafka.results()
        try:
            number = self._go_to_start(sources, wanted)
            if number > BRIEFLY:
                _log.info("looking up in the results topic what has its result", topic=self._topic, results=number)
            self._take_all(sources, wanted, settled)
            if (oldest := sources.oldest()) is not None and not all(each.briefly for each in wanted.values()):
                _doubt_older(wanted, settled, oldest)
        finally:
            sources.close()

    def _go_to_start(self, sources: ResultSources, wanted: Mapping[Partition, Wanted]) -> int:
        if all(want.briefly for want in wanted.values()):
            return sources.go_to_last(BRIEFLY)
        now = self._runtime.clocks()[-1] * 1000
        asked = [want for want in wanted.values() if not want.briefly]
        known = [want.since - want.margin * 1000 for want in asked if want.since is not None and want.since <= now]
        return sources.go_to(round(min(known)) if len(known) == len(asked) else None)

    def _take_all(
        self,
        sources: ResultSources,
        wanted: Mapping[Partition, Wanted],
        settled: Mapping[Partition, SettledOffsets],
    ) -> None:
        places = {
            str(each).encode(): (settled[each], (want.topic_id or "").encode() or None) for each, want in wanted.items()
        }
        tell_at, read = self._runtime.mono() + TELL_SECONDS, 0
        while sources.left():
            found = sources.poll(_POLL_SECONDS)
            read += len(found)
            _take(found, places)
            if self._runtime.mono() >= tell_at:
                tell_at += TELL_SECONDS
                _log.info("still looking up what has its result", topic=self._topic, read=read, left=sources.left())


def _take(found: Iterable[ResultSource], places: Mapping[bytes, tuple[SettledOffsets, bytes | None]]) -> None:
    for source, topic_id, part, *made in found:
        place, _, offset = source.rpartition(b":")
        settled, wanted_id = places.get(place, (None, None))
        same = topic_id is None or wanted_id is None or topic_id == wanted_id
        if settled is None or not same or len(offset) >= _OFFSET_LENGTH or not offset.isdigit():
            continue
        if part is None:
            settled.add(int(offset))
        else:
            settled.add_part(int(offset), part, *made)


def _doubt(settled: Mapping[Partition, SettledOffsets], problem: str) -> None:
    for each in settled.values():
        each.doubt(problem)


def _doubt_older(wanted: Mapping[Partition, Wanted], settled: Mapping[Partition, SettledOffsets], oldest: int) -> None:
    """Some results were deleted: those of records stamped before the ``oldest`` there is (milliseconds) may be."""
    when = datetime.fromtimestamp(oldest / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    for each, want in wanted.items():
        if want.since is None or want.since < oldest:
            settled[each].doubt(f"results written before {when} were deleted from the results topic")
