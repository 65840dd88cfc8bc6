"""The daemon's log: one line an event, the event a plain sentence, its facts as keys.

``get_logger`` may be called at import; ``configure`` decides once, at start, where and how lines are written.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

import structlog

from contribd.ops.lines import Event, Renderer, as_json, console, describe, journald
from contribd.ops.noise import TOLD_BY_US, Bridge, Repeats
from contribd.ops.secrets import Secrets

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
FORMATS = ("auto", "journald", "console", "json")

_LIBRARIES = ("kafka",)

_SILENT = logging.CRITICAL + 1


class _Pipeline:
    """What every logger writes through; ``configure`` changes it in place, so loggers made at import follow."""

    def __init__(self) -> None:
        self.level = LEVELS["warning"]
        self.renderer: Renderer = console(colours=False, debug=False)
        self.stream: Callable[[], TextIO] = lambda: sys.stderr
        self.secrets = Secrets()
        self._lock = threading.Lock()

    def write(self, event: Event) -> None:
        """Write one event as one line."""
        exc_info = event.pop("exc_info", None)
        shown = {key: self.secrets.mask_value(key, value) for key, value in event.items()}
        if exc_info is not None:
            shown["failure"] = describe(exc_info, self.secrets.mask)
        # Once more over the whole: what is not text (an exception as a fact, a path) was not looked into above.
        line = self.secrets.mask(self.renderer(shown)) + "\n"
        try:
            with self._lock:
                stream = self.stream()
                stream.write(line)
                stream.flush()
        except (OSError, ValueError):  # the log's reader has gone, or the stream is closed at exit
            return


_pipeline = _Pipeline()


class Logger(structlog.BoundLoggerBase):
    """A logger with context: ``log.info("logged in", endpoint=url)``. Below its level a call does nothing."""

    def debug(self, event: str, **facts: Any) -> None:
        """What only someone looking for a fault wants to see."""
        if _pipeline.level <= 10:
            self._write("debug", event, facts)

    def info(self, event: str, **facts: Any) -> None:
        """A change of state an operator would want to know of afterwards."""
        if _pipeline.level <= 20:
            self._write("info", event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        """Something that did not go well and is being dealt with."""
        if _pipeline.level <= 30:
            self._write("warning", event, facts)

    def error(self, event: str, **facts: Any) -> None:
        """Something that needs a person."""
        self._write("error", event, facts)

    def exception(self, event: str, **facts: Any) -> None:
        """An error with the exception being handled."""
        self._write("error", event, {"exc_info": True, **facts})

    def enabled(self, level: str) -> bool:
        """Whether a call at this level would write: for facts that are costly to gather."""
        return _pipeline.level <= LEVELS[level]

    def _write(self, level: str, event: str, facts: dict[str, Any]) -> None:
        entry: Event = {"event": event, "level": level, **self._context, **facts}
        exc_info = _exc_info(entry.pop("exc_info", None))
        if exc_info is not None:
            entry["exc_info"] = exc_info
        _pipeline.write(entry)


def get_logger(component: str) -> Logger:
    """The logger of one part of the daemon; its name is on every line."""
    return Logger(None, processors=[], context={"part": component})


def configure(
    level: str = "info",
    form: str = "auto",
    *,
    stream: TextIO | None = None,
    environ: Mapping[str, str] = os.environ,
    secrets: Sequence[str] = (),
) -> None:
    """Set up the process's log, libraries included. ``form`` is one of FORMATS; ``stream`` defaults to stderr.

    May be called again, to change the level or the format.
    """
    debug = LEVELS[level] <= LEVELS["debug"]
    _pipeline.level = LEVELS[level]
    _pipeline.stream = (lambda: sys.stderr) if stream is None else (lambda: stream)
    _pipeline.renderer = _renderer(form, _pipeline.stream(), environ, debug=debug)
    for secret in secrets:
        add_secret(secret)
    _route_libraries()


def add_secret(value: str) -> None:
    """Never write ``value``, wherever it turns up."""
    _pipeline.secrets.add(value)


def mask(text: str) -> str:
    """``text`` as it may be shown to people: for what reaches them by other ways than the log."""
    return _pipeline.secrets.mask(text)


def report_uncaught() -> None:
    """Write exceptions nobody caught, in any thread, as events instead of bare tracebacks."""
    log = get_logger("process")

    def in_main(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            log.error("uncaught exception", exc_info=(kind, error, trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            name = args.thread.name if args.thread else "unknown"
            log.error("uncaught exception in a thread", thread=name, exc_info=args.exc_value)

    sys.excepthook = in_main
    threading.excepthook = in_thread


def under_journald(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether ``stream`` is the one the service manager connected to the journal (``$JOURNAL_STREAM``)."""
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):  # not a real file
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))


def _renderer(form: str, stream: TextIO, environ: Mapping[str, str], *, debug: bool) -> Renderer:
    terminal = stream.isatty()
    if form == "auto":
        form = "journald" if under_journald(stream, environ) else "console" if terminal else "json"
    if form == "journald":
        return journald(debug=debug)
    if form == "console":
        return console(colours=terminal and not environ.get("NO_COLOR"), debug=debug)
    if form == "json":
        return as_json()
    raise ValueError(f"log format {form!r}: expected one of {', '.join(FORMATS)}")


def _route_libraries() -> None:
    bridge = Bridge(_pipeline.write, Repeats())
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, Bridge)]:
        root.removeHandler(handler)
    root.addHandler(bridge)
    level = max(logging.WARNING, _pipeline.level)
    root.setLevel(level)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(level)
    if _pipeline.level > LEVELS["debug"]:
        logging.getLogger(TOLD_BY_US).setLevel(_SILENT)
    logging.captureWarnings(capture=True)


def _exc_info(given: Any) -> Any:
    if given is None or given is False:
        return None
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    if given is True:
        current = sys.exc_info()
        return None if current[0] is None else current
    return given
