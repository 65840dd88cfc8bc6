"""RFC 6455 framing: what goes in comes out, however it is cut; what breaks the protocol is refused."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.ads.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    PROTOCOL_ERROR,
    TEXT,
    TOO_BIG,
    Frame,
    FrameDecoder,
    FrameError,
    decode_close,
    encode_close,
    encode_frame,
)

LIMIT = 1 << 20


def decode(data: bytes, *, limit: int = LIMIT) -> list[Frame]:
    return FrameDecoder(max_payload=limit).feed(data)


def fragment(payload: bytes, opcode: int, *, final: bool, mask: bytes | None = None) -> bytes:
    frame = bytearray(encode_frame(opcode, payload, mask))
    if not final:
        frame[0] &= 0x7F
    return bytes(frame)


masks = st.one_of(st.none(), st.binary(min_size=4, max_size=4))
payloads = st.one_of(st.binary(max_size=200), st.integers(0, 70_000).map(lambda n: bytes(n % 251 for n in range(n))))
messages = st.tuples(st.sampled_from([TEXT, BINARY]), payloads, masks, st.lists(st.integers(0, 300), max_size=3))
controls = st.tuples(st.sampled_from([PING, PONG, CLOSE]), st.binary(max_size=125), masks)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bytes, list[Frame]]:
    """The wire bytes of some messages, fragmented, with control frames between the fragments; and what they mean."""
    wire, expected = bytearray(), []
    for opcode, payload, mask, cuts in draw(st.lists(messages, max_size=4)):
        edges = [0, *sorted(min(cut, len(payload)) for cut in cuts), len(payload)]
        pieces = [payload[a:b] for a, b in pairwise(edges)]
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            wire += fragment(piece, CONTINUATION if number else opcode, final=last, mask=mask)
            if last:
                expected.append(Frame(opcode, payload))
            for control, text, control_mask in draw(st.lists(controls, max_size=1)):
                wire += encode_frame(control, text, control_mask)
                expected.append(Frame(control, text))
    return bytes(wire), expected


@given(conversations(), st.data())
def test_any_chunking_gives_the_same_frames(conversation: tuple[bytes, list[Frame]], data: st.DataObject) -> None:
    wire, expected = conversation
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    decoder, frames = FrameDecoder(max_payload=LIMIT), []
    for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        frames += decoder.feed(wire[start:stop])
    assert frames == expected


@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_bytes_give_the_same_frames_and_error_cut_anywhere(noise: bytes, cut: int) -> None:
    def run(chunks: list[bytes]) -> tuple[list[Frame], tuple[int, str] | None]:
        decoder, frames = FrameDecoder(max_payload=1000), []
        for chunk in chunks:
            try:
                frames += decoder.feed(chunk)
            except FrameError as error:
                return frames + error.frames, (error.code, error.text)
        return frames, None

    assert run([noise]) == run([noise[:cut], noise[cut:]]) == run([noise[n : n + 1] for n in range(len(noise))])


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
@pytest.mark.parametrize("mask", [None, b"\x01\x02\x03\x04"])
def test_each_length_form_survives_a_round_trip_byte_by_byte(size: int, mask: bytes | None) -> None:
    payload = bytes(n % 256 for n in range(size))
    wire = encode_frame(TEXT, payload, mask)
    decoder, frames = FrameDecoder(max_payload=LIMIT), []
    step = max(1, len(wire) // 1000)
    for start in range(0, len(wire), step):
        frames += decoder.feed(wire[start : start + step])
    assert frames == [Frame(TEXT, payload)]


def test_a_masked_frame_matches_the_example_of_the_rfc() -> None:
    wire = bytes.fromhex("818537fa213d7f9f4d5158")
    assert encode_frame(TEXT, b"Hello", bytes.fromhex("37fa213d")) == wire
    assert decode(wire) == [Frame(TEXT, b"Hello")]


def test_bytes_that_are_not_utf8_pass_untouched() -> None:
    assert decode(encode_frame(TEXT, b"Z\xfcrich", None)) == [Frame(TEXT, b"Z\xfcrich")]


@pytest.mark.parametrize(
    ("wire", "about"),
    [
        (b"\xc1\x00", "reserved bit"),
        (b"\x83\x00", "reserved opcode 0x3"),
        (b"\x09\x00", "fragmented control"),
        (b"\x89\x7e\x00\x7e", "above 125"),
        (b"\x80\x00", "nothing to continue"),
        (b"\x01\x00\x81\x00", "inside a fragmented one"),
        (b"\x81\x7e\x00\x05", "shortest form"),
        (b"\x81\x7f" + (65_535).to_bytes(8, "big"), "shortest form"),
        (b"\x81\x7f\x80" + bytes(7), "highest bit"),
    ],
)
def test_a_violation_is_a_protocol_error_that_says_what(wire: bytes, about: str) -> None:
    with pytest.raises(FrameError, match=about) as caught:
        decode(wire)
    assert caught.value.code == PROTOCOL_ERROR


def test_a_message_above_the_limit_is_refused_at_its_header() -> None:
    wire = encode_frame(TEXT, bytes(101), None)
    with pytest.raises(FrameError, match="at most 100") as caught:
        decode(wire[:2], limit=100)
    assert caught.value.code == TOO_BIG


def test_the_limit_counts_all_fragments_of_a_message() -> None:
    wire = fragment(bytes(60), TEXT, final=False) + fragment(bytes(60), CONTINUATION, final=True)
    with pytest.raises(FrameError, match="120 bytes"):
        decode(wire, limit=100)


def test_frames_before_a_violation_are_not_lost() -> None:
    with pytest.raises(FrameError) as caught:
        decode(encode_frame(TEXT, b"ack", None) + b"\xff\xff")
    assert caught.value.frames == [Frame(TEXT, b"ack")]


def test_a_decoder_that_failed_stays_failed() -> None:
    decoder = FrameDecoder(max_payload=LIMIT)
    for wire in (b"\x83\x00", encode_frame(TEXT, b"fine", None)):
        with pytest.raises(FrameError, match="reserved opcode"):
            decoder.feed(wire)


def test_a_close_carries_its_code_and_reason() -> None:
    [frame] = decode(encode_close(1001, "going away", None))
    assert (frame.opcode, decode_close(frame.payload)) == (CLOSE, (1001, "going away"))
    assert decode_close(b"") == (None, "")


def test_a_long_close_reason_is_cut_at_a_character() -> None:
    [frame] = decode(encode_close(1000, "ü" * 100, None))
    assert decode_close(frame.payload) == (1000, "ü" * 61)
