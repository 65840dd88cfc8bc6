"""Numbers worth keeping: each with its median and its spread, and what the machine was doing meanwhile."""

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime


class Series:
    """One figure, measured several times."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def add(self, value: float) -> None:
        """One more measurement."""
        self.values.append(value)

    @property
    def median(self) -> float:
        """Of what was measured so far."""
        return statistics.median(self.values)

    def summary(self) -> dict[str, object]:
        """Median, lowest, highest, and how often it was measured."""
        return {
            "median": _short(self.median),
            "low": _short(min(self.values)),
            "high": _short(max(self.values)),
            "rounds": len(self.values),
        }


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The largest cost over the smallest, less 1: 0.1 where the dearest size costs a tenth more than the cheapest."""
    del sizes
    return _short(max(costs) / min(costs) - 1)


def machine() -> dict[str, object]:
    """Where and when this ran, and how busy the machine was."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": [round(each, 1) for each in os.getloadavg()],
    }


def _short(value: float) -> float:
    return float(f"{value:.4g}")
