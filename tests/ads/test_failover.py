"""Which endpoint is tried when, why one is left, and how a preferred one is gone back to."""

import pytest
from tests.ads.server_messages import accepting_requests, directory, directory_status, login_refresh, login_status
from tests.ads.two_ends import A, B, C, TwoEnds

from contribd.engine.limits import MAX_PROBE_INTERVAL, STABLE_AFTER
from contribd.engine.session.endpoints import FACTORS, SLOW_FACTOR, Failure
from contribd.engine.states import SessionState


def test_every_reason_has_its_pace() -> None:
    assert set(FACTORS) == set(Failure)


class TestFailover:
    @pytest.mark.parametrize("failure", [f for f in Failure if FACTORS[f]])
    def test_the_next_endpoint_is_tried_at_once(self, failure: Failure) -> None:
        driver = TwoEnds(A, B)
        driver.connect()
        assert driver.connects() == [A]
        driver.lose(failure)
        driver.tick()
        assert driver.connects() == [B]
        assert driver.said("changing the endpoint") == [{"of": A, "to": B, "reason": driver.connection.last_failure}]

    @pytest.mark.parametrize(("failure", "wait"), [(f, FACTORS[f]) for f in Failure if FACTORS[f]])
    def test_a_single_endpoint_is_tried_again_at_the_pace_of_its_failure(self, failure: Failure, wait: float) -> None:
        driver = TwoEnds(A)
        driver.tick()
        driver.connects()
        driver.lose(failure)
        driver.tick(wait - 0.01)
        assert driver.connects() == []
        driver.tick(0.02)
        assert driver.connects() == [A]

    def test_waits_grow_with_each_failure_and_start_anew_after_a_session_that_lasted(self) -> None:
        driver = TwoEnds(A)
        for wait in (1.0, 2.0, 3.0):
            driver.tick()
            assert driver.connects() == [A]
            driver.lose()
            driver.tick(wait - 0.01)
            assert driver.connects() == []
            driver.tick(0.02)
        driver.session.connected(driver.connection.attempt, driver.now)
        driver.say(login_refresh(), directory(up=True))
        driver.quiet(31)
        driver.lose()
        driver.commands.clear()
        driver.tick(1.01)
        assert driver.connects() == [A]

    def test_a_session_whose_service_never_came_up_does_not_count_as_lasting(self) -> None:
        driver = TwoEnds(A)
        driver.tick()
        driver.lose()
        driver.tick(1.1)
        driver.session.connected(driver.connection.attempt, driver.now)
        driver.say(login_refresh(), directory(up=False))
        driver.quiet(60)
        driver.lose()
        driver.commands.clear()
        driver.tick(1.9)
        assert driver.connects() == []

    def test_quick_logins_wait_longer_each_time_until_a_session_lasts(self) -> None:
        driver = TwoEnds(A)

        def wait_after(lasting: float) -> str:
            driver.tick(5)
            driver.session.connected(driver.connection.attempt, driver.now)
            driver.say(login_refresh(), directory(up=True))
            driver.quiet(lasting, every=1.0)
            driver.lose()
            return str(driver.said("session ended")[-1]["next_try_in"])

        assert [wait_after(1) for _ in range(4)] == ["1.0 s", "2.0 s", "3.0 s", "4.0 s"]
        for _ in range(2):
            assert wait_after(STABLE_AFTER + 1) == "1.0 s"
            assert wait_after(STABLE_AFTER - 1) == "2.0 s"

    def test_abandoning_a_session_is_not_the_endpoints_fault(self) -> None:
        driver = TwoEnds(A, B).open()
        driver.connection.abandon("posts of revoked partitions", driver.now)
        driver.tick()
        assert driver.connects() == [A]
        assert driver.hang_ups() == [False]


