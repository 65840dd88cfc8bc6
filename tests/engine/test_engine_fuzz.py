"""Whatever a server sends, and in whatever order, the engine goes on; every row of its tables is used."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ads.server_messages import directory, login_refresh
from tests.engine.joint_states import assert_allowed
from tests.engine.recording import Recording
from tests.engine.rig import P0, P1, Rig, encode

from contribd.engine.events import CaughtUp, Connected, Received
from contribd.engine.records import instruments as instrument_module
from contribd.engine.records import offsets as tracker_module
from contribd.engine.records import price as price_module
from contribd.engine.records.pauses import PauseKind, Selector
from contribd.engine.session import connection as connection_module
from contribd.engine.session.endpoints import Failure
from contribd.engine.states import (
    INSTRUMENT_TRANSITIONS,
    PRICE_TRANSITIONS,
    SESSION_TRANSITIONS,
    TRACKER_TRANSITIONS,
    ImpossibleTransition,
    InstrumentEvent,
    InstrumentState,
    SessionEvent,
    SessionState,
)

CLOSED_LOGIN = {"ID": 1, "Type": "Status", "Domain": "Login", "State": {"Stream": "Closed", "Data": "Suspect"}}
CLOSED_SOURCE = {"ID": 2, "Type": "Status", "Domain": "Source", "State": {"Stream": "ClosedRecover"}}
ANSWERS: list[dict[str, Any]] = [
    login_refresh(),
    CLOSED_LOGIN,
    CLOSED_SOURCE,
    directory(),
    directory(up=False, kind="Update"),
    {"Type": "Ping"},
    {"Type": "Pong"},
    {"Type": "Error", "Text": "x"},
    {"Type": "Status", "State": {"Text": "x"}},
    {},
]


def in_state(state: SessionState) -> Rig:
    """A rig whose session is in ``state``, with posts in flight where there can be."""
    rig = Rig(max_age=60_000_000, create_missing=True).assign(P0).assign(P1)
    if state in (SessionState.WAITING_FOR_SERVICE, SessionState.OPEN, SessionState.DRAINING):
        rig.log_in()
        if state is not SessionState.WAITING_FOR_SERVICE:
            rig.receive(directory())
    elif state is SessionState.LOGGING_IN:
        rig.connect()
    elif state is SessionState.CONNECTING:
        rig.tick()
    for n in range(6):
        rig.put({"BID": n}, ric=f"R{n % 4}=")
    if state in (SessionState.DRAINING, SessionState.CLOSED):
        rig.stop()
    assert rig.engine.connection.state is state
    return rig


def messages() -> st.SearchStrategy[Any]:
    ids = st.integers(0, 8)
    acks = st.fixed_dictionaries(
        {"Type": st.just("Ack"), "AckID": st.one_of(ids, st.text(max_size=2), st.none())},
        optional={"NakCode": st.sampled_from([0, 57, "NoResources", "SymbolUnknown", "DeniedBySrc"])},
    )
    echoes = ids.map(lambda n: {"Type": "Error", "Text": "x", "Debug": {"Message": f'{{"PostID":{n},"Key"'}})
    return st.one_of(st.sampled_from(ANSWERS), acks, echoes)


STATES = st.sampled_from([state for state in SessionState if state.name != "MOVING"])


@given(STATES, st.lists(st.lists(messages(), max_size=5), max_size=6))
def test_any_messages_in_any_state_are_survived(state: SessionState, frames: list[list[Any]]) -> None:
    rig = in_state(state)
    for frame in frames:
        rig.handle(Received(rig.engine.connection.attempt, [encode(*frame)]))
        rig.tick(0.6)
    rig.tick(120)
    rig.commit()


@given(STATES, st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes_in_any_state_are_survived(state: SessionState, texts: list[bytes]) -> None:
    rig = in_state(state)
    rig.handle(Received(rig.engine.connection.attempt, texts))
    rig.tick(120)
    rig.commit()


@pytest.mark.parametrize("state", [SessionState.LOGGING_IN, SessionState.WAITING_FOR_SERVICE, SessionState.OPEN])
def test_what_is_no_message_ends_the_session(state: SessionState) -> None:
    rig = in_state(state)
    rig.handle(Received(rig.engine.connection.attempt, [b"oops"]))
    assert rig.engine.connection.state is SessionState.DISCONNECTED
    assert (rig.engine.connection.last_failure or "").startswith(Failure.PROTOCOL.value)


def test_a_pair_the_table_does_not_have_is_a_defect() -> None:
    with pytest.raises(ImpossibleTransition, match="session: CONNECTED while open"):
        SESSION_TRANSITIONS[SessionState.OPEN, SessionEvent.CONNECTED]
    with pytest.raises(ImpossibleTransition, match="instrument: SENT while IDLE"):
        INSTRUMENT_TRANSITIONS[InstrumentState.IDLE, InstrumentEvent.SENT]


class Walk:
    """Random things happening to one engine, by one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        conflate = self.rng.random() < 0.7
        max_age = self.rng.choice([None, 3_000_000])
        self.rig = Rig(conflate=conflate, max_age=max_age, create_missing=True, pack=3).assign(P0).assign(P1)
        self.owned = {P0, P1}

    def step(self) -> None:
        happenings = (
            self.put,
            self.answer,
            self.wait,
            self.write,
            self.bring_up,
            self.rebalance,
            self.disturb,
            self.order,
        )
        [happening] = self.rng.choices(happenings, weights=(5, 4, 2, 4, 4, 1, 1, 1))
        happening()
        assert_allowed(self.rig.engine)

    def put(self) -> None:
        partition, ric = self.rng.choice([P0, P1]), f"R{self.rng.randrange(4)}="
        age, ruled = self.rng.choice([0, 2]), ric == "R3="
        self.rig.put(
            {"BID": self.rng.random()},
            ric=ric,
            partition=partition,
            age=age,
            ruled=ruled,
            mapping=self.rng.choice(["fx", "m"]),
        )

    def wait(self) -> None:
        if self.rng.random() < 0.3:
            self.rig.handle(CaughtUp(frozenset(self.owned)))
        self.rig.tick(self.rng.choice([0.0, 0.5, 1.0, 16.0]))

    def write(self) -> None:
        if self.rng.random() < 0.3 and self.rig.engine.outbox.can_take:
            self.rig.fail()
        else:
            self.rig.commit()

    def order(self) -> None:
        """One RIC is paused, a mapping that makes posts of all, or nothing any more."""
        paused: list[list[str | Selector]] = [["R0="], [Selector(PauseKind.MAPPING, "fx")], []]
        self.rig.pause(*self.rng.choice(paused))

    def disturb(self) -> None:
        if self.rng.random() < 0.7:
            self.rig.receive(self.rng.choice(ANSWERS))
        else:
            self.rig.lose()

    def bring_up(self) -> None:
        """The next step to a session that posts."""
        rig, connection = self.rig, self.rig.engine.connection
        if connection.state is SessionState.DISCONNECTED:
            rig.tick(20.0)
        elif connection.state is SessionState.CONNECTING:
            rig.handle(Connected(connection.attempt))
        elif connection.state is SessionState.LOGGING_IN:
            rig.receive(login_refresh())
        elif connection.state is SessionState.WAITING_FOR_SERVICE:
            rig.receive(directory())

    def answer(self) -> None:
        rig, rng = self.rig, self.rng
        posts = [post.post_id for post in rig.engine.contributor.in_flight]
        if not posts:
            return
        post_id = rng.choice(posts)
        if rng.random() < 0.2:
            rig.error(rng.choice([post_id, None]))
        else:
            rig.ack(post_id, **rng.choice([{}, {}, {"NakCode": "NoResources"}, {"NakCode": "SymbolUnknown"}]))

    def rebalance(self) -> None:
        partition = self.rng.choice([P0, P1])
        if partition not in self.owned:
            self.owned.add(partition)
            self.rig.assign(partition, behind=self.rng.random() < 0.3)
        elif self.rng.random() < 0.5:
            self.rig.revoking(partition)
        else:
            self.owned.discard(partition)
            self.rig.revoked(partition)


def test_every_row_of_the_tables_is_used_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[Any] = set()
    tables = {
        connection_module: "SESSION_TRANSITIONS",
        instrument_module: "INSTRUMENT_TRANSITIONS",
        price_module: "PRICE_TRANSITIONS",
        tracker_module: "TRACKER_TRANSITIONS",
    }
    for module, name in tables.items():
        monkeypatch.setattr(module, name, Recording(getattr(module, name), seen))
    for seed in range(60):
        walk = Walk(seed)
        for _ in range(10 + 3 * seed):
            walk.step()
        walk.rig.stop()
        if seed % 2:
            walk.rig.lose()
        walk.rig.engine.connection.close(walk.rig.now)
    moving = {row for row in SESSION_TRANSITIONS if SessionEvent.MOVE in row or row[0].name == "MOVING"}
    given_up = {
        (InstrumentState.READY, InstrumentEvent.SETTLED),
        (InstrumentState.BACKING_OFF, InstrumentEvent.SETTLED),
    }
    assert {*INSTRUMENT_TRANSITIONS, *PRICE_TRANSITIONS, *TRACKER_TRANSITIONS} - given_up - seen == set()
    assert set(SESSION_TRANSITIONS) - moving - seen == set()
