"""The search for one RIC: what is found, and how far it looked."""

import json
from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import quote

import pytest
from tests.ops.samples import snapshot
from tests.ops.test_ric_watch import START, result

from contribd.engine.records.price import Status
from contribd.ops.last_results import LastResult, LastResults
from contribd.ops.log import add_secret
from contribd.ops.progress import Progress
from contribd.ops.ric_search import FurtherBack, NotLooked, RicSearch
from contribd.ops.site import Site


def backwards(ric: str, services: Collection[str]) -> FurtherBack:
    """What the results topic has."""
    if ric == "AWAY":
        raise NotLooked("cannot read from Kafka at hunter22")
    if ric == "BUSY":
        raise NotLooked("try again in a few seconds", busy=True)
    assert services == ["TRCC", "OTHER"]
    if ric == "NONE":
        return FurtherBack([], "partition 2 of topic results", 0, 0, None, whole=True)
    found = LastResult(START, result(ric, Status.NAK, offset=7, text="no, hunter22").value)
    return FurtherBack(
        [("TRCC", found)], "partition 2 of topic results", 3, 12_000, 1_600_000_000.0, whole=ric == "ALL"
    )


def site(last: LastResults) -> Site:
    return Site(snapshot, Progress(), search=RicSearch(last, lambda: ["TRCC", "OTHER"], 1_700_000_000.0, backwards))


def test_the_last_result_and_what_was_posted_before_it_are_found() -> None:
    last = LastResults()
    last.add([result("EUR=", Status.ACK, offset=1), result("EUR=", Status.EXPIRED, offset=2)], START)
    answer = json.loads(site(last).get("/search?ric=EUR%3D").body)
    (found,) = answer["found"]
    assert (answer["ric"], found["service"]) == ("EUR=", "TRCC")
    assert (found["result"]["status"], found["result"]["source"]["offset"]) == ("EXPIRED", 2)
    assert (found["posted"]["status"], found["posted"]["fields"]) == ("ACK", {"BID": 1.1})
    assert answer["looked_back_to"] == "2023-11-14T22:13:20.000000Z"
    assert "since 2023-11-14T22:13:20.000000Z, of the partitions that it has." in answer["looked"]


def test_one_that_is_not_known_is_told_with_how_far_was_looked() -> None:
    last = LastResults(size=1)
    last.add([result("A", Status.ACK), result("B", Status.ACK)], START)
    answer = json.loads(site(last).get("/search?ric=C").body)
    assert answer["found"] == []
    assert "RICs that had records last" in answer["looked"]


@pytest.mark.parametrize("query", ["", "?", "?ric=", f"?ric={'x' * 256}", "?name=EUR", "?ric=EUR&in=kafka"])
def test_a_search_for_nothing_is_told_what_was_expected(query: str) -> None:
    answer = site(LastResults()).get(f"/search{query}")
    assert answer.status == HTTPStatus.BAD_REQUEST
    assert answer.body.startswith(b"expected /search?ric=RIC, with at most 255 characters, and in=topic to ")


@pytest.mark.usefixtures("written")
def test_a_secret_in_an_answers_text_is_not_served() -> None:
    add_secret("hunter22")
    last = LastResults()
    last.add([result("A", Status.NAK, text="no, hunter22")], START)
    for place in ("memory", "topic"):
        body = site(last).get(f"/search?ric=A&in={place}").body
        assert b"no, ***" in body
        assert b"hunter22" not in body
    away = site(last).get("/search?ric=AWAY&in=topic")
    assert (away.status, away.body) == (HTTPStatus.SERVICE_UNAVAILABLE, b"cannot read from Kafka at ***\n")


@pytest.mark.parametrize(
    ("ric", "told"),
    [
        (
            "EUR=",
            "back to 2020-09-13T12:26:40.000000Z: 3 of 12,000 results are of this RIC. contribd results --ric RIC",
        ),
        ("ALL", "back to 2020-09-13T12:26:40.000000Z, the oldest there is: 3 of 12,000 results are of this RIC."),
        ("NONE", "Looked in partition 2 of topic results: no results are there."),
    ],
)
def test_how_far_back_the_results_topic_was_read_is_told(ric: str, told: str) -> None:
    answer = json.loads(site(LastResults()).get(f"/search?ric={quote(ric)}&in=topic").body)
    assert told in answer["looked"]
    assert [each["result"]["source"]["offset"] for each in answer["found"]] == ([] if ric == "NONE" else [7])


def test_a_search_that_has_to_wait_for_another_says_so() -> None:
    answer = site(LastResults()).get("/search?ric=BUSY&in=topic")
    assert (answer.status, answer.body) == (HTTPStatus.TOO_MANY_REQUESTS, b"try again in a few seconds\n")
