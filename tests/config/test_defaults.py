"""Defaults and included files: what a mapping comes to, and where its mistakes are told."""

from pathlib import Path

import pytest
from tests.config.conftest import Write

from contribd.config.errors import ConfigError
from contribd.config.library import MAX_INCLUDES
from contribd.config.load import Loaded, inspect, load
from contribd.config.show import show
from contribd.mapping.outcome import Ignored, Mapped

DESK = """\
tables:
  names: {A: EUR=, B: GBP=}
defaults:
  service: DESK
  fields:
    CTBTR_1: {value: ACME}
    BID: {value: 1}
  checks: [bid <= ask]
"""
SPOT = """\
include: [../desk.yaml]
defaults:
  post: refresh
  withdraw: [BID]
  checks: [bid > 0]
mappings:
  - {name: heartbeat, when: beat == 1, ignore: true}
  - name: spot
    ric: "{names[id]}"
    fields: {BID: bid, ASK: ask}
    checks: [ask < 100, bid > 0]
"""


def loaded(write: Write, desk: str = DESK, **mappings: str) -> Loaded:
    file = write(**mappings)
    (file.parent / "desk.yaml").write_text(desk)
    return load(file, environ={})


def problems(write: Write, desk: str = DESK, **mappings: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        loaded(write, desk, **mappings)
    return [
        f"{problem.file.name}:{problem.line}:{problem.column}: {problem.path}: {problem.text}"
        for problem in raised.value.problems
    ]


def test_a_mapping_has_what_it_says_over_the_defaults_of_its_file_and_of_what_that_includes(write: Write) -> None:
    mapper = loaded(write, spot=SPOT).mapper
    post = mapper.map(b'{"id": "A", "bid": 2, "ask": 3}')
    assert isinstance(post, Mapped)
    assert (post.ric, post.service, post.type) == ("EUR=", "DESK", "Refresh")
    assert list(post.fields.items()) == [("CTBTR_1", "ACME"), ("BID", 2), ("ASK", 3)]
    [spot] = mapper.mappings[1:]
    assert [check.that.source for check in spot.checks] == ["bid <= ask", "bid > 0", "ask < 100"]
    assert spot.withdraw == frozenset({"BID"})


def test_a_default_check_that_does_not_fit_a_mapping_names_the_mapping(write: Write) -> None:
    desk = 'defaults: {checks: ["@post.ASK > 0"]}\n'
    spot = "include: [../desk.yaml]\nmappings:\n  - {name: one, ric: X=, fields: {ASK: ask}}\n"
    spot += "  - {name: bids, ric: X=, fields: {BID: bid}}\n"
    assert problems(write, desk, spot=spot) == ["desk.yaml:1:22: defaults.checks[0]: bids posts no field ASK"]


def test_a_mapping_that_ignores_takes_no_defaults(write: Write) -> None:
    assert loaded(write, spot=SPOT).mapper.map(b'{"beat": 1}') == Ignored("heartbeat")


def test_the_nearer_wins(write: Write) -> None:
    spot = SPOT.replace("  post: refresh", "  service: NEAR")
    assert [each.service for each in loaded(write, spot=spot).mapper.mappings[1:]] == ["NEAR"]


def test_the_digest_is_that_of_what_the_mappings_come_to(write: Write) -> None:
    written = 'mappings:\n  - {name: spot, ric: "{pair}=", service: S, fields: {CTBTR_1: {value: ACME}, BID: bid}}\n'
    short = "defaults: {service: S, fields: {CTBTR_1: {value: ACME}}}\n"
    short += 'mappings:\n  - {name: spot, ric: "{pair}=", fields: {BID: bid}}\n'
    assert loaded(write, spot=written).digest == loaded(write, spot=short).digest
    assert loaded(write, spot=short).digest != loaded(write, spot=short.replace("ACME", "OTHER")).digest
    before = loaded(write, spot=SPOT).digest
    assert before != loaded(write, DESK.replace("ACME", "OTHER"), spot=SPOT).digest
    assert before != loaded(write, DESK.replace("GBP=", "GBX="), spot=SPOT).digest


def test_included_files_are_among_the_files(write: Write) -> None:
    assert [file.name for file in loaded(write, spot=SPOT).files] == ["contribd.yaml", "spot.yaml", "desk.yaml"]


def test_a_mistake_is_told_once_and_where_it_was_written(write: Write) -> None:
    desk = DESK.replace("[bid <= ask]", "[bid <= ask, foo(]").replace("{value: 1}", "{value: 1, rond: 2}")
    spot = SPOT.replace("ask < 100", "ask <") + '  - {name: other, ric: "{id}", fields: {BID: bi d}}\n'
    found = problems(write, desk, spot=spot)
    assert [text.partition(": ")[0] for text in found] == [
        "desk.yaml:7:21",
        "desk.yaml:8:27",
        "spot.yaml:11:19",
        "spot.yaml:12:49",
    ]
    assert found[0].endswith(": defaults.fields.BID.rond: unknown key; did you mean round?")
    assert ": defaults.checks[1]: " in found[1]


def test_a_wrong_shape_hides_no_mistake_in_an_expression_beside_it(write: Write) -> None:
    spot = """\
mappings:
  - name: spot
    whem: true
    ric: 5
    fields: {BID: {rond: 1}, ASK: ask +, MID: 5}
    checks: [{text: x}, 1 +, bid]
    withdraw: [BID, MID, 7]
  - 5
"""
    found = problems(write, spot=spot)
    assert [text.split(": ")[1] for text in found] == [
        "mappings[0].whem",
        "mappings[0].ric",
        "mappings[0].fields.BID.rond",
        "mappings[0].fields.ASK",
        "mappings[0].fields.MID",
        "mappings[0].checks[0].that",
        "mappings[0].checks[1]",
        "mappings[0].withdraw[2]",
        "mappings[1]",
    ]


def test_a_field_to_withdraw_by_default_is_told_with_the_mapping_that_has_none(write: Write) -> None:
    spot = SPOT.replace("withdraw: [BID]", "withdraw: [BID, LAST]")
    assert problems(write, spot=spot) == [
        "spot.yaml:4:19: defaults.withdraw[1]: the mapping spot has no field LAST",
    ]


@pytest.mark.parametrize(
    ("include", "text"),
    [
        ("nope.yaml", '"nope.yaml" is no file in '),
        ('""', '"" is no file in '),
        ("..", '".." is a folder'),
        ("spot.yaml", "files include each other: spot.yaml → spot.yaml"),
        ("../desk.yaml", "files include each other: spot.yaml → desk.yaml → spot.yaml"),
    ],
)
def test_what_cannot_be_included_is_told_where_it_is_named(write: Write, include: str, text: str) -> None:
    spot = SPOT.replace("[../desk.yaml]", f"[{include}]").replace("names[id]", "id")
    [found] = problems(write, "include: [mappings/spot.yaml]\n", spot=spot)
    assert text in found
    assert found.split(":")[0] == ("desk.yaml" if "desk" in include else "spot.yaml")


def test_files_include_each_other_to_a_bounded_depth(write: Write, tmp_path: Path) -> None:
    spot = SPOT.replace("../desk.yaml", "../n0.yaml").replace("names[id]", "id")
    for number in range(MAX_INCLUDES + 2):
        (tmp_path / f"n{number}.yaml").write_text(f"include: [n{number + 1}.yaml]\n")
    assert [text.split(": ")[2] for text in problems(write, spot=spot)] == [
        f"files include each other more than {MAX_INCLUDES} deep"
    ]


def test_two_ways_to_one_file_are_no_circle(write: Write, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("include: [desk.yaml]\n")
    (tmp_path / "b.yaml").write_text("include: [desk.yaml]\ndefaults: {service: B}\n")
    spot = SPOT.replace("[../desk.yaml]", "[../a.yaml, ../b.yaml]")
    assert loaded(write, spot=spot).mapper.mappings[1].service == "B"


def test_mappings_of_an_included_file_are_taken_where_it_is_a_mapping_file_itself(write: Write) -> None:
    more = DESK + 'mappings:\n  - {name: more, when: x == 1, ric: "{id}", fields: {BID: bid}}\n'
    found = problems(write, more, spot=SPOT)
    assert found == [
        "desk.yaml:9:1: mappings: desk.yaml is included: its tables and defaults are taken, its mappings are not"
    ]
    spot = SPOT.replace("../desk.yaml", "desk.yaml")
    names = [mapping.name for mapping in load(write(spot=spot, desk=more), environ={}).mapper.mappings]
    assert names == ["more", "heartbeat", "spot"]


def test_a_mapping_is_shown_as_it_comes_out_with_where_each_part_stands(write: Write) -> None:
    file = write(spot=SPOT)
    (file.parent / "desk.yaml").write_text(DESK)
    documents = inspect(file, environ={}).mappings.documents
    text = show(documents, "spot", "TRCC")
    assert text is not None
    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "name: spot # spot.yaml:8",
        'ric: "{names[id]}" # spot.yaml:9',
        "service: DESK # ../desk.yaml:4",
        "post: refresh # spot.yaml:3",
        "fields:",
        "CTBTR_1: {value: ACME} # ../desk.yaml:6",
        "BID: bid # spot.yaml:10",
        "ASK: ask # spot.yaml:10",
        "checks:",
        "- bid <= ask # ../desk.yaml:8",
        "- bid > 0 # spot.yaml:5",
        "- ask < 100 # spot.yaml:11",
        "withdraw:",
        "- BID # spot.yaml:4",
    ]
    assert show(documents, "heartbeat", "TRCC") is not None
    assert show(documents, "nobody", "TRCC") is None


def test_what_is_shown_is_read_as_the_same(write: Write) -> None:
    odd = """\
mappings:
  - name: "yes"
    when: 'a == "x, y" and b != "''"'
    ric: "{pair}: #1"
    fields: {"NO": {from: ccy, lookup: {"NO": "1.50", a: 1.50, "n": null}}, B: {value: "0x1"}}
    checks: [{that: "a == 'b'", text: "no: b"}, LONG]
""".replace("LONG", " or ".join(["a == b"] * 12))
    first = loaded(write, spot=odd)
    text = show(inspect(first.files[0], environ={}).mappings.documents, "yes", "TRCC")
    assert text is not None
    again = "mappings:\n  - " + text.replace("\n", "\n    ")
    assert loaded(write, spot=again.replace("    service: TRCC", "    #")).digest == first.digest


def test_a_default_let_need_not_be_used_by_every_mapping(write: Write) -> None:
    spot = SPOT.replace("post: refresh", "let: {mid: (bid + ask) / 2, half: mid / 2}")
    assert [len(mapping.lets) for mapping in loaded(write, spot=spot).mapper.mappings] == [0, 2]
    assert problems(write, spot=spot.replace("    fields:", "    let: {unused: bid}\n    fields:")) == [
        "spot.yaml:10:11: mappings[1].let.unused: unused is computed and not used"
    ]


def test_shadowed_keys_are_told_at_the_test_s_own_place_beside_tests_that_are_wrong(write: Write) -> None:
    tests = "tests:\n  - {record: 5}\n  - {record: {names: 1}, rejected: MissingField}\n"
    found = problems(write, spot=SPOT + tests)
    assert [text.split(": ")[1] for text in found] == ["tests[0].record", "tests[1].record.names"]
