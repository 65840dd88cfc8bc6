"""One line an event, in the form its reader wants, and never a secret."""

import io
import json
import logging
import os
import sys
import threading
import warnings
from pathlib import Path

import pytest

from contribd.ops.lines import from_record
from contribd.ops.log import configure, get_logger, report_uncaught, under_journald
from contribd.ops.noise import Bridge

SESSION = get_logger("session")


def fail() -> None:
    raise ValueError("first line\nsecond line")


def test_a_journal_line_has_its_priority_its_sentence_and_its_facts(written: io.StringIO) -> None:
    configure("info", "journald", stream=written)
    SESSION.warning("login refused", endpoint="ws://ads1", text='Login "denied"', tries=3, wait=0.25, code="")
    assert written.getvalue() == (
        '<4>login refused part=session endpoint=ws://ads1 text="Login \\"denied\\"" tries=3 wait=0.25 code=""\n'
    )


@pytest.mark.parametrize(("level", "priority"), [("debug", 7), ("info", 6), ("warning", 4), ("error", 3)])
def test_priorities_are_those_of_syslog(written: io.StringIO, level: str, priority: int) -> None:
    configure("debug", "journald", stream=written)
    getattr(SESSION, level)("something")
    assert written.getvalue().startswith(f"<{priority}>something ")


@pytest.mark.parametrize("form", ["journald", "console", "json"])
def test_foreign_text_can_neither_end_a_line_nor_drive_a_terminal(written: io.StringIO, form: str) -> None:
    configure("info", form, stream=written)
    SESSION.info("refused\n<0>fake", text="a\r\nb\x1b[2J\x9b1m\u2028c\u202e", nested={"k": "\x1b[2J\n"})
    line = written.getvalue().removesuffix("\n")
    assert line.isprintable()


def test_an_exception_is_one_journal_line_with_its_place(written: io.StringIO) -> None:
    configure("info", "journald", stream=written)
    try:
        fail()
    except ValueError:
        SESSION.exception("cannot write results")
    line = written.getvalue()
    assert line.count("\n") == 1
    assert 'error="ValueError: first line second line"' in line
    assert f"at={__file__}:" in line


def test_at_debug_every_line_of_a_traceback_carries_the_priority(written: io.StringIO) -> None:
    configure("debug", "journald", stream=written)
    try:
        fail()
    except ValueError:
        SESSION.exception("cannot write results")
    lines = written.getvalue().splitlines()
    assert len(lines) > 4
    assert all(line.startswith("<3>") for line in lines)
    assert any("in fail" in line for line in lines)


def test_a_json_line_has_utc_time_level_event_and_traceback(written: io.StringIO) -> None:
    configure("info", "json", stream=written)
    try:
        fail()
    except ValueError as error:
        SESSION.error("cannot write results", topic="results", path=Path("/x"), exc_info=error)
    entry = json.loads(written.getvalue())
    assert entry["time"].endswith("Z")
    assert (entry["level"], entry["event"], entry["part"]) == ("error", "cannot write results", "session")
    assert (entry["topic"], entry["path"]) == ("results", "/x")
    assert entry["traceback"][0].startswith("Traceback")


def test_the_console_shows_a_traceback_only_at_debug(written: io.StringIO) -> None:
    for level in ("info", "debug"):
        configure(level, "console", stream=written)
        try:
            fail()
        except ValueError:
            SESSION.exception("cannot write results")
        assert ("in fail" in written.getvalue()) == (level == "debug")


def test_below_its_level_nothing_is_written_and_a_later_level_holds_for_loggers_made_before(
    written: io.StringIO,
) -> None:
    bound = SESSION.bind(endpoint="ws://ads1")
    configure("warning", "journald", stream=written)
    bound.info("logged in")
    assert written.getvalue() == ""
    assert not bound.enabled("info")
    configure("info", "journald", stream=written)
    bound.info("logged in")
    assert written.getvalue() == "<6>logged in part=session endpoint=ws://ads1\n"


@pytest.mark.parametrize("form", ["journald", "console", "json"])
def test_a_registered_secret_is_written_nowhere(written: io.StringIO, form: str) -> None:
    secret = 'p"ä\\ss wörd/+'  # noqa: S105 - made up, to be looked for
    configure("debug", form, stream=written, secrets=[secret])
    try:
        raise ValueError(f"refused: {secret}")
    except ValueError:
        SESSION.exception(
            f"login with {secret}", url=f"wss://h/{secret}", nested={"deep": [f"x{secret}y", repr(secret)]}
        )
    logging.getLogger("kafka.sasl").error("sent %r", secret)
    text = written.getvalue()
    assert "ss w" not in text
    assert "***" in text


@pytest.mark.parametrize("form", ["journald", "console", "json"])
def test_a_secret_in_a_fact_that_is_no_text_is_not_written(written: io.StringIO, form: str) -> None:
    configure("info", form, stream=written, secrets=["hunter22"])
    SESSION.info("refused", error=ValueError("for hunter22"), file=Path("/run/hunter22"))
    assert "hunter22" not in written.getvalue()
    assert "/run/***" in written.getvalue()


