"""One broker for all processes of a test session: a broker that nobody asks anything takes a twelfth of a core.

It belongs to a keeper, a process of its own, which whoever needs the broker first starts. Everybody who uses it holds a
lock on one file; once nobody does (the kernel lets go for a process that was killed, too) the keeper ends the broker.

    folder/start.lock   held while somebody finds or starts the broker
    folder/users.lock   shared by its users; the keeper waits to have it alone, and ends the broker while it has it
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

START_LIMIT_SECONDS = 240.0  # the first one of all fetches Kafka
READY = b"READY"


@contextmanager
def shared_broker(folder: Path) -> Iterator[KafkaBroker]:
    """The broker of everybody who names the same folder. RuntimeError, with its keeper's log, where it does not start.

    It is another process's child: it can be used, and not be stopped, paused or restarted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users.lock").open("w") as users:
        with locked(folder / "start.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not (folder / "broker.json").exists():
                _start_keeper(folder)
        place = json.loads((folder / "broker.json").read_text())
        yield KafkaBroker.running_in(Path(place["directory"]), place["port"])


def _start_keeper(folder: Path) -> None:
    log = folder / "keeper.log"
    # In a session of its own: an interrupt of the tests is not for it, it ends when they have.
    command = ["setsid", "--fork", sys.executable, "-m", __spec__.name, str(folder)]
    with log.open("ab") as output:
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,  # until the keeper closes it, or ends
            stderr=output,
            check=False,
            timeout=START_LIMIT_SECONDS,
        )
    if done.stdout != READY:
        raise RuntimeError(f"the broker for all tests did not start:\n{log.read_text()[-4000:]}")


def keep(folder: Path) -> None:
    """Starts the broker, says so by ``READY`` and the end of its output, and ends the broker once nobody uses it."""
    with KafkaBroker(folder / f"broker-{os.getpid()}") as broker, (folder / "users.lock").open("w") as users:
        written = folder / "broker.new"
        written.write_text(json.dumps({"directory": str(broker.directory), "port": broker.port}))
        written.rename(folder / "broker.json")
        os.write(1, READY)
        os.close(1)
        fcntl.flock(users, fcntl.LOCK_EX)
        (folder / "broker.json").unlink()
        broker.stop()


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
