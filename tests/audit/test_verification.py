"""A verification finds whatever was done to topics, names it, and finds nothing in those that are right."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.audit.second_reader import faults_in
from tests.audit.simulated import Topics, append, topics_of, verified, verified_in_threads
from tests.simulation.world.plan import make_plan

from contribd.audit.claim import RawResult
from contribd.audit.evidence import Unread
from contribd.audit.findings import Finding, Wrong
from contribd.audit.store import ClaimStore
from contribd.engine.records.result_encoder import Encoded
from contribd.mapping.inputs import Input

SINGLE, CURVES, EACH_POSTED = 51, 44, 23
"""Seeds of runs with records of one post each, with several, and with several of which none is conflated."""


@lru_cache(maxsize=2)
def _made(seed: int) -> Topics:
    return topics_of(make_plan(seed))


def topics(seed: int = SINGLE) -> Topics:
    """What a run leaves, to be spoiled."""
    made = _made(seed)
    return replace(
        made,
        records={number: list(log) for number, log in made.records.items()},
        results={number: list(log) for number, log in made.results.items()},
        unread_offsets=[],
    )


@pytest.mark.parametrize("seed", [seed for seed in range(40, 70) if "wall_step" not in make_plan(seed).rates])
def test_nothing_is_found_in_what_the_daemon_leaves(seed: int, tmp_path: Path) -> None:
    left = topics_of(make_plan(seed))
    outcome, found = verified(left, tmp_path)
    assert found == []
    assert sum(each.records for each in outcome.covered) == sum(len(log) for log in left.records.values())
    assert outcome.counts["mapped anew"] == outcome.counts["results"] > 0
    if not make_plan(seed).latest:
        assert faults_in(left) == []


# What somebody may do


def results_of(spoiled: Topics) -> Iterator[tuple[int, int, RawResult]]:
    """Each result of a record, with its partition and index."""
    for number, log in spoiled.results.items():
        for index, result in enumerate(log):
            if result.value is not None and json.loads(result.value)["source"] is not None:
                yield number, index, result


def posted(spoiled: Topics, status: str | None = None) -> tuple[int, int, RawResult]:
    """A result with posts, with others before and behind it."""
    said = ((each, json.loads(each[2].value or b"")) for each in results_of(spoiled))
    found = [each for each, result in said if result["posts"] and status in {None, result["status"]}]
    return found[len(found) // 2]


def altered(result: RawResult, **changes: object) -> RawResult:
    """Its value says something else."""
    document = json.loads(result.value or b"")
    return result._replace(value=json.dumps(document | changes).encode())


def delete(spoiled: Topics) -> None:
    number, index, _ = posted(spoiled)
    del spoiled.results[number][index]


def double(spoiled: Topics) -> None:
    _, _, result = posted(spoiled)
    append(spoiled, Encoded(result.key, result.value or b"", [(name, text or b"") for name, text in result.headers]))


def change_a_price(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    fields = json.loads(result.value or b"")["fields"]
    spoiled.results[number][index] = altered(result, fields=dict.fromkeys(fields, 99999))


def change_the_status(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    status = "NAK" if json.loads(result.value or b"")["status"] == "ACK" else "ACK"
    spoiled.results[number][index] = altered(result, status=status)


def change_the_ric(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    spoiled.results[number][index] = altered(result, ric="OTHER=T")


def change_ric_key_and_header(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    headers = tuple((name, b"OTHER=T" if name == "ric" else text) for name, text in result.headers)
    spoiled.results[number][index] = altered(result, ric="OTHER=T")._replace(key=b"OTHER=T", headers=headers)


def move(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    del spoiled.results[number][index]
    other = spoiled.results[(number + 1) % len(spoiled.results)]
    other.append(result._replace(partition=(number + 1) % len(spoiled.results), offset=other[-1].offset + 1))


def give_it_other_input(spoiled: Topics) -> None:
    _, _, result = posted(spoiled)
    source = json.loads(result.value or b"")["source"]
    log = spoiled.records[source["partition"]]
    index = next(at for at, each in enumerate(log) if each.surroundings.offset == source["offset"])
    log[index] = Input(b'{"post": "other"}', log[index].surroundings)


def give_it_other_input_and_its_digest(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    give_it_other_input(spoiled)
    source = json.loads(result.value or b"")["source"]
    source["sha256"] = sha256(b'{"post": "other"}').hexdigest()
    spoiled.results[number][index] = altered(result, source=source)


def name_rules_nobody_has(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    spoiled.results[number][index] = altered(result, config="77")


def cut_off_the_end(spoiled: Topics) -> None:
    log = max(spoiled.results.values(), key=len)
    del log[len(log) // 2 :]


def write_something_else(spoiled: Topics) -> None:
    append(spoiled, Encoded(b"R0=T", b"hello", []))


def invent_a_record(spoiled: Topics) -> None:
    log = spoiled.records[0]
    del log[len(log) // 2]


def say_it_was_not_posted(spoiled: Topics) -> None:
    number, index, result = posted(spoiled, "ACK")
    spoiled.results[number][index] = altered(result, posts=[])


def say_that_the_ads_took_it(spoiled: Topics) -> None:
    number, index, result = posted(spoiled, "ACK")
    posts = json.loads(result.value or b"")["posts"]
    spoiled.results[number][index] = altered(result, posts=[{**posts[-1], "answer": "NAK"}])


def take_its_digest_away(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    source = json.loads(result.value or b"")["source"] | {"sha256": None}
    spoiled.results[number][index] = altered(result, source=source)


def say_it_is_of_nothing(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    headers = [(name, b"" if name == "source" else text) for name, text in result.headers]
    spoiled.results[number][index] = altered(result, source=None)._replace(headers=headers)


def say_its_fields_are_a_number(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    spoiled.results[number][index] = altered(result, fields=5)


def write_a_number_nobody_can_read(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    name = next(iter(json.loads(result.value or b"")["fields"]))
    changed = altered(result, fields={name: 4711}).value or b""
    value = changed.replace(b"4711", b"1e99999999999999999999")
    spoiled.results[number][index] = result._replace(value=value)


def settle_it_by_other_rules_too(spoiled: Topics) -> None:
    """Offsets were set back after a mapping was changed."""
    _, _, result = next(
        each for each in results_of(spoiled) if "part" not in json.loads(each[2].value or b"")["source"]
    )
    headers = [(name, text or b"") for name, text in result.headers]
    append(spoiled, Encoded(result.key, altered(result, config="0.1").value or b"", headers))


def name_a_carrier(spoiled: Topics) -> None:
    number, index, result = posted(spoiled)
    spoiled.results[number][index] = altered(result, carried_by=json.loads(result.value or b"")["source"])


def post_it_late(spoiled: Topics) -> None:
    """The newer of two prices of a RIC was posted before the older one."""
    last: dict[tuple[object, ...], str] = {}
    for number, index, result in results_of(spoiled):
        document = json.loads(result.value or b"")
        posts, key = document["posts"], (document["source"]["partition"], document["service"], document["ric"])
        if posts and key in last:
            early = [{**post, "sent_at": "2020-01-01T00:00:00.000000Z"} for post in posts]
            spoiled.results[number][index] = altered(result, posts=early)
            return
        if posts:
            last[key] = posts[-1]["sent_at"]
    raise AssertionError("no RIC was posted twice")


SPOILT: list[tuple[Callable[[Topics], None], Wrong]] = [
    (delete, Wrong.MISSING),
    (double, Wrong.DOUBLED),
    (change_a_price, Wrong.OTHER_RULES),
    (change_the_status, Wrong.ALTERED),
    (change_the_ric, Wrong.ALTERED),
    (change_ric_key_and_header, Wrong.OTHER_RULES),
    (move, Wrong.MISPLACED),
    (give_it_other_input, Wrong.OTHER_INPUT),
    (give_it_other_input_and_its_digest, Wrong.OTHER_RULES),
    (name_rules_nobody_has, Wrong.UNKNOWN_RULES),
    (cut_off_the_end, Wrong.MISSING),
    (write_something_else, Wrong.NO_RESULT),
    (invent_a_record, Wrong.NO_RECORD),
    (name_a_carrier, Wrong.CARRIER),
    (say_it_was_not_posted, Wrong.ALTERED),
    (say_that_the_ads_took_it, Wrong.ALTERED),
    (take_its_digest_away, Wrong.OTHER_INPUT),
    (say_it_is_of_nothing, Wrong.NO_RESULT),
    (say_its_fields_are_a_number, Wrong.NO_RESULT),
    (write_a_number_nobody_can_read, Wrong.OTHER_RULES),
    (settle_it_by_other_rules_too, Wrong.DOUBLED),
    (post_it_late, Wrong.OUT_OF_ORDER),
]


@pytest.mark.parametrize("seed", [SINGLE, CURVES, EACH_POSTED])
@pytest.mark.parametrize(("spoil", "wrong"), SPOILT, ids=[spoil.__name__ for spoil, _ in SPOILT])
def test_what_was_done_to_it_is_found_and_named(
    seed: int, spoil: Callable[[Topics], None], wrong: Wrong, tmp_path: Path
) -> None:
    spoiled = topics(seed)
    spoil(spoiled)
    outcome, found = verified(spoiled, tmp_path)
    assert wrong in {finding.wrong for finding in found}
    assert outcome.wrong == len(found)
    (tmp_path / "shared").mkdir()
    shared, also = verified_in_threads(spoiled, tmp_path / "shared")
    assert sorted(map(str, also)) == sorted(map(str, found))
    assert shared == outcome
    assert all(str(finding).startswith(finding.place) for finding in found)


@pytest.mark.parametrize("seed", [SINGLE, CURVES])
def test_a_carrier_that_was_not_posted_is_found(seed: int, tmp_path: Path) -> None:
    spoiled = topics(seed)
    carriers = {tuple(by.values())[:3] for _, _, each in results_of(spoiled) if (by := _said(each)["carried_by"])}
    number, index, result = next(
        each for each in results_of(spoiled) if tuple(_said(each[2])["source"].values())[:3] in carriers
    )
    headers = tuple((name, b"EXPIRED" if name == "status" else text) for name, text in result.headers)
    spoiled.results[number][index] = altered(result, status="EXPIRED", posts=[])._replace(headers=headers)
    _, found = verified(spoiled, tmp_path)
    assert Wrong.CARRIER in {finding.wrong for finding in found}
    assert any(finding.text.endswith("which is EXPIRED") for finding in found)


def _said(result: RawResult) -> Any:
    return json.loads(result.value or b"")


def test_a_gap_of_many_is_one_finding(tmp_path: Path) -> None:
    spoiled = topics()
    log = spoiled.records[0]
    offsets = [each.surroundings.offset for each in log[6:13]]
    for number, results in spoiled.results.items():
        spoiled.results[number] = [each for each in results if _source(each) not in {(0, offset) for offset in offsets}]
    _, found = verified(spoiled, tmp_path)
    missing = [finding for finding in found if finding.wrong is Wrong.MISSING]
    assert [finding.place for finding in missing] == [f"prices:0:{offsets[0]}..{offsets[-1]}"]
    assert missing[0].text == "7 records have no result"


def test_where_the_group_began_is_a_note_and_not_a_finding(tmp_path: Path) -> None:
    spoiled = topics()
    first = {each.surroundings.offset for each in spoiled.records[0][:3]}
    for number, results in spoiled.results.items():
        spoiled.results[number] = [each for each in results if _source(each) not in {(0, offset) for offset in first}]
    outcome, found = verified(spoiled, tmp_path)
    assert [finding for finding in found if finding.wrong is Wrong.MISSING] == []
    assert "3 records before the first result" in outcome.covered[0].notes[0]


def test_what_nobody_can_read_is_said_and_is_no_finding(tmp_path: Path) -> None:
    spoiled = topics()
    middle = len(spoiled.records[0]) // 2
    gone = spoiled.records[0].pop(middle).surroundings.offset
    spoiled.unread_offsets = [Unread(gone, gone, "the batch is broken")]
    outcome, found = verified(spoiled, tmp_path)
    assert found == []
    assert outcome.counts["results whose record cannot be read"] >= 1
    assert f"{gone}..{gone} cannot be read: the batch is broken" in outcome.covered[0].notes


def test_records_stamped_before_the_range_are_none_of_those_asked_for(tmp_path: Path) -> None:
    """One that was stamped ahead lies before them in the log, and begins the range."""
    spoiled = topics()
    stamps = [each.surroundings.timestamp or 0 for log in spoiled.records.values() for each in log]
    since = sorted(stamps)[len(stamps) // 2]
    for number, results in spoiled.results.items():
        asked = {(each.surroundings.partition, each.surroundings.offset) for each in _stamped(spoiled, since)}
        spoiled.results[number] = [each for each in results if _source(each) in asked]
    outcome, found = verified(spoiled, tmp_path, since=since)
    assert [finding for finding in found if finding.wrong is Wrong.MISSING] == []
    assert sum(each.records for each in outcome.covered) == len(list(_stamped(spoiled, since)))
    assert any("stamped before the range" in note for each in outcome.covered for note in each.notes)


def _stamped(spoiled: Topics, since: int) -> Iterator[Input]:
    """Records that are asked for: those without a stamp are."""
    for log in spoiled.records.values():
        yield from (each for each in log if (stamp := each.surroundings.timestamp) is None or stamp >= since)


@pytest.mark.parametrize("after", [0, 1, 3, 6])
def test_one_that_was_ended_goes_on(after: int, tmp_path: Path) -> None:
    spoiled = topics()
    delete(spoiled)
    double(spoiled)
    (tmp_path / "whole").mkdir()
    whole, expected = verified(spoiled, tmp_path / "whole")
    with pytest.raises(ConnectionError):
        verified(spoiled, tmp_path, ends_after=after)
    outcome, found = verified(spoiled, tmp_path)
    assert sorted(map(str, found)) == sorted(map(str, expected))
    assert outcome.counts == whole.counts


@pytest.mark.parametrize("after", [0, 1, 3])
def test_one_that_was_shared_goes_on(after: int, tmp_path: Path) -> None:
    """Each job fails after so many batches; one alone ends it, then two."""
    spoiled = topics()
    delete(spoiled)
    double(spoiled)
    (tmp_path / "whole").mkdir()
    whole, expected = verified(spoiled, tmp_path / "whole")
    for _ in range(2):
        with pytest.raises(ConnectionError, match="the connection is gone"):
            verified_in_threads(spoiled, tmp_path, ends_after=after)
    with ClaimStore(tmp_path / "work.sqlite") as store:
        assert not store.recall("done", False)
    outcome, found = verified_in_threads(spoiled, tmp_path)
    assert sorted(map(str, found)) == sorted(map(str, expected))
    assert outcome == whole


def test_the_second_reader_finds_the_same_records(tmp_path: Path) -> None:
    spoiled = topics()
    delete(spoiled)
    double(spoiled)
    give_it_other_input(spoiled)
    _, found = verified(spoiled, tmp_path)
    assert faults_in(spoiled) == sorted(
        (finding.place, finding.wrong.value) for finding in found if finding.wrong in SECOND_KNOWS
    )


SECOND_KNOWS = {Wrong.MISSING, Wrong.DOUBLED, Wrong.OTHER_INPUT}


def test_a_finding_reads_back() -> None:
    finding = Finding(Wrong.MISSING, "prices:0:1", "it has no result")
    assert Finding.of(finding.document()) == finding


def _source(result: RawResult) -> tuple[int, int] | None:
    source = json.loads(result.value or b"")["source"]
    return None if source is None else (source["partition"], source["offset"])
