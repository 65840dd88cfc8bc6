"""What parts, instruments and quotes are known by: their service and RIC. And the tags by which commits name parts."""

from collections.abc import Iterable
from typing import Final, TypeAlias
from zlib import crc32

Key: TypeAlias = tuple[str, str]
"""(service, RIC)."""

Tags: TypeAlias = tuple[int, ...]

TAG_BITS: Final = 32
_TAGS: Final = 1 << TAG_BITS


def tags_of(keys: Iterable[Key]) -> Tags:
    """The tag of each part, in order; all different."""
    tags = tuple([crc32(f"{service}\0{ric}".encode()) for service, ric in keys])
    return tags if len(set(tags)) == len(tags) else _told_apart(tags)


def _told_apart(tags: Tags) -> Tags:
    """Of two that are the same, the later one takes the next number that is free."""
    found: dict[int, None] = {}
    for tag in tags:
        free = tag
        while free in found:
            free = (free + 1) % _TAGS
        found[free] = None
    return tuple(found)


def key_of(service: str | None, ric: str | None, number: int) -> Key:
    """What a part is known by; its ``number`` among the record's parts stands in for a RIC that it has not."""
    return service or "", f"\0{number}" if ric is None else ric
