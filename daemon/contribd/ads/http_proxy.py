"""An HTTP proxy between this host and the ADS or the token service: which one, and the way through it."""

import base64
import ipaddress
import os
import socket
import urllib.request
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from contribd.ads.http_head import read_head, send
from contribd.ads.resolver import place_text


@dataclass(frozen=True, slots=True)
class Proxy:
    """Reached by HTTP, asked to CONNECT. ``user`` is empty where it wants none."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    def url(self) -> str:
        """As libraries take it, with user and password in it: not for showing."""
        who = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        return f"http://{who}{place_text(self.host, self.port)}"


NO_PROXY: Final = Proxy("", 0)
"""Stands for none, whatever the environment says."""


class UnusableProxy(Exception):
    """The environment names a proxy that cannot be one; the text says which variable."""


class TunnelRefused(Exception):
    """The proxy answered, and did not connect."""


class Route(NamedTuple):
    """A proxy to go through, and who says so: a key of the configuration or a variable of the environment."""

    proxy: Proxy
    source: str

    def __str__(self) -> str:
        return f"the HTTP proxy {place_text(self.proxy.host, self.proxy.port)} ({self.source})"


def route_to(url: SplitResult, given: Proxy | None) -> Route | None:
    """The proxy on the way to ``url``, None for the straight way. ``given``: None leaves it to the environment.

    Raises:
        UnusableProxy: the environment's is no address of an HTTP proxy.
    """
    if given is NO_PROXY or _excepted(url.hostname or "", url.port):
        return None
    return Route(given, "ads.proxy") if given is not None else _of_environment(url.scheme)


def _of_environment(scheme: str) -> Route | None:
    lower = "https_proxy" if scheme in ("wss", "https") else "http_proxy"
    for name in (lower, lower.upper()):
        if text := os.environ.get(name, "").strip():
            return Route(_parsed(name, text), f"${name}")
    return None


def _parsed(name: str, text: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port or 80
    except ValueError:  # its port is no number
        host, port, parts = None, 0, urlsplit("")
    if host is None or parts.scheme != "http":
        raise UnusableProxy(f"${name} names no HTTP proxy (http://host:port): set ads.proxy, to direct for none")
    return Proxy(host, port, unquote(parts.username or ""), unquote(parts.password or ""))


def _excepted(host: str, port: int | None) -> bool:
    """Whether ``$no_proxy`` names it: a name, an end of one, an address, a network (``10.0.0.0/8``), or ``*``."""
    if urllib.request.proxy_bypass_environment(f"{host}:{port}"):  # type: ignore[attr-defined]
        return True
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return any(_within(host, network.strip()) for network in listed.split(",") if "/" in network)


def _within(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def tunnel(sock: socket.socket, place: str, proxy: Proxy, deadline: float) -> None:
    """Asks a connected proxy to go on to ``place`` (host and port). ``deadline``: monotonic seconds.

    Raises:
        TunnelRefused: it did not.
        BadHead, OSError: as ``read_head``.
    """
    request = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: contribd\r\n"
    if proxy.user:
        who = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        request += f"Proxy-Authorization: Basic {who}\r\n"
    send(sock, f"{request}\r\n".encode(), deadline)
    head = read_head(sock, deadline)
    if not 200 <= head.status < 300:
        hint = ": set ads.proxy with user and password" if head.status == 407 else ""
        raise TunnelRefused(f"did not connect to {place}: {head.status_text}{hint}")
