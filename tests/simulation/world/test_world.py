"""The daemon keeps its promises through simulated faults, and the simulation notices where it does not."""

import json
import os
import re
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import pytest
from tests.simulation.world.command import app
from tests.simulation.world.many import SeedSummary, run_many
from tests.simulation.world.mutants.mutant import broken
from tests.simulation.world.mutants.table import CAUGHT_AT, MUTANTS, is_caught
from tests.simulation.world.order_plan import ORDERS_AWAY, ORDERS_CUT
from tests.simulation.world.plan import (
    CURVE_SHARES,
    FAULTS,
    HARMS,
    OFFSETS_GONE,
    SHARES,
    SHARES_OF_TIME,
    make_plan,
    plan_of_single_prices,
)
from tests.simulation.world.seeded_run import KILLS, REPOSTS, run_plan, run_seed
from typer.testing import CliRunner

FOUND_A_DEFECT = (
    *(1, 5, 10, 12, 20, 51, 61, 77, 79, 109, 117, 133, 142, 165, 195, 230, 382, 387, 632, 1273, 1385),
    *(9463, 14964, 20413, 86087, 303863, 402811, 409387, 708907, 716652, 1009648, 1012424),
)
"""Seeds by which defects were found, as the simulation was then."""

ROOT = Path(__file__).parents[3]

SEEDS = range(2_000, 2_180)
FRESH = 40

_PROMISE = next(mutant for mutant in MUTANTS if mutant.rule == "a NAK is not an ACK")


def _all_kept(seeds: range) -> SeedSummary:
    summary = SeedSummary()
    for run in run_many(seeds):
        summary.add(run)
    for run in summary.broken:
        print("\n".join([*run.trace, f"seed {run.seed}: {run.text}"]))  # noqa: T201 - pytest shows it where it fails
    assert [run.seed for run in summary.broken] == []
    return summary


@pytest.mark.parametrize("seed", FOUND_A_DEFECT)
def test_what_broke_a_promise_once_does_not_again(seed: int) -> None:
    found = run_plan(plan_of_single_prices(seed))
    assert found.broken is None, "\n".join([*found.trace, found.text])


def test_every_promise_is_kept_and_every_fault_strikes() -> None:
    counts: Counter[str] = _all_kept(SEEDS).counts
    assert {name for name in (*FAULTS, *SHARES, *SHARES_OF_TIME) if not counts[name]} <= {"answer_lost", "answer_twice"}
    assert all(counts[harm] for harm in HARMS)
    assert counts["commits refused by generation"]
    assert counts["unknown outcomes read back"]
    assert counts["PostIDs began again"]
    assert counts["records beside their instrument's partition"]
    assert counts["withdrawals, stop"]
    assert all(counts[name] for name in (*CURVE_SHARES, OFFSETS_GONE, "parts"))
    assert counts["restarts with another mapping"]
    assert counts["reloads done"] > counts["reloads refused"] > 0
    assert counts["records taken over that were settled in part"]
    assert counts["withdrawals, silent"]
    assert all(counts[name] for name in (ORDERS_AWAY, ORDERS_CUT, "orders that hold", "prices suppressed"))
    assert counts[KILLS] > counts[REPOSTS] > 0


def test_fresh_seeds_keep_every_promise() -> None:
    start = secrets.randbelow(1 << 40)
    print(f"make simulate START={start} SEEDS={FRESH}")  # noqa: T201 - pytest shows it where it fails
    _all_kept(range(start, start + FRESH))


@pytest.fixture(scope="module")
def caught(request: pytest.FixtureRequest) -> Iterator[dict[int, Future[bool]]]:
    """Whether each mutant that is asked for is caught; looked for by all cores."""
    name = test_a_daemon_without_a_rule_is_caught.__name__
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and item.originalname == name]
    asked: list[int] = [item.callspec.params["number"] for item in items]  # type: ignore[misc]
    with ProcessPoolExecutor() as pool:
        yield {number: pool.submit(is_caught, number) for number in asked}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("number", range(len(MUTANTS)), ids=[mutant.rule.replace(" ", "-") for mutant in MUTANTS])
def test_a_daemon_without_a_rule_is_caught(caught: dict[int, Future[bool]], number: int) -> None:
    assert caught[number].result()


def test_the_table_of_the_documentation_says_what_was_written_down() -> None:
    page = (ROOT / "docs" / "simulation.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| (\d+)(?:, from (\d+))? \|", page, re.MULTILINE)
    shown = {rule: int(first or 0) + int(seeds) - 1 for rule, seeds, first in rows}
    assert [*shown] == [mutant.rule for mutant in MUTANTS]
    assert shown == json.loads(CAUGHT_AT.read_text())


def test_a_seed_is_the_same_run_whatever_the_hash_seed() -> None:
    program = (
        "from tests.simulation.world.seeded_run import run_seed; print(*(run_seed(s).digest for s in range(40, 50)))"
    )
    digests = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert digests[0] == digests[1]
    assert len(set(digests[0].split())) == 10


def test_a_plan_is_decided_by_its_seed_alone() -> None:
    assert make_plan(7) == make_plan(7)
    assert make_plan(7) != make_plan(8)


def test_a_replay_says_what_it_did() -> None:
    result = CliRunner().invoke(app, ["--seed", "5"])
    assert result.exit_code == 0
    assert "every promise kept" in result.stdout
    assert run_seed(5).digest in result.stdout


def test_a_verbose_replay_tells_the_whole_story() -> None:
    result = CliRunner().invoke(app, ["--seed", "5", "--verbose"])
    for word in ("Plan(seed=5", "started", "Assigned", "post post 1", "commit"):
        assert word in result.stdout


def test_many_seeds_end_with_a_summary() -> None:
    result = CliRunner().invoke(app, ["--seeds", "30", "--jobs", "2"])
    assert result.exit_code == 0
    assert "30 seeds in" in result.stdout
    assert "every promise kept" in result.stdout


def test_a_broken_promise_is_exit_1_with_seed_promise_and_trace() -> None:
    with broken(_PROMISE):
        result = CliRunner().invoke(app, ["--seeds", "10", "--jobs", "1"])
    assert result.exit_code == 1
    assert "broke a promise: 6: an answer that was not given" in result.stdout
    assert "Plan(seed=" in result.stdout
    assert "received on wire" in result.stdout
    assert "BROKEN by" in result.stdout
