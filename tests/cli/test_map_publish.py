"""``contribd map`` asks the publish rules of records in a row, at a time that can be said."""

import json
from pathlib import Path

import pytest
from tests.cli.map_command import run, written

MAPPING = """
mappings:
  - name: spot
    ric: "{pair}="
    fields: {BID: bid}
    publish: {min_change: {BID: 0.01}, max_move: {BID: 5%}, hours: "Mon-Fri 07:00-18:00 Europe/London"}
"""
MONDAY = ("--at", "2026-11-30T10:00:00Z")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written(tmp_path, MAPPING)


def lines(*bids: float) -> bytes:
    return "".join(json.dumps({"pair": "EUR", "bid": bid}) + "\n" for bid in bids).encode()


def test_what_is_not_worth_a_post_says_why(config: Path) -> None:
    result = run(config, *MONDAY, sent=lines(1.08, 1.085, 1.2, 1.09))
    told = result.stdout.splitlines()
    assert result.exit_code == 0
    assert told[1].startswith("2: SUPPRESSED Unchanged: too small a change; BID 1.085 (last posted 1.08")
    assert told[2].startswith("3: SUPPRESSED TooFar: BID 1.2 is 0.12 (11.1 %) from 1.08")
    assert "4 records: 2 posted, 0 rejected, 2 suppressed" in result.stderr


def test_a_record_arrives_at_the_time_that_is_said_or_when_it_is_stamped(config: Path) -> None:
    assert "OutOfHours" in run(config, "--at", "2026-11-29T10:00:00Z", sent=lines(1)).stdout
    stamped = b'{"@timestamp": "2026-11-29T10:00:00Z", "@value": {"pair": "EUR", "bid": 1}}\n'
    assert "OutOfHours" in run(config, sent=stamped).stdout
    assert "OutOfHours" not in run(config, *MONDAY, sent=stamped).stdout


def test_json_has_the_code_and_the_text(config: Path) -> None:
    told = json.loads(run(config, "--json", *MONDAY, sent=lines(1, 1)).stdout.splitlines()[1])
    assert told["suppressed"] == {
        "code": "Unchanged",
        "text": "nothing has changed",
        "ric": "EUR=",
        "service": "TRCC",
        "mapping": "spot",
        "fields": {"BID": 1},
    }


def test_an_explanation_ends_with_it(config: Path) -> None:
    told = run(config, "--explain", *MONDAY, sent=lines(1, 1)).stdout
    assert "suppressed Unchanged: nothing has changed" in told


def test_a_time_that_is_none_is_told(config: Path) -> None:
    assert run(config, "--at", "yesterday", sent=b"").exit_code == 2
