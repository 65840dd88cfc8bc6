"""An instrument whose posts do harm, or get no answer, does it to itself alone."""

from random import Random
from typing import Any

import pytest
from tests.engine.against_ads import AgainstAds
from tests.engine.recording import Recording
from tests.engine.rig import P0, Rig, statuses

from contribd.engine.events import Lost
from contribd.engine.limits import DROP_GRACE, OFFENDER_FIRST, OFFENDER_LONGEST, Bounds
from contribd.engine.policy import WithdrawPolicy
from contribd.engine.records import instruments as instruments_module
from contribd.engine.records import isolation as isolation_module
from contribd.engine.session.endpoints import Failure
from contribd.engine.states import (
    INSTRUMENT_TRANSITIONS,
    ISOLATION_TRANSITIONS,
    InstrumentEvent,
    IsolationState,
)
from contribd.simulation.ads.options import AdsOptions
from contribd.simulation.ads.ric_rules import ACK, CLOSES, GARBLES, SILENT, RicRules, Rule

HEALTHY = ("A=", "B=", "C=", "D=", "E=")
POISON = ("CLOSE.X=", "GARBAGE.X=")
SECONDS = 60
OFFENDER = "a post ends the session"
OVER = "the instrument's posts are answered again"


def beside(*harmful: str, shift: float = 0.0, **how: Any) -> AgainstAds:
    """A minute of five healthy instruments and these, a price a second each; settings are the default ones."""
    world = AgainstAds(**how)
    world.run(0.5)
    world.tick_every_second(*HEALTHY, seconds=SECONDS)
    world.tick_every_second(*harmful, seconds=SECONDS, shift=shift)
    world.run(SECONDS + 0.5)
    return world


def said(rig: Rig, sentence: str) -> int:
    return sum(note.startswith(sentence) for note in rig.notes)


class TestBesideAnInstrumentThatEndsSessions:
    @pytest.mark.parametrize("seed", range(2))
    @pytest.mark.parametrize("shift", [0.0, 0.4], ids=["in-their-frame", "by-itself"])
    @pytest.mark.parametrize("conflate", [True, False], ids=["conflated", "each"])
    @pytest.mark.parametrize("kind", POISON)
    def test_the_others_get_what_they_get_without_it(self, kind: str, conflate: bool, shift: float, seed: int) -> None:
        world = beside(kind, shift=shift, conflate=conflate, seed=seed)
        assert world.acked(*HEALTHY) >= 0.95 * beside(conflate=conflate, seed=seed).acked(*HEALTHY)
        assert world.statuses(kind)["UNANSWERED"] >= 2
        assert world.reasons.total() <= 6

    def test_so_they_do_beside_several(self) -> None:
        world = beside("CLOSE.X=", "GARBAGE.Y=", "CLOSE.Z=")
        assert world.acked(*HEALTHY) >= 0.95 * 5 * SECONDS

    def test_the_session_stays_with_its_endpoint_once_it_is_clear_who_ends_it(self) -> None:
        world = beside("CLOSE.X=", endpoints=2)
        assert world.used == ["ws://ads1", *["ws://ads2"] * world.reasons.total()]
        assert world.acked(*HEALTHY) >= 0.95 * 5 * SECONDS

    def test_logins_are_as_far_apart_as_after_one_failure(self) -> None:
        world = beside("CLOSE.X=", "CLOSE.Y=", "CLOSE.Z=")
        apart = [later - before for before, later in zip(world.connected_at, world.connected_at[1:], strict=False)]
        assert min(apart) >= 0.5

    def test_no_two_of_its_posts_are_soon_after_each_other(self) -> None:
        world = beside("CLOSE.X=", shift=0.4)
        [server] = world.servers.values()
        posts = [post for post in server.posts if post.ric == "CLOSE.X="]
        assert len(posts) == 5

    def test_the_log_names_it_once_and_the_result_says_what_was_done(self) -> None:
        world = beside("CLOSE.X=")
        assert said(world.rig, OFFENDER) == 1
        unanswered = [result for result in world.results if result["status"] == "UNANSWERED"]
        assert {result["ric"] for result in unanswered} == {"CLOSE.X="}
        assert "the only one in flight" in unanswered[0]["text"]
        assert "(closed by server)" in unanswered[0]["text"]

    def test_once_cured_it_is_posted_with_the_others_again_in_time(self) -> None:
        world = AgainstAds()
        world.run(0.5)
        world.tick_every_second("CLOSE.X=", *HEALTHY, seconds=800)
        world.run(20)
        [server] = world.servers.values()
        server.rules = RicRules((Rule("*", ACK),))
        world.run(60)
        assert world.statuses("CLOSE.X=")["ACK"] > 0
        assert world.rig.engine.contributor.instruments.isolations.count().total() == 1  # it is watched
        world.run(700)
        assert world.rig.engine.contributor.instruments.isolations.count().total() == 0
        assert said(world.rig, OVER) == 1

    def test_a_price_merged_into_its_post_does_not_begin_to_count_anew(self) -> None:
        world = beside("CLOSE.X=", shift=0.4)
        first = next(result for result in world.results if result["status"] == "UNANSWERED")
        assert len(first["posts"]) == 1
        assert world.statuses("CLOSE.X=")["CONFLATED"] > 0

    def test_a_server_that_ends_every_session_is_not_taken_for_a_post_s_doing(self) -> None:
        world = AgainstAds(options=AdsOptions(cut_every=1), attempts=100)
        world.run(0.5)
        world.tick_every_second(*HEALTHY, seconds=SECONDS)
        world.run(SECONDS)
        assert len(world.connected_at) <= 12


