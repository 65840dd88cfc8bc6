"""The oracle's law on harm: an instrument whose posts do harm, or get no answer, does it to itself alone."""

from collections.abc import Callable

from tests.simulation.world.environment.record_feed import Produced
from tests.simulation.world.oracle.evidence import Complain
from tests.simulation.world.plan import Plan

JOINED = 12.0
"""Seconds from the start of a run by which its daemon posts."""

LATE = 5.0
"""Seconds within which the result of a record is durable, whatever becomes of another instrument's posts: twice what
takes longest where nothing goes wrong at all."""

PACE = 2.0
"""Seconds between two sessions that end, on average; the longest wait of an offender is twice that here."""

AT_FIRST = 6
"""Sessions that may end before it is clear who does harm, and while the waits are short."""


class StarvationRules:
    """Judges when results come, in runs where some instruments do harm and nothing else goes wrong."""

    def __init__(self, plan: Plan, complain: Complain) -> None:
        self._plan = plan
        self._complain = complain
        self._open: dict[int, tuple[Produced, float]] = {}
        self._sessions = 0
        self._ended = not plan.harm_alone
        self._known_by = JOINED + 4 * plan.ack_timeout if plan.harm == "silent" else JOINED

    def produced(self, record: Produced, mono: float) -> None:
        """A record of the prices topic."""
        if not self._ended:
            self._open[record.version] = record, max(mono, self._known_by)

    def logged_in(self) -> None:
        """A session was made."""
        self._sessions += 1
        if not self._ended and self._sessions > AT_FIRST + self._plan.spread / PACE:
            self._complain(
                "an instrument that does harm ends a session again and again", f"{self._sessions} sessions", None
            )

    def settled(self, settled: Callable[[Produced], bool], mono: float) -> None:
        """A transaction is durable."""
        if not self._ended:
            for record, since in [entry for entry in self._open.values() if settled(entry[0])]:
                self._judge(record, mono - since)
                del self._open[record.version]

    def end(self, mono: float) -> None:
        """No instrument does harm any more."""
        if not self._ended:
            for record, since in self._open.values():
                self._judge(record, mono - since)
        self._ended = True

    def _judge(self, record: Produced, lag: float) -> None:
        limit = self._own_limit() if record.ric in self._plan.harmful else LATE
        if lag > limit:
            self._complain("an instrument that does harm holds results up", f"{lag:.3f} s: {record}", record)

    def _own_limit(self) -> float:
        """Its own prices wait for the one in flight, and then for its tries; where each is posted, without end."""
        plan = self._plan
        if not plan.conflate or plan.harm == "silent":
            return float("inf")
        return 2 * plan.attempts * 4.0 + LATE
