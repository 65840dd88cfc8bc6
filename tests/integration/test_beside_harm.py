"""An instrument whose posts end sessions, on LSEG's own provider and real Kafka: the others get what is theirs."""

from collections.abc import Callable
from pathlib import Path

from tests.integration.rigs.beside_harm import HARMFUL, BesideHarm, acked, garbling, of_harmful, tick
from tests.integration.rigs.broker_rig import KafkaBroker
from tests.integration.rigs.provider_rig import Provider

SECONDS = 12
"""The third post of an offender goes about seven seconds after its first."""


def test_the_others_of_each_kind_get_what_they_get_without_it(
    tmp_path: Path, kafka: KafkaBroker, new_provider: Callable[..., Provider]
) -> None:
    proxy = garbling(new_provider())
    url = f"ws://127.0.0.1:{proxy.port}/WebSocket"
    cases = [BesideHarm(tmp_path / (kind or "none"), kafka, url, kind, conflate=False) for kind in (None, *HARMFUL)]
    try:
        found = tick(kafka, cases, SECONDS)
        without = acked(found[cases[0]])
        assert without == 5 * SECONDS
        for case in cases[1:]:
            share = acked(found[case]) / without
            print(f"{case.kind}: {share:.1%} of what the others get without it")  # noqa: T201 - pytest -s shows it
            assert share >= 0.95
            assert of_harmful(found[case])["UNANSWERED"] >= 1
            [isolated] = case.daemon.status()["isolated_named"]
            assert (isolated["ric"], isolated["state"]) == (HARMFUL[case.kind or ""], "offender")
    finally:
        for case in cases:
            case.daemon.stop()
        proxy.stop()
