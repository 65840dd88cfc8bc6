"""How contribd and an ADS get on with each other: the same cases for every server.

Each module that runs them has two fixtures: ``start`` gives a server of the test's own, ``ads`` one whose state the
test leaves as it was.
"""

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.ads.many_addresses import name_for, silent_place
from tests.ads.token_server import TokenServer
from tests.conformance.conformance_client import ConformanceClient, answers
from tests.conformance.servers import ConformingServer, Start

from contribd.ads.token_client import TokenAccount, TokenClient
from contribd.engine.policy import TokenKind
from contribd.engine.session.endpoints import Failure

BAD = {"BID": "not a number"}


def kind_and_token(login: Any) -> tuple[str, str]:
    """What a server keeps of a login, as a tuple or as a journal's line."""
    kind, elements = (login["kind"], login["elements"]) if isinstance(login, dict) else (login.kind, login.elements)
    return kind, elements["AuthenticationToken"]


class TestLogin:
    def test_opens_a_session_that_posts_with_the_server_s_limits(self, start: Start) -> None:
        server = start(max_msg_size=5000, ping_timeout=12.0)
        with ConformanceClient(server.url).open() as driver:
            session, keepalive = driver.engine.session, driver.engine.connection.keepalive
            assert (session.limits.max_message_size, keepalive.ping_timeout) == (5000, 12.0)
            assert session.services.states() == {"TRCC": True}
            assert len(server.logins()) == 1

    @pytest.mark.parametrize(("user", "said"), [("refused", "Login denied"), ("pending", "Already pending login")])
    def test_refused_is_told_apart_and_not_tried_again_soon(self, ads: ConformingServer, user: str, said: str) -> None:
        with ConformanceClient(ads.url, user=user, first_wait=0.2) as driver:
            driver.until(driver.reasons)
            driver.run(1.0)
            assert driver.reasons() == {Failure.LOGIN_REFUSED: 1}
            assert said in str(driver.engine.connection.last_failure)

    def test_that_is_never_answered_times_out(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url, user="unanswered", login_timeout=0.5) as driver:
            driver.until(driver.reasons)
            assert driver.reasons() == {Failure.LOGIN_TIMEOUT: 1}

    @pytest.mark.parametrize(
        ("order", "reason"),
        [("close", Failure.LOGIN_CLOSED), ("closerecover", Failure.LOGIN_RECOVER)],
    )
    def test_closed_by_the_server_is_opened_again_and_nothing_is_lost(
        self, start: Start, order: str, reason: Failure
    ) -> None:
        server = start(delay=0.3)
        with ConformanceClient(server.url).open() as driver:
            driver.put("EUR=")
            driver.until(lambda: len(server.posts()) == 1, what="posted")
            server.control(f"login {order}")
            [result] = driver.settled()
            assert driver.reasons() == {reason: 1}
            assert answers(result) == ["LOST", "ACK"]

    def test_suspect_goes_on_posting(self, start: Start) -> None:
        server = start()
        with ConformanceClient(server.url).open() as driver:
            server.control("login suspect")
            driver.until(lambda: [note for note, _ in driver.notes if note == "the login stream is suspect"])
            driver.put("EUR=")
            assert answers(driver.settled()[0]) == ["ACK"]
            server.control("login ok")
            driver.until(lambda: [note for note, _ in driver.notes if note == "the login is no longer suspect"])

    def test_by_token_is_renewed_while_it_posts(self, start: Start) -> None:
        server, tokens = start(), TokenServer()
        account = TokenAccount(TokenKind.PASSWORD, tokens.url, "client", "trapi", "password", "machine")
        service = TokenClient(account, timeout=5.0)
        try:
            with ConformanceClient(server.url, tokens=service, token_kind=TokenKind.PASSWORD).open() as driver:
                driver.engine.session._login._tokens._renew_at = 0.0  # type: ignore[union-attr]
                driver.until(lambda: len(server.logins()) == 2, what="a login reissued")
                driver.put("EUR=")
                assert answers(driver.settled()[0]) == ["ACK"]
                assert driver.reasons() == {}
        finally:
            tokens.stop()
        assert [kind_and_token(login) for login in server.logins()] == [("login", "token-1"), ("reissue", "token-2")]
        assert [form["grant_type"] for form in tokens.forms] == ["password", "refresh_token"]

    def test_is_made_from_this_end_s_address_and_posts_name_it(self, start: Start) -> None:
        server = start()
        with ConformanceClient(server.url, position="").open() as driver:
            driver.put("EUR=")
            assert answers(driver.settled()[0]) == ["ACK"]
            assert b'"PostUserInfo":{"Address":"127.0.0.1","UserID":256}' in driver.frames[0]
            [login] = server.logins()
            elements = login["elements"] if isinstance(login, dict) else login.elements
            assert elements["Position"] == "127.0.0.1"

    def test_stream_is_closed_before_the_connection_at_a_stop(self, start: Start) -> None:
        server = start(delay=0.2)
        with ConformanceClient(server.url).open() as driver:
            driver.put("EUR=")
            driver.until(lambda: len(driver.engine.contributor.in_flight) == 1)
            driver.stop()
            assert [result["status"] for result in driver.results] == ["ACK"]

    def test_refresh_changes_the_limits_of_an_open_session(self, start: Start) -> None:
        server = start()
        with ConformanceClient(server.url).open() as driver:
            server.control("login refresh MaxMsgSize=800 PingTimeout=12")
            driver.until(lambda: driver.engine.session.limits.max_message_size == 800)
            assert driver.engine.connection.keepalive.ping_timeout == 12.0
            for number in range(20):
                driver.put(f"R{number}=")
            driver.put("HUGE=", {"DSPLY_NAME": "x" * 900})
            assert Counter(result["status"] for result in driver.settled()) == {"ACK": 20, "REJECTED": 1}
            assert max(map(len, driver.frames)) <= 800
            server.control("login refresh MaxMsgSize=61430")
            driver.until(lambda: driver.engine.session.limits.max_message_size == 61430)

    def test_refresh_that_takes_no_posts_holds_them_until_it_does_again(self, start: Start) -> None:
        server = start()
        with ConformanceClient(server.url).open() as driver:
            server.control("login refresh SupportOMMPost=0")
            driver.until(lambda: not driver.engine.session.up)
            driver.put("EUR=")
            driver.run(0.3)
            assert not server.posts()
            server.control("login refresh SupportOMMPost=1")
            assert answers(driver.settled()[0]) == ["ACK"]
            assert driver.reasons() == {}