@pytest.mark.parametrize("form", ["journald", "console", "json"])
def test_what_goes_under_a_secrets_name_is_masked(written: io.StringIO, form: str) -> None:
    configure("info", form, stream=written)
    SESSION.info(
        "asking",
        password="hidden1",  # noqa: S106 - the very thing under test
        client_secret="hidden2",  # noqa: S106 - the very thing under test
        headers={"Authorization": "Bearer hidden3", "Accept": "text/plain"},
        sent='{"AuthenticationToken": "hidden4", "Name": "shown"}',
        form="grant_type=password&client_secret=hidden5&scope=shown",
        proxy="http://user:hidden6@proxy:8080",
    )
    text = written.getvalue()
    assert "hidden" not in text
    assert text.count("shown") == 2
    assert "proxy:8080" in text


@pytest.mark.parametrize("level", ["info", "warning"])
def test_the_kafka_clients_own_lines_are_for_debugging_alone(written: io.StringIO, level: str) -> None:
    configure(level, "journald", stream=written)
    for name in ("kafka", "kafka.net.connection"):
        logging.getLogger(name).error("<KafkaConnection node_id=1>: Closing with error")
    logging.getLogger("websocket").error("another library's")
    assert written.getvalue() == "<3>another library's logger=websocket\n"


def test_libraries_are_heard_from_warning_on_and_their_repetitions_are_counted(written: io.StringIO) -> None:
    now = 0.0
    configure("debug", "journald", stream=written)
    (bridge,) = [handler for handler in logging.getLogger().handlers if isinstance(handler, Bridge)]
    bridge._clock = lambda: now
    kafka = logging.getLogger("kafka.conn")
    kafka.info("connecting")
    for node in range(20):
        kafka.warning("connection to node %d lost", node)
    kafka.warning("something else")
    now = 61.0
    kafka.warning("connection to node %d lost", 21)
    assert written.getvalue().splitlines() == [
        "<7>connection to node 0 lost logger=kafka.conn",
        "<7>something else logger=kafka.conn",
        "<7>connection to node 21 lost logger=kafka.conn left_out=19",
    ]


def test_libraries_follow_a_level_above_warning(written: io.StringIO) -> None:
    configure("error", "journald", stream=written)
    logging.getLogger("websocket").warning("not now")
    assert written.getvalue() == ""


def test_a_librarys_broken_log_call_is_still_an_event() -> None:
    event = from_record(logging.LogRecord("kafka", logging.WARNING, "", 0, "%d nodes", ("three",), None))
    assert event["event"].startswith("%d nodes ('three',) (")
    assert event["level"] == "warning"


def test_configuring_twice_writes_each_library_message_once(written: io.StringIO) -> None:
    configure("info", "journald", stream=written)
    configure("info", "journald", stream=written)
    logging.getLogger("websocket").warning("hello")
    assert written.getvalue().count("hello") == 1


def test_python_warnings_become_lines(written: io.StringIO) -> None:
    configure("info", "journald", stream=written)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old call", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert "DeprecationWarning: old call" in written.getvalue()
    assert written.getvalue().count("\n") == 1


def test_uncaught_exceptions_become_events_with_the_threads_name(written: io.StringIO) -> None:
    configure("info", "journald", stream=written)
    report_uncaught()
    thread = threading.Thread(target=fail, name="stream")
    thread.start()
    thread.join()
    try:
        fail()
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    first, second = written.getvalue().splitlines()
    assert first.startswith("<3>uncaught exception in a thread part=process thread=stream error=")
    assert second.startswith("<3>uncaught exception part=process error=")


def test_a_reader_that_has_gone_does_not_harm_the_writer(written: io.StringIO) -> None:
    configure("info", "journald", stream=written)
    written.close()
    SESSION.error("nobody hears this")


def test_auto_is_journald_where_the_stream_is_the_journals(written: io.StringIO, tmp_path: Path) -> None:
    del written
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        environ = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert under_journald(stream, environ)
        assert not under_journald(stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"})
        assert not under_journald(stream, {})
        configure("info", "auto", stream=stream, environ=environ)
        SESSION.info("up")
        configure("info", "auto", stream=stream, environ={})
        SESSION.info("up")
        stream.seek(0)
        first, second = stream.read().splitlines()
    assert first == "<6>up part=session"
    assert json.loads(second)["event"] == "up"


def test_auto_is_coloured_on_a_terminal_unless_no_color_says_otherwise(written: io.StringIO) -> None:
    written.isatty = lambda: True  # type: ignore[method-assign]  # a terminal without a pseudo-terminal
    configure("info", "auto", stream=written, environ={})
    SESSION.info("up")
    assert "\x1b[" in written.getvalue()
    written.truncate(0)
    configure("info", "auto", stream=written, environ={"NO_COLOR": "1"})
    SESSION.info("up")
    assert "\x1b[" not in written.getvalue()


def test_an_unknown_format_is_refused(written: io.StringIO) -> None:
    with pytest.raises(ValueError, match="expected one of auto, journald, console, json"):
        configure("info", "xml", stream=written)
