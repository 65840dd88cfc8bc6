"""What five instruments get beside one whose posts do harm, as a share of what they get without it.

LSEG's own provider code is the ADS; a price a second each, contribd's default settings. Every case has a daemon of its
own, and all run at the same time.
"""

from typing import Any

from tests.bench.setting import Setting
from tests.integration.rigs.beside_harm import HARMFUL, BesideHarm, acked, garbling, of_harmful, tick
from tests.integration.rigs.broker_rig import unique
from tests.integration.rigs.provider_rig import Provider


def measure(setting: Setting, seconds: int) -> dict[str, Any]:
    """Accepted prices of the five in each case, their share of those without harm, and what the other one got."""
    found: dict[str, Any] = {"seconds_of_prices": seconds}
    with Provider(setting.directory / "provider") as provider:
        proxy = garbling(provider)
        url = f"ws://127.0.0.1:{proxy.port}/WebSocket"
        kinds = (None, *HARMFUL)
        cases = {
            (kind, conflate): BesideHarm(
                setting.directory / unique("harm"), setting.kafka, url, kind, conflate=conflate
            )
            for conflate in (True, False)
            for kind in kinds
        }
        setting.daemons += [case.daemon for case in cases.values()]
        results = tick(setting.kafka, list(cases.values()), seconds)
        for (kind, conflate), case in cases.items():
            without = acked(results[cases[None, conflate]])
            found[f"{kind or 'without'}, {'conflated' if conflate else 'each'}"] = {
                "accepted": acked(results[case]),
                "share": round(acked(results[case]) / without, 4),
                "of_the_other": dict(of_harmful(results[case])),
                "sessions_lost": sum(row["count"] for row in case.daemon.status()["reconnects"]),
            }
        proxy.stop()
    return found