class TestAnswers:
    def test_ack(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url).open() as driver:
            driver.put("EUR=", {"BID": 1.08412, "ASK": 1.08415})
            [result] = driver.settled()
            assert (result["status"], result["code"], result["text"]) == ("ACK", None, None)
            assert answers(result) == ["ACK"]

    def test_ack_with_a_text(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url).open() as driver:
            driver.put("TEXT.EUR=")
            [result] = driver.settled()
            assert (result["status"], result["text"]) == ("ACK", "[4]: Creation Accepted")

    @pytest.mark.parametrize(
        ("ric", "code", "text"),
        [
            ("NAK.AccessDenied.EUR=", "AccessDenied", None),
            ("NAK.DeniedBySrc.EUR=", "DeniedBySrc", "[500]: Unknown Item"),
            ("NAK.InvalidContent.EUR=", "InvalidContent", None),
            ("NAK.SymbolUnknown.EUR=", "SymbolUnknown", "F44: Unable to find item on post update."),
            ("NAK1.EUR=", "AccessDenied", None),
            ("NAK13.EUR=", "13", None),
            ("NAK200.EUR=", "200", None),
        ],
    )
    def test_nak_with_its_code_and_text(self, ads: ConformingServer, ric: str, code: str, text: str | None) -> None:
        with ConformanceClient(ads.url).open() as driver:
            driver.put(ric)
            [result] = driver.settled()
            assert (result["status"], result["code"], result["text"]) == ("NAK", code, text)

    @pytest.mark.parametrize(("ric", "code"), [("NAK.NoResources.EUR=", "NoResources"), ("NAK13.EUR=", "13")])
    def test_nak_worth_a_retry_is_tried_as_often_as_allowed(self, ads: ConformingServer, ric: str, code: str) -> None:
        with ConformanceClient(ads.url, attempts=3, retry_codes=frozenset({code})).open() as driver:
            driver.put(ric)
            [result] = driver.settled()
            assert (result["status"], result["code"], answers(result)) == ("NAK", code, ["NAK"] * 3)

    def test_nak_of_an_unknown_item_is_final(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url).open() as driver:
            driver.put("UNKNOWN.FINAL=")
            [result] = driver.settled()
            assert (result["status"], result["code"], answers(result)) == ("NAK", "SymbolUnknown", ["NAK"])

    def test_nak_of_an_unknown_item_is_answered_with_a_refresh_where_that_is_allowed(self, start: Start) -> None:
        server = start()
        with ConformanceClient(server.url, create_missing=True).open() as driver:
            driver.put("UNKNOWN.EUR=")
            [result] = driver.settled()
            assert (result["status"], answers(result)) == ("ACK", ["NAK", "ACK"])
            driver.put("UNKNOWN.EUR=")
            assert answers(driver.settled()[1]) == ["ACK"]
            assert [post.type for post in server.posts()] == ["Update", "Refresh", "Update"]

    def test_none_at_all_is_unanswered_and_the_next_price_goes_on(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url, ack_timeout=0.4, attempts=2, conflate=False).open() as driver:
            driver.put("SILENT.EUR=", {"BID": 1})
            driver.put("SILENT.EUR=", {"BID": 2})
            first, second = driver.settled()
            assert (first["status"], answers(first)) == ("UNANSWERED", ["TIMEOUT", "TIMEOUT"])
            assert answers(second) == ["TIMEOUT", "TIMEOUT"]
            assert first["settled_at"] <= second["posts"][0]["sent_at"]

    def test_that_overtake_each_other_find_their_posts(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url).open() as driver:
            driver.put("SLOW400.EUR=")
            driver.put("SLOW200.EUR=")
            driver.put("NAK13.EUR=")
            driver.put("EUR=")
            driver.settled()
            assert [(r["ric"], r["status"]) for r in driver.results] == [
                ("NAK13.EUR=", "NAK"),
                ("EUR=", "ACK"),
                ("SLOW200.EUR=", "ACK"),
                ("SLOW400.EUR=", "ACK"),
            ]

    def test_that_come_after_their_timeout_are_counted(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url, ack_timeout=0.2, attempts=1).open() as driver:
            driver.put("SLOW600.EUR=")
            assert driver.settled()[0]["status"] == "UNANSWERED"
            driver.until(lambda: driver.engine.counters.unmatched == 1)

    def test_find_their_posts_where_the_post_ids_start_anew(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url, pack=1).open() as driver:
            driver.engine.contributor.in_flight._last_id = 2**32 - 3
            for number in range(5):
                driver.put(f"R{number}=")
            results = driver.settled()
            assert [r["posts"][0]["post_id"] for r in results] == [2**32 - 2, 2**32 - 1, 1, 2, 3]
            assert {r["status"] for r in results} == {"ACK"}

    def test_to_many_posts_all_find_them(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url, max_outstanding=100).open() as driver:
            for number in range(1000):
                driver.put(f"NAK13.{number}=" if number % 10 == 0 else f"R{number}=")
            counts = Counter(result["status"] for result in driver.settled())
            assert counts == {"ACK": 900, "NAK": 100}
            assert driver.engine.counters.unmatched == 0


