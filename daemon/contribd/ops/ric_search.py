"""What is known of one RIC: the last results of it that this process wrote, from memory. For the threads of HTTP."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from contribd.ops.last_results import MAX_RICS, LastResult, LastResults
from contribd.ops.log import mask
from contribd.ops.status import iso
from contribd.ops.wrong_now import result_in

HOW_TO_LOOK_FURTHER: Final = "contribd results --ric RIC reads the results topic, which goes further back."


class RicSearch:
    """Looks a RIC up in what is kept of each. It reads nothing and waits for nothing."""

    def __init__(self, last: LastResults, services: Callable[[], Iterable[str]], started: float) -> None:
        """``services``: those posted to; ``started``: since when results are kept, in Unix seconds."""
        self._last = last
        self._services = services
        self._started = started

    def __call__(self, ric: str) -> dict[str, Any]:
        """By service: the last result, the last one that was posted where that is another; and how far was looked."""
        found = self._last.find(ric, self._services())
        return {
            "ric": ric,
            "found": [{"service": service, **_document(each)} for service, each in found],
            "looked_back_to": iso(self._started),
            "looked": self._looked(),
        }

    def _looked(self) -> str:
        since = (
            f"Looked through what this process has written since {iso(self._started)}, of the partitions that it has"
        )
        full = f", and of the {MAX_RICS:,} RICs that had records last" if self._last.forgotten else ""
        return f"{since}{full}. {HOW_TO_LOOK_FURTHER}"


def _document(found: LastResult) -> dict[str, Any]:
    posted = None if found.posted is None else _masked(result_in(found.posted))
    return {"at": iso(found.at / 1e6), "result": _masked(result_in(found.value)), "posted": posted}


def _masked(value: Any) -> Any:
    """The same with secrets masked: texts that come from the network may repeat what was sent."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list) else value
