"""Fetches login tokens from the OAuth token service, in a thread of its own each.

Version 1 is the password grant with refresh tokens, version 2 the client credentials (LSEG's Real-Time Optimized
samples for the WebSocket API). No message made here holds a user, a password or a token: it says what the service
answered by its status and, where that is a plain word, by OAuth's error code.
"""

import base64
import http.client
import json
import re
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

from contribd.ads.http_proxy import Proxy, Route, UnusableProxy, route_to
from contribd.engine.commands import FetchToken
from contribd.engine.events import TokenFailed, TokenGot
from contribd.engine.policy import TokenKind
from contribd.engine.session.endpoints import Failure

MAX_ANSWER: Final = 256 * 1024
"""Bytes. LoginToken are a few kilobytes."""

MAX_REDIRECTS: Final = 3
_REDIRECTS = frozenset({301, 302, 307, 308})
_REFUSALS = frozenset({400, 401, 403, 404, 410, 451})
"""Answers that asking again will not change; the vendor's samples stop at most of them."""

_ERROR_CODE = re.compile(r"[a-z_]{1,40}\Z")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """Who asks for tokens, and where. ``name``: the user of the password grant, empty for client credentials."""

    kind: TokenKind
    url: str
    client_id: str
    scope: str
    secret: str = field(repr=False)
    name: str = ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Redirects are followed here, since urllib would turn a POST into a GET."""

    def redirect_request(self, *_args: Any) -> None:
        return None


class _Refused(Exception):
    """The request failed: the class of failure, a sentence, and how long to stay away."""

    def __init__(self, failure: Failure, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.failure = failure
        self.retry_after = retry_after


class TokenClient:
    """The client of one token service. ``timeout``: seconds for each step of a request."""

    def __init__(
        self,
        account: TokenAccount,
        *,
        timeout: float,
        proxy: Proxy | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """``context``: the usual checks where it is None."""
        self._account = account
        self._timeout = timeout
        self._proxy = proxy
        self._https = urllib.request.HTTPSHandler(context=context or ssl.create_default_context())

    def fetch_in_background(
        self, request: FetchToken, done: Callable[[TokenGot | TokenFailed], None]
    ) -> threading.Thread:
        """``fetch`` in a thread; ``done`` is called there with its outcome."""
        thread = threading.Thread(target=lambda: done(self.fetch(request)), name="tokens", daemon=True)
        thread.start()
        return thread

    def fetch(self, request: FetchToken) -> TokenGot | TokenFailed:
        """One request, redirects followed. Never raises: whatever goes wrong has a class and a sentence."""
        try:
            answer = self._ask(self._form(request.refresh))
            return self._read(request.number, answer)
        except _Refused as refused:
            return TokenFailed(request.number, refused.failure, str(refused), refused.retry_after)
        except Exception as error:  # noqa: BLE001 - a thread that dies in silence would never be noticed
            # No text of the error: it may hold what was sent.
            text = f"the token service's answer could not be understood: {type(error).__name__}"
            return TokenFailed(request.number, Failure.TOKEN_UNAVAILABLE, text, None)

    def _form(self, refresh: str | None) -> bytes:
        account = self._account
        if account.kind is TokenKind.CLIENT:
            form = {"grant_type": "client_credentials", "client_secret": account.secret, "scope": account.scope}
        elif refresh is not None:
            form = {"grant_type": "refresh_token", "username": account.name, "refresh_token": refresh}
        else:
            # takeExclusiveSignOnControl: of two logins with one machine account the newer one works.
            form = {
                "grant_type": "password",
                "username": account.name,
                "password": account.secret,
                "scope": account.scope,
                "takeExclusiveSignOnControl": "True",
            }
        return urlencode({"client_id": account.client_id, **form}).encode()

    def _headers(self) -> dict[str, str]:
        """Version 1 wants the application key as an HTTP user without a password as well."""
        headers = {"Accept": "application/json", "User-Agent": "contribd"}
        if self._account.kind is TokenKind.PASSWORD:
            user = base64.b64encode(f"{self._account.client_id}:".encode()).decode()
            headers["Authorization"] = f"Basic {user}"
        return headers

    def _ask(self, form: bytes) -> bytes:
        url = self._account.url
        for _ in range(MAX_REDIRECTS + 1):
            route = self._route(url)
            request = urllib.request.Request(  # noqa: S310 - https, or this host: checked with the configuration
                url, form, self._headers()
            )
            try:
                with self._opener(route).open(request, timeout=self._timeout) as answer:
                    body: bytes = answer.read(MAX_ANSWER + 1)
                    return body
            except urllib.error.HTTPError as error:
                with error:
                    if error.code not in _REDIRECTS:
                        raise _explain_status(error) from None
                    url = _redirected(url, error.headers.get("Location"))
            except (OSError, http.client.HTTPException) as error:
                raise _Refused(Failure.TOKEN_UNAVAILABLE, _explain(error, self._timeout, route)) from None
        raise _Refused(Failure.TOKEN_UNAVAILABLE, f"the token service redirects more than {MAX_REDIRECTS} times")

    def _route(self, url: str) -> Route | None:
        try:
            return route_to(urlsplit(url), self._proxy)
        except UnusableProxy as error:
            raise _Refused(Failure.TOKEN_UNAVAILABLE, f"the token service cannot be reached: {error}") from None

    def _opener(self, route: Route | None) -> urllib.request.OpenerDirector:
        proxies = {} if route is None else dict.fromkeys(("http", "https"), route.proxy.url())
        return urllib.request.build_opener(_NoRedirect(), urllib.request.ProxyHandler(proxies), self._https)

    def _read(self, number: int, body: bytes) -> TokenGot | TokenFailed:
        answer = json.loads(body)
        token, refresh, life = answer["access_token"], answer.get("refresh_token"), answer.get("expires_in", 300)
        if not isinstance(token, str) or not token or not isinstance(refresh, str | None):
            raise _Refused(Failure.TOKEN_UNAVAILABLE, "the token service's answer holds no access_token")
        return TokenGot(number, token, refresh if self._account.kind is TokenKind.PASSWORD else None, float(life))


def _redirected(url: str, location: str | None) -> str:
    target = urljoin(url, location or "")
    parts = urlsplit(target)
    if not location or parts.scheme not in ("https", "http"):
        raise _Refused(Failure.TOKEN_UNAVAILABLE, "the token service redirects to nowhere")
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        text = f"the token service redirects to http://{parts.hostname}: a password does not travel over http"
        raise _Refused(Failure.TOKEN_UNAVAILABLE, text)
    return target


def _explain_status(error: urllib.error.HTTPError) -> _Refused:
    code = ""
    try:
        found = json.loads(error.read(MAX_ANSWER)).get("error")
        code = found if isinstance(found, str) and _ERROR_CODE.match(found) else ""
    except (OSError, http.client.HTTPException, ValueError, AttributeError):  # no JSON object: the status must do
        pass
    failure = Failure.TOKEN_REFUSED if error.code in _REFUSALS else Failure.TOKEN_UNAVAILABLE
    text = f"the token service answered HTTP {error.code}" + (f", {code}" if code else "")
    return _Refused(failure, text, _retry_after(error.headers.get("Retry-After")))


def _retry_after(header: str | None) -> float | None:
    """Seconds, from a number or an HTTP date."""
    if header is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", header.strip(), re.ASCII):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError):  # no date either: as if it had not been there
        return None


def _explain(error: OSError | http.client.HTTPException, timeout: float, route: Route | None) -> str:
    """``route``: the proxy that was asked, which may be what did not answer."""
    text = _reason(error, timeout)
    return text if route is None else f"{text}, through {route}"


def _reason(error: OSError | http.client.HTTPException, timeout: float) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    match reason:
        case ssl.SSLCertVerificationError():
            return f"the token service's certificate was not accepted: {reason.verify_message}"
        case ssl.SSLError():
            return f"TLS with the token service failed: {reason.reason}"
        case TimeoutError():
            return f"the token service did not answer within {timeout:g} s"
        case OSError():
            return f"the token service cannot be reached: {reason.strerror or type(reason).__name__}"
        case _:
            return f"the token service cannot be reached: {type(reason).__name__}"
