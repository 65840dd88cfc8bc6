"""``contribd init``: what it writes is right at once, and nothing is overwritten."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from contribd.cli import app
from contribd.cli.init import starting_files
from contribd.cli.init_sample import CONFIG
from contribd.cli.init_settings import Told, configured
from contribd.config.document import parse_document

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONTRIBD_CONFIG", "CONTRIBD_KAFKA", "CONTRIBD_ADS"):
        monkeypatch.delenv(name, raising=False)
    directory = tmp_path / "new" / "desk"
    assert invoke("init", directory).exit_code == 0
    return directory


def test_what_it_writes_passes_check_test_and_coverage(made: Path) -> None:
    config = made / "contribd.yaml"
    assert invoke("check", "-c", config).exit_code == 0
    result = invoke("test", "-c", config, "--fail-under", "100")
    assert result.exit_code == 0, result.stdout
    assert invoke("test", made / "mappings" / "quotes.yaml").exit_code == 0


def test_its_records_show_a_post_a_rejection_and_an_ignored_one(made: Path) -> None:
    result = invoke("map", "-c", made / "contribd.yaml", made / "records.jsonl")
    assert result.stderr == "4 records: 2 posted, 1 rejected, 1 ignored\n"


def test_the_commands_that_it_names_work(made: Path) -> None:
    again = made.parent / "again"
    without_network = invoke("init", again).stdout.partition("Then name your Kafka")[0]
    told = re.findall(r"^  contribd (.*?)   #", without_network, re.MULTILINE)
    assert [invoke(*command.split()).exit_code for command in told] == [0, 0, 1]


def test_nothing_is_overwritten_and_nothing_is_written_beside_it(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "mappings").mkdir(parents=True)
    mine = other / "mappings" / "quotes.yaml"
    mine.write_text("mine")
    result = invoke("init", other)
    assert result.exit_code == 1
    assert str(mine) in result.stderr
    assert [path for path in other.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"
    assert invoke("init", made).exit_code == 1


def test_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    target = tmp_path / "target"
    (tmp_path / "contribd.yaml").symlink_to(target)
    assert invoke("init", tmp_path).exit_code == 1
    assert not target.exists()


def test_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "mappings").write_text("a file")
    result = invoke("init", tmp_path)
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_no_secret_is_in_it() -> None:
    for name, content in starting_files().items():
        if not name.startswith("schemas/"):
            for line in content.splitlines():
                assert not re.search(r"(password|secret)\w*: (?!\$\{credential:)", line), f"{name}: {line}"


def test_each_file_names_the_schema_that_it_passes(made: Path) -> None:
    named = 0
    for file in made.rglob("*.yaml"):
        line = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text())
        assert line is not None
        schema = json.loads((file.parent / line[1]).read_text())
        data = json.loads(json.dumps(parse_document(file.read_bytes(), file).data, default=float))
        jsonschema.Draft202012Validator(schema).validate(data)
        named += 1
    assert named == 2


def test_comments_stay_aligned_behind_what_was_told() -> None:
    text = configured(starting_files()[CONFIG], Told(service="TRCC", kafka="k1:9092", prices="fx"), None)
    columns = [
        line.index("#") for line in text.splitlines() if line.startswith(("  service:", "  prices:", "  results:"))
    ]
    assert columns == [35, 35, 35]
    assert "  bootstrap_servers: k1:9092 " in text
    long = configured(starting_files()[CONFIG], Told(service="S" * 40), None)
    assert f"  service: {'S' * 40}   # the service" in long
