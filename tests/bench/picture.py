"""Bars as SVG, by hand: one row a figure, drawn from the JSON of a run."""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

WIDTH, LABEL, ROW, GAP = 860, 330, 22, 34
PICTURED_RATE = "1000"
"""Records a second of the latencies in the picture."""

FILLS = {"reference": "#9aa5b1", "contribd": "#1f6f8b"}


class Bar(NamedTuple):
    """One bar; ``note`` stands behind it."""

    label: str
    value: float
    note: str
    kind: str


class Chart(NamedTuple):
    """A heading and bars on one scale."""

    title: str
    bars: Sequence[Bar]


def draw(charts: Sequence[Chart]) -> str:
    """The picture; readable on light and dark pages."""
    parts, top = [], 16
    for chart in charts:
        parts.append(f'<text x="16" y="{top + 14}" class="title">{escape(chart.title)}</text>')
        top += 26
        longest = max(bar.value for bar in chart.bars)
        for bar in chart.bars:
            parts += _bar(bar, top, longest)
            top += ROW
        top += GAP - ROW // 2
    style = "text{font:13px system-ui,sans-serif;fill:#1c2530}.title{font-weight:600;font-size:14px}.note{fill:#52606d}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img">'
        f'<style>{style}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _bar(bar: Bar, top: int, longest: float) -> list[str]:
    length = max(1.0, (WIDTH - LABEL - 190) * bar.value / longest)
    return [
        f'<text x="{LABEL - 10}" y="{top + 14}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect x="{LABEL}" y="{top + 3}" width="{length:.1f}" height="{ROW - 7}" fill="{FILLS[bar.kind]}"/>',
        f'<text x="{LABEL + length + 8:.1f}" y="{top + 14}" class="note">{escape(bar.note)}</text>',
    ]


def charts(found: dict[str, Any]) -> list[Chart]:
    """What of a run's results is worth a picture; parts that did not run are left out."""
    made = []
    if "throughput" in found:
        made.append(_throughput(found["throughput"]))
    if "curves" in found:
        made.append(_curves(found["curves"]["again"]))
    if "today" in found:
        made.append(_today(found["today"], "answering at once"))
    if "distant" in found:
        made.append(_today(found["distant"], "answering after 5 ms"))
    if "latency" in found:
        made.append(_latency(PICTURED_RATE, found["latency"][PICTURED_RATE]))
    if "stages" in found:
        stages = found["stages"]["threads_us_per_record"]
        bars = [Bar(name, value, f"{value} µs", "contribd") for name, value in stages.items() if value > 0]
        made.append(Chart("CPU of a record by thread", bars))
    return made


def _throughput(found: dict[str, Any]) -> Chart:
    bars = [
        Bar("bare consume → produce loop", _median(found["bare_records_per_second"]), "", "reference"),
        Bar("contribd, one instance", _median(found["contribd_records_per_second"]), "", "contribd"),
    ]
    ratio = _median(found["ratio"])
    noted = [bar._replace(note=f"{bar.value:,.0f} a second") for bar in bars]
    return Chart(f"Records a second, Kafka to Kafka: {ratio:.2f} of the bare loop", noted)


def _curves(found: dict[str, Any]) -> Chart:
    rates = {points: _median(each) for points, each in found["posts_per_second"].items()}
    bars = [
        Bar("single quotes", value, f"{value:,.0f} a second", "reference")
        if points == "1"
        else Bar(f"curves of {points} points", value, f"{value:,.0f} a second", "contribd")
        for points, value in rates.items()
    ]
    return Chart("Posts a second of curves and of single quotes, Kafka to Kafka", bars)


def _today(found: dict[str, Any], ads: str) -> Chart:
    names = {
        "lseg_data_contribute_per_second": ("lseg-data, contribute()", "reference"),
        "sample_loop_per_second": ("sample loop, one post at a time", "reference"),
        "contribd_per_second": ("contribd, with Kafka and results", "contribd"),
    }
    bars = [
        Bar(label, _median(found[key]), f"{_median(found[key]):,.0f} a second", kind)
        for key, (label, kind) in names.items()
    ]
    return Chart(f"Posts a second on one ADS, {ads}", bars)


def _latency(rate: str, found: dict[str, Any]) -> Chart:
    bars = []
    for key, label, kind in (
        ("bare", "bare consumer", "reference"),
        ("wire", "contribd, post at the ADS", "contribd"),
        ("result", "contribd, result readable", "contribd"),
    ):
        for name in ("p50", "p99"):
            value = _median(found[key][name])
            bars.append(Bar(f"{label}, {name}", value, f"{value:.1f} ms", kind))
    return Chart(f"Latency from the Kafka timestamp at {rate} records a second", bars)


def _median(summary: dict[str, Any]) -> float:
    return float(summary["median"])
