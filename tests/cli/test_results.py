"""``contribd results`` from its command line to its output; the topic itself is read in tests/streams."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.results.made_results import POST, RESULT, SOURCE, result_value
from typer.testing import CliRunner
from typer.testing import Result as Run

from contribd.cli import app
from contribd.cli import results as command
from contribd.cli.result_views import lines
from contribd.config.errors import ConfigError
from contribd.results.filters import Filters
from contribd.results.reader import AuditError, Bounds, StoredResult, UnreadableResult
from contribd.results.result import decode_result

CONFIG = """
kafka: {bootstrap_servers: "kafka1:9092,kafka2:9092", results: my-results, client: {security_protocol: PLAINTEXT}}
ads: {endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}
mappings: [fx.yaml]
"""
MAPPING = """
mappings:
  - name: fx
    desk: FX
    ric: "{pair}=TRCC"
    fields: {BID: bid}
"""
CARRIED = {"topic": "prices", "partition": 3, "offset": 1815, "timestamp": None, "key": None}
VALUES = (
    result_value(),
    result_value(
        status="NAK",
        code="SymbolUnknown",
        text="F44: Unable to\nfind \x1b[31mitem",
        posts=[{**POST, "answer": "NAK"}, {**POST, "answered_at": "2026-11-22T10:15:32.400000Z", "answer": "NAK"}],
    ),
    result_value(status="CONFLATED", posts=[], carried_by=CARRIED),
)


class ResultsTopic:
    """Stands for the results topic: gives its results, and keeps what it was asked."""

    def __init__(self, *values: bytes, unreadable: int = 0, failure: str | None = None, fits: bool = True) -> None:
        self.values = values
        self.unreadable = unreadable
        self.failure = failure
        self.fits = fits
        self.asked: tuple[Any, ...] = ()
        self.closed = False

    def read(
        self,
        bootstrap: Any,
        topic: str,
        filters: Filters,
        client: Any,
        *,
        follow: bool,
        on_unreadable: Callable[[UnreadableResult], None],
        on_bounds: Callable[[Bounds], None],
    ) -> Iterator[StoredResult]:
        self.asked = (list(bootstrap), topic, filters, dict(client), follow)
        if self.failure:
            raise AuditError(self.failure)
        on_bounds({0: (5, 5), 1: (0, len(self.values))})
        try:
            for number in range(self.unreadable):
                on_unreadable(UnreadableResult(topic, 0, 90 + number, "not a result: \x1b[2J"))
            for number, value in enumerate(self.values if self.fits else ()):
                yield StoredResult(decode_result(value), topic, 1, number, value)
        finally:
            self.closed = True


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """Runs the command against a topic with its arguments."""
    (tmp_path / "contribd.yaml").write_text(CONFIG)
    (tmp_path / "fx.yaml").write_text(MAPPING)
    # The log is the process's; it is not under test here.
    monkeypatch.setattr(command, "configure", lambda *args, **kwargs: None)  # noqa: ARG005 - any arguments

    def run(topic: ResultsTopic, *arguments: str) -> Run:
        monkeypatch.setattr(command, "read_results", topic.read)
        return CliRunner().invoke(app, ["results", "-c", str(tmp_path / "contribd.yaml"), *arguments])

    return run


def test_each_result_is_a_line_with_time_status_ric_code_record_latency_and_text(run: Callable[..., Run]) -> None:
    done = run(ResultsTopic(*VALUES))
    assert done.exit_code == 0, done.output
    rows = [row.split() for row in done.stdout.splitlines()]
    assert rows[0] == ["2026-11-22T10:15:30.226Z", "ACK", "EUR=TRCC", "-", "prices:3:1812", "25.0", "ms"]
    assert rows[1][1:8] == ["NAK", "EUR=TRCC", "SymbolUnknown", "prices:3:1812", "2.20", "s", "F44:"]
    assert rows[2][1] == "CONFLATED"
    assert rows[2][-3:] == ["carried", "by", "prices:3:1815"]


def test_results_of_one_of_several_posts_say_which_one(run: Callable[..., Run]) -> None:
    place = {"part": 3, "parts": 40}
    values = (
        result_value(source={**SOURCE, **place}),
        result_value(status="CONFLATED", posts=[], source={**SOURCE, **place}, carried_by={**CARRIED, **place}),
        result_value(),
    )
    shown = [row.split() for row in run(ResultsTopic(*values)).stdout.splitlines()]
    assert shown[0][4:6] == ["prices:3:1812", "3/40"]
    assert shown[1][-4:] == ["carried", "by", "prices:3:1815", "3/40"]
    rows = list(csv.DictReader(io.StringIO(run(ResultsTopic(*values), "--csv").stdout)))
    columns = ("source", "source_part", "source_parts", "carried_by", "carried_by_part")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("prices:3:1812", "3", "40", "", ""),
        ("prices:3:1812", "3", "40", "prices:3:1815", "3"),
        ("prices:3:1812", "", "", "", ""),
    ]
    first = json.loads(run(ResultsTopic(*values), "--json").stdout.splitlines()[0])
    assert first["source"] == {**SOURCE, **place}
    assert "3 results (2 of them of records with several posts)," in run(ResultsTopic(*values), "--summary").stdout


def test_what_an_answer_means_is_shown_behind_it(run: Callable[..., Run]) -> None:
    hint = {"meaning": "It is not there.", "cause": "c", "owner": "the desk", "cure": "Make it."}
    topic = ResultsTopic(result_value(status="NAK", code="NotOpen", text="no", hint=hint), result_value())
    first, second = run(topic).stdout.splitlines()
    assert first.endswith("no  (It is not there. Who can cure it: the desk. Make it.)")
    assert second.endswith("25.0 ms")
    columns = ("hint_meaning", "hint_owner", "hint_cure")
    rows = list(csv.DictReader(io.StringIO(run(topic, "--csv").stdout)))
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("It is not there.", "the desk", "Make it."),
        ("", "", ""),
    ]


def test_text_of_the_ads_cannot_drive_the_terminal_or_break_the_line(run: Callable[..., Run]) -> None:
    done = run(ResultsTopic(*VALUES, unreadable=1))
    assert "\x1b" not in done.output
    assert len(done.stdout.splitlines()) == 3
    assert r"Unable to\nfind \x1b[31mitem" in done.stdout


def test_statuses_are_coloured_on_a_terminal() -> None:
    screen = io.StringIO()
    view = lines(Console(file=screen, force_terminal=True, color_system="standard", soft_wrap=True, highlight=False))
    view(StoredResult(decode_result(VALUES[0]), "r", 0, 0, VALUES[0]))
    assert "\x1b[32mACK" in screen.getvalue()


def test_json_is_what_was_stored_and_where(run: Callable[..., Run]) -> None:
    exact = result_value(fields={"BID": "@"}).replace(b'"@"', b"123456789012345.12345678901234")
    pretty = json.dumps(json.loads(VALUES[1]), indent=2).encode()
    done = run(ResultsTopic(exact, pretty), "--json")
    first, second = done.stdout.splitlines()
    assert "123456789012345.12345678901234" in first
    assert json.loads(second) == {
        **json.loads(VALUES[1]),
        "stored": {"topic": "my-results", "partition": 1, "offset": 1},
    }


def test_csv_has_a_row_of_names_and_a_row_a_result(run: Callable[..., Run]) -> None:
    done = run(ResultsTopic(*VALUES), "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["status"] for row in rows] == ["ACK", "NAK", "CONFLATED"]
    assert rows[0]["settled_at"] == "2026-11-22T10:15:30.226000Z"
    assert rows[0]["fields"] == '{"BID":1.08412,"ASK":1.08415}'
    assert rows[0]["stored"] == "my-results:1:0"
    assert rows[1]["text"] == "F44: Unable to\nfind \x1b[31mitem"
    assert (rows[1]["posts"], rows[1]["ack_seconds"]) == ("2", "2.2")
    assert rows[2]["carried_by"] == "prices:3:1815"
    assert rows[2]["delivery_seconds"] == ""


def test_a_summary_counts_per_status_and_code_with_latencies(run: Callable[..., Run]) -> None:
    done = run(ResultsTopic(*VALUES, VALUES[0]), "--summary")
    text = [row.split() for row in done.stdout.splitlines()]
    assert text[0][:2] == ["4", "results,"]
    assert text[1] == ["ACK", "2", "50.00%"]
    assert ["NAK", "SymbolUnknown", "1", "25.00%"] in text
    assert "p50 25.0 ms" in done.stdout
    assert "max 2.20 s" in done.stdout
    document = json.loads(run(ResultsTopic(*VALUES), "--summary", "--json").stdout)
    assert document["results"] == 3
    assert {"status": "NAK", "code": "SymbolUnknown", "count": 1} in document["counts"]
    assert document["ack_seconds"]["count"] == 2
    assert document["ack_seconds"]["p99"] == pytest.approx(2.2)


def test_a_summary_of_nothing_is_a_summary(run: Callable[..., Run]) -> None:
    assert run(ResultsTopic(), "--summary").stdout == "0 results; 0 posts\n"


def test_a_limit_stops_reading_and_lets_the_topic_go(run: Callable[..., Run]) -> None:
    topic = ResultsTopic(*VALUES)
    assert len(run(topic, "-n", "2").stdout.splitlines()) == 2
    assert topic.closed


def test_the_filters_and_the_configuration_reach_the_reader(run: Callable[..., Run]) -> None:
    topic = ResultsTopic()
    arguments = ["--ric", "EUR=*", "--ric", "GBP=*", "--status", "nak", "--code", "SymbolUnknown"]
    run(topic, *arguments, "--offset", "prices:3:1812", "--since", "2026-11-22", "--until", "2026-11-23", "-f")
    brokers, name, filters, client, follow = topic.asked
    assert (brokers, name, follow) == (["kafka1:9092", "kafka2:9092"], "my-results", True)
    assert client == {"security_protocol": "PLAINTEXT"}
    assert filters.predicate()(decode_result(result_value())) is False
    assert filters.rics == ("EUR=*", "GBP=*")
    assert filters.sources == {"prices:3:1812"}
    assert str(filters.since) == "2026-11-22 00:00:00+00:00"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--status", "maybe"], "expected one of ACK"),
        (["--since", "yesterday"], "expected ISO 8601"),
        (["--offset", "prices"], "topic:partition:offset"),
        (["--csv", "--json"], "leave out --json"),
        (["--follow", "--summary"], "leave out --follow"),
        (["--steps", "--json"], "with --steps"),
        (["--limit", "0"], "--limit"),
    ],
)
def test_wrong_usage_is_told_and_exits_2(run: Callable[..., Run], arguments: list[str], said: str) -> None:
    done = run(ResultsTopic(*VALUES), *arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


def test_a_topic_that_cannot_be_read_exits_1_with_one_line(run: Callable[..., Run]) -> None:
    done = run(ResultsTopic(failure="there is no topic my-results"), "--json")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "there is no topic my-results\n")


def test_a_record_that_is_no_result_is_told_and_exits_1_and_the_rest_is_shown(run: Callable[..., Run]) -> None:
    done = run(ResultsTopic(*VALUES, unreadable=2))
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == len(VALUES)
    assert done.stderr.splitlines()[0] == r"my-results:0:90: not a result: \x1b[2J"


def test_steps_tell_what_became_of_a_record_with_times(run: Callable[..., Run]) -> None:
    done = run(ResultsTopic(*VALUES), "--steps")
    first, second, third = done.stdout.strip().split("\n\n")
    assert first.splitlines()[0] == "ACK         EUR=TRCC  prices:3:1812"
    assert [line.split("  ")[-1].strip() for line in first.splitlines()[1:]] == [
        "record prices:3:1812, key EURUSD: its timestamp",
        "consumed and mapped by fx-spot: EUR=TRCC of service TRCC",
        f"Update with PostID {POST['post_id']} to {POST['endpoint']}, session {POST['session']}",
        "ACK",
        "ACK; the result is my-results:1:0, by pricing-host-1, contribd 0.1.0, rules c0ffee",
    ]
    assert "+25.0 ms  ACK" in first
    assert second.count("with PostID") == 2
    assert "merged into a newer price: the post of prices:3:1815 carried it" in third


def test_how_far_it_looked_is_said_to_people_alone(run: Callable[..., Run]) -> None:
    assert run(ResultsTopic(*VALUES)).stderr == "looked at my-results:1:0..2\n"
    done = run(ResultsTopic(*VALUES, fits=False), "--offset", "prices:0:999")
    assert (done.stdout, done.stderr) == ("", "no result; looked at my-results:1:0..2\n")
    assert run(ResultsTopic(), "--summary").stderr == "no result; looked at nothing: my-results has no such records\n"
    assert run(ResultsTopic(*VALUES), "--json").stderr == ""


def test_mappings_desks_and_post_ids_reach_the_reader(run: Callable[..., Run]) -> None:
    topic = ResultsTopic()
    run(topic, "--mapping", "gold", "--desk", "FX", "--post", "7", "--post", "0")
    filters = topic.asked[2]
    assert (filters.mappings, filters.posts) == ({"gold", "fx"}, {7, 0})
    done = run(topic, "--desk", "Metals")
    assert done.exit_code == 2
    assert "no mapping is of desk 'Metals'; desks there are: FX" in " ".join(done.stderr.split())


def test_a_mistake_elsewhere_in_the_configuration_keeps_nobody_from_reading(
    run: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "fx.yaml").write_text(MAPPING.replace("BID: bid", "BID: bid +"))
    done = run(ResultsTopic(*VALUES))
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, len(VALUES))
    assert "1 problem in the configuration, first: " in done.stderr
    assert "results are read all the same" in done.stderr


def test_a_mistake_in_what_says_where_results_are_is_told(run: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "contribd.yaml").write_text(CONFIG.replace("results: my-results", "result: my-results"))
    done = run(ResultsTopic(*VALUES))
    assert isinstance(done.exception, ConfigError)
    assert done.stdout == ""


def test_the_sample_result_is_whole() -> None:
    assert set(json.loads(VALUES[0])) == set(RESULT)
