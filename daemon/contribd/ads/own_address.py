"""The address of this end: what others know this host by, which its name need not tell (127.0.1.1 on Debian)."""

import ipaddress
import socket
from typing import Final, NamedTuple

_ANYWHERE: Final = ("192.0.2.1", 9)
"""An address of nobody (RFC 5737). A UDP socket that is connected to it sends nothing; it only finds the way."""

_NONE: Final = "0.0.0.0"  # noqa: S104 - not listened on: it says that there is no such address
_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class OwnAddress(NamedTuple):
    """This end of a connection, and as IPv4: a poster's address can be nothing else."""

    text: str
    ipv4: str


def own_address(sock: socket.socket, *, through_proxy: bool) -> OwnAddress:
    """This end's. One on this host itself says nothing where a proxy here goes on to elsewhere. Raises OSError."""
    found = _plain(ipaddress.ip_address(str(sock.getsockname()[0]).partition("%")[0]))
    if found.is_loopback and through_proxy:
        found = _routed() or found
    if found.version == 4:
        return OwnAddress(str(found), str(found))
    return OwnAddress(str(found), "127.0.0.1" if found.is_loopback else str(_routed() or _NONE))


def usual_address() -> str:
    """This host's IPv4 address on its way to anywhere, before there is a connection to tell it."""
    return str(_routed() or "127.0.0.1")


def _plain(address: _IPAddress) -> _IPAddress:
    """An IPv4 address that IPv6 wraps is itself."""
    return getattr(address, "ipv4_mapped", None) or address


def _routed() -> _IPAddress | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(_ANYWHERE)
            return ipaddress.ip_address(sock.getsockname()[0])
        except OSError:  # there is no way from here to anywhere
            return None
