"""``python -m tests.bench [PART …] [--quick] [--out DIR]``: measures, and writes one JSON document and one picture.

Parts: throughput, curves (records of many posts, beside single quotes), today, distant (an ADS that answers after
5 ms), provider (LSEG's own code), latency, stages, mapping (beside the same by hand), growth, overload, recovery, harm,
scale, brokers (of three, beside Kafka's own client), plan, verify (the audit, by one process and by more), loading
(mapping files and a table), page (fifty open pages); all of them where none is named. What other parts left in the
document stays.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import (
    broker_outages,
    by_hand,
    curves,
    growth,
    harm,
    latency,
    loading,
    overload,
    page_part,
    picture,
    plan_part,
    recovery,
    scale,
    stages,
    throughput,
    today,
    verify_part,
)
from tests.bench import provider_part as provider
from tests.bench.measure import Series, machine
from tests.bench.setting import BUILD, Setting

RATES = (100, 1_000, 5_000)
Part = Callable[[bool], dict[str, Any]]

ADS = ("--no-check-fields",)
"""The ADS's own checks of values cost it, not contribd."""


def _throughput(quick: bool) -> dict[str, Any]:
    with Setting(ads=ADS) as setting:
        return throughput.measure(setting, *((30_000, 2) if quick else (80_000, 4)))


def _curves(quick: bool) -> dict[str, Any]:
    with Setting(ads=ADS) as setting:
        return curves.measure(setting, *((24_000, 2) if quick else (80_000, 4)))


def _today(quick: bool) -> dict[str, Any]:
    with Setting(ads=ADS) as setting:
        return today.measure(setting, *((30_000, 2) if quick else (60_000, 3)))


def _distant(quick: bool) -> dict[str, Any]:
    with Setting(ads=(*ADS, "--delay", "5")) as setting:
        return today.measure(setting, *((30_000, 2) if quick else (60_000, 3)))


def _provider(quick: bool) -> dict[str, Any]:
    with Setting() as setting:
        return provider.measure(setting, *((20_000, 2) if quick else (40_000, 5)))


def _latency(quick: bool) -> dict[str, Any]:
    rounds, seconds = (2, 6.0) if quick else (3, 10.0)
    with Setting() as setting:
        return {str(rate): _latency_at(setting, rate, rounds, seconds) for rate in RATES}


def _latency_at(setting: Setting, rate: float, rounds: int, seconds: float) -> dict[str, Any]:
    series = {kind: {name: Series() for name in latency.PERCENTILES} for kind in ("bare", "wire", "result", "ratio")}
    for _ in range(rounds):
        bare = latency.bare(setting, rate, seconds)
        wire, result = latency.contribd(setting, rate, seconds)
        for name in latency.PERCENTILES:
            series["bare"][name].add(bare[name])
            series["wire"][name].add(wire[name])
            series["result"][name].add(result[name])
            series["ratio"][name].add(wire[name] / bare[name])
    return {kind: {name: each.summary() for name, each in by_name.items()} for kind, by_name in series.items()}


def _stages(quick: bool) -> dict[str, Any]:
    with Setting(ads=ADS) as setting:
        return stages.measure(setting, *((40_000, 3) if quick else (80_000, 5)))


def _mapping(quick: bool) -> dict[str, Any]:
    return dict(by_hand.measure(rounds=100 if quick else 1_000))


def _growth(quick: bool) -> dict[str, Any]:
    return growth.measure(rounds=2 if quick else 3, instruments=(1, 500, 20_000) if quick else growth.INSTRUMENTS)


def _overload(quick: bool) -> dict[str, Any]:
    with Setting() as setting:
        return overload.measure(setting, 12.0 if quick else 40.0)


def _recovery(quick: bool) -> dict[str, Any]:
    """One round of what ends: the group's session timeout or a client's first wait decide, not chance."""
    with Setting() as setting:
        return {
            "start_seconds": recovery.start(setting, 2 if quick else 4),
            "session_cut_seconds": recovery.cut_session(setting, 2 if quick else 4),
            "one_of_two_seconds": recovery.instances(setting, 1),
        }


def _harm(quick: bool) -> dict[str, Any]:
    with Setting() as setting:
        return harm.measure(setting, 15 if quick else 60)


def _scale(quick: bool) -> dict[str, Any]:
    with Setting(ads=ADS) as setting:
        return scale.measure(setting, *((40_000, 1) if quick else (80_000, 2)))


def _brokers(quick: bool) -> dict[str, Any]:
    with Setting(kafka=broker_outages.cluster) as setting:
        return broker_outages.measure(setting, 1 if quick else 2)


def _plan(quick: bool) -> dict[str, Any]:
    with Setting() as setting:
        return plan_part.measure(setting, *((30_000, 2) if quick else (100_000, 4)))


def _verify(quick: bool) -> dict[str, Any]:
    with Setting(ads=ADS) as setting:
        return verify_part.measure(setting, *((40_000, 2) if quick else (1_000_000, 2)))


def _loading(quick: bool) -> dict[str, Any]:
    return loading.measure(rounds=5 if quick else 20)


def _page(quick: bool) -> dict[str, Any]:
    with Setting(ads=ADS) as setting:
        return page_part.measure(setting, *((60_000, 2) if quick else (200_000, 6)))


PARTS: dict[str, Part] = {
    "throughput": _throughput,
    "curves": _curves,
    "today": _today,
    "distant": _distant,
    "provider": _provider,
    "latency": _latency,
    "stages": _stages,
    "mapping": _mapping,
    "growth": _growth,
    "overload": _overload,
    "recovery": _recovery,
    "harm": _harm,
    "scale": _scale,
    "brokers": _brokers,
    "plan": _plan,
    "verify": _verify,
    "loading": _loading,
    "page": _page,
}


def main() -> None:
    """Runs the parts asked for, each written down as soon as it is done."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="smaller and fewer, to see that all works")
    parser.add_argument("--out", type=Path, default=BUILD)
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "performance.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for part in options.parts or PARTS:
        before, start = machine(), time.monotonic()
        measured = PARTS[part](options.quick)
        seconds = round(time.monotonic() - start)
        found[part] = {**measured, "seconds": seconds, "machine_before": before, "machine_after": machine()}
        file.write_text(json.dumps(found, indent=1) + "\n")
        (options.out / "performance.svg").write_text(picture.draw(picture.charts(found)))
        print(f"{part}: {json.dumps(found[part])}", flush=True)  # noqa: T201 - a command for people


if __name__ == "__main__":
    main()
