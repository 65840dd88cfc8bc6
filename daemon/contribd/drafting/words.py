"""What the names of a record's fields stand for."""

import re
from enum import Enum, auto
from typing import Final, NamedTuple

from contribd.drafting.leaves import Path


class Role(Enum):
    """How a field's value is read."""

    NUMBER = auto()
    TIME = auto()
    DATE = auto()
    CURRENCY = auto()


class Meaning(NamedTuple):
    """The field of an ADS that a name suggests. ``sure``: the name says just that."""

    acronym: str
    role: Role
    sure: bool


_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_SAME: Final = {
    "offer": "ask", "ofr": "ask", "offered": "ask", "middle": "mid", "px": "price", "prc": "price", "sz": "size",
    "qty": "size", "quantity": "size", "vol": "volume", "trade": "last", "traded": "last", "trd": "last",
    "prev": "previous", "ccy": "currency", "ts": "timestamp", "datetime": "timestamp", "opening": "open",
    "closing": "close", "chg": "change", "instr": "instrument", "sym": "symbol", "sec": "security",
    "b": "bid", "a": "ask",
}  # fmt: skip
"""Words that mean another one."""

_JOINED: Final = {
    "bidprice": "bid price", "askprice": "ask price", "offerprice": "ask price", "bidpx": "bid price",
    "askpx": "ask price", "bidsize": "bid size", "asksize": "ask size", "offersize": "ask size", "bidqty": "bid size",
    "askqty": "ask size", "bidsz": "bid size", "asksz": "ask size", "midprice": "mid price", "midpx": "mid price",
    "lastprice": "last price", "lastpx": "last price", "lastsize": "last size", "lastqty": "last size",
    "bestbid": "best bid", "bestask": "best ask", "netchange": "net change", "ccypair": "currency pair",
    "currencypair": "currency pair", "fxpair": "pair", "bidrate": "bid rate", "askrate": "ask rate",
    "midrate": "mid rate", "prevclose": "previous close", "closeprice": "close price", "openprice": "open price",
    "highprice": "high price", "lowprice": "low price", "riccode": "ric",
}  # fmt: skip
"""Words that are written as one."""

_BESIDE: Final = frozenset({
    "price", "prices", "rate", "quote", "quotes", "best", "top", "value", "level", "market", "indicative", "data",
    "tick", "inside", "current",
})  # fmt: skip
"""Words that leave the meaning of those beside them as it is."""

_MEANS: Final[dict[frozenset[str], str]] = {
    frozenset({"bid"}): "BID",
    frozenset({"ask"}): "ASK",
    frozenset({"mid"}): "MID_PRICE",
    frozenset({"last"}): "TRDPRC_1",
    frozenset({"bid", "size"}): "BIDSIZE",
    frozenset({"ask", "size"}): "ASKSIZE",
    frozenset({"last", "size"}): "TRDVOL_1",
    frozenset({"size"}): "TRDVOL_1",
    frozenset({"volume"}): "ACVOL_1",
    frozenset({"total", "volume"}): "ACVOL_1",
    frozenset({"accumulated", "volume"}): "ACVOL_1",
    frozenset({"open"}): "OPEN_PRC",
    frozenset({"high"}): "HIGH_1",
    frozenset({"low"}): "LOW_1",
    frozenset({"previous", "close"}): "HST_CLOSE",
    frozenset({"net", "change"}): "NETCHNG_1",
}
_GUESSES: Final = frozenset({frozenset({"size"}), frozenset({"volume"})})
"""Of these, the names that do not say which one it is: that of the last trade, of the day, or of an order."""
SIZES: Final = frozenset({"BIDSIZE", "ASKSIZE", "TRDVOL_1", "ACVOL_1"})
"""Fields that say how much, not for how much."""
ABOUT: Final = frozenset({"QUOTIM", "TRDTIM_1", "TIMACT", "ACTIV_DATE", "CURRENCY"})
"""Fields that say when, and of what money: about a price, and none."""
_CURRENCY: Final = Meaning("CURRENCY", Role.CURRENCY, sure=True)
_MOMENT: Final = Meaning("QUOTIM", Role.TIME, sure=False)
_DATE: Final = Meaning("ACTIV_DATE", Role.DATE, sure=False)
MEANT: Final = {each.acronym: each.role for each in (_CURRENCY, _MOMENT, _DATE)} | dict.fromkeys(
    _MEANS.values(), Role.NUMBER
)
"""All that a name can mean: fields, each with how its value is read."""
_PRICES: Final = frozenset({"price", "rate"})
_CLOCKS: Final = frozenset({"time", "timestamp", "utc"})

IDENTITIES: Final = (
    "ric", "symbol", "ticker", "instrument", "pair", "security", "isin", "cusip", "sedol", "underlying", "product",
    "code", "name", "id", "key",
)  # fmt: skip
"""Names of what a price is of, the surest first."""


def words_of(path: Path) -> tuple[str, ...]:
    """``("quote", "bestBid_px")`` as quote, best, bid, price."""
    found = [word.lower() for key in path for word in _WORD.findall(key)]
    parted = [piece for word in found for piece in _JOINED.get(word, word).split()]
    return tuple(_SAME.get(word, word) for word in parted)


def meaning(path: Path) -> Meaning | None:
    """What a path stands for, by its names alone; None where they say nothing known."""
    words = words_of(path)
    if (found := _of_moment(words)) is not None:
        return found
    if set(words) == {"currency"}:
        return _CURRENCY
    rest = frozenset(words) - _BESIDE
    if rest in _MEANS:
        says_it = len(path) == 1 and len(path[0]) > 1 and len(words) <= 2  # a letter alone may be anything
        return Meaning(_MEANS[rest], Role.NUMBER, sure=says_it and rest not in _GUESSES)
    if not rest and _PRICES & set(words):
        return Meaning("TRDPRC_1", Role.NUMBER, sure=False)
    return None


def _of_moment(words: tuple[str, ...]) -> Meaning | None:
    if not words:
        return None
    if words[-1] in _CLOCKS or (words[-1] == "at" and len(words) > 1):
        return _MOMENT
    return _DATE if words in {("date",), ("last", "date")} else None


def identity_rank(path: Path) -> int | None:
    """How surely a path names the instrument, 0 the surest; None where its names do not say so."""
    words = set(words_of(path))
    ranks = [rank for rank, word in enumerate(IDENTITIES) if word in words]
    return min(ranks, default=None)
