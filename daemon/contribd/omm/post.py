"""The off-stream post (LSEG WebSocket API specification, Post message; the payload's Key repeats the post's)."""

from dataclasses import dataclass
from typing import Final

import msgspec

from contribd.mapping.encode import RmtesEscape, encode_fields, encode_raw
from contribd.mapping.outcome import FieldValue, PostType

MAX_POST_ID: Final = 2**32 - 1
"""PostID is an unsigned 32-bit number; servers answer 2**32 as 0."""

_encode = msgspec.json.Encoder().encode

_REFRESH: Final = PostType.REFRESH  # a member costs less as a global
_REFRESH_STATE: Final = b',"Solicited":false,"State":{"Stream":"Open","Data":"Ok"}'


@dataclass(frozen=True, slots=True)
class PostUserInfo:
    """PostUserInfo: the publisher's address (dotted IPv4 text or number) and user ID (number)."""

    address: str | int
    user_id: int


class PostEncoder:
    """Encodes posts of one user; everything that does not change from post to post is encoded once."""

    def __init__(self, user: PostUserInfo, escape: RmtesEscape = RmtesEscape.JSON) -> None:
        self._user_id = user.user_id
        self.change_escape(escape)
        self.post_from(user.address)

    def change_escape(self, escape: RmtesEscape) -> None:
        """How the escapes of RMTES are written, from the next post on."""
        self._fields = encode_raw if escape is RmtesEscape.RAW else encode_fields

    def post_from(self, address: str | int) -> None:
        """The publisher's address, from the next post on."""
        info = _encode({"Address": address, "UserID": self._user_id})
        self._user = b',"PostUserInfo":' + info + b',"Key":'

    def encode(
        self, post_id: int, *, ric: str, service: str, post_type: PostType, fields: dict[str, FieldValue]
    ) -> bytes:
        """One Post message as JSON text in UTF-8, asking for an Ack. ``fields`` as the mapping made them."""
        key = b'{"Name":%b,"Service":%b}' % (_encode(ric), _encode(service))
        state = _REFRESH_STATE if post_type is _REFRESH else b""
        return b"".join(
            (
                b'{"ID":1,"Type":"Post","Domain":"MarketPrice","Ack":true,"PostID":',
                b"%d" % post_id,
                self._user,
                key,
                b',"Message":{"ID":0,"Type":"',
                post_type.encode(),
                b'","Domain":"MarketPrice","Key":',
                key,
                state,
                b',"Fields":',
                self._fields(fields),
                b"}}",
            )
        )


def frame(messages: list[bytes]) -> bytes:
    """The text of one WebSocket frame: a message by itself, or several as an array."""
    if len(messages) == 1:
        return messages[0]
    return b"[" + b",".join(messages) + b"]"