class TestLogin:
    def test_refused_waits_long_before_it_is_tried_again(self) -> None:
        driver = TwoEnds(A)
        driver.connect()
        driver.say(login_status("Closed", Code="NotEntitled", Text="Login denied"))
        assert driver.connection.last_failure == "login refused: NotEntitled Login denied"
        driver.commands.clear()
        driver.tick(SLOW_FACTOR - 0.1)
        assert driver.connects() == []

    @pytest.mark.parametrize(
        ("stream", "reason"), [("Closed", "login closed"), ("ClosedRecover", "login closed, recoverable")]
    )
    def test_closed_at_any_time_ends_the_session(self, stream: str, reason: str) -> None:
        driver = TwoEnds(A, B).open()
        driver.say(login_status(stream, Text="bye"))
        assert driver.reasons() == {reason: 1}
        driver.tick()
        assert driver.connects() == [B]

    def test_a_status_without_a_domain_on_the_login_stream_is_about_the_login(self) -> None:
        driver = TwoEnds(A).open()
        message = login_status("Closed")
        del message["Domain"]
        driver.say(message)
        assert driver.reasons() == {"login closed": 1}

    def test_a_connection_closed_before_the_login_was_answered_counts_as_a_kind_of_refusal(self) -> None:
        driver = TwoEnds(A)
        driver.connect()
        driver.lose(Failure.CLOSED_BY_SERVER)
        assert driver.reasons() == {"closed at login": 1}

    def test_suspect_goes_on_posting_but_not_for_ever_where_there_is_another_endpoint(self) -> None:
        driver = TwoEnds(A, B).open()
        driver.say(login_status("Open"))
        assert driver.session.is_up("TRCC")
        driver.quiet(29)
        assert driver.session.is_up("TRCC")
        driver.quiet(2)
        assert driver.reasons() == {"login suspect": 1}
        assert driver.connects() == [B]

    def test_suspect_that_becomes_ok_again_is_forgotten(self) -> None:
        driver = TwoEnds(A, B).open()
        driver.say(login_status("Open"))
        driver.quiet(20)
        driver.say(login_status("Open", "Ok"))
        driver.quiet(60)
        assert driver.reasons() == {}

    def test_suspect_is_said_once_and_so_is_its_end(self) -> None:
        driver = TwoEnds(A).open()
        for data in ("Suspect", "Suspect", "Ok", "Ok"):
            driver.say(login_status("Open", data, Text=f"it is {data}"))
        assert driver.notes[-2:] == [
            ("warning", "the login stream is suspect", {"endpoint": A, "text": "it is Suspect"}),
            ("info", "the login is no longer suspect", {"endpoint": A}),
        ]
        assert len(driver.said("the login stream is suspect")) == 1
        assert len(driver.said("the login is no longer suspect")) == 1

    @pytest.mark.parametrize("posting", [1, None])
    def test_a_server_that_takes_posts_or_does_not_say_is_posted_to(self, posting: int | None) -> None:
        driver = TwoEnds(A, B)
        driver.connect()
        driver.say(login_refresh(posting=posting), directory(up=True))
        assert driver.session.is_up("TRCC")

    def test_a_server_that_takes_no_posts_is_left(self) -> None:
        driver = TwoEnds(A, B)
        driver.connect()
        driver.say(login_refresh(posting=0))
        assert driver.reasons() == {"posting not supported": 1}
        assert "SupportOMMPost" in str(driver.connection.last_failure)
        assert not driver.connection.live
        driver.commands.clear()
        driver.tick()
        assert driver.connects() == [B]

    def test_answered_by_an_error_is_refused_at_once_with_its_text(self) -> None:
        for error in (
            {"ID": 1, "Type": "Error", "Text": "JSON Unexpected Value"},
            {"ID": 0, "Type": "Error", "Text": "no", "Debug": {"Message": '{"ID":1,"Domain":"Login","Key":{}}'}},
        ):
            driver = TwoEnds(A)
            driver.connect()
            driver.say(error)
            assert driver.reasons() == {"login refused": 1}
            assert driver.connection.last_failure == f"login refused: {error['Text']}"

    def test_an_error_later_on_ends_nothing(self) -> None:
        driver = TwoEnds(A).open()
        driver.say({"ID": 0, "Type": "Error", "Text": "no", "Debug": {"Message": '{"Type":"Ping"}'}})
        assert driver.session.up
        assert driver.said("the ADS sent an Error") == [{"text": "no"}]


CHANGED = "the ADS has changed what it takes"


