"""``contribd audit verify --export`` on an export of one record, with rules of a configuration that is gone since."""

import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from tests.ops.conftest import written
from tests.results.made_results import result_headers, result_value
from typer.testing import CliRunner, Result

from contribd import __version__
from contribd.audit.evidence import Unread
from contribd.audit.export_columns import RawRecord
from contribd.audit.export_folder import manifests_in, opened_folder
from contribd.audit.export_run import Circumstances, run_export
from contribd.audit.exporting import LogRange
from contribd.audit.manifest import Asked, Kind
from contribd.audit.rules_book import RulesBook, document_of
from contribd.cli import app
from contribd.config.load import load
from contribd.config.rules import rules_document

CONFIG = """
kafka: {bootstrap_servers: "127.0.0.1:1", results: my-results}
ads: {endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}
mappings: [fx.yaml]
"""
MAPPING = """
mappings:
  - {name: fx, ric: "{pair}=TRCC", fields: {BID: bid}}
"""
RECORD = RawRecord(0, 1_764_460_800_000, "CreateTime", b"EUR", b'{"pair": "EUR", "bid": 1.08}', ())


__all__ = ["written"]


@pytest.fixture(autouse=True)
def _log_left_as_it_was(written: io.StringIO) -> None:
    """These commands set up the log, which is the process's."""


class _Logs:
    """One record, and its result."""

    def __init__(self, result: bytes) -> None:
        headers = tuple(result_headers(result))
        self._result = RawRecord(0, RECORD.timestamp, "CreateTime", b"EUR=TRCC", result, headers)

    def read(self, log: LogRange) -> Iterator[list[RawRecord]]:
        yield [RECORD if log.kind is Kind.PRICES else self._result]

    def unread(self, _log: LogRange) -> list[Unread]:
        return []


def exported(folder: Path, bid: float = 1.08) -> Path:
    """The export, of a configuration that nobody has any more."""
    (folder / "fx.yaml").write_text(MAPPING)
    (folder / "contribd.yaml").write_text(CONFIG)
    rules = load(folder / "contribd.yaml").rules
    for file in folder.glob("*.yaml"):
        file.unlink()
    book = RulesBook()
    book.add(document_of(rules_document(rules, __version__).encode(), "here"))
    source = {"topic": "prices", "partition": 0, "offset": 0, "timestamp": None, "key": "EUR"}
    source["sha256"] = sha256(RECORD.value or b"").hexdigest()
    said = result_value(mapping="fx", fields={"BID": bid}, source=source, config=rules.digest, version=__version__)
    ranges = [
        LogRange(Kind.PRICES, "prices", None, 0, 0, 1, 0, "the group has settled so far"),
        LogRange(Kind.RESULTS, "my-results", None, 0, 0, 1, 0, "the end of the log"),
    ]
    at = datetime(2026, 11, 30, tzinfo=UTC)
    about = Circumstances(at, __version__, "host", "user", "contribd", "my-results", 1, Asked())
    with opened_folder(folder / "export") as opened:
        opened.commit(run_export(_Logs(said), ranges, [], book, opened.staging, about), None)
    return folder / "export"


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", "verify", *arguments])


def test_an_export_is_verified_without_kafka_and_without_a_configuration(tmp_path: Path) -> None:
    done = verify("--export", str(exported(tmp_path)))
    assert done.exit_code == 0, done.output
    assert "prices:0: offsets 0 to 1 (the group has settled so far), 1 records" in done.stdout
    assert "1 manifests, 2026-11-30T00:00:00Z to 2026-11-30T00:00:00Z" in done.stdout
    not_verified = "the signatures of the export were not verified (no --trust)"
    assert done.stdout.splitlines()[-2:] == ["nothing is off", not_verified]
    as_json = verify("--json", "--export", str(tmp_path / "export"))
    assert json.loads(as_json.stdout.splitlines()[-1])["summary"]["notes"][-1] == not_verified


def test_what_the_rules_do_not_give_is_found_in_an_export(tmp_path: Path) -> None:
    done = verify("--json", "--export", str(exported(tmp_path, bid=1.09)))
    assert done.exit_code == 1, done.output
    first, summary = map(json.loads, done.stdout.splitlines())
    assert first["finding"]["wrong"] == "other-rules"
    assert summary["summary"]["wrong"] == {"other-rules": 1}
    assert summary["summary"]["export"] == 0


def test_what_is_unlike_its_manifest_is_found_and_makes_it_fail(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    (folder / "results/strange").write_text("")
    done = verify("--export", str(folder))
    assert done.exit_code == 1
    assert "results/strange: export: it is in no manifest" in done.stdout
    assert "1 x export: an export is not what its manifests say" in done.stdout


def test_one_that_nobody_signed_is_found_where_keys_are_named(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    CliRunner().invoke(app, ["audit", "key", "k", "--out", str(tmp_path / "key")])
    (tmp_path / "trusted").write_text("# nobody\n")
    done = verify("--export", str(folder), "--trust", str(tmp_path / "trusted"))
    assert done.exit_code == 1
    assert "it is not signed" in done.stdout


def test_a_folder_without_an_export_is_told(tmp_path: Path) -> None:
    done = verify("--export", str(tmp_path))
    assert done.exit_code == 1
    assert "holds no export that can be verified" in done.stderr


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = exported(tmp_path)
    (tmp_path / "fx.yaml").write_text(MAPPING)
    (tmp_path / "contribd.yaml").write_text(CONFIG)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for command in (
        ["audit", "export", "--out", str(tmp_path / "new"), "-c", str(tmp_path / "contribd.yaml")],
        ["audit", "verify", "--export", str(folder)],
    ):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 1, done.output
        assert "this needs the extra export: pip install 'contribd[export]'" in done.stderr
    assert not (tmp_path / "new").exists()


def test_the_next_run_begins_where_the_last_one_ended(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    (tmp_path / "fx.yaml").write_text(MAPPING)
    (tmp_path / "contribd.yaml").write_text(CONFIG)
    command = ["audit", "export", "--out", str(folder), "-c", str(tmp_path / "contribd.yaml"), "--since", "1d"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2
    assert "leave out --since and --offset" in " ".join(done.stderr.split())
    assert len(manifests_in(folder)) == 1
