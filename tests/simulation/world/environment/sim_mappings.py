"""The mappings of every run: one post a record, and of curves one for each point. Processes may have different ones."""

from typing import Any, Final

from tests.simulation.world.plan import ALL_MAPPINGS, AS_THEY_COME, FEWER, MORE, TURNED

from contribd.mapping.compile import compile_file
from contribd.mapping.mapper import Mapper
from contribd.mapping.rules import MappingFile

VERSIONED: Final = ("BID", "ASK", "MID_PRICE", "TRDPRC_1", "HIGH_1")
"""Fields that hold the record's own number, so that every value on the wire says which record it came from."""

LISTED: Final = {
    "update": frozenset(("BID", "ASK")),
    "refresh": frozenset(("BID", "MID_PRICE")),
    "curve": frozenset(("BID", "ASK", "TRDPRC_1")),
}
"""The fields that each kind of mapping lists under ``withdraw``."""

IGNORING: Final = "heartbeat"
"""The mapping whose records are not for posting."""

SERVICES: Final = ("TRCC", "ALT")

POSTS: Final = [(service, post) for service in SERVICES for post in ("update", "refresh")]

DESKS: Final = {"TRCC-update": "fx", "ALT-update": "fx", "TRCC-refresh": "rates", "curve": "rates"}
"""The label of each mapping that has one."""

CURVE, STRICT = "curve", "strict"
"""The records with points; of a strict one nothing is posted unless all can be."""


def _fields(of: str) -> dict[str, Any]:
    fields: dict[str, Any] = {name: {"from": f"{of}{name}", "missing": "skip"} for name in VERSIONED}
    return fields | {
        "CTBTR_1": {"from": f"{of}pad", "missing": "skip"},
        "NO_SUCH_FIELD": {"from": f"{of}error", "missing": "skip"},
        "DSPLY_NAME": {"from": f"{of}mute", "missing": "skip"},
    }


def mapping_name(service: str, post: str) -> str:
    """What the mapping of a single price is called."""
    return f"{service}-{post}"


def _mapping(service: str, post: str) -> dict[str, Any]:
    name = mapping_name(service, post)
    return {
        "name": name,
        "when": f'service == "{service}" and post == "{post}"',
        "ric": "{ric}",
        "service": service,
        "post": post,
        "fields": _fields(""),
        "withdraw": sorted(LISTED[post]),
        "checks": ["crossed == false"],
    } | _desk(name)


def _desk(name: str) -> dict[str, str]:
    return {"desk": DESKS[name]} if name in DESKS else {}


def _post(service: str, post: str, of: str, more: str = "", **keys: Any) -> dict[str, Any]:
    """One post of a curve's mapping, for the points of this kind."""
    return {
        "when": f'{of}service == "{service}" and {of}post == "{post}"{more}',
        "ric": f"{{{of}ric}}",
        "service": service,
        "post": post,
        "fields": _fields(of),
        "checks": [f"{of}crossed == false"],
        **keys,
    }


def _curve(name: str, mapping: int) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "when": f'post == "{name}"', "withdraw": sorted(LISTED["curve"])} | _desk(
        name
    )
    if name == STRICT:
        made["all_or_nothing"] = True
    if mapping == TURNED:
        return {**made, "posts": [_post(*each, "item.", each="points") for each in reversed(POSTS)]}
    if mapping == MORE:
        own = [_post(*each, "head.") for each in POSTS]
        return {**made, "posts": own + [_post(*each, "item.", each="points") for each in POSTS]}
    more = " and item.spare == false" if mapping == FEWER else ""
    return {**made, "each": "points", "posts": [_post(*each, "item.", more) for each in POSTS]}


def make_mappers(*, curves: bool) -> tuple[Mapper, ...]:
    """Those that a process may have; one where all records are single prices."""
    return tuple(_mapper(mapping, curves=curves) for mapping in (ALL_MAPPINGS if curves else (AS_THEY_COME,)))


def _mapper(mapping: int, *, curves: bool) -> Mapper:
    mappings = [{"name": IGNORING, "when": 'post == "ignored"', "ignore": True}]
    mappings += [_mapping(*each) for each in POSTS]
    if curves:
        mappings += [_curve(name, mapping) for name in (CURVE, STRICT)]
    compiled = compile_file(MappingFile.model_validate({"mappings": mappings}), SERVICES[0])
    if compiled.problems:
        raise ValueError(compiled.problems)
    return Mapper(compiled.mappings)
