"""The services an ADS offers, from its source directory."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple

from contribd.omm.directory_message import Directory, ServiceChange


class Service(NamedTuple):
    """One service of the directory, as far as it was told of: ``running`` is ServiceState."""

    name: str = ""
    running: bool = True
    accepting: bool = True

    @property
    def up(self) -> bool:
        """Whether posts to it may go."""
        return self.running and self.accepting

    def after(self, change: ServiceChange) -> "Service":
        """What it is after ``change``."""
        return Service(
            self.name if change.name is None else change.name,
            self.running if change.running is None else change.running,
            self.accepting if change.accepting is None else change.accepting,
        )


class Services:
    """Names and states by service id. Without a directory every service counts as Up."""

    __slots__ = ("_alike", "_by_id", "known")

    def __init__(self) -> None:
        self.known = False
        """Whether a whole directory came; where the server has none, posts go out without it."""
        self._by_id: dict[str, Service] = {}
        self._alike: dict[str, list[str]] = {}
        """What ``names_like`` has found: it is asked again and again, and an ADS may have hundreds."""

    def clear(self) -> None:
        """The session ended, or there is no directory to go by."""
        self.known = False
        self._by_id.clear()
        self._alike.clear()

    def update(self, directory: Directory) -> None:
        """A Refresh or Update of the directory."""
        if directory.replaces:
            self._by_id.clear()
        self.known = self.known or directory.complete
        self._alike.clear()
        for change in directory.changes:
            if change.deleted:
                self._by_id.pop(change.service_id, None)
            else:
                self._by_id[change.service_id] = self._by_id.get(change.service_id, Service()).after(change)

    def is_up(self, service: str) -> bool:
        """Whether posts to ``service`` (a name, or an id in digits) may go, as far as the directory says."""
        if not self.known:
            return True
        found = self._by_id.get(service)
        if found is not None:
            return found.up
        return any(each.name == service and each.up for each in self._by_id.values())

    def has(self, service: str) -> bool:
        """Whether the directory names ``service``."""
        return service in self._by_id or any(each.name == service for each in self._by_id.values())

    def any_up(self, services: Iterable[str]) -> bool:
        """Whether posts to one of ``services`` (all of the directory where none is named) may go."""
        if not self.known:
            return True
        wanted = list(services)
        return any(map(self.is_up, wanted)) if wanted else any(each.up for each in self._by_id.values())

    def states(self) -> dict[str, bool]:
        """Every service by name (by id where it has none) and whether it is Up."""
        return {each.name or service_id: each.up for service_id, each in self._by_id.items()}

    def names_like(self, service: str) -> list[str]:
        """Every service by name, those first that ``service`` may be a slip of the pen for; case counts least."""
        found = self._alike.get(service)
        if found is None:
            found = self._alike[service] = self._by_likeness(service.casefold())
        return found

    def _by_likeness(self, wanted: str) -> list[str]:
        likeness = {name: SequenceMatcher(None, wanted, name.casefold()).ratio() for name in self.states()}
        return sorted(likeness, key=lambda name: (-likeness[name], name))
