"""What a field dictionary makes contribd refuse is refused by LSEG's own code, stored otherwise, or not checked."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conformance.conformance_client import ConformanceClient
from tests.integration.rigs.provider_rig import SOURCE, Provider
from tests.schemas import ENCODE

from contribd.dictionary.pair import parse_pair
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.mapping.compile import compile_file
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped, Rejected
from contribd.mapping.rules import MappingFile

PAIR = parse_pair((SOURCE / "RDMFieldDictionary").read_bytes(), (SOURCE / "enumtype.def").read_bytes())
"""The provider's own dictionary."""

REFUSED: list[tuple[str, Any]] = [
    ("BID", "1.1"), ("BID", ""), ("BIDSIZE", "12"), ("CURRENCY", 70000), ("ACTIV_DATE", "22/11/2026"),
    ("ACTIV_DATE", "2026-13-01"), ("ACTIV_DATE", 20261122), ("QUOTIM", "10.15"), ("QUOTIM", "noon"),
    ("DSPLY_NAME", 7), ("PROD_PERM", -1), ("PROD_PERM", 1.5), ("PROD_PERM", "7"),
]  # fmt: skip
"""By an Error; the number for a text without a word."""

STORED_OTHERWISE: list[tuple[str, Any, str | None]] = [
    ("BID", True, "0"), ("BID", [], "0"), ("CURRENCY", "XYZ", None), ("CURRENCY", "840", None),
    ("CURRENCY", "usd", None), ("CURRENCY", 840.5, "840"), ("ACTIV_DATE", "2026-02-30", "Invalid date"),
    ("QUOTIM", "25:99", "Invalid time"), ("QUOTIM", 101530, None),
]  # fmt: skip
"""And acknowledged."""

NOT_CHECKED: list[tuple[str, Any, str | None]] = [
    ("CURRENCY", 4711, "4711"), ("DSPLY_NAME", "seventeen letters", "seventeen letters"), ("PROD_PERM", 70000, "70000"),
    ("RECORDTYPE", 256, "256"),
]  # fmt: skip
"""Outside of the table, of the length, of two bytes and of one; acknowledged."""

STORED: list[tuple[str, Any, str | None]] = [
    ("BID", 1.0841, "1.0841"), ("BID", None, None), ("CURRENCY", "USD", "840"), ("CURRENCY", 978, "978"),
    ("TRD_UNITS", "INT", "0"), ("ACTIV_DATE", "20261122", "22 NOV 2026"),
    ("QUOTIM", "10:15:30.1239", "10:15:30:123:000:000"), ("ACTIV_DATE", "2026-11-22T23:30:00-05:00", "22 NOV 2026"),
    ("DSPLY_NAME", "sixteen letters!", "sixteen letters!"),
    ("PROD_PERM", 65535.0, "65535"), ("25", 1.5, "1.5"),
]  # fmt: skip


def mapped(name: str, value: Any) -> Mapped | Rejected:
    mapping = {"name": "one", "ric": "T=", "fields": {name: "x"}}
    compiled = compile_file(MappingFile.model_validate({"mappings": [mapping]}), "TRCC", types=PAIR.dictionary)
    assert compiled.problems == []
    outcome = Mapper(compiled.mappings).map(json.dumps({"x": value}).encode())
    assert isinstance(outcome, Mapped | Rejected)
    return outcome


@pytest.fixture
def client(provider: Provider) -> Iterator[ConformanceClient]:
    with ConformanceClient(provider.url, pack=1, max_outstanding=1, ack_timeout=1.0, attempts=1) as driver:
        yield driver.open()


def test_the_provider_has_the_dictionary_that_it_is_asked_about() -> None:
    assert (PAIR.of_fields, PAIR.of_enums) == ([], [])


def test_what_the_dictionary_refuses_would_be_refused_or_stored_otherwise(
    client: ConformanceClient, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Posted as it is, past the mapper; no schema allows such values in a result."""
    monkeypatch.setattr(ResultEncoder, "encode", ENCODE)
    stored = [*STORED_OTHERWISE, *NOT_CHECKED]
    before = provider.post_count()
    for number, (name, value) in enumerate([*REFUSED, *((name, value) for name, value, _ in stored)]):
        outcome = mapped(name, value)
        assert isinstance(outcome, Rejected), (name, value)
        assert outcome.text.startswith(f"{name} (FID "), outcome.text
        client.put(f"T{number}=", {name: value})
    statuses = [result["status"] for result in client.settled(within=30.0)]
    assert {"ERROR", "UNANSWERED"} >= set(statuses[: len(REFUSED)])
    assert {"ACK"} == set(statuses[len(REFUSED) :])
    assert [post.fields for post in provider.posts()[before:]] == [{name: found} for name, _, found in stored]


def test_what_the_dictionary_makes_fit_is_stored_as_it_was_meant(client: ConformanceClient, provider: Provider) -> None:
    before = provider.post_count()
    for number, (name, value, _) in enumerate(STORED):
        outcome = mapped(name, value)
        assert isinstance(outcome, Mapped), outcome
        client.put(f"T{number}=", {each: _plain(found) for each, found in outcome.fields.items()})
    assert {result["status"] for result in client.settled()} == {"ACK"}
    wanted = [{"ASK" if name == "25" else name: found} for name, _, found in STORED]
    assert [post.fields for post in provider.posts()[before:]] == wanted


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int) else float(value)
