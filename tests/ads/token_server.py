"""A token service for tests: gives tokens, refuses, expires, throttles, redirects, hangs, or talks nonsense."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


@dataclass
class TokenReply:
    """One answer. ``hang``: waits for the server to stop instead."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False


class TokenServer:
    """Answers each request by the next of ``script``, and with a new token once that is through."""

    def __init__(self, *, life: object = 300) -> None:
        self.life = life
        self.script: list[TokenReply] = []
        self.forms: list[dict[str, str]] = []
        """Every form that came, in order."""
        self.paths: list[str] = []
        self.authorizations: list[str | None] = []
        self.issued = 0
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/token"

    def answer(self, path: str, form: dict[str, str]) -> TokenReply:
        """What the next request gets."""
        self.paths.append(path)
        self.forms.append(form)
        if self.script:
            reply = self.script.pop(0)
            if reply.hang:
                self._over.wait(60)
            return reply
        self.issued += 1
        token: dict[str, object] = {"access_token": f"token-{self.issued}", "expires_in": self.life}
        if form.get("grant_type") != "client_credentials":
            token["refresh_token"] = f"refresh-{self.issued}"
        return TokenReply(body=token)

    def stop(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


def _handler(server: TokenServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            server.authorizations.append(self.headers["Authorization"])
            reply = server.answer(self.path, {name: values[0] for name, values in parse_qs(text).items()})
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            try:
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # the client has given up, as a test wants
                pass

        def log_message(self, *_args: object) -> None:
            pass

    return Handler
