"""What makes each alert fire, and what ends it: series as ``promtool test rules`` takes them, a value a minute.

``series`` are the series of the story: quiet for ten minutes, then wrong for forty, then quiet again. ``fires`` are
labels of the alert beside its severity.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

QUIET, WRONG = 10, 40
"""Minutes."""

TARGET: Final = 'job="contribd", instance="a:9820"'


class AlertCase(NamedTuple):
    series: dict[str, str]
    """By its name and labels; of the target, where those are not named."""
    labels: dict[str, str]
    steady: Mapping[str, str] = MappingProxyType({})
    """Series that stay as they are."""
    value: str = ""
    """What the description says of the value, where it does."""


def story(quiet: str, wrong: str) -> str:
    """A gauge that has one value, another one for a while, and the first again."""
    return f"{quiet}x{QUIET - 1} {wrong}x{WRONG - 1} {quiet}x60"


def counter(quiet: int, wrong: int) -> str:
    """A counter that grows by so much a minute, by another amount for a while, and by the first again."""
    middle = quiet * QUIET
    end = middle + wrong * WRONG
    return f"0+{quiet}x{QUIET} {middle + wrong}+{wrong}x{WRONG - 1} {end + quiet}+{quiet}x60"


ONE: Final = {"job": "contribd", "instance": "a:9820"}
JOB: Final = {"job": "contribd"}
_POSTS = "contribd_posts_total{{type='Update', answer='{}'}}"
_ACKED = _POSTS.format("ACK")
_SECONDS: Final = [0.5, 1.0, 2.5, 10.0, 30.0]


def slow(name: str) -> dict[str, str]:
    """Buckets of a histogram whose values are below half a second, then between 2.5 s and 10 s."""
    series = {f"{name}_bucket{{le='{bound}'}}": counter(60, 60 * (bound >= 10)) for bound in _SECONDS}
    return {**series, f"{name}_bucket{{le='+Inf'}}": counter(60, 60)}


CASES: Final[dict[str, AlertCase]] = {
    "ContribdDown": AlertCase({"up": story("1", "0")}, ONE),
    "ContribdNobodyContributes": AlertCase(
        {
            "contribd_verdict{state='contributing'}": story("1", "0"),
            "contribd_verdict{state='not_contributing'}": story("0", "1"),
        },
        JOB,
        {"contribd_verdict{state='degraded'}": "0x120", "contribd_verdict{state='paused'}": "0x120"},
    ),
    "ContribdNoAcks": AlertCase(
        {
            # The time of the last Ack stands still while it is wrong.
            "contribd_last_ack_timestamp_seconds": f"0+60x{QUIET} {60 * QUIET}x{WRONG - 2} "
            f"{60 * (QUIET + WRONG)}+60x60",
        },
        ONE,
        {"contribd_records_waiting": "5x120", _ACKED: "0x120"},
    ),
    "ContribdNotReady": AlertCase({"contribd_ready": story("1", "0")}, ONE),
    "ContribdLiveQuotesUnattended": AlertCase(
        {"contribd_session_up{endpoint='ws://ads1'}": story("1", "0")},
        ONE,
        {"contribd_live_quotes": "7x120", "contribd_session_up{endpoint='ws://ads2'}": "0x120"},
        value="7",
    ),
    "ContribdMostPostsRefused": AlertCase(
        {_POSTS.format("NAK"): counter(0, 80)}, ONE, {_ACKED: "0+60x120"}, value="57.14%"
    ),
    "ContribdPostsRefused": AlertCase(
        {_POSTS.format("ERROR"): counter(0, 3)}, ONE, {_ACKED: "0+60x120"}, value="4.762%"
    ),
    "ContribdPostsUnanswered": AlertCase(
        {_POSTS.format("TIMEOUT"): counter(0, 3)}, ONE, {_ACKED: "0+60x120"}, value="4.762%"
    ),
    "ContribdServiceDown": AlertCase(
        {"contribd_service_up{service='TRCC'}": story("1", "0")},
        {**ONE, "service": "TRCC"},
        {"contribd_session_up{endpoint='ws://ads1'}": "1x120"},
    ),
    "ContribdDegraded": AlertCase(
        {"contribd_verdict{state='degraded'}": story("0", "1")}, {**ONE, "state": "degraded"}
    ),
    "ContribdRecordsRejected": AlertCase(
        {"contribd_results_total{status='REJECTED', code='MissingField'}": counter(0, 6)},
        {**ONE, "status": "REJECTED"},
        value="30",
    ),
    "ContribdRicsSilent": AlertCase({"contribd_silent_rics": story("0", "3")}, ONE, value="3"),
    "ContribdInstrumentsDoHarm": AlertCase(
        {"contribd_isolated_instruments{state='offender'}": story("0", "1")}, {**ONE, "state": "offender"}, value="1"
    ),
    "ContribdSessionUnstable": AlertCase(
        {"contribd_reconnects_total{reason='network'}": counter(0, 1)}, ONE, value="15"
    ),
    "ContribdAcksSlow": AlertCase(slow("contribd_ack_seconds"), ONE, value="9.925s"),
    "ContribdDeliverySlow": AlertCase(slow("contribd_delivery_seconds"), ONE, value="9.925s"),
    "ContribdLagGrows": AlertCase(
        {"contribd_consumer_lag_records{topic='p', partition='0'}": f"10x{QUIET} 2000+100x{WRONG - 2} 0x60"},
        ONE,
        {"contribd_consumer_lag_records{topic='p', partition='1'}": "0x120"},
    ),
    "ContribdReloadRefused": AlertCase({"contribd_config_last_reload_successful": story("1", "0")}, ONE),
    "ContribdRulesDiffer": AlertCase(
        {"contribd_build_info{instance='b:9820', config='new'}": f"_x{QUIET} 1x{WRONG} stale"},
        JOB,
        {"contribd_build_info{config='old'}": "1x120"},
        value="2",
    ),
    "ContribdPausedLong": AlertCase(
        # Ordered at the first minute that is wrong, a little more than an hour before the end of that.
        {
            "contribd_pauses": f"0x{QUIET - 1} 2x{WRONG - 1} 0x60",
            "contribd_paused_since_timestamp_seconds": f"0x{QUIET - 1} -3600x{WRONG - 1} 0x60",
        },
        ONE,
        value="2",
    ),
    "ContribdClockNotSynchronized": AlertCase({"contribd_clock_synchronized": story("1", "0")}, ONE),
    "ContribdTimestampsInTheFuture": AlertCase({"contribd_future_timestamps_total": counter(0, 2)}, ONE, value="30"),
    "ContribdAnswersLate": AlertCase({"contribd_unmatched_answers_total": counter(0, 2)}, ONE, value="30"),
}


def series(case: AlertCase) -> list[dict[str, Any]]:
    """As promtool takes them."""
    everything = {"up": "1x120", **case.steady, **case.series}
    return [{"series": _of_target(name), "values": values} for name, values in everything.items()]


def _of_target(name: str) -> str:
    metric, _, labels = name.rstrip("}").partition("{")
    own = [part for part in TARGET.split(", ") if part.partition("=")[0] not in labels]
    return f"{metric}{{{', '.join([*own, *([labels] if labels else [])])}}}"
