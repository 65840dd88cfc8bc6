"""An export has all there is, stands by itself, and whatever was done to it is found and named."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import duckdb
import pytest
from pyarrow import parquet
from tests.audit.second_reader import faults_in_export
from tests.audit.simulated import Topics, topics_of
from tests.audit.spoiled_exports import (
    AT,
    KEY,
    NEWER,
    TRUST,
    SimulatedLogs,
    change_row,
    export,
    files_of,
    forge,
    judged,
    sealed_results,
    write_manifest,
)
from tests.audit.test_seals import root_of
from tests.audit.test_verification import SINGLE, change_a_price, delete, move
from tests.simulation.world.plan import make_plan

from contribd.audit import parquet_files
from contribd.audit.evidence import Unread
from contribd.audit.export_folder import UNFINISHED, manifests_in, opened_folder
from contribd.audit.findings import Wrong
from contribd.audit.parquet_files import ExportError
from contribd.audit.seals import Seal, Sealed

CURVES = 44
DESKS = 46


@lru_cache(maxsize=4)
def _made(seed: int) -> Topics:
    return topics_of(make_plan(seed))


def topics(seed: int = SINGLE) -> Topics:
    """What a run leaves, to be spoiled."""
    made = _made(seed)
    return replace(made, results={number: list(log) for number, log in made.results.items()})


@pytest.mark.parametrize("seed", [SINGLE, CURVES, DESKS])
@pytest.mark.parametrize("runs", [1, 3])
def test_nothing_is_found_in_what_was_exported(seed: int, runs: int, tmp_path: Path) -> None:
    left = topics(seed)
    for number in range(runs):
        export(left, tmp_path, share=(number + 1) / runs, at=AT + timedelta(days=number))
    outcome = judged(left, tmp_path, TRUST)
    assert outcome.all == []
    assert sum(each.records for each in outcome.verified.covered) == sum(len(log) for log in left.records.values())
    assert outcome.verified.counts["mapped anew"] == outcome.verified.counts["results"] > 0
    assert faults_in_export(tmp_path) == []


def test_an_analyst_reads_the_results_as_they_are(tmp_path: Path) -> None:
    left = topics(DESKS)
    export(left, tmp_path, share=0.5)
    export(left, tmp_path, at=AT + timedelta(days=1))
    said = [json.loads(each.value or b"") for log in left.results.values() for each in log]
    with duckdb.connect() as database:
        database.execute(
            f"CREATE VIEW results AS FROM read_parquet('{tmp_path}/results/**/*.parquet', hive_partitioning = true)"
        )
        counted = database.execute("SELECT status, count(*) FROM results GROUP BY status").fetchall()
        assert dict(counted) == Counter(each["status"] for each in said)
        sums = database.execute(
            "SELECT count(*), count(distinct (partition, \"offset\")), sum((fields->>'BID')::DECIMAL(38, 14)),"
            " max(source_offset), count(sent_at), typeof(any_value(day)), typeof(any_value(sent_at)) FROM results"
        ).fetchone()
        assert sums is not None
        assert sums[:2] == (len(said), len(said))
        assert sums[3] == max(each["source"]["offset"] for each in said if each["source"])
        assert sums[4] == sum(bool(each["posts"]) for each in said)
        assert sums[5:] == ("DATE", "TIMESTAMP WITH TIME ZONE")
        bytes_of = database.execute('SELECT partition, "offset", key, value FROM results').fetchall()
    there = {(at, each.offset): (each.key, each.value) for at, log in left.results.items() for each in log}
    assert {(at, offset): (key, value) for at, offset, key, value in bytes_of} == there
    assert parquet.read_table(tmp_path / "results").num_rows == len(said)


def test_the_desk_of_a_mapping_is_a_column(tmp_path: Path) -> None:
    export(topics(CURVES), tmp_path)
    desks = parquet.read_table(tmp_path / "results", columns=["desk"]).column("desk").to_pylist()
    assert any(desks)


# How it ends


def test_a_run_that_fails_leaves_nothing_and_the_next_one_has_all(tmp_path: Path) -> None:
    left = topics()
    with pytest.raises(ConnectionError):
        export(left, tmp_path, logs=SimulatedLogs(left, ends_after=12))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".lock"]
    export(left, tmp_path)
    assert judged(left, tmp_path).all == []


@pytest.mark.parametrize("moved", [0, 1, 5])
def test_a_run_that_ended_while_files_were_moved_is_completed(
    moved: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, rename, count = topics(), Path.rename, 0

    def ending(self: Path, target: Path) -> Path:
        nonlocal count
        if UNFINISHED not in str(target):
            count += 1
            if count > moved:
                raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", ending)
    with pytest.raises(KeyboardInterrupt):
        export(left, tmp_path)
    monkeypatch.undo()
    with opened_folder(tmp_path):
        pass
    assert judged(left, tmp_path, TRUST).all == []


def test_a_second_export_into_a_folder_waits_for_nobody(tmp_path: Path) -> None:
    with opened_folder(tmp_path), pytest.raises(ExportError, match="is at work"), opened_folder(tmp_path):
        pass


def test_nothing_is_written_over(tmp_path: Path) -> None:
    left = topics()
    export(left, tmp_path, share=0.5)
    second = export(left, tmp_path / "other", share=1.0)
    (tmp_path / "other/manifest-20261130T000000Z.json").unlink()
    with pytest.raises(ExportError, match="never written over"):
        export(left, tmp_path / "other", at=AT + timedelta(days=1))
    assert second.files
    with pytest.raises(ExportError, match="an export a second is enough"):
        export(left, tmp_path)


def test_a_file_has_no_more_rows_in_memory_than_a_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_files, "ROWS", 7)
    left = topics()
    export(left, tmp_path)
    groups = [parquet.ParquetFile(path).metadata for path in files_of(tmp_path)]
    assert max(each.num_row_groups for each in groups) > 1
    assert all(each.row_group(at).num_rows <= 7 for each in groups for at in range(each.num_row_groups))
    assert judged(left, tmp_path).all == []


def test_what_could_not_be_read_is_said_and_is_no_finding(tmp_path: Path) -> None:
    left = topics()
    log = left.records[0]
    gone = log[len(log) // 2].surroundings.offset
    left = replace(left, records={**left.records, 0: [each for each in log if each.surroundings.offset != gone]})
    export(left, tmp_path, logs=SimulatedLogs(left, (Unread(gone, gone, "the batch is broken"),)))
    outcome = judged(left, tmp_path)
    assert outcome.all == []
    assert f"{gone}..{gone} cannot be read: the batch is broken" in outcome.verified.covered[0].notes


# What is in it is judged as what is in Kafka


@pytest.mark.parametrize(
    ("spoil", "wrong"), [(delete, Wrong.MISSING), (change_a_price, Wrong.OTHER_RULES), (move, Wrong.MISPLACED)]
)
def test_what_was_wrong_when_it_was_exported_is_found(
    spoil: Callable[[Topics], None], wrong: Wrong, tmp_path: Path
) -> None:
    spoiled = topics()
    spoil(spoiled)
    export(spoiled, tmp_path)
    outcome = judged(spoiled, tmp_path, TRUST)
    assert outcome.unlike == []
    assert wrong in {finding.wrong for finding in outcome.found}


# What somebody may do to it


def one_row_changed(folder: Path) -> list[str]:
    path = files_of(folder)[0]
    change_row(path, "value", lambda value: value.replace(b'"ACK"', b'"NAK"') + b" ")
    return [str(path.relative_to(folder))]


def one_row_changed_and_its_digest(folder: Path) -> list[str]:
    path = files_of(folder)[0]
    change_row(path, "value", lambda value: value + b" ")
    forge(folder, roots=False)
    return [f"results:{_partition(path)}:"]


def one_column_of_a_row_changed_and_its_digest(folder: Path) -> list[str]:
    path = files_of(folder)[0]
    offset = change_row(path, "status", lambda _: "EXPIRED")
    forge(folder, roots=False)
    return [f"results:{_partition(path)}:{offset}: export: column status"]


def one_row_changed_and_all_that_says_so(folder: Path) -> list[str]:
    change_row(files_of(folder)[0], "value", lambda value: value + b" ")
    return [forge(folder, roots=True).name]


def one_row_changed_in_an_older_run_and_all_of_its_own(folder: Path) -> list[str]:
    """With the very key; but the next manifest names the one that was."""
    path = next(each for each in files_of(folder) if "partition=0" in str(each))
    change_row(path, "value", lambda value: value + b" ")
    forge(folder, roots=True, key=KEY, which=0)
    return ["manifest-20261201T000000Z.json: export: it follows another manifest"]


def one_row_changed_and_signed_anew_with_a_newer_key(folder: Path) -> list[str]:
    change_row(files_of(folder)[0], "value", lambda value: value + b" ")
    return [f"{forge(folder, roots=True, key=NEWER).name}: export: signed by audit.example.com/2"]


def a_price_changed(folder: Path) -> list[str]:
    path = files_of(folder, "prices")[0]
    change_row(path, "value", lambda value: value + b" ")
    return [str(path.relative_to(folder)), f"prices:{_partition(path)}:"]


def a_file_taken_away(folder: Path) -> list[str]:
    path = files_of(folder)[2]
    path.unlink()
    return [f"{path.relative_to(folder)}: export: it is not there"]


def a_file_exchanged(folder: Path) -> list[str]:
    one, other = files_of(folder)[:2]
    text = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(text)
    return [str(each.relative_to(folder)) for each in (one, other)]


def a_file_cut_off(folder: Path) -> list[str]:
    path = files_of(folder)[0]
    path.write_bytes(path.read_bytes()[:-100])
    return [f"{path.relative_to(folder)}: export: it cannot be read"]


def a_file_added(folder: Path) -> list[str]:
    path = files_of(folder)[0]
    added = path.with_name("00000000000000009999-00000000000000009999.parquet")
    added.write_bytes(path.read_bytes())
    return [f"{added.relative_to(folder)}: export: it is in no manifest"]


def the_rules_changed(folder: Path) -> list[str]:
    path = next((folder / "rules").glob("*.json"))
    path.write_text('{"digest": "x"}')
    return [str(path.relative_to(folder))]


def the_oldest_manifest_taken_away(folder: Path) -> list[str]:
    (folder / "manifest-20261130T000000Z.json").unlink()
    return ["manifest-20261201T000000Z.json: export: it follows manifest-20261130T000000Z.json, which is not here"]


def the_newest_manifest_taken_away(folder: Path) -> list[str]:
    (folder / "manifest-20261201T000000Z.json").unlink()
    return [f"{path.relative_to(folder)}: export: it is in no manifest" for path in files_of(folder)[-1:]]


def a_signature_taken_away(folder: Path) -> list[str]:
    (folder / "manifest-20261130T000000Z.json.note").unlink()
    return ["manifest-20261130T000000Z.json: export: it is not signed"]


def one_offset_of_a_manifest_changed_and_its_digest(folder: Path) -> list[str]:
    path = folder / "manifest-20261130T000000Z.json"
    document = json.loads(path.read_bytes())
    log = next(each for each in document["logs"] if each["kind"] == "results")
    log["end"] -= 1
    write_manifest(path, document)
    return [f"results:{log['partition']}:", path.name, "manifest-20261201T000000Z.json"]


def _partition(path: Path) -> int:
    return int(path.parent.name.partition("=")[2])


DONE = [
    one_row_changed,
    one_row_changed_and_its_digest,
    one_column_of_a_row_changed_and_its_digest,
    one_row_changed_and_all_that_says_so,
    one_row_changed_in_an_older_run_and_all_of_its_own,
    one_row_changed_and_signed_anew_with_a_newer_key,
    a_price_changed,
    a_file_taken_away,
    a_file_exchanged,
    a_file_cut_off,
    a_file_added,
    the_rules_changed,
    the_oldest_manifest_taken_away,
    the_newest_manifest_taken_away,
    a_signature_taken_away,
    one_offset_of_a_manifest_changed_and_its_digest,
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two runs."""
    folder = tmp_path_factory.mktemp("export")
    export(topics(), folder, share=0.6)
    export(topics(), folder, at=AT + timedelta(days=1))
    return folder


