"""The records settled in part as the text that a commit has of them."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from itertools import islice

from contribd.engine.records.keys import TAG_BITS, Tags
from contribd.engine.records.parts import Told


def encode(base: int, told: Mapping[int, Told]) -> str:
    """What is told of these records, by offset, as text: base64 of a sequence of bits; empty where there is nothing.

    Its first bit is a 1, so that its length is known. Then, numbers being from 1 in Elias gamma code: how many records
    there are; a bit, 1 where distances are in that code too, 0 where they are in unary code (d - 1 zeros and a one).
    For each record, in order: the distance from the one before it (for the first, from ``base - 1``); the number of its
    list of tags among those given so far, from 1, or the next number, and then the list: its length, and 32 bits a tag;
    a bit a part, 1 where it has its result.
    """
    if not told:
        return ""
    offsets = sorted(told)
    distances = [at - before for before, at in zip([base - 1, *offsets], offsets, strict=False)]
    in_gamma = sum(map(gamma_bits, distances)) < sum(distances)
    bits = ["1", _gamma(len(offsets)), "1" if in_gamma else "0"]
    lists: dict[Tags, int] = {}
    for offset, distance in zip(offsets, distances, strict=True):
        tags, settled = told[offset]
        bits.append(_gamma(distance) if in_gamma else "0" * (distance - 1) + "1")
        if tags in lists:
            bits.append(_gamma(lists[tags]))
        else:
            number = lists[tags] = len(lists) + 1
            bits += [_gamma(number), _gamma(len(tags)), *(f"{tag:032b}" for tag in tags)]
        bits.append(f"{settled:0{len(tags)}b}"[::-1])
    whole = int("".join(bits), 2)
    return base64.b64encode(whole.to_bytes((whole.bit_length() + 7) // 8, "big")).decode("ascii")


def decode(base: int, text: str) -> dict[int, Told]:
    """The reverse of ``encode``; empty for what it did not make."""
    try:
        whole = int.from_bytes(base64.b64decode(text, validate=True), "big")
        return _decoded(base, iter(f"{whole:b}"[1:])) if whole else {}
    except (binascii.Error, ValueError, _EndOfBits):
        return {}


def _decoded(base: int, bits: Iterator[str]) -> dict[int, Told]:
    count, in_gamma = _read_gamma(bits), _read(bits, 1)
    found: dict[int, Told] = {}
    lists: list[Tags] = []
    offset = base - 1
    for _ in range(count):
        offset += _read_gamma(bits) if in_gamma else _read_unary(bits)
        number = _read_gamma(bits)
        if number == len(lists) + 1:
            lists.append(tuple(_read(bits, TAG_BITS) for _ in range(_read_gamma(bits))))
        elif number > len(lists):
            return {}
        tags = lists[number - 1]
        found[offset] = Told(tags, sum(_read(bits, 1) << place for place in range(len(tags))))
    return found


class _EndOfBits(Exception):
    """There are fewer bits than were announced."""


def _read(bits: Iterator[str], count: int) -> int:
    read = "".join(islice(bits, count))
    if len(read) < count:
        raise _EndOfBits
    return int(read, 2)


def _read_unary(bits: Iterator[str]) -> int:
    zeros = 0
    while not _read(bits, 1):
        zeros += 1
    return zeros + 1


def _read_gamma(bits: Iterator[str]) -> int:
    more = _read_unary(bits) - 1
    return 1 << more | (_read(bits, more) if more else 0)


def _gamma(number: int) -> str:
    return "0" * (number.bit_length() - 1) + f"{number:b}"


def gamma_bits(number: int) -> int:
    """How many bits a number from 1 takes in Elias gamma code."""
    return 2 * number.bit_length() - 1
