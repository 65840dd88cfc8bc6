"""Seals with their time stamps against an export, by the command."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.audit.authority import Authority, serving
from tests.audit.spoiled_exports import export
from tests.audit.test_export import topics
from tests.audit.test_seals import KEY, root_of
from typer.testing import CliRunner

from contribd.audit.notes import sign
from contribd.audit.seals import Seal, Sealed
from contribd.cli import app
from contribd.cli.audit_seal import seal_files
from contribd.cli.audit_stamps import stamp_seals


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export, a stamped seal of what it is of, and whom to trust."""
    folder = tmp_path_factory.mktemp("stamped")
    left = topics()
    export(left, folder / "export")
    sealed = {number: Sealed(0, len(log), *root_of(log, 0, len(log))) for number, log in left.results.items()}
    (folder / "seals").mkdir()
    at = datetime.now(UTC).replace(microsecond=0)
    (folder / "seals/1.seal").write_text(sign(Seal("results", "id2", at, None, sealed).text(), [KEY]))
    (folder / "trust").write_text(str(KEY.public))
    with serving(Authority(folder / "tsa")) as authority:
        assert stamp_seals(seal_files([folder / "seals"]), authority.url) == (1, [])
        (folder / "roots.pem").write_bytes(authority.root.read_bytes())
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy, to do something to."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def verify(folder: Path) -> tuple[list[str], dict[str, Any]]:
    """What is wrong with seals, and the summary of it all. The rules of a simulated run say nothing to the command."""
    places = ["--export", str(folder / "export"), "--seal", str(folder / "seals"), "--trust", str(folder / "trust")]
    command = ["audit", "verify", *places, "--timestamp-trust", str(folder / "roots.pem"), "--json"]
    said = [json.loads(line) for line in CliRunner().invoke(app, command).stdout.splitlines()]
    findings = [each["finding"] for each in said if "finding" in each]
    wrong = [f"{Path(each['place']).name}: {each['text']}" for each in findings if each["wrong"] == "seal"]
    assert said[-1]["summary"]["seals"]["wrong"] == len(wrong)
    return wrong, said[-1]["summary"]["seals"]


def test_what_holds_has_the_time_of_each_stamp(folder: Path) -> None:
    wrong, summary = verify(folder)
    assert wrong == []
    [(name, time)] = summary["time_stamps"].items()
    assert Path(name).name == "1.seal"
    assert datetime.fromisoformat(time) <= datetime.now(UTC)


def test_another_authority_is_found(folder: Path) -> None:
    with serving(Authority(folder / "another")) as another:
        (folder / "roots.pem").write_bytes(another.root.read_bytes())
    [wrong], summary = verify(folder)
    assert wrong.startswith("1.seal.tsr: the time stamp is not signed by an authority that is trusted")
    assert summary["time_stamps"] == {}


def test_a_seal_that_was_taken_away_is_missed_by_its_time_stamp(folder: Path) -> None:
    (folder / "seals/1.seal").rename(folder / "seals/0.seal")
    assert verify(folder)[0] == ["1.seal: the seal is not there, but its time stamp is"]
