"""Frames of several posts, and Errors that take more than one post with them."""

import pytest
from tests.engine.rig import Rig, messages, statuses

RICS = ("A=", "B=", "C=", "D=")


@pytest.fixture
def rig() -> Rig:
    return packed(Rig())


def packed(rig: Rig) -> Rig:
    """Four posts, 1 to 4, in one frame."""
    rig.assign()
    for ric in RICS:
        rig.put({"BID": 1}, ric=ric)
    rig.open()
    assert [len(messages(frame)) for frame in rig.frames] == [4]
    return rig


def sent_again(rig: Rig) -> list[str]:
    return [post["Key"]["Name"] for post in rig.posts[4:]]


# Frames


def test_what_waits_goes_in_frames_of_at_most_pack_posts() -> None:
    rig = Rig(pack=3).assign()
    for n in range(7):
        rig.put({"BID": 1}, ric=f"R{n}=")
    rig.open()
    assert [len(messages(frame)) for frame in rig.frames] == [3, 3, 1]


def test_a_frame_of_one_post_is_no_array() -> None:
    rig = Rig(pack=1).open().assign()
    rig.put({"BID": 1})
    assert rig.frames[0].startswith(b'{"ID":1,"Type":"Post"')


def test_no_frame_is_larger_than_the_server_takes() -> None:
    rig = Rig().assign()
    for n in range(20):
        rig.put({"A": "a" * 100}, ric=f"R{n}=")
    rig.open(MaxMsgSize=1000)
    assert len(rig.posts) == 20
    assert max(len(frame) for frame in rig.frames) <= 1000
    assert len(rig.frames) < 20


def test_a_frame_may_be_exactly_as_large_as_the_server_takes() -> None:
    rig = packed(Rig())
    size = len(rig.frames[0])
    for limit, frames in ((size, 1), (size - 1, 2)):
        again = Rig().assign()
        for ric in RICS:
            again.put({"BID": 1}, ric=ric)
        again.open(MaxMsgSize=limit)
        assert len(again.frames) == frames


def test_no_more_posts_are_outstanding_than_allowed() -> None:
    rig = Rig(max_outstanding=2).assign()
    for ric in RICS:
        rig.put({"BID": 1}, ric=ric)
    rig.open()
    assert rig.ids == [1, 2]
    rig.ack(1)
    assert rig.ids == [1, 2, 3]


# Errors that echo their post


def test_an_error_settles_the_post_it_echoes(rig: Rig) -> None:
    rig.error(4, "bad value")
    [result] = rig.commit()
    assert (result["status"], result["ric"], result["code"], result["text"]) == ("ERROR", "D=", None, "bad value")
    assert [post["answer"] for post in result["posts"]] == ["ERROR"]


def test_what_preceded_it_in_its_frame_is_not_suspect(rig: Rig) -> None:
    rig.error(4)
    rig.tick(5)
    assert sent_again(rig) == []
    rig.ack(1, 2, 3)
    assert len(rig.commit()) == 4


def test_what_followed_it_in_its_frame_is_posted_again_after_a_silence(rig: Rig) -> None:
    rig.ack(1)
    rig.error(2)
    rig.tick(0.99)
    assert sent_again(rig) == []
    rig.tick(0.01)
    assert sent_again(rig) == ["C=", "D="]


def test_an_answer_to_a_later_frame_proves_it_sooner(rig: Rig) -> None:
    rig.put({"BID": 1}, ric="E=")
    rig.error(1)
    rig.ack(5)
    rig.tick()
    assert sent_again(rig) == ["E=", "B=", "C=", "D="]


def test_frame_mates_that_are_answered_after_all_are_not_posted_again(rig: Rig) -> None:
    rig.error(1)
    rig.ack(2, 3, 4)
    rig.tick(60)
    assert sent_again(rig) == []
    assert [status for _, status in statuses(rig.commit())] == ["ERROR", "ACK", "ACK", "ACK"]


def test_a_dropped_post_s_result_says_that_it_was_dropped(rig: Rig) -> None:
    rig.error(3, "bad")
    rig.tick(1)
    rig.tick()
    rig.ack(1, 2, 5)
    dropped = next(result for result in rig.commit() if result["ric"] == "D=")
    assert [post["answer"] for post in dropped["posts"]] == ["TIMEOUT", "ACK"]
    assert "dropped by the ADS after an Error in the same frame: bad" in dropped["posts"][0]["text"]


