"""``contribd test``: the test cases written in mapping files."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from contribd.cli import app
from contribd.config.errors import ConfigError

CONFIG = """
kafka: {bootstrap_servers: "localhost:9092", group_id: g, prices: prices, results: results}
ads: {endpoints: ["ws://localhost:15000/WebSocket"], service: TRCC, user: u}
mappings: [first.yaml, second.yaml]
"""
FIRST = """
mappings:
  - name: first
    when: kind == 1
    ric: "{pair}="
    fields: {BID: bid}
tests:
  - name: good
    record: {kind: 1, pair: EUR, bid: 1.10}
    post: {ric: EUR=, service: TRCC, fields: {BID: 1.1}}
  - record: {kind: 1, pair: EUR, bid: 1.1}
    post: {ric: EUR=, fields: {BID: 1.2, ASK: 1.3}}
"""
SECOND = """
mappings:
  - name: second
    ric: "X="
    fields: {BID: bid}
tests:
  - name: taken by the other file
    record: {kind: 1, pair: EUR, bid: 1}
    post: {ric: EUR=, fields: {BID: 1}}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CONTRIBD_CONFIG", raising=False)
    (tmp_path / "first.yaml").write_text(FIRST)
    (tmp_path / "second.yaml").write_text(SECOND)
    path = tmp_path / "contribd.yaml"
    path.write_text(CONFIG)
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["test", *map(str, arguments)])


def test_failure_shows_the_record_what_was_expected_and_got_beside_each_other_and_why(config: Path) -> None:
    result = invoke("-c", config)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"FAILED {config.parent / 'first.yaml'}:11: line 11",
        '    record    {"kind":1,"pair":"EUR","bid":1.1}',
        "              expected  got",
        "    ric       EUR=      EUR=",
        "  ! BID       1.2       1.1",
        "  ! ASK       1.3       -",
        "    because   BID is bid = 1.1 [first.yaml:6:19]",
        "1 failed, 2 passed",
    ]


def test_json_lists_every_test(config: Path) -> None:
    result = invoke("-c", config, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["passed"], report["failed"]) == (2, 1)
    assert [test["passed"] for test in report["tests"]] == [True, False, True]
    assert report["tests"][1]["differences"][0] == {"what": "fields.BID", "expected": "1.2", "got": "1.1"}
    assert report["tests"][1]["record"] == '{"kind":1,"pair":"EUR","bid":1.1}'
    assert report["tests"][1]["because"] == ["BID is bid = 1.1 [first.yaml:6:19]"]
    assert "because" not in report["tests"][0]


def test_files_of_the_configuration_are_tested_with_all_its_mappings(config: Path) -> None:
    result = invoke("-c", config, config.parent / "second.yaml")
    assert (result.exit_code, result.stdout) == (0, "1 passed\n")


def test_file_without_a_configuration_is_tested_by_itself(config: Path) -> None:
    result = invoke(config.parent / "second.yaml")
    assert result.exit_code == 1
    assert "! ric       EUR=      X=" in result.stdout


def test_service_can_be_named_where_there_is_no_configuration(config: Path) -> None:
    file = config.parent / "first.yaml"
    assert "! service   TRCC      SERVICE" in invoke(file).stdout
    assert "1 failed, 1 passed" in invoke(file, "--service", "TRCC").stdout


def test_file_that_the_configuration_does_not_list_is_tested_by_itself_with_its_service(config: Path) -> None:
    other = config.parent / "other.yaml"
    other.write_text(FIRST.partition("  - record")[0])
    result = invoke("-c", config, other)
    assert (result.exit_code, result.stdout) == (0, "1 passed\n")


