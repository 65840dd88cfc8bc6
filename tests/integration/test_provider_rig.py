"""What LSEG's own code answers over tr_json2, for whatever else is tested against it or made to resemble it."""

from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from tests.integration.rigs.provider_rig import Provider, ProviderProfile
from tests.integration.rigs.raw_websocket import Message, WireClient, directory_request, post, token_login_request
from tests.integration.rigs.wait import eventually
from websocket import WebSocketException

Connect = Callable[..., WireClient]
Start = Callable[..., Provider]

PING: Message = {"Type": "Ping"}
numbers = count(1)


@pytest.fixture
def client(connect: Connect, provider: Provider) -> WireClient:
    return connect(provider.url)


def short(message: Message) -> str:
    """``A7`` for the ack of post 7, ``N7`` for its NAK, else the type: enough to show an order of answers."""
    if message["Type"] != "Ack":
        return str(message["Type"])
    return f"{'N' if 'NakCode' in message else 'A'}{message['AckID']}"


def is_ack(number: int) -> Callable[[Message], bool]:
    return lambda message: message["Type"] == "Ack" and message["AckID"] == number


def is_pong(message: Message) -> bool:
    return bool(message["Type"] == "Pong")


def logs_in(connect: Connect, provider: Provider) -> bool:
    """The vendor's code now and then closes the next connection too, when it comes right after one it has closed."""
    try:
        return bool(connect(provider.url).login["State"]["Stream"] == "Open")
    except (AssertionError, OSError, WebSocketException):
        return False


def send(client: WireClient, ric: str, literal: str = "1.5", **options: Any) -> Message:
    """Post one BID as this JSON literal; returns the Ack, or the Error it is answered with."""
    number = next(numbers)
    template = post(number, ric, {"BID": "@"}, **options)
    client.send_literal(template, literal)
    return client.expect(lambda message: message["Type"] == "Error" or is_ack(number)(message))


class TestLogin:
    def test_is_answered_with_the_limits_and_posting_support(self, client: WireClient) -> None:
        assert client.login["State"] == {"Stream": "Open", "Data": "Ok", "Text": "Login accepted"}
        assert client.login["Key"]["Elements"] == {"SupportOMMPost": 1}
        assert client.login["Elements"] == {"MaxMsgSize": 61430, "PingTimeout": 30}

    def test_can_leave_the_limits_out(self, connect: Connect, new_provider: Start) -> None:
        provider = new_provider(max_msg_size=None, advertised_ping_timeout=None)
        assert "Elements" not in connect(provider.url).login

    def test_refused_ends_with_a_close_of_code_1000(self, connect: Connect, provider: Provider) -> None:
        client = connect(provider.url, user="refused")
        assert client.login["State"]["Code"] == "NotEntitled"
        client.until_closed()
        assert client.close_code == 1000

    def test_is_journaled_with_its_token(self, connect: Connect, provider: Provider) -> None:
        client = connect(provider.url, login=False)
        client.send(token_login_request("a.b.c"))
        assert client.expect()["State"]["Stream"] == "Open"
        assert provider.logins()[-1]["elements"]["AuthenticationToken"] == "a.b.c"


class TestText:
    """What becomes of text that is more than ASCII, and of words where a price should stand."""

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("\x1b%0S\xf3ci\xe9t\xe9 \u20ac \u65e5", "S\xf3ci\xe9t\xe9 \u20ac \u65e5"),
            ("\x1b[7`ABC", "ABC"),
            ("\xe9", "\xc3\xa9"),
        ],
    )
    def test_rmtes_is_read_from_json_escapes(
        self, client: WireClient, provider: Provider, text: str, kept: str
    ) -> None:
        number = next(numbers)
        client.send(post(number, "PAGE=", {"DSPLY_NAME": text}))
        client.expect(is_ack(number))
        assert provider.posts()[-1].fields == {"DSPLY_NAME": kept}

    def test_a_bare_escape_drops_the_message_in_silence(self, client: WireClient, provider: Provider) -> None:
        before = provider.post_count()
        client.send_literal(post(next(numbers), "PAGE=", {"DSPLY_NAME": "@"}), '"\x1b[7`ABC"')
        assert client.collect() == []
        assert provider.post_count() == before

    @pytest.mark.parametrize(
        ("word", "taken"), [("NaN", True), ("Inf", True), ("-Inf", True), ("nan", False), ("Infinity", False)]
    )
    def test_three_words_are_stored_as_a_price(self, client: WireClient, word: str, taken: bool) -> None:
        assert (send(client, "EUR=", f'"{word}"')["Type"] == "Ack") is taken


