"""The daemon's own work without Kafka, sockets and threads: records in, posts, answers, results out, timed by stage.

The time of the calling thread's CPU counts, not the clock's: others on the machine do not show.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from tests.ads.server_messages import directory, login_refresh
from tests.bench.setting import MAPPING
from tests.engine.making import LOGIN, new_engine, seconds

from contribd.ads.frames import TEXT, FrameDecoder, encode_frame
from contribd.engine.clock import Now
from contribd.engine.events import Assigned, Committed, Connected, Event, Received, Records, Tick
from contribd.engine.policy import SessionPolicy
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.mapping.compile import compile_file
from contribd.mapping.mapper import Mapper
from contribd.mapping.rules import MappingFile

WALL: Final = 1_800_000_000_000_000


def mapper(document: dict[str, Any] = MAPPING) -> Mapper:
    """The mapper of a mapping file's content."""
    return Mapper(compile_file(MappingFile.model_validate(document), "TRCC").mappings)


class Pipeline:
    """An engine with an open session to an ADS that acknowledges every post at once, one Ack a frame."""

    def __init__(
        self,
        *,
        partitions: int = 1,
        outstanding: int = 500,
        pack: int = 20,
        conflate: bool = False,
        document: dict[str, Any] = MAPPING,
    ) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        """CPU seconds by stage, so far."""
        self.results = 0
        self._mono, self._wall = 1000.0, WALL
        self.engine = new_engine(
            SessionPolicy(("ws://a",), "TRCC", LOGIN, 10.0, seconds),
            mapper=mapper(document),
            conflate=conflate,
            max_outstanding=outstanding,
            pack=pack,
        )
        self._encode = ResultEncoder(instance="bench", version="0", config="0" * 64).encode
        self._partitions = [Partition("prices", number) for number in range(partitions)]
        self._offsets = [0] * partitions
        self._turn = 0
        self._decoder = FrameDecoder(max_payload=1 << 24)
        self._log_in()

    def run(self, values: Sequence[bytes], batch: int = 500, posts: int = 1) -> None:
        """Takes records of so many ``posts``, ``batch`` at a time and each batch from all partitions, from their bytes
        to their results."""
        for start in range(0, len(values), batch):
            part = values[start : start + batch]
            wanted = self.results + len(part) * posts
            self.handle(Records(self._batches(part)), "take and map")
            while self.results < wanted:
                self._round()

    def leave_unanswered(self, values: Sequence[bytes]) -> None:
        """Posts records whose answers never come."""
        self.handle(Records(self._batches(values)), "start")
        self.engine.take_frames(self._tick(0.01))

    def _round(self) -> None:
        """Posts, their answers, and the transaction of what they settle."""
        now = self._tick(0.01)
        with self._timed("post"):
            frames = self.engine.take_frames(now)
        with self._timed("send"):
            for text in frames:
                encode_frame(TEXT, text, b"\1\2\3\4")
        answers = _acks(frames)
        with self._timed("receive"):
            texts = [payload for _, payload in self._decoder.feed(answers)]
        self.handle(Received(self.engine.connection.attempt, texts), "settle")
        now = self._tick(0.01)
        while (found := self._take_batch(now)) is not None:
            with self._timed("encode results"):
                self.results += len([self._encode(settlement) for settlement in found.settlements])
            self.handle(Committed(found.number), "free")

    def _take_batch(self, now: Now) -> Any:
        with self._timed("settle"):
            return self.engine.take_batch(now)

    def handle(self, event: Event, stage: str) -> None:
        """One event, its cost counted under ``stage``."""
        now = self._tick(0.0)
        with self._timed(stage):
            self.engine.handle(event, now)

    def _tick(self, seconds: float) -> Now:
        self._mono += seconds
        self._wall += round(seconds * 1e6)
        return Now(self._mono, self._wall)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.thread_time()
        yield
        self.seconds[stage] += time.thread_time() - start

    def _batches(self, values: Sequence[bytes]) -> list[tuple[Partition, list[Record]]]:
        """The records of one poll: an equal share of each partition."""
        count = len(self._partitions)
        batches = []
        for number, partition in enumerate(self._partitions):
            share = values[number::count]
            first = self._offsets[number]
            self._offsets[number] += len(share)
            stamp = self._wall // 1000
            batches.append((partition, [Record(first + n, stamp, b"key", value) for n, value in enumerate(share)]))
        return [batch for batch in batches if batch[1]]

    def _log_in(self) -> None:
        self.handle(Assigned({partition: Commit(0, "") for partition in self._partitions}), "start")
        self.handle(Tick(), "start")
        self.engine.take_commands()
        self.handle(Connected(self.engine.connection.attempt), "start")
        for message in (login_refresh(), directory()):
            self.handle(Received(self.engine.connection.attempt, [msgspec.json.encode(message)]), "start")
        self.engine.take_frames(self._tick(0.0))
        if not self.engine.session.up:
            raise RuntimeError(f"no session: {self.engine.connection.state}")


def _acks(frames: Sequence[bytes]) -> bytes:
    """An Ack a post, one a frame, as the vendor's server sends them."""
    acks = []
    for text in frames:
        posts = msgspec.json.decode(text)
        for post in posts if type(posts) is list else [posts]:
            key = post.get("Key")
            ack = b'[{"ID":1,"Type":"Ack","AckID":%d,"Key":{"Name":"%s","Service":1}}]' % (
                post["PostID"],
                key["Name"].encode(),
            )
            acks.append(encode_frame(TEXT, ack, None))
    return b"".join(acks)
