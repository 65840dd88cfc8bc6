"""What answers the commands that give orders: a real control socket, behind which is said what a test wants said."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner

from contribd.cli import app
from contribd.control.server import ControlServer
from contribd.orders import Answer, Order
from contribd.pausing.book import Caller
from contribd.reloads import ReloadOrder


class Answering:
    """In ``folder``, with the configuration that names its socket, which stands there as %s."""

    def __init__(self, folder: Path, answer: Answer, config: str, socket: str = "s") -> None:
        self.folder = folder
        self.answer = answer
        self.asked: list[tuple[Order | ReloadOrder, Caller]] = []
        self.socket = folder / socket
        self.config = folder / "contribd.yaml"
        self.config.write_text(config % self.socket)
        self.server = ControlServer(self.socket, None, self._said)

    @property
    def orders(self) -> list[Order | ReloadOrder]:
        return [order for order, _ in self.asked]

    def _said(self, order: Order | ReloadOrder, by: Caller) -> Answer:
        self.asked.append((order, by))
        return self.answer

    def run(self, command: str, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of the command with its configuration."""
        done = CliRunner().invoke(app, [command, *arguments, "-c", str(self.config)])
        return done.exit_code, done.stdout, done.stderr

    @contextmanager
    def listening(self) -> Iterator["Answering"]:
        self.server.start()
        while not self.socket.exists():
            pass
        yield self
        self.server.close()
