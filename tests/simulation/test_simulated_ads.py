"""The simulated ADS answers as the vendor's provider was measured to."""

import json
import random
from typing import Any

import pytest

from contribd.simulation.ads.ads_client import AdsClient
from contribd.simulation.ads.options import AdsOptions, Close, LoginProfile, Profile
from contribd.simulation.ads.ric_rules import SLOW_DELAY, Rule, nak, parse_nak_rule
from contribd.simulation.ads.simulated_ads import SimulatedAds

Message = dict[str, Any]
LOGIN: Message = {"ID": 1, "Domain": "Login", "Key": {"Name": "user", "Elements": {"ApplicationId": "256"}}}
DIRECTORY: Message = {"ID": 2, "Domain": "Source", "Key": {"Filter": 3}}


class Client:
    """A client on a simulated clock."""

    def __init__(
        self, options: AdsOptions | None = None, *, login: bool = True, ads: SimulatedAds | None = None
    ) -> None:
        self.now = 100.0
        self.ads = ads if ads is not None else SimulatedAds(options, random.Random(1))
        self.connection: AdsClient = self.ads.connect(self.now)
        if login:
            [refresh] = self.ask(LOGIN)
            assert refresh["Type"] == "Refresh"

    def frames(self) -> list[list[Message]]:
        return [json.loads(frame) for frame in self.connection.take(self.now)]

    def messages(self) -> list[Message]:
        return [message for frame in self.frames() for message in frame]

    def send(self, *messages: Message) -> None:
        self.connection.receive(json.dumps(list(messages)).encode(), self.now)

    def send_raw(self, text: str) -> None:
        self.connection.receive(text.encode(), self.now)

    def ask(self, *messages: Message) -> list[Message]:
        self.send(*messages)
        return self.messages()

    def pass_time(self, seconds: float) -> list[Message]:
        self.now += seconds
        return self.messages()


def post(
    post_id: int, ric: str = "EUR=TRCC", *, service: str | int = "TRCC", kind: str = "Update", **fields: Any
) -> Message:
    key = {"Name": ric, "Service": service}
    payload = {"ID": 0, "Type": kind, "Domain": "MarketPrice", "Key": key, "Fields": fields or {"BID": 1.1}}
    return {
        "ID": 1,
        "Type": "Post",
        "Domain": "MarketPrice",
        "Ack": True,
        "PostID": post_id,
        "Key": key,
        "Message": payload,
    }


def ids(messages: list[Message]) -> list[int]:
    return [message["AckID"] for message in messages]


# Login -------------------------------------------------------------------------------------------------------------


def test_a_login_is_answered_with_the_size_the_ping_timeout_and_posting() -> None:
    [refresh] = Client(AdsOptions(max_msg_size=1000, ping_timeout=12), login=False).ask(LOGIN)
    assert refresh["Elements"] == {"MaxMsgSize": 1000, "PingTimeout": 12}
    assert refresh["Key"] == {"Name": "user", "Elements": {"SupportOMMPost": 1}}
    assert refresh["State"] == {"Stream": "Open", "Data": "Ok", "Text": "Login accepted"}


def test_a_login_refresh_may_leave_everything_out() -> None:
    options = AdsOptions(omit=frozenset({"MaxMsgSize", "PingTimeout", "SupportOMMPost"}))
    [refresh] = Client(options, login=False).ask(LOGIN)
    assert "Elements" not in refresh
    assert "SupportOMMPost" not in refresh["Key"]["Elements"]


@pytest.mark.parametrize(
    ("options", "user"), [(AdsOptions(login=LoginProfile.REFUSED), "user"), (AdsOptions(), "refused")]
)
def test_a_refused_login_is_closed_and_then_the_connection_with_1000(options: AdsOptions, user: str) -> None:
    client = Client(options, login=False)
    [status] = client.ask({**LOGIN, "Key": {"Name": user}})
    assert status["State"] == {"Stream": "Closed", "Data": "Suspect", "Code": "NotEntitled", "Text": "Login denied"}
    assert client.connection.close is not None
    assert client.connection.close.code == 1000


