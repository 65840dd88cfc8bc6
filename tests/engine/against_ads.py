"""The engine under test with the simulated ADS, in simulated time: no socket, no thread."""

import heapq
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count
from random import Random
from typing import Any, Final, Unpack

from tests.engine.making import Contribution
from tests.engine.rig import Rig

from contribd.engine.commands import Connect, Disconnect
from contribd.engine.events import Connected, Lost, Received, Tick
from contribd.engine.limits import DEFAULT_BOUNDS, Bounds
from contribd.engine.session.endpoints import Failure
from contribd.simulation.ads.ads_client import AdsClient
from contribd.simulation.ads.options import AdsOptions
from contribd.simulation.ads.simulated_ads import SimulatedAds

LATENCY: Final = 0.01
"""Seconds each way; a connection is made within as much."""

Result = dict[str, Any]


def waits(first: float, longest: float, seed: int) -> Callable[[int], float]:
    """The wait that a configuration's ``first`` and ``max`` give, with its jitter."""
    rng = Random(seed)
    return lambda failures: min(longest, first * 2.0 ** (failures - 1)) * (1 - rng.random() / 2)


class AgainstAds:
    """A rig whose servers are simulated ones, one an endpoint. Results are durable at once."""

    def __init__(
        self,
        *,
        endpoints: int = 1,
        options: AdsOptions | None = None,
        seed: int = 1,
        bounds: Bounds = DEFAULT_BOUNDS,
        **how: Unpack[Contribution],
    ) -> None:
        urls = tuple(f"ws://ads{number}" for number in range(1, endpoints + 1))
        self.servers = {url: SimulatedAds(options, Random(seed)) for url in urls}
        self.rig = Rig(endpoints=urls, backoff=waits(1.0, 60.0, seed), bounds=bounds, **how).assign()
        self.results: list[Result] = []
        self.used: list[str] = []
        """The endpoint of each connection."""
        self.connected_at: list[float] = []
        self._client: AdsClient | None = None
        self._attempt = 0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    # Time

    def at(self, mono: float, action: Callable[[], None]) -> None:
        """Does it then."""
        heapq.heappush(self._due, (mono, next(self._order), action))

    def run(self, seconds: float) -> None:
        """Lets so much time pass."""
        rig, end = self.rig, self.rig.mono + seconds
        while rig.mono < end:
            self._round()
            times = [end, rig.engine.wake_at(rig.now), *(due[0] for due in self._due[:1])]
            if self._client is not None and (wake := self._client.wake_at()) is not None:
                times.append(wake)
            rig.mono, before = max(rig.mono + 1e-6, min(times)), rig.mono
            rig.wall += round((rig.mono - before) * 1e6)

    def _round(self) -> None:
        while self._due and self._due[0][0] <= self.rig.mono:
            heapq.heappop(self._due)[2]()
        self.rig.handle(Tick())
        self.results += self.rig.commit()
        self._serve()

    # The connection

    def _serve(self) -> None:
        rig = self.rig
        for command in self._taken(rig.commands):
            if isinstance(command, Connect):
                self._connect(command)
            elif isinstance(command, Disconnect):
                self._end()
        for frame in self._taken(rig.frames):
            if self._client is not None:
                self.at(rig.mono + LATENCY, partial(self._arrive, self._client, frame))
        self._send()

    @staticmethod
    def _taken(things: list[Any]) -> list[Any]:
        taken = list(things)
        things.clear()
        return taken

    def _connect(self, command: Connect) -> None:
        def made() -> None:
            self._client, self._attempt = self.servers[command.endpoint].connect(self.rig.mono), command.attempt
            self.rig.handle(Connected(command.attempt))

        self.used.append(command.endpoint)
        self.connected_at.append(self.rig.mono)
        self.at(self.rig.mono + LATENCY, made)

    def _arrive(self, client: AdsClient, frame: bytes) -> None:
        if client is self._client:
            client.receive(frame, self.rig.mono)
            self._send()

    def _send(self) -> None:
        client, attempt, at = self._client, self._attempt, self.rig.mono + LATENCY
        if client is None:
            return
        for text in client.take(self.rig.mono):
            self.at(at, partial(self.rig.handle, Received(attempt, [text])))
        if client.close is not None:
            self._end()
            self.at(at, partial(self.rig.handle, Lost(attempt, Failure.CLOSED_BY_SERVER, "closed with 1000")))

    def _end(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.gone(self.rig.mono)

    # What goes in, and what came of it

    def tick_every_second(self, *rics: str, seconds: int, shift: float = 0.0) -> None:
        """Each RIC has a price at every full second from now on, ``shift`` seconds after it."""
        start = self.rig.mono
        for second in range(seconds):
            for ric in rics:
                self.at(start + second + shift, partial(self.rig.put, {"BID": second}, ric=ric))

    def statuses(self, ric: str) -> Counter[str]:
        """How many results of each status the RIC has."""
        return Counter(result["status"] for result in self.results if result["ric"] == ric)

    def acked(self, *rics: str) -> int:
        """ACK results of these."""
        return sum(self.statuses(ric)["ACK"] for ric in rics)

    @property
    def reasons(self) -> Counter[str]:
        """How often sessions ended, by reason."""
        found: Counter[str] = Counter()
        for (_endpoint, reason), number in self.rig.engine.counters.reconnects.items():
            found[reason] += number
        return found
