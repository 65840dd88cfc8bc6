"""An archive of the classes that a Java server loads: with it one starts in two thirds of the processor time (JEP 350).

It is made once for each folder of jars, by a server that is started for nothing else.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.integration.rigs.java_build import locked
from tests.integration.rigs.java_server import JavaServer
from tests.integration.rigs.needs import java_version

QUIET: Final = "-Xlog:cds=off,cds+dynamic=off"
"""An archive that does not fit is not used, and nothing is lost but time."""


def archived(jars: Path, server: Callable[[Path, list[str]], JavaServer]) -> list[str]:
    """Options for a Java process that uses the archive of these jars.

    ``server``: one in an empty folder, with options of its own.
    """
    archive = jars / f"classes-{java_version()}.jsa"
    with locked(jars / "classes.lock"):
        if not archive.exists():
            _make(archive, server)
    return [f"-XX:SharedArchiveFile={archive}", QUIET]


def _make(archive: Path, server: Callable[[Path, list[str]], JavaServer]) -> None:
    made = archive.with_suffix(".new")
    options = [f"-XX:ArchiveClassesAtExit={made}", QUIET]
    with TemporaryDirectory(prefix="contribd-classes-") as folder, server(Path(folder) / "server", options):
        pass
    made.rename(archive)
