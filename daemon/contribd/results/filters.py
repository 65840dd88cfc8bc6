"""Which results are meant: the filters of ``contribd results``."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import translate

from contribd.engine.records.price import Status
from contribd.results.result import Result

_AGO = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SOURCE = re.compile(r"[A-Za-z0-9._-]+:\d+:\d+", re.ASCII)


class FilterError(ValueError):
    """A filter that means nothing; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Filters:
    """A result passes if it meets all that are set; several values of one filter are alternatives.

    ``rics`` are globs (``*``, ``?``, ``[…]``), case-sensitive as RICs are. ``codes`` ignore case. ``since`` and
    ``until`` are about ``settled_at``, both inclusive. ``sources`` are ``topic:partition:offset`` of the input record.
    ``mappings`` are names. ``posts`` are PostIDs of any of its posts, which each session begins anew.
    """

    rics: tuple[str, ...] = ()
    statuses: frozenset[Status] = frozenset()
    codes: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    sources: frozenset[str] = frozenset()
    mappings: frozenset[str] | None = None
    posts: frozenset[int] = frozenset()

    def predicate(self) -> Callable[[Result], bool]:
        """Whether a result passes, as one function with only the tests that are needed."""
        tests = [*self._by_what(), *self._by_time()]
        return lambda result: all(test(result) for test in tests)

    def _by_what(self) -> Iterator[Callable[[Result], bool]]:
        if self.statuses:
            yield lambda result: result.status in self.statuses
        if self.codes:
            codes = {code.casefold() for code in self.codes}
            yield lambda result: result.code is not None and result.code.casefold() in codes
        if self.rics:
            ric = re.compile("|".join(translate(glob) for glob in self.rics))
            yield lambda result: result.ric is not None and ric.match(result.ric) is not None
        if self.sources:
            yield lambda result: result.origin in self.sources
        if (mappings := self.mappings) is not None:
            yield lambda result: result.mapping in mappings
        if self.posts:
            yield lambda result: any(post.post_id in self.posts for post in result.posts)

    def _by_time(self) -> Iterator[Callable[[Result], bool]]:
        if (since := self.since) is not None:
            yield lambda result: result.settled_at >= since
        if (until := self.until) is not None:
            yield lambda result: result.settled_at <= until


def parse_status(text: str) -> Status:
    """A status in any case. Raises ``FilterError``."""
    try:
        return Status(text.upper())
    except ValueError:
        raise FilterError(f"{text!r} is not a status: expected one of {', '.join(Status)}") from None


def parse_source(text: str) -> str:
    """``topic:partition:offset`` of an input record, in the form results have it. Raises ``FilterError``."""
    if not _SOURCE.fullmatch(text):
        raise FilterError(f"{text!r} is not a record: expected topic:partition:offset, such as prices:3:1812")
    topic, partition, offset = text.rsplit(":", 2)
    return f"{topic}:{int(partition)}:{int(offset)}"


def parse_span(since: str | None, until: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Both ends, as options say them. Raises ``FilterError``, also where nothing can be between them."""
    begin, end = (parse_time(text, now) if text else None for text in (since, until))
    if begin is not None and end is not None and end < begin:
        raise FilterError(f"--until {until} is before --since {since}: there is nothing between them")
    return begin, end


def parse_time(text: str, now: datetime) -> datetime:
    """A time: ISO 8601 (UTC where it names no zone), or how long before ``now`` (``15m``, ``1h30m``, ``2d``).

    Raises ``FilterError``.
    """
    try:
        if re.fullmatch(rf"(?:{_AGO.pattern})+", text, re.ASCII):
            return now - timedelta(seconds=sum(float(n) * _SECONDS[unit] for n, unit in _AGO.findall(text)))
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise FilterError(
            f"{text!r} is not a time: expected ISO 8601 such as 2026-11-22T10:15Z (UTC if it names no zone), "
            "or how long ago, such as 15m or 1h30m"
        ) from None