class TestLaterRefresh:
    """What a login Refresh after the first names holds at once."""

    def test_changes_the_limits_it_names_and_says_so(self) -> None:
        driver = TwoEnds(A).open()
        driver.say(login_refresh(MaxMsgSize=800, PingTimeout=6))
        assert driver.said(CHANGED) == [{"endpoint": A, "max_message_size": 800, "ping_timeout": 6.0}]
        assert driver.session.limits.max_message_size == 800
        driver.tick(5.9)
        assert driver.reasons() == {}
        driver.tick(0.2)
        assert driver.reasons() == {"ping timeout": 1}

    def test_changes_them_back_and_what_it_repeats_is_no_news(self) -> None:
        driver = TwoEnds(A).open()
        driver.say(login_refresh())
        assert driver.said(CHANGED) == []
        driver.say(login_refresh(MaxMsgSize=800))
        driver.say(login_refresh(MaxMsgSize=61430))
        assert [each["max_message_size"] for each in driver.said(CHANGED)] == [800, 61430]
        assert driver.session.limits.max_message_size == 61430

    def test_leaves_what_it_does_not_name(self) -> None:
        driver = TwoEnds(A).open()
        driver.say(login_refresh(MaxMsgSize=800))
        driver.say({"ID": 1, "Type": "Refresh", "Domain": "Login", "State": {"Stream": "Open", "Data": "Ok"}})
        assert driver.session.limits.max_message_size == 800

    def test_that_takes_no_posts_any_more_holds_them_until_it_does_again(self) -> None:
        driver = TwoEnds(A).open()
        driver.say(login_refresh(posting=0))
        assert not driver.session.is_up("TRCC")
        assert driver.session.connection.live
        assert driver.notes[-1] == ("warning", CHANGED, {"endpoint": A, "takes_posts": False})
        driver.say(directory())
        assert not driver.session.is_up("TRCC")
        driver.quiet(60)
        driver.say(login_refresh(posting=1))
        assert driver.session.is_up("TRCC")
        assert driver.notes[-1] == ("info", CHANGED, {"endpoint": A, "takes_posts": True})
        assert driver.reasons() == {}

    def test_that_takes_no_posts_is_left_for_another_endpoint_at_once(self) -> None:
        driver = TwoEnds(A, B).open()
        driver.say(login_refresh(posting=0))
        driver.tick()
        assert driver.connects() == [B]
        assert driver.reasons() == {"posting not supported": 1}

    def test_opens_nothing_before_the_services_are_known(self) -> None:
        driver = TwoEnds(A)
        driver.log_in()
        driver.say(login_refresh(posting=0))
        driver.say(login_refresh(posting=1))
        assert not driver.session.is_up("TRCC")
        driver.say(directory())
        assert driver.session.is_up("TRCC")

    def test_holds_where_services_are_not_waited_for(self) -> None:
        driver = TwoEnds(A, wait_for_service=False)
        driver.log_in()
        driver.say(login_refresh(posting=0))
        assert not driver.session.is_up("TRCC")
        driver.say(login_refresh(posting=1))
        assert driver.session.is_up("TRCC")


UNKNOWN = "the ADS has no service of this name: posts to it wait"
DOWN = "service down: posts to it wait"


