"""Where to begin in a partition's log: what the group has committed, against what the log still holds.

Theory of operation
===================

With a commit. Consumption goes on there, unless the log has passed the commit by. Retention deletes at its beginning
what was never consumed. At its end, one that became leader uncleanly lacks what others had: then the same offsets are
given to other records.

Where the log ends before the commit, contribd goes on at that end. All that comes from there on is new, and prices that
come now matter more than offsets that are unique: waiting until the log has grown past the commit could silence a
partition for days. What was written anew below the end is not consumed, since nobody can tell it from what was consumed
before, and a price of before the cut could follow a newer one. Results of offsets between the end and the old commit
then exist twice, of two records; their sources differ in the timestamp.

Another topic. A topic that is deleted and made anew under its name has another id (KIP-516). Commits name the topic
they are of, so one of an earlier topic is known for what it is, where the broker has kept it (Kafka 4.1 deletes it with
the topic). The new topic is begun at its beginning. Commits of before ids were kept count as of the topic.

Without a commit, in this order:

- The topic is another one than this process, or commits of its other partitions, knew: its beginning.
- The partition is newer than what the group has consumed of the topic: commits say how many partitions there were, and
  this process remembers how many it saw first. Its beginning, or what was produced before it was found would be lost.
  Commits say so until the group has an offset of each: whoever gets a new partition may come late to it.
- Else the group is new, or was deleted, or its offsets expired: ``kafka.start_from`` decides. What has its result
  according to the results topic is not consumed again (``results_lookup``).

Whatever is decided is committed before anything is consumed, or a crash would begin elsewhere. So is that other rules
are in force than those that the commit names, where these make several posts of a record: how far an owner may have
posted is told by them (``engine.records.offsets``).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from contribd.engine.records.commit_metadata import About, Commit, decode_about
from contribd.engine.records.offsets import Partition
from contribd.streams.client.errors import KafkaTimeoutError
from contribd.streams.client.port import MemberConsumer, SeenTopic, Topics
from contribd.streams.group import start_lines
from contribd.streams.group.hanging_transactions import HangingTransactions
from contribd.streams.group.results_lookup import KEPT_MARGIN, ResultsLookup, Wanted
from contribd.streams.group.start_rules import CUT, Origin, Start, find_start, needs_results, origin_of, passed_over

ASK_SECONDS: Final = 0.3, 1.0
"""How long the group is asked for what is committed, which the client would do for ever: the first time, and then at a
time. A process that was killed may leave a transaction open, and its partitions have no stable offset before that is
ended; those that we have already are fetched between two tries."""

TOPICS_SECONDS: Final = 5.0
"""How long a broker may take to tell of the topics."""


class Refused(Exception):
    """``start_from: refuse``, and there is no offset to start from; the text says of what, and what to do."""


class StartOffsets:
    """Finds out where new partitions begin, and puts the consumer there."""

    def __init__(
        self,
        hanging: HangingTransactions,
        lookup: ResultsLookup,
        *,
        start_from: str,
        start_time: int | None = None,
        rules: str | None = None,
    ) -> None:
        """``start_from``, ``start_time``: where to begin without a commit, and ``rules``: see ``KafkaSettings``."""
        self._rules = rules
        self._hanging = hanging
        self._lookup = lookup
        self._start_from = start_from
        self._start_time = start_time
        self._ask_seconds = ASK_SECONDS[0]
        self._first: dict[str, SeenTopic] = {}
        """Each topic as it was when this process saw it first."""
        self.out_of_range: set[Partition] = set()
        """Partitions whose broker has refused the offset that the consumer asked for, which proves a log cut. An end
        that lies before the commit does not: a broker that has just become leader may know of less, and the embedded
        one tells of ends that are too low."""

    def find(self, consumer: MemberConsumer, partitions: Collection[Partition]) -> dict[Partition, Start]:
        """Where each of ``partitions`` begins; left out are those of topics that do not exist, and those whose results
        are being looked up. Raises KafkaError; what was done is done again by the next call. Raises Refused.

        What is committed counts only between two confirmations that the group knows us: see ``fencing``.
        """
        if not partitions:
            return {}
        topics = consumer.ask_topics(TOPICS_SECONDS)
        logs = consumer.log_ends([each for each in partitions if _exists(each, topics)])
        if not logs:
            return {}
        consumer.confirm()
        commits = {partition: self._committed(consumer, partition) for partition in sorted(logs)}
        beside = self._beside(consumer, topics, commits)
        consumer.confirm()
        self._ask_seconds = ASK_SECONDS[0]
        origins = {each: self._origin(each, commit, topics[each.topic], beside) for each, commit in commits.items()}
        known = {each: _known(each, commit, topics, beside) for each, commit in commits.items()}
        starts = self._start_all(consumer, topics, logs, commits, origins, known)
        for partition, start in starts.items():
            _put(consumer, partition, start)
        start_lines.tell(starts, commits, topics, self._start_from)
        self._lookup.forget(starts)
        self.out_of_range -= starts.keys()
        return starts

    def follow_rules(self, rules: str | None) -> None:
        """These are in force, as commits are to name them; for any thread."""
        self._rules = rules

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These are not ours any more: what was looked up for them is of no use."""
        self._lookup.forget(partitions)

    def _committed(self, consumer: MemberConsumer, partition: Partition) -> Commit | None:
        try:
            return consumer.committed(partition, self._ask_seconds)
        except KafkaTimeoutError:
            self._ask_seconds = ASK_SECONDS[1]
            self._hanging.end(consumer.member().member_id)
            raise

    def _beside(
        self, consumer: MemberConsumer, topics: Topics, commits: Mapping[Partition, Commit | None]
    ) -> dict[Partition, Commit]:
        """What the group has committed of the topics that may have partitions without a commit."""
        names = {
            partition.topic
            for partition, commit in commits.items()
            if commit is None or decode_about(commit.metadata).partitions != topics[partition.topic].partitions
        }
        all_of_them = [each for name in sorted(names) for each in _partitions(name, topics)]
        return consumer.committed_among(all_of_them, ASK_SECONDS[1]) if all_of_them else {}

    def _origin(
        self, partition: Partition, commit: Commit | None, topic: SeenTopic, beside: Mapping[Partition, Commit]
    ) -> Origin:
        first = self._first.setdefault(partition.topic, topic)
        same = {each: other for each, other in beside.items() if each.topic == partition.topic}
        return origin_of(partition, commit, topic, first, same)

    def _start_all(
        self,
        consumer: MemberConsumer,
        topics: Topics,
        logs: Mapping[Partition, tuple[int, int]],
        commits: Mapping[Partition, Commit | None],
        origins: Mapping[Partition, Origin],
        known: Mapping[Partition, int],
    ) -> dict[Partition, Start]:
        nowhere = [each for each, origin in origins.items() if origin is Origin.NOWHERE]
        fallbacks = self._fallbacks(consumer, nowhere, logs)
        starts = {}
        for partition, origin in origins.items():
            commit = commits[partition] if origin is Origin.COMMITTED else None
            fallback = fallbacks.get(partition, logs[partition][0])
            about = About(topics[partition.topic].topic_id, known[partition])
            start = self._start(partition, commit, logs[partition], fallback, about)
            starts[partition] = start._replace(origin=origin)
        return self._with_results(consumer, starts, topics)

    def _start(
        self, partition: Partition, commit: Commit | None, log: tuple[int, int], fallback: int, about: About
    ) -> Start:
        begin, end = log
        other_rules = False
        if commit is not None:
            said = decode_about(commit.metadata)
            other_rules = said.rules not in {None, self._rules}
            rules = None if other_rules else said.rules
            about = said._replace(topic_id=about.topic_id, partitions=about.partitions, rules=rules)
        start = find_start(commit, begin, end, fallback=fallback, about=about)
        if commit is not None and start.problem is CUT and partition not in self.out_of_range:
            start = find_start(commit, begin, commit.offset, fallback=fallback, about=about)
        # That ours are in force is committed before anything is posted: more may be posted by them than by the others,
        # before there is a next commit.
        return start._replace(unwritten=True) if other_rules else start

    # Without a commit

    def _fallbacks(
        self, consumer: MemberConsumer, partitions: list[Partition], logs: Mapping[Partition, tuple[int, int]]
    ) -> dict[Partition, int]:
        """Where ``start_from`` says that these begin."""
        if not partitions:
            return {}
        if self._start_from == "refuse":
            raise Refused(start_lines.refusal(partitions, logs))
        if self._start_time is not None:
            found = consumer.offsets_at(partitions, self._start_time)
            return {each: found[each][0] if each in found else logs[each][1] for each in partitions}
        return {each: logs[each][0 if self._start_from == "earliest" else 1] for each in partitions}

    def _with_results(
        self, consumer: MemberConsumer, starts: dict[Partition, Start], topics: Topics
    ) -> dict[Partition, Start]:
        """Those whose results need not be looked up, or were."""
        wanted = {
            each: self._wanted(start, topics[each.topic]) for each, start in starts.items() if needs_results(start)
        }
        if not wanted:
            return starts
        first = consumer.offsets_at(wanted, 0)
        since = {each: first[each][1] for each in wanted if each in first}
        found = self._lookup.ask(
            {
                each: want if want.since is not None else want._replace(since=self._since(since.get(each)))
                for each, want in wanted.items()
            }
        )
        ready = {each: start for each, start in starts.items() if each not in wanted or each in found}
        return {each: passed_over(start, found.get(each)) for each, start in ready.items()}

    def _wanted(self, start: Start, topic: SeenTopic) -> Wanted:
        if start.origin is Origin.NOWHERE and start.position >= start.end:
            return Wanted(topic.topic_id, start.begin, start.end, briefly=True)
        about = decode_about(start.commit.metadata)
        wanted = Wanted(topic.topic_id, start.position, about.results_to or start.end)
        if about.results_since:
            return wanted._replace(since=about.results_since * 1000, margin=KEPT_MARGIN)
        return wanted

    def _since(self, first: int | None) -> int | None:
        """When the first record to begin with was stamped, in milliseconds: None where that is not known."""
        return first if self._start_time is None or first is None else max(first, self._start_time)


def _partitions(name: str, topics: Topics) -> list[Partition]:
    return [Partition(name, number) for number in range(topics[name].partitions)]


def _known(partition: Partition, commit: Commit | None, topics: Topics, beside: Mapping[Partition, Commit]) -> int:
    """How many partitions its commits say that the topic has: as before, until the group has an offset of each."""
    now = topics[partition.topic].partitions
    if commit is None or all(each in beside for each in _partitions(partition.topic, topics)):
        return now
    return decode_about(commit.metadata).partitions


def _exists(partition: Partition, topics: Topics) -> bool:
    topic = topics.get(partition.topic)
    return topic is not None and partition.number < topic.partitions


def _put(consumer: MemberConsumer, partition: Partition, start: Start) -> None:
    if start.unwritten:
        consumer.commit({partition: start.commit})
    consumer.seek(partition, start.position)


OUT_OF_RANGE: Final = "offset out of range: revoking the partition and assigning it anew"
