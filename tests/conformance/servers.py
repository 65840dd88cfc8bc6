"""What the cases need of a server, so that they run on any: the simulated ADS, and the vendor's provider."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from contribd.simulation.ads.options import AdsOptions, Profile
from contribd.simulation.ads.server import AdsServer


class AdsPost(Protocol):
    """A post as the server took it."""

    @property
    def ric(self) -> str: ...
    @property
    def type(self) -> str | None: ...
    @property
    def post_id(self) -> int | None: ...


class ConformingServer(Protocol):
    """A running server. Its address outlives ``stop``."""

    @property
    def url(self) -> str: ...
    def start(self) -> object: ...
    def stop(self) -> None: ...
    def control(self, order: str, /) -> None: ...
    def posts(self) -> Sequence[AdsPost]: ...
    def logins(self) -> Sequence[Any]: ...


Start = Callable[..., ConformingServer]
"""Starts a server: ``profile``, ``services``, ``max_msg_size`` (bytes), ``ping_timeout`` and ``delay`` (seconds)."""


def simulated(
    *,
    profile: str = "errors",
    services: tuple[str, ...] = ("TRCC",),
    max_msg_size: int = 61430,
    ping_timeout: float = 30.0,
    delay: float = 0.0,
) -> AdsServer:
    """The simulated ADS, listening."""
    options = AdsOptions(
        profile=Profile(profile),
        services=services,
        max_msg_size=max_msg_size,
        ping_timeout=ping_timeout,
        delay=delay,
    )
    server = AdsServer(options)
    server.start()
    return server
