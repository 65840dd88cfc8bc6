"""RFC 6455 framing, both sides of the wire. Pure: bytes in, frames out.

Text is not checked to be UTF-8: an ADS sends Latin-1 for names and texts outside ASCII.
"""

from typing import Final, NamedTuple, NoReturn

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

NORMAL_CLOSURE: Final = 1000
PROTOCOL_ERROR: Final = 1002
TOO_BIG: Final = 1009

_OPCODES = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
_FIN = 0x80
_WHOLE_TEXT = _FIN | TEXT
_MASKED = 0x80
_MAX_CONTROL = 125
_MAX_SHORT = 125
_LENGTH_16 = 126
_LENGTH_64 = 127
_MASK_SIZE = 4


class Frame(NamedTuple):
    """One whole message or one control frame; ``payload`` is unmasked and, if it came in fragments, joined."""

    opcode: int
    payload: bytes


class FrameError(Exception):
    """The peer broke RFC 6455.

    ``code`` is the close code to answer with; ``frames`` are those that were complete before the violation in the
    chunk that held it, so that where a chunk was cut decides nothing.
    """

    def __init__(self, code: int, text: str, frames: list[Frame] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.frames: list[Frame] = frames if frames is not None else []


class FrameDecoder:
    """Turns the bytes of one direction of a connection into frames, however they were cut.

    ``max_payload`` bounds a message in bytes, its fragments together; a larger one raises FrameError 1009 as soon as
    its length is known. After a FrameError every further ``feed`` raises it again: there is no way back into step.
    """

    __slots__ = ("_error", "_fragments", "_fragments_size", "_have", "_max", "_need", "_opcode", "_parts")

    def __init__(self, *, max_payload: int) -> None:
        self._max = max_payload
        self._parts: list[bytes] = []  # input that is not yet a frame
        self._have = 0
        self._need = 0  # no frame can be complete below this many bytes
        self._opcode = CONTINUATION  # of the fragmented message in progress; CONTINUATION: none
        self._fragments: list[bytes] = []
        self._fragments_size = 0
        self._error: tuple[int, str] | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that ``data`` completes, in order. Raises FrameError."""
        if self._error is not None:
            raise FrameError(*self._error)
        if self._have:
            self._parts.append(data)
            self._have += len(data)
            if self._have < self._need:
                return []
            data = b"".join(self._parts)
        frames: list[Frame] = []
        try:
            position = self._decode(data, frames)
        except FrameError as error:
            self._error = (error.code, error.text)
            error.frames = frames
            raise
        rest = data[position:]
        self._have = len(rest)
        self._parts = [rest] if rest else []
        return frames

    def _decode(self, data: bytes, frames: list[Frame]) -> int:
        """Appends every whole frame of ``data``; returns where the first incomplete one starts."""
        new, append = tuple.__new__, frames.append
        position, end, longest = 0, len(data), self._max
        while end - position >= 2:
            # The hot path: a whole, unmasked text frame below 64 KiB, which is what an ADS sends all day.
            length, start, stop = data[position + 1], position + 2, 0
            if length <= _MAX_SHORT:
                stop = start + length
            elif length == _LENGTH_16 and end - position > 4:
                length, start = (data[start] << 8) | data[start + 1], position + 4
                stop = start + length if length > _MAX_SHORT else 0
            if 0 < stop <= end and length <= longest and data[position] == _WHOLE_TEXT and not self._opcode:
                append(new(Frame, (TEXT, data[start:stop])))
                position = stop
                continue
            after = self._decode_any(data, position, end, frames)
            if after == position:
                return position
            position = after
        self._need = 2
        return position

    def _decode_any(self, data: bytes, position: int, end: int, frames: list[Frame]) -> int:
        """Decodes the frame at ``position`` into ``frames``; returns its end, or ``position`` if it is incomplete."""
        first, second = data[position], data[position + 1]
        opcode = first & 0x0F
        self._check_header(first, second)
        size = second & 0x7F
        start = position + 2
        if size >= _LENGTH_16:
            width = 2 if size == _LENGTH_16 else 8
            if start + width > end:
                self._need = start + width - position
                return position
            size = _extended_length(data, start, width)
            start += width
        if opcode < CLOSE and size + self._fragments_size > self._max:
            _fail(TOO_BIG, f"a message of {size + self._fragments_size} bytes or more; at most {self._max} are taken")
        stop = start + size + (_MASK_SIZE if second & _MASKED else 0)
        if stop > end:
            self._need = stop - position
            return position
        if second & _MASKED:
            payload = _xor(data[start + _MASK_SIZE : stop], data[start : start + _MASK_SIZE])
        else:
            payload = data[start:stop]
        self._accept(opcode, payload, final=bool(first & _FIN), frames=frames)
        return stop

    def _check_header(self, first: int, second: int) -> None:
        opcode = first & 0x0F
        if first & 0x70:
            _fail(PROTOCOL_ERROR, "a reserved bit is set and no extension was agreed")
        if opcode not in _OPCODES:
            _fail(PROTOCOL_ERROR, f"reserved opcode {opcode:#x}")
        if opcode >= CLOSE:
            if not first & _FIN:
                _fail(PROTOCOL_ERROR, f"a fragmented control frame (opcode {opcode:#x})")
            if second & 0x7F > _MAX_CONTROL:
                _fail(PROTOCOL_ERROR, f"a control frame (opcode {opcode:#x}) above {_MAX_CONTROL} bytes")
        elif opcode == CONTINUATION and not self._opcode:
            _fail(PROTOCOL_ERROR, "a continuation frame with nothing to continue")
        elif opcode != CONTINUATION and self._opcode:
            _fail(PROTOCOL_ERROR, "a new message inside a fragmented one")

    def _accept(self, opcode: int, payload: bytes, *, final: bool, frames: list[Frame]) -> None:
        if opcode >= CLOSE or (final and opcode != CONTINUATION):
            frames.append(Frame(opcode, payload))
            return
        if opcode != CONTINUATION:
            self._opcode = opcode
        self._fragments.append(payload)
        self._fragments_size += len(payload)
        if final:
            frames.append(Frame(self._opcode, b"".join(self._fragments)))
            self._opcode, self._fragments, self._fragments_size = CONTINUATION, [], 0


def encode_frame(opcode: int, payload: bytes, mask: bytes | None) -> bytes:
    """One whole frame. ``mask``: four fresh random bytes from a client (RFC 6455 5.3), ``None`` from a server."""
    size = len(payload)
    flag = 0 if mask is None else _MASKED
    if size <= _MAX_SHORT:
        header = bytes((_FIN | opcode, flag | size))
    elif size <= 0xFFFF:
        header = bytes((_FIN | opcode, flag | _LENGTH_16, size >> 8, size & 0xFF))
    else:
        header = bytes((_FIN | opcode, flag | _LENGTH_64)) + size.to_bytes(8, "big")
    if mask is None:
        return header + payload
    return header + mask + _xor(payload, mask)


def encode_close(code: int, reason: str, mask: bytes | None) -> bytes:
    """A close frame; a ``reason`` that does not fit a control frame is cut at a character."""
    text = reason.encode()[: _MAX_CONTROL - 2].decode(errors="ignore").encode()
    return encode_frame(CLOSE, code.to_bytes(2, "big") + text, mask)


def decode_close(payload: bytes) -> tuple[int | None, str]:
    """Code and reason of a close frame's payload; ``None`` where it carries no code."""
    if len(payload) < 2:
        return None, ""
    return int.from_bytes(payload[:2], "big"), payload[2:].decode(errors="replace")


def _xor(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = (mask * (size // _MASK_SIZE + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


def _extended_length(data: bytes, start: int, width: int) -> int:
    size = int.from_bytes(data[start : start + width], "big")
    if size >> 63:
        _fail(PROTOCOL_ERROR, "a payload length with its highest bit set")
    if size <= (_MAX_SHORT if width == 2 else 0xFFFF):
        _fail(PROTOCOL_ERROR, f"a payload length of {size} not in its shortest form")
    return size


def _fail(code: int, text: str) -> NoReturn:
    raise FrameError(code, text)
