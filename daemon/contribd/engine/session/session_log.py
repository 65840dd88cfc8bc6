"""What an operator is told of the session: sentences, and the count of its failures."""

from collections.abc import Iterable, Mapping
from typing import Final

from contribd.engine.counters import EngineCounters
from contribd.engine.event_log import EventLog, SeldomLine
from contribd.engine.session.endpoints import Failure
from contribd.engine.session.login_limits import LoginLimits
from contribd.engine.session.reached import Reached
from contribd.engine.session.services import Services
from contribd.omm.answers import LoginAnswer

MAX_NAMES: Final = 10
"""Names in one line: those nearest to what is looked for come first."""


class SessionLog:
    """Says what happens to the session in words; waits are in seconds."""

    def __init__(self, counters: EngineCounters, log: EventLog) -> None:
        self._counters = counters
        self._log = log
        self._without_directory: set[str] = set()
        self._failed_addresses: set[tuple[str, str]] = set()
        self._not_made: dict[str, tuple[str, SeldomLine, int]] = {}
        """Why no session was made with each endpoint the last times: text, when that is written, how many tries."""
        self._up: set[str] = set()
        """Services told as Up in this session."""
        self._not_up: set[tuple[str, str, str]] = set()
        """What was told against services: endpoint, service, sentence."""

    # Connecting and ending

    def other_endpoint(self, endpoint: str, to: str, reason: str | None) -> None:
        """The next connection goes to another endpoint than the last."""
        self._log("info", "changing the endpoint", of=endpoint, to=to, reason=reason)

    def ended(self, endpoint: str, failure: Failure, text: str, wait: float, *, by_post: bool) -> None:
        """The session ended; this endpoint rests for ``wait``. ``by_post``: a post is to blame, which is told by
        itself."""
        self._counters.reconnects[endpoint, failure.value] += 1
        level = "info" if by_post or failure is Failure.PREFERRED else "warning"
        facts = {"reason": failure.value, "text": text, "next_try_in": f"{wait:.1f} s"}
        self._log(level, "session ended", endpoint=endpoint, **facts)

    def not_made(self, endpoint: str, failure: Failure, text: str, wait: float, mono: float) -> None:
        """There was none to end: this endpoint rests for ``wait``. The same reason is written anew once in a while."""
        self._counters.reconnects[endpoint, failure.value] += 1
        told, line, before = self._not_made.get(endpoint, ("", SeldomLine(), 0))
        if told != text:
            told, line, before = text, SeldomLine(), 0
        self._not_made[endpoint] = told, line, before + 1
        if line.take(mono):
            facts = {"reason": failure.value, "text": text, "next_try_in": f"{wait:.1f} s", "tries": before + 1}
            self._log("warning", "no session", endpoint=endpoint, **facts)

    def addresses(self, endpoint: str, reached: Reached) -> None:
        """Addresses of the endpoint's name that failed before one was connected to: each once, and its end."""
        for address, text in reached.failures:
            if (endpoint, address) not in self._failed_addresses:
                self._failed_addresses.add((endpoint, address))
                sentence = "an address of the endpoint failed: another one is used"
                self._log("warning", sentence, endpoint=endpoint, failed=text, used=reached.address)
        if (endpoint, reached.address) in self._failed_addresses:
            self._failed_addresses.discard((endpoint, reached.address))
            self._log("info", "an address of the endpoint answers again", endpoint=endpoint, address=reached.address)

    def leaving(self, endpoint: str, failure: Failure) -> None:
        """Another endpoint is to be used."""
        self._log("info", "leaving the endpoint once its answers are in", endpoint=endpoint, reason=failure.value)

    # The token

    def token(self, life: float) -> None:
        """There is one, for ``life`` seconds."""
        self._log("info", "the token service gave a token", lasts=f"{life:g} s")

    def no_token(self, failure: Failure, text: str, wait: float) -> None:
        """There is none; the token service is asked again after ``wait``."""
        self._counters.reconnects["token service", failure.value] += 1
        self._log("warning", "no token", reason=failure.value, text=text, next_try_in=f"{wait:.1f} s")

    # The login

    def logged_in(
        self, endpoint: str, answer: LoginAnswer, *, session: str, position: str, poster: str, limits: LoginLimits
    ) -> None:
        """The server took the login; the limits are those in force, whether it named them or not."""
        self._not_made.pop(endpoint, None)
        self._log(
            "info",
            "logged in",
            endpoint=endpoint,
            session=session,
            position=position,
            poster=poster,
            max_message_size=limits.max_message_size,
            ping_timeout=limits.ping_timeout,
            text=answer.text,
        )

    def limits(self, endpoint: str, changed: Mapping[str, object]) -> None:
        """A later answer has changed what it was opened with."""
        level = "warning" if changed.get("takes_posts") is False else "info"
        self._log(level, "the ADS has changed what it takes", endpoint=endpoint, **changed)

    def suspect(self, endpoint: str, answer: LoginAnswer) -> None:
        """The login's data has become suspect, or is so no longer."""
        if answer.data == "Ok":
            self._log("info", "the login is no longer suspect", endpoint=endpoint)
        else:
            self._log("warning", "the login stream is suspect", endpoint=endpoint, text=answer.text)

    def other(self, what: str, text: str) -> None:
        """``a Status`` or ``an Error`` about no stream of ours."""
        self._log("warning", f"the ADS sent {what}", text=text)

    # The services

    def services(self, endpoint: str, services: Services, wanted: Iterable[str]) -> None:
        """What the directory says of those posted to (of all, where none is named): each thing once, and its end."""
        names = list(wanted) or list(services.states())
        for name in names:
            if not services.is_up(name):
                self._service_not_up(endpoint, services, name)
        up = [name for name in names if services.is_up(name) and name not in self._up]
        if up:
            self._up.update(up)
            self._not_up = {told for told in self._not_up if told[1] not in self._up}
            self._log("info", "service up", endpoint=endpoint, services=", ".join(up))

    def _service_not_up(self, endpoint: str, services: Services, name: str) -> None:
        self._up.discard(name)
        if services.has(name):
            self._service(endpoint, name, "service down: posts to it wait")
        else:
            self._service(
                endpoint, name, "the ADS has no service of this name: posts to it wait", has=offered(services, name)
            )

    def _service(self, endpoint: str, name: str, sentence: str, **details: object) -> None:
        if (endpoint, name, sentence) not in self._not_up:
            self._not_up = {told for told in self._not_up if told[:2] != (endpoint, name)} | {
                (endpoint, name, sentence)
            }
            self._log("warning", sentence, service=name, endpoint=endpoint, **details)

    def services_forgotten(self) -> None:
        """The session ended: that services are Up in the next one is news again."""
        self._up.clear()

    def no_directory(self, endpoint: str, reason: str) -> None:
        """The server has no source directory: said once for each, since every session with it finds the same."""
        if endpoint not in self._without_directory:
            self._without_directory.add(endpoint)
            text = "no source directory: posting without service states"
            self._log("warning", text, endpoint=endpoint, reason=reason)


def offered(services: Services, wanted: str) -> str:
    """The services there are, for people: those first that ``wanted`` may have been meant for."""
    names = services.names_like(wanted)
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more if names else "none at all"
