"""What ``contribd top`` says of a daemon, from its own status documents."""

import json
from typing import Any

import pytest
from tests.terminal.statuses import STARTED, answer, at, status

from contribd.terminal.picture import Picture
from contribd.terminal.top_model import TopModel
from contribd.terminal.totals import Answer

URL = "http://daemon:9820"


def model(*answers: Answer) -> TopModel:
    made = TopModel(URL)
    for each in answers:
        made.take(each)
    return made


def head(picture: Picture) -> list[str]:
    return ["".join(piece.text for piece in line) for line in picture.head]


def table(picture: Picture, name: str) -> list[tuple[Any, ...]]:
    return [row.values for row in picture.rows[name]]


def running() -> TopModel:
    """Ten seconds of 100 results a second, one in a hundred refused."""
    first = answer(at(0, 0), STARTED, memory_bytes=64 * 2**20, cpu_seconds=1.0)
    return model(first, answer(at(10, 990, 10), STARTED + 10, memory_bytes=65 * 2**20, cpu_seconds=3.0))


def test_the_lines_on_top_say_what_it_does_and_how_fast() -> None:
    lines = head(running().picture(STARTED + 10))
    assert lines[0].startswith("pricing-host-1  ")
    assert "session open" in lines[1]
    assert "TRCC Up, OTHER Down" in lines[1]
    assert "results    100/s" in lines[2]
    assert "refused 1.0 %" in lines[2]
    assert lines[3].startswith("ack p50 5.0 ms p99 9.9 ms   delivery p50")
    assert lines[3].endswith("1.2.3, rules c0ffeec0")
    assert lines[4] == "unanswered 7 of 500  waiting 12  lag 40  memory 65 MiB  CPU 20.0 %  up 10 s"


def test_every_line_on_top_fits_eighty_columns() -> None:
    assert [line for line in head(running().picture(STARTED + 10))[2:] if len(line) > 80] == []


def test_the_tables_hold_counts_rates_and_shares() -> None:
    picture = running().picture(STARTED + 10)
    assert table(picture, "results") == [
        ("ACK", None, 990, pytest.approx(99), pytest.approx(0.99)),
        ("NAK", "SymbolUnknown", 10, pytest.approx(1), pytest.approx(0.01)),
    ]
    assert table(picture, "partitions") == [("prices", 0, 40, 12, pytest.approx(100), 1000, 990, False)]
    assert table(picture, "posts") == [("Update", "ACK", 990), ("Update", "NAK", 10)]


def test_endpoints_and_services_say_what_is_wrong_with_them() -> None:
    picture = model(answer(status(), STARTED)).picture(STARTED)
    assert table(picture, "session") == [
        ("endpoint", "ws://ads1:15000/WebSocket", "not in use", 2, "timeout 2"),
        ("endpoint", "ws://ads2:15000/WebSocket", "open", 2, "timeout 1, login refused 1"),
        ("service", "TRCC", "Up", None, None),
        ("service", "OTHER", "Down or unknown", None, None),
    ]


def test_what_is_wrong_is_told_ric_by_ric() -> None:
    picture = model(answer(status(), STARTED)).picture(STARTED)
    assert [row[:5] for row in table(picture, "wrong")] == [
        ("TRY=TRCC", "refused", "DeniedBySrc: [500]: Unknown Item", pytest.approx(30.5), "prices:0:1799"),
        ("EUR=X", "isolated", "posted by itself (offender, 3 sessions ended by its posts)", None, None),
        ("CHF=TRCC", "silent", None, pytest.approx(90.5), "prices:1:4"),
    ]


def test_where_more_rics_are_wrong_than_are_named_it_is_said() -> None:
    lines = head(model(answer(status(wrong_counts=(("refused", 240),)), STARTED)).picture(STARTED))
    assert lines[5] == "! 240 RICs are wrong now, of which 3 are named"


def test_the_verdict_is_told_first() -> None:
    [first, *_] = head(model(answer(status(), STARTED)).picture(STARTED))
    assert first.startswith("pricing-host-1  DEGRADED service OTHER is")
    assert first.endswith(", since 22:14:20Z")
    [first, *_] = head(model(answer(status(stopping=True), STARTED)).picture(STARTED))
    assert first.startswith("pricing-host-1  STOPPING waiting for the answers to 7 posts")


def test_warnings_are_told_and_further_ones_counted() -> None:
    lines = head(model(answer(status(warnings=("a", "b", "c")), STARTED)).picture(STARTED))
    assert lines[-3:] == ["! a", "! b", "! and 1 more warnings in /status"]


def test_a_daemon_that_does_not_answer_is_said_so_and_its_last_words_stay() -> None:
    made = running()
    made.take(Answer(STARTED + 12, failure="connection refused"))
    picture = made.picture(STARTED + 22)
    lines = head(picture)
    assert lines[0] == f"NO ANSWER since 22:13:30Z (12 s) from {URL}: connection refused"
    assert lines[1].startswith("pricing-host-1  ")
    assert table(picture, "posts")
    assert not made.answers


def test_it_comes_back_by_itself() -> None:
    made = running()
    made.take(Answer(STARTED + 12, failure="connection refused"))
    made.take(answer(at(13, 1290, 10), STARTED + 13))
    assert head(made.picture(STARTED + 13))[0].startswith("pricing-host-1")
    assert made.answers


def test_a_daemon_that_never_answered_is_said_so() -> None:
    lines = head(model(Answer(STARTED, failure="connection refused")).picture(STARTED + 3))
    assert lines == [f"NO ANSWER yet; asked since 22:13:20Z (3 s) from {URL}: connection refused"]


def test_before_the_first_answer_it_says_whom_it_asks() -> None:
    assert head(model().picture(STARTED)) == [f"asking {URL} …"]


def test_a_daemon_whose_picture_of_itself_stands_still_is_said_so() -> None:
    made = running()
    for seconds in range(11, 18):
        made.take(answer(at(10, 990, 10), STARTED + seconds))
    assert head(made.picture(STARTED + 17))[0] == "OLD: the daemon answers, but shows itself as it was 7 s ago"
    assert made.answers


def test_a_status_of_another_form_is_said_so() -> None:
    made = model(answer({"session": {}, "taken_at": "2026-11-22T10:15:30Z"}, STARTED))
    assert "that of another version of contribd" in head(made.picture(STARTED))[0]


def test_in_a_pipe_it_is_one_line() -> None:
    line = running().line(STARTED + 10)
    assert line.startswith("22:13:30Z  100/s results  refused 1.0 %  ack p50 5.0 ms p99 9.9 ms  outstanding 7 of 500")
    assert "\n" not in line
    assert "  degraded: service OTHER is" in line


def test_as_a_document_it_is_json_with_all_tables() -> None:
    document = json.loads(json.dumps(running().document(STARTED + 10)))
    assert document["answers"]
    assert document["results_per_second"] == pytest.approx(100)
    assert document["refused_share"] == pytest.approx(0.01)
    assert document["memory_bytes"] == 65 * 2**20
    assert document["tables"]["results"][1]["code"] == "SymbolUnknown"
    made = running()
    made.take(Answer(STARTED + 12, failure="connection refused"))
    document = made.document(STARTED + 13)
    assert (document["answers"], document["failure"]) == (False, "connection refused")


def test_nothing_of_a_daemon_can_drive_the_terminal() -> None:
    picture = model(answer(status(instance="a\x1b[2J", warnings=("b\x07",)), STARTED)).picture(STARTED)
    assert not [line for line in head(picture) if not line.isprintable()]
