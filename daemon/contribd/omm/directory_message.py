"""Messages on the stream of the source directory, read field by field (LSEG Open Message Models, Source Directory)."""

from typing import Any, Final, NamedTuple

from contribd.omm.numbers import (
    FILTER_ACTIONS,
    MAP_ACTIONS,
    STREAM_STATES,
    as_number,
    as_object,
    as_text,
    element,
    name_of,
)

_INFO_FILTER: Final = 1
_STATE_FILTER: Final = 2

_ENDED: Final = frozenset(("Closed", "ClosedRecover", "NonStreaming", "Redirected"))
"""What a stream is that says nothing more."""


class ServiceChange(NamedTuple):
    """One entry of the directory's map. What the message says nothing of is None, and stays as it was."""

    service_id: str
    name: str | None = None
    running: bool | None = None
    """ServiceState."""
    accepting: bool | None = None
    """AcceptingRequests."""
    deleted: bool = False


class Directory(NamedTuple):
    """A Refresh, one of its parts, or an Update.

    ``replaces``: services known before are gone. ``complete``: no further part follows. ``ended``: what the server
    said where it ends the stream with it.
    """

    changes: tuple[ServiceChange, ...]
    replaces: bool
    complete: bool = True
    ended: str | None = None


class DirectoryRefused(NamedTuple):
    """The server does not serve the Source domain, or closed the stream."""

    text: str


def directory_message(message: dict[str, Any], kind: str) -> Directory | DirectoryRefused | None:
    """What a message of this type says of the services; None where that is nothing."""
    state = as_object(message.get("State"))
    text = as_text(state.get("Text"))
    ended = text if name_of(state.get("Stream"), STREAM_STATES) in _ENDED else None
    if kind in ("Refresh", "Update"):
        return Directory(
            _changes(message),
            replaces=kind == "Refresh" and _begins_anew(message),
            complete=message.get("Complete") is not False,
            ended=ended,
        )
    return DirectoryRefused(text) if kind == "Status" and ended is not None else None


def _begins_anew(refresh: dict[str, Any]) -> bool:
    """A Refresh does, unless it says otherwise; of one in several parts only the first."""
    return refresh.get("ClearCache") is not False and refresh.get("PartNumber") in (None, 0)


def _changes(message: dict[str, Any]) -> tuple[ServiceChange, ...]:
    entries = as_object(message.get("Map")).get("Entries")
    return tuple(_service(entry) for entry in entries if type(entry) is dict) if type(entries) is list else ()


def _service(entry: dict[str, Any]) -> ServiceChange:
    service_id = as_text(entry.get("Key"))
    if name_of(entry.get("Action"), MAP_ACTIONS) == "Delete":
        return ServiceChange(service_id, deleted=True)
    change = ServiceChange(service_id)
    filters = as_object(entry.get("FilterList")).get("Entries")
    for part in filters if type(filters) is list else ():
        change = _with_filter(change, as_object(part))
    return change


def _with_filter(change: ServiceChange, part: dict[str, Any]) -> ServiceChange:
    elements = as_object(part.get("Elements"))
    if part.get("ID") == _INFO_FILTER:
        name = element(elements, "Name")
        return change if name is None else change._replace(name=as_text(name))
    if part.get("ID") == _STATE_FILTER:
        return _with_state(change, elements, whole=name_of(part.get("Action"), FILTER_ACTIONS) == "Set")
    return change


def _with_state(change: ServiceChange, elements: dict[str, Any], *, whole: bool) -> ServiceChange:
    """The ``whole`` state has a ServiceState, and AcceptingRequests 1 where it names none; else it is a change."""
    running, accepting = _flag(elements, "ServiceState"), _flag(elements, "AcceptingRequests")
    if whole and running is not None and accepting is None:
        accepting = True
    return change._replace(running=running, accepting=accepting)


def _flag(elements: dict[str, Any], name: str) -> bool | None:
    value = as_number(element(elements, name))
    return None if value is None else value == 1
