"""Prices whose order can be told at the ADS: each instrument counts its own updates."""

import threading
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kafka import KafkaProducer
from tests.integration.rigs.provider import JournaledPost

Session = tuple[int, int, int]
"""One ADS session as the provider saw it: the provider's run, the poster's user id, the channel."""

MAPPING: Mapping[str, Any] = {
    "mappings": [{"name": "versions", "ric": "{ric}", "fields": {"BID": "version", "ACVOL_1": "version"}}]
}


class VersionFeed(threading.Thread):
    """Produces ``count`` records over ``instruments`` RICs at ``rate`` a second, keyed by RIC, versions from 1.

    The producer is idempotent and retries for as long as it takes, so that a broker that dies costs no record.
    """

    def __init__(self, bootstrap: str, topic: str, *, count: int, instruments: int, rate: float) -> None:
        super().__init__(name="feed", daemon=True)
        self._servers = bootstrap
        self._topic = topic
        self._count = count
        self._instruments = instruments
        self._rate = rate
        self.sent = 0
        self.failure: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        """Feeds until everything is acknowledged by the broker."""
        try:
            self._feed()
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for the feed
            self.failure = error
        self.done.set()

    def _feed(self) -> None:
        producer = KafkaProducer(
            bootstrap_servers=self._servers,
            enable_idempotence=True,
            linger_ms=5,
            delivery_timeout_ms=600_000,
            max_block_ms=600_000,
        )
        versions: Counter[int] = Counter()
        futures = []
        start = time.monotonic()
        for number in range(self._count):
            instrument = number % self._instruments
            versions[instrument] += 1
            ric = f"R{instrument}"
            value = b'{"ric":"%s","version":%d}' % (ric.encode(), versions[instrument])
            futures.append(producer.send(self._topic, key=ric.encode(), value=value))
            self.sent = number + 1
            ahead = start + number / self._rate - time.monotonic()
            if ahead > 0.005:
                time.sleep(ahead)
        producer.flush(600)
        for future in futures:
            future.get(timeout=600)
        producer.close()


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
