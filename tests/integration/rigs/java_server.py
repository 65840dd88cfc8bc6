"""A server as a child process: what a broker and a provider have in common."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from tests.integration.rigs.spawned import Child

START_ATTEMPTS = 3  # a port can be taken by somebody else between choosing it and listening on it


class JavaServer(ABC):
    """One server in ``directory``. Its port is chosen at its first start and outlives stop, kill and restart."""

    def __init__(self, directory: Path, *, name: str) -> None:
        """``name``: what error messages call it, and its log file in lower case."""
        self.directory = directory
        self.log = directory / f"{name.lower()}.log"
        self._name = name
        self._port = 0
        self._child: Child | None = None

    @property
    def port(self) -> int:
        """The port the server itself listens on (127.0.0.1); 0 before its first start."""
        return self._port

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.alive

    @property
    def child(self) -> Child:
        """The process. Raises RuntimeError where it does not run."""
        if self._child is None or not self._child.alive:
            raise RuntimeError(f"{self._name} is not running")
        return self._child

    def start(self) -> None:
        """Start it and return once it answers. Raises RuntimeError, with the end of its log, where it does not."""
        first = self._port == 0
        for attempt in range(1, START_ATTEMPTS + 1):
            self.launch(anew=first)
            if self.answers():
                if first:
                    self._settle_in()
                return
            tail = self._child.tail() if self._child is not None else ""
            self.kill()
            if not first or "Address already in use" not in tail or attempt == START_ATTEMPTS:
                raise RuntimeError(f"{self._name} did not start; the end of {self.log}:\n{tail}")

    def launch(self, *, anew: bool = False) -> None:
        """Start the process and wait for nothing; ``anew``: on a port that is chosen now."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if anew or self._port == 0:
            self._port = self._choose_port()
        self._child = self._launch()

    def stop(self) -> None:
        """End it in order."""
        if self._child is not None:
            self._child.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self._child is not None:
            self._child.kill()

    def restart(self) -> None:
        """Start again on the same port, with what it keeps on disk; one still running is stopped in order first."""
        self.stop()
        self.start()

    @abstractmethod
    def _choose_port(self) -> int:
        """A free port, and whatever must be made ready for it; again with each attempt of a first start."""

    @abstractmethod
    def _launch(self) -> Child:
        """Starts the process."""

    @abstractmethod
    def answers(self) -> bool:
        """Waits until the process answers; False where it ended or took too long."""

    def _settle_in(self) -> None:  # noqa: B027 - not every server has something to do here
        """After the first start: what has to be there before anybody uses it."""
