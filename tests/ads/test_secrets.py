"""A daemon at debug level goes through every failure of its login; no secret is in what it writes or serves."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.ads.token_server import TokenReply, TokenServer
from tests.integration.rigs.wait import eventually

from contribd.simulation.ads.server import AdsServer
from contribd.simulation.demo.embedded_broker import free_port

PASSWORD, USER, PROXY_PASSWORD, KEY = "hunter2 & co", "GE-A-0042-machine", "through+the wall", "app-key-77aa"
CONFIG = """\
kafka: {{bootstrap_servers: "127.0.0.1:1", client: {{bootstrap_timeout_ms: 500}}}}
ads:
  endpoints: ["ws://127.0.0.1:{ads}/WebSocket"]
  service: TRCC
  login_timeout: 500ms
  reconnect: {{first: 10ms, max: 20ms}}
  {proxy}
  auth:
    type: password-grant
    token_url: {token_url}
    client_id: {key}
    username: {user}
    password: "${{PASSWORD}}"
http: {{listen: "127.0.0.1:{port}"}}
log: {{level: debug, format: {form}}}
mappings: [m.yaml]
"""
ECHO = {"error": "invalid_grant", "error_description": f"wrong password {PASSWORD} of {USER}"}
FAILURES = [
    TokenReply(401, ECHO),
    TokenReply(400, f"bad request: password={quote(PASSWORD)}&username={USER}".encode()),
    TokenReply(429, ECHO, {"Retry-After": "0"}),
    TokenReply(500, ECHO),
    TokenReply(302, None, {"Location": f"http://elsewhere.example/?password={quote(PASSWORD)}"}),
    TokenReply(200, f"<html>{PASSWORD}".encode()),
    TokenReply(200, {"access_token": 5, "password": PASSWORD}),
    TokenReply(hang=True),
]


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    server = TokenServer(life=10)
    yield server
    server.stop()


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_is_written_or_served(tmp_path: Path, tokens: TokenServer, ads: AdsServer, form: str) -> None:
    tokens.script = list(FAILURES)
    shown = run(tmp_path, tokens, ads.port, form, until=lambda: len(ads.logins()) >= 3, disturb=ads)
    assert "the token service answered HTTP 401, invalid_grant" in shown
    assert "logged in" in shown
    assert "login closed" in shown
    for secret in ("token-1", "token-2", "refresh-1"):
        assert secret not in shown
    assert_clean(shown)


def test_no_proxy_password_is_written_or_served(tmp_path: Path, tokens: TokenServer) -> None:
    proxy = f"proxy: {{address: '127.0.0.1:1', user: {USER}, password: '{PROXY_PASSWORD}'}}"
    port = free_port()
    shown = run(tmp_path, tokens, port, "json", until=lambda: True, proxy=proxy)
    assert "token unavailable" in shown
    assert_clean(shown)


def assert_clean(shown: str) -> None:
    for secret in (PASSWORD, PROXY_PASSWORD):
        for form in (secret, quote(secret), quote(secret, safe=""), secret.replace(" ", "+"), secret[:-1]):
            assert form not in shown
    assert USER not in shown


def run(
    folder: Path,
    tokens: TokenServer,
    ads_port: int,
    form: str,
    *,
    until: Callable[[], object],
    proxy: str = "",
    disturb: AdsServer | None = None,
) -> str:
    """Everything the daemon wrote, and what it served at the end."""
    port = free_port()
    (folder / "m.yaml").write_text('mappings:\n  - {name: spot, ric: "{ric}", fields: {BID: bid}}\n')
    config = folder / "contribd.yaml"
    config.write_text(
        CONFIG.format(ads=ads_port, proxy=proxy, token_url=tokens.url, key=KEY, user=USER, port=port, form=form)
    )
    log = folder / "log"
    environ = {**os.environ, "PASSWORD": PASSWORD, "no_proxy": ""}
    with log.open("wb") as stream:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "contribd", "run", "-c", str(config)], stderr=stream, stdout=stream, env=environ
        )
    try:
        if disturb is not None:
            eventually(disturb.logins, within=40, what="a first login")
            disturb.control("login close")
        eventually(lambda: b"token unavailable" in log.read_bytes(), within=40, what="a failure in the log")
        eventually(until, within=40, what="what the test waits for")
        served = [fetch(port, path) for path in ("status", "metrics", "", "readyz")]
    finally:
        daemon.terminate()
        try:
            daemon.wait(3)  # the brokers are away, and it waits for them
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
    return log.read_text() + "".join(served)


def fetch(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            text: str = answer.read().decode()
            return text
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()
