"""What came of a run of reloads: every record is mapped anew by the rules that its results name.

Looked for: a record without a result, or with two; one mapped by anything but the one set of rules that its results
name, whole; rules that were in force in another order than that of the reloads; posts that are of no one version.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from tests.integration.rigs.prices import Place
from tests.integration.rigs.provider_rig import JournaledPost
from tests.integration.rigs.reload_rules import version_posted

from contribd.engine.records.price import Status
from contribd.mapping.encode import encode_fields
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped, parts_of
from contribd.results.result import Result

Fault = Callable[[str], None]

_NONE: Final = -1


def judge(
    values: Mapping[Place, bytes],
    results: Sequence[Result],
    versions: Mapping[str, int],
    mapper_of: Callable[[int], Mapper],
    fault: Fault,
) -> int:
    """``values``: what was fed. ``versions``: by the digests that reloads were answered with. ``mapper_of``: that of a
    version. ``fault`` is told of each fault. Returns how many versions results name."""
    carried: dict[str, list[Result]] = defaultdict(list)
    of_record: dict[Place, list[Result]] = defaultdict(list)
    for result in results:
        source = result.record
        of_record[source.topic, source.partition, source.offset].append(result)
        if result.carried_by is not None:
            carried[f"{result.carried_by} {result.ric}"].append(result)
    for place in sorted(values.keys() | of_record.keys()):
        text = _of_record(values.get(place), of_record.get(place, []), carried, versions, mapper_of)
        if text:
            fault(f"{place}: {text}")
    return _order(of_record, versions, fault)


def judge_posts(posts: Iterable[JournaledPost], fault: Fault) -> None:
    """What the provider got."""
    for post in posts:
        if version_posted(post) is None:
            fault(f"post {post.sequence} of {post.ric} is a mixture: {post.fields}")


def _of_record(
    value: bytes | None,
    results: list[Result],
    carried: Mapping[str, list[Result]],
    versions: Mapping[str, int],
    mapper_of: Callable[[int], Mapper],
) -> str:
    """What is wrong; nothing where its results are those of one set of rules, and say what that one makes of it."""
    digests = {result.config for result in results}
    if value is None or not results or len(digests) != 1 or not digests <= versions.keys():
        return f"{len(results)} results, of rules {digests}; the record is {value!r}"
    made = {getattr(each, "ric", None): each for each in parts_of(mapper_of(versions[digests.pop()]).map(value))}
    if Counter(result.ric for result in results) != Counter(list(made)):
        return f"its results are of {[result.ric for result in results]}, its rules make {list(made)}"
    told = (_of_post(each, made[each.ric], carried.get(f"{each.record} {each.ric}", [])) for each in results)
    return next(filter(None, told), "")


def _of_post(result: Result, made: Any, merged: list[Result]) -> str:
    if result.status not in {Status.ACK, Status.CONFLATED} or not isinstance(made, Mapped):
        return f"{result.status} {result.text}"
    fields: dict[str, Any] = {}
    for each in sorted(merged, key=lambda one: one.record.offset):
        fields.update(each.fields or {})
    fields.update(json.loads(encode_fields(made.fields)))
    if _plain(result.fields) != _plain(fields):
        return f"its fields are {result.fields}, by its rules {fields}"
    return ""


def _plain(fields: Any) -> Any:
    return json.loads(json.dumps(fields, default=float))


def _order(of_record: Mapping[Place, list[Result]], versions: Mapping[str, int], fault: Fault) -> int:
    """Along a partition, versions only go up: rules change between two records, and never back."""
    newest: dict[int, int] = {}
    seen = set[int]()
    for (topic, partition, offset), results in sorted(of_record.items()):
        version = versions.get(results[0].config or "", _NONE)
        seen.add(version)
        if version < newest.get(partition, 0):
            fault(f"{topic}:{partition}:{offset}: version {version} after {newest[partition]}")
        newest[partition] = max(version, newest.get(partition, 0))
    return len(seen)
