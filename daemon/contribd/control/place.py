"""Where the control socket is: the daemon makes it there, and the command line looks for it."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

AUTO: Final = "auto"
SYSTEM: Final = Path("/run")
"""Where systemd makes the folders of services: ``contribd``, and ``contribd-fx`` for ``contribd@fx``."""

_LONGEST_NAME: Final = 40


def daemon_socket(setting: str | None, instance: str, environ: Mapping[str, str]) -> Path | None:
    """Where the daemon makes it; None where it is off, or there is no folder for it."""
    if setting is None:
        return None
    if setting != AUTO:
        return Path(setting)
    folder = _own_folder(environ)
    return None if folder is None else folder / socket_name(instance)


def possible_sockets(setting: str | None, instance: str, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where it may be for whoever does not run in the daemon's own surroundings, the likeliest first."""
    if setting not in (None, AUTO):
        yield Path(str(setting))
    elif setting is not None:
        folders = [_own_folder(environ), SYSTEM / "contribd", *sorted(SYSTEM.glob("contribd-*"))]
        yield from dict.fromkeys(folder / socket_name(instance) for folder in folders if folder is not None)


def own_sockets(environ: Mapping[str, str]) -> list[Path]:
    """The socket in the folder that a service manager made for this unit, whatever its name; none where there are
    several, or no such folder: then it is not known which is meant."""
    folder = environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    found = sorted(Path(folder).glob("*.sock")) if folder else []
    return found if len(found) == 1 else []


def socket_name(instance: str) -> str:
    """The socket's name: the instance's, made legal and short, and kept apart by a hash where it had to be changed."""
    legal = re.sub(r"[^A-Za-z0-9._-]", "_", instance)[:_LONGEST_NAME]
    if legal != instance or not legal or legal.startswith("."):
        legal = f"{legal.lstrip('.')}-{hashlib.sha256(instance.encode()).hexdigest()[:12]}"
    return f"{legal}.sock"


def _own_folder(environ: Mapping[str, str]) -> Path | None:
    # Of several folders systemd gives the first that the unit names.
    if runtime := environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]:
        return Path(runtime)
    if user := environ.get("XDG_RUNTIME_DIR"):
        return Path(user) / "contribd"
    return None