class TestPosting:
    def test_a_refresh_and_a_blank_are_taken(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url).open() as driver:
            driver.put("EUR=", {"BID": None}, kind="Refresh")
            assert driver.settled()[0]["status"] == "ACK"

    def test_one_post_of_a_ric_at_a_time_and_what_waits_is_merged(self, start: Start) -> None:
        server = start(delay=0.3)
        with ConformanceClient(server.url).open() as driver:
            driver.put("EUR=", {"BID": 1})
            driver.until(lambda: len(server.posts()) == 1)
            driver.put("EUR=", {"BID": 2})
            driver.put("EUR=", {"ASK": 3})
            statuses = [(r["status"], r["fields"]) for r in driver.settled()]
            assert statuses == [("ACK", {"BID": 1}), ("CONFLATED", {"BID": 2}), ("ACK", {"BID": 2, "ASK": 3})]
            assert len(server.posts()) == 2

    def test_no_frame_is_larger_than_the_server_takes_and_a_post_that_is_is_rejected(self, start: Start) -> None:
        server = start(max_msg_size=800)
        with ConformanceClient(server.url).open() as driver:
            for number in range(20):
                driver.put(f"R{number}=")
            driver.put("HUGE=", {"DSPLY_NAME": "x" * 900})
            results = driver.settled()
            assert Counter(result["status"] for result in results) == {"ACK": 20, "REJECTED": 1}
            assert results[-1]["code"] == "TooLarge"
            assert max(map(len, driver.frames)) <= 800
            assert len(driver.frames) < 20

    def test_to_a_service_the_server_does_not_have_is_refused(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url, wait_for_service=False).open() as driver:
            driver.put("EUR=", service="NOSUCH")
            [result] = driver.settled()
            assert (result["status"], answers(result)) == ("ERROR", ["ERROR"])

    def test_numbers_arrive_as_they_were_mapped(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url).open() as driver:
            for number, value in enumerate((1.1, 0.00012345, -999999999999999, 0)):
                driver.put(f"N{number}=", {"BID": value})
            assert {result["status"] for result in driver.settled()} == {"ACK"}


