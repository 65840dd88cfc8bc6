"""Prices whose order can be told at the ADS: each instrument counts its own updates."""

import json
import sys
import threading
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kafka import KafkaProducer
from kafka.record import default_records
from tests.integration.rigs.java_build import REPOSITORY
from tests.integration.rigs.prices import Place
from tests.integration.rigs.provider_rig import JournaledPost
from tests.integration.rigs.spawned import Child

Session = tuple[int, int, int]
"""One ADS session as the provider saw it: the provider's run, the poster's user id, the channel."""

POISON_INSTRUMENTS: Final = 3
_UNREADABLE: Final = b"UNREADABLE"
"""How the key of a record begins that nobody shall read."""

MAPPING: Mapping[str, Any] = {
    "mappings": [
        # A text that is no number: the provider's converter refuses the post.
        {"name": "poison", "when": 'starts_with(ric, "POISON")', "ric": "{ric}", "fields": {"BID": {"value": "none"}}},
        {"name": "versions", "ric": "{ric}", "fields": {"BID": "version", "ACVOL_1": "version"}},
    ]
}


@dataclass(frozen=True)
class Flow:
    """``records`` over ``instruments`` RICs at ``rate`` a second, keyed by RIC, versions from 1.

    ``codecs``: what batches are compressed with, by instrument. Of the records ``poison`` are of instruments whose post
    makes the ADS close the connection, and ``unreadable`` are batches of one record each that the broker takes and no
    consumer in Python can decompress, both spread over the whole.
    """

    records: int
    instruments: int
    rate: float
    codecs: tuple[str, ...] = ("none",)
    poison: int = 0
    unreadable: int = 0


class VersionFeed(threading.Thread):
    """Produces a flow of records.

    The producer is a process of its own: kafka-python leaves the sockets of a broker that died to the interpreter's
    exit, and pytest takes those for leaks of the test's.
    """

    def __init__(self, bootstrap: str, topic: str, flow: Flow, *, log: Path) -> None:
        super().__init__(name="feed", daemon=True)
        command = [sys.executable, "-m", __name__, bootstrap, topic, json.dumps(asdict(flow))]
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

    def end(self) -> None:
        """Ends the producer where it still runs."""
        self._child.kill()


def produce(bootstrap: str, topic: str, flow: Flow) -> None:
    """What the feed's process does: idempotent producers that retry for as long as it takes."""
    _spoil_what_is_to_be_unreadable()
    producers = {each: _producer(bootstrap, each) for each in flow.codecs}
    special = _special(flow)
    futures = []
    healthy = 0
    start = time.monotonic()
    for number in range(flow.records):
        match special.get(number):
            case None:
                version, instrument = divmod(healthy, flow.instruments)
                healthy += 1
                value = b'{"ric":"R%d","version":%d}' % (instrument, version + 1)
                producer = producers[flow.codecs[instrument % len(flow.codecs)]]
                futures.append(producer.send(topic, key=b"R%d" % instrument, value=value))
            case "poison", turn:
                version, instrument = divmod(turn, POISON_INSTRUMENTS)
                value = b'{"ric":"POISON%d","version":%d}' % (instrument, version + 1)
                producer = producers[flow.codecs[0]]
                futures.append(producer.send(topic, key=b"POISON%d" % instrument, value=value))
            case _, turn:
                found = _send_unreadable(bootstrap, topic, turn)
                print(found.topic, found.partition, found.offset, flush=True)  # noqa: T201 - the feed reads it
        ahead = start + number / flow.rate - time.monotonic()
        if ahead > 0.005:
            print(number + 1, flush=True)  # noqa: T201 - the feed reads it
            time.sleep(ahead)
    for producer in producers.values():
        producer.flush(600)
    for future in futures:
        future.get(timeout=600)
    print(flow.records, flush=True)  # noqa: T201 - the feed reads it


def _special(flow: Flow) -> dict[int, tuple[str, int]]:
    """The records that are not of healthy instruments, by their number: what they are, and the how manieth."""
    return {
        int(flow.records * (turn + within) / count): (kind, turn)
        for kind, count, within in (("poison", flow.poison, 0.5), ("unreadable", flow.unreadable, 0.25))
        for turn in range(count)
    }


def _producer(bootstrap: str, compression: str) -> KafkaProducer:
    return KafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        compression_type=None if compression == "none" else compression,
        linger_ms=5,
        delivery_timeout_ms=600_000,
        max_block_ms=600_000,
    )


def _send_unreadable(bootstrap: str, topic: str, turn: int) -> Any:
    """A batch of its own whose lz4 checksum fails, which brokers do not look at: its place."""
    with closing(_producer(bootstrap, "lz4")) as producer:
        return producer.send(topic, key=b"%s%d" % (_UNREADABLE, turn), value=b"{}" * 100).get(timeout=600)


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
    arguments = json.loads(sys.argv[3])
    produce(sys.argv[1], sys.argv[2], Flow(**{**arguments, "codecs": tuple(arguments["codecs"])}))
