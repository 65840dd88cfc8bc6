"""What a contributor may conclude from a server's messages: the login, the services, and what became of posts."""

from typing import Any

from tests.simulation.world.oracle.evidence import SeenAnswer, WireEvidence, echoed_id


def see(wire: WireEvidence, message: dict[str, Any], mono: float) -> None:
    """A message of the server that the daemon received."""
    kind = message.get("Type")
    if kind == "Ack":
        _see_answer(wire, message, mono)
    elif kind == "Error":
        _see_error(wire, message, mono)
    elif message.get("Domain") == "Login":
        _see_login(wire, message, mono)
    elif message.get("Domain") == "Source":
        _see_services(wire, message)


def _see_login(wire: WireEvidence, message: dict[str, Any], mono: float) -> None:
    stream = message["State"]["Stream"]
    if message["Type"] == "Refresh" and stream == "Open":
        wire.login_open, wire.login_at = True, mono
        wire.max_size = message.get("Elements", {}).get("MaxMsgSize", wire.max_size)
    elif stream != "Open":
        wire.login_open = False


def _see_services(wire: WireEvidence, message: dict[str, Any]) -> None:
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


def _see_answer(wire: WireEvidence, message: dict[str, Any], mono: float) -> None:
    if not wire.login_open:
        return  # the session had ended: the daemon need not listen any more
    code = message.get("NakCode")
    post = wire.posts.get(message["AckID"])
    if post is None or post.answer is not None:
        return
    wire.outstanding.pop(post.post_id, None)
    for other in wire.outstanding.values():
        if other.frame < post.frame and other.passed_at is None:
            other.passed_at = mono
    kind = "ACK" if code is None else "NAK"
    post.answer = SeenAnswer(kind, None if code is None else str(code), message.get("Text"), mono)
    wire.answered_frame = max(wire.answered_frame, post.frame)
    if code == "SymbolUnknown" or "nknown" in (message.get("Text") or ""):
        post.process.refused[post.service, post.ric] = mono


def _see_error(wire: WireEvidence, message: dict[str, Any], mono: float) -> None:
    if not wire.login_open:
        return  # as above
    named = echoed_id(message)
    culprit = None if named is None else wire.posts.get(named)
    if culprit is None:
        wire.errors.append((mono, message.get("Text", "")))
    if culprit is not None and culprit.answer is None:
        culprit.answer = SeenAnswer("ERROR", None, message.get("Text"), mono)
        wire.outstanding.pop(culprit.post_id, None)
    for post in wire.outstanding.values():
        if post.suspect_at is None and (named is None or (culprit and post.frame == culprit.frame)):
            post.suspect_at = mono
