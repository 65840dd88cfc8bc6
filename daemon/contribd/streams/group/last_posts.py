"""What was last posted through partitions that are new here, read from the results topic in the background.

Theory of operation
===================

For publish rules and ``@last``, where mappings have them: an owner begins with what the one before had posted. Nothing
waits for it. What is not read yet, or not found, is not known, and suppresses nothing.

How far back. Results of the last ``SINCE`` seconds, and ``MOST`` of them at most: a RIC that was posted longest ago is
not found. Up to the end of the log as it is now, whatever transactions are open (see ``results_lookup``).

What counts. Results of records of the partitions in hand that were accepted, or got no answer: their fields, in the
order in which they were written, which is that of the posts of a RIC. Blanks that withdrew a quote end what was known
of it, and so does a result that was shortened and lacks its fields.
Of a RIC that comes through other partitions too nothing is told: their owner goes on posting to it.

What it cannot tell: posts of a former owner that was killed before their results were written. So every field that is
found is told as one whose value the market may have or not (``engine/records/last_posted.py``).
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from contribd.engine.events import LastKnown
from contribd.engine.records.keys import Key
from contribd.engine.records.last_posted import KnownPost
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Status
from contribd.mapping.outcome import PostType
from contribd.ops.log import get_logger
from contribd.streams.client.errors import TopicAuthorizationFailedError, TopicMissing
from contribd.streams.client.port import Kafka, ResultSources, WholeResult
from contribd.streams.client.retrying import FAILURES
from contribd.streams.client.sentences import RIGHTS, explain
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.runtime import Runtime

SINCE: Final = 3600.0
"""Seconds. As long as a value counts for ``max_move`` by default."""

MOST: Final = 200_000
"""Results: some seconds' reading, beside everything else."""

PAUSE: Final = 2.0
"""Seconds before a reading that failed is tried again."""

_POLL_SECONDS: Final = 0.2
_STANDS: Final = {Status.ACK.encode(), Status.UNANSWERED.encode()}
_MICROSECONDS: Final = 1_000_000

_log = get_logger("source")


class _Post(msgspec.Struct):
    type: PostType
    sent_at: datetime


class _Posted(msgspec.Struct):
    """What is looked at of a result."""

    mapping: str | None
    fields: dict[str, Any] | None
    posts: list[_Post]


_decoder = msgspec.json.Decoder(_Posted, float_hook=Decimal)


