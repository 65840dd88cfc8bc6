"""Which quotes an order is about."""

import re
from collections.abc import Mapping
from fnmatch import translate

from contribd.engine.records.pauses import PauseKind, Selector


class Selection:
    """Tells, RIC by RIC, whether a selector names it."""

    def __init__(self, what: Selector, desks: Mapping[str, str]) -> None:
        """``desks``: the label of each mapping that has one, by its name."""
        self._what, self._desks = what, desks
        self._pattern = re.compile(translate(what.value)) if what.kind is PauseKind.RIC else None

    def names(self, ric: str, mapping: str) -> bool:
        """Whether it is about this RIC, of which this mapping posted last."""
        kind, value = self._what
        if self._pattern is not None:
            return self._pattern.match(ric) is not None
        if kind is PauseKind.MAPPING:
            return mapping == value
        return kind is PauseKind.ALL or self._desks.get(mapping) == value
