"""At most one post per RIC and service is unanswered; what comes meanwhile merges field by field."""

import pytest
from tests.engine.rig import P1, Rig, statuses

from contribd.engine.limits import MAX_WAITING_RECORDS


@pytest.fixture
def rig() -> Rig:
    return Rig().open().assign()


def test_the_first_price_is_posted_at_once(rig: Rig) -> None:
    rig.put({"BID": 1})
    assert rig.fields == [{"BID": 1}]


def test_nothing_more_of_an_instrument_is_posted_while_its_post_is_unanswered(rig: Rig) -> None:
    rig.put({"BID": 1}, {"BID": 2})
    rig.put({"BID": 3})
    assert len(rig.posts) == 1


def test_other_instruments_do_not_wait_for_it(rig: Rig) -> None:
    rig.put({"BID": 1})
    rig.put({"BID": 2}, ric="GBP=")
    rig.put({"BID": 3}, service="OTHER")
    assert [post["Key"] for post in rig.posts] == [
        {"Name": "EUR=", "Service": "TRCC"},
        {"Name": "GBP=", "Service": "TRCC"},
    ]


def test_the_same_ric_of_another_service_is_another_instrument() -> None:
    rig = Rig()
    rig.log_in()
    rig.receive({"ID": 2, "Type": "Status", "Domain": "Source", "State": {"Stream": "Closed", "Text": "none"}})
    rig.assign()
    rig.put({"BID": 1})
    rig.put({"BID": 2}, service="OTHER")
    assert [post["Key"]["Service"] for post in rig.posts] == ["TRCC", "OTHER"]


def test_the_next_post_waits_until_the_result_of_the_last_is_durable(rig: Rig) -> None:
    """A crash in between would post the answered price again, after the newer one."""
    rig.put({"BID": 1})
    rig.put({"BID": 2})
    rig.ack(1)
    assert len(rig.posts) == 1
    rig.commit()
    assert rig.fields == [{"BID": 1}, {"BID": 2}]


def test_waiting_prices_merge_and_the_newest_value_of_each_field_wins(rig: Rig) -> None:
    rig.put({"BID": 0})
    rig.put({"BID": 1, "ASK": 1}, {"BID": 2}, {"ASK": 3, "MID": None})
    rig.ack(1)
    rig.commit()
    assert rig.fields[1] == {"BID": 2, "ASK": 3, "MID": None}


def test_merged_prices_are_conflated_and_name_the_one_that_carried_them(rig: Rig) -> None:
    rig.put({"BID": 0})
    rig.put({"BID": 1}, {"BID": 2}, {"ASK": 3})
    rig.ack(1)
    rig.commit()
    rig.ack(2)
    results = rig.commit()
    assert statuses(results) == [(1, "CONFLATED"), (2, "CONFLATED"), (3, "ACK")]
    carrier = {name: said for name, said in results[2]["source"].items() if name != "sha256"}
    assert [result["carried_by"] for result in results[:2]] == [carrier] * 2
    assert results[2]["carried_by"] is None
    assert results[0]["fields"] == {"BID": 1}
    assert results[2]["fields"] == {"BID": 2, "ASK": 3}
    assert results[0]["posts"] == []
    assert [post["post_id"] for post in results[2]["posts"]] == [2]


def test_merged_prices_get_their_result_though_the_ads_refuses_the_post(rig: Rig) -> None:
    rig.put({"BID": 0})
    rig.put({"BID": 1}, {"BID": 2})
    rig.ack(1)
    rig.commit()
    rig.ack(2, NakCode="DeniedBySrc", Text="no")
    assert statuses(rig.commit()) == [(1, "CONFLATED"), (2, "NAK")]


def test_a_refresh_carries_nothing_older_than_itself(rig: Rig) -> None:
    rig.put({"BID": 0})
    rig.put({"BID": 1, "ASK": 1})
    rig.put({"BID": 2}, type="Refresh")
    rig.put({"MID": 3})
    rig.ack(1)
    rig.commit()
    assert rig.posts[1]["Message"]["Type"] == "Refresh"
    assert rig.fields[1] == {"BID": 2, "MID": 3}


def test_without_conflation_every_record_is_posted_in_order() -> None:
    rig = Rig(conflate=False).open().assign()
    rig.put({"BID": 1}, {"ASK": 2}, {"BID": 3})
    for post_id in (1, 2, 3):
        assert len(rig.posts) == post_id
        rig.ack(post_id)
        assert statuses(rig.commit()) == [(post_id - 1, "ACK")]
    assert rig.fields == [{"BID": 1}, {"ASK": 2}, {"BID": 3}]


def test_prices_of_one_instrument_merge_across_partitions(rig: Rig) -> None:
    rig.assign(P1, start=50)
    rig.put({"BID": 0})
    rig.put({"BID": 1})
    rig.put({"ASK": 2}, partition=P1)
    rig.ack(1)
    rig.commit()
    rig.ack(2)
    assert [(r["source"]["partition"], r["status"]) for r in rig.commit()] == [(0, "CONFLATED"), (1, "ACK")]


def test_merged_prices_too_large_for_one_post_go_in_several() -> None:
    """The newest alone fits: refusing it would leave an older price standing."""
    rig = Rig().open(MaxMsgSize=1000).assign()
    rig.put({"BID": 0})
    rig.put({"A": "a" * 500}, {"B": "b" * 500})
    rig.ack(1)
    rig.commit()
    assert rig.fields[1] == {"A": "a" * 500}
    rig.ack(2)
    assert statuses(rig.commit()) == [(1, "ACK")]
    assert rig.fields[2] == {"B": "b" * 500}
    rig.ack(3)
    assert statuses(rig.commit()) == [(2, "ACK")]


def test_a_price_too_large_by_itself_is_rejected_and_the_others_are_posted() -> None:
    rig = Rig().open(MaxMsgSize=1000).assign()
    rig.put({"BID": 0})
    rig.put({"A": 1}, {"B": "b" * 1000}, {"C": 3})
    rig.ack(1)
    results = rig.commit()
    rig.ack(rig.ids[-1])
    results += rig.commit()
    assert sorted(statuses(results)) == [(0, "ACK"), (1, "CONFLATED"), (2, "REJECTED"), (3, "ACK")]
    [rejected] = [result for result in results if result["status"] == "REJECTED"]
    assert rejected["code"] == "TooLarge"
    assert "1000" in rejected["text"]
    assert rejected["posts"] == []


def test_the_size_a_server_takes_is_exact() -> None:
    rig = Rig().open().assign()
    rig.put({"A": "a" * 100})
    size = len(rig.frames[0])
    for limit, status in ((size, "ACK"), (size - 1, "REJECTED")):
        rig = Rig().open(MaxMsgSize=limit).assign()
        rig.put({"A": "a" * 100})
        if rig.posts:
            rig.ack(1)
        assert statuses(rig.commit()) == [(0, status)]


def test_consumption_pauses_before_the_records_that_wait_pass_their_bound() -> None:
    rig = Rig().assign()
    rig.put(*({"BID": n} for n in range(1000)))
    assert rig.engine.take_paused() == frozenset()
    rig.engine.intake.trackers[next(iter(rig.engine.intake.trackers))].waiting += MAX_WAITING_RECORDS
    assert len(rig.engine.take_paused()) == 1
