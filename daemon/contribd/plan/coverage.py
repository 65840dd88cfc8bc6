"""What of a set of rules the traffic has shown at work: a mapping that no record was for has not been compared."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from contribd.mapping.compiled import CompiledMapping
from contribd.mapping.outcome import Mapped, Outcome, parts_of


class Exercised(NamedTuple):
    """Of all mappings and fields, those that were not seen at work."""

    mappings: int
    fields: int
    silent_mappings: tuple[str, ...]
    silent_fields: dict[str, tuple[str, ...]]
    """By mapping: fields that were in no post; of a mapping that was not seen at work, all of them."""

    @property
    def silent_field_count(self) -> int:
        """Fields that were in no post, those of silent mappings too."""
        return sum(map(len, self.silent_fields.values()))


class Coverage:
    """Which mappings of a set matched, and which fields they posted."""

    def __init__(self, mappings: Iterable[CompiledMapping]) -> None:
        self._waiting = {each.name: {field.name for post in each.posts for field in post.fields} for each in mappings}
        self._fields = {name: frozenset(fields) for name, fields in self._waiting.items()}
        self.matched = Counter(dict.fromkeys(self._waiting, 0))
        """Records each was for, rejected ones too."""

    def add(self, outcome: Outcome) -> None:
        """What one record came to."""
        name = outcome.mapping
        if name is None:
            return
        self.matched[name] += 1
        waiting = self._waiting.get(name)
        if waiting:
            for part in parts_of(outcome):
                if type(part) is Mapped:
                    waiting.difference_update(part.fields)

    def exercised(self) -> Exercised:
        """What was seen at work so far."""
        silent = tuple(name for name in self._waiting if not self.matched[name])
        fields = {name: tuple(sorted(waiting)) for name, waiting in self._waiting.items() if waiting}
        return Exercised(len(self._fields), sum(map(len, self._fields.values())), silent, fields)
