"""dpkg and rpm, each in words that both have, as root types them in a box."""

from pathlib import Path
from typing import Protocol

from tests.integration.rigs.packages import Packages
from tests.integration.rigs.systemd import SystemdBox

BESIDE_DPKG = "--force-debian"
"""Debian's rpm asks for this word before it installs anything."""


class PackageManager(Protocol):
    """Installs and removes contribd in a box, and returns what root reads meanwhile."""

    kept: str
    """What a changed configuration file is called once contribd was removed; ``{}`` stands for its path."""
    shipped: str
    """What the new version's own is called beside one that was changed and kept."""

    def install(self, packages: Packages) -> str: ...
    def upgrade(self, packages: Packages) -> str: ...
    def remove(self) -> str: ...
    def owned(self) -> list[str]:
        """Every path that the package says is its own."""


class Dpkg:
    kept = "{}"
    shipped = "{}.dpkg-dist"

    def __init__(self, box: SystemdBox) -> None:
        self._box = box

    def install(self, packages: Packages) -> str:
        return self._dpkg("--install", str(packages.deb))

    def upgrade(self, packages: Packages) -> str:
        """As with nobody there to answer: what was changed is kept, and the difference is told."""
        return self._dpkg("--force-confold", "--install", str(packages.deb))

    def remove(self) -> str:
        return self._dpkg("--remove", "contribd")

    def purge(self) -> str:
        return self._dpkg("--purge", "contribd")

    def owned(self) -> list[str]:
        return self._dpkg("--listfiles", "contribd").splitlines()

    def _dpkg(self, *arguments: str) -> str:
        return self._box.run("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "dpkg", *arguments)


class Rpm:
    """With a database of its own, in which a small package stands for what the distribution has."""

    kept = "{}.rpmsave"
    shipped = "{}.rpmnew"

    def __init__(self, box: SystemdBox, distribution: Path) -> None:
        self._box = box
        self._rpm("--initdb")
        self._rpm("--install", BESIDE_DPKG, str(distribution))

    def install(self, packages: Packages) -> str:
        return self._rpm("--install", BESIDE_DPKG, str(packages.rpm))

    def upgrade(self, packages: Packages) -> str:
        return self._rpm("--upgrade", BESIDE_DPKG, str(packages.rpm))

    def remove(self) -> str:
        return self._rpm("--erase", "contribd")

    def owned(self) -> list[str]:
        return self._rpm("--query", "--list", "contribd").splitlines()

    def _rpm(self, *arguments: str) -> str:
        return self._box.run("env", "LC_ALL=C.UTF-8", "rpm", *arguments)
