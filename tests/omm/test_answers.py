"""What servers send, as facts and not as promises: typed answers, or one documented error."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.omm.answers import (
    Ack,
    Answer,
    BadFrame,
    LoginAnswer,
    Other,
    Ping,
    Pong,
    PostError,
    decode,
)
from contribd.omm.directory_message import Directory, DirectoryRefused, ServiceChange

KEY = {"Name": "EUR=TRCC", "Service": "TRCC"}


def one(message: object) -> Answer:
    """By itself and in an array: frames of nothing but Acks are read in another way."""
    [answer] = decode(msgspec.json.encode(message))
    assert [*decode(msgspec.json.encode([message]))] == [answer]
    return answer


def ack(**more: object) -> Answer:
    return one({"ID": 1, "Type": "Ack", "AckID": 7, "Key": KEY, **more})


# Frames


def test_a_frame_holds_an_array_or_one_object() -> None:
    assert decode(b'[{"Type":"Ping"},{"Type":"Pong"}]') == [Ping(), Pong()]
    assert decode(b'{"Type":"Ping"}') == [Ping()]
    assert decode(b"[]") == []


@pytest.mark.parametrize(
    "payload", [b"", b"ping", b"[", b'{"Type":NaN}', b"1", b"null", b"[1]", b'["a"]', b"[" * 5000, b"1" * 5000, b"\xff"]
)
def test_anything_else_is_a_bad_frame(payload: bytes) -> None:
    with pytest.raises(BadFrame):
        decode(payload)


def test_a_bad_frame_says_what_was_wrong() -> None:
    with pytest.raises(BadFrame, match="expected a JSON object, got int"):
        decode(b"[1]")
    with pytest.raises(BadFrame, match="not JSON"):
        decode(b"{")


def test_text_is_utf8_and_latin1_where_it_is_not() -> None:
    assert decode('{"Type":"Ack","AckID":1,"Text":"é€"}'.encode()) == [Ack(1, None, "é€")]
    assert decode(b'{"Type":"Ack","AckID":1,"Text":"caf\xe9"}') == [Ack(1, None, "café")]


# Acks


def test_an_ack_without_a_nak_code_is_positive() -> None:
    assert ack() == Ack(7, None, "")


def test_a_positive_ack_may_carry_text() -> None:
    assert ack(Text="[4]: Creation Accepted") == Ack(7, None, "[4]: Creation Accepted")


def test_a_nak_code_is_its_name() -> None:
    text = "F44: Unable to find item on post update."
    assert ack(NakCode="SymbolUnknown", Text=text) == Ack(7, "SymbolUnknown", text)


@pytest.mark.parametrize(("code", "name"), [(1, "AccessDenied"), (10, "SymbolUnknown"), ("12", "InvalidContent")])
def test_a_nak_code_by_number_is_the_code_of_that_name(code: object, name: str) -> None:
    assert ack(NakCode=code, Text="no") == Ack(7, name, "no")


def test_a_nak_code_without_a_name_is_its_number_as_text() -> None:
    assert ack(NakCode=57) == Ack(7, "57", "")


@pytest.mark.parametrize("code", [0, None, "0", "None"])
def test_a_nak_code_of_nothing_is_positive(code: object) -> None:
    assert ack(NakCode=code) == Ack(7, None, "")


def test_text_that_is_no_text_is_taken_as_it_reads() -> None:
    assert ack(Text=None) == Ack(7, None, "")
    assert ack(NakCode="NotOpen", Text=5) == Ack(7, "NotOpen", "5")


@pytest.mark.parametrize("ack_id", ["7", None, 7.5, True, [7]])
def test_an_ack_whose_id_is_no_number_names_no_post(ack_id: object) -> None:
    answer = one({"Type": "Ack", "AckID": ack_id})
    assert isinstance(answer, Other)
    assert answer.type == "Ack"


def test_an_ack_of_a_wrapped_post_id_is_zero() -> None:
    assert one({"Type": "Ack", "AckID": 0}) == Ack(0, None, "")


# Errors


def error(**debug: Any) -> Answer:
    return one({"ID": 1, "Type": "Error", "Text": "JSON Unexpected Value", "Debug": debug})


def test_an_error_names_the_post_it_echoes() -> None:
    echo = '{"ID":1,"Type":"Post","Domain":"MarketPrice","Ack":true,"PostID":41,"Key":{"Name":"\\"PostID\\":9,"}}'
    assert error(File="a.c", Line=1, Offset=3, Message=echo) == PostError(41, "JSON Unexpected Value")


def test_an_error_may_echo_with_spaces_and_cut() -> None:
    assert error(Message='{ "PostID" : 41, "Ke') == PostError(41, "JSON Unexpected Value")


@pytest.mark.parametrize(
    "echo", ['{"ID":1,"PostID":4', '{"ID":1,"PostID":', '{"ID":1,"Pos', "", None, 5, {"PostID": 4}]
)
def test_an_echo_cut_within_the_number_or_before_it_names_no_post(echo: object) -> None:
    """Half a number is another post's."""
    assert error(Message=echo) == PostError(None, "JSON Unexpected Value")


