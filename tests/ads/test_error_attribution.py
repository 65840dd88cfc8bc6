"""Whom an Error is laid at, what it may have taken with it, and the post that ends every session it is in."""

from typing import Any

import msgspec
import pytest
from tests.engine.rig import Rig, messages

from contribd.engine.events import Lost
from contribd.engine.limits import DROP_GRACE, LINE_INTERVAL
from contribd.engine.session.endpoints import Failure
from contribd.omm.answers import Other, PostError, decode

ERROR: dict[str, Any] = {"ID": 1, "Type": "Error", "Text": "no"}
POST = '{"ID":1,"Type":"Post","Domain":"MarketPrice","Ack":true,"PostID":%d,"Message":{"ID":0,"Type":"Update"}}'


def packed(*counts: int, **options: Any) -> Rig:
    """One frame of so many posts after the other, PostIDs from 1, RICs R1=, R2=, …"""
    rig = Rig(**options).open().assign()
    number = 0
    for count in counts:
        rig.lease(0.0)
        for _ in range(count):
            number += 1
            rig.put({"BID": 1}, ric=f"R{number}=")
        rig.lease(float("inf"))
        rig.pump()
    assert [len(messages(frame)) for frame in rig.frames] == list(counts)
    rig.frames.clear()
    return rig


def again(rig: Rig) -> list[list[str]]:
    """The RICs posted since, frame by frame."""
    frames, rig.frames = rig.frames, []
    return [[post["Key"]["Name"] for post in messages(frame)] for frame in frames]


def results(rig: Rig) -> dict[str, str]:
    return {result["ric"]: result["status"] for result in rig.commit()}


def about(echo: str) -> Any:
    [answer] = decode(msgspec.json.encode([{**ERROR, "Debug": {"Message": echo}}]))
    return answer


class TestEcho:
    def test_of_a_post_names_it(self) -> None:
        assert about(POST % 41) == PostError(41, "no")

    def test_of_a_frame_with_one_post_names_it(self) -> None:
        assert about(f"[{POST % 41}]") == PostError(41, "no")

    def test_of_a_whole_frame_does_not_name_its_first_post(self) -> None:
        assert about(f"[{POST % 41},{POST % 42}]") == PostError(None, "no")
        assert about(f"[{POST % 41},{POST % 42}]"[:-20]) == PostError(None, "no")

    @pytest.mark.parametrize("length", range(len(POST) - 1))
    def test_that_is_cut_anywhere_names_the_post_or_none(self, length: int) -> None:
        assert about((POST % 41)[:length]) in (PostError(41, "no"), PostError(None, "no"))

    @pytest.mark.parametrize(
        "echo",
        [
            '{"ID":1,"Domain":"Login","Key":{"Name":"u"}}',
            '{"ID":2,"Domain":"Source","Key":{"Filter":3}}',
            '{"Type":"Pong"}',
            '{"ID":2,"Domain":"Source","Key":{"Fil',
        ],
    )
    def test_of_something_else_is_about_no_post(self, echo: str) -> None:
        assert about(echo) == Other("Error", "no")

    def test_of_something_else_blames_no_post(self) -> None:
        rig = packed(3)
        rig.receive({**ERROR, "Debug": {"Message": '{"ID":2,"Domain":"Source","Key":{"Filter":3}}'}})
        rig.tick(5)
        assert again(rig) == []
        rig.ack(1, 2, 3)
        assert set(results(rig).values()) == {"ACK"}


class TestErrorAttribution:
    def test_finds_the_post_where_the_error_overtook_earlier_answers(self) -> None:
        rig = packed(5)
        rig.error()
        rig.ack(1, 2)
        rig.tick(DROP_GRACE)
        assert again(rig) == [["R3="], ["R4=", "R5="]]

    def test_passes_on_to_the_next_frame_where_all_of_one_are_answered(self) -> None:
        rig = packed(2, 3)
        rig.error()
        rig.ack(1, 2, 3)
        rig.tick(DROP_GRACE)
        assert again(rig) == [["R4="], ["R5="]]

    def test_does_not_pass_on_to_posts_sent_after_the_error(self) -> None:
        rig = packed(2)
        rig.error()
        rig.put({"BID": 1}, ric="LATE=")
        rig.ack(1, 2)
        again(rig)
        rig.tick(5)
        assert again(rig) == []

    def test_is_not_final_before_the_post_failed_alone(self) -> None:
        rig = packed(2)
        rig.error()
        rig.tick(DROP_GRACE)
        rig.ack(3, 4)
        assert results(rig) == {"R1=": "ACK", "R2=": "ACK"}


