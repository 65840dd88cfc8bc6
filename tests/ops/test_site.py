"""What each path answers, before any socket."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from http import HTTPStatus

import pytest
from tests.ops.samples import snapshot

from contribd.ops.history import History, Row
from contribd.ops.log import add_secret
from contribd.ops.page_document import RECENT
from contribd.ops.progress import Progress
from contribd.ops.site import Site
from contribd.ops.snapshot import PartitionView, Snapshot
from contribd.ops.verdict import VerdictState


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
    for path in ("/status", "/page.json", "/readyz"):
        assert b"hunter22" not in away.get(path).body
        assert b"401 for ***" in away.get(path).body


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("path", ["/status", "/page.json"])
def test_a_secret_in_a_failures_text_is_not_served(path: str) -> None:
    add_secret("hunter22")
    body = site(snapshot(last_failure="401 for hunter22")).get(path).body
    assert b"hunter22" not in body
    assert b"401 for ***" in body


class Page(HTMLParser):
    """Collects what a browser would load or run, and elements that are not closed."""

    VOID = frozenset({"meta", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.loads += [given[name] for name in ("src", "href") if name in given]
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.ids += [given["id"]] if "id" in given else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"} and data.strip():
            self.inline.append(data)


def text_of(path: str) -> str:
    answer = site(snapshot()).get(path)
    assert answer.status == HTTPStatus.OK
    return answer.body.decode()


def test_the_page_is_well_formed_and_loads_nothing_but_its_own_files() -> None:
    page = Page(text_of("/"))
    assert page.open == []
    assert page.inline == []
    assert page.loads == ["data:,", "page.css", "page.js", "status"]
    assert len(page.ids) == len(set(page.ids))
    for path in ("/page.css", "/page.js"):
        addresses = set(re.findall(r"\bhttps?://[^\"']*|@import|url\(", text_of(path)))
        assert addresses <= {"http://www.w3.org/2000/svg"}


def test_the_script_finds_the_elements_that_it_writes_to() -> None:
    used = set(re.findall(r'by\("([^"]+)"\)', text_of("/page.js")))
    assert used <= set(Page(text_of("/")).ids)


def test_the_script_writes_text_and_never_markup() -> None:
    script = text_of("/page.js")
    for way in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "parseFromString"):
        assert way not in script


def contrast(one: str, other: str) -> float:
    """Of two colours ``#rrggbb``, as WCAG 2 has it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_each_text_stands_out_from_its_background(scheme: int) -> None:
    found = re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text_of("/page.css"))
    half = len(found) // 2
    colours = dict(found[half * scheme : half * (scheme + 1)])
    assert len(colours) == half == 13
    for tone in ("good", "bad", "warn", "calm"):
        assert contrast(colours[tone], colours["card"]) >= 4.5, tone
        assert contrast(colours[tone], colours[f"{tone}-paper"]) >= 4.5, tone
        assert contrast(colours["text"], colours[f"{tone}-paper"]) >= 4.5, tone
    assert min(contrast(colours[name], colours["card"]) for name in ("text", "quiet")) >= 4.5


def test_the_pages_document_is_made_for_everybody_at_most_once_a_second() -> None:
    made: list[Snapshot] = []
    times = [0.0]

    def take() -> Snapshot:
        made.append(snapshot())
        return made[-1]

    shared = Site(take, Progress(), lambda: times[0])
    bodies = {shared.get("/page.json").body for _ in range(50)} | {shared.quick(b"GET /page.json HTTP/1.1\r\n").body}  # type: ignore[union-attr]
    assert (len(bodies), len(made)) == (1, 1)
    times[0] = 1.0
    shared.get("/page.json")
    assert len(made) == 2
    assert shared.quick(b"GET /status HTTP/1.1\r\n") is None


def test_the_pages_document_is_the_status_with_what_was_just_before() -> None:
    history = History()
    for second in range(20):
        history.take(snapshot(), VerdictState.DEGRADED, float(second))
    known = Site(snapshot, Progress(), history=history)
    status, document = (json.loads(known.get(path).body) for path in ("/status", "/page.json"))
    for key in ("verdict", "wrong", "wrong_counts", "endpoints", "services", "window", "results", "pauses"):
        assert document[key] == status[key]
    assert document["recent"]["columns"] == list(Row._fields)
    assert len(document["recent"]["rows"]) == RECENT
    assert len(json.loads(known.get("/history.json").body)["rows"]) == 19


def test_of_many_partitions_those_furthest_behind_are_listed() -> None:
    many = tuple(PartitionView("prices", number, 0, 0, number, 0, False) for number in range(200))
    document = json.loads(site(replace(snapshot(), partitions=many)).get("/page.json").body)
    assert [each["partition"] for each in document["partitions"]] == list(range(150, 200))
    assert document["partitions_in_all"] == 200


def test_an_unknown_path_is_told_what_there_is() -> None:
    answer = site(snapshot()).get("/favicon.ico")
    assert answer.status == HTTPStatus.NOT_FOUND
    assert answer.type.startswith("text/plain")
    assert b"there is /, /page.css, /page.js, /metrics, /livez, /readyz, /status, " in answer.body


def test_metrics_follow_what_the_scraper_accepts() -> None:
    assert site(snapshot()).get("/metrics").type.startswith("text/plain")
    openmetrics = site(snapshot()).get("/metrics", "application/openmetrics-text; version=1.0.0")
    assert openmetrics.type.startswith("application/openmetrics-text")
    assert openmetrics.body.endswith(b"# EOF\n")
