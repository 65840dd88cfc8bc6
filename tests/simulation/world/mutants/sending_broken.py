"""Daemons without a rule of when and how posts are sent: session, lease, PostIDs, frames, bounds."""

from typing import Any

from tests.simulation.world.mutants.mutant import Mutant, around, with_more

from contribd.ads.websocket import WebSocket
from contribd.engine.engine import Engine
from contribd.engine.posts.in_flight import InFlightPosts
from contribd.engine.posts.poster import Poster
from contribd.engine.posts.rate_limit import RateLimit
from contribd.engine.posts.unconfirmed import UnconfirmedPosts
from contribd.engine.records.instruments import Instrument
from contribd.engine.records.intake import Intake
from contribd.engine.records.price import Status
from contribd.engine.session.connection import Connection
from contribd.engine.session.services import Services
from contribd.engine.session.session import Session
from contribd.engine.states import SessionState
from contribd.omm.post import MAX_POST_ID
from contribd.streams.client.port import Heartbeats, Member
from contribd.streams.group.lease import Joined, Lease, generation_of


def _few_post_ids(self: InFlightPosts) -> int:
    self._last_id = self._last_id % 2 + 1
    return self._last_id


def _past_the_largest(self: InFlightPosts) -> int:
    self._last_id += 1
    return self._last_id


def _stays_at_the_largest(self: InFlightPosts) -> int:
    self._last_id = min(self._last_id + 1, MAX_POST_ID)
    return self._last_id


def _up_while_login_open(self: Session) -> bool:
    return self.connection.live


def _services_always_up(_self: Services, _service: str) -> bool:
    return True


def _no_lease(original: Any, self: Engine, now: Any) -> Any:
    self._may_post_until = float("inf")
    return original(self, now)


def _closed_login_is_ignored(original: Any, self: Session, answer: Any, now: Any) -> None:
    if answer.is_open or self.connection.state is SessionState.LOGGING_IN:
        original(self, answer, now)


def _newest_too_large(_original: Any, self: Poster, instrument: Instrument, group: Any, max_size: int, now: Any) -> Any:
    post_id = self._in_flight.next_id()
    while group:
        post, text = self._encode(post_id, instrument, group, now)
        if len(text) <= max_size:
            return post, text
        self._outcomes._settle(group.pop(), Status.REJECTED, now, code="TooLarge", text="")
    return None


def _generation_is_proof(original: Any, self: Lease, member: Member, heartbeats: Heartbeats) -> Joined | None:
    joined: Joined | None = original(self, member, heartbeats)
    if joined is not None:
        self._proven = (generation_of(joined.member), self._clock() + self._timeout)
    return joined


def _forgotten(_original: Any, _self: UnconfirmedPosts, _flight: Any) -> None:
    pass


def _goes_at_any_time(original: Any, self: WebSocket, _lapsed: bool) -> bool:
    held: bool = original(self, False)
    return held


MUTANTS = [
    Mutant(
        "what was given up may be unread still",
        [around(UnconfirmedPosts, "add", _forgotten)],
        first=800,
        world=with_more(
            {"ads_not_reading": 0.5, "stop": 0.1, "kill": 0.1},
            daemons=3,
            partitions=3,
            rics=6,
            ack_timeout=2.0,
            attempts=1,
            socket_room=4_000,
            conflate=False,
        ),
    ),
    Mutant(
        "what lies unsent waits for the membership",
        [around(WebSocket, "hold", _goes_at_any_time)],
        world=with_more(
            {"ads_not_reading": 0.5, "freeze": 0.3},
            daemons=2,
            partitions=2,
            rics=6,
            socket_room=300,
            ack_timeout=15.0,
            session_timeout=6.0,
            static_members=False,
        ),
    ),
    Mutant("no PostID is used twice at a time", [(InFlightPosts, "next_id", _few_post_ids)]),
    Mutant("PostIDs begin again after the largest", [(InFlightPosts, "next_id", _past_the_largest)]),
    Mutant("no PostID is used twice at a time, past the largest", [(InFlightPosts, "next_id", _stays_at_the_largest)]),
    Mutant(
        "nothing is posted before a service is Up",
        [(Session, "up", property(_up_while_login_open)), (Session, "is_up", lambda *_: True)],
    ),
    Mutant("nothing is posted to a service that is Down", [(Services, "is_up", _services_always_up)]),
    Mutant("a closed login ends the session", [around(Session, "_login_answered", _closed_login_is_ignored)], 500),
    Mutant(
        "nothing is posted while stopping",
        [(Connection, "drain", lambda *_: None), (Intake, "stop", lambda *_: set())],
        500,
    ),
    Mutant(
        "nothing is posted past the lease",
        [around(Engine, "take_frames", _no_lease)],
        1_000,
    ),
    Mutant(
        "a new generation proves no membership",
        [around(Lease, "observe", _generation_is_proof)],
        200,
        world=with_more(
            {"freeze": 0.4, "stop": 0.1, "kill": 0.1, "group_cut": 0.2},
            daemons=3,
            partitions=3,
            rics=6,
            session_timeout=6.0,
            static_members=False,
        ),
    ),
    Mutant("outstanding posts are bounded", [(InFlightPosts, "room", property(lambda _self: 1_000))]),
    Mutant("posts a second are bounded", [(RateLimit, "allowed", lambda _self, wanted, _mono: wanted)]),
    Mutant("of an oversized group, what is too large goes", [around(Poster, "_fitting", _newest_too_large)], 500),
]
