"""A flow of versions on its way into Kafka, and how it looks at the ADS."""

import json
import sys
import threading
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from kafka import KafkaProducer
from kafka.record import default_records
from tests.integration.rigs.java_build import REPOSITORY
from tests.integration.rigs.prices import Place
from tests.integration.rigs.provider_rig import JournaledPost
from tests.integration.rigs.spawned import Child
from tests.integration.rigs.version_flow import Flow, Kind, Quote, records_of

Session = tuple[int, int, int]
"""One ADS session as the provider saw it: the provider's run, the poster's user id, the channel."""

Fed = dict[Place, tuple[Quote, ...]]
"""What the posts of each record are to say, in order."""

_UNREADABLE: Final = b"UNREADABLE"
"""How the key of a record begins that nobody shall read."""


class VersionFeed(threading.Thread):
    """Produces a flow of records.

    The producer is a process of its own: kafka-python leaves the sockets of a broker that died to the interpreter's
    exit, and pytest takes those for leaks of the test's.
    """

    def __init__(self, bootstrap: str, topic: str, flow: Flow, *, log: Path) -> None:
        super().__init__(name="feed", daemon=True)
        self._flow = flow
        self._topic = topic
        self._places = log.with_suffix(".places")
        command = [sys.executable, "-m", __name__, bootstrap, topic, json.dumps(asdict(flow)), str(self._places)]
        self._child = Child(command, cwd=REPOSITORY, log=log, piped=True)
        self.sent = 0
        """Records handed to the producer so far."""
        self.unreadable: set[Place] = set()
        """Where those are that cannot be read."""
        self.complete = False
        """Whether the broker has acknowledged all."""
        self.done = threading.Event()

    def run(self) -> None:
        """Follows the producer to its end."""
        for line in self._child.stdout:
            first, *rest = line.split()
            if rest:
                self.unreadable.add((first, int(rest[0]), int(rest[1])))
            else:
                self.sent = int(first)
        self.complete = self._child.wait() == 0
        self.done.set()

    def fed(self) -> Fed:
        """What was produced and can be read, once it is complete."""
        readable = (record for record in records_of(self._flow) if record.kind is not Kind.UNREADABLE)
        lines = self._places.read_text().splitlines()
        fed: Fed = {}
        for line, record in zip(lines, readable, strict=True):
            partition, offset = map(int, line.split())
            fed[self._topic, partition, offset] = record.quotes
        return fed

    def end(self) -> None:
        """Ends the producer where it still runs."""
        self._child.kill()


def produce(bootstrap: str, topic: str, flow: Flow, places: Path) -> None:
    """What the feed's process does: idempotent producers that retry for as long as it takes.

    ``places`` gets partition and offset of each readable record, a line each.
    """
    _spoil_what_is_to_be_unreadable()
    producers = {each: _producer(bootstrap, each) for each in flow.codecs}
    futures = []
    start = time.monotonic()
    for number, record in enumerate(records_of(flow)):
        if record.kind is Kind.UNREADABLE:
            found = _send_unreadable(bootstrap, topic, record.key)
            print(found.topic, found.partition, found.offset, flush=True)  # noqa: T201 - the feed reads it
        else:
            futures.append(producers[record.codec].send(topic, key=record.key, value=record.value))
        ahead = start + number / flow.rate - time.monotonic()
        if ahead > 0.005:
            print(number + 1, flush=True)  # noqa: T201 - the feed reads it
            time.sleep(ahead)
    for producer in producers.values():
        producer.flush(600)
    made = [future.get(timeout=600) for future in futures]
    places.write_text("".join(f"{each.partition} {each.offset}\n" for each in made))
    print(flow.records, flush=True)  # noqa: T201 - the feed reads it


def _producer(bootstrap: str, compression: str) -> KafkaProducer:
    return KafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        compression_type=None if compression == "none" else compression,
        linger_ms=5,
        delivery_timeout_ms=600_000,
        max_block_ms=600_000,
    )


def _send_unreadable(bootstrap: str, topic: str, turn: bytes) -> Any:
    """A batch of its own whose lz4 checksum fails, which brokers do not look at: its place."""
    with closing(_producer(bootstrap, "lz4")) as producer:
        return producer.send(topic, key=_UNREADABLE + turn, value=b"{}" * 100).get(timeout=600)


def _spoil_what_is_to_be_unreadable() -> None:
    compress = default_records.lz4_encode

    def compressing(payload: Any) -> bytes:
        if _UNREADABLE not in bytes(payload):
            return bytes(compress(payload))
        return bytes(compress(payload, content_checksum=True)[:-4]) + bytes(4)

    default_records.lz4_encode = compressing


def reordered(posts: Iterable[JournaledPost]) -> list[str]:
    """Where an older price came after a newer one, as the ADS saw it."""
    newest: dict[str, int] = defaultdict(int)
    wrong = []
    for post in posts:
        version = version_of(post)
        if version < newest[post.ric]:
            wrong.append(f"{post.ric}: {version} after {newest[post.ric]} (post {post.sequence})")
        newest[post.ric] = max(newest[post.ric], version)
    return wrong


def version_of(post: JournaledPost) -> int:
    """The version of the newest price in a post."""
    return int(float(post.fields["ACVOL_1"] or "nan"))


def sessions(posts: Sequence[JournaledPost], restarts: Sequence[int]) -> list[Session]:
    """The session of each post. ``restarts``: how many posts there were at each restart of the provider."""
    return [(bisect_right(restarts, number), post.user_id, post.channel) for number, post in enumerate(posts)]


def reposts(posts: Sequence[JournaledPost], of_session: Sequence[Session]) -> Counter[Session]:
    """How many prices were posted again on another session, by the session that posted them first."""
    first: dict[tuple[str, int], Session] = {}
    again: Counter[Session] = Counter()
    for post, session in zip(posts, of_session, strict=True):
        earlier = first.setdefault((post.ric, version_of(post)), session)
        if earlier != session:
            again[earlier] += 1
    return again


if __name__ == "__main__":
    produce(sys.argv[1], sys.argv[2], Flow.from_json(sys.argv[3]), Path(sys.argv[4]))
