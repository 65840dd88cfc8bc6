"""What goes out, byte for byte."""

import pytest

from contribd.mapping.encode import RmtesEscape
from contribd.mapping.numbers import PlainDecimal
from contribd.mapping.outcome import FieldValue, PostType
from contribd.omm.post import MAX_POST_ID, PostEncoder, PostUserInfo, frame
from contribd.omm.requests import PING, PONG, Login, close_login, login, source_directory

ISSUED = "abc"
ENCODER = PostEncoder(PostUserInfo("10.0.0.1", 256))


def test_a_login_of_a_user() -> None:
    assert login(Login("contribd", "256", "10.0.0.1/net")) == (
        b'{"ID":1,"Domain":"Login","Key":{"Elements":{"ApplicationId":"256","Position":"10.0.0.1/net"},'
        b'"Name":"contribd"}}'
    )


def test_a_login_with_a_token_sends_no_name() -> None:
    assert login(Login("contribd", "256", "10.0.0.1", token=ISSUED)) == (
        b'{"ID":1,"Domain":"Login","Key":{"Elements":{"ApplicationId":"256","Position":"10.0.0.1",'
        b'"AuthenticationToken":"abc"},"NameType":"AuthnToken"}}'
    )


def test_a_renewed_token_asks_for_no_refresh() -> None:
    text = login(Login("contribd", "256", "10.0.0.1", token=ISSUED), refresh=False)
    assert text.endswith(b'"NameType":"AuthnToken"},"Refresh":false}')


def test_the_source_directory_asks_for_info_and_state() -> None:
    """Servers refuse state alone."""
    assert source_directory() == b'{"ID":2,"Domain":"Source","Key":{"Filter":3}}'


def test_only_the_login_is_closed() -> None:
    assert close_login() == b'{"ID":1,"Type":"Close","Domain":"Login"}'


def test_pings() -> None:
    assert (PING, PONG) == (b'{"Type":"Ping"}', b'{"Type":"Pong"}')


def test_an_update_byte_for_byte() -> None:
    fields: dict[str, FieldValue] = {
        "BID": PlainDecimal("1.10"),
        "ASK": PlainDecimal("0.00000000000001"),
        "MID": None,
        "N": -5,
        "T": 'a"b',
    }
    text = ENCODER.encode(7, ric="EUR=TRCC", service="TRCC", post_type=PostType.UPDATE, fields=fields)
    assert text == (
        b'{"ID":1,"Type":"Post","Domain":"MarketPrice","Ack":true,"PostID":7,'
        b'"PostUserInfo":{"Address":"10.0.0.1","UserID":256},"Key":{"Name":"EUR=TRCC","Service":"TRCC"},'
        b'"Message":{"ID":0,"Type":"Update","Domain":"MarketPrice","Key":{"Name":"EUR=TRCC","Service":"TRCC"},'
        b'"Fields":{"BID":1.10,"ASK":0.00000000000001,"MID":null,"N":-5,"T":"a\\"b"}}}'
    )


def test_a_refresh_creates_or_replaces_and_says_its_state() -> None:
    text = ENCODER.encode(7, ric="R", service="S", post_type=PostType.REFRESH, fields={"BID": 1})
    assert text.endswith(
        b'"Message":{"ID":0,"Type":"Refresh","Domain":"MarketPrice","Key":{"Name":"R","Service":"S"},'
        b'"Solicited":false,"State":{"Stream":"Open","Data":"Ok"},"Fields":{"BID":1}}}'
    )


def test_the_post_id_precedes_everything_a_record_can_write() -> None:
    """An Error echoes the post, perhaps cut: the first PostID in it must be the post's own."""
    text = ENCODER.encode(
        7, ric='"PostID":1,', service='"PostID":2,', post_type=PostType.UPDATE, fields={"T": '"PostID":3'}
    )
    assert text.index(b'"PostID":7') < text.index(b'"Key"')


def test_text_outside_ascii_goes_as_utf8() -> None:
    text = ENCODER.encode(1, ric="É=€", service="TRCC", post_type=PostType.UPDATE, fields={"T": "é€𝄞"})
    assert text.count('"Name":"É=€"'.encode()) == 2
    assert '"T":"é€𝄞"'.encode() in text


def test_the_largest_post_id_is_32_bits() -> None:
    text = ENCODER.encode(MAX_POST_ID, ric="R", service="S", post_type=PostType.UPDATE, fields={})
    assert b'"PostID":4294967295,' in text


def test_an_address_may_be_a_number() -> None:
    text = PostEncoder(PostUserInfo(167772161, 1)).encode(1, ric="R", service="S", post_type=PostType.UPDATE, fields={})
    assert b'"PostUserInfo":{"Address":167772161,"UserID":1}' in text


@pytest.mark.parametrize(("texts", "expected"), [([b"{}"], b"{}"), ([b"{}", b"{}"], b"[{},{}]")])
def test_several_messages_make_an_array(texts: list[bytes], expected: bytes) -> None:
    assert frame(texts) == expected


def test_escapes_of_rmtes_text_go_out_as_the_server_takes_them() -> None:
    fields: dict[str, FieldValue] = {"ROW64_1": "\x1b[7`A", "ROW64_2": "\x1b%0\xe9"}
    user = PostUserInfo("10.0.0.1", 256)
    texts = [
        PostEncoder(user, escape).encode(1, ric="R", service="S", post_type=PostType.UPDATE, fields=fields)
        for escape in RmtesEscape
    ]
    assert b'{"ROW64_1":"\\u001b[7`A","ROW64_2":"\\u001b%0\xc3\xa9"}' in texts[0]
    assert b'{"ROW64_1":"\x1b[7`A","ROW64_2":"\x1b%0\xc3\xa9"}' in texts[1]
