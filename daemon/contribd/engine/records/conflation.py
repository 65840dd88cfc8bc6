"""Conflation: how the prices of one RIC that wait merge into one post, the newest value of each field winning."""

from contribd.engine.records.price import Price
from contribd.mapping.outcome import FieldValue, PostType


def merge(group: list[Price]) -> tuple[PostType, dict[str, FieldValue]]:
    """One post's type and fields from prices in order: the newest value of each field wins."""
    if len(group) == 1:
        mapped = group[0].mapped
        return mapped.type, mapped.fields
    merged, fields = _from_last_refresh(group), dict[str, FieldValue]()
    for price in merged:
        fields.update(price.mapped.fields)
    return merged[0].mapped.type, fields


def winners(group: list[Price]) -> dict[str, Price]:
    """The price whose value each field of their post has."""
    found = dict[str, Price]()
    for price in _from_last_refresh(group):
        found.update(dict.fromkeys(price.mapped.fields, price))
    return found


def _from_last_refresh(group: list[Price]) -> list[Price]:
    """A Refresh replaces the item, so nothing older than the last one is merged into it."""
    for number in range(len(group) - 1, 0, -1):
        if group[number].mapped.type is PostType.REFRESH:
            return group[number:]
    return group