class TestServiceNews:
    def test_an_unknown_service_is_said_once_with_the_names_there_are_nearest_first(self) -> None:
        driver = TwoEnds(A, services=("trcc",))
        for _ in range(3):
            driver.log_in()
            driver.say(directory(name="ALT"), directory(name="TRCC", service_id=2, kind="Update"))
            driver.say(directory(name="TRCC", service_id=2, kind="Update"))
            driver.lose()
            driver.tick(10)
        assert driver.said(UNKNOWN) == [
            {"service": "trcc", "endpoint": A, "has": "ALT"},
        ]

    def test_the_nearest_name_comes_first(self) -> None:
        driver = TwoEnds(A, services=("trcc",))
        driver.log_in()
        refresh = directory(name="ALT")
        refresh["Map"]["Entries"] += directory(name="TRCC", service_id=2)["Map"]["Entries"]
        driver.say(refresh)
        assert driver.said(UNKNOWN) == [{"service": "trcc", "endpoint": A, "has": "TRCC, ALT"}]
        assert [level for level, event, _ in driver.notes if event == UNKNOWN] == ["warning"]

    def test_one_that_is_down_from_the_start_is_said_once_and_so_is_its_end(self) -> None:
        driver = TwoEnds(A)
        for _ in range(3):
            driver.log_in()
            driver.say(directory(up=False))
            driver.lose()
            driver.tick(10)
        assert driver.said(DOWN) == [{"service": "TRCC", "endpoint": A}]
        driver.log_in()
        driver.say(directory())
        assert driver.said("service up") == [{"endpoint": A, "services": "TRCC"}]
        driver.say(directory(up=False))
        assert len(driver.said(DOWN)) == 2

    def test_one_of_two_is_said_alone(self) -> None:
        driver = TwoEnds(A, services=("TRCC", "ALT"))
        driver.log_in()
        driver.say(directory())
        assert driver.session.is_up("TRCC")
        assert driver.said(UNKNOWN) == [{"service": "ALT", "endpoint": A, "has": "TRCC"}]
        driver.say(directory(name="ALT", service_id=2, kind="Update"))
        assert driver.said("service up") == [{"endpoint": A, "services": each} for each in ("TRCC", "ALT")]

    def test_a_directory_with_nothing_in_it(self) -> None:
        driver = TwoEnds(A)
        driver.log_in()
        driver.say({"ID": 2, "Type": "Refresh", "Domain": "Source", "Map": {"Entries": []}})
        assert driver.said(UNKNOWN) == [{"service": "TRCC", "endpoint": A, "has": "none at all"}]

    def test_of_many_names_the_nearest_ten_are_said(self) -> None:
        driver = TwoEnds(A)
        driver.log_in()
        refresh = directory(name="S0", service_id=0)
        for number in range(1, 30):
            refresh["Map"]["Entries"] += directory(name=f"S{number}", service_id=number)["Map"]["Entries"]
        driver.say(refresh)
        assert driver.said(UNKNOWN)[0]["has"].endswith(" and 20 more")

    def test_an_update_of_accepting_requests_alone_counts(self) -> None:
        driver = TwoEnds(A).open()
        driver.say(accepting_requests(0))
        assert not driver.session.is_up("TRCC")
        driver.say(accepting_requests(1))
        assert driver.session.is_up("TRCC")

    def test_a_directory_in_parts_is_judged_when_it_is_complete(self) -> None:
        driver = TwoEnds(A)
        driver.log_in()
        driver.say({**directory(name="ALT"), "PartNumber": 0, "Complete": False})
        assert not driver.session.is_up("TRCC")
        driver.say({**directory(service_id=2), "PartNumber": 1})
        assert driver.session.is_up("TRCC")
        assert driver.said(UNKNOWN) == []


class TestServiceDown:
    def test_beyond_the_limit_moves_to_an_endpoint_that_is_due(self) -> None:
        driver = TwoEnds(A, B).open()
        driver.say(directory(up=False, kind="Update"))
        assert driver.connection.state is SessionState.WAITING_FOR_SERVICE
        driver.quiet(29)
        assert driver.connects() == []
        driver.quiet(2)
        assert driver.reasons() == {"service down": 1}
        assert driver.hang_ups() == [True]
        assert driver.frames[-1]["Type"] == "Close"
        assert driver.connects() == [B]

    def test_that_comes_back_in_time_changes_nothing(self) -> None:
        driver = TwoEnds(A, B).open()
        driver.say(directory(up=False, kind="Update"))
        driver.quiet(29)
        driver.say(directory(up=True, kind="Update"))
        driver.quiet(100)
        assert driver.session.is_up("TRCC")
        assert driver.reasons() == {}

    def test_stays_where_there_is_no_other_endpoint(self) -> None:
        driver = TwoEnds(A).open()
        driver.say(directory(up=False, kind="Update"))
        driver.quiet(600)
        assert driver.connection.live
        driver.say(directory(up=True, kind="Update"))
        assert driver.session.is_up("TRCC")

    def test_stays_as_long_as_the_other_endpoint_must_wait(self) -> None:
        driver = TwoEnds(A, B, backoff=lambda _: 100.0)
        driver.connect()
        driver.lose()
        driver.connect()
        driver.say(login_refresh(), directory(up=False))
        driver.commands.clear()
        driver.quiet(99)
        assert driver.connects() == []
        driver.quiet(2)
        assert driver.connects() == [A]

    def test_counts_the_services_that_are_posted_to_alone(self) -> None:
        driver = TwoEnds(A, B, services=("TRCC", "ALT"))
        driver.log_in()
        driver.say(directory(up=True, name="OTHER"))
        assert driver.connection.state is SessionState.WAITING_FOR_SERVICE
        driver.say(directory(up=True, name="ALT", service_id=2, kind="Update"))
        assert driver.session.is_up("ALT")
        assert not driver.session.is_up("TRCC")

    def test_null_never_moves(self) -> None:
        driver = TwoEnds(A, B, service_down_limit=None).open()
        driver.say(directory(up=False, kind="Update"))
        driver.quiet(3600, every=9)
        assert driver.reasons() == {}


