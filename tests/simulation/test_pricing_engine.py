"""The pricing engine: real rates, the same for the same seed, with the bad records that were asked for."""

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from contribd.simulation.demo.pricing_engine import POISON, PriceRecord, PricingEngine
from contribd.simulation.demo.rates import PAIRS, Reference, load_references

NOW = datetime(2026, 11, 22, 10, 15, 30, 123000, tzinfo=UTC)


@pytest.fixture(scope="module")
def references() -> list[Reference]:
    return load_references()


def run(engine: PricingEngine, count: int) -> list[PriceRecord]:
    return [engine.next(NOW + timedelta(milliseconds=number)) for number in range(count)]


def test_at_least_25_pairs_have_a_rate_near_where_their_market_trades(references: list[Reference]) -> None:
    mids = {each.pair.name: each.mid for each in references}
    assert len(mids) >= 25
    assert set(mids) <= {pair.name for pair in PAIRS}
    assert 0.7 < mids["EURUSD"] < 1.7
    assert 70 < mids["USDJPY"] < 300
    assert mids["EURJPY"] == pytest.approx(mids["EURUSD"] * mids["USDJPY"])
    assert all(0 < each.volatility < 0.1 for each in references)


def test_a_record_has_the_agreed_fields(references: list[Reference]) -> None:
    [record] = run(PricingEngine(references), 1)
    price = json.loads(record.value or b"")
    assert list(price) == ["asset", "tenor", "pair", "base", "quote", "bid", "ask", "sizes", "quoted_at", "source"]
    assert (price["asset"], price["tenor"], price["pair"]) == ("FX", "SP", price["base"] + price["quote"])
    assert record.key == price["pair"].encode()
    assert price["quoted_at"] == "2026-11-22T10:15:30.123000Z"
    assert price["sizes"][0].keys() == {"bid", "ask"}


def test_bid_is_below_ask_within_the_pairs_decimals_and_near_its_reference(references: list[Reference]) -> None:
    known = {each.pair.name: each for each in references}
    for record in run(PricingEngine(references, seed=7), 20_000):
        price = json.loads(record.value or b"")
        reference = known[price["pair"]]
        assert price["bid"] < price["ask"]
        assert round(price["ask"], reference.pair.decimals) == price["ask"]
        assert price["bid"] == pytest.approx(reference.mid, rel=0.1)


def test_the_same_seed_gives_the_same_records_and_another_one_others(references: list[Reference]) -> None:
    def of(seed: int) -> list[PriceRecord]:
        return run(PricingEngine(references, seed=seed, poison=0.1, unmapped=0.1), 500)

    assert of(3) == of(3)
    assert of(3) != of(4)


def test_every_pair_moves(references: list[Reference]) -> None:
    bids: dict[str, set[float]] = {}
    for record in run(PricingEngine(references), 10_000):
        price = json.loads(record.value or b"")
        bids.setdefault(price["pair"], set()).add(price["bid"])
    assert bids.keys() == {each.pair.name for each in references}
    assert all(len(seen) > 1 for seen in bids.values())


def test_a_pair_wanders_by_far_more_than_its_spread(references: list[Reference]) -> None:
    prices = [json.loads(record.value or b"") for record in run(PricingEngine(references), 20_000)]
    mids = [(price["bid"] + price["ask"]) / 2 for price in prices if price["pair"] == "EURUSD"]
    spreads = [price["ask"] - price["bid"] for price in prices if price["pair"] == "EURUSD"]
    assert max(mids) - min(mids) > 5 * max(spreads)


def test_shares_of_poison_and_unmapped_records_are_kept(references: list[Reference]) -> None:
    kinds = Counter(each.kind for each in run(PricingEngine(references, poison=0.1, unmapped=0.2), 5000))
    assert kinds["poison"] == pytest.approx(500, rel=0.2)
    assert kinds["unmapped"] == pytest.approx(1000, rel=0.2)


def test_no_poison_is_a_json_object() -> None:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    for value in POISON:
        try:
            found = json.loads(value or b"", parse_constant=refuse)
        except ValueError:
            continue
        assert not isinstance(found, dict)


def test_an_unmapped_record_is_an_object_of_another_asset(references: list[Reference]) -> None:
    assert json.loads(PricingEngine(references).unmapped(NOW).value or b"")["asset"] == "XX"


def test_without_its_package_the_engine_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['currency_converter'] = None\n"
        "from contribd.simulation.demo.rates import load_references, MissingExtraError\n"
        "try: load_references()\n"
        "except MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "CurrencyConverter is not installed: pip install 'contribd[demo]'"