def test_dropped_posts_do_not_go_alone(rig: Rig) -> None:
    rig.error(1)
    rig.tick(1)
    assert [len(messages(frame)) for frame in rig.frames[1:]] == [3]


def test_a_slow_server_gets_a_longer_silence(rig: Rig) -> None:
    rig.tick(4)
    rig.ack(1)
    rig.error(2)
    rig.tick(1)
    assert sent_again(rig) == []
    rig.tick(3)
    assert sent_again(rig) == ["C=", "D="]


# Errors that do not


def test_an_error_without_an_echo_is_laid_at_the_oldest_post_which_goes_again_alone(rig: Rig) -> None:
    rig.ack(1)
    rig.error()
    rig.tick(1)
    assert sent_again(rig) == ["B=", "C=", "D="]
    assert [[post["Key"]["Name"] for post in messages(frame)] for frame in rig.frames[1:]] == [["B="], ["C=", "D="]]


def test_the_post_that_went_alone_and_fails_again_is_an_error(rig: Rig) -> None:
    rig.error(text="first")
    rig.tick(1)
    rig.error(text="second")
    rig.ack(6, 7, 8)
    results = {result["ric"]: result for result in rig.commit()}
    assert (results["A="]["status"], results["A="]["text"]) == ("ERROR", "second")
    assert [post["answer"] for post in results["A="]["posts"]] == ["TIMEOUT", "ERROR"]
    assert {results[ric]["status"] for ric in ("B=", "C=", "D=")} == {"ACK"}


def test_the_post_that_went_alone_and_is_accepted_is_an_ack(rig: Rig) -> None:
    rig.error()
    rig.tick(1)
    rig.ack(5, 6, 7, 8)
    assert {result["status"] for result in rig.commit()} == {"ACK"}
    rig.put({"BID": 2}, ric="A=")
    rig.put({"BID": 2}, ric="B=")
    assert rig.engine.contributor.in_flight.oldest() is not None


def test_blame_passes_on_where_the_oldest_is_answered_after_all(rig: Rig) -> None:
    rig.error()
    rig.ack(1)
    rig.tick(1)
    assert [[post["Key"]["Name"] for post in messages(frame)] for frame in rig.frames[1:]] == [["B="], ["C=", "D="]]


def test_two_errors_without_echo_are_laid_at_two_frames() -> None:
    rig = packed(Rig())
    rig.put({"BID": 1}, ric="E=")
    rig.error()
    rig.error()
    rig.tick(1)
    alone = [messages(frame)[0]["Key"]["Name"] for frame in rig.frames[2:] if len(messages(frame)) == 1]
    assert alone == ["A=", "E="]


def test_an_error_while_nothing_is_outstanding_is_counted(rig: Rig) -> None:
    rig.ack(1, 2, 3, 4)
    rig.error()
    rig.error(99)
    assert rig.engine.counters.unmatched == 2
    assert rig.notes.count("an answer that belongs to no outstanding post") == 1


def test_a_lost_session_takes_its_suspicions_with_it(rig: Rig) -> None:
    rig.error(1)
    rig.lose()
    rig.open()
    for _ in range(6):
        rig.tick(2)
    assert [post["Key"]["Name"] for post in rig.posts] == ["B=", "C=", "D="]


def test_a_post_alone_never_shares_its_frame() -> None:
    rig = Rig().assign()
    for ric in RICS:
        rig.put({"BID": 1}, ric=ric)
    for instrument in rig.engine.contributor.instruments:
        instrument.alone = instrument.key[1] in ("B=", "C=")
    rig.open()
    assert [len(messages(frame)) for frame in rig.frames] == [1, 1, 1, 1]


def test_an_error_before_the_login_is_answered_is_about_the_login() -> None:
    rig = Rig()
    rig.connect()
    rig.error(text="no such thing")
    assert rig.engine.connection.last_failure == "login refused: no such thing"
    assert rig.engine.counters.unmatched == 0
