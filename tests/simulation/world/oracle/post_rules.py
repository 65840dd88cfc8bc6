"""The oracle's law on sending posts: one at a time, only what and while it may be posted, within bounds."""

from collections.abc import Callable
from typing import Any

from tests.simulation.world.environment.fed_records import Part, PartKey
from tests.simulation.world.environment.sim_mappings import RULES_FIELD
from tests.simulation.world.environment.venue import RETRYABLE
from tests.simulation.world.oracle.blank_rules import BlankRules
from tests.simulation.world.oracle.evidence import (
    Complain,
    ProcessEvidence,
    SeenAnswer,
    SeenPost,
    WireEvidence,
    posts_in,
    versions,
)
from tests.simulation.world.oracle.history import History
from tests.simulation.world.oracle.isolation_rules import IsolationRules
from tests.simulation.world.plan import Plan

from contribd.engine.records.offsets import Partition

_EPSILON = 1e-6
DIRECTORY_TIMEOUT = 5.0
"""Seconds after the login from which an ADS that sends no source directory is posted to without it."""

DROP_GRACE = 1.0
"""Seconds of silence after an Error that prove that it took its frame mates with it."""

LARGEST_POST_ID = 4_294_967_295
"""A PostID has 32 bits without a sign. Servers answer 2**32 as 0: an Ack of 0 could be anybody's."""