class TestABadPost:
    """The tenth of twenty posts in one frame cannot be converted by the server."""

    def feed(self, driver: ConformanceClient) -> list[tuple[str, str]]:
        driver.lease(0.0)
        for number in range(1, 21):
            driver.put(f"R{number}=", BAD if number == 10 else None)
        driver.lease(float("inf"))
        results = driver.settled(within=40)
        assert {result["status"] for result in results if result["ric"] != "R10="} == {"ACK"}
        return [(result["ric"], result["status"]) for result in results if result["ric"] == "R10="]

    def test_gets_its_error_and_the_rest_of_the_frame_is_posted_again(self, ads: ConformingServer) -> None:
        with ConformanceClient(ads.url).open() as driver:
            assert self.feed(driver) == [("R10=", "ERROR")]
            assert len(driver.frames[0]) > 15 * len(driver.frames[-1]) / 10
            assert driver.reasons() == {}

    def test_is_unanswered_where_the_server_says_nothing(self, start: Start) -> None:
        server = start(profile="silent")
        with ConformanceClient(server.url, ack_timeout=0.5).open() as driver:
            assert self.feed(driver) == [("R10=", "UNANSWERED")]
            assert driver.reasons() == {}

    def test_is_the_only_one_given_up_where_the_server_closes_the_connection(self, start: Start) -> None:
        server = start(profile="closing")
        with ConformanceClient(server.url).open() as driver:
            assert self.feed(driver) == [("R10=", "UNANSWERED")]
            assert driver.reasons() == {Failure.CLOSED_BY_SERVER: 3}


