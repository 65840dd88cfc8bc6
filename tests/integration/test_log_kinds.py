"""What the reading of a run's logs takes for one kind of line, and what it finds that is not for operators."""

import json
from pathlib import Path

import pytest
from tests.integration.rigs.log_kinds import UNTOLD, kinds_of


def line(event: str, level: str = "warning", **facts: object) -> str:
    return json.dumps({"time": "2026-11-29T08:00:00Z", "level": level, "event": event, "part": "kafka", **facts})


def read(tmp_path: Path, *lines: str) -> list[tuple[int, str | None]]:
    log = tmp_path / "contribd.log"
    log.write_text("".join(f"{each}\n" for each in lines))
    return [(kind.count, kind.internal) for kind in kinds_of([log])]


def test_lines_that_differ_in_particulars_are_one_kind(tmp_path: Path) -> None:
    lost = [line("a broker is lost", reason=f"broker 127.0.0.1:{port} refuses connections") for port in (40001, 40002)]
    assert read(tmp_path, *lost, line("a broker is lost", reason="no route to 10.0.0.1")) == [(2, None), (1, None)]


def test_lines_below_warning_are_not_counted(tmp_path: Path) -> None:
    assert read(tmp_path, line("logged in", "info"), line("<Task object at 0x7f>", "debug")) == []


@pytest.mark.parametrize(
    "text",
    [
        "Task <kafka.net.selector.Task object at 0x7f9b5ca279d0> ran for 0.1 s",
        "<KafkaConnection node_id=3 (disconnected)>: lost",
        "failed: KafkaConnectionError: 111",
        "a listener _Rebalances.on_partitions_revoked took 4.7 s",
        "said by kafka.net.manager",
    ],
)
def test_the_inside_of_the_program_is_found(tmp_path: Path, text: str) -> None:
    [(_, internal)] = read(tmp_path, line(text))
    assert internal


def test_what_is_no_line_of_ours_is_a_kind_too(tmp_path: Path) -> None:
    log = tmp_path / "contribd.log"
    log.write_text("Traceback (most recent call last):\n")
    [kind] = kinds_of([log])
    assert (kind.level, kind.count, bool(kind.internal)) == (UNTOLD, 1, True)


@pytest.mark.parametrize(
    "text",
    [
        "broker 127.0.0.1:40443 refuses connections: it does not run, or listens elsewhere",
        "session ended endpoint=ws://127.0.0.1:33991/WebSocket reason=closed by server",
        "the ADS sends another MaxMsgSize",
        "user ANONYMOUS may not Describe topic __consumer_offsets",
    ],
)
def test_words_of_the_field_are_no_inside(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, line(text)) == [(1, None)]
