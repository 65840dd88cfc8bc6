"""What the HTTP endpoint answers, independent of sockets: metrics, health, status."""

import json
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from prometheus_client.exposition import choose_encoder

from contribd.ops.history import History
from contribd.ops.http_answer import JSON, HttpAnswer, plain
from contribd.ops.log import mask
from contribd.ops.metrics import build_registry
from contribd.ops.page import read_page_files
from contribd.ops.page_document import Cached, page_document, rows_document
from contribd.ops.progress import Progress
from contribd.ops.ric_search import NotLooked, RicSearch
from contribd.ops.snapshot import Snapshot
from contribd.ops.status import reasons_not_ready, status_document

_TAKES_GZIP: Final = re.compile(
    rb"(?im)^accept-encoding:[^\r\n]*\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:[,\r\n]|$))"
).search

_MAX_RIC = 255
"""Characters of a RIC that is searched: the wire format takes no longer name."""

_EXPECTED = f"expected /search?ric=RIC, with at most {_MAX_RIC} characters, and in=topic to read the results topic"


class Site:
    """What is served under each path, independent of sockets."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        progress: Progress,
        clock: Callable[[], float] = time.monotonic,
        *,
        history: History | None = None,
        search: RicSearch | None = None,
    ) -> None:
        """``history``: what the page's charts show; ``search``: what is known of a RIC."""
        self._snapshot = snapshot
        self._progress = progress
        self._clock = clock
        self._registry = build_registry(snapshot, self._stalled)
        self._search = search
        rows = history or History()
        self._cached = {
            "/page.json": Cached(lambda: page_document(self._status_document(), rows), clock),
            "/history.json": Cached(lambda: rows_document(rows), clock),
        }
        self._quick = [(f"GET {path} ".encode(), each) for path, each in self._cached.items()]
        self._files = read_page_files()
        self._pages: dict[str, Callable[[str, str], HttpAnswer]] = {
            "/metrics": self._metrics,
            "/livez": self._live,
            "/readyz": self._ready,
            "/status": self._status,
            **{path: _whoever_asks(each) for path, each in self._cached.items()},
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
        """The answer to what open pages ask again and again, without a look at the rest of the request but for whether
        it takes compressed ones; else None."""
        for request, each in self._quick:
            if head.startswith(request):
                return each.get(compressed=_TAKES_GZIP(head) is not None)
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
        return HttpAnswer(HTTPStatus.OK, JSON, _json(self._status_document()))

    def _status_document(self) -> dict[str, Any]:
        return status_document(self._snapshot(), self._stalled())

    def _find(self, accept: str, query: str) -> HttpAnswer:  # noqa: ARG002 - all share one signature
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        ric, place = asked.get("ric", ""), asked.get("in", "memory")
        if self._search is None or not 0 < len(ric) <= _MAX_RIC or place not in ("memory", "topic"):
            return plain(HTTPStatus.BAD_REQUEST, _EXPECTED)
        try:
            found = self._search.in_topic(ric) if place == "topic" else self._search.in_memory(ric)
        except NotLooked as error:
            status = HTTPStatus.TOO_MANY_REQUESTS if error.busy else HTTPStatus.SERVICE_UNAVAILABLE
            return plain(status, mask(str(error)))
        return HttpAnswer(HTTPStatus.OK, JSON, _json(found))

    def _stalled(self) -> list[str]:
        return self._progress.stalled(self._clock())


def _whoever_asks(cached: Cached) -> Callable[[str, str], HttpAnswer]:
    return lambda _accept, _query: cached.get()


def _health(good: bool, document: dict[str, Any]) -> HttpAnswer:
    return HttpAnswer(HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, JSON, _json(document))


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document) + "\n").encode()
