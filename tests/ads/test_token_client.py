"""LoginToken: fetched in time, renewed before they end, and never shown."""

import base64
import time
from email.utils import formatdate

import pytest
from tests.ads.server_messages import directory, login_refresh, login_status
from tests.ads.token_server import TokenReply, TokenServer
from tests.ads.two_ends import A, B, TwoEnds
from tests.conformance.conformance_client import ConformanceClient

from contribd.ads.token_client import TokenAccount, TokenClient
from contribd.engine.commands import FetchToken
from contribd.engine.events import TokenFailed, TokenGot
from contribd.engine.policy import TokenKind
from contribd.engine.session.endpoints import SLOW_FACTOR, Failure
from contribd.simulation.ads.server import AdsServer

USER, PASSWORD, CLIENT, SECRET = "machine-account", "pass&word", "app-key", "client secret"


def service(server: TokenServer, kind: TokenKind = TokenKind.PASSWORD, timeout: float = 5.0) -> TokenClient:
    secret, name = (PASSWORD, USER) if kind is TokenKind.PASSWORD else (SECRET, "")
    return TokenClient(TokenAccount(kind, server.url, CLIENT, "trapi", secret, name), timeout=timeout)


def failure(outcome: TokenGot | TokenFailed) -> TokenFailed:
    assert isinstance(outcome, TokenFailed), outcome
    return outcome


class TestRequest:
    def test_with_the_password(self, server: TokenServer) -> None:
        got = service(server).fetch(FetchToken(7))
        assert got == TokenGot(7, "token-1", "refresh-1", 300.0)
        assert server.forms == [
            {
                "client_id": CLIENT,
                "grant_type": "password",
                "username": USER,
                "password": PASSWORD,
                "scope": "trapi",
                "takeExclusiveSignOnControl": "True",
            }
        ]

    def test_with_the_password_carries_the_application_key_as_http_user(self, server: TokenServer) -> None:
        service(server).fetch(FetchToken(1))
        service(server, TokenKind.CLIENT).fetch(FetchToken(2))
        assert server.authorizations == ["Basic " + base64.b64encode(f"{CLIENT}:".encode()).decode(), None]

    def test_with_the_refresh_token(self, server: TokenServer) -> None:
        service(server).fetch(FetchToken(1, "refresh-0"))
        assert server.forms == [
            {"client_id": CLIENT, "grant_type": "refresh_token", "username": USER, "refresh_token": "refresh-0"}
        ]

    def test_with_the_client_s_secret(self, server: TokenServer) -> None:
        got = service(server, TokenKind.CLIENT).fetch(FetchToken(1))
        assert got == TokenGot(1, "token-1", None, 300.0)
        assert server.forms == [
            {"client_id": CLIENT, "grant_type": "client_credentials", "client_secret": SECRET, "scope": "trapi"}
        ]

    @pytest.mark.parametrize("life", ["600", 600, 600.0])
    def test_takes_a_life_in_any_form(self, server: TokenServer, life: object) -> None:
        server.life = life
        got = service(server).fetch(FetchToken(1))
        assert isinstance(got, TokenGot)
        assert got.life == 600.0

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_follows_redirects_with_its_form(self, server: TokenServer, status: int) -> None:
        server.script = [TokenReply(status, headers={"Location": "/other"})]
        assert isinstance(service(server).fetch(FetchToken(1)), TokenGot)
        assert server.paths == ["/token", "/other"]
        assert server.forms[0] == server.forms[1]

    def test_does_not_follow_them_for_ever(self, server: TokenServer) -> None:
        server.script = [TokenReply(307, headers={"Location": "/token"})] * 10
        assert failure(service(server).fetch(FetchToken(1))).failure is Failure.TOKEN_UNAVAILABLE
        assert len(server.forms) == 4

    @pytest.mark.parametrize("location", ["http://elsewhere.example/token", "ftp://127.0.0.1/", None])
    def test_does_not_carry_a_password_where_it_must_not_go(self, server: TokenServer, location: str | None) -> None:
        server.script = [TokenReply(302, headers={} if location is None else {"Location": location})]
        assert "redirects to" in failure(service(server).fetch(FetchToken(1))).text

    @pytest.mark.parametrize(
        ("status", "code"), [(400, "invalid_grant"), (401, "access_denied"), (403, "forbidden"), (404, "gone")]
    )
    def test_refused_says_the_status_and_the_code(self, server: TokenServer, status: int, code: str) -> None:
        server.script = [TokenReply(status, {"error": code, "error_description": f"{USER} has a wrong {PASSWORD}"})]
        refused = failure(service(server).fetch(FetchToken(3)))
        text = f"the token service answered HTTP {status}, {code}"
        assert refused == TokenFailed(3, Failure.TOKEN_REFUSED, text, None)

    def test_throttled_says_how_long_to_stay_away(self, server: TokenServer) -> None:
        server.script = [
            TokenReply(429, headers={"Retry-After": "120"}),
            TokenReply(503, headers={"Retry-After": formatdate(time.time() + 60, usegmt=True)}),
            TokenReply(429, headers={"Retry-After": "soon"}),
        ]
        one = service(server)
        throttled = failure(one.fetch(FetchToken(1)))
        assert (throttled.failure, throttled.retry_after) == (Failure.TOKEN_UNAVAILABLE, 120.0)
        assert 55 < (failure(one.fetch(FetchToken(1))).retry_after or 0) <= 60
        assert failure(one.fetch(FetchToken(1))).retry_after is None

    @pytest.mark.parametrize(
        "body",
        [b"<html>", b"[]", b"{}", {"access_token": 5}, {"access_token": ""}, {"access_token": "x", "expires_in": "y"}],
    )
    def test_nonsense_is_no_token(self, server: TokenServer, body: object) -> None:
        server.script = [TokenReply(200, body)]
        assert failure(service(server).fetch(FetchToken(1))).failure is Failure.TOKEN_UNAVAILABLE

    def test_a_service_that_hangs_is_given_up(self, server: TokenServer) -> None:
        server.script = [TokenReply(hang=True)]
        late = failure(service(server, timeout=0.3).fetch(FetchToken(1)))
        assert late.text == "the token service did not answer within 0.3 s"

    def test_a_service_that_is_not_there(self, server: TokenServer) -> None:
        server.stop()
        assert "cannot be reached" in failure(service(server).fetch(FetchToken(1))).text

    def test_shows_no_secret(self) -> None:
        account = TokenAccount(TokenKind.PASSWORD, "https://t/", CLIENT, "trapi", PASSWORD, USER)
        shown = f"{account!r} {FetchToken(1, 'refresh-9')!r} {TokenGot(1, 'token-9', 'refresh-9', 1.0)!r}"
        for secret in (PASSWORD, "refresh-9", "token-9"):
            assert secret not in shown


