"""Settings of ``kafka.client`` that stand in files and credentials, read anew while the daemon runs.

A password changes while a process runs for months. Whoever logs in again asks for it here, as it is then.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from contribd.config.interpolate import Interpolation
from contribd.config.nodes import Mark, Node, Scalar, walk

_NOWHERE: Final = Mark(0, 1, 1)
_SECTION: Final = ("kafka", "client")


class Reread(NamedTuple):
    """``written``: their texts as the configuration has them, by name."""

    written: Mapping[str, str]
    environ: Mapping[str, str]

    def values(self) -> tuple[dict[str, str], set[str]]:
        """What they are now, and which secrets were read; what cannot be read just now is left out."""
        interpolation = Interpolation(self.environ)
        values: dict[str, str] = {}
        for name, text in self.written.items():
            scalar = Scalar(text, None, _NOWHERE, _NOWHERE)
            if not interpolation(scalar):
                values[name] = scalar.text
        return values, interpolation.secrets


NOTHING: Final = Reread({}, {})


def reread_of(root: Node, environ: Mapping[str, str]) -> Reread:
    """Of a configuration that was interpolated: those that have something in them which may change."""
    found = {path[2]: scalar for path, scalar in walk(root) if path[:2] == _SECTION and len(path) == 3}
    # A copy of the environment: the process's own cannot be pickled for another one.
    return Reread({str(name): scalar.written for name, scalar in found.items() if _is_from_file(scalar)}, dict(environ))


def _is_from_file(scalar: Scalar) -> bool:
    return any(source.startswith(("${file:", "${credential:")) for source in scalar.sources)
