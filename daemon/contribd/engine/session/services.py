"""The services an ADS offers, from its source directory."""

from collections.abc import Iterable

from contribd.omm.answers import Directory


class Services:
    """Names and states by service id. Without a directory every service counts as Up."""

    __slots__ = ("_by_id", "known")

    def __init__(self) -> None:
        self.known = False
        """Whether a directory came; where the server has none, posts go out without it."""
        self._by_id: dict[str, tuple[str, bool]] = {}

    def clear(self) -> None:
        """The session ended, or there is no directory to go by."""
        self.known = False
        self._by_id.clear()

    def update(self, directory: Directory) -> None:
        """A Refresh or Update of the directory."""
        if directory.replaces:
            self._by_id.clear()
        self.known = True
        for change in directory.changes:
            if change.deleted:
                self._by_id.pop(change.service_id, None)
                continue
            name, up = self._by_id.get(change.service_id, ("", True))
            self._by_id[change.service_id] = (
                name if change.name is None else change.name,
                up if change.up is None else change.up,
            )

    def is_up(self, service: str) -> bool:
        """Whether posts to ``service`` (a name, or an id in digits) may go, as far as the directory says."""
        if not self.known:
            return True
        found = self._by_id.get(service)
        if found is not None:
            return found[1]
        return any(name == service and up for name, up in self._by_id.values())

    def any_up(self, services: Iterable[str]) -> bool:
        """Whether posts to one of ``services`` (all of the directory where none is named) may go."""
        if not self.known:
            return True
        wanted = list(services)
        return any(map(self.is_up, wanted)) if wanted else any(up for _, up in self._by_id.values())

    def states(self) -> dict[str, bool]:
        """Every service by name (by id where it has none) and whether it is Up."""
        return {name or service_id: up for service_id, (name, up) in self._by_id.items()}
