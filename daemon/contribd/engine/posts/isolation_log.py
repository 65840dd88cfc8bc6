"""What an operator is told of instruments whose posts do harm, or get no answer: once each, and its end once."""

from contribd.engine.clock import Now
from contribd.engine.event_log import EventLog, SeldomLine
from contribd.engine.posts.in_flight import InFlightPost
from contribd.engine.records.instruments import Instrument
from contribd.engine.records.isolation import Isolation

_OFFENDER = (
    "a post ends the session: its instrument is posted last and by itself from now on, and waits after each such post. "
    "See what the record says; correct it, or have its mapping refuse it"
)
_SILENT = (
    "a post gets no answer though later ones do: its instrument is posted after the others from now on. "
    "Ask those who run the ADS about this RIC"
)
_OVER = "the instrument's posts are answered again"


class IsolationLog:
    """Says which instrument it is, with the record and the endpoint; silent ones at most one a while."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._silent = 0
        self._silent_line = SeldomLine()

    def offender(self, post: InFlightPost, isolation: Isolation, endpoint: str, reason: str, wait: float) -> None:
        """Its post has ended a session."""
        if isolation.tell():
            more = {"reason": reason, "next_post_in": f"{wait:g} s"}
            self._log("warning", _OFFENDER, **_named(post), endpoint=endpoint, **more)

    def silent(self, post: InFlightPost, isolation: Isolation, endpoint: str, now: Now) -> None:
        """A post of it got no answer."""
        if isolation.told:
            return
        self._silent += 1
        if self._silent_line.take(now.mono):
            isolation.tell()
            self._log("warning", _SILENT, **_named(post), endpoint=endpoint, so_far=self._silent)

    def over(self, instrument: Instrument, isolation: Isolation) -> None:
        """A post of it was answered."""
        if isolation.told:
            service, ric = instrument.key
            self._log("info", _OVER, ric=ric, service=service)


def _named(post: InFlightPost) -> dict[str, str]:
    service, ric = post.instrument.key
    newest = post.group[-1]
    return {"ric": ric, "service": service, "record": f"{newest.tracker.partition}:{newest.record.offset}"}