class TestDirectory:
    def test_names_the_service_and_its_state(self, client: WireClient) -> None:
        client.send(directory_request())
        (entry,) = client.expect()["Map"]["Entries"]
        info, state = entry["FilterList"]["Entries"]
        assert (entry["Key"], info["Elements"]["Name"]) == (8090, "TRCC")
        assert state["Elements"] == {"ServiceState": 1, "AcceptingRequests": 1}

    @pytest.mark.parametrize(
        ("order", "state", "answer"),
        [
            ("down", {"ServiceState": 0, "AcceptingRequests": 0}, "SourceDown"),
            ("notaccepting", {"ServiceState": 1, "AcceptingRequests": 0}, None),
        ],
    )
    def test_follows_the_service(
        self, connect: Connect, new_provider: Start, order: str, state: Message, answer: str | None
    ) -> None:
        provider = new_provider()
        client = connect(provider.url)
        client.send(directory_request())
        client.expect()
        provider.control(f"service {order}")
        (entry,) = client.expect()["Map"]["Entries"]
        assert (entry["Action"], entry["FilterList"]["Entries"][0]["Elements"]) == ("Update", state)
        assert send(client, "EUR=").get("NakCode") == answer

    def test_a_deleted_service_is_unknown_to_the_converter_until_it_is_added_again(
        self, connect: Connect, new_provider: Start
    ) -> None:
        provider = new_provider()
        client = connect(provider.url)
        client.send(directory_request())
        client.expect()
        provider.control("service delete")
        assert client.expect()["Map"]["Entries"] == [{"Action": "Delete", "Key": 8090}]
        assert send(client, "EUR=")["Type"] == "Error"
        provider.control("service up")
        assert client.expect()["Map"]["Entries"][0]["Action"] == "Add"
        assert short(send(client, "EUR=")).startswith("A")


class TestAnswers:
    def test_a_post_is_acked_and_journaled(self, client: WireClient, provider: Provider) -> None:
        fields = {"BID": 1.08412, "CURRENCY": "USD", "QUOTIM": "10:15:30", "CTBTR_1": "ACME", "ASK": None}
        number = next(numbers)
        client.send(post(number, "EUR=JOURNAL", fields))
        ack = client.expect()
        assert ack == {"ID": 1, "Type": "Ack", "AckID": number, "Key": {"Service": 8090, "Name": "EUR=JOURNAL"}}
        (journaled,) = [one for one in provider.posts() if one.ric == "EUR=JOURNAL"]
        assert (journaled.post_id, journaled.type, journaled.service) == (number, "Update", "TRCC")
        assert journaled.fields == {
            "BID": "1.08412",
            "CURRENCY": "840",
            "QUOTIM": "10:15:30:000:000:000",
            "CTBTR_1": "ACME",
            "ASK": None,
        }

    @pytest.mark.parametrize(
        ("ric", "code", "text"),
        [
            ("NAK.DeniedBySrc.X", "DeniedBySrc", "[500]: Unknown Item"),
            ("NAK.AccessDenied.X", "AccessDenied", None),
            ("NAK10.X", "SymbolUnknown", "F44: Unable to find item on post update."),
            ("NAK13.X", 13, None),
            ("TEXT.X", None, "[4]: Creation Accepted"),
        ],
    )
    def test_the_ric_decides(self, client: WireClient, ric: str, code: str | int | None, text: str | None) -> None:
        answer = send(client, ric)
        assert (answer.get("NakCode"), answer.get("Text")) == (code, text)

    def test_an_unknown_item_exists_once_a_refresh_post_has_created_it(self, client: WireClient) -> None:
        assert send(client, "UNKNOWN.NEW")["NakCode"] == "SymbolUnknown"
        assert "NakCode" not in send(client, "UNKNOWN.NEW", type_="Refresh")
        assert "NakCode" not in send(client, "UNKNOWN.NEW")

    def test_the_connection_is_closed_at_some(self, client: WireClient) -> None:
        client.send(post(next(numbers), "CLOSE.X", {"BID": 1.5}))
        assert client.until_closed() == []

    def test_a_slow_answer_lets_others_pass_and_a_silent_one_never_comes(self, client: WireClient) -> None:
        slow, silent, quick = (next(numbers) for _ in range(3))
        rics = {slow: "SLOW200.X", silent: "SILENT.X", quick: "EUR="}
        client.send(*[post(number, ric, {"BID": 1}) for number, ric in rics.items()])
        assert [short(one) for one in client.until(is_ack(slow))] == [f"A{quick}", f"A{slow}"]
        assert client.collect() == []

    def test_all_wait_for_a_delay_and_keep_their_order(self, connect: Connect, new_provider: Start) -> None:
        provider = new_provider(delay=0.2)
        client = connect(provider.url)
        client.send(*[post(number, "EUR=", {"BID": 1}) for number in range(1, 21)])
        assert [short(one) for one in client.until(is_ack(20))] == [f"A{number}" for number in range(1, 21)]

    def test_a_service_that_does_not_exist(self, client: WireClient) -> None:
        assert send(client, "EUR=", service="NOPE")["Type"] == "Error"
        number = next(numbers)
        client.send(post(number, "EUR=", {"BID": 1}, service=9999))
        assert client.expect()["NakCode"] == "DeniedBySrc"