def test_a_login_may_be_suspect_or_never_answered() -> None:
    [refresh] = Client(AdsOptions(login=LoginProfile.SUSPECT), login=False).ask(LOGIN)
    assert (refresh["State"]["Stream"], refresh["State"]["Data"]) == ("Open", "Suspect")
    assert Client(AdsOptions(login=LoginProfile.SILENT), login=False).ask(LOGIN) == []


def test_a_renewed_token_gets_no_answer() -> None:
    assert Client().ask({**LOGIN, "Refresh": False}) == []


def test_a_login_too_soon_after_the_last_one_is_still_pending() -> None:
    first = Client(AdsOptions(relogin_pause=60))
    first.connection.gone(first.now)
    again = Client(ads=first.ads, login=False)
    [status] = again.ask(LOGIN)
    assert status["State"]["Text"] == "Already pending login"
    later = Client(ads=first.ads, login=False)
    later.now += 61
    assert later.ask(LOGIN)[0]["Type"] == "Refresh"


def test_a_closed_login_takes_its_connection_with_it() -> None:
    client = Client()
    client.ads.control("login close")
    assert [each["State"]["Stream"] for each in client.messages()] == ["Closed"]
    assert client.connection.close is not None
    assert client.connection.close.code == 1000


@pytest.mark.parametrize("name_type", ["UserName", "AuthnToken"])
def test_a_name_or_token_may_ask_for_a_pending_or_an_unanswered_login(name_type: str) -> None:
    def login(who: str) -> list[Message]:
        key = {"Name": who} if name_type == "UserName" else {"Elements": {"AuthenticationToken": who}}
        return Client(login=False).ask({**LOGIN, "Key": {"NameType": name_type, **key}})

    assert [each["State"]["Text"] for each in login("pending")] == ["Already pending login"]
    assert login("unanswered") == []


def test_logins_and_renewed_tokens_are_recorded() -> None:
    client = Client()
    assert client.ask({**LOGIN, "Refresh": False}, LOGIN) == []
    assert [(each.kind, each.name, each.elements) for each in client.ads.logins] == [
        ("login", "user", {"ApplicationId": "256"}),
        ("reissue", "user", {"ApplicationId": "256"}),
        ("reissue", "user", {"ApplicationId": "256"}),
    ]


def test_a_client_that_closes_its_login_stream_is_disconnected() -> None:
    client = Client()
    assert client.ask({"ID": 1, "Type": "Close", "Domain": "Login"}) == []
    assert client.connection.close is not None
    assert client.connection.close.code == 1000


@pytest.mark.parametrize(("recover", "state"), [(False, "Closed"), (True, "ClosedRecover")])
def test_a_login_can_close_at_any_time_and_posts_are_then_too_early(recover: bool, state: str) -> None:
    client = Client()
    client.ads.close_logins(recover=recover, stay=True)
    [status] = client.messages()
    assert (status["Domain"], status["State"]["Stream"]) == ("Login", state)
    assert client.ask(post(1))[0]["Type"] == "Status"
    assert client.ads.posts == []


def test_a_post_before_the_login_gets_a_status_without_a_domain() -> None:
    [status] = Client(login=False).ask(post(1))
    assert (status["Type"], "Domain" in status) == ("Status", False)


# Directory -----------------------------------------------------------------------------------------------------------


def test_the_directory_gives_id_name_and_state_and_follows_them() -> None:
    client = Client()
    [refresh] = client.ask(DIRECTORY)
    [entry] = refresh["Map"]["Entries"]
    info, state = entry["FilterList"]["Entries"]
    assert (entry["Key"], info["Elements"]["Name"], state["Elements"]["ServiceState"]) == (8090, "TRCC", 1)
    for line, action in (
        ("service down", "Update"),
        ("service up", "Update"),
        ("service delete", "Delete"),
        ("service up", "Add"),
    ):
        client.ads.control(line)
        [update] = client.messages()
        assert (update["Type"], update["Map"]["Entries"][0]["Action"]) == ("Update", action)


