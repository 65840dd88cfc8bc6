"""How ``contribd results`` shows results: lines for people, JSON lines and CSV for programs, a summary."""

import csv
import io
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
from rich.console import Console
from rich.text import Text

from contribd.cli.common import output
from contribd.ops.lines import printable
from contribd.results.reader import StoredResult
from contribd.results.result import Result
from contribd.results.summary import Summary

View: TypeAlias = Callable[[StoredResult], None]
"""Shows one result on stdout."""

_CSV_COLUMNS = (
    ("settled_at", lambda stored: iso(stored.result.settled_at)),
    ("status", lambda stored: stored.result.status.value),
    ("ric", lambda stored: stored.result.ric),
    ("service", lambda stored: stored.result.service),
    ("code", lambda stored: stored.result.code),
    ("text", lambda stored: stored.result.text),
    ("fields", lambda stored: _json(stored.result.fields)),
    ("mapping", lambda stored: stored.result.mapping),
    ("source", lambda stored: stored.result.source),
    ("source_timestamp", lambda stored: iso(stored.result.source and stored.result.source.timestamp)),
    ("source_key", lambda stored: stored.result.source and stored.result.source.key),
    ("withdrawal", lambda stored: stored.result.withdrawal and stored.result.withdrawal.reason.value),
    ("carried_by", lambda stored: stored.result.carried_by),
    ("posts", lambda stored: len(stored.result.posts)),
    ("ack_seconds", lambda stored: stored.result.ack_seconds),
    ("delivery_seconds", lambda stored: stored.result.delivery_seconds),
    ("consumed_at", lambda stored: iso(stored.result.consumed_at)),
    ("instance", lambda stored: stored.result.instance),
    ("version", lambda stored: stored.result.version),
    ("config", lambda stored: stored.result.config),
    ("stored", lambda stored: f"{stored.topic}:{stored.partition}:{stored.offset}"),
    ("source_topic_id", lambda stored: stored.result.source and stored.result.source.topic_id),
    ("source_part", lambda stored: stored.result.source and stored.result.source.part),
    ("source_parts", lambda stored: stored.result.source and stored.result.source.parts),
    ("carried_by_part", lambda stored: stored.result.carried_by and stored.result.carried_by.part),
    ("hint_meaning", lambda stored: stored.result.hint and stored.result.hint.meaning),
    ("hint_owner", lambda stored: stored.result.hint and stored.result.hint.owner),
    ("hint_cure", lambda stored: stored.result.hint and stored.result.hint.cure),
    ("source_sha256", lambda stored: stored.result.source and stored.result.source.sha256),
)
STYLES = {
    "ACK": "green",
    "NAK": "red",
    "ERROR": "bold red",
    "UNANSWERED": "bold yellow",
    "CONFLATED": "dim",
    "EXPIRED": "yellow",
    "REJECTED": "magenta",
    "SUPPRESSED": "blue",
    "IGNORED": "dim",
}
# Numbers as they were posted, not as text: JSON has no limit to their digits.
_encoder = msgspec.json.Encoder(decimal_format="number")


def lines(console: Console) -> View:
    """A line a result: settled, status, RIC, code, record, ack latency, text."""

    def write(stored: StoredResult) -> None:
        result = stored.result
        text = f"carried by {result.carried_by.place}" if result.carried_by else said(result)
        before = f"{iso(result.settled_at, 'milliseconds')}  "
        after = (
            f"  {printable(result.ric or '-'):<16} {printable(result.code or '-'):<15} {result.place:<20} "
            f"{duration(result.ack_seconds):>9}  {printable(text)}"
        )
        if console.is_terminal:
            console.print(Text.assemble(before, (f"{result.status:<10}", STYLES[result.status]), after.rstrip()))
        else:
            sys.stdout.write(f"{before}{result.status:<10}{after}".rstrip() + "\n")

    return write


def said(result: Result) -> str:
    """Its text, and what that means where it is known."""
    text, hint = result.text or "", result.hint
    return text if hint is None else f"{text}  ({hint.meaning} Who can cure it: {hint.owner}. {hint.cure})".lstrip()


def json_line(stored: StoredResult) -> None:
    """The result as it is stored, on one line, and where it is stored."""
    sys.stdout.write(json_text(stored) + "\n")


def json_text(stored: StoredResult, **more: Any) -> str:
    """The same as text, with more keys behind."""
    # The very bytes that were stored, on one line, and behind them where: an auditor is not given a copy retold.
    line = msgspec.json.format(stored.value, indent=-1).decode()
    place = {"topic": stored.topic, "partition": stored.partition, "offset": stored.offset}
    return f"{line[:-1]},{_json({'stored': place, **more})[1:]}"


def csv_rows() -> View:
    """A row a result, after the row of names; times in UTC, durations in seconds."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(name for name, _ in _CSV_COLUMNS)

    def write(stored: StoredResult) -> None:
        writer.writerow(value(stored) for _, value in _CSV_COLUMNS)

    return write


def summarise(read: Iterable[StoredResult], *, as_json: bool) -> None:
    """Counts and latencies of all of them."""
    found = Summary()
    for stored in read:
        found.add(stored.result)
    if as_json:
        sys.stdout.write(_json(found.document()) + "\n")
    else:
        output().print(_summary_text(found), end="")


def _summary_text(summary: Summary) -> str:
    text, document = io.StringIO(), summary.document()
    total = document["results"]
    text.write(f"{total:,} results")
    if summary.parts:
        text.write(f" ({summary.parts:,} of them of records with several posts)")
    if total:
        text.write(f", settled {iso(summary.first, 'milliseconds')} to {iso(summary.last, 'milliseconds')}")
    text.write(f"; {summary.posts:,} posts\n")
    for (status, code), count in summary.by_status():
        text.write(f"  {status:<10} {printable(code):<20} {count:>12,} {count / total:>8.2%}\n")
    for (reason, status), count in sorted(summary.withdrawals.items()):
        text.write(f"  {status:<10} {f'withdrawn: {reason}':<20} {count:>12,}\n")
    for name, key in (("ack latency", "ack_seconds"), ("delivery", "delivery_seconds")):
        found = document[key]
        if found["count"]:
            shown = "  ".join(f"{name} {duration(value)}" for name, value in found.items() if name != "count")
            text.write(f"{name:<12} {shown}  (of {found['count']:,})\n")
    return text.getvalue()


def iso(when: datetime | None, precision: str = "microseconds") -> str:
    return "" if when is None else when.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _json(value: Any) -> str:
    return _encoder.encode(value).decode()


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.1f} ms" if abs(seconds) < 1 else f"{seconds:.2f} s"
