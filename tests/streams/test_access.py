"""Whether a connection that fails is told of, and to whom."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from kafka.errors import SaslAuthenticationFailedError

from contribd.streams.client import access as accesses
from contribd.streams.client.access import Access
from contribd.streams.client.errors import LoginRefused
from contribd.streams.client.settings import KafkaSettings

LOGIN = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": "desk"}
SETTINGS = KafkaSettings(("k1:9092",), "g", ("prices",), "results", None, "latest", "one", LOGIN)


def connection(*, bootstrapped: bool) -> Any:
    manager = SimpleNamespace(bootstrapped=bootstrapped, closed=False)
    return SimpleNamespace(manager=manager, address="k1:9092", fresh={}, was_made=False, offers=(), failures={})


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """What is told, instead of the log."""
    log = Mock()
    monkeypatch.setattr(accesses, "_log", log)
    return log


def said(log: Mock) -> list[str]:
    """The events, without the texts of their refusals."""
    return [args[0].split(":")[0] for _name, args, _ in log.mock_calls]


@pytest.mark.parametrize("opening", [0, 2])
def test_a_refused_login_of_an_open_client_is_said_once_whoever_was_refused_first(log: Mock, opening: int) -> None:
    access = Access(SETTINGS, lambda: 0.0)
    for bootstrapped in [False] * opening + [True, True]:
        access.failed(connection(bootstrapped=bootstrapped), SaslAuthenticationFailedError("no"))
    assert said(log) == ["a login was refused, trying again"]


@pytest.mark.parametrize("raises", [False, True])
def test_a_refused_login_of_a_client_whose_opening_succeeds_after_all_is_said_then(log: Mock, raises: bool) -> None:
    access = Access(SETTINGS, lambda: 0.0)
    access.failed(connection(bootstrapped=False), SaslAuthenticationFailedError("no"))
    if raises:
        with pytest.raises(LoginRefused):
            access.raise_refusal()
    access.made("k1:9092")
    assert said(log) == ["a login was refused"] * (not raises) + ["the brokers take the login again"]


def test_credentials_that_are_others_by_now_are_not_told_of_as_refused(log: Mock) -> None:
    """One client tries the old password while another has been let in with the new one already."""
    access = Access(SETTINGS, lambda: 0.0)
    old = connection(bootstrapped=True)
    old.fresh = {"sasl_plain_password": "old"}
    access.failed(old, SaslAuthenticationFailedError("no"))
    assert said(log) == []
    access.raise_refusal()
    assert access.delay("k1:9092") == 0