@pytest.mark.parametrize("debug", [{}, {"Debug": None}, {"Debug": "x"}, {"Debug": {}}, {"Debug": {"Message": None}}])
def test_an_error_without_an_echo_names_no_post(debug: dict[str, object]) -> None:
    assert one({"ID": 0, "Type": "Error", **debug}) == PostError(None, "")


# Login


def login(**more: Any) -> LoginAnswer:
    answer = one({"ID": 1, "Type": "Refresh", "Domain": "Login", **more})
    assert isinstance(answer, LoginAnswer)
    return answer


def test_a_login_refresh_carries_the_server_s_limits() -> None:
    answer = login(
        Key={"Name": "u", "Elements": {"SupportOMMPost": 1}},
        State={"Stream": "Open", "Data": "Ok", "Text": "Login accepted"},
        Elements={"MaxMsgSize": 61430, "PingTimeout": 30},
    )
    assert answer == LoginAnswer("Open", "Ok", "", "Login accepted", True, 61430, 30.0, True)
    assert answer.is_open


def test_limits_the_server_leaves_out_are_unknown() -> None:
    answer = login(State={"Stream": "Open", "Data": "Suspect"})
    assert (answer.max_message_size, answer.ping_timeout, answer.supports_post) == (None, None, None)


@pytest.mark.parametrize("limit", [0, -1, True, "30", None, [1], 10**400])
def test_a_limit_that_is_no_sensible_number_is_unknown(limit: object) -> None:
    given_limits = (
        f'{{"Type":"Refresh","Domain":"Login","Elements":{{"PingTimeout":{msgspec.json.encode(limit).decode()}}}}}'
    )
    [answer] = decode(given_limits.encode())
    assert isinstance(answer, LoginAnswer)
    assert answer.ping_timeout is None


@pytest.mark.parametrize("limit", [0, -1, True, "30", None, 1.5])
def test_a_message_size_that_is_no_whole_number_is_unknown(limit: object) -> None:
    assert login(Elements={"MaxMsgSize": limit}).max_message_size is None


def test_a_ping_timeout_may_have_decimals() -> None:
    assert login(Elements={"PingTimeout": 1.5}).ping_timeout == 1.5


@pytest.mark.parametrize(("flag", "means"), [(1, True), (0, False), (None, None), ("1", None)])
def test_whether_posting_is_supported(flag: object, means: bool | None) -> None:
    assert login(Key={"Elements": {"SupportOMMPost": flag}}).supports_post is means


def test_domain_and_state_by_number_are_those_of_that_name() -> None:
    answer = one({"ID": 1, "Type": "Status", "Domain": 1, "State": {"Stream": 4, "Data": 2, "Code": 3, "Text": "no"}})
    assert answer == LoginAnswer("Closed", "Suspect", "NotEntitled", "no", False, None, None, None)
    answer = one({"ID": 1, "Type": 2, "Domain": 1, "State": {"Stream": 1, "Data": 1}, "Elements": {"PingTimeout": 9}})
    assert answer == LoginAnswer("Open", "Ok", "", "", True, None, 9.0, None)


