"""The oracle's law on harm: an instrument whose posts do harm, or get no answer, does it to itself alone."""

from collections.abc import Callable

from tests.simulation.world.environment.fed_records import Part, PartKey, Produced
from tests.simulation.world.oracle.evidence import Complain
from tests.simulation.world.plan import Plan

JOINED = 12.0
"""Seconds from the start of a run by which its daemon posts."""

LATE = 5.0
"""Seconds within which the result of a record is durable, whatever becomes of another instrument's posts: twice what
takes longest where nothing goes wrong at all."""

EACH = 0.5
"""Seconds for each older price of the same RIC, where prices are not conflated: its answer, and the transaction that
makes its result durable."""

PACE = 2.0
"""Seconds between two sessions that end, on average; the longest wait of an offender is twice that here."""

AT_FIRST = 6
"""Sessions that may end before it is clear who does harm, and while the waits are short."""


class StarvationRules:
    """Judges when results come, in runs where some instruments do harm and nothing else goes wrong.

    Of a record with several parts each is judged by itself: one that has to wait is in nobody's way.
    """

    def __init__(self, plan: Plan, complain: Complain) -> None:
        self._plan = plan
        self._complain = complain
        self._open: dict[PartKey, tuple[Part, float, float]] = {}
        """Parts without a durable result, since when they may have one, and how long they may take."""
        self._sessions = 0
        self._ended = not plan.harm_alone
        self._known_by = JOINED + 4 * plan.ack_timeout if plan.harm == "silent" else JOINED

    def produced(self, record: Produced, mono: float) -> None:
        """A record of the prices topic; all processes of such a run have the same mapping."""
        if not self._ended:
            since = max(mono, self._known_by)
            self._open |= {key: (part, since, self._limit(part)) for key, part in record.made(0).items()}

    def logged_in(self) -> None:
        """A session was made."""
        self._sessions += 1
        if not self._ended and self._sessions > AT_FIRST + self._plan.spread / PACE:
            self._complain(
                "an instrument that does harm ends a session again and again", f"{self._sessions} sessions", None
            )

    def settled(self, settled: Callable[[PartKey], bool], mono: float) -> None:
        """A transaction is durable."""
        if not self._ended:
            for part, since, limit in [entry for key, entry in self._open.items() if settled(key)]:
                self._judge(part, mono - since, limit)
                del self._open[part.key]

    def end(self, mono: float) -> None:
        """No instrument does harm any more."""
        if not self._ended:
            for part, since, limit in self._open.values():
                self._judge(part, mono - since, limit)
        self._ended = True

    def _limit(self, part: Part) -> float:
        if part.ric in self._plan.harmful:
            return self._own_limit()
        return LATE if self._plan.conflate else LATE + self._ahead(part) * EACH

    def _ahead(self, part: Part) -> int:
        """How many of its RIC have no result yet: where each is posted, they go one after the other."""
        return sum((one.service, one.ric) == (part.service, part.ric) for one, _, _ in self._open.values())

    def _judge(self, part: Part, lag: float, limit: float) -> None:
        if lag > limit:
            self._complain("an instrument that does harm holds results up", f"{lag:.3f} s: {part}", part)

    def _own_limit(self) -> float:
        """Its own prices wait for the one in flight, and then for its tries; where each is posted, without end.

        Its RIC does harm in each service, and between two tries of one instrument comes one of each other.
        """
        plan = self._plan
        if not plan.conflate or plan.harm == "silent":
            return float("inf")
        return 2 * plan.attempts * plan.services * 4.0 + LATE
