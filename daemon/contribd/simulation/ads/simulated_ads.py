"""A simulated ADS: the vendor's provider as a contributor sees it, with no socket and no clock of its own.

One `SimulatedAds` is a server. Each `connect` gives an `AdsClient`: its ``receive`` takes the text frames of the
client, its ``take`` gives the frames to send, and its ``close``, once set, ends it.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from contribd.simulation.ads import messages
from contribd.simulation.ads.ads_client import AdsClient
from contribd.simulation.ads.options import AdsOptions, Close, LoginSeen, Posted
from contribd.simulation.ads.ric_rules import RicRules

FIRST_SERVICE_ID: Final = 8090


@dataclass(slots=True)
class Service:
    """One service of the source directory."""

    id: int
    name: str
    up: bool = True
    accepting: bool = True


class SimulatedAds:
    """A server: what its connections share, and the levers a test pulls.

    ``rng`` decides which answers are dropped or sent twice, where the options ask for a share of them.
    """

    def __init__(self, options: AdsOptions | None = None, rng: random.Random | None = None) -> None:
        self.options = options if options is not None else AdsOptions()
        self.rng = rng if rng is not None else random.Random(0)
        self.services = {
            name: Service(number, name) for number, name in enumerate(self.options.services, FIRST_SERVICE_ID)
        }
        self.rules = RicRules(self.options.rules, items_unknown=self.options.items_unknown)
        self.delay = self.options.delay
        self.silent = False
        """Takes posts and answers none."""
        self.posts: list[Posted] = []
        self.posts_taken = 0
        self.logins: list[LoginSeen] = []
        self.connections: list[AdsClient] = []
        self.last_end: dict[str, float] = {}
        self.items: set[tuple[str, str]] = set()
        """Those that exist, as service and RIC, where rules ask for a Refresh first."""
        self._connected = 0
        self._drops = 0
        self._duplicates = 0

    def connect(self, now: float) -> AdsClient:
        """A new connection, its handshake done. ``now``: seconds on any clock that does not go back."""
        self._connected += 1
        connection = AdsClient(self, self._connected, now)
        self.connections.append(connection)
        return connection

    def find_service(self, key: object) -> Service | None:
        """By name or by number, as a post or its Ack names it; digits in a text are not a number."""
        if isinstance(key, str):
            return self.services.get(key)
        return next((service for service in self.services.values() if service.id == key), None)

    def copies_of_next_answer(self) -> int:
        """How often the next answer to a post is sent: 0, 1 or 2."""
        if self._drops:
            self._drops -= 1
            return 0
        if self._duplicates:
            self._duplicates -= 1
            return 2
        options = self.options
        if options.drop and self.rng.random() < options.drop:
            return 0
        return 2 if options.duplicate and self.rng.random() < options.duplicate else 1

    # What a test or an operator does to it ---------------------------------------------------------------------------

    def set_service(self, up: bool, name: str | None = None, *, accepting: bool | None = None) -> None:
        """Service ``name`` (default: all) goes up or down; a deleted one comes back.

        ``accepting``: whether it says that it takes requests; by default as long as it is up.
        """
        for service in self._named(name):
            known = service.name in self.services
            service.up = up
            service.accepting = up if accepting is None else accepting
            self.services[service.name] = service
            if known:
                entry = messages.service_state_entry(service.id, up=up, accepting=service.accepting)
            else:
                entry = messages.service_entry(service.id, service.name, up=up, accepting=service.accepting)
            self._announce(entry)

    def set_accepting(self, accepting: bool, name: str | None = None) -> None:
        """Says of service ``name`` (default: all) whether it takes requests, and nothing else."""
        for service in self._named(name):
            service.accepting = accepting
            self._announce(messages.accepting_entry(service.id, accepting=accepting))

    def delete_service(self, name: str | None = None) -> None:
        """Service ``name`` (default: all) leaves the directory."""
        for service in self._named(name):
            if self.services.pop(service.name, None):
                self._announce(messages.service_delete_entry(service.id))

    def close_logins(self, *, recover: bool = False, stay: bool = False) -> None:
        """Every login stream closes (``recover``: ClosedRecover), and with it the connection unless it is to stay."""
        for connection in self.connections:
            connection.close_login("ClosedRecover" if recover else "Closed", "Login closed by the server", stay=stay)

    def refresh_logins(self, named: Mapping[str, int]) -> None:
        """Every login stream gets a Refresh that names these: MaxMsgSize, PingTimeout, SupportOMMPost."""
        for connection in self.connections:
            connection.refresh_login(named)

    def suspect_logins(self, text: str = "Login is suspect") -> None:
        """Every login stream goes Open/Suspect."""
        for connection in self.connections:
            connection.change_login(messages.state("Open", "Suspect", text=text))

    def restore_logins(self) -> None:
        """Every login stream goes Open/Ok."""
        for connection in self.connections:
            connection.change_login(messages.state("Open", "Ok"))

    def disconnect(self, code: int | None = None, reason: str = "") -> None:
        """Ends every connection; without a ``code`` it is cut, and what had not left is lost."""
        for connection in self.connections:
            connection.end(Close(code, reason))

    def drop_answers(self, count: int) -> None:
        """The next ``count`` answers to posts are never sent."""
        self._drops += count

    def duplicate_answers(self, count: int) -> None:
        """The next ``count`` answers to posts are sent twice."""
        self._duplicates += count

    def send_stray_ack(self, ack_id: int) -> None:
        """Every logged-in client gets an Ack it did not ask for."""
        for connection in self.connections:
            connection.send_stray_ack(ack_id)

    def control(self, line: str) -> None:
        """One lever by its line of text, the same for every server tests run on. Raises ValueError.

        ``service up|down|notaccepting|delete [NAME]``, ``login close|closerecover|suspect|ok``, ``delay MS``,
        ``login refresh NAME=VALUE…`` (MaxMsgSize, PingTimeout, SupportOMMPost), ``silent on|off``, ``disconnect``. Of
        this one alone: ``service refuse|accept [NAME]`` (AcceptingRequests by itself), ``drop N``, ``duplicate N``,
        ``stray ID``.
        """
        verb, _, argument = line.strip().partition(" ")
        if verb in {"delay", "drop", "duplicate", "stray"}:
            self._control_number(verb, argument)
            return
        what, _, name = argument.partition(" ")
        if (verb, what) == ("login", "refresh"):
            self.refresh_logins(_named_numbers(name))
            return
        action = self._words(name.strip() or None).get(f"{verb} {what}".strip())
        if action is None:
            more = ("login refresh NAME=VALUE", "delay MS", "drop N", "duplicate N", "stray ID")
            known = ", ".join([*self._words(None), *more])
            msg = f"unknown control line {line.strip()!r}: expected one of {known}"
            raise ValueError(msg)
        action()

    def _control_number(self, verb: str, argument: str) -> None:
        if not argument.isdecimal():
            msg = f"control line {verb!r} needs a whole number, not {argument!r}"
            raise ValueError(msg)
        number = int(argument)
        if verb == "delay":
            self.delay = number / 1000
        elif verb == "drop":
            self.drop_answers(number)
        elif verb == "duplicate":
            self.duplicate_answers(number)
        else:
            self.send_stray_ack(number)

    def _words(self, name: str | None) -> dict[str, Callable[[], None]]:
        return {
            "service up": lambda: self.set_service(True, name),
            "service down": lambda: self.set_service(False, name),
            "service notaccepting": lambda: self.set_service(True, name, accepting=False),
            "service refuse": lambda: self.set_accepting(False, name),
            "service accept": lambda: self.set_accepting(True, name),
            "service delete": lambda: self.delete_service(name),
            "login close": self.close_logins,
            "login closerecover": lambda: self.close_logins(recover=True),
            "login suspect": self.suspect_logins,
            "login ok": self.restore_logins,
            "silent on": lambda: setattr(self, "silent", True),
            "silent off": lambda: setattr(self, "silent", False),
            "disconnect": self.disconnect,
        }

    def _named(self, name: str | None) -> list[Service]:
        names = self.options.services if name is None else (name,)
        numbers = {each: number for number, each in enumerate(self.options.services, FIRST_SERVICE_ID)}
        if unknown := [each for each in names if each not in numbers]:
            msg = f"no service {unknown[0]!r}: this server has {', '.join(numbers)}"
            raise ValueError(msg)
        return [self.services.get(each) or Service(numbers[each], each) for each in names]

    def _announce(self, entry: messages.Message) -> None:
        for connection in self.connections:
            connection.send_directory_update(entry)


def _named_numbers(text: str) -> dict[str, int]:
    pairs = [each.partition("=") for each in text.split()]
    if not all(number.isdecimal() for _, _, number in pairs):
        msg = f"control line 'login refresh' needs NAME=NUMBER, not {text!r}"
        raise ValueError(msg)
    return {name: int(number) for name, _, number in pairs}
