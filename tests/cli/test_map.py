"""``contribd map``: the exact posts, or why there is none."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.map_command import run, written
from typer.testing import Result

MAPPING = """
mappings:
  - name: spot
    ric: "{pair}=TRCC"
    fields: {BID: bid, ASK: {from: ask, round: 5}}
    checks: [bid <= ask]
"""
RECORDS = b"""{"pair":"EUR","bid":1.1,"ask":0.0000012}

{"pair":"EUR","bid":0.00000010,"ask":1.2}
not JSON
{"pair":"GBP","bid":1,"ask":null}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written(tmp_path, MAPPING)


def invoke(config: Path, *arguments: str, records: bytes = RECORDS) -> Result:
    return run(config, *arguments, sent=records)


def test_post_is_the_message_that_the_daemon_sends(config: Path) -> None:
    result = invoke(config, records=b'{"pair":"EUR","bid":1.1,"ask":1.2}')
    assert result.exit_code == 0
    assert result.stdout == (
        '1: {"ID":1,"Type":"Post","Domain":"MarketPrice","Ack":true,"PostID":1,'
        '"PostUserInfo":{"Address":"10.0.0.1","UserID":256},"Key":{"Name":"EUR=TRCC","Service":"TRCC"},'
        '"Message":{"ID":0,"Type":"Update","Domain":"MarketPrice","Key":{"Name":"EUR=TRCC","Service":"TRCC"},'
        '"Fields":{"BID":1.1,"ASK":1.20000}}}\n'
    )


def test_rejections_say_why_and_the_exit_code_is_1(config: Path) -> None:
    result = invoke(config)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["1", "3", "4", "5"]
    assert lines[0] == "1: REJECTED CheckFailed: bid <= ask is false (bid 1.1, ask 0.0000012) [spot, EUR=TRCC]"
    assert '"BID":0.00000010' in lines[1]
    assert lines[2].startswith("4: REJECTED BadRecord: the record is not JSON")
    assert "REJECTED BadValue: check bid <= ask: '<=' compares" in lines[3]
    assert result.stderr == "4 records: 1 posted, 3 rejected\n"


def test_json_lines_hold_the_same(config: Path) -> None:
    result = invoke(config, "--json")
    assert result.exit_code == 1
    lines: list[dict[str, Any]] = [json.loads(line, parse_float=Decimal) for line in result.stdout.splitlines()]
    assert [line["line"] for line in lines] == [1, 3, 4, 5]
    assert lines[1]["post"]["PostID"] == 1
    assert lines[0]["rejected"]["code"] == "CheckFailed"
    assert lines[0]["rejected"]["fields"] == {"BID": Decimal("1.1"), "ASK": Decimal(0)}
    assert lines[2]["rejected"] == {
        "code": "BadRecord",
        "text": lines[2]["rejected"]["text"],
        "ric": None,
        "service": None,
        "mapping": None,
        "fields": None,
    }


def test_records_are_read_from_a_file_or_from_standard_input(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_bytes(RECORDS)
    assert invoke(config, str(file), records=b"").stdout == invoke(config).stdout == invoke(config, "-").stdout


def test_no_records_are_no_failure(config: Path) -> None:
    result = invoke(config, records=b"\n")
    assert (result.exit_code, result.stdout) == (0, "")


def test_file_that_is_not_there_is_a_usage_error(config: Path) -> None:
    assert invoke(config, "no-such-file").exit_code == 2


def test_ignored_records_are_told_and_no_failure(config: Path) -> None:
    heartbeat = "  - {name: heartbeat, when: beat == 1, ignore: true}\n"
    (config.parent / "m.yaml").write_text(MAPPING.replace("mappings:\n", f"mappings:\n{heartbeat}"))
    result = invoke(config, records=b'{"beat":1}')
    assert result.exit_code == 0
    assert result.stdout == "1: IGNORED: mapping heartbeat: such records are not for posting\n"
    assert "1 records: 0 posted, 0 rejected, 1 ignored" in result.stderr
    shown = json.loads(invoke(config, "--json", records=b'{"beat":1}').stdout)
    assert shown == {
        "line": 1,
        "ignored": {"text": "mapping heartbeat: such records are not for posting", "mapping": "heartbeat"},
    }


SEVERAL = """
mappings:
  - name: curve
    when: exists(points)
    each: points
    ric: "EUR{item.tenor}="
    fields: {BID: item.bid}
  - name: pair
    when: exists(pair)
    posts:
      - {ric: "{pair}=", fields: {BID: bid}}
      - {ric: PAGE, service: PAGES, fields: {ROW64_3: 'pad_right(pair, 10)'}}
  - {name: rest, ignore: true}
"""
CURVE = b'{"points":[{"tenor":"1M","bid":1.10},{"tenor":"3M"},{"tenor":"6M","bid":3}]}'


def test_a_record_with_several_posts_has_a_line_for_each(tmp_path: Path) -> None:
    result = invoke(written(tmp_path, SEVERAL), records=CURVE + b'\n{"pair":"JPY","bid":1}\n{}\n')
    lines = result.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["1 0/3", "1 1/3", "1 2/3", "2 0/2", "2 1/2", "3"]
    assert '"PostID":1,' in lines[0]
    assert '"Key":{"Name":"EUR1M=","Service":"TRCC"}' in lines[0]
    assert lines[1] == "1 1/3: REJECTED MissingField: points[1]: BID: item has no bid [curve, EUR3M=]"
    assert '"PostID":2,' in lines[2]
    assert '"Key":{"Name":"PAGE","Service":"PAGES"}' in lines[4]
    assert result.stderr == "3 records with 5 posts: 4 posted, 1 rejected, 1 ignored\n"
    assert result.exit_code == 1


def test_json_lines_say_which_post_of_the_record_they_are(tmp_path: Path) -> None:
    config = written(tmp_path, SEVERAL)
    result = invoke(config, "--json", records=CURVE + b'\n{"points":[{"tenor":"1M","bid":1}]}')
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(each["line"], each.get("part"), each.get("parts")) for each in found] == [
        (1, 0, 3),
        (1, 1, 3),
        (1, 2, 3),
        (2, None, None),
    ]
    assert found[0]["post"]["Key"] == {"Name": "EUR1M=", "Service": "TRCC"}
    assert found[1]["rejected"] == {
        "code": "MissingField",
        "text": "points[1]: BID: item has no bid",
        "ric": "EUR3M=",
        "service": "TRCC",
        "mapping": "curve",
        "fields": {},
    }
    assert "part" not in found[3]
    assert result.exit_code == 1


def test_a_record_all_of_whose_posts_can_be_posted_is_a_success(tmp_path: Path) -> None:
    assert invoke(written(tmp_path, SEVERAL), records=b'{"pair":"JPY","bid":1}').exit_code == 0
