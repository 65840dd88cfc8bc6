"""The search for one RIC: what is found, and how far it looked."""

import json
from http import HTTPStatus

import pytest
from tests.ops.samples import snapshot
from tests.ops.test_ric_watch import START, result

from contribd.engine.records.price import Status
from contribd.ops.last_results import LastResults
from contribd.ops.log import add_secret
from contribd.ops.progress import Progress
from contribd.ops.ric_search import RicSearch
from contribd.ops.site import Site


def site(last: LastResults) -> Site:
    return Site(snapshot, Progress(), search=RicSearch(last, lambda: ["TRCC", "OTHER"], 1_700_000_000.0))


def test_the_last_result_and_what_was_posted_before_it_are_found() -> None:
    last = LastResults()
    last.add([result("EUR=", Status.ACK, offset=1), result("EUR=", Status.EXPIRED, offset=2)], START)
    answer = json.loads(site(last).get("/search?ric=EUR%3D").body)
    (found,) = answer["found"]
    assert (answer["ric"], found["service"]) == ("EUR=", "TRCC")
    assert (found["result"]["status"], found["result"]["source"]["offset"]) == ("EXPIRED", 2)
    assert (found["posted"]["status"], found["posted"]["fields"]) == ("ACK", {"BID": 1.1})
    assert answer["looked_back_to"] == "2023-11-14T22:13:20.000000Z"
    assert "since 2023-11-14T22:13:20.000000Z, of the partitions that it has. contribd results" in answer["looked"]


def test_one_that_is_not_known_is_told_with_how_far_was_looked() -> None:
    last = LastResults(size=1)
    last.add([result("A", Status.ACK), result("B", Status.ACK)], START)
    answer = json.loads(site(last).get("/search?ric=C").body)
    assert answer["found"] == []
    assert "RICs that had records last" in answer["looked"]


@pytest.mark.parametrize("query", ["", "?", "?ric=", f"?ric={'x' * 256}", "?name=EUR"])
def test_a_search_for_nothing_is_told_what_was_expected(query: str) -> None:
    answer = site(LastResults()).get(f"/search{query}")
    assert answer.status == HTTPStatus.BAD_REQUEST
    assert answer.body == b"expected /search?ric=RIC, with at most 255 characters\n"


@pytest.mark.usefixtures("written")
def test_a_secret_in_an_answers_text_is_not_served() -> None:
    add_secret("hunter22")
    last = LastResults()
    last.add([result("A", Status.NAK, text="no, hunter22")], START)
    body = site(last).get("/search?ric=A").body
    assert b"no, ***" in body
    assert b"hunter22" not in body
