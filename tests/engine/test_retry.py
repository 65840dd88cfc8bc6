"""What is posted again, when, how often, and what the result says of it."""

import pytest
from tests.ads.server_messages import directory
from tests.engine.rig import Rig, statuses


@pytest.fixture
def rig() -> Rig:
    return Rig().open().assign()


def test_a_nak_with_another_code_is_final(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.ack(1, NakCode="DeniedBySrc", Text="[500]: Unknown")
    [result] = rig.commit()
    assert (result["status"], result["code"], result["text"]) == ("NAK", "DeniedBySrc", "[500]: Unknown")
    assert [(post["answer"], post["code"]) for post in result["posts"]] == [("NAK", "DeniedBySrc")]


def test_a_nak_code_that_is_a_bare_number_is_kept_as_text(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.ack(1, NakCode=57)
    assert [result["code"] for result in rig.commit()] == ["57"]


def test_a_nak_with_a_retry_code_is_posted_again_after_its_wait(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.ack(1, NakCode="NoResources")
    rig.tick(0.99)
    assert rig.ids == [1]
    rig.tick(0.01)
    assert rig.ids == [1, 2]


def test_the_wait_grows_with_the_tries_and_they_end(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.ack(1, NakCode="NoResources", Text="a")
    rig.tick(1)
    rig.ack(2, NakCode="NoResponse", Text="b")
    rig.tick(1)
    assert rig.ids == [1, 2]
    rig.tick(1)
    rig.ack(3, NakCode="NoResources", Text="c")
    rig.tick(60)
    assert rig.ids == [1, 2, 3]
    [result] = rig.commit()
    assert (result["status"], result["code"], result["text"]) == ("NAK", "NoResources", "c")
    assert [(post["post_id"], post["answer"], post["text"]) for post in result["posts"]] == [
        (1, "NAK", "a"),
        (2, "NAK", "b"),
        (3, "NAK", "c"),
    ]


def test_a_retry_that_is_accepted_is_an_ack(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.ack(1, NakCode="NoResources")
    rig.tick(1)
    rig.ack(2, Text="[4]: Creation Accepted")
    [result] = rig.commit()
    assert (result["status"], result["code"], result["text"]) == ("ACK", None, "[4]: Creation Accepted")
    assert [post["answer"] for post in result["posts"]] == ["NAK", "ACK"]


def test_a_newer_price_joins_the_retry(rig: Rig) -> None:
    rig.put({"BID": 1, "ASK": 1})
    rig.ack(1, NakCode="NoResources")
    rig.put({"BID": 2})
    assert rig.ids == [1]
    rig.tick(1)
    assert rig.fields[1] == {"BID": 2, "ASK": 1}
    rig.ack(2)
    results = rig.commit()
    assert statuses(results) == [(0, "CONFLATED"), (1, "ACK")]
    assert [post["answer"] for post in results[0]["posts"]] == ["NAK"]


def test_without_conflation_a_retry_keeps_its_place() -> None:
    rig = Rig(conflate=False).open().assign()
    rig.put({"BID": 1}, {"BID": 2})
    rig.ack(1, NakCode="NoResources")
    rig.tick(1)
    rig.ack(2)
    rig.commit()
    assert rig.fields == [{"BID": 1}, {"BID": 1}, {"BID": 2}]


def test_silence_past_the_timeout_is_posted_again_after_its_wait(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.receive({"Type": "Ping"})
    rig.tick(14.99)
    assert rig.engine.contributor.in_flight.oldest() is not None
    rig.tick(0.01)
    assert rig.engine.contributor.in_flight.oldest() is None
    rig.tick(1)
    assert rig.ids == [1, 2]


def test_a_price_never_answered_is_unanswered_with_every_post_in_its_result(rig: Rig) -> None:
    rig.put({"BID": 1})
    for _ in range(60):
        rig.receive({"Type": "Pong"})
        rig.tick(1)
    [result] = rig.commit()
    assert (result["status"], result["code"]) == ("UNANSWERED", None)
    assert "15 s" in result["text"]
    assert [(post["answer"], post["answered_at"]) for post in result["posts"]] == [("TIMEOUT", None)] * 3


def test_an_answer_that_comes_too_late_is_counted_and_changes_nothing(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.receive({"Type": "Pong"})
    rig.tick(15)
    rig.ack(1)
    assert rig.engine.counters.unmatched == 1
    assert rig.take() is None


def test_a_lost_session_s_posts_go_again_on_the_next_one_at_once(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.put({"BID": 2}, ric="GBP=")
    rig.lose()
    rig.open()
    rig.tick()
    assert rig.fields == [{"BID": 1}]
    rig.ack(3)
    assert rig.fields == [{"BID": 1}, {"BID": 2}]
    rig.ack(4)
    results = rig.commit()
    assert [[post["answer"] for post in result["posts"]] for result in results] == [["LOST", "ACK"]] * 2
    sessions = {post["session"] for result in results for post in result["posts"]}
    assert len(sessions) == 2
    assert {post["endpoint"] for post in results[0]["posts"]} == {"ws://a", "ws://b"}


def test_a_price_whose_last_try_is_lost_is_unanswered() -> None:
    rig = Rig(attempts=1).open().assign()
    rig.put({"BID": 1})
    rig.lose()
    [result] = rig.commit()
    assert (result["status"], [post["answer"] for post in result["posts"]]) == ("UNANSWERED", ["LOST"])


def test_a_login_that_ends_loses_what_was_unanswered(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.receive({"ID": 1, "Type": "Status", "Domain": "Login", "State": {"Stream": "Closed", "Data": "Suspect"}})
    assert len(rig.engine.contributor.in_flight) == 0


def test_an_ack_in_the_frame_that_ends_the_login_still_counts(rig: Rig) -> None:
    rig.put({"BID": 1})
    closed = {"ID": 1, "Type": "Status", "Domain": "Login", "State": {"Stream": "Closed", "Data": "Suspect"}}
    rig.receive(closed, {"ID": 1, "Type": "Ack", "AckID": 1})
    assert statuses(rig.commit()) == [(0, "ACK")]


def test_post_ids_are_not_used_again_after_a_lost_session(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.lose()
    rig.open()
    rig.tick()
    assert rig.ids == [2]


@pytest.mark.parametrize(
    "nak",
    [
        {"NakCode": "SymbolUnknown", "Text": "F44: Unable to find item on post update."},
        {"NakCode": "SymbolUnknown"},
        {"NakCode": "DeniedBySrc", "Text": "[500]: Unknown Item"},
    ],
)
def test_a_missing_item_is_created_by_one_refresh_where_that_is_wanted(nak: dict[str, str]) -> None:
    rig = Rig(create_missing=True).open().assign()
    rig.put({"BID": 1})
    rig.ack(1, **nak)
    rig.tick()
    assert [post["Message"]["Type"] for post in rig.posts] == ["Update", "Refresh"]
    assert rig.fields == [{"BID": 1}, {"BID": 1}]
    rig.ack(2)
    rig.commit()
    rig.put({"BID": 2})
    assert rig.posts[-1]["Message"]["Type"] == "Update"


def test_a_refresh_that_is_refused_too_is_final() -> None:
    rig = Rig(create_missing=True).open().assign()
    rig.put({"BID": 1})
    rig.ack(1, NakCode="SymbolUnknown")
    rig.tick()
    rig.ack(2, NakCode="SymbolUnknown", Text="still")
    [result] = rig.commit()
    assert (result["status"], result["text"]) == ("NAK", "still")
    assert [post["type"] for post in result["posts"]] == ["Update", "Refresh"]


def test_a_missing_item_is_not_created_by_default(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.ack(1, NakCode="SymbolUnknown")
    assert statuses(rig.commit()) == [(0, "NAK")]


def test_another_refusal_does_not_create(rig: Rig) -> None:
    rig = Rig(create_missing=True).open().assign()
    rig.put({"BID": 1})
    rig.ack(1, NakCode="DeniedBySrc", Text="Unable to find service for post message.")
    assert statuses(rig.commit()) == [(0, "NAK")]


def test_a_retry_waits_for_its_service_too(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.ack(1, NakCode="NoResources")
    rig.receive(directory(up=False, kind="Update"))
    rig.tick(5)
    assert rig.ids == [1]
    rig.receive(directory(up=True, kind="Update"))
    assert rig.ids == [1, 2]
