"""What is known of one RIC: the last results of it, from memory or, where that is asked for, from the results topic.

From memory are those that this process wrote; that reads nothing and waits for nothing. The topic has those of former
processes and of others, too. For the threads of HTTP.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from contribd.ops.last_results import MAX_RICS, LastResult, LastResults
from contribd.ops.log import mask
from contribd.ops.status import iso
from contribd.ops.wrong_now import result_in

HOW_TO_LOOK_FURTHER: Final = "contribd results --ric RIC reads all of the results topic."


class NotLooked(Exception):
    """The results topic was not read; the text says why. ``busy``: it would be, a little later."""

    def __init__(self, text: str, *, busy: bool = False) -> None:
        super().__init__(text)
        self.busy = busy


class FurtherBack(NamedTuple):
    """What the results topic says of a RIC, by service. ``place``: where was looked; ``results``: how many of the RIC
    were found; ``read``: how many were looked at, back to ``back_to`` (Unix seconds, None where there were none);
    ``whole``: there are no older ones."""

    found: list[tuple[str, LastResult]]
    place: str
    results: int
    read: int
    back_to: float | None
    whole: bool


ReadBackwards: TypeAlias = Callable[[str, Collection[str]], FurtherBack]
"""Reads the results topic for a RIC, until it is found for each of these services, as far back as is reasonable. Raises
``NotLooked``."""


class RicSearch:
    """Looks a RIC up. For any thread."""

    def __init__(
        self, last: LastResults, services: Callable[[], Iterable[str]], started: float, backwards: ReadBackwards
    ) -> None:
        """``services``: those posted to; ``started``: since when results are kept in memory, in Unix seconds."""
        self._last = last
        self._services = services
        self._started = started
        self._backwards = backwards

    def in_memory(self, ric: str) -> dict[str, Any]:
        """By service: the last result, the last one that was posted where that is another; and how far was looked."""
        found = self._last.find(ric, self._services())
        return _document(ric, found, self._started, self._looked())

    def in_topic(self, ric: str) -> dict[str, Any]:
        """The same from the results topic. Raises ``NotLooked``."""
        read = self._backwards(ric, list(self._services()))
        return _document(ric, read.found, read.back_to, _looked_in(read)) | {"results": read.results}

    def _looked(self) -> str:
        since = (
            f"Looked through what this process has written since {iso(self._started)}, of the partitions that it has"
        )
        return f"{since}, and of the {MAX_RICS:,} RICs that had records last." if self._last.forgotten else f"{since}."


def _looked_in(read: FurtherBack) -> str:
    if read.back_to is None:
        return f"Looked in {read.place}: no results are there."
    far = f"Looked in {read.place}, back to {iso(read.back_to)}"
    oldest = ", the oldest there is" if read.whole else ""
    more = "" if read.whole else f" {HOW_TO_LOOK_FURTHER}"
    return f"{far}{oldest}: {read.results:,} of {read.read:,} results are of this RIC.{more}"


def _document(ric: str, found: Iterable[tuple[str, LastResult]], back_to: float | None, looked: str) -> dict[str, Any]:
    return {
        "ric": ric,
        "found": [{"service": service, **_result(each)} for service, each in found],
        "looked_back_to": iso(back_to),
        "looked": looked,
    }


def _result(found: LastResult) -> dict[str, Any]:
    posted = None if found.posted is None else _masked(result_in(found.posted))
    return {"at": iso(found.at / 1e6), "result": _masked(result_in(found.value)), "posted": posted}


def _masked(value: Any) -> Any:
    """The same with secrets masked: texts that come from the network may repeat what was sent."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list) else value
