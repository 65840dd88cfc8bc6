"""When the session asks to be woken: nothing else calls it on a line where nothing is heard."""

import pytest
from tests.ads.server_messages import directory, login_refresh, login_status
from tests.ads.two_ends import A, B, TwoEnds

from contribd.engine.limits import CONNECT_TIMEOUTS
from contribd.engine.states import SessionState

LOGIN_TIMEOUT = 10.0
"""The driver's, in seconds."""


def test_a_connection_under_way_wakes_it_when_it_is_overdue() -> None:
    driver = TwoEnds(A)
    driver.tick()
    assert driver.connection.state is SessionState.CONNECTING
    overdue = driver.mono + CONNECT_TIMEOUTS * LOGIN_TIMEOUT
    driver.tick(1)
    assert driver.session.wake_at() == overdue
    driver.tick(CONNECT_TIMEOUTS * LOGIN_TIMEOUT - 1)
    assert driver.reasons() == {"network": 1}
    assert driver.hang_ups() == [False]


def test_a_login_under_way_wakes_it_when_it_is_overdue() -> None:
    driver = TwoEnds(A)
    driver.tick()
    driver.mono += 3
    driver.connect()
    assert driver.connection.state is SessionState.LOGGING_IN
    overdue = driver.mono + LOGIN_TIMEOUT
    driver.tick(1)
    assert driver.session.wake_at() == overdue
    driver.tick(LOGIN_TIMEOUT - 1)
    assert driver.reasons() == {"login timeout": 1}
    assert driver.hang_ups() == [False]


@pytest.mark.parametrize(
    ("trouble", "state", "reason"),
    [
        (directory(up=False, kind="Update"), SessionState.WAITING_FOR_SERVICE, "service down"),
        (login_status("Open"), SessionState.OPEN, "login suspect"),
    ],
)
def test_trouble_wakes_it_when_it_has_lasted_too_long(
    trouble: dict[str, object], state: SessionState, reason: str
) -> None:
    driver = TwoEnds(A, B, service_down_limit=4.0).open()  # before the line's first Ping is due
    driver.say(trouble)
    too_long = driver.mono + 4
    driver.tick(1)
    assert driver.connection.state is state
    assert driver.session.wake_at() == too_long
    driver.tick(3)
    assert driver.reasons() == {reason: 1}


def test_trouble_wakes_it_when_the_other_endpoint_is_due() -> None:
    driver = TwoEnds(A, B, service_down_limit=2.0, backoff=lambda _: 7.0)
    driver.connect()
    driver.lose()
    due = driver.mono + 7
    driver.connect()
    driver.say(login_refresh(), directory(up=False))
    assert driver.connection.endpoint == B
    driver.tick(3)
    assert driver.session.wake_at() == due


@pytest.mark.parametrize("up", [True, False])
def test_a_preferred_endpoint_wakes_it_when_it_is_to_be_probed(up: bool) -> None:
    driver = TwoEnds(A, B, return_after=16.0, service_down_limit=None)  # probed four times in that
    driver.connect()
    driver.lose()
    driver.connect()
    driver.say(login_refresh(), directory(up=up))
    assert driver.session.wake_at() == driver.mono + 4
    driver.tick(4)
    assert driver.probes() == [A]
    assert driver.session.wake_at() == driver.mono + 4
