"""One broker for all processes of a test session: a broker that nobody asks anything takes a twelfth of a core.

It belongs to a keeper, a process of its own, which is started by whoever needs the broker first. Each user holds a lock
on one file. Once nobody does (the kernel releases that of a process that was killed, too), the keeper ends the broker.

    folder/start.lock   held while somebody finds or starts the broker
    folder/users.lock   shared by its users; the keeper waits for it alone, and ends the broker while it holds it
    folder/broker.json  where the broker is; only there while it serves
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.rigs.broker_rig import KafkaBroker
from tests.integration.rigs.java_build import REPOSITORY, locked

PLACE = "broker.json"
START_LIMIT_SECONDS = 240.0  # the first one of all fetches Kafka


@contextmanager
def shared_broker(folder: Path) -> Iterator[KafkaBroker]:
    """The one broker of all who name the same folder. RuntimeError, with its keeper's log, where it does not start.

    It is another process's child: it can be used, and not be stopped, paused or restarted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users.lock").open("w") as users:
        with locked(folder / "start.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not (folder / PLACE).exists():
                _start_keeper(folder)
        place = json.loads((folder / PLACE).read_text())
        yield KafkaBroker.running_in(Path(place["directory"]), place["port"])


def _start_keeper(folder: Path) -> None:
    log = folder / "keeper.log"
    # In a session of its own: an interrupt of the tests does not end it, their end does.
    command = ["setsid", "--fork", sys.executable, "-m", __spec__.name, str(folder)]
    with log.open("ab") as output:
        subprocess.run(
            command,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,  # until the keeper closes it, or ends
            stderr=output,
            check=False,
            timeout=START_LIMIT_SECONDS,
        )
    if not (folder / PLACE).exists():
        raise RuntimeError(f"the broker for all tests did not start:\n{log.read_text()[-4000:]}")


def keep(folder: Path) -> None:
    """Starts the broker, closes its output to say that it serves, and ends the broker once nobody uses it."""
    with (folder / "users.lock").open("w") as users, KafkaBroker(folder / f"broker-{os.getpid()}") as broker:
        (folder / PLACE).write_text(json.dumps({"directory": str(broker.directory), "port": broker.port}))
        os.close(1)
        fcntl.flock(users, fcntl.LOCK_EX)
        (folder / PLACE).unlink()


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
