"""Who is isolated, and who no longer: what lost sessions, timeouts and answers say of instruments (see ``trials``)."""

from typing import Final

from contribd.engine.clock import Now
from contribd.engine.event_log import EventLog
from contribd.engine.limits import STEADY_AFTER
from contribd.engine.policy import RetryPolicy
from contribd.engine.posts.error_attribution import ErrorAttribution
from contribd.engine.posts.in_flight import InFlightPost
from contribd.engine.posts.isolation_log import IsolationLog
from contribd.engine.posts.trials import Trials
from contribd.engine.records.instruments import Instruments
from contribd.engine.states import IsolationState

_MUTE_SESSIONS: Final = 2
"""Sessions in a row that answered nothing and ended: from here on it is not a post's doing, whatever else says so."""


class Isolator:
    """Passes the verdicts. ``log`` names each offender once."""

    def __init__(
        self,
        policy: RetryPolicy,
        instruments: Instruments,
        trials: Trials,
        attribution: ErrorAttribution,
        log: EventLog,
    ) -> None:
        self._policy = policy
        self._instruments = instruments
        self._trials = trials
        self._attribution = attribution
        self._log = IsolationLog(log)
        self._endpoint = ""
        self._opened_at = 0.0
        self._mute_sessions = 0

    def change_policy(self, policy: RetryPolicy) -> None:
        """What is decided from now on is decided by this one."""
        self._policy = policy

    def session_opened(self, endpoint: str, now: Now) -> None:
        """Logged in there."""
        self._endpoint, self._opened_at = endpoint, now.mono
        self._trials.session_lost()  # one that ended with nothing in flight was not told of

    def ended_by_trial(self, now: Now) -> bool:
        """Whether the end of the session now would be the doing of the post that is on trial.

        A server that ends every session, whatever is posted, is none of a post's doing.
        """
        if not self._trials.to_blame(self._attribution.passed_over):
            return False
        steady = self._attribution.any_answered or now.mono >= self._opened_at + STEADY_AFTER
        return steady or self._mute_sessions < _MUTE_SESSIONS

    def session_lost(self, in_flight: list[InFlightPost], reason: str | None, now: Now) -> dict[int, str]:
        """The session ended with these in flight; ``reason`` where one of them may be the cause.

        What there is to say of single ones, by PostID.
        """
        texts: dict[int, str] = {}
        blamed = self._trials.to_blame(self._attribution.passed_over)
        if reason is None:
            self._trials.session_lost()
            return texts
        if self._trials.is_certain(blamed):
            texts[blamed[0].post_id] = self._convict(blamed[0], reason, now)
        else:
            for post in blamed or in_flight:
                if not self._attribution.passed_over(post):
                    self._doubt(post)
        self._mute_sessions = 0 if self._attribution.any_answered else self._mute_sessions + 1
        self._trials.session_lost()
        return texts

    def _doubt(self, post: InFlightPost) -> None:
        instrument = post.instrument
        (instrument.isolation or self._instruments.isolate(instrument, IsolationState.IN_DOUBT)).lost()

    def _convict(self, post: InFlightPost, reason: str, now: Now) -> str:
        wait = self._trials.convict(post.instrument, now.mono)
        if (isolation := post.instrument.isolation) is not None:
            self._log.offender(post, isolation, self._endpoint, reason, wait)
        return (
            f"the session ended ({reason}) while this post was the only one in flight: it is taken to be the cause, "
            f"and the next post of its RIC waits {wait:g} s"
        )

    def timed_out(self, post: InFlightPost, now: Now) -> None:
        """It got no answer in time; that is its own fault where a later post did."""
        passed_over, instrument = self._attribution.passed_over(post), post.instrument
        isolation = instrument.isolation or self._instruments.isolate(instrument, IsolationState.SILENT)
        isolation.unanswered(passed_over=passed_over)
        if passed_over:
            self._log.silent(post, isolation, self._endpoint, now)

    def answered(self, post: InFlightPost, now: Now) -> None:
        """An isolated instrument's post was answered."""
        instrument, isolation = post.instrument, post.instrument.isolation
        if isolation is None:
            return
        if isolation.convicted:
            self._trials.cured()
        if not isolation.answered(now.mono):
            self._instruments.clear(instrument)
            self._log.over(instrument, isolation)
