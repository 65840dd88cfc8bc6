"""How a time stamping authority is asked: one HTTP POST (RFC 3161, section 3.4)."""

from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from contribd.audit.stamps import AuthorityError

_SECONDS: Final = 20.0
"""For the connection, and for each read."""
_LONGEST: Final = 1 << 20
"""Bytes; an answer with its certificates is a few thousand."""


def problem_of(url: str) -> str | None:
    """Why this cannot be the address of an authority; None where it can."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        has_user = parts.username is not None
    except ValueError:
        is_address = has_user = False
    if not is_address:
        return f"{url!r} is no address of a time stamping authority: expected http://HOST/PATH or https://HOST/PATH"
    return "leave out user and password in the address: none are sent" if has_user else None


def ask(url: str, query: bytes) -> bytes:
    """The answer to a query, both DER. Follows no redirection. Raises ``AuthorityError``."""
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    request = Request(url, query, headers, method="POST")  # noqa: S310 - see the opener: HTTP alone
    try:
        with _opener().open(request, timeout=_SECONDS) as answer:
            found: bytes = answer.read(_LONGEST + 1)
    except HTTPError as error:
        with error:
            raise AuthorityError(f"{url} answers with HTTP {error.code} {error.reason}") from None
    except (OSError, HTTPException) as error:
        why = error.reason if isinstance(error, URLError) else error
        raise AuthorityError(f"{url} does not answer: {why or type(error).__name__}") from None
    if len(found) > _LONGEST:
        raise AuthorityError(f"{url} answers with more than {_LONGEST} bytes, which is no time stamp")
    return found


def _opener() -> OpenerDirector:
    """HTTP and HTTPS, by the proxy that the environment names; no files, no redirections."""
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor()):
        opener.add_handler(handler)
    return opener
