"""The engine of a simulated daemon, with the oracle looking on."""

from collections.abc import Callable
from typing import Any

from tests.simulation.world.environment.host import Life
from tests.simulation.world.environment.sim_wire import Wire

from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.events import Event, Received, Tick


class WatchedEngine(Engine):
    """The engine as it is, which tells the oracle what it hears and says. ``wire``: the one in use."""

    def __init__(self, life: Life, wire: Callable[[], Wire | None], **parts: Any) -> None:
        super().__init__(**parts)
        self._life = life
        self._wire = wire
        self._named = ""

    def take_frames(self, now: Now) -> list[bytes]:
        """As the engine's."""
        texts = super().take_frames(now)
        wire = self._wire()
        if texts and wire is not None:
            self._life.world.oracle.posting(self._life, wire, texts)
        return texts

    def handle(self, event: Event, now: Now) -> None:
        """As the engine's."""
        oracle, wire = self._life.world.oracle, self._wire()
        if not isinstance(event, Tick | Received):
            oracle.told(self._life, event, self)
        super().handle(event, now)
        if self.session.session_id != self._named and wire is not None:
            self._named = self.session.session_id
            oracle.session_named(self._life, wire, self._named)
