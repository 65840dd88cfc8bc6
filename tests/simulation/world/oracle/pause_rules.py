"""The oracle's law on orders: what is paused is not posted, each of its records is SUPPRESSED, and nothing else is."""

import json
from collections.abc import Callable, Collection
from typing import Any

from tests.simulation.world.environment.fed_records import Part
from tests.simulation.world.environment.schedule import MICROSECOND, Schedule
from tests.simulation.world.oracle.evidence import Complain, ProcessEvidence, SeenPost, at
from tests.simulation.world.oracle.history import History
from tests.simulation.world.oracle.pause_evidence import Given, PauseEvidence, What, covers, number_in
from tests.simulation.world.order_plan import OrdersPlan

from contribd.streams.client.port import OrderRecord

_EPSILON = 2 * MICROSECOND

HERE_ALONE = "in this instance; the others take the order once it is written"
"""In the answer to a pause that holds in its instance and could not be written in time."""


OLDER = "a newer price of its RIC is paused, which may have been posted before, and this one merged with it"
"""The text of a price that is SUPPRESSED with a newer one."""


class PauseRules:
    """Hears of every order, and judges posts and results by those in force."""

    def __init__(
        self,
        orders: OrdersPlan | None,
        schedule: Schedule,
        history: History,
        note: Callable[[str, str], None],
        complain: Complain,
    ) -> None:
        self._topic, self._approvals = (orders.topic, orders.approvals) if orders is not None else (False, 1)
        self._evidence = PauseEvidence(topic=self._topic, approvals=self._approvals)
        self._schedule = schedule
        self._history = history
        self._note = note
        self._complain = complain
        self.suppressed = 0
        """Results that say so."""

    # Orders

    def given(self, given: Given) -> None:
        """Somebody gives an order."""
        self._evidence.given(given)
        self._note(given.process, f"{given.reason}: {'pause' if given.pauses else 'resume'} {given.what}, {given.uid}")

    def taken(self, process: str, reason: str) -> None:
        """The worker hears an order."""
        self._evidence.taken(process, number_in(reason), self._schedule.mono)

    def answered(self, given: Given, text: str, *, done: bool) -> None:
        """An order has its answer."""
        given.open = False
        self._note(given.process, f"{given.reason} {'holds' if done else 'does not hold'}: {text}")
        evidence = self._evidence
        if self._topic and done and given.pauses and not evidence.is_written(given):
            self._complain("9: a pause that others cannot know of is said to hold", f"{given}: {text}", None)
        if given.pauses and (done or HERE_ALONE in text):
            evidence.holds(given, self._schedule.mono, everywhere=done)
        if given.calm and not done and "has stopped" not in text and not self._is_overruled(given):
            self._complain("9: an order that does not hold", f"{given}: {text}", None)

    def _is_overruled(self, given: Given) -> bool:
        """Whether a pause was resumed before it was answered, or what was to be resumed is paused by another order."""
        evidence = self._evidence
        if given.pauses:
            return evidence.has_ended(given)
        return given.what in evidence.whats(evidence.stands.agreed) | evidence.paused_here(given.process)

    def appended(self, record: OrderRecord) -> None:
        """A record stands in the control topic."""
        self._note("orders", f"{record.offset}: {(record.value or b'').decode()}")
        told: dict[str, Any] = json.loads(record.value or b"{}")
        ended = self._evidence.appended(record.value, self._schedule.mono)
        if told["kind"] != "resume":
            return
        given = self._evidence.order(number_in(told["why"]))
        if given.pauses or (told["uid"], told["needs"]) != (given.uid, self._approvals):
            self._complain("9: a record that says something else than was ordered", f"{given}: {told}", None)
        for number in ended:
            pause = self._evidence.order(number)
            if pause.what != given.what or number > given.number:
                self._complain("9: a pause is ended that was ordered later, or is of something else", f"{told}", None)

    def followed(self, process: str, records: Collection[OrderRecord]) -> None:
        """The worker hears of records of the control topic."""
        for record in records:
            self._evidence.followed(process, record.value, self._schedule.mono)

    def unanswered(self, process: str) -> bool:
        """Whether an order that a process was given has no answer yet."""
        return any(given.process == process for given in self._evidence.unanswered())

    def unwritten(self, process: str) -> bool:
        """Whether a pause that was ordered at a process does not stand in the topic."""
        return self._evidence.unwritten(process)

    def ended(self, process: str) -> None:
        """A process is gone: whoever gave it orders waits no more."""
        for given in self._evidence.unanswered():
            if given.process == process:
                given.open = False

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for an answer."""
        return any(True for _ in self._evidence.unanswered())

    def idle(self, process: str, in_force: set[What]) -> None:
        """All is over: what is in force in a process is what stands in the topic."""
        evidence = self._evidence
        expected = evidence.whats(evidence.stands.agreed) if self._topic else evidence.paused_here(process)
        if in_force != expected:
            self._complain("9: an order did not arrive", f"{in_force} in {process}, and {expected} is ordered", None)

    # Posts

    def posting(self, post: SeenPost) -> None:
        """A post is decided on, or bytes of one are handed to the socket."""
        if not self._evidence.certain:
            return
        for version in set(post.values.values()):
            part = self._history.part(post.key(version), post.process.mapping)
            what = None if part is None else self._evidence.certainly(post.process.name, part, self._schedule.mono)
            if what is not None:
                self._complain("9: posted what is paused", f"{what}: {post}", post.ric)

    # Results

    def may_be_paused(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> bool:
        """Whether a pause may have ended its tries: of itself, or of a newer price of its RIC."""
        if not self._evidence.may:
            return False
        history, monos = self._history, self._schedule.monos_of(at(result["settled_at"]))
        newer = [other for other in history.siblings(part) if history.after(other, part)]
        return any(self._evidence.possibly(process.name, other, mono) for other in (part, *newer) for mono in monos)

    def result(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        """A result is durable."""
        settled = self._schedule.monos_of(at(result["settled_at"]))
        if result["status"] == "SUPPRESSED":
            self.suppressed += 1
            self._check_suppressed(part, result, process, settled)
            return
        consumed = self._schedule.monos_of(at(result["consumed_at"]))
        if len(settled) != 1 or len(consumed) != 1 or not part.posted:
            return
        # A result is stamped in whole microseconds: in the one in which a pause ends, it may have come after that.
        since = self._evidence.known_since(process.name, part, settled[0] + MICROSECOND)
        if since is None:
            return
        if consumed[0] > since + _EPSILON:
            self._complain("9: not SUPPRESSED although it is paused", str(result), part)
        if settled[0] > since + _EPSILON and not result["posts"] and result["status"] != "CONFLATED":
            self._complain("9: not SUPPRESSED although it was paused", str(result), part)

    def _check_suppressed(
        self, part: Part, result: dict[str, Any], process: ProcessEvidence, settled: list[float]
    ) -> None:
        if result["code"] != "Paused" or result["posts"] or not part.posted:
            self._complain("9: SUPPRESSED without a reason", str(result), part)
        if result["text"] == OLDER:
            self._check_older(part, result, process, settled)
            return
        number, may = number_in(result["text"]), self._evidence.may
        what = self._evidence.order(number).what
        known = any(may.within(process.name, number, mono) for mono in settled)
        if not covers(what, part) or not known:
            self._complain("9: SUPPRESSED although it is not paused", str(result), part)

    def _check_older(self, part: Part, result: dict[str, Any], process: ProcessEvidence, settled: list[float]) -> None:
        """A newer price was paused in this process, by the time that this one had come and was not posted."""
        history = self._history
        newer = [other for other in history.siblings(part) if history.after(other, part)]
        until = max(settled, default=0.0) + MICROSECOND
        if not any(self._evidence.was_paused(process.name, other, until) for other in newer):
            self._complain("9: SUPPRESSED although no newer price is paused", str(result), part)