def test_a_service_may_be_up_and_not_accept_requests() -> None:
    client = Client(AdsOptions(services=("TRCC", "OTHER")))
    client.ask(DIRECTORY)
    client.ads.control("service notaccepting OTHER")
    [entry] = client.messages()[0]["Map"]["Entries"]
    [state] = entry["FilterList"]["Entries"]
    assert (entry["Key"], state["Elements"]) == (8091, {"ServiceState": 1, "AcceptingRequests": 0})


def test_a_directory_request_for_states_alone_is_refused() -> None:
    [status] = Client().ask({**DIRECTORY, "Key": {"Filter": 2}})
    assert (status["State"]["Stream"], status["State"]["Code"]) == ("ClosedRecover", "UsageError")


def test_a_post_to_a_service_that_is_down_or_has_an_unknown_number_is_a_nak() -> None:
    client = Client()
    client.ads.set_service(False)
    down, unknown = client.ask(post(1), post(2, service=9))
    assert (down["NakCode"], down["Text"]) == ("SourceDown", "A9: Service is unavailable.")
    assert (unknown["NakCode"], unknown["Key"]["Service"]) == ("DeniedBySrc", 9)


@pytest.mark.parametrize("service", ["X", "8090"])
def test_an_unknown_service_name_is_an_error_or_a_nak_as_configured(service: str) -> None:
    assert [each["Type"] for each in Client().ask(post(1, service=service))] == ["Error"]
    [nak] = Client(AdsOptions(nak_unknown_services=True)).ask(post(1, service=service))
    assert (nak["NakCode"], nak["Text"]) == ("DeniedBySrc", "Unable to find service for post message.")


def test_a_deleted_service_is_an_unknown_name() -> None:
    client = Client()
    client.ads.control("service delete")
    assert [each["Type"] for each in client.ask(post(1))] == ["Error"]
    client.ads.control("service up")
    assert ids(client.ask(post(2))) == [2]


# Posts ---------------------------------------------------------------------------------------------------------------


def test_posts_of_a_packed_frame_are_acked_in_order_one_a_frame() -> None:
    client = Client()
    client.send(*(post(number) for number in range(1, 21)))
    frames = client.frames()
    assert [len(frame) for frame in frames] == [1] * 20
    assert [frame[0]["AckID"] for frame in frames] == list(range(1, 21))
    assert frames[0][0] == {"ID": 1, "Type": "Ack", "AckID": 1, "Key": {"Service": 8090, "Name": "EUR=TRCC"}}


def test_acks_may_be_packed() -> None:
    client = Client(AdsOptions(pack_answers=8))
    client.send(*(post(number) for number in range(20)))
    assert [len(frame) for frame in client.frames()] == [8, 8, 4]


@pytest.mark.parametrize("service", ["TRCC", 8090])
def test_a_service_goes_by_name_or_number_and_the_ack_has_its_number_or_its_name(service: str | int) -> None:
    [ack] = Client().ask(post(1, service=service))
    assert (ack["Key"]["Service"], "NakCode" in ack) == (8090, False)
    [ack] = Client(AdsOptions(ack_service_names=True)).ask(post(1, service=service))
    assert ack["Key"]["Service"] == "TRCC"


def test_a_post_id_beyond_32_bits_wraps() -> None:
    assert ids(Client().ask(post(2**32), post(2**32 - 1))) == [0, 2**32 - 1]


def test_an_rics_own_text_decides_its_answer() -> None:
    rics = ["NAK.DeniedBySrc.A", "NAK5.A", "NAK77.A", "SILENT.A", "TEXT.A", "UNKNOWN.A", "EUR=TRCC"]
    answers = Client().ask(*(post(number, ric) for number, ric in enumerate(rics)))
    assert [(each["AckID"], each.get("NakCode"), each.get("Text")) for each in answers] == [
        (0, "DeniedBySrc", "[500]: Unknown Item"),
        (1, "NoResources", None),
        (2, 77, None),
        (4, None, "[4]: Creation Accepted"),
        (5, "SymbolUnknown", "F44: Unable to find item on post update."),
        (6, None, None),
    ]


