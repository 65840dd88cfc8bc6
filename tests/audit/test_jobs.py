"""Processes that share a verification: one that is killed, an interrupt, and how many there are."""

import os
import pickle
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from random import Random

import pytest
from tests.audit import waiting
from tests.integration.rigs.wait import eventually

from contribd import build
from contribd.audit.evidence import Bounds, Stretch
from contribd.audit.jobs import JobLost, jobs_for
from contribd.audit.kafka_evidence import kafka_opener
from contribd.audit.rules_book import RulesBook, RulesError
from contribd.config.load import load
from contribd.streams.span import Span


def test_one_whose_process_is_killed_says_so_and_ends_the_others(tmp_path: Path) -> None:
    with pytest.raises(JobLost, match=r"was killed by signal 9.*--work"):
        waiting.by_two(tmp_path, waiting.killed)
    assert gone(tmp_path)


def gone(folder: Path) -> bool:
    """Whether there was a process that read, and is none any more."""
    pids = waiting.readers(folder)
    return bool(pids) and not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_an_interrupt_ends_all_of_them_without_a_word(tmp_path: Path) -> None:
    interrupted = subprocess.Popen(
        [sys.executable, waiting.__file__, str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that runs tests in the background has them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread here
    )
    readers = partial(waiting.readers, tmp_path)
    eventually(
        lambda: len(readers()) == 2 or interrupted.poll() is not None, within=180, what="two processes that read"
    )
    os.killpg(interrupted.pid, signal.SIGINT)
    _, told = interrupted.communicate(timeout=60)
    assert (interrupted.returncode, told) == (130, "")
    assert gone(tmp_path)


@pytest.mark.parametrize(
    ("offsets", "asked", "jobs"),
    [(99_999, None, {1}), (100_000, None, {1, 2, 3}), (10, 1, {1}), (10, 2, {2}), (10, 9, {3}), (0, None, {1})],
)
def test_there_are_as_many_as_asked_for_or_as_are_of_use(offsets: int, asked: int | None, jobs: set[int]) -> None:
    bounds = Bounds((Stretch("prices", 0, 5, 5, 0),), {0: (0, offsets), 1: (7, 7), 2: (0, 0)}, 3)
    assert jobs_for(bounds, asked) in jobs


CONFIG = """
kafka:
  bootstrap_servers: "127.0.0.1:1"
  client: {security_protocol: SASL_PLAINTEXT, sasl_mechanism: PLAIN, sasl_plain_username: a, sasl_plain_password: %s}
ads: {endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}
mappings: [fx.yaml]
"""
MAPPING = "mappings: [{name: fx, ric: '{pair}=TRCC', fields: {BID: bid}}]"


def test_what_is_made_of_a_configuration_is_the_same_in_another_process(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret")
    (tmp_path / "fx.yaml").write_text(MAPPING)
    (tmp_path / "contribd.yaml").write_text(CONFIG % f'"${{file:{tmp_path}/password}}"')
    loaded = load(tmp_path / "contribd.yaml")
    opener = kafka_opener(build.kafka(loaded, Random(1)), Span())
    handed_on = pickle.dumps((opener, RulesBook([loaded.rules])))
    taken, rules = pickle.loads(handed_on)  # noqa: S301 - as a process gets it
    assert taken.args[0].reread() == {"sasl_plain_password": "secret"}
    mapper = rules.mapper(loaded.digest)
    assert [each.name for each in mapper.mappings] == ["fx"]
    (tmp_path / "fx.yaml").write_text(MAPPING.replace("BID", "ASK"))
    _, rules = pickle.loads(handed_on)  # noqa: S301 - as above
    with pytest.raises(RulesError, match="has changed since the command began"):
        rules.mapper(loaded.digest)
