"""Addresses in a configuration: brokers, WebSocket endpoints, token services, listeners."""

import ipaddress
import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator

from contribd.config.types import ONE_OR_MORE, expected, list_schema, listed, schema, text_of

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})\Z", re.ASCII)
_PORT = re.compile(r":[0-9]+\Z", re.ASCII)
_URL_PATH = re.compile(r"[!-~]*\Z", re.ASCII)

DEFAULT_PATH = "/WebSocket"
"""Where an ADS serves the WebSocket API; taken for an endpoint that names no path."""


def split_host(value: str) -> tuple[str, int] | None:
    """``host:port`` (IPv6 in brackets), or None where it is not one. A host name is not looked up."""
    host, colon, port = value.rpartition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or not 0 < int(port) < 65536:
        return None
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])), int(port)
        except ValueError:
            return None
    return (host, int(port)) if _HOST.match(host) else None


def _broker(value: object) -> str:
    if not isinstance(value, str) or split_host(value) is None:
        raise expected("host:port, as in kafka1:9092")
    return str(value)


def _brokers(value: object) -> object:
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    return listed(parts)


def _listen(value: object) -> str:
    if not isinstance(value, str) or split_host(value) is None:
        raise expected("host:port, as in 127.0.0.1:9820, or null for none")
    return str(value)


def _proxy_address(value: object) -> str:
    if not isinstance(value, str) or split_host(value) is None:
        raise expected("host:port, as in proxy.example.com:3128; its user and password are keys of their own")
    return str(value)


def _split_url(value: object, schemes: tuple[str, ...], want: str) -> SplitResult:
    if not isinstance(value, str) or not _URL_PATH.match(value):
        raise expected(want)
    try:
        url = urlsplit(value)
    except ValueError:
        raise expected(want) from None
    if url.scheme not in schemes or url.fragment or not url.netloc:
        raise expected(want)
    if "@" in url.netloc:
        raise expected(f"{want}, without a user in it")
    return url


def _endpoint(value: object) -> str:
    want = "ws://host:port/path or wss://host:port/path, as in ws://ads1:15000/WebSocket"
    url = _split_url(value, ("ws", "wss"), want)
    if split_host(url.netloc) is None:
        raise expected(f"{want} (the port of an ADS is usually 15000)")
    path = url.path or DEFAULT_PATH
    return f"{url.scheme}://{url.netloc}{path}" + (f"?{url.query}" if url.query else "")


def _token_url(value: object) -> str:
    want = "https://host/path"
    url = _split_url(value, ("https", "http"), want)
    place = split_host(url.netloc if _PORT.search(url.netloc) else f"{url.netloc}:443")
    if place is None:
        raise expected(want)
    if url.scheme == "http" and place[0] not in ("localhost", "127.0.0.1", "::1"):
        raise expected(f"{want}: a password does not travel over http (but to this host itself)")
    return str(value)


def _ipv4(value: object) -> str:
    try:
        return str(ipaddress.IPv4Address(text_of(value)))
    except ValueError:
        raise expected("an IPv4 address, as in 10.0.0.1") from None


Brokers = Annotated[
    tuple[Annotated[str, BeforeValidator(_broker)], ...],
    ONE_OR_MORE,
    BeforeValidator(_brokers),
    list_schema({"type": "string", "examples": ["kafka1:9092"]}),
]
Endpoints = Annotated[
    tuple[Annotated[str, BeforeValidator(_endpoint)], ...],
    ONE_OR_MORE,
    list_schema({"type": "string", "pattern": "^wss?://", "examples": ["ws://ads1:15000/WebSocket"]}),
]
Listen = Annotated[str, BeforeValidator(_listen), schema("string", examples=["127.0.0.1:9820"])]
ProxyAddress = Annotated[str, BeforeValidator(_proxy_address), schema("string", examples=["proxy:3128"])]
TokenUrl = Annotated[str, BeforeValidator(_token_url), schema("string", pattern="^https?://")]
IPv4 = Annotated[str, BeforeValidator(_ipv4), schema("string", format="ipv4")]
