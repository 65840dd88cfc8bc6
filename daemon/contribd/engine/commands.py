"""What the session wants done outside: connections to make, to end and to try, and tokens to fetch."""

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias


class Connect(NamedTuple):
    """Make a connection; ``attempt`` numbers it, and comes back with everything that is said of it."""

    attempt: int
    endpoint: str


class Disconnect(NamedTuple):
    """End the connection ``attempt``.

    ``clean``: after what is still to be sent. Otherwise nothing more of it may reach the ADS: a post that lies unsent
    would arrive after it was posted again elsewhere, and after newer ones.
    """

    attempt: int
    clean: bool


class Probe(NamedTuple):
    """Make a connection to see whether one can be made, up to the WebSocket handshake, and end it at once."""

    endpoint: str


@dataclass(frozen=True, slots=True)
class FetchToken:
    """Ask the token service for a token; ``number`` comes back with its answer.

    ``refresh``: the refresh token to ask with; None asks with the password or the client's secret.
    """

    number: int
    refresh: str | None = field(default=None, repr=False)


Command: TypeAlias = Connect | Disconnect | Probe | FetchToken