class TestBesideInstrumentsThatAreNotAnswered:
    def test_the_others_get_what_they_get_without_them(self) -> None:
        silent = [f"SILENT.{number}=" for number in range(40)]
        world = AgainstAds(max_outstanding=20)
        world.run(0.5)
        world.tick_every_second(*silent, seconds=240)
        world.run(120)  # each is silent for the first time, twenty at once
        world.results.clear()
        world.tick_every_second(*HEALTHY, seconds=SECONDS)
        world.run(SECONDS + 0.5)
        assert world.acked(*HEALTHY) >= 0.95 * 5 * SECONDS

    def test_their_prices_have_results(self) -> None:
        world = beside("SILENT.X=")
        assert world.statuses("SILENT.X=")["UNANSWERED"] == 1
        assert world.acked(*HEALTHY) == 5 * SECONDS

    @pytest.mark.parametrize("others", [True, False])
    def test_their_prices_are_given_up_for_others_only_where_these_are_answered(self, others: bool) -> None:
        rig = Rig(bounds=Bounds(waiting_records=40), conflate=False).open().assign()
        rig.put(*[{"BID": 1}] * 30, ric="X=")
        if others:
            rig.put({"BID": 1}, ric="A=")
            rig.ack(2)
        rig.receive({"Type": "Pong"})
        rig.tick(15)
        rig.tick()
        results = [result for result in rig.commit() if result["ric"] == "X="]
        assert len(results) == (30 if others else 0)
        assert {result["status"] for result in results} <= {"UNANSWERED"}

    def test_nothing_newer_goes_before_the_results_of_what_was_given_up_are_durable(self) -> None:
        """A crash would bring these prices back, and they would follow it."""
        rig = Rig(bounds=Bounds(waiting_records=40), conflate=False).open().assign()
        rig.put(*[{"BID": 1}] * 30, ric="X=")
        rig.put({"BID": 1}, ric="A=")
        rig.ack(2)
        rig.commit()
        rig.tick(15)
        rig.frames.clear()
        rig.tick()
        rig.put({"BID": 2}, ric="X=")
        rig.tick(1)
        assert rig.fields == []
        assert len(rig.commit()) == 30
        rig.tick()
        assert rig.fields == [{"BID": 2}]


@pytest.fixture
def rig() -> Rig:
    return Rig().open().assign()


def rics(rig: Rig) -> list[str]:
    """Those posted since the last call."""
    names = [post["Key"]["Name"] for post in rig.posts]
    rig.frames.clear()
    return names


def lose_with(rig: Rig, *names: str) -> None:
    """These are in flight when the session ends; another one is open."""
    for name in names:
        rig.put({"BID": 1}, ric=name)
    rig.lose()
    rig.frames.clear()