class TestRefusedContent:
    def test_is_an_error_that_shows_the_post(self, client: WireClient) -> None:
        answer = send(client, "EUR=BAD", '"x"')
        assert (answer["Type"], answer["ID"]) == ("Error", 1)
        assert '"Name":"EUR=BAD"' in answer["Debug"]["Message"].replace(" ", "")

    @pytest.mark.parametrize(("bad", "answered"), [(1, 0), (10, 9), (20, 19)])
    def test_takes_the_rest_of_its_frame_with_it_and_a_ping_behind_it_proves_that(
        self, client: WireClient, bad: int, answered: int
    ) -> None:
        client.send(*[post(number, "EUR=", {"BID": "x" if number == bad else 1}) for number in range(1, 21)])
        client.send(PING)
        expected = [*(f"A{number}" for number in range(1, answered + 1)), "Error", "Pong"]
        assert [short(one) for one in client.until(is_pong)] == expected

    def test_takes_even_a_ping_in_its_own_frame_with_it(self, client: WireClient) -> None:
        client.send(post(1, "EUR=", {"BID": "x"}), PING)
        assert client.expect()["Type"] == "Error"
        assert client.collect() == []

    def test_is_dropped_in_silence_where_the_server_sends_no_errors(
        self, connect: Connect, new_provider: Start
    ) -> None:
        client = connect(new_provider(profile=ProviderProfile.SILENT).url)
        client.send(post(1, "EUR=", {"BID": 1}), post(2, "EUR=", {"BID": "x"}), post(3, "EUR=", {"BID": 1}))
        client.send(PING)
        assert [short(one) for one in client.until(is_pong)] == ["A1", "Pong"]

    def test_ends_the_connection_of_a_closing_server_and_acks_of_what_it_took_may_be_lost(
        self, connect: Connect, new_provider: Start
    ) -> None:
        provider = new_provider(profile=ProviderProfile.CLOSING, direct_write=False)
        client = connect(provider.url)
        client.send(*[post(number, "EUR=", {"BID": "x" if number == 10 else 1}) for number in range(1, 21)])
        answers = [short(one) for one in client.until_closed()]
        assert client.close_code == 1000
        assert answers == [f"A{number}" for number in range(1, len(answers) + 1)]
        assert [one.post_id for one in provider.posts()] == list(range(1, 10))
        eventually(lambda: logs_in(connect, provider), what="a login after the close")


