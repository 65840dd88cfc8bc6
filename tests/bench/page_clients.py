"""Open pages: ``python -m tests.bench.page_clients PORT PAGES`` asks as so many browsers do, until it is ended.

Each asks every two seconds; they take turns evenly. Prints how many answers it got so far, each second.
"""

import socket
import sys
import time

EVERY = 2.0
"""Seconds between two questions of one page."""

QUESTION = b"GET /page.json HTTP/1.1\r\nHost: bench\r\n\r\n"


def ask(port: int) -> bool:
    """One question; whether it was answered with a document."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(QUESTION)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return answer.startswith(b"HTTP/1.0 200 ") and answer.endswith(b"}\n")


def main() -> None:
    """Asks on and on."""
    port, pages = int(sys.argv[1]), int(sys.argv[2])
    answers, told, due = 0, time.monotonic(), time.monotonic()
    while True:
        try:
            answers += ask(port)
        except OSError:
            time.sleep(0.1)  # the daemon is not there yet, or has gone
        due = max(due + EVERY / pages, time.monotonic() - EVERY)
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            print(answers, flush=True)  # noqa: T201 - its parent reads it
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
