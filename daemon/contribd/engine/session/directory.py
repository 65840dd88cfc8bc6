"""The source directory stream: when it is asked for, what its answers say of the services, and doing without it."""

from collections.abc import Iterable
from enum import Enum, auto

from contribd.engine.limits import DIRECTORY_TIMEOUT
from contribd.engine.session.services import Services
from contribd.omm.directory_message import Directory


class Due(Enum):
    """What is due for the directory."""

    REQUEST = auto()
    """It is to be asked for, again."""
    ANSWER = auto()
    """An answer is overdue: the server has none."""


class SourceDirectory:
    """The directory of the server in use. Times are monotonic seconds."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self.services = Services()
        self._wanted = tuple(wanted)
        self._due = Due.REQUEST
        self._due_at: float | None = None

    def want(self, services: Iterable[str]) -> None:
        """These are posted to from now on."""
        self._wanted = tuple(services)

    @property
    def any_up(self) -> bool:
        """Whether posts to one of the services posted to may go."""
        return self.services.any_up(self._wanted)

    @property
    def answered(self) -> bool:
        """Whether it is known what the server says of its services, be it nothing."""
        return self.services.known or self._due_at is None

    def asked(self, mono: float) -> None:
        """The request went out."""
        self._due, self._due_at = Due.ANSWER, mono + DIRECTORY_TIMEOUT

    def update(self, directory: Directory) -> None:
        """The whole of it came, a part, or a change."""
        self.services.update(directory)
        if directory.complete:
            self._due_at = None

    def stream_closed(self, mono: float) -> bool:
        """The server closed the stream; whether there is no directory to go by.

        What one has said last holds until it says more: it is asked for again in a while.
        """
        if self.services.known:
            self._due, self._due_at = Due.REQUEST, mono + DIRECTORY_TIMEOUT
        return not self.services.known

    def forget(self) -> None:
        """The session ended, or the server has no directory."""
        self.services.clear()
        self._due_at = None

    def due(self, mono: float) -> Due | None:
        """What has to be done by now."""
        return self._due if self._due_at is not None and mono >= self._due_at else None

    def wake_at(self) -> float | None:
        """When ``due`` has something to say; None where nothing is awaited."""
        return self._due_at
