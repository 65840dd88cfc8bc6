"""The small parts by themselves: window, rate, endpoints, services, clock."""

import pytest
from tests.engine.making import seconds
from tests.engine.rig import START

from contribd.engine.clock import Now, Stamp
from contribd.engine.counters import Histogram
from contribd.engine.limits import ACK_BUCKETS
from contribd.engine.posts.in_flight import InFlightPost, InFlightPosts
from contribd.engine.posts.rate_limit import RateLimit
from contribd.engine.records.instruments import Instrument
from contribd.engine.session.endpoints import Endpoints, Failure
from contribd.engine.session.services import Services
from contribd.mapping.outcome import PostType
from contribd.omm.directory_message import Directory, ServiceChange
from contribd.omm.post import MAX_POST_ID


def send(in_flight: InFlightPosts, *, frame: int = 1, place: int = 0) -> InFlightPost:
    post = InFlightPost(in_flight.next_id(), Instrument(("S", "R")), [], PostType.UPDATE, {}, Now(0.0, START))
    post.frame, post.place = frame, place
    in_flight.add(post)
    return post


# InFlightPosts


def test_post_ids_begin_again_at_one_after_the_largest() -> None:
    in_flight = InFlightPosts(10, first_id=MAX_POST_ID)
    assert [send(in_flight).post_id for _ in range(3)] == [MAX_POST_ID, 1, 2]


def test_a_post_id_that_is_outstanding_is_passed_over() -> None:
    in_flight = InFlightPosts(10)
    send(in_flight)
    send(in_flight)
    in_flight.pop(1)
    in_flight._last_id = MAX_POST_ID
    assert [send(in_flight).post_id for _ in range(2)] == [1, 3]


def test_a_window_has_room_for_its_size() -> None:
    in_flight = InFlightPosts(2)
    assert in_flight.room == 2
    first = send(in_flight)
    send(in_flight)
    assert in_flight.room == 0
    assert in_flight.oldest() is first
    assert in_flight.pop(first.post_id) is first
    assert in_flight.pop(first.post_id) is None
    assert in_flight.room == 1


def test_what_followed_a_post_is_of_its_own_frame_only() -> None:
    in_flight = InFlightPosts(10)
    posts = [send(in_flight, frame=1, place=place) for place in range(3)]
    send(in_flight, frame=2, place=5)
    assert in_flight.after(posts[0]) == posts[1:]
    assert len(in_flight.pop_all()) == 4
    assert len(in_flight) == 0


# Rate


def test_without_a_rate_everything_may_go() -> None:
    limit = RateLimit(None)
    assert limit.allowed(10**9, 0.0) == 10**9


def test_a_rate_holds_over_a_second_whatever_is_wanted() -> None:
    limit, sent = RateLimit(100), 0
    for step in range(1001):
        posts = limit.allowed(1000, step / 1000)
        limit.spend(posts)
        sent += posts
    assert sent == 100 + 5


def test_a_pause_saves_no_more_than_a_small_burst() -> None:
    limit = RateLimit(100)
    limit.spend(limit.allowed(1000, 0.0))
    assert limit.allowed(1000, 3600.0) == 5


@pytest.mark.parametrize("rate", [0.5, 3, 7, 333.3])
def test_who_waits_as_told_may_post(rate: float) -> None:
    limit, mono = RateLimit(rate), 1000.0
    for _ in range(500):
        limit.spend(limit.allowed(10**6, mono))
        at = limit.next_at(mono)
        assert at is not None
        assert at > mono
        mono = at
        assert limit.allowed(1, mono) == 1


# Endpoints


def test_the_most_preferred_endpoint_that_need_not_wait_is_tried() -> None:
    endpoints = Endpoints(("a", "b", "c"), seconds)
    assert endpoints.next_now(0.0) == "a"
    endpoints.failed("a", Failure.NETWORK, 0.0)
    assert endpoints.next_now(0.0) == "b"
    endpoints.failed("b", Failure.NETWORK, 0.5)
    endpoints.failed("c", Failure.NETWORK, 0.5)
    assert endpoints.next_now(0.9) is None
    assert endpoints.next() == ("a", 1.0)
    assert endpoints.next_now(1.0) == "a"