class TestDirectory:
    def test_is_not_asked_for_where_it_is_not_waited_for(self) -> None:
        driver = TwoEnds(A, wait_for_service=False)
        driver.log_in()
        assert driver.session.is_up("TRCC")
        assert [frame["Domain"] for frame in driver.frames] == ["Login"]

    @pytest.mark.parametrize("refused", [True, False])
    def test_a_server_without_one_is_posted_to_with_one_warning(self, refused: bool) -> None:
        driver = TwoEnds(A)
        for _ in range(3):
            driver.log_in()
            if refused:
                driver.say(directory_status())
            else:
                driver.tick(5.01)
            assert driver.session.is_up("TRCC")
            driver.lose()
            driver.tick(10)
            driver.frames.clear()
        assert len(driver.said("no source directory: posting without service states")) == 1

    def test_a_stream_that_closes_later_is_asked_for_again_and_its_last_states_hold(self) -> None:
        driver = TwoEnds(A).open()
        driver.say(directory_status("ClosedRecover"))
        assert driver.session.is_up("TRCC")
        driver.quiet(4)
        assert [frame for frame in driver.frames if frame.get("Domain") == "Source"] == []
        driver.quiet(2)
        assert len([frame for frame in driver.frames if frame.get("Domain") == "Source"]) == 1
        driver.say(directory(up=False))
        assert not driver.session.is_up("TRCC")

    def test_of_an_earlier_session_says_nothing_about_the_next_one(self) -> None:
        driver = TwoEnds(A, B).open()
        driver.say(directory(up=False))
        driver.lose()
        driver.log_in()
        assert driver.connection.endpoint == B
        driver.say(directory_status())
        assert driver.session.is_up("TRCC")