def test_a_login_that_is_refused_is_not_open() -> None:
    answer = one(
        {
            "ID": 1,
            "Type": "Status",
            "Domain": "Login",
            "State": {"Stream": "Closed", "Data": "Suspect", "Code": "NotEntitled", "Text": "Login denied"},
        }
    )
    assert answer == LoginAnswer("Closed", "Suspect", "NotEntitled", "Login denied", False, None, None, None)


def test_a_status_without_a_domain_on_the_login_stream_is_about_the_login() -> None:
    answer = one({"ID": 1, "Type": "Status", "State": {"Stream": "Closed", "Text": "not logged in"}})
    assert answer == LoginAnswer("Closed", "", "", "not logged in", False, None, None, None)


def test_a_status_without_a_domain_on_another_stream_is_about_no_stream_of_ours() -> None:
    answer = one({"ID": 7, "Type": "Status", "State": {"Stream": "Closed", "Text": "not logged in"}})
    assert answer == Other("Status", "not logged in")


# Source directory


def entry(**more: Any) -> dict[str, Any]:
    return {"Action": "Add", "Key": 1, **more}


def filters(*entries: Any) -> dict[str, Any]:
    return {"FilterList": {"Entries": list(entries)}}


def directory(*entries: Any, **more: Any) -> Answer:
    return one({"ID": 2, "Type": "Refresh", "Domain": "Source", "Map": {"Entries": list(entries)}, **more})


INFO = {"ID": 1, "Elements": {"Name": "TRCC"}}


@pytest.mark.parametrize(
    ("state", "running", "accepting"),
    [
        ({"ServiceState": 1, "AcceptingRequests": 1}, True, True),
        ({"ServiceState": 1, "AcceptingRequests": 0}, True, False),
        ({"ServiceState": 0, "AcceptingRequests": 1}, False, True),
        ({"ServiceState": 1}, True, None),
        ({"AcceptingRequests": 1}, None, True),
        ({"AcceptingRequests": {"Type": "UInt", "Data": 0}}, None, False),
        ({}, None, None),
    ],
)
def test_what_a_message_says_of_a_service_s_state(
    state: dict[str, object], running: bool | None, accepting: bool | None
) -> None:
    answer = directory(entry(**filters(INFO, {"ID": 2, "Elements": state})))
    assert answer == Directory((ServiceChange("1", "TRCC", running, accepting),), replaces=True)


@pytest.mark.parametrize("action", ["Set", 2])
def test_a_state_that_is_set_accepts_requests_unless_it_says_otherwise(action: object) -> None:
    answer = directory(entry(**filters(INFO, {"ID": 2, "Action": action, "Elements": {"ServiceState": 1}})))
    assert answer == Directory((ServiceChange("1", "TRCC", True, True),), replaces=True)


def test_an_update_changes_only_what_it_names() -> None:
    answer = directory(entry(**filters({"ID": 2, "Elements": {"ServiceState": 0}})), Type="Update")
    assert answer == Directory((ServiceChange("1", None, False),), False)


def test_a_service_may_be_deleted() -> None:
    assert directory({"Action": "Delete", "Key": 1}, Type="Update") == Directory(
        (ServiceChange("1", deleted=True),), False
    )


def test_an_action_may_be_a_number() -> None:
    answer = directory({"Action": 3, "Key": 1}, Type="Update")
    assert answer == Directory((ServiceChange("1", deleted=True),), False)


def test_a_refresh_in_parts_replaces_once_and_is_complete_with_its_last() -> None:
    parts = [directory(PartNumber=0, Complete=False), directory(PartNumber=1, Complete=False), directory(PartNumber=2)]
    assert parts == [Directory((), True, False), Directory((), False, False), Directory((), False, True)]


