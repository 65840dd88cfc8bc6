"""What a contributor may conclude from messages about the login and the services."""

from typing import Any

from contribd.simulation.world.evidence import WireSight


def see(wire: WireSight, message: dict[str, Any], mono: float) -> None:
    """A message of the server that is not about a post."""
    if message.get("Domain") == "Login":
        _see_login(wire, message, mono)
    elif message.get("Domain") == "Source":
        _see_services(wire, message)


def _see_login(wire: WireSight, message: dict[str, Any], mono: float) -> None:
    stream = message["State"]["Stream"]
    if message["Type"] == "Refresh" and stream == "Open":
        wire.login_open, wire.login_at = True, mono
        wire.max_size = message.get("Elements", {}).get("MaxMsgSize", wire.max_size)
    elif stream != "Open":
        wire.login_open = False


def _see_services(wire: WireSight, message: dict[str, Any]) -> None:
    if "Map" not in message:
        return
    wire.directory = True
    if message["Type"] == "Refresh":
        wire.services.clear()
    for entry in message["Map"]["Entries"]:
        number = str(entry["Key"])
        if entry["Action"] == "Delete":
            wire.services.pop(number, None)
            continue
        name, up = wire.services.get(number, ("", False))
        for part in entry["FilterList"]["Entries"]:
            elements = part["Elements"]
            if part["ID"] == 1:
                name = elements["Name"]
            else:
                up = elements["ServiceState"] == 1 and elements["AcceptingRequests"] == 1
        wire.services[number] = (name, up)