def test_each_endpoint_waits_by_its_own_failures() -> None:
    endpoints = Endpoints(("a", "b"), seconds)
    assert [endpoints.failed("a", Failure.NETWORK, 0.0) for _ in range(3)] == [1.0, 2.0, 3.0]
    assert endpoints.failed("b", Failure.NETWORK, 0.0) == 1.0


def test_a_session_that_lasted_clears_its_failures() -> None:
    endpoints = Endpoints(("a",), seconds)
    endpoints.failed("a", Failure.NETWORK, 0.0)
    endpoints.stable("a")
    assert endpoints.failed("a", Failure.NETWORK, 0.0) == 1.0


def test_a_refused_login_is_tried_again_slowly_from_the_first_on() -> None:
    endpoints = Endpoints(("a",), seconds)
    assert endpoints.failed("a", Failure.LOGIN_REFUSED, 0.0) == 10.0


# Services


def changes(*entries: ServiceChange, replaces: bool = False) -> Directory:
    return Directory(entries, replaces)


def test_without_a_directory_every_service_counts_as_up() -> None:
    assert Services().is_up("TRCC")


def test_a_service_is_known_by_its_name_and_by_its_id() -> None:
    services = Services()
    services.update(changes(ServiceChange("1", "TRCC", True)))
    assert services.is_up("TRCC")
    assert services.is_up("1")
    assert not services.is_up("OTHER")


def test_an_update_of_the_state_keeps_the_name() -> None:
    services = Services()
    services.update(changes(ServiceChange("1", "TRCC", True)))
    services.update(changes(ServiceChange("1", None, False)))
    assert services.states() == {"TRCC": False}


def test_what_an_update_does_not_name_stays() -> None:
    services = Services()
    services.update(changes(ServiceChange("1", "TRCC", True, True)))
    services.update(changes(ServiceChange("1", accepting=False)))
    assert not services.is_up("TRCC")
    services.update(changes(ServiceChange("1", running=True)))
    assert not services.is_up("TRCC")
    services.update(changes(ServiceChange("1", accepting=True)))
    assert services.is_up("TRCC")


def test_the_names_that_may_have_been_meant_come_first() -> None:
    services = Services()
    services.update(changes(*(ServiceChange(str(n), name) for n, name in enumerate(("ALT", "IDN_RDF", "TRCC")))))
    assert services.names_like("trcc") == ["TRCC", "ALT", "IDN_RDF"]
    assert services.names_like("IDN")[0] == "IDN_RDF"


def test_a_refresh_replaces_and_a_delete_removes() -> None:
    services = Services()
    services.update(changes(ServiceChange("1", "A", True), ServiceChange("2", "B", True)))
    services.update(changes(ServiceChange("1", deleted=True)))
    assert services.states() == {"B": True}
    services.update(changes(ServiceChange("3", "C", True), replaces=True))
    assert services.states() == {"C": True}


def test_the_end_of_a_session_forgets_its_directory() -> None:
    services = Services()
    services.update(changes())
    assert not services.is_up("TRCC")
    services.clear()
    assert services.is_up("TRCC")


# Clock and counts


def test_times_have_microseconds_whatever_came_before() -> None:
    stamp = Stamp()
    assert stamp(START + 5) == "2027-01-15T08:00:00.000005Z"
    assert stamp(START - 1) == "2027-01-15T07:59:59.999999Z"
    assert stamp(START + 1_000_000) == "2027-01-15T08:00:01.000000Z"


def test_a_bucket_holds_what_is_up_to_its_bound() -> None:
    histogram = Histogram(ACK_BUCKETS)
    for value in (0.0005, 0.00051, 30.0, 31.0):
        histogram.add(value)
    assert (histogram.counts[0], histogram.counts[1], histogram.counts[-2], histogram.counts[-1]) == (1, 1, 1, 1)
    assert histogram.total == pytest.approx(61.00101)
