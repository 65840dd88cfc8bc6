"""The mappings of every run: one post a record, and of curves one for each point. Processes may have different ones."""

from functools import lru_cache
from typing import Any, Final

from tests.simulation.world.plan import FEWER, MORE, TURNED

from contribd.mapping.compile import compile_file
from contribd.mapping.mapper import Mapper
from contribd.mapping.rules import MappingFile

VERSIONED: Final = ("BID", "ASK", "MID_PRICE", "TRDPRC_1", "HIGH_1")
"""Fields that hold the record's own number, so that every value on the wire says which record it came from."""

RULES_FIELD: Final = "RECORDTYPE"
"""Where rules change while a process runs, the field that holds their number: the generation of the files."""

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


def _fields(of: str, generation: int | None) -> dict[str, Any]:
    fields: dict[str, Any] = {name: {"from": f"{of}{name}", "missing": "skip"} for name in VERSIONED}
    if generation is not None:
        fields[RULES_FIELD] = {"value": generation}
    return fields | {
        "CTBTR_1": {"from": f"{of}pad", "missing": "skip"},
        "NO_SUCH_FIELD": {"from": f"{of}error", "missing": "skip"},
        "DSPLY_NAME": {"from": f"{of}mute", "missing": "skip"},
    }


def mapping_name(service: str, post: str) -> str:
    """What the mapping of a single price is called."""
    return f"{service}-{post}"


def _mapping(service: str, post: str, generation: int | None) -> dict[str, Any]:
    name = mapping_name(service, post)
    return {
        "name": name,
        "when": f'service == "{service}" and post == "{post}"',
        "ric": "{ric}",
        "service": service,
        "post": post,
        "fields": _fields("", generation),
        "withdraw": sorted(LISTED[post]),
        "checks": ["crossed == false"],
    } | _desk(name)


def _desk(name: str) -> dict[str, str]:
    return {"desk": DESKS[name]} if name in DESKS else {}


def _post(service: str, post: str, of: str, generation: int | None, more: str = "", **keys: Any) -> dict[str, Any]:
    """One post of a curve's mapping, for the points of this kind."""
    return {
        "when": f'{of}service == "{service}" and {of}post == "{post}"{more}',
        "ric": f"{{{of}ric}}",
        "service": service,
        "post": post,
        "fields": _fields(of, generation),
        "checks": [f"{of}crossed == false"],
        **keys,
    }


def _curve(name: str, mapping: int, generation: int | None) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "when": f'post == "{name}"', "withdraw": sorted(LISTED["curve"])} | _desk(
        name
    )
    if name == STRICT:
        made["all_or_nothing"] = True
    if mapping == TURNED:
        return {**made, "posts": [_post(*each, "item.", generation, each="points") for each in reversed(POSTS)]}
    if mapping == MORE:
        own = [_post(*each, "head.", generation) for each in POSTS]
        return {**made, "posts": own + [_post(*each, "item.", generation, each="points") for each in POSTS]}
    more = " and item.spare == false" if mapping == FEWER else ""
    return {**made, "each": "points", "posts": [_post(*each, "item.", generation, more) for each in POSTS]}


@lru_cache(maxsize=64)
def make_mapper(mapping: int, generation: int | None, *, curves: bool) -> Mapper:
    """One that a process may have; ``generation``: of the files it was made of, where these change."""
    mappings = [{"name": IGNORING, "when": 'post == "ignored"', "ignore": True}]
    mappings += [_mapping(*each, generation) for each in POSTS]
    if curves:
        mappings += [_curve(name, mapping, generation) for name in (CURVE, STRICT)]
    compiled = compile_file(MappingFile.model_validate({"mappings": mappings}), SERVICES[0])
    if compiled.problems:
        raise ValueError(compiled.problems)
    return Mapper(compiled.mappings)
