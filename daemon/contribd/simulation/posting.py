"""What the vendor's provider makes of one Post message, before anybody decides on its answer."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from contribd.simulation.values import Kind, Verdict, judge


class Conversion(NamedTuple):
    """A post that could be converted; its numbers with a fraction or exponent are Decimal."""

    post_id: int | None
    ric: str
    service: str | int | None
    type: str
    fields: Mapping[str, Any]


def convert(post: Mapping[str, Any], fields: Mapping[str, Kind] | None) -> Conversion | str | None:
    """The post; or the text of the Error it gets; or ``None`` where it is lost in silence.

    ``fields``: the dictionary to check field names and values against; ``None`` takes them all.
    """
    key, payload = post.get("Key"), post.get("Message")
    if not (isinstance(key, dict) and isinstance(key.get("Name"), str) and isinstance(payload, dict)):
        return None
    kind, values = payload.get("Type"), payload.get("Fields", {})
    if not (isinstance(kind, str) and isinstance(values, dict)):
        return None
    if fields is not None:
        for name, value in values.items():
            verdict = judge(name, value, fields)
            if verdict is Verdict.SILENT:
                return None
            if verdict is Verdict.ERROR:
                return f"JSON unexpected value for field {name!r} of type {_type_of(name, fields)}"
    post_id = post.get("PostID")
    return Conversion(post_id if isinstance(post_id, int) else None, key["Name"], key.get("Service"), kind, values)


def _type_of(name: str, fields: Mapping[str, Kind]) -> str:
    kind = fields.get(name)
    return "no type: it is not in the dictionary" if kind is None else kind.value
