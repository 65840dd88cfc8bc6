"""LSEG's own call: ``PYTHON tests/bench/lseg_client.py HOST:PORT POSTS``, run by the Python that has lseg-data.

Posts off-stream through one open session, each call waiting for its ack as the call does. Prints seconds and refusals.
"""

import sys
import time

import lseg.data as ld  # type: ignore[import-not-found]  # only in the Python that runs this file
from lseg.data.delivery import omm_stream  # type: ignore[import-not-found]


def contribute(host: str, posts: int) -> None:
    """Every price in a call of its own, as the library's documentation shows."""
    session = ld.session.platform.Definition(
        app_key="bench", deployed_platform_host=host, deployed_platform_username="bench"
    ).get_session()
    session.open()
    ld.session.set_default(session)
    refused = 0
    start = time.perf_counter()
    for number in range(posts):
        response = omm_stream.contribute(
            name=f"P{number:06d}=TRCC",
            service="TRCC",
            fields={"BID": round(1.08 + number % 1000 / 1e5, 5), "ASK": round(1.0802 + number % 1000 / 1e5, 5)},
        )
        refused += not response.is_success
    print(time.perf_counter() - start, refused, flush=True)  # noqa: T201 - its parent reads it
    session.close()


if __name__ == "__main__":
    contribute(sys.argv[1], int(sys.argv[2]))
