"""The snapshot as the JSON document ``/status`` serves."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from contribd.ops.log import mask
from contribd.ops.snapshot import HistogramView, ReloadView, Snapshot, WrongView
from contribd.ops.verdict import short_name, stalled_faults, verdict


def status_document(snapshot: Snapshot, stalled: list[str]) -> dict[str, Any]:
    """The whole state as plain JSON values: times as ISO 8601 UTC with microseconds, durations in seconds.

    ``stalled`` are the names of the threads that make no progress. The keys are described in docs/operations.md.
    """
    session, counters, found = snapshot.session, snapshot.counters, verdict(snapshot, stalled)
    return {
        "verdict": {"state": found.state.value, "reason": mask(found.reason), "since": iso(found.since)},
        "instance": snapshot.instance,
        "version": snapshot.version,
        "config": snapshot.config,
        "config_reloaded": snapshot.config_reloaded,
        "reload": None if snapshot.reload is None else _reload(snapshot.reload),
        "taken_at": iso(snapshot.taken_at),
        "started_at": iso(snapshot.started_at),
        "ready": snapshot.ready and not stalled,
        "not_ready": reasons_not_ready(snapshot, stalled),
        "clock": asdict(snapshot.clock),
        "warnings": list(snapshot.warnings),
        "stalled": stalled,
        "stopping": snapshot.stopping,
        "session": {
            "state": session.state,
            "up": session.up,
            "endpoint": session.endpoint,
            "endpoints": list(session.endpoints),
            "since": iso(session.since),
            # Its text comes from the network: it may repeat what was sent.
            "last_failure": None if session.last_failure is None else mask(session.last_failure),
            "last_failure_at": iso(session.last_failure_at),
        },
        "endpoints": [
            {**asdict(each), "next_try_at": iso(each.next_try_at)}
            | {"name": short_name(each.endpoint, session.endpoints)}
            for each in snapshot.endpoints
        ],
        "services": [{"name": name, "up": up} for name, up in snapshot.services],
        "pauses": [{**asdict(pause), "since": iso(pause.since)} for pause in snapshot.pauses],
        "window": {"outstanding": snapshot.outstanding, "max": snapshot.max_outstanding},
        "records_waiting": snapshot.waiting,
        "instruments": snapshot.instruments,
        "isolated": dict(snapshot.isolated),
        "isolated_named": [asdict(isolated) for isolated in snapshot.isolated_named],
        "wrong": [wrong_document(each) for each in snapshot.wrong],
        "wrong_counts": dict(snapshot.wrong_counts),
        "live_quotes": snapshot.live_quotes,
        "last_ack_at": iso(snapshot.last_ack_at),
        "partitions": [asdict(partition) for partition in snapshot.partitions],
        "results": [{"status": status, "code": code, "count": n} for status, code, n in counters.results],
        "posts": [{"type": kind, "answer": answer, "count": n} for kind, answer, n in counters.posts],
        "reconnects": [{"endpoint": url, "reason": reason, "count": n} for url, reason, n in counters.reconnects],
        "withdrawals": [{"reason": reason, "status": status, "count": n} for reason, status, n in counters.withdrawals],
        "republished": [{"status": status, "count": n} for status, n in counters.republished],
        "unmatched_answers": counters.unmatched_answers,
        "future_timestamps": counters.future_timestamps,
        "ack_seconds": _histogram(snapshot.ack_seconds),
        "delivery_seconds": _histogram(snapshot.delivery_seconds),
    }


def wrong_document(wrong: WrongView) -> dict[str, Any]:
    """One RIC that something is wrong with."""
    text = None if wrong.text is None else mask(wrong.text)
    return {**asdict(wrong), "since": iso(wrong.since), "last_record_at": iso(wrong.last_record_at), "text": text}


def _reload(last: ReloadView) -> dict[str, Any]:
    shown = asdict(last)
    return {**shown, "at": iso(last.at), "errors": list(last.errors), "restart": list(last.restart)}


def reasons_not_ready(snapshot: Snapshot, stalled: list[str]) -> list[str]:
    """Why the daemon cannot contribute just now, in plain words. Empty: it can."""
    return [*(mask(reason) for reason in snapshot.not_ready), *stalled_faults(stalled)]


def iso(seconds: float | None) -> str | None:
    """Unix seconds as ISO 8601 UTC with microseconds, as in results."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _histogram(histogram: HistogramView) -> dict[str, Any]:
    return {"bounds": list(histogram.bounds), "counts": list(histogram.counts), "sum": histogram.sum}
