"""The least of a tr_json2 client, written against the specification alone and not against contribd's own code."""

import json
import time
from collections.abc import Callable
from typing import Any

from websocket import ABNF, WebSocket, WebSocketConnectionClosedException, WebSocketTimeoutException

Message = dict[str, Any]
LIMIT_SECONDS = 30.0  # a provider that has just started, on a machine with other work, takes seconds


class WireClient:
    """One connection. Pings are answered, unless ``answer_pings`` is False; all else is handed over as it came."""

    def __init__(self, url: str, *, user: str = "wire", login: bool = True, answer_pings: bool = True) -> None:
        self._socket = WebSocket(skip_utf8_validation=True)
        self._socket.connect(url, subprotocols=["tr_json2"], timeout=LIMIT_SECONDS)  # type: ignore[no-untyped-call]
        self._answer_pings = answer_pings
        self._waiting: list[Message] = []
        self.login: Message = {}
        self.close_code: int | None = None
        if login:
            self.send(login_request(user))
            self.login = self.expect(lambda message: message.get("Domain") == "Login")

    def send(self, *messages: Message) -> None:
        """One frame: an object, or an array where there are several."""
        self.send_text(json.dumps(messages[0] if len(messages) == 1 else messages))

    def send_literal(self, message: Message, literal: str) -> None:
        """One frame, with a JSON literal exactly as given in the place of the text ``@``."""
        self.send_text(json.dumps(message).replace('"@"', literal))

    def send_text(self, text: str) -> None:
        self._socket.send(text)

    def expect(self, wanted: Callable[[Message], bool] = bool, *, within: float = LIMIT_SECONDS) -> Message:
        """The next message that is ``wanted``; those before it are dropped. AssertionError when none comes."""
        return self.until(wanted, within=within)[-1]

    def until(self, wanted: Callable[[Message], bool], *, within: float = LIMIT_SECONDS) -> list[Message]:
        """Every message up to the first that is ``wanted``. AssertionError when it does not come."""
        messages: list[Message] = []
        deadline = time.monotonic() + within
        while not messages or not wanted(messages[-1]):
            message = self._next(deadline)
            if message is None:
                raise AssertionError(f"not within {within:g} s; closed: {self.closed}; received: {messages}")
            messages.append(message)
        return messages

    def until_closed(self, *, within: float = LIMIT_SECONDS) -> list[Message]:
        """Every message up to the server's close. AssertionError when it does not close."""
        messages: list[Message] = []
        deadline = time.monotonic() + within
        while (message := self._next(deadline)) is not None:
            messages.append(message)
        if not self.closed:
            raise AssertionError(f"not closed within {within:g} s; received: {messages}")
        return messages

    def collect(self, *, quiet: float = 0.5) -> list[Message]:
        """Every message until nothing has come for ``quiet`` seconds, or the server has closed."""
        messages = []
        while (message := self._next(time.monotonic() + quiet)) is not None:
            messages.append(message)
        return messages

    @property
    def closed(self) -> bool:
        """Whether the server's close has been read."""
        return not self._socket.connected

    def close(self) -> None:
        self._socket.close(timeout=1)

    def _next(self, deadline: float) -> Message | None:
        while not self._waiting:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self.closed:
                return None
            self._read(remaining)
        return self._waiting.pop(0)

    def _read(self, seconds: float) -> None:
        self._socket.settimeout(seconds)
        try:
            opcode, data = self._socket.recv_data()
        except WebSocketTimeoutException:
            return
        except (OSError, WebSocketConnectionClosedException):
            self._socket.shutdown()  # type: ignore[no-untyped-call]
            return
        if opcode == ABNF.OPCODE_CLOSE:
            self.close_code = int.from_bytes(data[:2], "big")
            self._socket.shutdown()  # type: ignore[no-untyped-call]
            return
        messages = json.loads(_text(data))
        for message in messages if isinstance(messages, list) else [messages]:
            if message.get("Type") == "Ping" and self._answer_pings:
                self.send({"Type": "Pong"})
            else:
                self._waiting.append(message)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")  # as the vendor's code sends names that are not ASCII


def login_request(user: str) -> Message:
    elements = {"ApplicationId": "256", "Position": "127.0.0.1"}
    return {"ID": 1, "Domain": "Login", "Key": {"Name": user, "Elements": elements}}


def token_login_request(token: str) -> Message:
    elements = {"ApplicationId": "256", "Position": "127.0.0.1", "AuthenticationToken": token}
    return {"ID": 1, "Domain": "Login", "Key": {"NameType": "AuthnToken", "Elements": elements}}


def directory_request() -> Message:
    return {"ID": 2, "Domain": "Source", "Key": {"Filter": 3}}


def post(
    number: int, ric: str, fields: dict[str, Any], *, type_: str = "Update", service: str | int | None = "TRCC"
) -> Message:
    """An off-stream post that wants an answer; ``fields`` go out as they are."""
    key: Message = {"Name": ric} if service is None else {"Name": ric, "Service": service}
    payload: Message = {"ID": 0, "Type": type_, "Domain": "MarketPrice", "Key": key, "Fields": fields}
    if type_ == "Refresh":
        payload |= {"Solicited": False, "State": {"Stream": "Open", "Data": "Ok"}}
    return {
        "ID": 1,
        "Type": "Post",
        "Domain": "MarketPrice",
        "Ack": True,
        "PostID": number,
        "PostUserInfo": {"Address": "127.0.0.1", "UserID": 256},
        "Key": key,
        "Message": payload,
    }
