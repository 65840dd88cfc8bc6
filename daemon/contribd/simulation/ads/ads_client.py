"""One client's connection to a simulated ADS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from contribd.simulation.ads import messages
from contribd.simulation.ads.answering import AnswerDesk
from contribd.simulation.ads.conversion import LOST, Conversion, convert, wants_ack
from contribd.simulation.ads.delayed import DelayedAnswers
from contribd.simulation.ads.options import (
    PENDING_USER,
    REFUSED_USER,
    UNANSWERED_USER,
    Close,
    LoginProfile,
    LoginSeen,
    Profile,
)
from contribd.simulation.ads.ric_rules import Harm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contribd.simulation.ads.simulated_ads import SimulatedAds

_NEEDED_FILTER: Final = 3  # info 1 and state 2
_TYPES = frozenset(("Request", "Refresh", "Update", "Status", "Close", "Ack", "Generic", "Post"))


class AdsClient:
    """Text frames of the client in, frames for it out. Times are seconds on the caller's clock."""

    def __init__(self, ads: SimulatedAds, number: int, now: float) -> None:
        self.number = number
        self.user: str | None = None
        """Who is logged in; ``None`` while nobody is."""
        self.close: Close | None = None
        """Set once the server ends the connection; what `take` gives is still to be sent before it."""
        self._ads = ads
        self._now = now
        self._outbox = DelayedAnswers(acks_a_frame=ads.options.pack_answers)
        self._heard = now
        self._next_ping = now + self._ping_interval() if ads.options.ping_timeout else None
        self._login_stream = 0
        self._directory_stream: int | None = None
        self._desk = AnswerDesk(ads, number)

    # In --------------------------------------------------------------------------------------------------------------

    def receive(self, frame: bytes, now: float) -> None:
        """One text frame of the client."""
        self._now = self._heard = now
        options = self._ads.options
        if self.close is not None:
            return
        if options.enforce_max_msg_size and len(frame) > options.max_msg_size:
            self.end(Close(1000, "message too large"))
            return
        found = messages.decode(frame)
        if found is None:
            if options.profile is Profile.CLOSING:
                self.end(Close(1000))
            return
        before = self._outbox.mark()
        for message in found:
            if not self._handle(message, before) or self.close is not None:
                return

    def _handle(self, message: object, frame_start: int) -> bool:
        """False: the rest of the frame is lost."""
        if not isinstance(message, dict):
            return isinstance(message, list) or self._refuse(message, "JSON Converter: not an object", frame_start, 0)
        kind = message.get("Type", "Request")
        if kind == "Ping":
            self._outbox.send(messages.PONG)
        elif kind in _TYPES:
            return self._handle_on_stream(kind, message, frame_start)
        elif isinstance(kind, str) and kind != "Pong":
            return self._refuse(message, f"JSON Converter: unknown Type {kind}", frame_start, 0)
        return True

    def _handle_on_stream(self, kind: str, message: messages.Message, frame_start: int) -> bool:
        if "ID" not in message:
            return self._refuse(message, "JSON Converter: a message without an ID", frame_start, 0)
        if not isinstance(message["ID"], int):
            return self._refuse(message, "JSON Converter: ID is not a number", frame_start, -1)
        if kind == "Post":
            return self._post(message, frame_start)
        if kind == "Request":
            self._request(message)
        elif kind == "Close" and self.user is not None and message["ID"] == self._login_stream:
            self.end(Close(1000))
        return True

    def _request(self, message: messages.Message) -> None:
        domain = message.get("Domain", "MarketPrice")
        if not isinstance(message.get("Key"), dict):
            return
        if domain == "Login":
            self._login(message)
        elif domain == "Source":
            self._request_directory(message)
        elif self.user is None:
            self._send(messages.too_early(message["ID"], domain))
        elif message["ID"] != self._login_stream:
            closed = messages.state("Closed", "Suspect", "NotFound", "This server publishes no items")
            self._send({"ID": message["ID"], "Type": "Status", "Key": message["Key"], "State": closed})

    # Login and directory ---------------------------------------------------------------------------------------------

    def _login(self, message: messages.Message) -> None:
        stream, key, options = message["ID"], message["Key"], self._ads.options
        elements = key.get("Elements") or {}
        reissue = self.user is not None
        self._ads.logins.append(LoginSeen("reissue" if reissue else "login", key.get("Name"), elements))
        user = str(elements.get("AuthenticationToken", key.get("Name", "")))
        if reissue or options.login is LoginProfile.SILENT or user == UNANSWERED_USER:
            return
        self._login_stream = stream
        refusal = self._refusal(user)
        if refusal is not None:
            self._send(messages.login_status(stream, refusal, user=str(key.get("Name", ""))))
            self.end(Close(1000))
            return
        self.user = user
        omit = options.omit
        suspect = options.login is LoginProfile.SUSPECT
        self._send(
            messages.login_refresh(
                stream,
                key,
                messages.state("Open", "Suspect" if suspect else "Ok", text="Login accepted"),
                max_msg_size=None if "MaxMsgSize" in omit else options.max_msg_size,
                ping_timeout=None if "PingTimeout" in omit else max(1, round(options.ping_timeout or 30)),
                posting=None if "SupportOMMPost" in omit else options.posting,
            )
        )

    def _refusal(self, user: str) -> messages.Message | None:
        options = self._ads.options
        if options.login is LoginProfile.REFUSED or user == REFUSED_USER:
            return messages.state("Closed", "Suspect", "NotEntitled", "Login denied")
        ended = self._ads.last_end.get(user)
        if user == PENDING_USER or (ended is not None and self._now - ended < options.relogin_pause):
            return messages.state("Closed", "Suspect", text="Already pending login")
        return None

    def _request_directory(self, message: messages.Message) -> None:
        stream = message["ID"]
        wanted = message["Key"].get("Filter")
        if self.user is None:
            self._send(messages.too_early(stream, "Source"))
            return
        if not isinstance(wanted, int) or wanted & _NEEDED_FILTER != _NEEDED_FILTER:
            text = "The filter needs at least the services' info and state"
            closed = messages.state("ClosedRecover", "Suspect", "UsageError", text)
            self._send({"ID": stream, "Type": "Status", "Domain": "Source", "State": closed})
            return
        self._directory_stream = stream
        entries = [
            messages.service_entry(each.id, each.name, up=each.up, accepting=each.accepting)
            for each in self._ads.services.values()
        ]
        self._send(messages.directory(stream, "Refresh", entries))

    # Posts -----------------------------------------------------------------------------------------------------------

    def _post(self, post: dict[str, Any], frame_start: int) -> bool:
        if self.user is None:
            self._send(messages.too_early(post["ID"], None))
            return True
        if post["ID"] != self._login_stream:
            return True
        options = self._ads.options
        outcome = convert(post, options.fields, None if options.nak_unknown_services else self._ads.services)
        if outcome is LOST:
            return False
        if isinstance(outcome, str):
            return self._refuse(post, outcome, frame_start, self._login_stream)
        return self._settle(post, outcome, frame_start)

    def _refuse(self, message: object, text: str, frame_start: int, stream: int) -> bool:
        profile = self._ads.options.profile
        if profile is Profile.ERRORS:
            self._send(messages.error(stream, text, message))
        elif profile is Profile.CLOSING:
            self._outbox.cut_back(frame_start)
            self.end(Close(1000))
        return False

    def _settle(self, post: messages.Message, outcome: Conversion, frame_start: int) -> bool:
        ads = self._ads
        answer = self._desk.take(outcome)
        if answer.harm is not None:
            return self._harm(answer.harm, frame_start)
        if ads.options.cut_every and ads.posts_taken % ads.options.cut_every == 0:
            self.end(Close(None))
        elif outcome.post_id is not None and wants_ack(post) and not answer.silent:
            ack = self._desk.ack(self._login_stream, outcome, answer)
            for _ in range(ads.copies_of_next_answer()):
                self._outbox.send_ack(ack, now=self._now, delay=ads.delay, own_delay=answer.delay)
        return True

    def _harm(self, harm: Harm, frame_start: int) -> bool:
        if harm is Harm.GARBLES:
            self._outbox.send(messages.NO_JSON)
            return True
        self._outbox.cut_back(frame_start)
        self.end(Close(1000))
        return False

    # Out -------------------------------------------------------------------------------------------------------------

    def take(self, now: float) -> list[bytes]:
        """The frames to send by ``now``, in order; also sends pings and notices a client that has gone quiet."""
        self._now = now
        self._keep_alive(now)
        return self._outbox.take(now)

    def wake_at(self) -> float | None:
        """When `take` has something to do without any input."""
        due = self._outbox.due()
        if self._next_ping is None or (due is not None and due < self._next_ping):
            return due
        return self._next_ping

    def gone(self, now: float) -> None:
        """The connection has ended, by whichever side."""
        self._ads.connections.remove(self)
        if self.user is not None:
            self._ads.last_end[self.user] = now

    def end(self, close: Close) -> None:
        """The server ends the connection; a cut loses what has not been taken."""
        if self.close is None:
            self.close = close
            if close.code is None:
                self._outbox.clear()
            else:
                self._outbox.forget_delayed()

    def change_login(self, state: messages.Message) -> None:
        """A Status on the login stream, where there is one."""
        if self.user is not None:
            self._send(messages.login_status(self._login_stream, state))

    def refresh_login(self, named: Mapping[str, int]) -> None:
        """A Refresh on the login stream, where there is one, that names these."""
        if self.user is not None:
            self._send(messages.later_login_refresh(self._login_stream, self.user, named))

    def close_login(self, stream_state: str, text: str, *, stay: bool) -> None:
        """The login stream ends with ``stream_state``, and then the connection unless it is to ``stay``."""
        self.change_login(messages.state(stream_state, "Suspect", text=text))
        if self.user is not None and not stay:
            self.end(Close(1000))
        self.user = None

    def send_directory_update(self, entry: messages.Message) -> None:
        """An Update on the directory stream, where it was asked for."""
        if self._directory_stream is not None:
            self._send(messages.directory(self._directory_stream, "Update", [entry]))

    def send_stray_ack(self, ack_id: int) -> None:
        """An Ack nobody asked for."""
        if self.user is not None:
            key = messages.encode_key("STRAY", self._ads.options.services[0])
            self._outbox.send(messages.ack(self._login_stream, ack_id, key, None, None))

    def _send(self, message: messages.Message) -> None:
        self._outbox.send(messages.encode(message))

    def _keep_alive(self, now: float) -> None:
        if self._next_ping is None or now < self._next_ping or self.close is not None:
            return
        timeout = self._ads.options.ping_timeout or 0.0
        if now - self._heard >= 2 * timeout:
            self.end(Close(1000, "no traffic from the client"))
            return
        self._outbox.send(messages.PING)
        self._next_ping = now + self._ping_interval()

    def _ping_interval(self) -> float:
        return (self._ads.options.ping_timeout or 0.0) / 3
