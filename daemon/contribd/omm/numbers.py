"""What tr_json2 may give by name or by number (LSEG WebSocket API: "string,int"): the names of the numbers.

The numbers are those of the vendor's codec (``DomainTypes``, ``MsgClasses``, ``StreamStates``, ``DataStates``,
``StateCodes``, ``NakCodes``, ``MapEntryActions``, ``FilterEntryActions``), the names those of its JSON converter.
"""

from collections.abc import Mapping
from typing import Any, Final

MESSAGE_TYPES: Final = {
    1: "Request",
    2: "Refresh",
    3: "Status",
    4: "Update",
    5: "Close",
    6: "Ack",
    7: "Generic",
    8: "Post",
}

DOMAINS: Final = {1: "Login", 4: "Source", 5: "Dictionary", 6: "MarketPrice"}
"""Those that contribd has to do with; no other is told apart."""

STREAM_STATES: Final = {
    0: "Unspecified",
    1: "Open",
    2: "NonStreaming",
    3: "ClosedRecover",
    4: "Closed",
    5: "Redirected",
}

DATA_STATES: Final = {0: "NoChange", 1: "Ok", 2: "Suspect"}

STATE_CODES: Final = {
    0: "None",
    1: "NotFound",
    2: "Timeout",
    3: "NotEntitled",
    4: "InvalidArgument",
    5: "UsageError",
    6: "Preempted",
    7: "JitConflationStarted",
    8: "RealtimeResumed",
    9: "FailoverStarted",
    10: "FailoverCompleted",
    11: "GapDetected",
    12: "NoResources",
    13: "TooManyItems",
    14: "AlreadyOpen",
    15: "SourceUnknown",
    16: "NotOpen",
    19: "NonUpdatingItem",
    20: "UnsupportedViewType",
    21: "InvalidView",
    22: "FullViewProvided",
    23: "UnableToRequestAsBatch",
    26: "NoBatchViewSupportInReq",
    27: "ExceededMaxMountsPerUser",
    28: "Error",
    29: "DacsDown",
    30: "UserUnknownToPermSys",
    31: "MaxLoginsReached",
    32: "UserAccessToAppDenied",
    34: "GapFill",
    35: "AppAuthorizationFailed",
}

NAK_CODES: Final = {
    1: "AccessDenied",
    2: "DeniedBySrc",
    3: "SourceDown",
    4: "SourceUnknown",
    5: "NoResources",
    6: "NoResponse",
    7: "GatewayDown",
    10: "SymbolUnknown",
    11: "NotOpen",
    12: "InvalidContent",
}
"""0, and the name None, is no NakCode; any other number has no name."""

MAP_ACTIONS: Final = {1: "Update", 2: "Add", 3: "Delete"}
FILTER_ACTIONS: Final = {1: "Update", 2: "Set", 3: "Clear"}


def name_of(value: Any, names: Mapping[int, str]) -> str:
    """The name that is meant, a number that has none as text; empty where there is no value."""
    if type(value) is int:
        return names.get(value, str(value))
    return as_text(value)


def as_text(value: Any) -> str:
    """A text; what is no text as it reads, what is not there as nothing."""
    if value is None:
        return ""
    return value if type(value) is str else str(value)


def as_object(value: Any) -> dict[str, Any]:
    """A JSON object; anything else as an empty one."""
    return value if type(value) is dict else {}


def element(elements: dict[str, Any], name: str) -> Any:
    """The value of an entry of an ``Elements`` object, None where it is blank or not there.

    Values that are neither unsigned numbers nor ASCII come with their type: ``{"Type": "Int", "Data": 30}``.
    """
    value = elements.get(name)
    return value.get("Data") if type(value) is dict else value


def as_number(value: Any) -> int | float | None:
    """A number that is one, and no truth value."""
    return value if type(value) is int or type(value) is float else None
