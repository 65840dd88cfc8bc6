"""A second reader of results: what docs/results.md says, in Python's own json, and nothing of the daemon's code.

It knows of three faults: a record without a result, one with two, and a result that is of other input.
"""

import hashlib
import json
from collections import Counter
from typing import Any


def faults_in(topics: Any) -> list[tuple[str, str]]:
    """Places and what is wrong there, sorted. ``topics`` has ``records`` and ``results``, each by partition."""
    seen: Counter[tuple[int, int, int]] = Counter()
    posts: dict[tuple[int, int], int] = {}
    digests: dict[tuple[int, int], set[str]] = {}
    for result in (each for log in topics.results.values() for each in log):
        source = json.loads(result.value)["source"]
        if source is None:
            continue
        at = source["partition"], source["offset"]
        seen[(*at, source.get("part", 0))] += 1
        posts[at] = source.get("parts", 1)
        digests.setdefault(at, set()).add(source["sha256"])
    return sorted(_faults(topics, seen, posts, digests))


def _faults(
    topics: Any,
    seen: Counter[tuple[int, int, int]],
    posts: dict[tuple[int, int], int],
    digests: dict[tuple[int, int], set[str]],
) -> list[tuple[str, str]]:
    found = []
    for number, log in topics.records.items():
        for record in log:
            at = number, record.surroundings.offset
            place = f"prices:{at[0]}:{at[1]}"
            numbers = [seen[(*at, part)] for part in range(posts.get(at, 1))]
            found += [(place, "missing")] * (0 in numbers)
            found += [(place, "doubled")] * any(count > 1 for count in numbers)
            found += [(place, "other-input")] * (
                digests.get(at, {hashlib.sha256(record.value).hexdigest()})
                != {hashlib.sha256(record.value).hexdigest()}
            )
    return found
