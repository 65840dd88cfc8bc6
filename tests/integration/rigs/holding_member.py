"""A member of a group, in a process of its own, whose worker never lets go of the partitions that are taken from it."""

import json
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from tests.integration.rigs.java_build import REPOSITORY
from tests.integration.rigs.spawned import Child
from tests.streams.stream_suite import GroupProcess

from contribd.engine.events import Event
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.blocked import Skipped
from contribd.streams.group.lease import Joined


class HoldingMember:
    """The process. It says each event that its worker is told of, and how many partitions it has then."""

    def __init__(self, settings: KafkaSettings, *, log: Path) -> None:
        values = {name: value for name, value in asdict(settings).items() if not callable(value)}
        command = [sys.executable, "-m", __name__, json.dumps(values, default=sorted)]
        self._child = Child(command, cwd=REPOSITORY, log=log, piped=True)

    def says(self, event: type[Event], owned: int) -> None:
        """Waits until it has said so."""
        wanted = f"{event.__name__} {owned}\n"
        if wanted not in iter(self._child.stdout.readline, ""):
            raise AssertionError(f"it has ended; the end of its log:\n{self._child.tail()}")

    def kill(self) -> None:
        """SIGKILL: the group hears nothing of it."""
        self._child.kill()


class _Telling(GroupProcess):
    def put(self, event: Event | Joined | Skipped) -> None:
        super().put(event)
        print(type(event).__name__, len(self.owned), flush=True)  # noqa: T201 - whoever started this reads it


if __name__ == "__main__":
    _Telling(KafkaSettings(**json.loads(sys.argv[1])), holds=True)
    threading.Event().wait()
