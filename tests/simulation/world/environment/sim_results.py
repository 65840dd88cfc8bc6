"""The results topic, as a simulated process reads it back."""

from tests.simulation.world.environment.brokers import RESULTS
from tests.simulation.world.environment.fiber import current
from tests.simulation.world.environment.host import Life
from tests.simulation.world.environment.sim_calls import answer, call

from contribd.engine.records.result_encoder import Encoded
from contribd.streams.client.port import ResultSource, WholeResult

MOST = 50
"""Results in one poll."""


class SimResultSources:
    """``streams.client.port.ResultSources`` over a simulated cluster."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._kafka = life.world.kafka
        self._position = 0
        self._end = len(self._kafka.results)
        self._waits = {each for each in self._kafka.open_transactions().values() if each.results}

    def go_to(self, time: int | None) -> int:
        """To what was written at or after ``time``."""
        call(self._life, RESULTS)
        results = self._kafka.results
        self._position = next((n for n, (at, _) in enumerate(results) if time is None or at >= time), len(results))
        answer(self._life)
        return self.left()

    def go_to_last(self, most: int) -> int:
        """To the last ones."""
        self._position = max(0, self._end - most)
        return self.left()

    def poll(self, seconds: float) -> list[ResultSource]:
        """The next ones."""
        return [ResultSource.of(encoded.headers) for encoded in self._polled(seconds)]

    def poll_whole(self, seconds: float) -> list[WholeResult]:
        """The same with their values."""
        return [WholeResult.of(encoded.headers, encoded.value) for encoded in self._polled(seconds)]

    def _polled(self, seconds: float) -> list[Encoded]:
        call(self._life, RESULTS)
        open_now = set(self._kafka.open_transactions().values())
        if self._waits & open_now:
            current().sleep(seconds)
            return []
        self._waits.clear()
        self._end = max(self._end, len(self._kafka.results))
        taken = self._kafka.results[self._position : min(self._end, self._position + MOST)]
        self._position += len(taken)
        answer(self._life)
        return [encoded for _, encoded in taken]

    def left(self) -> int:
        """To the end, as it was."""
        return self._end - self._position or len(self._waits)

    def oldest(self) -> int | None:
        """Nothing was deleted."""
        return None

    def close(self) -> None:
        """Nothing is left open."""
