"""Daemons without a rule of what an answer means, of trying again, and of what results tell of it."""

from typing import Any

from tests.simulation.world.mutant import Mutant, around

from contribd.engine import verdicts as verdicts_module
from contribd.engine.contributor import Contributor
from contribd.engine.price import Reply, Status
from contribd.engine.suspects import Suspects
from contribd.engine.verdicts import Verdicts
from contribd.engine.window import Window


def _any_answer_matches(original: Any, self: Window, post_id: int) -> Any:
    flight = original(self, post_id)
    oldest = self.oldest()
    return flight if flight is not None or oldest is None else original(self, oldest.post_id)


def _suspicion_is_proof(original: Any, self: Suspects, *args: Any) -> Any:
    return original(self, *args[:-1], 0.0)


def _mates_are_refused(_original: Any, self: Contributor, now: Any, answered_frame: int = 0) -> None:
    for flight, _, text in self._suspects.proven(self.window, now.mono, answered_frame):
        self._verdicts.finish(flight, Status.ERROR, Reply.ERROR, None, text, now)


def _lost_is_acked(_original: Any, self: Verdicts, flight: Any, reply: Reply, text: str, now: Any, **_: Any) -> None:
    self.finish(flight, Status.ACK, reply, None, text, now)


def _refused_is_acked(_original: Any, self: Verdicts, flight: Any, _code: str, text: str, now: Any) -> None:
    self.finish(flight, Status.ACK, Reply.ACK, None, text, now)


def _gives_up_at_once(_original: Any, self: Verdicts, flight: Any, reply: Reply, text: str, now: Any, **_: Any) -> None:
    self.finish(flight, Status.UNANSWERED, reply, None, text, now)


def _tries_are_forgotten(original: Any, self: Verdicts, flight: Any, *args: Any) -> Any:
    for price in flight.group:
        price.attempts = None
    return original(self, flight, *args)


def _mates_know_nothing(original: Any, self: Verdicts, flight: Any, *args: Any) -> None:
    mates = [(price, list(price.attempts or ())) for price in flight.group[:-1]]
    original(self, flight, *args)
    for price, attempts in mates:
        price.attempts = attempts or None


def _carried_by_itself(original: Any, price: Any, *said: Any) -> Any:
    *others, carried_by = said
    return original(price, *others, None if carried_by is None else price)


def _session_of_before(_original: Any, self: Verdicts, endpoint: str, session: str) -> None:
    self._endpoint = endpoint
    self._session = self._session or session


def _no_timeouts(_original: Any, _self: Window) -> None:
    return None


def _own_fields_only(original: Any, price: Any, *said: Any) -> Any:
    *others, _fields, carried_by = said
    return original(price, *others, None, carried_by)


MUTANTS = [
    Mutant("an answer belongs to the post it names", [around(Window, "pop", _any_answer_matches)]),
    Mutant(
        "frame mates count as dropped after a grace only",
        [around(Suspects, "after_error", _suspicion_is_proof)],
        2_000,
    ),
    Mutant(
        "frame mates of an Error are posted again", [around(Contributor, "_resend_dropped", _mates_are_refused)], 500
    ),
    Mutant("a lost post is not acked", [around(Verdicts, "again", _lost_is_acked)]),
    Mutant("a NAK is not an ACK", [around(Verdicts, "refused", _refused_is_acked)]),
    Mutant("unanswered posts are tried again", [around(Verdicts, "again", _gives_up_at_once)]),
    Mutant("unanswered posts time out", [around(Window, "oldest", _no_timeouts)]),
    Mutant("every try is in the result", [around(Verdicts, "_note", _tries_are_forgotten)]),
    Mutant("a merged price knows of the tries it was in", [around(Verdicts, "retry", _mates_know_nothing)], 2_000),
    Mutant("CONFLATED names the carrier", [around(verdicts_module, "settle", _carried_by_itself)]),
    Mutant("a result has the fields as posted", [around(verdicts_module, "settle", _own_fields_only)]),
    Mutant("a post names its session", [around(Verdicts, "session_opened", _session_of_before)]),
    Mutant("a missing item is created", [(verdicts_module, "_says_missing", lambda *_: False)], 500),
    Mutant("only a missing item is created", [(verdicts_module, "_says_missing", lambda *_: True)]),
]
