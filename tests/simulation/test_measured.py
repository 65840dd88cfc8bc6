"""One table of what LSEG's own provider (EMA Java 3.9.1) was measured to answer, held against it and the simulated ADS.

``measured.jsonl`` has a case a line: ``message`` is JSON text, sent in one frame with a faultless post 2 behind it;
``answers`` are what came back, in order. ``A1``: Ack of post 1; ``N1:DeniedBySrc``: its Nak; ``Error1``: an Error on
stream 1.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.integration.rigs import needs
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.raw_websocket import Message, WireClient, post

from contribd.simulation.ads.server import AdsServer


class MeasuredCase(NamedTuple):
    name: str
    message: str
    answers: list[str]


CASES = [
    MeasuredCase(**json.loads(line)) for line in Path(__file__).with_name("measured.jsonl").read_text().splitlines()
]
FAULTLESS = json.dumps(post(2, "EUR=", {"BID": 1}))
PING: Message = {"Type": "Ping"}
QUIET = 0.5  # seconds without the Pong, after which another Ping is sent
PATIENCE = 20  # Pings: the provider leaves what follows a broken frame unread until more comes


def short(message: Message) -> str:
    kind = str(message["Type"])
    if kind == "Ack":
        nak = message.get("NakCode")
        return f"A{message['AckID']}" if nak is None else f"N{message['AckID']}:{nak}"
    if kind == "Error":
        return f"Error{message['ID']}"
    if kind == "Status":
        state = message["State"]
        return f"Status{message['ID']}:{message.get('Domain', '-')}:{state['Stream']}:{state.get('Code')}"
    return kind


def answers(client: WireClient, case: MeasuredCase) -> list[str]:
    """What came before the Pong that closes the case."""
    client.send_text(f"[{case.message},{FAULTLESS}]")
    found: list[str] = []
    own_pong = '"Ping"' in case.message
    for pings in range(1, PATIENCE):
        client.send(PING)
        deadline = time.monotonic() + QUIET
        while found.count("Pong") < pings + own_pong and (message := client._next(deadline)) is not None:
            found.append(short(message))
        if found.count("Pong") == pings + own_pong:
            return found[:-pings]
    raise AssertionError(f"{case.name}: no Pong; {found} came")


@pytest.fixture(scope="module")
def simulated() -> Iterator[WireClient]:
    server = AdsServer()
    server.start()
    client = WireClient(server.url)
    yield client
    client.close()
    server.stop()


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireClient]:
    needs.java_and_maven()
    with Provider(tmp_path_factory.mktemp("provider")) as provider:
        client = WireClient(provider.url)
        yield client
        client.close()


def differences(client: WireClient) -> dict[str, tuple[list[str], list[str]]]:
    found = {case.name: (case.answers, answers(client, case)) for case in CASES}
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def test_the_simulated_ads_answers_as_measured(simulated: WireClient) -> None:
    assert differences(simulated) == {}


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_the_vendors_provider_answers_as_measured(vendors: WireClient) -> None:
    assert differences(vendors) == {}