class LastPosts:
    """Reads for one set of partitions at a time. Asked in the source's thread."""

    def __init__(
        self, kafka: Kafka, settings: KafkaSettings, runtime: Runtime, emit: Callable[[LastKnown], None]
    ) -> None:
        self._kafka = kafka
        self._settings = settings
        self._runtime = runtime
        self._emit = emit
        self._remembering = settings.remembering
        self._new: set[Partition] = set()
        """Nothing was read for these yet."""
        self._gone: set[Partition] = set()
        """Taken away since the reading began."""
        self._is_reading = False
        self._found: dict[Key, KnownPost] | None = None
        self._next = float("-inf")
        self._complaint = ""

    def begin(self, partitions: Iterable[Partition]) -> None:
        """These are ours from now on."""
        if self._remembering:
            self._new.update(partitions)

    def remember(self, mappings: frozenset[str]) -> None:
        """These mappings ask from now on, of partitions that are new from now on; for any thread."""
        self._remembering = mappings

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These are not ours any more."""
        gone = set(partitions)
        self._new -= gone
        if self._is_reading or self._found is not None:
            self._gone |= gone

    def follow(self, announced: Callable[[], Collection[Partition]]) -> None:
        """Tells what was read by now, and begins to read what is wanted; ``announced``: the partitions in hand."""
        if self._found is not None:
            self._tell(self._found)
            self._found = None
        if self._new and not self._is_reading and self._runtime.mono() >= self._next:
            self._new.clear()
            self._gone.clear()
            self._is_reading = True
            wanted = frozenset(announced())
            self._runtime.background("last posts", lambda: self._read(wanted))

    def _tell(self, found: dict[Key, KnownPost]) -> None:
        """Of RICs whose partitions are all ours still: others post to those that are not."""
        ours = {key: post for key, post in found.items() if not (post.partitions & self._gone)}
        self._emit(LastKnown(ours))

    def _read(self, wanted: frozenset[Partition]) -> None:
        topic = self._settings.results
        reading = _Reading(wanted, self._remembering)
        try:
            number = self._read_all(reading)
        except TopicMissing as error:
            _log.warning("what was last posted is not known yet", error=str(error))
        except TopicAuthorizationFailedError:
            text = f"{self._settings.principal} may not read topic {topic}: it needs Read on Topic {topic} {RIGHTS}"
            _log.warning("what was last posted is not known yet", error=text)
        except FAILURES as error:
            if (text := explain(error, self._settings)) != self._complaint:
                _log.warning("cannot read what was last posted yet, trying again", topic=topic, error=text)
            self._complaint, self._next = text, self._runtime.mono() + PAUSE
            self._new |= wanted - self._gone
        else:
            self._complaint = ""
            self._found = reading.found()
            rics = len(self._found)
            _log.info("read in the results topic what was last posted", topic=topic, results=number, rics=rics)
        finally:
            self._is_reading = False

    def _read_all(self, reading: "_Reading") -> int:
        """How many results there were."""
        sources = self._kafka.results()
        try:
            _go_to_start(sources, self._runtime)
            number = 0
            while sources.left():
                results = sources.poll_whole(_POLL_SECONDS)
                number += len(results)
                for result in results:
                    reading.take(result)
            return number
        finally:
            sources.close()


def _go_to_start(sources: ResultSources, runtime: Runtime) -> None:
    since = round((runtime.clocks()[-1] - SINCE) * 1000)
    if sources.go_to(since) > MOST:
        sources.go_to_last(MOST)


class _Reading:
    """What the results come to, RIC by RIC."""

    def __init__(self, wanted: Collection[Partition], remembering: Collection[str]) -> None:
        """``remembering``: the mappings that ask for it."""
        self._places = {str(each).encode(): each for each in wanted}
        self._remembering = remembering
        self._posts: dict[Key, KnownPost] = {}
        self._asked: set[Key] = set()
        """RICs to which a mapping posts that asks for it."""
        self._others: set[Key] = set()
        """RICs that come through other partitions, too."""

    def take(self, result: WholeResult) -> None:
        """The next one of its RIC."""
        key = result.service.decode(errors="replace"), result.ric.decode(errors="replace")
        if result.withdrawal:
            self._posts.pop(key, None)
            return
        if result.status not in _STANDS:
            return
        partition = self._places.get(result.source.rpartition(b":")[0])
        if partition is None:
            self._others.add(key)
        elif (posted := _decoded(result.value)) is not None:
            self._add(key, partition, posted)

    def _add(self, key: Key, partition: Partition, posted: _Posted) -> None:
        if posted.fields is None:
            self._posts.pop(key, None)
        if not posted.posts or posted.fields is None:
            return
        last, before = posted.posts[-1], self._posts.get(key)
        fields, partitions = posted.fields, {partition}
        if before is not None:
            partitions |= before.partitions
            fields = fields if last.type is PostType.REFRESH else {**before.fields, **fields}
        sent_at = round(last.sent_at.timestamp() * _MICROSECONDS)
        self._posts[key] = KnownPost(fields, sent_at, frozenset(partitions))
        if posted.mapping in self._remembering:
            self._asked.add(key)

    def found(self) -> dict[Key, KnownPost]:
        """What is known in the end."""
        return {key: post for key, post in self._posts.items() if key in self._asked and key not in self._others}


def _decoded(value: bytes | None) -> _Posted | None:
    try:
        return None if value is None else _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
