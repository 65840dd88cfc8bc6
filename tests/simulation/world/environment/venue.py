"""The ADS of a run: the simulated server of the demo and the tests, with chance in every answer."""

import json
import re
from collections import Counter
from random import Random
from typing import Any

from tests.simulation.world.environment.schedule import Schedule
from tests.simulation.world.environment.sim_wire import Wire
from tests.simulation.world.plan import Plan

from contribd.omm.numbers import NAK_CODES
from contribd.simulation.ads.ads_client import AdsClient
from contribd.simulation.ads.options import AdsOptions, LoginProfile, Profile
from contribd.simulation.ads.ric_rules import ACK, CLOSES, GARBLES, SILENT, RicAnswer, RicRules, nak
from contribd.simulation.ads.simulated_ads import SimulatedAds

RETRYABLE = ("NoResources", "GatewayDown")
_HARM = {"closes": CLOSES, "garbles": GARBLES, "silent": SILENT}
_STRAY_IDS = 4_000_000_000
"""PostIDs that no daemon of a run ever uses count from here."""


class ChanceRules(RicRules):
    """An answer drawn anew for every post."""

    def __init__(self, plan: Plan, rng: Random, counts: Counter[str]) -> None:
        super().__init__()
        self._plan = plan
        self.calm = False
        self._shares = plan.shares
        self._rng = rng
        self._counts = counts

    def answer(self, ric: str) -> RicAnswer:
        """What the next post gets."""
        if self.calm:
            return ACK
        if self._plan.harm is not None and ric in self._plan.harmful:
            self._counts[self._plan.harm] += 1
            return _HARM[self._plan.harm]
        return self._by_chance()

    def _by_chance(self) -> RicAnswer:
        if self._happens("nak"):
            return nak(self._rng.choice((2, 12, 99, 1)), self._rng.choice((None, "no", "é")))
        if self._happens("nak_retryable"):
            return nak(self._rng.choice(RETRYABLE))
        if self._happens("nak_unknown"):
            return RicAnswer(NAK_CODES[10], "F44: Unable to find item on post update.", until_refresh=True)
        if self._happens("answer_late"):
            return RicAnswer(delay=self._rng.choice((0.5, 3.0, 20.0)))
        return RicAnswer(text="[4]: Creation Accepted") if self._rng.random() < 0.1 else ACK

    def _happens(self, what: str) -> bool:
        share = self._shares.get(what, 0.0)
        if share and self._rng.random() < share:
            self._counts[what] += 1
            return True
        return False


class Venue:
    """One endpoint."""

    def __init__(self, schedule: Schedule, plan: Plan, url: str, counts: Counter[str]) -> None:
        self.url = url
        self.reachable = True
        self.schedule = schedule
        self._plan = plan
        self._counts = counts
        self._rng = schedule.rng
        self.options = AdsOptions(
            services=("TRCC", "ALT"),
            max_msg_size=plan.max_message_size,
            enforce_max_msg_size=True,
            profile=Profile(plan.profile),
            pack_answers=self._rng.choice((1, 1, 5)),
            drop=plan.shares.get("answer_lost", 0.0),
            duplicate=plan.shares.get("answer_twice", 0.0),
            ping_timeout=30.0,
            record=False,
        )
        self.ads = SimulatedAds(self.options, self._rng)
        self.rules = ChanceRules(plan, self._rng, counts)
        self.ads.rules = self.rules
        self.visits: list[Visit] = []

    def accept(self, wire: Wire) -> None:
        """A client's connection, past the handshake."""
        self.visits.append(Visit(self, wire))

    def set_login(self, answer: LoginProfile) -> None:
        """What logins get from now on."""
        self.ads.options = AdsOptions(**{**_values(self.ads.options), "login": answer})

    def calm_down(self) -> None:
        """No chance any more: every answer is what it should be, at once."""
        self.rules.calm = True
        self.reachable = True
        self.ads.silent = False
        self.ads.delay = 0.0
        self.ads.options = AdsOptions(**{**_values(self.ads.options), "login": LoginProfile.OPEN, "drop": 0.0})
        self.ads.options = AdsOptions(**{**_values(self.ads.options), "duplicate": 0.0})
        self.ads.set_service(True)
        self.push()

    def push(self) -> None:
        """Sends what the server has to say unasked."""
        for visit in list(self.visits):
            visit.push()

    def tamper(self, text: bytes) -> bytes:
        """Cuts the echo out of Errors, or cuts it short, and adds Acks nobody asked for."""
        shares, rng = self._plan.shares, self._rng
        if self.rules.calm:
            return text
        if b'"Type":"Error"' in text:
            if rng.random() < shares.get("echo_missing", 0.0):
                self._counts["echo_missing"] += 1
                return _change_debug(text, lambda _debug: None)
            if rng.random() < shares.get("echo_cut", 0.0):
                self._counts["echo_cut"] += 1
                return _change_debug(text, self._cut_echo)
        elif text.startswith(b'[{"ID":1,"Type":"Ack"') and rng.random() < shares.get("stray", 0.0):
            self._counts["stray"] += 1
            stray = _STRAY_IDS + rng.randrange(1000)
            return b'[{"ID":1,"Type":"Ack","AckID":%d},%b' % (stray, text[1:])
        return text

    def _cut_echo(self, debug: dict[str, Any]) -> dict[str, Any]:
        message = debug["Message"]
        return {**debug, "Message": message[: self._rng.randrange(len(message))]}


class Visit:
    """One client's connection at the server."""

    def __init__(self, venue: Venue, wire: Wire) -> None:
        self.venue = venue
        self.wire = wire
        self._schedule = venue.schedule
        self._connection: AdsClient = venue.ads.connect(self._schedule.mono)
        self._due = float("inf")
        wire.server = self
        self.push()

    def receive(self, payload: bytes) -> None:
        """A frame of the client."""
        self._connection.receive(payload, self._schedule.mono)
        self.push()

    def push(self) -> None:
        """Sends what is due; ends the connection where the server wants that."""
        if self.wire.server is not self:
            return
        texts = self._connection.take(self._schedule.mono)
        if texts:
            self.wire.reply([self.venue.tamper(text) for text in texts])
        close = self._connection.close
        if close is not None:
            if close.code is None:
                self.wire.cut()
            else:
                self.wire.close_by_server(close.code, close.reason)
            return
        self._plan_wake()

    def _plan_wake(self) -> None:
        due = self._connection.wake_at()
        if due is not None and due < self._due:
            self._due = due
            self._schedule.at(due, self._wake)

    def _wake(self) -> None:
        self._due = float("inf")
        self.push()

    def hung_up(self) -> None:
        """The connection is gone."""
        self._connection.gone(self._schedule.mono)
        self.venue.visits.remove(self)


def _values(options: AdsOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in AdsOptions.__slots__}


def _change_debug(text: bytes, change: Any) -> bytes:
    messages = json.loads(re.sub(rb"[\x80-\xff]", b"?", text))
    for message in messages:
        if message.get("Type") == "Error":
            debug = change(message["Debug"])
            if debug is None:
                del message["Debug"]
            else:
                message["Debug"] = debug
    return json.dumps(messages).encode()
