"""What the HTTP endpoint answers, independent of sockets: metrics, health, status."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from prometheus_client.exposition import choose_encoder

from contribd.ops.history import History
from contribd.ops.metrics import build_registry
from contribd.ops.page import read_page_files
from contribd.ops.page_document import Cached, page_document, rows_document
from contribd.ops.progress import Progress
from contribd.ops.snapshot import Snapshot
from contribd.ops.status import reasons_not_ready, status_document

_JSON = "application/json; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_PAGE_DOCUMENT = "/page.json"
_QUICK = f"GET {_PAGE_DOCUMENT} ".encode()
_MAX_RIC = 255
"""Characters of a RIC that is searched: the wire format takes no longer name."""

Search: TypeAlias = Callable[[str], dict[str, Any]]
"""What is known of a RIC."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One response: ``type`` is the content type."""

    status: HTTPStatus
    type: str
    body: bytes


class Site:
    """What is served under each path, independent of sockets."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        progress: Progress,
        clock: Callable[[], float] = time.monotonic,
        *,
        history: History | None = None,
        search: Search | None = None,
    ) -> None:
        """``history``: what the page's charts show; ``search``: what is known of a RIC."""
        self._snapshot = snapshot
        self._progress = progress
        self._clock = clock
        self._registry = build_registry(snapshot, self._stalled)
        self._search = search
        rows = history or History()
        self._document = Cached(lambda: page_document(self._status_document(), rows), clock)
        self._history = Cached(lambda: rows_document(rows), clock)
        self._files = read_page_files()
        self._pages: dict[str, Callable[[str, str], HttpAnswer]] = {
            "/metrics": self._metrics,
            "/livez": self._live,
            "/readyz": self._ready,
            "/status": self._status,
            _PAGE_DOCUMENT: lambda _accept, _query: HttpAnswer(HTTPStatus.OK, _JSON, self._document.get()),
            "/history.json": lambda _accept, _query: HttpAnswer(HTTPStatus.OK, _JSON, self._history.get()),
            "/search": self._find,
        }

    def get(self, target: str, accept: str = "") -> HttpAnswer:
        """The answer to GET ``target`` (a path, perhaps with a query); ``accept`` is the request's Accept header."""
        path, _, query = target.partition("?")
        if (file := self._files.get(path)) is not None:
            return HttpAnswer(HTTPStatus.OK, *file)
        page = self._pages.get(path)
        if page is None:
            return plain(HTTPStatus.NOT_FOUND, f"not found; there is {', '.join([*self._files, *self._pages])}")
        return page(accept, query)

    def quick(self, head: bytes) -> HttpAnswer | None:
        """The answer to what open pages ask again and again, without a look at the rest of the request; else None."""
        if head.startswith(_QUICK):
            return HttpAnswer(HTTPStatus.OK, _JSON, self._document.get())
        return None

    def _metrics(self, accept: str, query: str) -> HttpAnswer:  # noqa: ARG002 - all share one signature
        encode, content_type = choose_encoder(accept)
        return HttpAnswer(HTTPStatus.OK, content_type, encode(self._registry))

    def _live(self, accept: str, query: str) -> HttpAnswer:  # noqa: ARG002 - all share one signature
        stalled = self._stalled()
        return _health(not stalled, {"alive": not stalled, "stalled": stalled})

    def _ready(self, accept: str, query: str) -> HttpAnswer:  # noqa: ARG002 - all share one signature
        reasons = reasons_not_ready(self._snapshot(), self._stalled())
        return _health(not reasons, {"ready": not reasons, "reasons": reasons})

    def _status(self, accept: str, query: str) -> HttpAnswer:  # noqa: ARG002 - all share one signature
        return HttpAnswer(HTTPStatus.OK, _JSON, _json(self._status_document()))

    def _status_document(self) -> dict[str, Any]:
        return status_document(self._snapshot(), self._stalled())

    def _find(self, accept: str, query: str) -> HttpAnswer:  # noqa: ARG002 - all share one signature
        ric = parse_qs(query).get("ric", [""])[0]
        if self._search is None or not 0 < len(ric) <= _MAX_RIC:
            return plain(HTTPStatus.BAD_REQUEST, f"expected /search?ric=RIC, with at most {_MAX_RIC} characters")
        return HttpAnswer(HTTPStatus.OK, _JSON, _json(self._search(ric)))

    def _stalled(self) -> list[str]:
        return self._progress.stalled(self._clock())


def plain(status: HTTPStatus, text: str) -> HttpAnswer:
    """A plain text answer."""
    return HttpAnswer(status, _TEXT, f"{text}\n".encode())


def _health(good: bool, document: dict[str, Any]) -> HttpAnswer:
    return HttpAnswer(HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, _JSON, _json(document))


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document) + "\n").encode()
