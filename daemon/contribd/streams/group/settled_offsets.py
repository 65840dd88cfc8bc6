"""Offsets of one partition whose records have their result: a bit each, wherever they lie."""

from typing import Final, TypeAlias

from contribd.engine.records.keys import Key, key_of, tags_of
from contribd.engine.records.parts import Told

_CHUNK: Final = 1 << 15
"""Offsets whose bits are kept together: memory follows the results there are, a bit each where they lie close."""

_PART_LENGTH: Final = 20
"""Longer than any ``3/40``."""

Made: TypeAlias = tuple[bytes, bytes]
"""How many posts of a record were made, and by which rules."""

_FULL: Final = bytes((255,)) * (_CHUNK // 8)


class SettledOffsets:
    """Those from ``begin`` on and below ``end`` that are settled, as far as the results topic tells."""

    def __init__(self, begin: int, end: int) -> None:
        self.begin, self.end = begin, end
        self.count = 0
        self.highest = begin - 1
        """The highest that is settled; ``begin - 1`` where none is."""
        self.problem: str | None = None
        """Why the results topic does not tell, or not of all."""
        self._chunks: dict[int, bytearray] = {}
        self._parts: dict[int, dict[Key, tuple[bytes, Made]]] = {}
        """Records of which some posts have their results: which one of how many, by their RICs and services."""

    def __contains__(self, offset: int) -> bool:
        chunk = self._chunks.get(offset // _CHUNK)
        return chunk is not None and bool(chunk[offset % _CHUNK >> 3] >> (offset & 7) & 1)

    def add(self, offset: int) -> None:
        """A record that has its result; of no matter where it lies beyond the bounds."""
        if not self.begin <= offset < self.end or offset in self:
            return
        chunk = self._chunks.setdefault(offset // _CHUNK, bytearray(_CHUNK // 8))
        chunk[offset % _CHUNK >> 3] |= 1 << (offset & 7)
        self.count += 1
        self.highest = max(self.highest, offset)
        self._parts.pop(offset, None)

    def add_part(self, offset: int, part: bytes, service: bytes, ric: bytes, rules: bytes = b"") -> None:
        """One post of a record has its result: ``part``, as ``3/40``, of this RIC and service, made by these rules.

        It settles the record if one and the same rules made all those that have theirs: others that make as many may
        number them otherwise.
        """
        number, _, count = part.partition(b"/")
        is_ours = number.isdigit() and count.isdigit() and len(part) < _PART_LENGTH
        if not is_ours or not self.begin <= offset < self.end or offset in self:
            return
        known = self._parts.setdefault(offset, {})
        key = key_of(service.decode(errors="replace"), ric.decode(errors="replace") or None, int(number))
        known[key] = number, (made := (count, rules))
        numbers = {each for each, by in known.values() if by == made}
        if len(numbers) >= int(count):
            self.add(offset)

    @property
    def in_part(self) -> dict[int, Told]:
        """The records of which some posts have their results and others may not."""
        return {offset: Told.all_settled(tags_of(known)) for offset, known in sorted(self._parts.items())}

    def doubt(self, problem: str) -> None:
        """The results topic does not tell, or not of all."""
        self.problem = problem

    def first_unsettled(self, offset: int) -> int:
        """The first from ``offset`` on that is not settled."""
        while offset in self:
            whole = offset % _CHUNK == 0 and self._chunks[offset // _CHUNK] == _FULL
            offset += _CHUNK if whole else 1
        return offset

    def unsettled(self, begin: int, end: int) -> int:
        """How many from ``begin`` on and below ``end`` are not settled, as far as known."""
        return max(0, end - begin) - sum(
            _settled(chunk, begin - number * _CHUNK, end - number * _CHUNK) for number, chunk in self._chunks.items()
        )


def _settled(chunk: bytearray, low: int, high: int) -> int:
    low, high = max(0, low), min(_CHUNK, high)
    if low >= high:
        return 0
    return (int.from_bytes(chunk, "little") >> low & (1 << high - low) - 1).bit_count()
