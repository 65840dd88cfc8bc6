"""How one log event becomes one line: for journald, for a terminal, for a machine."""

import json
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias

import structlog

Event: TypeAlias = dict[str, Any]
Renderer: TypeAlias = Callable[[Event], str]
ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]


class ShownException(NamedTuple):
    """An exception as it may be shown; in an event under ``failure``."""

    text: str
    place: str
    traceback: list[str]


# syslog(3) priorities, as sd-daemon(3) has them at the start of a line.
_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}

# C0, DEL and C1 controls and the Unicode line breaks: foreign text must neither end the line nor drive the terminal.
_CONTROLS = {
    code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F))
}


def journald(*, debug: bool) -> Renderer:
    """Lines for the journal: ``<6>event key=value``; no time, the journal has its own. A traceback only with debug."""

    def render(event: Event) -> str:
        prefix = f"<{_PRIORITY[event.pop('level')]}>"
        failure: ShownException | None = event.pop("failure", None)
        line = prefix + _sentence(event, failure)
        if failure is None or not debug:
            return line
        # The journal takes each line for an entry of its own and reads each one's prefix.
        return "\n".join([line, *(prefix + printable(row) for row in failure.traceback)])

    return render


def console(*, colours: bool, debug: bool) -> Renderer:
    """Lines for people: time, level, event, keys; a traceback only with debug."""
    pretty = structlog.dev.ConsoleRenderer(
        colors=colours, pad_event_to=0, sort_keys=False, exception_formatter=structlog.dev.plain_traceback
    )

    def render(event: Event) -> str:
        failure: ShownException | None = event.pop("failure", None)
        shown = {key: printable(value) if isinstance(value, str) else value for key, value in event.items()}
        shown["timestamp"] = datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
        if failure is not None:
            shown["error"] = printable(failure.text)
            if debug:
                shown["exception"] = "\n".join(printable(row) for row in failure.traceback)
        return str(pretty(None, "", shown))

    return render


def as_json() -> Renderer:
    """One JSON object a line: time (UTC, microseconds), level, event, the keys, and the traceback if there is one."""

    def render(event: Event) -> str:
        failure: ShownException | None = event.pop("failure", None)
        time = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        shown = {"time": time, "level": event.pop("level"), "event": event.pop("event"), **event}
        if failure is not None:
            shown["error"] = failure.text
            shown["traceback"] = failure.traceback
        return json.dumps(shown, default=str)

    return render


def printable(text: str) -> str:
    """``text`` on one line, with everything that could drive a terminal shown as an escape."""
    return text if text.isprintable() else text.translate(_CONTROLS)


def describe(exc_info: ExcInfo, mask: Callable[[str], str]) -> ShownException:
    """The exception with every secret in it masked: its text is not ours, and quoting would hide a secret from us."""
    kind, error, trace = exc_info
    frames = traceback.extract_tb(trace)
    return ShownException(
        text=mask(" ".join("".join(traceback.format_exception_only(kind, error)).split())),
        place=f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown",
        traceback=mask("".join(traceback.format_exception(kind, error, trace)).rstrip("\n")).split("\n"),
    )


def from_record(record: logging.LogRecord) -> Event:
    """A record of the standard library's logging as an event."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError) as error:  # arguments that do not fit the format: say so, lose nothing
        message = f"{record.msg!s} {record.args!r} ({error})"
    event: Event = {"event": " ".join(message.split()), "level": _level(record.levelno), "logger": record.name}
    if record.exc_info and record.exc_info[0] is not None:
        event["exc_info"] = record.exc_info
    return event


def _level(number: int) -> str:
    for name, least in (("critical", 50), ("error", 40), ("warning", 30), ("info", 20)):
        if number >= least:
            return name
    return "debug"


def _sentence(event: Event, failure: ShownException | None) -> str:
    words = [printable(str(event.pop("event")))]
    words += [f"{key}={_value(value)}" for key, value in event.items()]
    if failure is not None:
        words.append(f"error={_value(failure.text)}")
        words.append(f"at={_value(failure.place)}")
    return " ".join(words)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = printable(value if isinstance(value, str) else str(value))
    if text == "" or any(character in text for character in ' "='):
        return '"' + text.replace('"', '\\"') + '"'
    return text