class TestNumbers:
    """What becomes of a number for a Real: only an integer is exact; anything with a point or exponent is a double."""

    @pytest.mark.parametrize(
        ("literal", "stored"),
        [
            ("1.10", "1.1"),
            ("1e-05", "0.00001"),
            ("1E-8", "0.00000001"),
            ("1E+3", "1000"),
            ("-0.0", "0"),
            ("0.00000000000012", "0.00000000000012"),
            ("123456789012345", "123456789012345"),
            ("9223372036854775807", "9223372036854775807"),
            ("12345678901234.5", "12345678901234.5"),
        ],
    )
    def test_taken_as_they_are(self, client: WireClient, provider: Provider, literal: str, stored: str) -> None:
        ric = f"TAKEN={literal}"
        assert short(send(client, ric, literal)).startswith("A")
        (journaled,) = [one for one in provider.posts() if one.ric == ric]
        assert journaled.fields == {"BID": stored}

    @pytest.mark.parametrize(
        "literal",
        [
            "0.00000000000001",  # one significant digit at the fourteenth decimal; two are taken
            "1000000000.0",  # whole billions with a point or an exponent; 1000000000 is taken
            "1E9",
            "0.30000000000000004",
            "9223372036854775808",
        ],
    )
    def test_refused(self, client: WireClient, literal: str) -> None:
        assert send(client, "EUR=REFUSED", literal)["Type"] == "Error"

    def test_sixteen_digits_are_acked_and_stored_as_something_else(
        self, client: WireClient, provider: Provider
    ) -> None:
        assert short(send(client, "SIXTEEN=", "65756.54980826866")).startswith("A")
        (journaled,) = [one for one in provider.posts() if one.ric == "SIXTEEN="]
        assert journaled.fields["BID"] is not None
        assert Decimal(journaled.fields["BID"]) == Decimal("65756.54980826865")


class TestConnection:
    def test_a_ping_is_answered(self, client: WireClient) -> None:
        client.send(PING)
        assert client.expect() == {"Type": "Pong"}

    def test_a_client_without_a_sign_of_life_is_closed_at_twice_the_ping_timeout(
        self, connect: Connect, new_provider: Start
    ) -> None:
        client = connect(new_provider(ping_timeout=2).url, answer_pings=False)
        asked = [short(one) for one in client.until_closed()]
        assert set(asked) == {"Ping"}
        assert client.close_code == 1000

    @pytest.mark.parametrize(("order", "stream"), [("close", "Closed"), ("closerecover", "ClosedRecover")])
    def test_the_login_stream_can_be_closed(
        self, connect: Connect, new_provider: Start, order: str, stream: str
    ) -> None:
        provider = new_provider()
        client = connect(provider.url)
        provider.control(f"login {order}")
        assert client.expect()["State"]["Stream"] == stream
        client.until_closed()

    def test_the_login_stream_can_become_suspect_and_recover(self, connect: Connect, new_provider: Start) -> None:
        provider = new_provider()
        client = connect(provider.url)
        for order, data in (("suspect", "Suspect"), ("ok", "Ok")):
            provider.control(f"login {order}")
            state = client.expect()["State"]
            assert (state["Stream"], state["Data"]) == ("Open", data)

    def test_a_connection_can_be_ended_without_a_word(self, connect: Connect, new_provider: Start) -> None:
        provider = new_provider()
        client = connect(provider.url)
        provider.control("disconnect")
        assert client.until_closed() == []

    def test_a_killed_provider_keeps_its_port_and_what_it_acked_is_in_the_journal(
        self, connect: Connect, new_provider: Start
    ) -> None:
        provider = new_provider()
        url = provider.url
        client = connect(url)
        client.send(*[post(number, "EUR=", {"BID": 1}) for number in range(1, 101)])
        client.expect(is_ack(50))
        provider.kill()
        answered = [message["AckID"] for message in client.until_closed()]
        provider.start()
        assert provider.url == url
        assert len(provider.posts()) >= max(answered, default=50)
        assert connect(url).login["State"]["Stream"] == "Open"

    def test_an_order_it_does_not_know_is_an_error(self, provider: Provider) -> None:
        with pytest.raises(ValueError, match="not an order"):
            provider.control("nonsense")