class TestTrials:
    def test_others_go_first_and_nothing_goes_beside_it(self, rig: Rig) -> None:
        lose_with(rig, "X=", "Y=")
        rig.put({"BID": 1}, ric="NEW=")
        rig.open()
        rig.tick()
        assert rics(rig) == ["NEW="]
        rig.ack(3)
        assert rics(rig) == ["X="]
        rig.put({"BID": 1}, ric="LATER=")
        assert rics(rig) == []
        rig.ack(4)
        assert rics(rig) == ["LATER="]
        rig.ack(5)
        assert rics(rig) == ["Y="]

    def test_wait_no_longer_than_the_grace(self, rig: Rig) -> None:
        lose_with(rig, "X=")
        rig.put({"BID": 1}, ric="NEW=")
        rig.open()
        rig.tick()
        rig.put({"BID": 1}, ric="LATER=")
        assert rics(rig) == ["NEW="]
        rig.tick(DROP_GRACE)
        assert rics(rig) == ["X="]
        rig.tick(DROP_GRACE)
        assert rics(rig) == ["LATER="]

    def test_who_is_answered_goes_with_the_others_again(self, rig: Rig) -> None:
        lose_with(rig, "X=")
        rig.open()
        rig.tick()
        rig.ack(2)
        rig.commit()
        assert rig.engine.contributor.instruments.isolations.count().total() == 0

    def test_are_ten_however_many_there_are(self) -> None:
        rig = Rig(attempts=3).open().assign()
        lose_with(rig, *(f"R{number}=" for number in range(60)))
        rig.open()
        rig.tick()
        sizes = []
        while rig.frames:
            sizes.append(len(rig.ids))
            sent = rig.ids
            rig.frames.clear()
            rig.ack(*sent)
        assert sizes == [6] * 10

    def test_of_one_that_the_server_hangs_at_is_known_by_what_was_not_answered_after_it(self, rig: Rig) -> None:
        lose_with(rig, "X=")
        rig.open()
        rig.tick()
        rig.put({"BID": 1}, ric="LATER=")
        rig.tick(DROP_GRACE)
        assert rics(rig) == ["X=", "LATER="]
        rig.handle(Lost(rig.engine.connection.attempt, Failure.PING_TIMEOUT, "nothing received"))
        assert said(rig, OFFENDER) == 1
        assert rig.engine.contributor.instruments.isolations.count().total() == 1

    def test_do_not_blame_what_a_later_answer_passed_over(self, rig: Rig) -> None:
        lose_with(rig, "X=")
        rig.open()
        rig.tick()
        rig.put({"BID": 1}, ric="LATER=")
        rig.tick(DROP_GRACE)
        rig.ack(3)
        rig.lose()
        assert said(rig, OFFENDER) == 0

    def test_an_end_of_our_own_puts_nobody_in_doubt(self, rig: Rig) -> None:
        rig.put({"BID": 1}, ric="X=")
        rig.assign(P0._replace(number=1))
        rig.put({"BID": 1}, ric="Y=", partition=P0._replace(number=1))
        rig.revoking(P0)
        rig.revoked(P0)
        assert rig.engine.contributor.instruments.isolations.count().total() == 0

    def test_what_is_known_of_an_instrument_outlives_its_partition(self, rig: Rig) -> None:
        lose_with(rig, "X=")
        rig.revoking(P0)
        rig.revoked(P0)
        rig.assign(P0, 1)
        rig.put({"BID": 2}, ric="X=")
        rig.put({"BID": 2}, ric="NEW=")
        rig.open()
        rig.tick()
        assert rics(rig) == ["NEW="]


