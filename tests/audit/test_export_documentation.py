"""docs/audit.md: an export has the files that it lists, and its queries run on one."""

import re
from pathlib import Path

import duckdb
import pytest
from tests.audit.spoiled_exports import export
from tests.audit.test_export import DESKS, topics

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Beside an export: the page calls it so."""
    made = tmp_path_factory.mktemp("documented")
    export(topics(DESKS), made / "export")
    return made


def test_its_files_are_called_as_the_page_says(folder: Path) -> None:
    [shown] = re.findall(r"```text\n(manifest-.*?)```", PAGE, re.DOTALL)
    paths = [str(path.relative_to(folder / "export")) for path in (folder / "export").rglob("*") if path.is_file()]
    for line in shown.splitlines():
        name = line.split()[0]
        pattern = re.sub(r"\d+", "#", re.escape(name)).replace("#", r"\d+").replace("DIGEST", "[0-9a-f]{64}")
        if not name.startswith("events/"):  # this run has none
            assert [path for path in paths if re.fullmatch(pattern, path)], (name, paths[:5])


def test_its_queries_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    queries = [query for block in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL) for query in block.split(";")[:-1]]
    assert len(queries) == 2
    with duckdb.connect() as database:
        found = [database.execute(query).fetchall() for query in queries]
    assert found[0]