def with_tokens(kind: TokenKind, *endpoints: str) -> TwoEnds:
    return TwoEnds(*(endpoints or (A,)), tokens=kind)


def give(driver: TwoEnds, number: int, token: str | None = None, life: float = 300) -> None:
    driver.session.token_got(number, token or "token", "refresh", life, driver.now)
    driver.tick()


def tokens_sent(driver: TwoEnds) -> list[tuple[str, bool]]:
    """The token of each login, and whether it asks for an answer."""
    logins = [frame for frame in driver.frames if frame.get("Domain") == "Login"]
    return [(frame["Key"]["Elements"]["AuthenticationToken"], frame.get("Refresh", True)) for frame in logins]


@pytest.mark.parametrize("kind", TokenKind)
class TestConnecting:
    def test_a_token_is_fetched_first(self, kind: TokenKind) -> None:
        driver = with_tokens(kind)
        driver.tick()
        assert driver.connects() == []
        assert [fetch.number for fetch in driver.fetches()] == [1]
        give(driver, 1)
        assert driver.connects() == [A]
        driver.session.connected(driver.connection.attempt, driver.now)
        driver.pump()
        assert tokens_sent(driver) == [("token", True)]

    def test_refused_credentials_are_tried_again_slowly(self, kind: TokenKind) -> None:
        driver = with_tokens(kind, A, B)
        driver.tick()
        driver.session.token_failed(1, Failure.TOKEN_REFUSED, "HTTP 401", None, driver.now)
        refused_at = driver.now.wall
        driver.fetches()
        driver.tick(SLOW_FACTOR - 0.1)
        assert driver.fetches() == []
        assert driver.connects() == []
        assert driver.connection.last_failure == "token refused: HTTP 401"
        assert driver.connection.last_failure_at == refused_at
        driver.tick(0.2)
        assert len(driver.fetches()) == 1

    def test_a_throttling_service_is_left_alone_for_as_long_as_it_asks(self, kind: TokenKind) -> None:
        driver = with_tokens(kind)
        driver.tick()
        driver.session.token_failed(1, Failure.TOKEN_UNAVAILABLE, "HTTP 429", 120.0, driver.now)
        driver.fetches()
        driver.tick(119)
        assert driver.fetches() == []
        driver.tick(2)
        assert len(driver.fetches()) == 1

    def test_a_request_that_is_never_answered_is_made_again(self, kind: TokenKind) -> None:
        driver = with_tokens(kind)
        driver.tick(50)
        assert [fetch.number for fetch in driver.fetches()] == [1, 2, 3]
        give(driver, 1)
        assert driver.connects() == [], "an answer to a request given up"

    def test_a_token_that_is_still_good_is_used_for_the_next_connection(self, kind: TokenKind) -> None:
        driver = with_tokens(kind)
        driver.tick()
        give(driver, 1)
        driver.lose()
        driver.fetches()
        driver.tick(2)
        assert driver.connects() == [A, A]
        assert driver.fetches() == []

    def test_a_token_whose_login_was_refused_is_not_used_again(self, kind: TokenKind) -> None:
        driver = with_tokens(kind)
        driver.tick()
        give(driver, 1)
        driver.session.connected(driver.connection.attempt, driver.now)
        driver.say(login_status("Closed"))
        driver.fetches()
        driver.tick(SLOW_FACTOR + 1)
        assert len(driver.fetches()) == 1


