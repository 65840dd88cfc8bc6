"""A simulated ADS with a clock: ``python -m tests.bench.clocked_ads FILE [DELAY_MS]``.

Prints its URL. At the end of its input it writes, for each post, its number (``BIDSIZE``, see ``feed``) and the time it
was read (nanoseconds).
"""

import asyncio
import sys
import threading
import time
from array import array
from pathlib import Path

from contribd.simulation.ads.options import AdsOptions, Posted
from contribd.simulation.ads.server import AdsServer


class Clocked(list[Posted]):
    """Keeps the time of each post instead of the post."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = array("q")

    def append(self, posted: Posted) -> None:
        """A post was read."""
        self.seen.extend((int(posted.fields["BIDSIZE"]), time.time_ns()))


async def serve(delay: float) -> bytes:
    """Until stdin ends; the posts' numbers and times."""
    server = AdsServer(AdsOptions(fields=None, delay=delay))
    clocked = Clocked()
    server.ads.posts = clocked
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def follow() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    await server.open()
    print(server.url, flush=True)  # noqa: T201 - its parent reads it
    threading.Thread(target=follow, daemon=True).start()
    await ended.wait()
    await server.close()
    return clocked.seen.tobytes()


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(asyncio.run(serve(float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0)))
