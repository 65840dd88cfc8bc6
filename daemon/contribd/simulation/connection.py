"""One client's connection to a simulated ADS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from contribd.simulation import messages
from contribd.simulation.options import (
    PENDING_USER,
    REFUSED_USER,
    UNANSWERED_USER,
    Close,
    LoginAnswer,
    LoginSeen,
    Posted,
    Profile,
)
from contribd.simulation.outbox import Outbox
from contribd.simulation.posting import Conversion, convert
from contribd.simulation.rules import ACK, Answer, nak

if TYPE_CHECKING:
    from contribd.simulation.ads import SimulatedAds

POST_ID_RANGE: Final = 1 << 32
_INFO_FILTER: Final = 1
_KEPT_KEYS: Final = 100_000  # RICs whose encoded Key is remembered

_NO_SERVICE = nak("DeniedBySrc", "Unable to find service for post message.")
_SERVICE_DOWN = nak("SourceDown")


class Connection:
    """Text frames of the client in, frames for it out. Times are seconds on the caller's clock."""

    def __init__(self, ads: SimulatedAds, number: int, now: float) -> None:
        self.number = number
        self.user: str | None = None
        """Who is logged in; ``None`` while nobody is."""
        self.close: Close | None = None
        """Set once the server ends the connection; what `take` gives is still to be sent before it."""
        self._ads = ads
        self._now = now
        self._outbox = Outbox(acks_a_frame=ads.options.pack_answers)
        self._heard = now
        self._next_ping = now + self._ping_interval() if ads.options.ping_timeout else None
        self._login_stream = 0
        self._login_key: messages.Message = {}
        self._directory_stream: int | None = None
        self._keys: dict[tuple[str, object], bytes] = {}

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
            return True
        kind = message.get("Type", "Request")
        if kind == "Post":
            return self._post(message, frame_start)
        if kind == "Ping":
            self._outbox.send(messages.PONG)
        elif kind == "Request":
            self._request(message)
        elif kind == "Close" and message.get("ID") == self._login_stream:
            self.user = None
        return True

    def _request(self, message: messages.Message) -> None:
        domain = message.get("Domain", "MarketPrice")
        if not (isinstance(message.get("ID"), int) and isinstance(message.get("Key"), dict)):
            return
        if domain == "Login":
            self._login(message)
        elif domain == "Source":
            self._request_directory(message)
        else:
            closed = messages.state("Closed", "Suspect", "NotFound", "This server publishes no items")
            self._send({"ID": message["ID"], "Type": "Status", "Key": message["Key"], "State": closed})

    # Login and directory ---------------------------------------------------------------------------------------------

    def _login(self, message: messages.Message) -> None:
        stream, key, options = message["ID"], message["Key"], self._ads.options
        elements = key.get("Elements") or {}
        reissue = self.user is not None and message.get("Refresh") is False
        self._ads.logins.append(LoginSeen("reissue" if reissue else "login", key.get("Name"), elements))
        user = str(elements.get("AuthenticationToken", key.get("Name", "")))
        if reissue or options.login is LoginAnswer.SILENT or user == UNANSWERED_USER:
            return
        self._login_stream, self._login_key = stream, key
        refusal = self._refusal(user)
        if refusal is not None:
            denied = messages.state("Closed", "Suspect", "NotEntitled", refusal)
            self._send(messages.login_status(stream, key, denied))
            self.end(Close(1000))
            return
        self.user = user
        omit = options.omit
        suspect = options.login is LoginAnswer.SUSPECT
        self._send(
            messages.login_refresh(
                stream,
                key,
                messages.state("Open", "Suspect" if suspect else "Ok"),
                max_msg_size=None if "MaxMsgSize" in omit else options.max_msg_size,
                ping_timeout=None if "PingTimeout" in omit else max(1, round(options.ping_timeout or 30)),
                posting=None if "SupportOMMPost" in omit else options.posting,
            )
        )

    def _refusal(self, user: str) -> str | None:
        options = self._ads.options
        if options.login is LoginAnswer.REFUSED or user == REFUSED_USER:
            return "Login denied"
        if user == PENDING_USER:
            return "Already pending login"
        ended = self._ads.last_end.get(user)
        if ended is not None and self._now - ended < options.relogin_pause:
            return "Already pending login"
        return None

    def _request_directory(self, message: messages.Message) -> None:
        stream = message["ID"]
        wanted = message["Key"].get("Filter")
        if self.user is None or not isinstance(wanted, int) or not wanted & _INFO_FILTER:
            closed = messages.state("Closed", "Suspect", "UsageError", "A filter with at least the info is needed")
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
            text = "A post before the login stream is open"
            closed = messages.state("Closed", "Suspect", "NotOpen", text)
            self._send({"ID": post.get("ID", 0), "Type": "Status", "State": closed})
            return True
        if post.get("ID") != self._login_stream:
            return True
        outcome = convert(post, self._ads.options.fields)
        if isinstance(outcome, str):
            return self._refuse(post, outcome, frame_start)
        if outcome is not None:
            self._settle(post, outcome)
        return True

    def _refuse(self, post: messages.Message, text: str, frame_start: int) -> bool:
        profile = self._ads.options.profile
        if profile is Profile.ERRORS:
            self._send(messages.error(self._login_stream, text, post))
        elif profile is Profile.CLOSING:
            self._outbox.cut_back(frame_start)
            self.end(Close(1000))
        return False

    def _settle(self, post: messages.Message, outcome: Conversion) -> None:
        ads = self._ads
        answer = self._decide(outcome)
        if answer.until_refresh and outcome.type == "Refresh":
            answer = ACK
        ads.posts_taken += 1
        if ads.options.record:
            word = "None" if answer.silent else "Nak" if answer.nak_code is not None else "Ack"
            ads.posts.append(Posted(ads.posts_taken, self.number, outcome.post_id, *outcome[1:], word))
        if ads.options.cut_every and ads.posts_taken % ads.options.cut_every == 0:
            self.end(Close(None))
        elif outcome.post_id is not None and post.get("Ack") is True and not answer.silent:
            self._answer(outcome, answer)

    def _decide(self, outcome: Conversion) -> Answer:
        ads = self._ads
        service = ads.find_service(outcome.service)
        if service is None:
            return _NO_SERVICE
        if not service.up:
            return _SERVICE_DOWN
        answer = ads.rules.answer(outcome.ric)
        if answer.until_refresh:
            item = (service.name, outcome.ric)
            if outcome.type == "Refresh":
                ads.items.add(item)
            elif item in ads.items:
                return ACK
        return answer

    def _answer(self, outcome: Conversion, answer: Answer) -> None:
        index = (outcome.ric, outcome.service)
        key = self._keys.get(index)
        if key is None:
            if len(self._keys) >= _KEPT_KEYS:
                self._keys.clear()
            key = self._keys[index] = messages.encode_key(outcome.ric, outcome.service)
        ack_id = (outcome.post_id or 0) % POST_ID_RANGE
        ack = messages.ack(self._login_stream, ack_id, key, answer.nak_code, answer.text)
        for _ in range(self._ads.copies_of_next_answer()):
            self._outbox.send_ack(ack, now=self._now, delay=self._ads.delay, own_delay=answer.delay)

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
            self._send(messages.login_status(self._login_stream, self._login_key, state))

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