def test_a_post_that_closes_the_connection_takes_all_but_the_first_answer_of_its_frame_with_it() -> None:
    client = Client()
    assert ids(client.ask(post(1), post(2), post(3, "CLOSE.A"), post(4))) == [1]
    assert client.connection.close == Close(1000)


def test_a_post_may_be_answered_by_what_is_no_json() -> None:
    client = Client()
    client.send(post(1), post(2, "GARBAGE.A"), post(3))
    first, garbage, last = client.connection.take(client.now)
    assert ids([*json.loads(first), *json.loads(last)]) == [1, 3]
    with pytest.raises(json.JSONDecodeError):
        json.loads(garbage)


def test_a_slow_answer_is_overtaken() -> None:
    client = Client()
    assert ids(client.ask(post(1, "SLOW.A"), post(2))) == [2]
    assert ids(client.pass_time(SLOW_DELAY)) == [1]
    client.send(post(3, "SLOW250.A"))
    assert ids(client.pass_time(0.24)) == []
    assert ids(client.pass_time(0.01)) == [3]


def test_an_unknown_item_is_created_by_a_refresh_post() -> None:
    client = Client(AdsOptions(items_unknown=True))
    answers = client.ask(post(1), post(2, kind="Refresh"), post(3), post(4, "GBP=TRCC"))
    assert [each.get("NakCode") for each in answers] == ["SymbolUnknown", None, None, "SymbolUnknown"]


def test_a_rule_by_pattern_comes_before_what_the_ric_says() -> None:
    client = Client(AdsOptions(rules=(Rule("NAK.*", nak(11)), parse_nak_rule("TRY*=AccessDenied:no"))))
    first, second = client.ask(post(1, "NAK.DeniedBySrc.A"), post(2, "TRY=TRCC"))
    assert (first["NakCode"], second["NakCode"], second["Text"]) == ("NotOpen", "AccessDenied", "no")