@pytest.mark.parametrize("spoil", DONE, ids=[spoil.__name__ for spoil in DONE])
def test_what_was_done_to_it_is_found_and_named(
    spoil: Callable[[Path], list[str]], exported: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(exported, folder)
    expected = spoil(folder)
    found = judged(topics(), folder, TRUST)
    for each in expected:
        assert any(each in finding for finding in found.all), found.all
    assert all(finding.wrong is Wrong.EXPORT for finding in found.unlike)


def test_no_value_of_a_manifest_can_be_another(exported: Path, tmp_path: Path) -> None:
    """Whoever edits one and leaves its own digest as it is; each of its values once."""
    path = exported / "manifest-20261130T000000Z.json"
    whole = path.read_text()
    lines = whole.splitlines(keepends=True)
    edited = 0
    for number in range(0, len(lines), 7):
        line = lines[number].replace("1", "2", 1).replace("e", "f", 1)
        if line == lines[number]:
            continue
        (tmp_path / path.name).write_text("".join([*lines[:number], line, *lines[number + 1 :]]))
        with pytest.raises(ValueError, match=path.name):
            manifests_in(tmp_path)
        edited += 1
    assert edited > 20


def test_the_second_reader_finds_the_same_partitions(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    shutil.copytree(exported, folder)
    path = files_of(folder)[0]
    change_row(path, "value", lambda value: value + b" ")
    forge(folder, roots=False)
    found = {finding.place for finding in judged(topics(), folder).unlike if finding.text.startswith("the records")}
    assert set(faults_in_export(folder)) == found != set()


# Seals


def test_a_seal_is_held_against_an_export(exported: Path, tmp_path: Path) -> None:
    left = topics()
    sealed = {number: Sealed(1, len(log) - 1, *root_of(log, 1, len(log) - 1)) for number, log in left.results.items()}
    seal = Seal("results", "id2", AT, None, sealed)
    topic = sealed_results(exported)
    assert [each for each in topic.compare("1.seal", seal, lambda _: None) if each != (None, None)] == []
    assert topic.newer(seal) == len(sealed)

    folder = tmp_path / "export"
    shutil.copytree(exported, folder)
    path = files_of(folder)[0]
    change_row(path, "value", lambda value: value + b" ")
    forge(folder, roots=True, key=KEY)
    forge(folder, roots=True, key=KEY, which=0)
    findings = [finding for finding, _ in sealed_results(folder).compare("1.seal", seal, lambda _: None) if finding]
    assert [each.place.split(":")[:2] for each in findings] == [["results", str(_partition(path))]]
    assert findings[0].text.startswith("the records are not those that were sealed")


def test_what_is_sealed_and_not_exported_is_a_note(exported: Path) -> None:
    seal = Seal("results", "id2", AT, None, {0: Sealed(0, 100_000, 100_000, b"r" * 32)})
    [(finding, note)] = sealed_results(exported).compare("1.seal", seal, lambda _: None)
    assert finding is None
    assert note is not None
    assert "is not verified here (1.seal)" in note