def test_a_server_that_repeats_the_token_it_refuses_is_not_quoted() -> None:
    driver = with_tokens(TokenKind.CLIENT)
    driver.tick()
    give(driver, 1, "secret-token")
    driver.session.connected(driver.connection.attempt, driver.now)
    driver.say(login_status("Closed", Text="bad token secret-token"))
    assert driver.connection.last_failure == "login refused: bad token ***"
    assert "secret-token" not in str(driver.notes)


class TestRenewal:
    def open(self, kind: TokenKind, life: float = 300) -> TwoEnds:
        driver = with_tokens(kind)
        driver.tick()
        give(driver, 1, life=life)
        driver.session.connected(driver.connection.attempt, driver.now)
        driver.say(login_refresh(), directory(up=True))
        driver.frames.clear()
        driver.commands.clear()
        return driver

    def test_comes_at_four_fifths_of_a_life_with_the_refresh_token_and_reissues_the_login(self) -> None:
        driver = self.open(TokenKind.PASSWORD)
        driver.quiet(239)
        assert driver.fetches() == []
        driver.quiet(2)
        assert driver.fetches() == [FetchToken(2, "refresh")]
        give(driver, 2, "renewed")
        assert tokens_sent(driver) == [("renewed", False)]
        assert driver.session.up
        driver.quiet(250)
        assert len(driver.fetches()) == 1

    def test_falls_back_to_the_password_where_the_refresh_token_is_refused(self) -> None:
        driver = self.open(TokenKind.PASSWORD)
        driver.quiet(241)
        driver.fetches()
        driver.session.token_failed(2, Failure.TOKEN_REFUSED, "HTTP 400", None, driver.now)
        driver.tick()
        assert driver.fetches() == [FetchToken(3, None)]

    def test_that_gives_a_shorter_life_is_followed_by_one_with_the_password(self) -> None:
        driver = self.open(TokenKind.PASSWORD)
        driver.quiet(241)
        driver.fetches()
        give(driver, 2, "renewed", life=100)
        driver.quiet(81)
        assert driver.fetches() == [FetchToken(3, None)]

    def test_that_fails_is_tried_again_and_leaves_the_session_open(self) -> None:
        driver = self.open(TokenKind.PASSWORD)
        driver.quiet(241)
        for number in (2, 3, 4):
            assert [fetch.number for fetch in driver.fetches()] == [number]
            driver.session.token_failed(number, Failure.TOKEN_UNAVAILABLE, "HTTP 500", None, driver.now)
            driver.quiet(number)
        assert driver.session.up
        assert driver.reasons() == {"token unavailable": 3}
        assert driver.connection.last_failure is None, "nothing keeps the session from being made"

    def test_is_not_needed_with_client_credentials(self) -> None:
        driver = self.open(TokenKind.CLIENT)
        driver.quiet(3600, every=9)
        assert driver.fetches() == []
        assert driver.session.up

    @pytest.mark.parametrize("life", [0.001, -5.0, float("nan")])
    def test_a_life_of_next_to_nothing_does_not_make_a_storm(self, life: float) -> None:
        driver = self.open(TokenKind.PASSWORD, life=life)
        driver.quiet(100)
        assert len(driver.fetches()) <= 100 / 8


class TestOnRealSockets:
    def test_a_service_that_hangs_holds_up_nothing_else(self, server: TokenServer, ads: AdsServer) -> None:
        server.script = [TokenReply(hang=True)]
        with ConformanceClient(ads.url, tokens=service(server, timeout=1.0), token_kind=TokenKind.CLIENT) as loop:
            loop.until(lambda: loop.engine.session.up)
            assert loop.slowest_round < 0.9
            assert loop.reasons() == {Failure.TOKEN_UNAVAILABLE: 1}
