"""What each path answers, before any socket."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from http import HTTPStatus

import pytest
from tests.ops.samples import snapshot

from contribd.ops.log import add_secret
from contribd.ops.progress import Progress
from contribd.ops.site import Site
from contribd.ops.snapshot import Snapshot


def site(state: Snapshot, *, now: float = 0.0) -> Site:
    progress = Progress()
    progress.pulse("worker", allowance=10.0, now=0.0)
    return Site(lambda: state, progress, lambda: now)


def test_it_is_ready_while_it_can_contribute() -> None:
    answer = site(snapshot()).get("/readyz")
    assert answer.status == HTTPStatus.OK
    assert json.loads(answer.body) == {"ready": True, "reasons": []}


def test_it_says_why_it_is_not_ready() -> None:
    answer = site(snapshot(not_ready=("service TRCC is down",)), now=11.0).get("/readyz")
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert json.loads(answer.body)["reasons"] == ["service TRCC is down", "the worker thread makes no progress"]


def test_it_lives_while_its_threads_make_progress_ready_or_not() -> None:
    assert site(snapshot(not_ready=("logging in",))).get("/livez").status == HTTPStatus.OK
    answer = site(snapshot(), now=11.0).get("/livez")
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert json.loads(answer.body) == {"alive": False, "stalled": ["worker"]}


def test_the_status_is_the_whole_snapshot_as_json() -> None:
    status = json.loads(site(snapshot()).get("/status?x=1").body)
    assert next(iter(status)) == "verdict"
    assert status["verdict"]["state"] == "degraded"
    assert status["verdict"]["reason"].startswith("degraded: service OTHER is Down at ads2; ")
    assert status["verdict"]["since"] == "2023-11-14T22:14:20.000000Z"
    assert status["session"]["state"] == "open"
    assert status["session"]["since"] == "2023-11-14T22:14:10.000000Z"
    assert status["window"] == {"outstanding": 7, "max": 500}
    assert status["results"][1] == {"status": "NAK", "code": "SymbolUnknown", "count": 3}
    assert status["partitions"][1] == {
        "topic": "prices",
        "partition": 1,
        "position": 5,
        "committed": None,
        "lag": None,
        "waiting": 0,
        "paused": True,
    }
    assert status["ack_seconds"] == {"bounds": [0.001, 0.01, 1.0], "counts": [5, 80, 7, 1], "sum": 3.25}
    assert status["ready"] is True


def test_a_thread_that_hangs_turns_the_verdict_at_once() -> None:
    """The worker that would have to say so may be the one that hangs."""
    status = json.loads(site(snapshot(), now=11.0).get("/status").body)
    assert status["verdict"] == {
        "state": "not contributing",
        "reason": "not contributing: the worker thread makes no progress",
        "since": status["taken_at"],
    }
    assert b'contribd_verdict{state="not_contributing"} 1.0' in site(snapshot(), now=11.0).get("/metrics").body


@pytest.mark.usefixtures("written")
def test_a_secret_in_a_verdict_is_not_served() -> None:
    add_secret("hunter22")
    away = site(replace(snapshot(), hold_ups=("401 for hunter22",), not_ready=("401 for hunter22",)))
    for path in ("/status", "/", "/readyz"):
        assert b"hunter22" not in away.get(path).body
        assert b"401 for ***" in away.get(path).body


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("path", ["/status", "/"])
def test_a_secret_in_a_failures_text_is_not_served(path: str) -> None:
    add_secret("hunter22")
    body = site(snapshot(last_failure="401 for hunter22")).get(path).body
    assert b"hunter22" not in body
    assert b"401 for ***" in body


class Page(HTMLParser):
    """Collects the text, and everything a browser would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [f"{tag} {name}" for name, _ in attrs if name in {"src", "href", "onload"}]
        self.loads += [tag] if tag in {"script", "link", "img", "iframe"} else []
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_is_well_formed_loads_nothing_and_shows_the_state() -> None:
    page = Page(site(snapshot()).get("/").body.decode())
    assert page.loads == []
    assert page.open == []
    shown = " ".join(page.text)
    for expected in (
        "pricing-host-1",
        "degraded: service OTHER is Down at ads2",
        "open since",
        "Service OTHER",
        "SymbolUnknown",
        "1,812",
    ):
        assert expected in shown


def test_foreign_text_on_the_page_is_escaped() -> None:
    body = site(snapshot(last_failure='<script>alert("x")</script>', not_ready=("<b>down",))).get("/").body.decode()
    assert "<script" not in body
    assert "<b>" not in body
    assert "&lt;script&gt;" in body


def test_an_unknown_path_is_told_what_there_is() -> None:
    answer = site(snapshot()).get("/favicon.ico")
    assert answer.status == HTTPStatus.NOT_FOUND
    assert answer.type.startswith("text/plain")
    assert b"/metrics, /livez, /readyz, /status" in answer.body


def test_metrics_follow_what_the_scraper_accepts() -> None:
    assert site(snapshot()).get("/metrics").type.startswith("text/plain")
    openmetrics = site(snapshot()).get("/metrics", "application/openmetrics-text; version=1.0.0")
    assert openmetrics.type.startswith("application/openmetrics-text")
    assert openmetrics.body.endswith(b"# EOF\n")
