"""What a tape notes while a record is mapped: the values of the parts, by the code that runs in production."""

from decimal import Decimal
from typing import Any

from contribd.mapping.compile import compile_file
from contribd.mapping.compiled import Compiled
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped
from contribd.mapping.rules import MappingFile
from contribd.mapping.syntax import Binary
from contribd.mapping.tape import Stage, Tape, current_tape, recording

MAPPING = {
    "name": "spot",
    "when": 'asset == "FX"',
    "ric": "{lower(pair)}={place}",
    "fields": {
        "BID": {"from": "bid * 2", "as": "real", "round": 2},
        "CURRENCY": {"from": "ccy", "lookup": {"USD": 840}, "default": 0},
    },
    "checks": ["bid > 0"],
}
RECORD = b'{"asset": "FX", "pair": "EUR", "place": "X", "bid": 1.084, "ccy": "GBP"}'


def compiled(tape: Tape | None = None) -> Compiled:
    model = MappingFile.model_validate({"mappings": [MAPPING]})
    if tape is None:
        return compile_file(model, "TRCC")
    with recording(tape):
        return compile_file(model, "TRCC")


def test_what_is_posted_is_the_same_with_a_tape() -> None:
    plain, noted = Mapper(compiled().mappings).map(RECORD), Mapper(compiled(Tape()).mappings).map(RECORD)
    assert isinstance(plain, Mapped)
    assert plain == noted


def test_each_part_and_each_step_is_noted_in_order() -> None:
    tape = Tape()
    mapper = Mapper(compiled(tape).mappings)
    tape.take()
    mapper.map(RECORD)
    events = tape.take()
    assert tape.events == []
    assert events[2].value is True
    assert isinstance(events[2].subject, Binary)
    steps: list[tuple[str, Any]] = [
        (event.subject.name, event.value) for event in events if isinstance(event.subject, Stage)
    ]
    assert steps == [
        ("post", "eur"),
        ("post", "X"),
        ("ric", "eur=X"),
        ("as: real", Decimal("2.168")),
        ("round: 2", Decimal("2.17")),
        ("lookup", 0),
        ("post", 0),
    ]


def test_what_cannot_be_computed_is_noted_with_its_reason() -> None:
    tape = Tape()
    mapper = Mapper(compiled(tape).mappings)
    tape.take()
    mapper.map(b'{"asset": "FX"}')
    last = tape.take()[-1]
    assert last.error is not None
    assert last.error.text == "the record has no pair"


def test_nothing_is_noted_of_what_was_compiled_without_a_tape() -> None:
    tape = Tape()
    mapper = Mapper(compiled().mappings)
    with recording(tape):
        mapper.map(RECORD)
    assert tape.take() == []
    assert current_tape() is None


def test_every_expression_has_its_place() -> None:
    sites = [(site.mapping, site.path, site.expression.source, site.expression.at) for site in compiled().sites]
    base = ("mappings", 0)
    assert set(sites) == {
        ("spot", (*base, "when"), 'asset == "FX"', 0),
        ("spot", (*base, "ric"), "lower(pair)", 1),
        ("spot", (*base, "ric"), "place", 15),
        ("spot", (*base, "fields", "BID", "from"), "bid * 2", 0),
        ("spot", (*base, "fields", "CURRENCY", "from"), "ccy", 0),
        ("spot", (*base, "checks", 0), "bid > 0", 0),
    }
