"""``make simulate``: many seeds, and what it says where somebody ends it early."""

import time
from collections.abc import Generator

import pytest
from tests.simulation.world import command, many
from tests.simulation.world.command import app
from tests.simulation.world.many import run_many
from tests.simulation.world.seeded_run import Run, run_seed
from typer.testing import CliRunner


def interrupted(_seeds: range, _jobs: int | None) -> Generator[Run, None, None]:
    yield run_seed(0)
    yield run_seed(1)
    raise KeyboardInterrupt


def test_an_interrupted_run_says_what_it_found_and_how_much_it_did_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "run_many", interrupted)
    result = CliRunner().invoke(app, ["--seeds", "50"])
    assert result.exit_code == 130
    assert result.stdout.startswith("2 seeds in")
    assert "every promise kept\ninterrupted: 48 of 50 seeds were not run\n" in result.stdout


def test_seeds_that_were_not_begun_are_not_run_where_nobody_wants_them_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(many, "CHUNK", 2)
    runs = run_many(range(50_000), jobs=2)  # a quarter of an hour's
    next(runs)
    before = time.monotonic()
    runs.close()
    assert time.monotonic() - before < 60
    with pytest.raises(StopIteration):
        next(runs)
