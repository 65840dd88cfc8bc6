"""The oracle's law on the posts that a result tells of: each was made, got the answer it says, and none is left out."""

from typing import Any

from tests.simulation.world.environment.fed_records import Part
from tests.simulation.world.oracle.evidence import Complain, ProcessEvidence, SeenAnswer, SeenPost, WireEvidence, stamp
from tests.simulation.world.plan import Plan

from contribd.engine.records.offsets import Partition

_EPSILON = 1e-6


class EntryRules:
    """Judges the entries of a result's ``posts``."""

    def __init__(self, plan: Plan, complain: Complain) -> None:
        self._plan = plan
        self._complain = complain

    def check(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        """Each post in the result happened, and each that happened is in it."""
        listed = []
        for entry in result["posts"]:
            wire = process.sessions.get(entry["session"])
            post = None if wire is None else wire.posts.get(entry["post_id"])
            if wire is None or post is None:
                self._complain("6: a post that never was", str(entry), part)
                return
            self._check_entry(part, entry, post, wire)
            listed.append(post)
        since = process.assigned_at[Partition("prices", part.partition)]
        own = [post for post in process.told_by.get(part.key, ()) if post.mono >= since]
        missing = [post for post in own if post not in listed]
        if not self._plan.keyed and result["status"] == "CONFLATED":
            missing = missing[1:]  # the one that its carrier tells of
        if missing:
            self._complain("2: a post is not in its result", f"{missing[0]}: {result}", part)

    def check_withdrawal(self, result: dict[str, Any], process: ProcessEvidence) -> None:
        """Each post that the result of a withdrawal tells of happened."""
        for entry in result["posts"]:
            wire = process.sessions[entry["session"]]
            post = wire.posts[entry["post_id"]]
            if entry["sent_at"] != stamp(post.wall) or entry["type"] != post.type:
                self._complain("6: a post of another withdrawal", f"{entry} {post}", post.ric)
            if not self._is_true(entry, post, wire):
                self._complain("6: an answer that was not given", f"{entry} {post}: {post.answer}", post.ric)

    def _check_entry(self, part: Part, entry: dict[str, Any], post: SeenPost, wire: WireEvidence) -> None:
        if (post.ric, post.service, post.type) != (part.ric, part.service, entry["type"]):
            self._complain("6: a post of another price", f"{entry} {post}", part)
        older = post.newest < part.version and self._plan.keyed
        if older or entry["sent_at"] != stamp(post.wall):
            self._complain("6: a post that did not carry the record", f"{entry} {post}", part)
        if not self._is_true(entry, post, wire):
            self._complain("6: an answer that was not given", f"{entry} {post}: {post.answer}", part)

    def _is_true(self, entry: dict[str, Any], post: SeenPost, wire: WireEvidence) -> bool:
        answer, said = post.answer, entry["answer"]
        if said in {"ACK", "NAK"}:
            return answer is not None and answer[:2] == (said, entry["code"]) and (answer.text or None) == entry["text"]
        if said == "ERROR":
            return _errored(answer, entry["text"], post, wire)
        if said == "LOST":
            return wire.ended and (answer is None or (entry["answered_at"] is None and _late(answer, post)))
        if answer is None or answer.mono >= post.mono + self._plan.ack_timeout - _EPSILON:
            return True
        return _late(answer, post)


def _errored(answer: SeenAnswer | None, text: str | None, post: SeenPost, wire: WireEvidence) -> bool:
    if answer is not None and answer.kind == "ERROR":
        return (answer.text or None) == (text or None)
    return any(mono >= post.mono and said == text for mono, said in wire.errors)


def _late(answer: SeenAnswer, post: SeenPost) -> bool:
    return post.suspect_at is not None and answer.mono >= post.suspect_at