class TestFailback:
    def on_b(self, return_after: float | None = 300.0) -> TwoEnds:
        driver = TwoEnds(A, B, return_after=return_after)
        driver.connect()
        driver.lose()
        driver.connect()
        driver.say(login_refresh(), directory(up=True))
        driver.commands.clear()
        driver.frames.clear()
        return driver

    def live(self, driver: TwoEnds, after: float, *, reachable: bool) -> None:
        """Lets time pass on the session; each probe is answered."""
        end = driver.mono + after
        while driver.mono < end and driver.connection.state is SessionState.OPEN:
            driver.quiet(min(1.0, end - driver.mono))
            for url in driver.probes():
                driver.connection.probed(url, reachable, driver.now)

    def test_goes_back_once_the_preferred_was_reachable_for_the_hold_time(self) -> None:
        driver = self.on_b()
        self.live(driver, 290 + MAX_PROBE_INTERVAL, reachable=True)
        assert driver.reasons() == {"network": 1}
        self.live(driver, 20 + MAX_PROBE_INTERVAL, reachable=True)
        assert driver.reasons() == {"network": 1, "preferred endpoint is back": 1}
        assert driver.connects() == [A]
        assert driver.hang_ups() == [True]
        assert driver.frames[-1] == {"ID": 1, "Type": "Close", "Domain": "Login"}

    def test_posts_nothing_new_while_answers_are_awaited(self) -> None:
        driver = self.on_b()
        driver.answered = False
        self.live(driver, 400, reachable=True)
        assert driver.connection.moving
        assert not driver.session.up
        driver.quiet(10)
        assert driver.connection.live
        driver.answered = True
        driver.tick()
        assert driver.connects() == [A]

    def test_what_the_old_one_may_not_have_read_is_thrown_away(self) -> None:
        driver = self.on_b()
        driver.clean = False
        self.live(driver, 400, reachable=True)
        assert driver.connects() == [A]
        assert driver.hang_ups() == [False]

    def test_one_missed_probe_starts_the_hold_time_anew(self) -> None:
        driver = self.on_b()
        self.live(driver, 290, reachable=True)
        self.live(driver, 40, reachable=False)
        self.live(driver, 290, reachable=True)
        assert driver.connects() == []

    def test_a_probe_without_an_answer_counts_as_missed(self) -> None:
        driver = self.on_b()
        self.live(driver, 290, reachable=True)
        driver.quiet(70)
        self.live(driver, 290, reachable=True)
        assert driver.connects() == []

    def test_a_return_that_does_not_last_doubles_the_hold_time(self) -> None:
        driver = self.on_b()
        starts = []
        for _ in range(4):
            start = driver.mono
            self.live(driver, 3600, reachable=True)
            assert driver.connects() == [A]
            starts.append(driver.mono - start)
            driver.session.connected(driver.connection.attempt, driver.now)
            driver.say(login_refresh(), directory(up=True))
            driver.quiet(31)
            driver.lose()
            driver.tick()
            assert driver.connects() == [B]
            driver.session.connected(driver.connection.attempt, driver.now)
            driver.say(login_refresh(), directory(up=True))
        assert [round(start / 300) for start in starts] == [1, 2, 4, 8]

    def test_an_endpoint_that_must_still_wait_is_not_gone_back_to(self) -> None:
        driver = TwoEnds(A, B, return_after=5.0)
        driver.connect()
        driver.say(login_status("Closed"))
        driver.connect()
        driver.say(login_refresh(), directory(up=True))
        driver.commands.clear()
        self.live(driver, SLOW_FACTOR - 0.5, reachable=True)
        assert driver.connects() == []
        self.live(driver, 6, reachable=True)
        assert driver.connects() == [A]

    def test_the_most_preferred_endpoint_in_use_is_not_probed(self) -> None:
        driver = TwoEnds(A, B).open()
        driver.quiet(1000)
        assert driver.probes() == []

    def test_of_three_the_second_is_gone_back_to_while_the_first_is_away(self) -> None:
        driver = TwoEnds(A, B, C, return_after=60.0)
        for _ in range(2):
            driver.connect()
            driver.lose()
        driver.connect()
        driver.say(login_refresh(), directory(up=True))
        driver.commands.clear()
        end = driver.mono + 100
        while driver.mono < end and driver.connection.state is SessionState.OPEN:
            driver.quiet(1)
            for url in driver.probes():
                driver.connection.probed(url, url == B, driver.now)
        assert driver.connection.endpoint == B

    def test_null_stays(self) -> None:
        driver = self.on_b(return_after=None)
        driver.quiet(3600, every=9)
        assert driver.probes() == []
        assert driver.connects() == []


class TestLine:
    def test_a_silent_server_is_left_after_its_ping_timeout(self) -> None:
        driver = TwoEnds(A).open()
        driver.tick(29.9)
        assert [frame["Type"] for frame in driver.frames] == ["Ping", "Ping"]
        assert driver.connection.live
        driver.tick(0.2)
        assert driver.reasons() == {"ping timeout": 1}
        assert driver.hang_ups() == [False]

    def test_a_server_that_talks_but_reads_nothing_is_left_after_its_ping_timeout(self) -> None:
        driver = TwoEnds(A).open()
        driver.connection.wrote(driver.connection.attempt, 1000, 500, driver.now)
        assert not driver.session.up
        driver.quiet(29)
        driver.connection.wrote(driver.connection.attempt, 1000, 500, driver.now)
        assert driver.connection.live
        driver.quiet(2)
        assert driver.reasons() == {"ping timeout": 1}
        assert "read nothing" in str(driver.connection.last_failure)

    def test_a_server_that_reads_slowly_is_kept(self) -> None:
        driver = TwoEnds(A).open()
        for taken in range(1000, 2000, 100):
            driver.connection.wrote(driver.connection.attempt, taken, 500, driver.now)
            driver.quiet(20)
        assert driver.connection.live
        driver.connection.wrote(driver.connection.attempt, 3000, 0, driver.now)
        assert driver.session.up

    def test_no_ping_goes_behind_bytes_that_wait(self) -> None:
        driver = TwoEnds(A).open()
        driver.connection.wrote(driver.connection.attempt, 1000, 500, driver.now)
        driver.quiet(25)
        assert driver.frames == []

    def test_pings_are_answered(self) -> None:
        driver = TwoEnds(A).open()
        driver.say({"Type": "Ping"})
        assert driver.frames == [{"Type": "Pong"}]