def test_configuration_named_in_the_environment_is_used(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTRIBD_CONFIG", str(config))
    assert invoke(config.parent / "second.yaml").stdout == "1 passed\n"
    monkeypatch.setenv("CONTRIBD_CONFIG", str(config) + ".not")
    assert isinstance(invoke(config.parent / "second.yaml").exception, ConfigError)


def test_file_with_a_mistake_is_not_tested(config: Path) -> None:
    bad = config.parent / "bad.yaml"
    bad.write_text(FIRST.replace("when: kind == 1", "when: kind = 1"))
    error = invoke(bad).exception
    assert isinstance(error, ConfigError)
    assert str(error).startswith(f"{bad}:4:16: mappings[0].when: '=' is no operator here; write '=='")


def test_file_without_tests_says_so(config: Path) -> None:
    empty = config.parent / "empty.yaml"
    empty.write_text(SECOND.partition("tests:")[0])
    result = invoke(empty)
    assert result.exit_code == 0
    assert result.stdout.startswith("no tests")


CAUSES = """
mappings:
  - name: spot
    when: kind == 1 and not (desk == "x" or tenor in ["a"])
    ric: "{pair}="
    fields: {BID: {from: bid, as: real, round: 2}, MID_PRICE: {from: (bid + ask) / 2, missing: skip}}
    checks: [bid <= ask]
tests:
  - RECORD
    EXPECTED
"""
WHEN = 'kind == 1 and not (desk == "x" or tenor in ["a"])'
POST = "post: {ric: EUR=, fields: {BID: 1}}"


@pytest.mark.parametrize(
    ("record", "expected", "because"),
    [
        ("{kind: 2, desk: z, tenor: b}", POST, "spot does not match: kind == 1 is false (kind 2) [m.yaml:4:11]"),
        ("{kind: 1, desk: x}", POST, 'spot does not match: desk == "x" is true (desk "x") [m.yaml:4:11]'),
        ("{kind: 1}", POST, 'spot does not match: desk == "x" cannot be told: the record has no desk [m.yaml:4:11]'),
        (
            "{kind: 1, desk: z, tenor: b, pair: EUR, bid: 2.345, ask: 1}",
            POST,
            "check bid <= ask is false (bid 2.345, ask 1) [m.yaml:7:14]",
        ),
        (
            "{kind: 1, desk: z, tenor: b, pair: EUR, bid: x, ask: 1}",
            POST,
            "BID is bid = \"x\", as: real: 'x' is not a number [m.yaml:6:26]",
        ),
        (
            "{kind: 1, desk: z, tenor: b, pair: EUR, bid: 2.345, ask: 3}",
            POST,
            "BID is bid = 2.345, round: 2 = 2.34 [m.yaml:6:26]",
        ),
        (
            "{kind: 1, desk: z, tenor: b, pair: EUR, bid: 2, ask: 3}",
            "post: {ric: X=, including: {MID_PRICE: 2}}",
            'ric is pair = "EUR", ric = "EUR=" [m.yaml:5:12]',
        ),
        (
            "{kind: 1, desk: z, tenor: b, pair: EUR, bid: 2, ask: 3}",
            "post: {ric: EUR=, including: {MID_PRICE: 2}}",
            "MID_PRICE is (bid + ask) / 2 = 2.5 (bid 2, ask 3) [m.yaml:6:70]",
        ),
        (
            "{kind: 1, desk: z, tenor: b, pair: EUR, bid: 2, ask: 3}",
            "rejected: CheckFailed",
            "check bid <= ask is true (bid 2, ask 3) [m.yaml:7:14]",
        ),
        (
            "{kind: 1, desk: z, tenor: b, pair: EUR, bid: 2, ask: 3}",
            "ignored: true",
            f'spot takes it: {WHEN} is true (kind 1, desk "z", tenor "b") [m.yaml:4:11]',
        ),
    ],
)
def test_the_nearest_cause_is_told(tmp_path: Path, record: str, expected: str, because: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(CAUSES.replace("RECORD", f"record: {record}").replace("EXPECTED", expected))
    report = json.loads(invoke(file, "--json").stdout)
    assert because in report["tests"][0]["because"]


def test_record_that_is_no_text_does_not_reach_the_terminal_as_it_is(config: Path) -> None:
    bad = config.parent / "bad.yaml"
    bad.write_text(SECOND.partition("tests:")[0] + 'tests: [{value: "a\\e[2Jb", rejected: TooLarge}]')
    assert "record    a\\x1b[2Jb\n" in invoke(bad).stdout
    bad.write_text(SECOND.partition("tests:")[0] + "tests: [{value: {base64: H4sI}, rejected: TooLarge}]")
    assert "record    1f 8b 08\n" in invoke(bad).stdout
    bad.write_text(SECOND.partition("tests:")[0] + "tests: [{value: {size: 3000000}, rejected: BadRecord}]")
    assert "… (3000000 bytes)\n" in invoke(bad).stdout


CURVES = """
mappings:
  - name: curve
    each: points
    ric: "EUR{item.tenor}="
    fields: {BID: item.bid, ASK: item.ask}
    checks: [item.bid <= item.ask]
tests:
  - name: a curve
    record: {points: [{tenor: 1M, bid: 1, ask: 2}, {tenor: 3M, bid: 3, ask: 4}, {tenor: 6M, bid: 2, ask: 1}]}
    posts:
      - {ric: EUR1M=, fields: {BID: 1, ASK: 2}}
      - {ric: EUR3M=, fields: {BID: 3, ASK: 5}}
      - {ric: EUR6M=, rejected: CheckFailed, text: crossed}
      - {ric: EUR9M=, including: {BID: 1}}
"""


def test_a_failure_shows_the_posts_that_differ_under_their_rics(tmp_path: Path) -> None:
    (tmp_path / "curves.yaml").write_text(CURVES)
    done = invoke(tmp_path / "curves.yaml")
    assert done.exit_code == 1
    shown = done.stdout.splitlines()
    assert shown[:2] == [
        f"FAILED {tmp_path / 'curves.yaml'}:9: a curve",
        (
            '    record    {"points":[{"tenor":"1M","bid":1,"ask":2},{"tenor":"3M","bid":3,"ask":4},'
            '{"tenor":"6M","bid":2,"ask":1}]}'
        ),
    ]
    assert shown[2:11] == [
        "               expected          got",
        "    EUR3M=",
        "      BID      3                 3",
        "  !   ASK      5                 4",
        "    EUR6M=",
        "  !   text     … crossed …       points[2]: item.bid <= item.ask is false (item.bid 2, item.ask 1)",
        "    EUR9M=",
        "  !   outcome  a post to EUR9M=  -",
        "    1 other post as expected",
    ]
    assert shown[-1] == "1 failed, 0 passed"


def test_json_names_the_post_of_each_difference(tmp_path: Path) -> None:
    (tmp_path / "curves.yaml").write_text(CURVES)
    [test] = json.loads(invoke(tmp_path / "curves.yaml", "--json").stdout)["tests"]
    assert test["differences"] == [
        {"post": "EUR3M=", "what": "fields.ASK", "expected": "5", "got": "4"},
        {
            "post": "EUR6M=",
            "what": "text",
            "expected": "… crossed …",
            "got": "points[2]: item.bid <= item.ask is false (item.bid 2, item.ask 1)",
        },
        {"post": "EUR9M=", "what": "outcome", "expected": "a post to EUR9M=", "got": "-"},
    ]
