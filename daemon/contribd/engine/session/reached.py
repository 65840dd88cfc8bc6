"""How a connection was made: what its maker found out on the way."""

from collections.abc import Sequence
from typing import NamedTuple


class Reached(NamedTuple):
    """Addresses of the two ends. A text is empty where it is not known."""

    address: str = ""
    """The server's, or the proxy's, with its port."""
    failures: Sequence[tuple[str, str]] = ()
    """Other addresses of the same name that were tried first, each with what came of it."""
    own: str = ""
    """This end's address."""
    own_ipv4: str = ""
    """This host's address as IPv4, where this end's is none."""
