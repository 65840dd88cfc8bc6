"""What the HTTP endpoint answers, independent of sockets: metrics, health, status."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from prometheus_client.exposition import choose_encoder

from contribd.ops.metrics import build_registry
from contribd.ops.page import render_page
from contribd.ops.progress import Progress
from contribd.ops.snapshot import Snapshot
from contribd.ops.status import reasons_not_ready, status_document

_JSON = "application/json; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_HTML = "text/html; charset=utf-8"


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
    ) -> None:
        self._snapshot = snapshot
        self._progress = progress
        self._clock = clock
        self._registry = build_registry(snapshot, self._stalled)
        self._pages: dict[str, Callable[[str], HttpAnswer]] = {
            "/": self._page,
            "/metrics": self._metrics,
            "/livez": self._live,
            "/readyz": self._ready,
            "/status": self._status,
        }

    def get(self, target: str, accept: str = "") -> HttpAnswer:
        """The answer to GET ``target`` (a path, perhaps with a query); ``accept`` is the request's Accept header."""
        page = self._pages.get(target.partition("?")[0])
        if page is None:
            return plain(HTTPStatus.NOT_FOUND, f"not found; there is {', '.join(self._pages)}")
        return page(accept)

    def _metrics(self, accept: str) -> HttpAnswer:
        encode, content_type = choose_encoder(accept)
        return HttpAnswer(HTTPStatus.OK, content_type, encode(self._registry))

    def _live(self, accept: str) -> HttpAnswer:  # noqa: ARG002 - the pages share one signature
        stalled = self._stalled()
        return _health(not stalled, {"alive": not stalled, "stalled": stalled})

    def _ready(self, accept: str) -> HttpAnswer:  # noqa: ARG002 - the pages share one signature
        reasons = reasons_not_ready(self._snapshot(), self._stalled())
        return _health(not reasons, {"ready": not reasons, "reasons": reasons})

    def _status(self, accept: str) -> HttpAnswer:  # noqa: ARG002 - the pages share one signature
        return HttpAnswer(HTTPStatus.OK, _JSON, _json(status_document(self._snapshot(), self._stalled())))

    def _page(self, accept: str) -> HttpAnswer:  # noqa: ARG002 - the pages share one signature
        page = render_page(status_document(self._snapshot(), self._stalled()))
        return HttpAnswer(HTTPStatus.OK, _HTML, page.encode())

    def _stalled(self) -> list[str]:
        return self._progress.stalled(self._clock())


def plain(status: HTTPStatus, text: str) -> HttpAnswer:
    """A plain text answer."""
    return HttpAnswer(status, _TEXT, f"{text}\n".encode())


def _health(good: bool, document: dict[str, Any]) -> HttpAnswer:
    return HttpAnswer(HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, _JSON, _json(document))


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document) + "\n").encode()