class TestAnOffender:
    def convict(self, rig: Rig, ric: str = "X=") -> None:
        lose_with(rig, ric)
        rig.open()
        rig.tick()
        rig.lose()
        rig.tick(1)
        rig.open()
        rig.frames.clear()

    def test_waits_and_the_others_do_not(self, rig: Rig) -> None:
        self.convict(rig)
        rig.put({"BID": 1}, ric="NEW=")
        rig.tick(OFFENDER_FIRST - 1.01)
        assert rics(rig) == ["NEW="]
        rig.ack(3)
        rig.tick(0.01)
        assert rics(rig) == ["X="]

    def test_has_one_try_for_each_further_price_once_its_tries_are_used_up(self, rig: Rig) -> None:
        self.convict(rig)
        rig.tick(OFFENDER_FIRST)
        rig.lose()
        assert statuses(rig.commit()) == [(0, "UNANSWERED")]
        rig.put({"BID": 2}, ric="X=")
        rig.tick()
        rig.open()
        rig.tick(2 * OFFENDER_FIRST)
        rig.lose()
        [result] = rig.commit()
        assert (result["status"], len(result["posts"])) == ("UNANSWERED", 1)

    def test_is_given_up_for_the_others_of_its_partition(self) -> None:
        rig = Rig(bounds=Bounds(span=20), conflate=False).open().assign()
        self.convict(rig)
        results = []
        for number in range(30):
            rig.put({"BID": number}, ric="X=")
            rig.put({"BID": number}, ric=f"R{number}=")
            rig.tick(0.01)
            rig.ack(*rig.ids)
            rig.frames.clear()
            results += rig.commit()
        assert [result["ric"] for result in results if result["status"] == "ACK"] == [f"R{n}=" for n in range(30)]
        assert {result["ric"] for result in results if result["status"] == "UNANSWERED"} == {"X="}

    def test_leaves_the_wait_of_the_endpoint_as_it_was(self) -> None:
        rig = Rig(endpoints=("ws://a",), backoff=lambda failures: 10.0**failures).open().assign()
        lose_with(rig, "X=")
        rig.tick(10)
        rig.open()
        rig.tick()
        assert rics(rig) == ["X="]
        rig.lose()
        rig.commands.clear()
        rig.tick(10)
        assert len(rig.connects()) == 1


def test_every_row_of_the_table_is_used_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that change their minds, connections that are cut, and still one result for each price."""
    seen: set[Any] = set()
    monkeypatch.setattr(isolation_module, "ISOLATION_TRANSITIONS", Recording(ISOLATION_TRANSITIONS, seen))
    monkeypatch.setattr(instruments_module, "INSTRUMENT_TRANSITIONS", Recording(INSTRUMENT_TRANSITIONS, seen))
    for seed in range(24):
        rng = Random(seed)
        few = Bounds(waiting_records=20)
        world = AgainstAds(seed=seed, conflate=bool(seed % 2), ack_timeout=3.0, max_outstanding=4, bounds=few)
        [server] = world.servers.values()
        names = ("A=", "B=", "C=", "D=")
        for _ in range(40):
            answers = [rng.choice((ACK, ACK, CLOSES, GARBLES, SILENT)) for _ in names]
            server.rules = RicRules(tuple(map(Rule, names, answers)))
            world.tick_every_second(*names, seconds=5, shift=rng.random())
            world.run(rng.choice((2.0, 5.0, 30.0)))
            if rng.random() < 0.3:
                server.control("disconnect")
        server.rules = RicRules()
        world.run(2_000)
        assert sorted(result["source"]["offset"] for result in world.results) == list(range(40 * 5 * len(names)))
    settling = {row for row in INSTRUMENT_TRANSITIONS if row[1] is InstrumentEvent.SETTLED}
    assert {*ISOLATION_TRANSITIONS, *settling} - seen == set()


def test_the_view_names_who_is_isolated_and_for_how_long() -> None:
    world = beside("CLOSE.X=", "SILENT.Y=")
    view = world.rig.engine.view(world.rig.now)
    assert view.isolated == {IsolationState.OFFENDER: 1, IsolationState.SILENT: 1}
    shown = {one.ric: one for one in view.isolated_named}
    assert shown["CLOSE.X="].state is IsolationState.OFFENDER
    assert shown["CLOSE.X="].sessions_ended >= 3
    assert 0 < shown["CLOSE.X="].wait <= OFFENDER_LONGEST
    assert (shown["SILENT.Y="].state, shown["SILENT.Y="].wait) == (IsolationState.SILENT, 0)


def test_the_blanks_of_a_stop_do_not_wait_for_an_offender_s_time() -> None:
    withdraw = WithdrawPolicy(on_stop=True, fields={"m": frozenset({"BID"})})
    rig = Rig(withdraw=withdraw, endpoints=("ws://a",)).open().assign()
    rig.put({"BID": 1}, ric="X=")
    rig.ack(1)
    rig.commit()
    rig.put({"BID": 2}, ric="X=")
    rig.lose()
    rig.tick(1)
    rig.open()
    rig.tick()
    rig.lose()
    assert said(rig, OFFENDER) == 1
    rig.tick(1)
    rig.open()
    rig.frames.clear()
    rig.stop()
    rig.tick()
    assert rig.fields == [{"BID": None}]


def test_the_ric_of_each_kind_of_harm_is_one_the_simulated_ads_knows() -> None:
    assert all(RicRules().answer(ric).harm is not None for ric in POISON)
