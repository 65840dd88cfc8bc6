"""``contribd map --explain`` and ``--offset``: the way of one record to its post, or to its rejection."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cli.map_command import run, written
from typer.testing import Result

from contribd.mapping.inputs import Input
from contribd.mapping.scope import Surroundings
from contribd.streams import traffic
from contribd.streams.span import Span

MAPPING = """
mappings:
  - name: forward
    when: tenor == "1M" and not closed
    ric: "{pair}1M="
    fields: {BID: bid}
  - name: spot
    when: tenor == "SP"
    ric: "{pair if pair != 'x' else 'y'}="
    fields:
      BID: bid
      MID_PRICE: {from: (bid + ask) / 2, round: 2}
      BIDSIZE: {from: "sizes[0].bid", missing: skip}
      ASKSIZE: {from: "sizes[0].ask", missing: blank}
      CURRENCY: {from: ccy, lookup: {USD: 840}, default: 0}
      CTBTR_1: {value: ACME}
    checks: [bid <= ask]
  - {name: heartbeat, when: type == 1, ignore: true}
"""
SPOT = {"tenor": "SP", "pair": "EUR", "bid": 1.10, "ask": 1.111, "ccy": "GBP"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written(tmp_path, MAPPING)


def invoke(config: Path, *arguments: str, record: Any = None, raw: bytes = b"") -> Result:
    return run(config, *arguments, sent=raw or json.dumps(record).encode())


def shown(config: Path, record: Any = None, raw: bytes = b"") -> list[str]:
    return invoke(config, "--explain", record=record, raw=raw).stdout.splitlines()


def test_every_step_to_a_post_is_shown_in_columns(config: Path) -> None:
    lines = shown(config, SPOT)
    assert lines[:2] == ["1", "  " + json.dumps(SPOT)]
    assert lines[2:-1] == [
        '  mapping forward: not taken: tenor == "1M" is false (tenor "SP")',
        '    when       tenor                         "SP"',
        '               tenor == "1M"                 false',
        '               tenor == "1M" and not closed  false',
        "  mapping spot: taken",
        '    when       tenor                         "SP"',
        '               tenor == "SP"                 true',
        '    ric        pair                          "EUR"',
        '               pair != "x"                   true',
        '               pair if pair != "x" else "y"  "EUR"',
        '               ric                           "EUR="',
        "    BID        bid                           1.1",
        "    MID_PRICE  bid                           1.1",
        "               ask                           1.111",
        "               bid + ask                     2.211",
        "               (bid + ask) / 2               1.1055",
        "               round: 2                      1.11",
        "    BIDSIZE    sizes[0].bid                  the record has no sizes[0].bid",
        "               missing: skip                 not posted",
        "    ASKSIZE    sizes[0].ask                  the record has no sizes[0].ask",
        "               missing: blank                null",
        '    CURRENCY   ccy                           "GBP"',
        "               lookup                        0",
        '    CTBTR_1    value                         "ACME"',
        "    check      bid                           1.1",
        "               ask                           1.111",
        "               bid <= ask                    true",
    ]
    assert lines[-1].startswith('  posted   {"ID":1,"Type":"Post"')
    assert lines[-1].endswith('"Fields":{"BID":1.1,"MID_PRICE":1.11,"ASKSIZE":null,"CURRENCY":0,"CTBTR_1":"ACME"}}}')


@pytest.mark.parametrize(
    ("change", "end", "place"),
    [
        ({"bid": 2}, "rejected CheckFailed: bid <= ask is false (bid 2, ask 1.111)", "17:14"),
        ({"bid": "x"}, "rejected BadValue: MID_PRICE: ", "12:25"),
        ({"ccy": {}}, "rejected BadValue: CURRENCY: ", "15:24"),
        ({"pair": None}, "rejected BadValue: ric: ", "9:12"),
    ],
)
def test_rejection_has_its_place(config: Path, change: dict[str, Any], end: str, place: str) -> None:
    lines = shown(config, {**SPOT, **change})
    assert lines[-2].strip().startswith(end)
    assert lines[-1].strip() == f"at {config.parent / 'm.yaml'}:{place}"


def test_every_mapping_that_was_passed_over_says_why(config: Path) -> None:
    lines = shown(config, {"tenor": "1M", "closed": True})
    assert "  mapping forward: not taken: closed is true" in lines
    assert '  mapping spot: not taken: tenor == "SP" is false (tenor "1M")' in lines
    assert "  mapping heartbeat: not taken: type == 1 cannot be told: the record has no type" in lines
    assert lines[-1].startswith("  rejected NoMapping")


def test_record_that_is_ignored_says_by_what(config: Path) -> None:
    lines = shown(config, {"tenor": "", "type": 1})
    assert lines[-1] == "  ignored  mapping heartbeat: such records are not for posting"


def test_of_what_is_no_record_the_bytes_are_shown(config: Path) -> None:
    lines = shown(config, raw=b"\x1f\x8b\x08 not JSON but \xff of more than a line")
    assert lines[1:4] == [
        "  38 bytes",
        "  0000  1f 8b 08 20 6e 6f 74 20 4a 53 4f 4e 20 62 75 74  ... not JSON but",
        "  0010  20 ff 20 6f 66 20 6d 6f 72 65 20 74 68 61 6e 20   . of more than ",
    ]
    assert lines[-1].startswith("  rejected BadRecord")


def test_json_has_each_step_with_its_place(config: Path) -> None:
    report = json.loads(invoke(config, "--explain", "--json", record=SPOT).stdout)
    assert report["line"] == 1
    assert report["post"]["PostID"] == 1
    assert [(each["mapping"], each["taken"]) for each in report["asked"]] == [("forward", False), ("spot", True)]
    assert report["asked"][0]["why_not"] == ['tenor == "1M" is false (tenor "SP")']
    mid = next(each for each in report["computed"] if each["what"] == "MID_PRICE")
    assert mid == {
        "what": "MID_PRICE",
        "expression": "(bid + ask) / 2",
        "file": str(config.parent / "m.yaml"),
        "line": 12,
        "column": 25,
        "steps": [
            {"step": "bid", "value": 1.1},
            {"step": "ask", "value": 1.111},
            {"step": "bid + ask", "value": 2.211},
            {"step": "(bid + ask) / 2", "value": 1.1055},
            {"step": "round: 2", "value": 1.11},
        ],
    }
    size = next(each for each in report["computed"] if each["what"] == "BIDSIZE")
    assert size["steps"] == [{"step": "sizes[0].bid", "error": "the record has no sizes[0].bid"}]


def test_what_is_explained_is_what_is_posted(config: Path) -> None:
    plain = json.loads(invoke(config, "--json", record=SPOT).stdout)
    explained = json.loads(invoke(config, "--explain", "--json", record=SPOT).stdout)
    assert plain["post"] == explained["post"]


def test_line_may_say_what_surrounds_its_record_and_a_wrong_one_is_told_with_its_place(config: Path) -> None:
    assert invoke(config, record={"@key": "EUR", "@value": SPOT}).exit_code == 0
    result = invoke(config, record={"@kee": "EUR", "@value": SPOT})
    assert result.exit_code == 1
    assert result.stderr.startswith("standard input:1: @kee is no key of such a line; did you mean @key?")


EXAMPLES = sorted((Path(__file__).parents[2] / "config" / "examples").glob("*/contribd.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_are_explained_by_what_they_are_posted_by(example: Path) -> None:
    records = (example.parent / "records.jsonl").read_bytes()
    plainly = [json.loads(line) for line in invoke(example, "--json", raw=records).stdout.splitlines()]
    explained = [json.loads(line) for line in invoke(example, "--explain", "--json", raw=records).stdout.splitlines()]
    assert [{key: each[key] for key in plain} for plain, each in zip(plainly, explained, strict=True)] == plainly
    assert all(each["asked"] for each in explained)
    assert invoke(example, "--explain", raw=records).exit_code == 1
    for each in explained:
        if "post" in each:
            assert not any(asked["why_not"] for asked in each["asked"] if asked["taken"])


def test_control_characters_of_a_post_do_not_reach_the_terminal() -> None:
    page = next(path for path in EXAMPLES if path.parent.name == "page")
    records = (page.parent / "records.jsonl").read_bytes()
    for arguments in ([], ["--explain"], ["--json"]):
        stdout = invoke(page, *arguments, raw=records).stdout
        assert "\x1b" not in stdout
        assert '"\\u001b[8`' in stdout


def test_name_of_a_field_is_explained_too() -> None:
    page = next(path for path in EXAMPLES if path.parent.name == "page")
    lines = shown(page, raw=(page.parent / "records.jsonl").read_bytes().splitlines()[1])
    assert any(line.split()[:2] == ["name", "ROW64_{row}"] for line in lines)


def kafka(monkeypatch: pytest.MonkeyPatch, *records: Input) -> list[Span]:
    asked = []

    @contextmanager
    def opened(_settings: object, span: Span) -> Iterator[traffic.Traffic]:
        asked.append(span)
        yield traffic.Traffic((), iter(records))

    monkeypatch.setattr(traffic, "open_traffic", opened)
    monkeypatch.setattr("contribd.ops.log.configure", lambda *_, **__: None)  # it is the process's
    return asked


def test_record_is_taken_from_kafka_by_its_offset(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Input(json.dumps(SPOT).encode(), Surroundings("EUR", "prices", 3, 1812, 5, {}))
    asked = kafka(monkeypatch, record)
    result = invoke(config, "--offset", "prices:3:1812", "--json")
    assert json.loads(result.stdout)["source"] == "prices:3:1812"
    ((partition, first, last),) = asked[0].offsets
    assert (partition.topic, partition.number, first, last) == ("prices", 3, 1812, 1812)
    assert invoke(config, "--offset", "prices:3:1812", "--explain").stdout.splitlines()[0] == "prices:3:1812"


def test_offset_without_a_record_says_so(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kafka(monkeypatch)
    result = invoke(config, "--offset", "prices:3:1812")
    assert result.exit_code == 1
    assert result.stderr.startswith("there is no record at prices:3:1812")


@pytest.mark.parametrize("arguments", [["--offset", "prices"], ["--offset", "prices:0:1", "-"]])
def test_offset_that_cannot_be_meant_is_a_mistake_of_usage(config: Path, arguments: list[str]) -> None:
    assert invoke(config, *arguments).exit_code == 2


def test_what_surrounds_the_record_is_read_and_shown(config: Path) -> None:
    mapping = (
        'mappings: [{name: m, ric: "{@key}=", let: {x: "@headers.n + bid"}, fields: {BID: number(bid), GEN_TEXT16: x}}]'
    )
    (config.parent / "m.yaml").write_text(mapping)
    line = {"@key": "EUR", "@headers": {"n": "a"}, "@timestamp": 5, "@value": {"bid": "1"}}
    lines = shown(config, line)
    assert lines[1:3] == ['  {"bid": "1"}', '  @key "EUR", @timestamp 5, @headers {"n":"a"}']
    assert [line.split() for line in lines[3:-1]] == [
        ["mapping", "m:", "taken,", "it", "has", "no", "when"],
        ["let", "x", "@headers.n", '"a"'],
        ["bid", '"1"'],
        ["@headers.n", "+", "bid", '"a1"'],
        ["ric", "@key", '"EUR"'],
        ["ric", '"EUR="'],
        ["BID", "bid", '"1"'],
        ["number(bid)", "1"],
        ["GEN_TEXT16", "x", '"a1"'],
    ]
