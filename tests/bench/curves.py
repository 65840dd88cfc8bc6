"""Posts a second of curves beside single quotes: the same posts of the same bytes, in records of many points.

Counted from when the first record is taken to when the last result is written: single quotes are mapped far ahead of
their posts, and so before the first results; curves are mapped as they go.
"""

import re
from datetime import datetime
from typing import Any, Final

from tests.bench.measure import Series
from tests.bench.setting import CURVE_MAPPING, MAPPING, Setting, cpu_seconds, curve, distinct
from tests.integration.rigs.broker_rig import unique

POINTS = (20, 40)
_CONSUMED: Final = re.compile(rb'"consumed_at":"([^"]+)"')
SAME = 4_000
"""Instruments of the curves that come again and again."""


def measure(setting: Setting, posts: int, rounds: int) -> dict[str, Any]:
    """Single quotes, then curves of each size, in every round. Every instrument is distinct, nothing is conflated.

    ``again``: the curves, and the single quotes beside them, are of the same instruments again and again, as in life.
    """
    found: dict[str, Any] = {"posts": posts}
    for name, instruments in (("distinct", posts), ("again", SAME)):
        found[name] = _in_turn(setting, posts, instruments, rounds)
    return found


def _in_turn(setting: Setting, posts: int, instruments: int, rounds: int) -> dict[str, Any]:
    topics = {points: _loaded(setting, posts, instruments, points) for points in (1, *POINTS)}
    rates = {points: Series() for points in topics}
    cpu = {points: Series() for points in topics}
    ratios = {points: Series() for points in POINTS}
    for turn in range(rounds):
        for points in reversed(topics) if turn % 2 else topics:
            speed, seconds = _run(setting, topics[points], posts, points)
            rates[points].add(speed)
            cpu[points].add(seconds / posts * 1e6)
        for points, ratio in ratios.items():
            ratio.add(rates[points].values[-1] / rates[1].values[-1])
    return {
        "posts_per_second": {str(points): series.summary() for points, series in rates.items()},
        "cpu_us_per_post": {str(points): series.summary() for points, series in cpu.items()},
        "ratio": {str(points): series.summary() for points, series in ratios.items()},
    }


def _loaded(setting: Setting, posts: int, instruments: int, points: int) -> str:
    """A topic with so many posts."""
    prices, _ = setting.topics()
    if points == 1:
        records = distinct(instruments) * (posts // instruments)
    else:
        curves = [(b"C%06d" % first, curve(first, points)) for first in range(0, instruments, points)]
        records = curves * (posts // instruments)
    setting.preload(prices, records)
    return prices


def _run(setting: Setting, prices: str, posts: int, points: int) -> tuple[float, float]:
    """Posts a second, and the daemon's CPU seconds with its start."""
    results, group = setting.results_topic(), unique("contribd")
    mapping = MAPPING if points == 1 else CURVE_MAPPING
    daemon = setting.daemon((prices, results), group, mapping=mapping, contribution={"conflate": False})
    daemon.start()
    setting.wait_committed(prices, group, posts // points)
    seconds = cpu_seconds(daemon.pid)
    daemon.stop()
    return posts / _elapsed(setting, results, posts), seconds


def _elapsed(setting: Setting, topic: str, posts: int) -> float:
    """Seconds from the first record's arrival to the last result."""
    consumed, written = list[bytes](), list[int]()
    for record in setting.committed_records(topic):
        consumed += _CONSUMED.findall(record.value)
        written.append(record.timestamp)
    if len(written) != posts:
        raise RuntimeError(f"{len(written)} results of {posts} posts")
    return max(written) / 1000 - datetime.fromisoformat(min(consumed).decode()).timestamp()
