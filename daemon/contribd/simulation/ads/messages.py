"""The messages an ADS sends, as the bytes of one frame: a JSON array."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

Message = dict[str, Any]

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)

PING: Final = b'[{"Type":"Ping"}]'
PONG: Final = b'[{"Type":"Pong"}]'
NO_JSON: Final = b'[{"ID":1,"Type":"Ack",'
"""What a client cannot read."""


def encode(*messages: Message) -> bytes:
    """A frame with these messages."""
    return _encoder.encode(list(messages))


def encode_one(message: object) -> str:
    """A single message as text, its numbers as they were written: what an Error quotes."""
    return _encoder.encode(message).decode()


def decode(frame: bytes) -> list[object] | None:
    """What a client's frame holds, one message or an array of them; ``None`` for what is not JSON."""
    try:
        found: object = _decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, list) else [found]


def encode_key(ric: object, service: object) -> bytes:
    """The Key of an Ack, ready to be put into one."""
    return _encoder.encode({"Service": service, "Name": ric})


def ack(stream: int, ack_id: int, key: bytes, nak_code: str | int | None, text: str | None) -> bytes:
    """One Ack or Nak without its array; ``key`` from `encode_key`."""
    tail = b""
    if nak_code is not None:
        tail += b',"NakCode":' + _encoder.encode(nak_code)
    if text is not None:
        tail += b',"Text":' + _encoder.encode(text)
    return b'{"ID":%d,"Type":"Ack","AckID":%d,"Key":%b%b}' % (stream, ack_id, key, tail)


def error(stream: int, text: str, offending: object) -> Message:
    """An Error with the offending message quoted in ``Debug``."""
    debug = {"File": "simulated", "Line": 0, "Offset": 0, "Message": encode_one(offending)}
    return {"ID": stream, "Type": "Error", "Text": text, "Debug": debug}


def state(stream: str, data: str, code: str | None = None, text: str | None = None) -> Message:
    """A State; ``code`` and ``text`` are left out where there is none."""
    found: Message = {"Stream": stream, "Data": data}
    if code is not None:
        found["Code"] = code
    if text is not None:
        found["Text"] = text
    return found


def login_refresh(
    stream: int,
    key: Message,
    login_state: Message,
    *,
    max_msg_size: int | None,
    ping_timeout: int | None,
    posting: bool | None,
) -> Message:
    """The answer to a login; each of the last three is left out where it is ``None``. ``ping_timeout``: seconds."""
    elements = {} if posting is None else {"SupportOMMPost": int(posting)}
    message: Message = {
        "ID": stream,
        "Type": "Refresh",
        "Domain": "Login",
        "Key": {"Name": key.get("Name", ""), "Elements": elements},
        "State": login_state,
        "ClearCache": False,
    }
    own = {"PingTimeout": ping_timeout, "MaxMsgSize": max_msg_size}
    own = {name: value for name, value in own.items() if value is not None}
    if own:
        message["Elements"] = own
    return message


def later_login_refresh(stream: int, user: str, named: Mapping[str, int]) -> Message:
    """A Refresh that nobody asked for, with nothing but what is ``named``."""
    posting = {name: value for name, value in named.items() if name == "SupportOMMPost"}
    limits = {name: value for name, value in named.items() if name not in posting}
    message: Message = {
        "ID": stream,
        "Type": "Refresh",
        "Domain": "Login",
        "Key": {"Name": user, **({"Elements": posting} if posting else {})},
        "State": state("Open", "Ok", text="changed"),
        "Solicited": False,
        "ClearCache": False,
    }
    return {**message, "Elements": limits} if limits else message


def login_status(stream: int, login_state: Message, *, user: str | None = None) -> Message:
    """A Status on the login stream; one that refuses a login names its ``user``."""
    message: Message = {"ID": stream, "Type": "Status", "Domain": "Login"}
    if user is not None:
        message["Key"] = {"Name": user}
    message["State"] = login_state
    return message


def too_early(stream: int, domain: str | None) -> Message:
    """What a message before the login gets; ``domain`` is None for a post."""
    message: Message = {"ID": stream, "Type": "Status"}
    if domain is not None:
        message["Domain"] = domain
    message["State"] = state("ClosedRecover", "Suspect", "UsageError", "Nobody is logged in on this connection")
    return message


def service_entry(service_id: int, name: str, *, up: bool, accepting: bool) -> Message:
    """A whole service: its info (filter 1) and state (filter 2)."""
    info = {"ID": 1, "Action": "Set", "Elements": {"Name": name, "SupportsOutOfBandSnapshots": 0}}
    return {
        "Action": "Add",
        "Key": service_id,
        "FilterList": {"Entries": [info, _service_state(up, accepting)]},
    }


def service_state_entry(service_id: int, *, up: bool, accepting: bool) -> Message:
    """A change of a service's state."""
    changed = {**_service_state(up, accepting), "Action": "Update"}
    return {"Action": "Update", "Key": service_id, "FilterList": {"Entries": [changed]}}


def accepting_entry(service_id: int, *, accepting: bool) -> Message:
    """A change of AcceptingRequests alone."""
    changed = {"ID": 2, "Action": "Update", "Elements": {"AcceptingRequests": int(accepting)}}
    return {"Action": "Update", "Key": service_id, "FilterList": {"Entries": [changed]}}


def service_delete_entry(service_id: int) -> Message:
    """The end of a service."""
    return {"Action": "Delete", "Key": service_id}


def directory(stream: int, kind: str, entries: list[Message]) -> Message:
    """A source directory Refresh or Update (``kind``) with these services."""
    message: Message = {"ID": stream, "Type": kind, "Domain": "Source"}
    if kind == "Refresh":
        message["Key"] = {"Filter": 3}
        message["State"] = state("Open", "Ok")
    message["Map"] = {"KeyType": "UInt", "Entries": entries}
    return message


def _service_state(up: bool, accepting: bool) -> Message:
    elements = {"ServiceState": int(up), "AcceptingRequests": int(accepting)}
    return {"ID": 2, "Action": "Set", "Elements": elements}
