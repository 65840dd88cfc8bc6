"""The oracle's law on posts that may do harm: by themselves, and those without an answer not in everyone's way."""

from tests.simulation.world.oracle.evidence import Complain, SeenPost
from tests.simulation.world.plan import Plan

_EPSILON = 1e-6
GRACE = 1.0
"""Seconds after which a post that is not answered is not waited for any more."""

SHARE = 10
"""A tenth of the window is for instruments that are not answered."""


class IsolationRules:
    """Judges posts in runs where some instruments do harm and nothing else goes wrong: the cause is known then."""

    def __init__(self, plan: Plan, complain: Complain) -> None:
        self._plan = plan
        self._complain = complain
        self._lost: set[SeenPost] = set()
        """Posts of RICs whose last post was in flight when its session ended."""
        self._silent: set[SeenPost] = set()
        """Posts of RICs whose last post got no answer, while a later one did."""

    def posting(self, post: SeenPost, before: SeenPost | None) -> None:
        """A post, and the one before it of its RIC; it is not in ``outstanding`` yet."""
        if not self._plan.harm_alone:
            return
        if before is not None and before.answer is None:
            if before.wire is not post.wire:
                self._lost.add(post)
            elif self._passed_over(before):
                self._silent.add(post)
                self._check_share(post)
        self._check_by_itself(post)

    def _passed_over(self, post: SeenPost) -> bool:
        return post.passed_at is not None and post.passed_at < post.mono + self._plan.ack_timeout - _EPSILON

    def _check_share(self, post: SeenPost) -> None:
        silent = sum(other in self._silent and self._fresh(other, post) for other in post.wire.outstanding.values()) + 1
        if silent > -(-self._plan.max_outstanding // SHARE):
            self._complain("too many posts of RICs that are not answered", f"{silent}: {post}", post.ric)

    def _check_by_itself(self, post: SeenPost) -> None:
        for other in post.wire.outstanding.values():
            if post.mono >= other.mono + GRACE - _EPSILON or (post in self._lost and other in self._lost):
                continue
            if post in self._lost or other in self._lost:
                self._complain("what may have ended a session is posted beside others", f"{post} {other}", post.ric)

    def _fresh(self, other: SeenPost, post: SeenPost) -> bool:
        """Whether it is still in flight."""
        return post.mono < other.mono + self._plan.ack_timeout - _EPSILON
