"""Daemons without a rule of what an answer means, of trying again, and of what results tell of it."""

from typing import Any

from tests.simulation.world.mutants.mutant import Mutant, around

from contribd.engine.posts import outcomes as outcomes_module
from contribd.engine.posts.contributor import Contributor
from contribd.engine.posts.error_attribution import ErrorAttribution
from contribd.engine.posts.in_flight import InFlightPosts
from contribd.engine.posts.outcomes import Outcomes
from contribd.engine.records.price import Reply, Status


def _any_answer_matches(original: Any, self: InFlightPosts, post_id: int) -> Any:
    post = original(self, post_id)
    oldest = self.oldest()
    return post if post is not None or oldest is None else original(self, oldest.post_id)


def _suspicion_is_proof(original: Any, self: ErrorAttribution, *args: Any) -> Any:
    return original(self, *args[:-1], 0.0)


def _mates_are_refused(_original: Any, self: Contributor, now: Any, answered_frame: int = 0) -> None:
    for post, _, text in self._attribution.take_dropped(self.in_flight, now.mono, answered_frame):
        self._outcomes.finish(post, Status.ERROR, Reply.ERROR, None, text, now)


def _lost_is_acked(_original: Any, self: Outcomes, post: Any, reply: Reply, text: str, now: Any, **_: Any) -> None:
    self.finish(post, Status.ACK, reply, None, text, now)


def _refused_is_acked(_original: Any, self: Outcomes, post: Any, _code: str, text: str, now: Any) -> None:
    self.finish(post, Status.ACK, Reply.ACK, None, text, now)


def _gives_up_at_once(_original: Any, self: Outcomes, post: Any, reply: Reply, text: str, now: Any, **_: Any) -> None:
    self.finish(post, Status.UNANSWERED, reply, None, text, now)


def _tries_are_forgotten(original: Any, self: Outcomes, post: Any, *args: Any) -> Any:
    for price in post.group:
        price.attempts = None
    return original(self, post, *args)


def _mates_know_nothing(original: Any, self: Outcomes, post: Any, *args: Any) -> None:
    mates = [(price, list(price.attempts or ())) for price in post.group[:-1]]
    original(self, post, *args)
    for price, attempts in mates:
        price.attempts = attempts or None


def _carried_by_itself(original: Any, price: Any, *said: Any) -> Any:
    *others, carried_by = said
    return original(price, *others, None if carried_by is None else price)


def _session_of_before(_original: Any, self: Outcomes, endpoint: str, session: str) -> None:
    self._endpoint = endpoint
    self._session = self._session or session


def _no_timeouts(_original: Any, _self: InFlightPosts) -> None:
    return None


def _own_fields_only(original: Any, price: Any, *said: Any) -> Any:
    *others, _fields, carried_by = said
    return original(price, *others, None, carried_by)


MUTANTS = [
    Mutant("an answer belongs to the post it names", [around(InFlightPosts, "pop", _any_answer_matches)]),
    Mutant(
        "frame mates count as dropped after a grace only",
        [around(ErrorAttribution, "after_error", _suspicion_is_proof)],
        2_000,
    ),
    Mutant(
        "frame mates of an Error are posted again", [around(Contributor, "_resend_dropped", _mates_are_refused)], 500
    ),
    Mutant("a lost post is not acked", [around(Outcomes, "again", _lost_is_acked)]),
    Mutant("a NAK is not an ACK", [around(Outcomes, "refused", _refused_is_acked)]),
    Mutant("unanswered posts are tried again", [around(Outcomes, "again", _gives_up_at_once)]),
    Mutant("unanswered posts time out", [around(InFlightPosts, "oldest", _no_timeouts)]),
    Mutant("every try is in the result", [around(Outcomes, "_record_attempt", _tries_are_forgotten)]),
    Mutant("a merged price knows of the tries it was in", [around(Outcomes, "retry", _mates_know_nothing)], 2_000),
    Mutant("CONFLATED names the carrier", [around(outcomes_module, "settle", _carried_by_itself)]),
    Mutant("a result has the fields as posted", [around(outcomes_module, "settle", _own_fields_only)]),
    Mutant("a post names its session", [around(Outcomes, "session_opened", _session_of_before)]),
    Mutant("a missing item is created", [(outcomes_module, "_says_missing", lambda *_: False)], 500),
    Mutant("only a missing item is created", [(outcomes_module, "_says_missing", lambda *_: True)]),
]
