"""Prices whose order can be told at the ADS: each instrument counts its own updates."""

import sys
import threading
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kafka import KafkaProducer
from tests.integration.rigs.java_build import REPOSITORY
from tests.integration.rigs.provider_rig import JournaledPost
from tests.integration.rigs.spawned import Child

Session = tuple[int, int, int]
"""One ADS session as the provider saw it: the provider's run, the poster's user id, the channel."""

MAPPING: Mapping[str, Any] = {
    "mappings": [{"name": "versions", "ric": "{ric}", "fields": {"BID": "version", "ACVOL_1": "version"}}]
}


class VersionFeed(threading.Thread):
    """Produces ``count`` records over ``instruments`` RICs at ``rate`` a second, keyed by RIC, versions from 1.

    The producer is a process of its own: kafka-python leaves the sockets of a broker that died to the interpreter's
    exit, and pytest takes those for leaks of the test's.
    """

    def __init__(self, bootstrap: str, topic: str, *, count: int, instruments: int, rate: float, log: Path) -> None:
        super().__init__(name="feed", daemon=True)
        command = [sys.executable, "-m", __name__, bootstrap, topic, str(count), str(instruments), str(rate)]
        self._child = Child(command, cwd=REPOSITORY, log=log, piped=True)
        self.sent = 0
        """Records handed to the producer so far."""
        self.complete = False
        """Whether the broker has acknowledged all."""
        self.done = threading.Event()

    def run(self) -> None:
        """Follows the producer to its end."""
        for line in self._child.stdout:
            self.sent = int(line)
        self.complete = self._child.wait() == 0
        self.done.set()

    def end(self) -> None:
        """Ends the producer where it still runs."""
        self._child.kill()


def produce(bootstrap: str, topic: str, count: int, instruments: int, rate: float) -> None:
    """What the feed's process does: an idempotent producer that retries for as long as it takes."""
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        linger_ms=5,
        delivery_timeout_ms=600_000,
        max_block_ms=600_000,
    )
    futures = []
    start = time.monotonic()
    for number in range(count):
        version, instrument = divmod(number, instruments)
        value = b'{"ric":"R%d","version":%d}' % (instrument, version + 1)
        futures.append(producer.send(topic, key=b"R%d" % instrument, value=value))
        ahead = start + number / rate - time.monotonic()
        if ahead > 0.005:
            print(number + 1, flush=True)  # noqa: T201 - the feed reads it
            time.sleep(ahead)
    producer.flush(600)
    for future in futures:
        future.get(timeout=600)
    print(count, flush=True)  # noqa: T201 - the feed reads it


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
    produce(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
