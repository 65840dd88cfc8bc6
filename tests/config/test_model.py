"""What each key takes, and what is said of what it does not take."""

from typing import Any

import pytest
from pydantic import ValidationError

from contribd.config.model import Settings
from contribd.mapping.durations import duration_text


def settings(section: str, **keys: Any) -> Any:
    data: dict[str, Any] = {
        "kafka": {"bootstrap_servers": "kafka1:9092"},
        "ads": {"endpoints": ["ws://ads1:15000/WebSocket"], "service": "TRCC"},
    }
    data.setdefault(section, {}).update(keys)
    return getattr(Settings.model_validate(data), section)


def refusal(section: str, **keys: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        settings(section, **keys)
    (error,) = raised.value.errors()
    return error["msg"]


@pytest.mark.parametrize(
    ("written", "seconds"), [("250ms", 0.25), ("15s", 15), ("1.5s", 1.5), ("2m", 120), ("1h", 3600), ("24h", 86400)]
)
def test_durations_are_seconds(written: str, seconds: float) -> None:
    assert settings("ads", ack_timeout=written).ack_timeout == seconds


@pytest.mark.parametrize("written", ["250ms", "15s", "2m", "1h", "1500ms", "90s"])
def test_a_duration_is_shown_as_it_is_written(written: str) -> None:
    assert duration_text(settings("ads", ack_timeout=written).ack_timeout) == written


@pytest.mark.parametrize("wrong", ["", "15", "s", "-1s", "1 s", "1d", "1m30s", "1e3s", "\u0661s", True, None, []])
def test_what_is_not_a_duration_is_refused(wrong: Any) -> None:
    assert refusal("ads", ack_timeout=wrong) == "a duration such as 250ms, 15s, 2m or 1h"


def test_a_bare_number_is_told_to_have_a_unit() -> None:
    assert refusal("ads", ack_timeout=15).endswith("; write the unit")


@pytest.mark.parametrize("wrong", ["0s", "0.5ms", "25h"])
def test_a_duration_out_of_bounds_is_refused(wrong: str) -> None:
    assert refusal("ads", ack_timeout=wrong) == "a duration between 1ms and 24h"


@pytest.mark.parametrize("written", ["a:1,b:2", "a:1 , b:2", ["a:1", "b:2"]])
def test_brokers_are_text_or_a_list(written: Any) -> None:
    assert settings("kafka", bootstrap_servers=written).bootstrap_servers == ("a:1", "b:2")


@pytest.mark.parametrize(
    "wrong", ["kafka1", "kafka1:", "kafka1:0", "kafka1:65536", ":1", "a b:1", "a:1,,b:1", 9092, [""]]
)
def test_what_is_not_a_broker_is_refused(wrong: Any) -> None:
    assert refusal("kafka", bootstrap_servers=wrong) == "host:port, as in kafka1:9092"


def test_prices_are_one_topic_or_a_list_each_once() -> None:
    assert settings("kafka", prices="a").prices == ("a",)
    assert settings("kafka", prices=["a", "b"]).prices == ("a", "b")
    assert refusal("kafka", prices=["a", "a"]) == "each item only once"
    assert refusal("kafka", prices=[]) == "at least one item"


@pytest.mark.parametrize("wrong", ["", ".", "..", "a b", "a/b", "é", "x" * 250, 5, None])
def test_what_is_not_a_topic_is_refused(wrong: Any) -> None:
    assert refusal("kafka", results=wrong).startswith("a topic name")


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("ws://ads1:15000/WebSocket", "ws://ads1:15000/WebSocket"),
        ("ws://ads1:15000", "ws://ads1:15000/WebSocket"),
        ("wss://10.0.0.1:443/", "wss://10.0.0.1:443/"),
        ("ws://[::1]:15000/WebSocket", "ws://[::1]:15000/WebSocket"),
    ],
)
def test_an_endpoint_without_a_path_has_the_usual_one(written: str, used: str) -> None:
    assert settings("ads", endpoints=[written]).endpoints == (used,)