class TestTheRestOfAFrame:
    def test_is_not_posted_again_where_the_server_went_on_after_the_error(self) -> None:
        rig = packed(4, 1)
        rig.error(2)
        rig.ack(3, 5)
        rig.tick(5)
        assert again(rig) == []
        rig.ack(1, 4)
        assert results(rig) == {"R1=": "ACK", "R2=": "ERROR", "R3=": "ACK", "R4=": "ACK", "R5=": "ACK"}

    def test_only_the_skipped_post_is_posted_again_where_the_server_went_on_and_does_not_say_after_which(self) -> None:
        rig = packed(4)
        rig.ack(1)
        rig.error()
        rig.ack(3)
        rig.tick(DROP_GRACE)
        assert again(rig) == [["R2="]]

    def test_is_not_taken_for_dropped_by_a_later_answer_of_a_server_that_answers_out_of_order(self) -> None:
        rig = packed(3, 3, 1)
        rig.ack(5, 4)
        rig.error(1)
        rig.ack(7)
        rig.tick(DROP_GRACE / 2)
        assert again(rig) == []
        rig.tick(DROP_GRACE / 2)
        assert again(rig) == [["R2=", "R3="]]

    def test_is_posted_again_at_once_by_a_later_answer_of_a_server_that_keeps_to_the_order(self) -> None:
        rig = packed(3, 3)
        rig.error(1)
        rig.ack(4)
        rig.tick()
        assert again(rig) == [["R2=", "R3="]]


class TestAPostThatEndsSessions:
    def run(self, rig: Rig, poison: str) -> int:
        """A server that acks what it gets, frame by frame, and hangs up at the poison; how often it did."""
        cuts = 0
        for _ in range(200):
            if not rig.engine.session.up:
                rig.tick(5)
                rig.open()
            frames, rig.frames = rig.frames, []
            for frame in frames:
                posts = messages(frame)
                if any(post.get("Key", {}).get("Name") == poison for post in posts if post.get("Type") == "Post"):
                    cuts += 1
                    rig.handle(Lost(rig.engine.connection.attempt, Failure.CLOSED_BY_SERVER, "closed"))
                    rig.frames.clear()
                    break
                rig.ack(*(post["PostID"] for post in posts if post.get("Type") == "Post"))
            self.done.update(results(rig))
            if not len(rig.engine.contributor.instruments):
                return cuts
            rig.tick(0.1)
        raise AssertionError("never done")

    def test_is_the_only_one_given_up(self) -> None:
        self.done: dict[str, str] = {}
        rig = Rig().assign()
        for number in range(1, 61):
            rig.put({"BID": 1}, ric=f"R{number}=")
        assert self.run(rig, "R30=") == 3
        assert self.done.pop("R30=") == "UNANSWERED"
        assert set(self.done.values()) == {"ACK"}
        assert len(self.done) == 59

    def test_a_post_on_its_own_that_is_not_answered_holds_the_others_for_a_moment_only(self) -> None:
        rig = Rig(attempts=2).assign()
        for number in (1, 2, 3):
            rig.put({"BID": 1}, ric=f"R{number}=")
        rig.open()
        rig.lose()
        rig.tick(2)
        rig.open()
        rig.tick()
        for sent in (["R1="], ["R1=", "R2="], ["R1=", "R2=", "R3="]):
            rig.tick(DROP_GRACE / 2)
            assert [post["Key"]["Name"] for post in rig.posts] == sent
            assert rig.engine.wake_at(rig.now) <= rig.mono + DROP_GRACE
            rig.tick(DROP_GRACE / 2)


def test_answers_that_match_nothing_are_all_counted_and_logged_once_in_a_while() -> None:
    rig = packed(1)
    rig.ack(77, 78, 79)
    rig.error(80)
    assert rig.engine.counters.unmatched == 4
    sentence = "an answer that belongs to no outstanding post"
    assert rig.notes.count(sentence) == 1
    for _ in range(12):
        rig.tick(LINE_INTERVAL / 12)
        rig.receive({"Type": "Ping"})
    rig.ack(81, 82)
    assert rig.engine.counters.unmatched == 6
    assert rig.notes.count(sentence) == 2
