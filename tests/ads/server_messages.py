"""What a server says when a session opens, and when it changes."""

from typing import Any


def login_refresh(data: str = "Ok", *, posting: int | None = 1, **elements: object) -> dict[str, Any]:
    """The login is open. ``elements`` change or add to MaxMsgSize 61430 and PingTimeout 30."""
    return {
        "ID": 1,
        "Type": "Refresh",
        "Domain": "Login",
        "Key": {"Name": "u", "Elements": {} if posting is None else {"SupportOMMPost": posting}},
        "State": {"Stream": "Open", "Data": data},
        "Elements": {"MaxMsgSize": 61430, "PingTimeout": 30, **elements},
    }


def login_status(stream: str, data: str = "Suspect", **more: str) -> dict[str, Any]:
    """A change of the login's state."""
    return {"ID": 1, "Type": "Status", "Domain": "Login", "State": {"Stream": stream, "Data": data, **more}}


def directory(*, up: bool = True, name: str = "TRCC", service_id: int = 1, kind: str = "Refresh") -> dict[str, Any]:
    """A source directory message with one service."""
    filters = [
        {"ID": 1, "Elements": {"Name": name}},
        {"ID": 2, "Elements": {"ServiceState": int(up), "AcceptingRequests": 1}},
    ]
    entry = {"Action": "Add", "Key": service_id, "FilterList": {"Entries": filters}}
    return {"ID": 2, "Type": kind, "Domain": "Source", "Map": {"KeyType": "UInt", "Entries": [entry]}}


def accepting_requests(accepting: int, service_id: int = 1) -> dict[str, Any]:
    """A source directory Update that says nothing of a service but this."""
    entry = {
        "Action": "Update",
        "Key": service_id,
        "FilterList": {"Entries": [{"ID": 2, "Action": "Update", "Elements": {"AcceptingRequests": accepting}}]},
    }
    return {"ID": 2, "Type": "Update", "Domain": "Source", "Map": {"KeyType": "UInt", "Entries": [entry]}}


def directory_status(stream: str = "Closed") -> dict[str, Any]:
    """The source directory's stream has changed its state."""
    return {"ID": 2, "Type": "Status", "Domain": "Source", "State": {"Stream": stream, "Data": "Suspect"}}
