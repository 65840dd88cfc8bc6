"""Which answer a post gets, by the text of its RIC.

A RIC says it itself, so that a test drives any server that follows the same convention with the same post:

- ``NAK.<name>.<anything>``: Nak with that NakCode (``NAK.DeniedBySrc.EUR=``)
- ``NAK<number>.<anything>``: Nak with that number, by name where it has one (``NAK5.EUR=`` is NoResources)
- ``SILENT.<anything>``: accepted, never answered
- ``SLOW.<anything>``, ``SLOW<ms>.<anything>``: answered after `SLOW_DELAY` or so many milliseconds; later posts
  overtake it
- ``TEXT.<anything>``: a positive Ack that carries a text
- ``UNKNOWN.<anything>``: SymbolUnknown until a Refresh post has created the item
- ``CLOSE.<anything>``: the server closes the connection; of the answers to that frame only the first has left
- ``GARBAGE.<anything>``: answered with what is no JSON

Rules with shell patterns come on top of that, for RICs that look like real ones.
"""

import re
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from contribd.omm.numbers import NAK_CODES

NakCode: TypeAlias = str | int

NAK_TEXTS: Final[dict[NakCode, str]] = {
    "DeniedBySrc": "[500]: Unknown Item",
    "SourceDown": "A9: Service is unavailable.",
    "SymbolUnknown": "F44: Unable to find item on post update.",
}
CREATED: Final = "[4]: Creation Accepted"
SLOW_DELAY: Final = 1.0
"""Seconds."""

_NUMBERED = re.compile(r"(NAK|SLOW)(\d{1,9})\.")


class Harm(Enum):
    """What a post does to the connection it comes by."""

    CLOSES = "closes"
    """The server closes it."""
    GARBLES = "garbles"
    """The answer is no JSON, and the client has to close it."""


@dataclass(frozen=True, slots=True)
class RicAnswer:
    """What a post gets: an Ack (with ``nak_code``: a Nak) after ``delay`` seconds, or nothing.

    ``until_refresh``: it holds only until a Refresh post has created the item, and such a post is acked. ``harm``: what
    the post does to the connection instead.
    """

    nak_code: NakCode | None = None
    text: str | None = None
    delay: float = 0.0
    silent: bool = False
    until_refresh: bool = False
    harm: Harm | None = None


ACK: Final = RicAnswer()
SILENT: Final = RicAnswer(silent=True)
CLOSES: Final = RicAnswer(silent=True, harm=Harm.CLOSES)
GARBLES: Final = RicAnswer(silent=True, harm=Harm.GARBLES)
UNKNOWN_ITEM: Final = RicAnswer("SymbolUnknown", NAK_TEXTS["SymbolUnknown"], until_refresh=True)

_PLAIN = {
    "SILENT": SILENT,
    "SLOW": RicAnswer(delay=SLOW_DELAY),
    "TEXT": RicAnswer(text=CREATED),
    "UNKNOWN": UNKNOWN_ITEM,
    "CLOSE": CLOSES,
    "GARBAGE": GARBLES,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """``answer`` for every RIC that matches the shell ``pattern`` (``*``, ``?``, ``[…]``; case counts)."""

    pattern: str
    answer: RicAnswer


def nak(code: NakCode, text: str | None = None) -> RicAnswer:
    """A Nak; a number that has a name goes by it, and the usual ``text`` of a code is filled in."""
    named = NAK_CODES.get(code, code) if isinstance(code, int) else code
    return RicAnswer(named, NAK_TEXTS.get(named) if text is None else text)


def parse_nak_rule(argument: str) -> Rule:
    """``PATTERN=CODE[:TEXT]``; CODE a name or a number. Raises ValueError with what was expected."""
    left, colon, text = argument.partition(":")
    pattern, equals, code = left.rpartition("=")
    if not (equals and pattern and code):
        msg = f"{argument!r} is not a NAK rule: expected PATTERN=CODE[:TEXT], as in 'TRY*=DeniedBySrc:Unknown Item'"
        raise ValueError(msg)
    if not code.isdecimal() and code not in NAK_CODES.values():
        msg = f"{argument!r}: {code!r} is no NakCode: expected a number or one of {', '.join(NAK_CODES.values())}"
        raise ValueError(msg)
    return Rule(pattern, nak(int(code) if code.isdecimal() else code, text if colon else None))


class RicRules:
    """The rules of one server, the first that matches wins; what a RIC says itself comes after them."""

    def __init__(self, rules: tuple[Rule, ...] = (), *, items_unknown: bool = False) -> None:
        self._rules = rules
        self._default = UNKNOWN_ITEM if items_unknown else ACK
        self._known: dict[str, RicAnswer] = {}

    def answer(self, ric: str) -> RicAnswer:
        """The answer to an update of ``ric``."""
        found = self._known.get(ric)
        if found is None:
            found = self._known[ric] = self._find(ric)
        return found

    def _find(self, ric: str) -> RicAnswer:
        for rule in self._rules:
            if fnmatchcase(ric, rule.pattern):
                return rule.answer
        return _answer_named(ric) or self._default


def _answer_named(ric: str) -> RicAnswer | None:
    head, dot, rest = ric.partition(".")
    if not dot:
        return None
    if head == "NAK":
        return nak(rest.partition(".")[0])
    numbered = _NUMBERED.match(ric)
    if not numbered:
        return _PLAIN.get(head)
    number = int(numbered[2])
    return nak(number) if numbered[1] == "NAK" else RicAnswer(delay=number / 1000)