class PostRules:
    """Judges every post when the daemon decides to send it."""

    def __init__(
        self,
        plan: Plan,
        history: History,
        owners: dict[Partition, str],
        settled: Callable[[PartKey], bool],
        blanks: BlankRules,
        complain: Complain,
    ) -> None:
        """``owners``: which member the group gave each partition to, as the group itself knows it.

        ``settled``: whether a part's result is durable.
        """
        self._plan = plan
        self._owners = owners
        self._history = history
        self._settled = settled
        self._blanks = blanks
        self._complain = complain
        self._isolation = IsolationRules(plan, complain)
        self.wraps = 0
        """PostIDs that began again."""

    def posting(
        self, process: ProcessEvidence, wire: WireEvidence, text: bytes, mono: float, wall: int
    ) -> list[SeenPost]:
        """A frame the daemon decided to send."""
        found = posts_in(text)
        if not found:
            wire.unhanded.append([])
            return []
        wire.frames += 1
        if len(found) > self._plan.pack or len(text) > wire.max_size:
            self._complain("frame too large", f"{len(found)} posts, {len(text)} bytes", process.name)
        posts = [self._post(process, wire, message, mono, wall, len(text)) for message in found]
        wire.unhanded.append(posts)
        self._check_rate(process, len(posts), mono)
        return posts

    def _post(
        self, process: ProcessEvidence, wire: WireEvidence, message: dict[str, Any], mono: float, wall: int, size: int
    ) -> SeenPost:
        inner = message["Message"]
        values = versions(inner["Fields"])
        key = message["Key"]
        blanks = frozenset(name for name, value in inner["Fields"].items() if value is None)
        if inner["Key"] != key or not (values or blanks):
            self._complain("malformed post", str(message)[:300], key)
        if blanks and len(blanks) < len(inner["Fields"]):
            self._complain("3: a withdrawal is merged with prices", str(message)[:300], key["Name"])
        post = SeenPost(
            process,
            wire,
            message["PostID"],
            key["Name"],
            key["Service"],
            inner["Type"],
            values,
            blanks,
            max(values.values(), default=0),
            mono,
            wall,
            wire.frames,
            size,
            rules=inner["Fields"].get(RULES_FIELD),
        )
        self._check_session(post)
        self._check_alone(post)
        if values:
            quotes = self._blanks.quotes
            post.again = quotes.wanted and all(self._settled(post.key(version)) for version in values.values())
            if post.again:
                quotes.once_more(post)
            self._check_content(post)
            self._blanks.priced(post)
        else:
            self._blanks.posting(post, process.last.get((post.service, post.ric)))
            self._check_withdrawal_owned(post)
        self._isolation.posting(post, process.last.get((post.service, post.ric)))
        self._check_id(post)
        self._count(post, process.last.get((post.service, post.ric)))
        wire.posts[post.post_id] = wire.outstanding[post.post_id] = post
        self._check_outstanding(post)
        process.last[post.service, post.ric] = post
        if not post.again:
            self._carry(post)
        return post

    def _carry(self, post: SeenPost) -> None:
        """The results of these have to tell of it."""
        process = post.process
        for version in sorted(set(post.values.values())):
            if self._plan.keyed and version != post.newest:
                continue
            process.told_by.setdefault(post.key(version), []).append(post)
        for version in post.values.values():
            process.carried[post.key(version)] = post.mono

    def _count(self, post: SeenPost, before: SeenPost | None) -> None:
        """Which try it is; one that came too late was no answer."""
        if before is None or self._answered(before):
            return
        post.tries = before.tries + 1

    def _may_be_followed(self, answer: SeenAnswer) -> bool:
        """Whether it is a NAK after which the same is posted again, or the item is created."""
        missing = self._plan.create_missing and (answer.code == "SymbolUnknown" or "nknown" in (answer.text or ""))
        return answer.kind == "NAK" and (missing or answer.code in RETRYABLE)

    def _answered(self, post: SeenPost) -> bool:
        answer = post.answer
        if answer is None or self._may_be_followed(answer):
            return False
        return post.suspect_at is None and answer.mono < post.mono + self._plan.ack_timeout - _EPSILON

    def _check_id(self, post: SeenPost) -> None:
        process = post.process
        if not 1 <= post.post_id <= LARGEST_POST_ID:
            self._complain("PostID out of range", str(post), post.ric)
        if post.post_id in post.wire.outstanding:
            self._complain("PostID in use", str(post), post.ric)
        self.wraps += post.post_id < process.last_id
        process.last_id = post.post_id

    def _check_session(self, post: SeenPost) -> None:
        wire, process = post.wire, post.process
        if process.stopping_at is not None and post.mono > process.stopping_at and not post.blanks:
            self._complain("posted while stopping", str(post), post.ric)
        if not wire.login_open or wire.ended:
            self._complain("4: posted while the login stream is not open", str(post), post.ric)
        if wire.directory:
            if not wire.is_up(post.service):
                self._complain("4: posted while the service is not Up", str(post), post.ric)
        elif post.mono < wire.login_at + DIRECTORY_TIMEOUT - _EPSILON:
            self._complain("4: posted before the service is known to be Up", str(post), post.ric)

    def _check_alone(self, post: SeenPost) -> None:
        before = post.process.last.get((post.service, post.ric))
        if before is not None and not self.is_over(before, post.mono):
            self._complain("3: a second post of the RIC while one is unanswered", f"{post} after {before}", post.ric)

    def is_over(self, post: SeenPost, mono: float) -> bool:
        """Whether the daemon may count a post as no longer in flight."""
        if post.answer is not None or post.wire.ended or post.forgotten:
            return True
        if mono >= post.mono + self._plan.ack_timeout - _EPSILON:
            return True
        suspect = post.suspect_at
        if suspect is None:
            return False
        return mono >= suspect + DROP_GRACE - _EPSILON or post.wire.answered_frame > post.frame

    def _check_content(self, post: SeenPost) -> None:
        for name, version in post.values.items():
            part = self._history.part(post.key(version), post.process.mapping)
            if part is None or name not in part.fields:
                self._complain("a value of another record", f"{post}: {name}", post.ric)
                return
            if part.rejected is not None:
                self._complain("posted what cannot be mapped", f"{post}: {part}, {part.rejected}", post.ric)
            if self._settled(part.key) and not post.again:
                self._complain("1: posted a record that has its result", f"{post}: {part}", post.ric)
            self._check_age(post, part)
            self._check_owned(post, Partition("prices", part.partition))
        if not self._plan.conflate and len(set(post.values.values())) > 1 and not post.again:
            self._complain("3: merged although prices are not conflated", str(post), post.ric)
        newest = self._history.part(post.key(post.newest), post.process.mapping)
        if post.type == "Refresh" and not self._refresh_due(post):
            self._complain("a Refresh nobody asked for", str(post), post.ric)
        if newest is not None and newest.refresh and post.type != "Refresh":
            self._complain("an Update where the mapping says Refresh", str(post), post.ric)

    def _check_owned(self, post: SeenPost, partition: Partition) -> None:
        if partition not in post.process.owned:
            self._complain("2: posted a price of a partition that was taken away", str(post), post.ric)
        if not self.owns(post.process, partition):
            text = f"{post}; {partition} is {self._owners[partition]}'s"
            self._complain("2: posted a price of a partition another member owns", text, post.ric)

    def owns(self, process: ProcessEvidence, partition: Partition) -> bool:
        """Whether the group has given the partition to this process."""
        return self._owners[partition].partition("#")[0] == process.name

    def _check_withdrawal_owned(self, post: SeenPost) -> None:
        partitions = () if post.blanking is None else post.blanking.partitions
        if len(partitions) == 1:
            self._check_owned(post, *partitions)

    def _check_age(self, post: SeenPost, part: Part) -> None:
        max_age = self._plan.max_age
        if max_age is not None and 0 <= part.timestamp < (post.wall - max_age * 1e6) // 1000 - 1:
            self._complain("posted a price that is too old", f"{post}: {part}", post.ric)

    def _refresh_due(self, post: SeenPost) -> bool:
        """Whether a record it may carry is mapped to a Refresh, or the ADS said that the item does not exist."""
        key = (post.service, post.ric)
        return key in post.process.refused or any(
            part.refresh and (part.version <= post.newest or not self._plan.keyed) for part in self._history.of(*key)
        )

    def _check_outstanding(self, post: SeenPost) -> None:
        limit = self._plan.max_outstanding
        if len(post.wire.outstanding) <= limit:
            return
        for other in list(post.wire.outstanding.values()):
            if self.is_over(other, post.mono):
                del post.wire.outstanding[other.post_id]
        if len(post.wire.outstanding) > limit:
            self._complain("more posts outstanding than allowed", f"{len(post.wire.outstanding)} of {limit}", post.ric)

    def _check_rate(self, process: ProcessEvidence, posts: int, mono: float) -> None:
        rate = self._plan.max_rate
        if rate is None:
            return
        process.sent.extend([mono] * posts)
        while process.sent[0] < mono - 1:
            process.sent.popleft()
        if len(process.sent) > rate + max(1.0, rate * 0.05) + 1:
            self._complain("max_rate", f"{len(process.sent)} posts in a second", process.name)
