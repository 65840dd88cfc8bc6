"""Where the session should be: which endpoint to try, when to leave one that does not serve, when to go back."""

from typing import Final, NamedTuple

from contribd.engine.limits import STABLE_AFTER
from contribd.engine.policy import SessionPolicy
from contribd.engine.session.endpoints import Endpoints, EndpointStatus, Failure
from contribd.engine.session.failback import Failback

NO_POSTS: Final = "the ADS says that it takes no posts (SupportOMMPost 0)"


class Move(NamedTuple):
    """Why to leave an endpoint whose session is open."""

    failure: Failure
    text: str


class Failover:
    """The endpoints of one daemon, and how well the one in use does. Times are monotonic seconds."""

    def __init__(self, policy: SessionPolicy) -> None:
        self._endpoints = Endpoints(policy.endpoints, policy.backoff)
        self._failback = Failback(policy.endpoints, policy.return_after)
        self._limit = policy.service_down_limit
        self._down_since: float | None = None
        self._suspect_since: float | None = None
        self._no_posts_since: float | None = None
        self._opened_at: float | None = None
        """None where what was against the endpoint in use is forgotten already."""
        self._login_at = 0.0
        self._resumed: str | None = None
        """The endpoint whose session a post ended: the next one goes on where that was."""
        self._target: str | None = None
        """The endpoint to go to next, whichever is preferred to it."""

    # The next endpoint

    def next_at(self) -> float:
        """When an endpoint may be tried."""
        return self._endpoints.next()[1] if self._target is None else self._endpoints.not_before(self._target)

    def next_now(self, mono: float) -> str | None:
        """The endpoint to try now, None where all must rest."""
        if self._target is None:
            return self._endpoints.next_now(mono)
        return self._target if self._endpoints.may_try(self._target, mono) else None

    def status(self, mono: float) -> tuple[EndpointStatus, ...]:
        """What is held against each endpoint."""
        return self._endpoints.status(mono)

    def trying(self, url: str) -> None:
        """A connection to it is being made."""
        if url == self._target:
            self._target = None

    def failed(self, url: str, failure: Failure, mono: float, *, live: bool) -> float:
        """No session, or none any more (``live``); the wait in seconds before this endpoint is tried again."""
        self._failback.ended(url, mono)
        self._resumed = None
        self._forget_trouble()
        return self._endpoints.failed(url, failure, mono, live=live)

    def interrupted(self, url: str, mono: float) -> float:
        """A post ended the session: it is made again with the same endpoint, and nothing is held against that one."""
        self._resumed = self._target = url
        self._forget_trouble()
        return self._endpoints.pause(url, self._login_at, mono)

    def _forget_trouble(self) -> None:
        self._down_since = self._suspect_since = self._no_posts_since = None

    # The one in use

    def opened(self, url: str, mono: float) -> None:
        """Logged in there."""
        self._login_at = mono
        if url != self._resumed:
            self._failback.began(url, mono)
            self._opened_at = mono
        self._resumed = None

    def posting(self, url: str, mono: float) -> None:
        """It is posted to: after a while what was against it is forgotten."""
        if self._opened_at is not None and mono - self._opened_at >= STABLE_AFTER:
            self._opened_at = None
            self._endpoints.stable(url)

    def service(self, up: bool, mono: float) -> None:
        """Whether anything may be posted there."""
        if up:
            self._down_since = None
        elif self._down_since is None:
            self._down_since = mono

    def takes_posts(self, taken: bool, mono: float) -> None:
        """What its login says of posts: where it takes none any more, it is left as soon as another one is due."""
        if taken:
            self._no_posts_since = None
        elif self._no_posts_since is None:
            self._no_posts_since = mono

    def suspect(self, is_suspect: bool, mono: float) -> bool:
        """What the login says of its data; whether that is news."""
        news = is_suspect is (self._suspect_since is None)
        if news:
            self._suspect_since = mono if is_suspect else None
        return news

    def move(self, url: str, mono: float) -> Move | None:
        """Whether to leave ``url`` now: nothing can be posted there and another is due, or a preferred one is back."""
        trouble, at = self._trouble(), self.trouble_at(url)
        if trouble is not None and at is not None and mono >= at:
            return Move(trouble, NO_POSTS if trouble is Failure.NO_POSTING else f"for {self._limit:g} s")
        for ready in self._failback.ready(mono):
            if self._endpoints.may_try(ready, mono):
                self._failback.returning(ready, mono)
                self._target = ready
                return Move(Failure.PREFERRED, f"{ready} answers again")
        return None

    def trouble_at(self, url: str) -> float | None:
        """When trouble has lasted too long there; None where there is none, or nowhere else to go."""
        other_endpoint = self._endpoints.next_other(url)
        if other_endpoint is None:
            return None
        if self._no_posts_since is not None:
            return max(self._no_posts_since, other_endpoint)
        since = self._suspect_since if self._down_since is None else self._down_since
        return None if self._limit is None or since is None else max(since + self._limit, other_endpoint)

    def _trouble(self) -> Failure | None:
        if self._no_posts_since is not None:
            return Failure.NO_POSTING
        if self._down_since is not None:
            return Failure.SERVICE_DOWN
        return None if self._suspect_since is None else Failure.LOGIN_SUSPECT

    # Preferred ones

    def take_probes(self, mono: float) -> list[str]:
        """The endpoints to probe now."""
        return self._failback.take_probes(mono)

    def probed(self, url: str, reachable: bool, mono: float) -> None:
        """What came of a probe."""
        self._failback.probed(url, reachable, mono)

    def wake_at(self, url: str) -> float | None:
        """When ``move`` or ``take_probes`` may have something new to say."""
        times = [at for at in (self.trouble_at(url), self._failback.wake_at()) if at is not None]
        return min(times, default=None)
