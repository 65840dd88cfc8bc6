"""What the outside sees of one engine after another, and what it must never see. Knows nothing of the inside."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.engine.rig import messages
from tests.simulation.world.oracle.told import read_commit

from contribd.engine.clock import Now
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition

ACK_TIMEOUT = 15.0
DIRECTORY_TIMEOUT = 5.0
DROP_GRACE = 1.0
LAST_POST_ID = 2**32 - 1
_EPSILON = 1e-6

Key = tuple[str, str]
"""(service, RIC)."""

RULED_KEYS: frozenset[Key] = frozenset({("ALT", "R0")})
"""Instruments whose mapping has publish rules."""


class Made(NamedTuple):
    """A record of the topic; ``version`` is the value of each of its fields. A poison one has no key."""

    version: int
    partition: Partition
    offset: int
    timestamp: int
    key: Key | None
    value: bytes | None


@dataclass(slots=True, eq=False)
class Sent:
    """One post on the wire."""

    post_id: int
    key: Key
    values: dict[str, int]
    mono: float
    frame: int
    answer: str | None = None
    doubt: float | None = None
    """When an Error came that may have taken it along."""

    @property
    def newest(self) -> int:
        """The newest record it carries."""
        return max(self.values.values())


@dataclass(slots=True, eq=False)
class Line:
    """One connection, as far as the engine was told of it."""

    login_at: float | None = None
    up: dict[str, bool] | None = None
    ended: bool = False
    frames: int = 0
    answered_frame: int = 0
    open: list[Sent] = field(default_factory=list)
    """Posts without an answer, oldest first."""
    closed: list[Sent] = field(default_factory=list)
    """Those that were answered."""


class Judge:
    """Fails the test at the first promise broken."""

    def __init__(self, max_outstanding: int, pack: int, span: int, *, conflate: bool) -> None:
        self.max_outstanding, self.pack, self.span, self.conflate = max_outstanding, pack, span, conflate
        self.made: dict[int, Made] = {}
        self.logs: dict[Partition, list[Made]] = {}
        self.commits: dict[Partition, Commit] = {}
        self.results: dict[tuple[Partition, int], dict[str, Any]] = {}
        self.paused: frozenset[str] = frozenset()
        """RICs that are paused, whatever process runs."""
        self._ever_paused = set[str]()
        self._newest: dict[tuple[str, ...], int] = {}
        self.begin()

    def begin(self) -> None:
        """Another process takes over; what the one before it had on the wire stays there, and nobody waits for it."""
        self.line: Line | None = None
        self.postable: set[Partition] = set()
        self.may_post_until = float("inf")
        self.stopped = False
        self._by_name: dict[tuple[str, int], Sent] = {}
        self._posts: list[Sent] = []
        self._since: dict[Partition, int] = {}

    def assigned(self, partition: Partition) -> None:
        """A partition comes: what was posted of it before is nobody's any more."""
        self.postable.add(partition)
        self._since[partition] = len(self._posts)

    def pause(self, *rics: str) -> None:
        """These RICs are paused from now on, and no others."""
        self.paused = frozenset(rics)
        self._ever_paused.update(rics)

    # The wire

    def sent(self, frames: Iterable[bytes], session: str, now: Now) -> None:
        """Frames that went out in this moment."""
        for text in frames:
            posts = [message for message in messages(text) if message.get("Type") == "Post"]
            assert len(posts) <= self.pack, "more posts in a frame than allowed"
            if posts:
                line = self._posting_line(now)
                line.frames += 1
                for post in posts:
                    self._post(post, line, session, now)

    def _posting_line(self, now: Now) -> Line:
        line = self.line
        assert line is not None, "posted without a connection"
        assert line.login_at is not None, "posted while the login stream is not open"
        assert not self.stopped, "posted after Stop"
        assert now.mono < self.may_post_until, "posted past the lease"
        return line

    def _post(self, message: dict[str, Any], line: Line, session: str, now: Now) -> None:
        key = (message["Key"]["Service"], message["Key"]["Name"])
        post = Sent(message["PostID"], key, message["Message"]["Fields"], now.mono, line.frames)
        assert key[1] not in self.paused, f"posted {key[1]}, which is paused"
        self._check_service(key[0], line, now)
        self._check_values(post)
        assert 1 <= post.post_id <= LAST_POST_ID, f"PostID {post.post_id}"
        waiting = [other for other in line.open if not self._is_over(other, line, now)]
        assert post.post_id not in {other.post_id for other in waiting}, f"PostID {post.post_id} is outstanding"
        assert key not in {other.key for other in waiting}, f"a second unanswered post of {key}"
        assert len(waiting) < self.max_outstanding, "more posts outstanding than allowed"
        line.open.append(post)
        self._by_name[session, post.post_id] = post
        self._posts.append(post)

    @staticmethod
    def _check_service(service: str, line: Line, now: Now) -> None:
        if line.up is not None:
            assert line.up.get(service), f"posted while {service} is not Up"
        else:
            assert now.mono >= (line.login_at or 0.0) + DIRECTORY_TIMEOUT - _EPSILON, "posted before a service is Up"

    def _check_values(self, post: Sent) -> None:
        assert post.values, "a post without fields"
        for name, version in post.values.items():
            record = self.made[version]
            assert record.key == post.key, "a value of another record"
            assert record.partition in self.postable, f"posted a price of {record.partition}, which is going or gone"
            self._not_older((*post.key, name), version)
        self._not_older(post.key, post.newest)
        assert self.conflate or len(set(post.values.values())) == 1, "merged although prices are not conflated"

    def _not_older(self, index: tuple[str, ...], version: int) -> None:
        before = self._newest.get(index, 0)
        assert version >= before, f"{index}: {version} on the wire after {before}"
        self._newest[index] = version

    @staticmethod
    def _is_over(post: Sent, line: Line, now: Now) -> bool:
        """Whether the engine may stop waiting: too late, or taken along by an Error in its frame, as silence proves."""
        if now.mono >= post.mono + ACK_TIMEOUT - _EPSILON:
            return True
        if post.doubt is None:
            return False
        return now.mono >= post.doubt + DROP_GRACE - _EPSILON or line.answered_frame > post.frame

    def answer(self, post: Sent, line: Line, kind: str) -> None:
        """The engine is about to be told what became of a post."""
        post.answer = kind
        line.open.remove(post)
        line.closed.append(post)
        line.answered_frame = max(line.answered_frame, post.frame)

    @staticmethod
    def doubt(line: Line, culprit: Sent | None, now: Now) -> None:
        """An Error: what followed the culprit in its frame may be gone; without a name, it may be any."""
        for post in line.open:
            if post.doubt is None and (culprit is None or post.frame == culprit.frame):
                post.doubt = now.mono

    # The results

    def written(self, results: Iterable[dict[str, Any]], commits: dict[Partition, Commit]) -> None:
        """A transaction is durable: what it says and what it commits are the same."""
        for result in results:
            source = result["source"]
            place = (Partition(source["topic"], source["partition"]), source["offset"])
            assert place not in self.results, f"a second result of {place}"
            self.results[place] = result
            self._check_truth(result, next(r for r in self.logs[place[0]] if r.offset == place[1]))
        self.commits |= commits
        for partition, commit in commits.items():
            self._check_commit(partition, commit)

    def _check_commit(self, partition: Partition, commit: Commit) -> None:
        above = read_commit(commit).whole
        said = {r.offset for r in self.logs[partition] if r.offset < commit.offset or r.offset in above}
        assert said == {offset for at, offset in self.results if at == partition}, f"{partition}: {commit} is not true"
        assert not above or max(above) - commit.offset < self.span, f"{partition}: ran too far ahead"

    def _check_truth(self, result: dict[str, Any], record: Made) -> None:
        """An answer in a result is the one that was given to that post."""
        post = None
        own = [sent for sent in self._posts[self._since[record.partition] :] if sent.newest == record.version]
        for entry in result["posts"]:
            post = self._by_name.get((entry["session"], entry["post_id"]))
            assert post is not None, f"a post that never was: {entry}"
            if post in own:
                own.remove(post)
            if entry["answer"] in ("ACK", "NAK"):
                assert post.answer == entry["answer"], f"an answer that was not given: {entry}"
        assert not own, f"{own} is not in its result {result}"
        status = result["status"]
        if status == "SUPPRESSED":
            assert record.key is not None, f"suppressed without a RIC: {result}"
            paused = result["code"] == "Paused"
            assert record.key[1] in self._ever_paused if paused else record.key in RULED_KEYS, f"why so? {result}"
            assert not result["posts"], f"suppressed and posted: {result}"
        if status == "CONFLATED":
            self._check_carrier(record, result["carried_by"])
        if status in ("ACK", "NAK"):
            assert post is not None, f"an answer without a post: {result}"
            assert result["posts"][-1]["answer"] == status, f"not what the last post got: {result}"
        if status == "ACK":
            assert post is not None
            assert record.version == post.newest, f"not the post of this price: {result}"
            assert result["fields"] == post.values, f"fields that were not posted: {result}"

    def _check_carrier(self, record: Made, source: dict[str, Any]) -> None:
        """Merged into a newer price of its instrument."""
        carrier = next(r for r in self.logs[record.partition] if r.offset == source["offset"])
        assert source["partition"] == record.partition.number
        assert (carrier.key, carrier.version > record.version) == (record.key, True), f"{record} CONFLATED by {carrier}"

    @property
    def missing(self) -> list[Made]:
        """Records without a result."""
        return [made for made in self.made.values() if (made.partition, made.offset) not in self.results]