@pytest.mark.parametrize("text", ["EUR", "=NotOpen", "EUR*=Whatever", "EUR*="])
def test_a_bad_nak_rule_is_explained(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_nak_rule(text)


def test_posts_taken_are_recorded_in_order_with_what_they_said() -> None:
    client = Client()
    client.send(post(7, BID=1.25), post(8, "NAK5.A", kind="Refresh", BID=None), post(9, "SILENT.A"))
    assert [(each.sequence, each.post_id, each.ric, each.type, each.answer) for each in client.ads.posts] == [
        (1, 7, "EUR=TRCC", "Update", "Ack"),
        (2, 8, "NAK5.A", "Refresh", "Nak"),
        (3, 9, "SILENT.A", "Update", "None"),
    ]
    assert str(client.ads.posts[0].fields["BID"]) == "1.25"


# What cannot be converted -------------------------------------------------------------------------------------------


def test_one_bad_post_takes_the_rest_of_its_frame_with_it() -> None:
    client = Client()
    bad = post(10, BID="1.1")
    *acks, error = client.ask(
        *(post(number) for number in range(1, 10)), bad, *(post(number) for number in range(11, 21))
    )
    assert ids(acks) == list(range(1, 10))
    assert (error["Type"], "AckID" in error) == ("Error", False)
    assert json.loads(error["Debug"]["Message"]) == bad
    assert ids(client.ask(post(21))) == [21]


def test_the_silent_profile_says_nothing_and_the_closing_one_hangs_up_after_the_first_ack() -> None:
    silent = Client(AdsOptions(profile=Profile.SILENT))
    assert ids(silent.ask(post(1), post(2, BID=""), post(3))) == [1]
    closing = Client(AdsOptions(profile=Profile.CLOSING))
    assert ids(closing.ask(post(1), post(2), post(3, BID=""), post(4))) == [1]
    assert closing.connection.close is not None


@pytest.mark.parametrize("text", ['[{"ID":1,"Type":"Post"', "nonsense", json.dumps([post(1)]).replace("1.1", "NaN")])
def test_a_frame_that_is_no_json_is_passed_over_in_silence(text: str) -> None:
    client = Client()
    client.send_raw(text)
    assert client.messages() == []
    assert client.connection.close is None
    assert client.ads.posts == []


def test_fields_are_not_checked_without_a_dictionary() -> None:
    client = Client(AdsOptions(fields=None))
    assert ids(client.ask(post(1, NO_SUCH="x"), post(2, BID="x"), post(3, CTBTR_1=1))) == [1, 2, 3]


def test_a_larger_frame_than_advertised_passes_unless_the_size_is_enforced() -> None:
    assert ids(Client(AdsOptions(max_msg_size=50)).ask(post(1))) == [1]
    strict = Client(AdsOptions(max_msg_size=50, enforce_max_msg_size=True), login=False)
    assert strict.ask(LOGIN, post(1)) == []
    assert strict.connection.close is not None


# Time ----------------------------------------------------------------------------------------------------------------


def test_a_ping_is_answered() -> None:
    assert Client().ask({"Type": "Ping"}) == [{"Type": "Pong"}]


def test_the_server_pings_at_a_third_and_closes_at_twice_the_timeout_without_traffic() -> None:
    client = Client(AdsOptions(ping_timeout=3))
    assert client.connection.wake_at() == 101.0
    for _ in range(5):
        assert client.pass_time(1) == [{"Type": "Ping"}]
    assert client.pass_time(1) == []
    assert client.connection.close is not None
    assert client.connection.close.code == 1000


def test_any_traffic_of_the_client_keeps_the_connection() -> None:
    client = Client(AdsOptions(ping_timeout=3))
    for number in range(20):
        client.send(post(number))
        client.pass_time(1)
    assert client.connection.close is None


def test_a_global_delay_keeps_the_order_even_when_it_shrinks() -> None:
    client = Client(AdsOptions(delay=2, ping_timeout=None))
    client.send(post(1))
    client.ads.control("delay 500")
    assert client.ask(post(2)) == []
    assert client.connection.wake_at() == 102.0
    assert ids(client.pass_time(2)) == [1, 2]


# Faults --------------------------------------------------------------------------------------------------------------


def test_answers_can_be_dropped_doubled_and_made_up() -> None:
    client = Client()
    for line in ("drop 1", "duplicate 1", "stray 999"):
        client.ads.control(line)
    assert ids(client.ask(post(1), post(2), post(3))) == [999, 2, 2, 3]


def test_shares_of_answers_are_dropped_and_doubled_by_the_seed() -> None:
    client = Client(AdsOptions(drop=0.3, duplicate=0.3))
    answers = ids(client.ask(*(post(number) for number in range(1000))))
    kept = set(answers)
    assert 620 < len(kept) < 780
    assert 140 < len(answers) - len(kept) < 280
    assert answers == ids(Client(AdsOptions(drop=0.3, duplicate=0.3)).ask(*(post(number) for number in range(1000))))


def test_silence_takes_posts_and_answers_none() -> None:
    client = Client()
    client.ads.control("silent on")
    assert client.ask(post(1)) == []
    client.ads.control("silent off")
    assert ids(client.ask(post(2))) == [2]
    assert len(client.ads.posts) == 2


def test_a_cut_takes_what_has_not_left_with_it() -> None:
    client = Client(AdsOptions(cut_every=3))
    assert client.ask(*(post(number) for number in range(5))) == []
    assert client.connection.close is not None
    assert client.connection.close.code is None
    assert len(client.ads.posts) == 3


@pytest.mark.parametrize("line", ["", "service sideways", "delay soon", "dance"])
def test_an_unknown_control_line_is_explained(line: str) -> None:
    with pytest.raises(ValueError, match=r"expected|whole number"):
        SimulatedAds().control(line)
