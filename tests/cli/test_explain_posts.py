"""Explanations, causes and coverage of records that make several posts: post by post."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.map_command import run, written
from typer.testing import CliRunner

from contribd.cli import app

MAPPING = """
mappings:
  - name: curve
    when: type == "curve"
    each: points
    let: {mid: (item.bid + item.ask) / 2}
    ric: "EUR{item.tenor}="
    posts:
      - fields: {BID: item.bid, MID: {from: mid, round: 1}}
        checks: [item.bid <= item.ask]
      - when: mid > 2
        ric: PAGE{index}
        service: PAGES
        fields: {ROW: item.tenor}
tests:
"""
RECORD = {
    "type": "curve",
    "points": [{"tenor": "1M", "bid": 1, "ask": 2}, {"tenor": "2M", "bid": 3, "ask": 2}, {"tenor": "3M", "Bid": 1}],
}
ALL_POSTED = {"type": "curve", "points": [{"tenor": f"{at}M", "bid": at, "ask": at + 1} for at in (1, 5)]}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written(tmp_path, MAPPING.replace("tests:\n", ""))


def invoke(config: Path, *arguments: str, record: Any = None) -> list[str]:
    return run(config, *arguments, sent=json.dumps(record).encode()).stdout.splitlines()


def test_each_post_is_explained_by_itself(config: Path) -> None:
    lines = [" ".join(line.split()) for line in invoke(config, "--explain", record=RECORD)[2:]]
    posted = [line for line in lines if line.startswith("posted ")]
    assert [json.loads(line[7:])["Key"]["Name"] for line in posted] == ["EUR1M=", "PAGE1"]
    assert lines[:3] == ["mapping curve: taken", 'when type "curve"', 'type == "curve" true']
    assert lines[3].startswith('each points [{"tenor":"1M"')
    assert lines[4:18] == [
        "points[0], posts[0]",
        "let mid item.bid 1",
        "item.ask 2",
        "item.bid + item.ask 3",
        "(item.bid + item.ask) / 2 1.5",
        'ric item.tenor "1M"',
        'ric "EUR1M="',
        "BID item.bid 1",
        "MID mid 1.5",
        "round: 1 1.5",
        "check item.bid 1",
        "item.ask 2",
        "item.bid <= item.ask true",
        posted[0],
    ]
    at = lines.index("points[0], posts[1]: not made: mid > 2 is false (mid 1.5)")
    assert lines[at + 1 : at + 8] == [
        *lines[5:9],
        "when mid 1.5",
        "mid > 2 false",
        "points[1], posts[0]",
    ]
    assert lines[-6:] == [
        f"at {config.parent / 'm.yaml'}:9:23",
        "points[2], posts[1]",
        "let mid item.bid item has no bid",
        "when mid mid: item has no bid",
        "rejected MissingField: points[2], posts[1]: when: mid: item has no bid; it has item.Bid",
        f"at {config.parent / 'm.yaml'}:11:15",
    ]


def test_a_list_that_is_none_is_where_the_explanation_ends(config: Path) -> None:
    lines = invoke(config, "--explain", record={"type": "curve", "points": {"1M": 1}})
    assert [" ".join(line.split()) for line in lines[-3:]] == [
        'each points {"1M":1}',
        "rejected BadValue: each: it takes a list, and points is an object; write entries(points)",
        f"at {config.parent / 'm.yaml'}:5:11",
    ]


def test_many_posts_that_are_not_made_are_counted(config: Path) -> None:
    points = [{"tenor": f"{at}M", "bid": 0, "ask": 1} for at in range(30)]
    lines = invoke(config, "--explain", record={"type": "curve", "points": points})
    assert sum(": not made: " in line for line in lines) == 20
    assert lines[-1] == "  and 10 more that are not made"


def test_json_has_the_way_of_each_post_and_once_what_is_of_the_record(config: Path) -> None:
    lines = [json.loads(line) for line in invoke(config, "--explain", "--json", record=RECORD)]
    assert [line["places"] for line in lines] == [
        ["points[0], posts[0]"],
        ["points[1], posts[0]"],
        ["points[1], posts[1]"],
        ["points[2], posts[0]"],
        ["points[2], posts[1]"],
    ]
    assert [[each["what"] for each in line["computed"]] for line in lines[:3]] == [
        ["each", "let mid", "ric", "BID", "MID", "check"],
        ["let mid", "ric", "BID", "MID", "check"],
        ["let mid", "when", "ric", "ROW"],
    ]
    why = ["mid > 2 is false (mid 1.5)"]
    assert lines[0]["not_made"] == [{"place": "points[0], posts[1]", "why_not": why}]
    assert not any("not_made" in line for line in lines[1:])


def test_posts_with_the_same_ric_are_explained_both(config: Path) -> None:
    record = {"type": "curve", "points": [{"tenor": "1M", "bid": 1, "ask": 2}] * 2}
    (line,) = [json.loads(line) for line in invoke(config, "--explain", "--json", record=record)]
    assert line["places"] == ["points[0], posts[0]", "points[1], posts[0]"]
    assert line["rejected"]["code"] == "BadValue"
    text = "\n".join(invoke(config, "--explain", record=record))
    assert text.count("rejected BadValue: posts 0 and 1 of the record have the same RIC") == 2


def run_cases(folder: Path, *cases: dict[str, Any], arguments: tuple[str, ...] = ()) -> str:
    file = folder / "curve.yaml"
    file.write_text(MAPPING + "".join(f"  - {json.dumps(case)}\n" for case in cases))
    return CliRunner().invoke(app, ["test", *arguments, str(file)]).stdout


def causes(folder: Path, **case: Any) -> list[str]:
    text = run_cases(folder, {"record": RECORD, **case})
    lines = [line.strip() for line in text[text.index("because") + 7 :].splitlines()]
    return lines[: lines.index("1 failed, 0 passed")]


def test_why_a_post_came_out_otherwise(tmp_path: Path) -> None:
    including = [
        {"ric": "EUR1M=", "including": {"MID": 9}},
        {"ric": "EUR2M=", "including": {"MID": 2}},
        {"ric": "EUR3M=", "including": {"MID": 2}},
        {"ric": "PAGE0", "including": {"ROW": "1M"}},
    ]
    assert causes(tmp_path, posts={"including": including}) == [
        "points[0], posts[0]: MID is mid = 1.5 [curve.yaml:9:45]",
        "points[0], posts[1]: not made: mid > 2 is false (mid 1.5) [curve.yaml:11:15]",
        "points[1], posts[0]: check item.bid <= item.ask is false (item.bid 3, item.ask 2) [curve.yaml:10:18]",
        "points[2], posts[0]: BID is item.bid: item has no bid [curve.yaml:9:23]",
    ]


def test_why_a_record_makes_posts_though_none_was_expected(tmp_path: Path) -> None:
    found = causes(tmp_path, record=ALL_POSTED, rejected="CheckFailed")
    assert found[0].startswith('curve takes it: type == "curve" is true')
    assert "points[1], posts[1]: when mid > 2 is true (mid 5.5) [curve.yaml:11:15]" in found
    assert (
        "points[0], posts[0]: check item.bid <= item.ask is true (item.bid 1, item.ask 2) [curve.yaml:10:18]" in found
    )


def test_why_a_record_of_one_post_came_out_otherwise(tmp_path: Path) -> None:
    record = {"type": "curve", "points": RECORD["points"][:1]}
    post = {"ric": "EUR1M=", "including": {"BID": 2}}
    assert causes(tmp_path, record=record, post=post) == ["points[0], posts[0]: BID is item.bid = 1 [curve.yaml:9:23]"]


def left(folder: Path, *records: dict[str, Any]) -> list[str]:
    cases = [{"record": record, "posts": {"including": [{"ric": "X", "rejected": "BadValue"}]}} for record in records]
    report = json.loads(run_cases(folder, *cases, arguments=("--coverage", "--json")))["coverage"]
    return [f"{each['line']}:{each['column']} {each['what']}" for each in report["uncovered"]]


def test_what_of_the_posts_no_test_tries(tmp_path: Path) -> None:
    low, high = ({"tenor": f"{bid}M", "bid": bid, "ask": 4} for bid in (0, 1))
    other = {"type": "other"}
    several = "5:11 points never has several elements"
    check = "10:18 the check item.bid <= item.ask never fails"
    assert left(tmp_path, other, {"type": "curve", "points": [low]}) == [
        several,
        check,
        "11:9 posts[1] is never posted",
        "11:15 mid > 2 is never true",
        "14:18 ROW is never posted",
    ]
    assert left(tmp_path, other, {"type": "curve", "points": [high]}) == [
        several,
        check,
        "11:15 mid > 2 is never false",
    ]
    assert left(tmp_path, other, {"type": "curve", "points": [low, high, {**low, "tenor": "5M", "bid": 5}]}) == []


def test_what_stands_beside_posts_is_tried_where_one_of_them_tries_it(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("""\
mappings:
  - name: m
    fields: {BID: {from: bid, missing: skip}, ASK: ask}
    checks: [ask > 0]
    posts: [{ric: A=}, {ric: B=, when: bid > 0}]
tests:
  - {record: {bid: 0, ask: 1}, rejected: BadValue}
  - {record: {ask: 1}, rejected: BadValue}
""")
    report = json.loads(CliRunner().invoke(app, ["test", "--coverage", "--json", str(file)]).stdout)["coverage"]
    assert [each["what"] for each in report["uncovered"]] == [
        "the check ask > 0 never fails",
        "posts[1] is never posted",
        "bid > 0 is never true",
    ]
    assert report["total"] == 10