class TestService:
    @pytest.mark.parametrize("order", ["down", "notaccepting", "delete"])
    def test_that_goes_holds_posts_until_it_is_back_and_then_in_order(self, start: Start, order: str) -> None:
        server = start()
        with ConformanceClient(server.url, conflate=False).open() as driver:
            server.control(f"service {order}")
            driver.until(lambda: not driver.engine.session.up)
            for number in range(1, 4):
                driver.put("EUR=", {"BID": number})
                driver.put("GBP=", {"BID": number})
            driver.run(0.3)
            assert not server.posts()
            server.control("service up")
            assert {result["status"] for result in driver.settled()} == {"ACK"}
            assert [post.ric for post in server.posts()] == ["EUR=", "GBP="] * 3
            assert driver.reasons() == {}

    @pytest.mark.parametrize(
        ("wanted", "first", "sentence"),
        [("trcc", "TRCC", "the ADS has no service of this name"), ("TRCC", None, "service down")],
    )
    def test_that_is_unknown_or_down_from_the_start_is_said(
        self, start: Start, wanted: str, first: str | None, sentence: str
    ) -> None:
        server = start(services=("ALT", "TRCC"))
        if first is None:
            server.control("service down TRCC")
        with ConformanceClient(server.url, services=(wanted,)) as driver:
            driver.until(lambda: driver.said(sentence), what=sentence)
            driver.run(0.3)
            [details] = driver.said(sentence)
            assert details["service"] == wanted
            assert first is None or details["has"].split(", ")[0] == first
            assert not driver.engine.session.up

    def test_one_of_two_goes_alone(self, start: Start) -> None:
        server = start(services=("TRCC", "ALT"))
        with ConformanceClient(server.url, services=("TRCC", "ALT")).open() as driver:
            server.control("service down ALT")
            driver.until(lambda: not driver.engine.session.is_up("ALT"))
            driver.put("EUR=", service="ALT")
            driver.put("EUR=")
            driver.settled(count=1)
            assert driver.results[0]["service"] == "TRCC"
            server.control("service up ALT")
            driver.settled()

    def test_that_stays_down_is_looked_for_at_the_next_endpoint(self, start: Start) -> None:
        first, second = start(), start()
        with ConformanceClient(first.url, second.url, service_down_limit=0.3).open() as driver:
            first.control("service down")
            driver.until(lambda: not driver.engine.session.up)
            driver.put("EUR=")
            [result] = driver.settled()
            assert result["posts"][0]["endpoint"] == second.url
            assert driver.reasons() == {Failure.SERVICE_DOWN: 1}


class TestConnection:
    def test_that_is_cut_is_made_again_and_what_was_unanswered_is_posted_again(self, start: Start) -> None:
        server = start(delay=0.3)
        with ConformanceClient(server.url).open() as driver:
            for number in range(30):
                driver.put(f"R{number}=")
            driver.until(lambda: len(server.posts()) == 30)
            server.control("disconnect")
            results = driver.settled()
            assert {result["status"] for result in results} == {"ACK"}
            assert {tuple(answers(result)) for result in results} <= {("ACK",), ("LOST", "ACK")}
            assert sum(driver.reasons().values()) == 1

    def test_to_a_name_goes_to_the_address_that_answers_and_names_the_other(
        self, ads: ConformingServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for variable in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        port = urlsplit(ads.url).port or 0
        with silent_place() as silent:
            name_for(monkeypatch, "ads.test", silent, ("127.0.0.1", port))
            with ConformanceClient("ws://ads.test:15000/WebSocket").open() as driver:
                driver.put("EUR=")
                assert answers(driver.settled()[0]) == ["ACK"]
                [details] = driver.said("an address of the endpoint failed")
                assert details["failed"].startswith(f"127.0.0.2:{silent[1]} did not answer")
                assert details["used"] == f"127.0.0.1:{port}"

    def test_fails_over_to_the_next_endpoint_and_fails_back(self, start: Start) -> None:
        first, second = start(), start()
        with ConformanceClient(first.url, second.url, return_after=0.6, conflate=False).open() as driver:
            driver.put("EUR=", {"BID": 1})
            driver.settled()
            first.stop()
            driver.put("EUR=", {"BID": 2})
            driver.settled()
            assert driver.engine.connection.endpoint == second.url
            first.start()
            sent = 2
            while driver.engine.connection.endpoint == second.url:
                sent += 1
                driver.put("EUR=", {"BID": sent})
                driver.settled()
                driver.run(0.02)
            driver.put("EUR=", {"BID": sent + 1})
            results = driver.settled()
            assert results[-1]["posts"][-1]["endpoint"] == first.url
            assert {result["status"] for result in results} == {"ACK"}
            assert {tuple(answers(result)) for result in results[2:]} == {("ACK",)}, "the failback lost something"
            assert driver.reasons()[Failure.PREFERRED] == 1

    def test_that_is_quiet_is_kept_alive_past_the_server_s_ping_timeout(self, start: Start) -> None:
        server = start(ping_timeout=2.0)
        with ConformanceClient(server.url).open() as driver:
            # A server just started on a busy machine may take longer over its first login than its own ping timeout.
            before = driver.reasons()
            driver.run(6.0)
            driver.put("EUR=")
            assert driver.settled()[0]["status"] == "ACK"
            assert driver.reasons() == before
