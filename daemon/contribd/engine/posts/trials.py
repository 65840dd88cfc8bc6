"""Trials: posts of instruments that may do harm, after everyone else's, with nothing else in flight.

Theory of operation
===================

A session that ends takes every in-flight post with it, and nobody says which of them ended it. So an instrument is
isolated by what became of its posts, and none of them goes beside others' until one is answered.

| state | what made it so | how it is posted |
|---|---|---|
| in doubt | in flight when a session ended | by trial, at once |
| offender | its trial ended a session | by trial, after a wait of its own and one that all offenders share |
| watched | an offender, answered since | by trial, once a second |
| silent | no answer in time | in a frame of its own, last; a tenth of the window is for all of them |

Its turn. All others are posted first. Then nothing is, until they are answered; then the trial goes; then nothing does,
until that is answered. Neither wait is longer than the grace: a post that was merely never answered is not waited for.
Then the others are posted again, before the next trial.

Several together. Where many are in doubt and each has a further attempt left, a trial takes a tenth of them. Blanks
of a stop do not wait: there is no later.

The verdict. A trial is to blame for the end of the session while it is in flight and nothing sent after it was
answered. Where it is of one instrument, and everything before it was answered or passed over, that one is convicted.

Cleared. By any answer. An offender is watched for a while more.
"""

from collections.abc import Callable

from contribd.engine.limits import OFFENDERS_LONGEST, SILENT_SHARE, TRIALS
from contribd.engine.policy import RetryPolicy
from contribd.engine.posts.in_flight import InFlightPost, InFlightPosts
from contribd.engine.records.instruments import Instrument, Instruments
from contribd.engine.states import InstrumentState, IsolationState


class Trials:
    """Whose turn it is among the isolated, and what the one in progress shows. Times are monotonic seconds."""

    def __init__(self, policy: RetryPolicy, instruments: Instruments, in_flight: InFlightPosts) -> None:
        self._policy = policy
        self._instruments = instruments
        self._in_flight = in_flight
        self.held_until = 0.0
        """Nothing is posted before; 0 where nothing is held."""
        self._turn = False
        """Posts are held for a trial, which goes before anything else once they are not."""
        self._posts: list[InFlightPost] = []
        """Those of the last trial that are not answered."""
        self._certain = False
        """Whether nothing that was sent before them could be to blame."""
        self._next_offender = 0.0
        self._in_a_row = 0
        self._share = 1
        """How many of those in doubt a trial takes."""
        self._silent: list[Instrument] = []
        """Silent instruments posted last; some may be in flight no longer."""

    def change_policy(self, policy: RetryPolicy) -> None:
        """What is decided from now on is decided by this one."""
        self._policy = policy

    # Who is next

    def wanted(self, is_up: Callable[[str], bool], mono: float) -> list[Instrument]:
        """Those that the next trial is of; none where none is due."""
        due = [instrument for instrument in self._instruments.trials if self._due_at(instrument) <= mono]
        due = [instrument for instrument in due if is_up(instrument.key[0])]
        new = [instrument for instrument in due if self._may_share(instrument)]
        if new:
            return new[: self._share]
        return min(([one] for one in due), key=_due_since, default=[])

    def _may_share(self, instrument: Instrument) -> bool:
        isolation = instrument.isolation
        return isolation is not None and isolation.losses <= 1 and instrument.tries + 1 < self._policy.attempts

    def _due_at(self, instrument: Instrument) -> float:
        isolation = instrument.isolation
        if isolation is None or instrument.is_stopping:
            return 0.0
        return max(isolation.not_before, self._next_offender) if isolation.convicted else isolation.not_before

    def next_silent(self, is_up: Callable[[str], bool]) -> Instrument | None:
        """A silent instrument that may be posted now; None where there is none, or too many are in flight."""
        if not self._instruments.silent:
            return None
        most = -(-self._in_flight.size // SILENT_SHARE)
        self._silent = [one for one in self._silent if one.state is InstrumentState.IN_FLIGHT]
        if len(self._silent) >= most:
            return None
        found = next((one for one in self._instruments.silent if is_up(one.key[0])), None)
        if found is not None:
            self._silent.append(found)
        return found

    def wake_at(self, mono: float) -> float | None:
        """When the next trial is due, None where that is not a matter of time."""
        times = (self.held_until, *map(self._due_at, self._instruments.trials))
        return min((at for at in times if at > mono), default=None)

    # Its course

    def hold(self, grace: float, mono: float) -> bool:
        """Whether a trial that is wanted has to wait for answers; then nothing more is posted meanwhile."""
        newest = self._in_flight.newest()
        if newest is None or mono >= newest.sent.mono + grace:
            return False
        self.held_until, self._turn = newest.sent.mono + grace, True
        return True

    def take_turn(self) -> bool:
        """Whether posts were held for a trial until now, and it goes before anything else."""
        turn, self._turn = self._turn, False
        return turn

    def begin(self, posts: list[InFlightPost], grace: float, mono: float, *, certain: bool) -> None:
        """A trial was sent. ``certain``: what was in flight before it is not to blame for what follows."""
        self._posts, self._certain = posts, certain
        self.held_until = mono + grace

    def answered(self, post: InFlightPost, grace: float, mono: float) -> None:
        """A post was answered while posts are held."""
        if self._turn:
            newest = self._in_flight.newest()
            over = newest is None or mono >= newest.sent.mono + grace
        else:
            self._posts = [other for other in self._posts if other is not post]
            over = not self._posts
        if over:
            self.held_until = 0.0

    def session_lost(self) -> None:
        """No post is in flight any more, and what is to be tried is known."""
        self._posts, self.held_until, self._turn = [], 0.0, False
        in_doubt = self._instruments.isolations.count()[IsolationState.IN_DOUBT]
        self._share = max(1, -(-in_doubt // TRIALS))

    # What it shows

    def to_blame(self, passed_over: Callable[[InFlightPost], bool]) -> list[InFlightPost]:
        """The posts of the trial, where the end of the session now would be their doing."""
        posts = [post for post in self._posts if self._in_flight.get(post.post_id) is post]
        return [] if any(passed_over(post) for post in posts) else posts

    def is_certain(self, blamed: list[InFlightPost]) -> bool:
        """Whether it is the one post's doing for certain."""
        return self._certain and len(blamed) == 1

    def convict(self, instrument: Instrument, mono: float) -> float:
        """Its post ended the session; the seconds it waits."""
        isolation = instrument.isolation
        if isolation is None:
            return 0.0
        wait = self._policy.offender(isolation.offences + 1)
        isolation.convict(mono, wait)
        self._in_a_row += 1
        self._next_offender = mono + min(OFFENDERS_LONGEST, self._policy.offender(self._in_a_row))
        return wait

    def cured(self) -> None:
        """An offender's post was answered."""
        self._in_a_row = 0


def _due_since(trial: list[Instrument]) -> float:
    """Whoever has been due for longest goes first, or an offender with fewer prices would wait for one with many.
    Those that have ended no session are due at once."""
    isolation = trial[0].isolation
    return 0.0 if isolation is None else isolation.not_before
