"""Durations as they are written: ``250ms``, ``15s``, ``2m``, ``1h``."""

import re
from typing import Final

DURATION_PATTERN: Final = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$"
"""For a JSON Schema."""

_WRITTEN: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h)\Z", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float | None:
    """The seconds of a duration; None where the text is none."""
    match = _WRITTEN.match(text)
    return None if match is None else float(match[1]) * _SECONDS[match[2]]


def duration_text(seconds: float) -> str:
    """15.0 as ``15s``: the way it is written in a configuration."""
    for unit in ("h", "m", "s"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    return f"{seconds * 1000:.3f}".rstrip("0").rstrip(".") + "ms"
