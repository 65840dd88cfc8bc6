"""Makes instruments.csv: 5,000 plausible structured products, the same ones each time."""

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

COUNT = 5000
HEADER = "id,ric,isin,name,kind,ccy,quoted,decimals,widest,size,maturity,status"
KINDS = (  # code, kind, how it is quoted, decimals, the widest spread in per cent, the size that is shown
    ("BRC", "reverse convertible", "percent", 2, 2, 50000),
    ("CPN", "capital protected note", "percent", 2, 1, 50000),
    ("TRK", "tracker certificate", "units", 2, 1, 500),
    ("DSC", "discount certificate", "units", 2, 2, 500),
    ("WAR", "warrant", "units", 3, 25, 20000),
    ("MNI", "mini future", "units", 3, 10, 20000),
)
UNDERLYINGS = (
    "SMI",
    "DAX",
    "ESTX50",
    "SPX",
    "NKY",
    "NESN",
    "ROG",
    "NOVN",
    "UBSG",
    "ZURN",
    "SAP",
    "SIE",
    "ASML",
    "GOLD",
)
CURRENCIES = ("CHF", "EUR", "USD", "CHF", "EUR", "JPY", "GBP")
EPOCH = date(2027, 1, 15)


def isin(number: int) -> str:
    """A Swiss ISIN with its right check digit."""
    body = f"CH{number:09d}"
    digits = "".join(str(int(character, 36)) for character in body)
    total = sum(sum(divmod(int(digit) * (2 - at % 2), 10)) for at, digit in enumerate(reversed(digits)))
    return f"{body}{-total % 10}"


def rows() -> Iterator[str]:
    """The rows of the table, without its header."""
    for number in range(1, COUNT + 1):
        code, kind, quoted, decimals, widest, size = KINDS[number % len(KINDS)]
        currency = CURRENCIES[number % len(CURRENCIES)]
        its_isin = isin(450_000_000 + number * 7919)
        name = f"{UNDERLYINGS[number % len(UNDERLYINGS)]} {code} {number % 1000:03d}"
        maturity = EPOCH + timedelta(days=7 * (number % 300))
        status = "knocked out" if code == "MNI" and number % 7 == 0 else "live"
        cells = (f"SP{number:06d}", f"{its_isin}=ACMB", its_isin, name, kind, currency, quoted, decimals, widest, size)
        yield ",".join(map(str, (*cells, maturity, status)))


if __name__ == "__main__":
    table = "\n".join((HEADER, *rows())) + "\n"
    Path(sys.argv[1] if len(sys.argv) > 1 else "instruments.csv").write_text(table, encoding="utf-8")