@pytest.mark.parametrize(
    "wrong",
    [
        "ads1:15000",
        "http://ads1:15000/",
        "ws://ads1/WebSocket",
        "ws://:1/",
        "ws://u:p@a:1/",
        "ws://a:1/ x",
        "ws://[:1",
        5,
    ],
)
def test_what_is_not_an_endpoint_is_refused(wrong: Any) -> None:
    assert refusal("ads", endpoints=[wrong]).startswith("ws://host:port/path or wss://host:port/path")


def test_a_user_in_an_endpoint_is_told_apart() -> None:
    assert refusal("ads", endpoints=["ws://user:password@ads1:15000/"]).endswith(", without a user in it")


@pytest.mark.parametrize(("key", "low", "high"), [("max_outstanding", 1, 50_000), ("pack", 1, 1000)])
def test_counts_have_bounds(key: str, low: int, high: int) -> None:
    assert getattr(settings("ads", **{key: low}), key) == low
    assert getattr(settings("ads", **{key: high}), key) == high
    for wrong in (low - 1, high + 1, "5", True, None):
        assert refusal("ads", **{key: wrong}) == f"a whole number from {low} to {high}"


def test_nak_codes_are_names_or_numbers() -> None:
    assert settings("contribution", retry={"codes": ["NoResources", 7, 13]}).retry.codes == (
        "NoResources",
        "GatewayDown",
        "13",
    )
    assert settings("contribution", retry={"codes": []}).retry.codes == ()
    assert "did you mean NoResponse?" in refusal("contribution", retry={"codes": ["NoResponce"]})


def test_an_application_id_may_be_written_as_a_number() -> None:
    assert settings("ads", application_id=256).application_id == "256"


def test_an_empty_section_has_its_defaults_and_http_null_is_off() -> None:
    data = {"kafka": {"bootstrap_servers": "a:1"}, "ads": {"endpoints": "ws://a:1", "service": "S", "tls": None}}
    assert Settings.model_validate({**data, "log": None}).log.level == "info"
    assert Settings.model_validate({**data, "http": None}).http.address is None
    assert Settings.model_validate({**data, "http": {"listen": None}}).http.address is None
    assert Settings.model_validate({**data, "http": {}}).http.address == ("127.0.0.1", 9820)


def test_the_control_socket_is_found_by_itself_or_at_a_path_or_off() -> None:
    assert (settings("control").socket, settings("control").group) == ("auto", None)
    assert settings("control", socket="/run/x.sock", group="desk").socket == "/run/x.sock"
    assert settings("control", socket=None).socket is None


@pytest.mark.parametrize("wrong", ["relative", "/" + "x" * 100])
def test_a_socket_s_path_is_absolute_and_not_too_long_for_the_system(wrong: Any) -> None:
    assert "auto, or an absolute path of at most 100 bytes" in refusal("control", socket=wrong)


AUTH = {
    "password-grant": {"token_url": "https://l/t", "client_id": "c", "username": "u", "password": "p"},
    "client-credentials": {"token_url": "https://l/t", "client_id": "c", "client_secret": "s"},
}


@pytest.mark.parametrize("kind", AUTH)
def test_each_way_to_log_in_takes_its_own_keys_and_needs_them(kind: str) -> None:
    assert settings("ads", auth={"type": kind, **AUTH[kind]}).auth.type == kind
    for key in AUTH[kind]:
        fewer = {name: value for name, value in AUTH[kind].items() if name != key}
        assert refusal("ads", auth={"type": kind, **fewer}) == "Field required"
    assert "Extra inputs" in refusal("ads", auth={"type": kind, **AUTH[kind], "other": "x"})


def test_a_token_service_is_not_asked_over_http_but_on_this_host() -> None:
    auth = {"type": "client-credentials", **AUTH["client-credentials"]}
    assert settings("ads", auth={**auth, "token_url": "http://127.0.0.1:8080/token"})
    assert settings("ads", auth={**auth, "token_url": "http://[::1]/token"})
    for wrong in ("http://login/t", "http://localhost.evil.example/t", "http://127.0.0.1.example/t", "ftp://l/t"):
        assert refusal("ads", auth={**auth, "token_url": wrong}).startswith("https://host/path")


@pytest.mark.parametrize("wrong", ["a\nb", "a\x00", " a", "", "x" * 1025, 5, None])
def test_names_are_plain_text(wrong: Any) -> None:
    assert refusal("ads", user=wrong).startswith("text")