def test_a_refresh_that_clears_no_cache_replaces_nothing() -> None:
    assert directory(ClearCache=False) == Directory((), False)


@pytest.mark.parametrize("entries", [None, 5, {}, [1, "a", None]])
def test_a_directory_with_no_services_is_empty(entries: object) -> None:
    assert one({"ID": 2, "Type": "Refresh", "Domain": "Source", "Map": {"Entries": entries}}) == Directory((), True)


def test_the_source_stream_is_known_by_its_id_too() -> None:
    assert one({"ID": 2, "Type": "Update"}) == Directory((), False)


@pytest.mark.parametrize("stream", ["Closed", "ClosedRecover"])
def test_a_source_stream_that_closes_leaves_no_directory(stream: str) -> None:
    answer = one({"ID": 2, "Type": "Status", "Domain": "Source", "State": {"Stream": stream, "Text": "no"}})
    assert answer == DirectoryRefused("no")


def test_a_source_stream_by_number_is_one() -> None:
    refused = {"ID": 2, "Type": 3, "Domain": 4, "State": {"Stream": 4, "Data": 2, "Text": "no"}}
    assert one(refused) == DirectoryRefused("no")
    assert one({"ID": 7, "Type": 4, "Domain": 4}) == Directory((), False)


def test_an_error_on_the_source_stream_leaves_no_directory() -> None:
    assert one({"ID": 2, "Type": "Error", "Text": "no"}) == DirectoryRefused("no")


def test_a_status_of_an_open_source_stream_changes_nothing() -> None:
    answer = one({"ID": 2, "Type": "Status", "Domain": "Source", "State": {"Stream": "Open", "Text": "fine"}})
    assert answer == Other("Status", "fine")


# Anything


def test_a_message_without_a_type_is_other() -> None:
    assert one({}) == Other("", "")


NAMES = ("Type", "Domain", "ID", "AckID", "NakCode", "Text", "Debug", "Message", "State", "Stream", "Key", "Elements")
MORE = ("MaxMsgSize", "PingTimeout", "SupportOMMPost", "Map", "Entries", "Action", "FilterList", "ServiceState", "Name")
WORDS = (
    "Ack",
    "Error",
    "Ping",
    "Refresh",
    "Update",
    "Status",
    "Login",
    "Source",
    "Open",
    "Closed",
    "Delete",
    "Suspect",
)
scalars = st.one_of(
    st.sampled_from(WORDS), st.integers(), st.none(), st.booleans(), st.floats(allow_nan=False), st.text()
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES + MORE), inner, max_size=6),
    max_leaves=25,
)


messages = st.fixed_dictionaries(
    {"Type": st.sampled_from(("Ack", "Ack", "Ack", "Ping", "", "\0", 5))},
    optional=dict.fromkeys(("AckID", "NakCode", "Text", "Key"), scalars),
).map(lambda message: {name: message[name] for name in sorted(message, key=str)}) | st.dictionaries(
    st.sampled_from(("AckID", "Text")), scalars
)


@given(st.lists(messages, max_size=4))
def test_messages_say_the_same_together_as_each_by_itself(some: list[dict[str, object]]) -> None:
    assert [*decode(msgspec.json.encode(some))] == [
        answer for message in some for answer in decode(msgspec.json.encode(message))
    ]


def test_an_ack_without_a_type_is_none() -> None:
    assert one({"AckID": 9}) == Other("", "")


def check(payload: bytes) -> None:
    try:
        answers = decode(payload)
    except BadFrame:
        return
    assert all(isinstance(answer, Answer) for answer in answers)


@given(st.binary())
def test_any_bytes_are_answers_or_a_bad_frame(payload: bytes) -> None:
    check(payload)


@given(json_values)
def test_any_json_is_answers_or_a_bad_frame(value: object) -> None:
    try:
        payload = msgspec.json.encode(value)
    except OverflowError:  # an integer beyond 64 bits, which msgspec does not write
        payload = b"1"
    check(payload)
