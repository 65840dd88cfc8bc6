"""Reloads in the worker: read in a thread, in force between two records, or not at all and why."""

import gc
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.test_worker import Bench, assigned, joined, posts, records

from contribd import __version__
from contribd.ads.frames import TEXT, encode_frame
from contribd.config import takeover
from contribd.config.load import inspect
from contribd.engine.events import Assigned, Committed, PausesSet, Stop
from contribd.engine.records.commit_metadata import About, Commit, decode_about, encode_metadata
from contribd.engine.records.offsets import Partition
from contribd.engine.records.pauses import Pause, PauseKind, Selector
from contribd.ops.status import status_document
from contribd.orders import Answer
from contribd.pausing.book import Caller
from contribd.reloads import RELOAD_SECONDS, SIGHUP, Planned, ReloadAsked, ReloadOrder
from contribd.worker import _now

ME = Caller("me", 1000)
P0, P1 = Partition("prices", 0), Partition("prices", 1)
MAPPING = 'mappings:\n  - {name: spot, ric: "{ric}", fields: {%s: bid}}\n'
CURVE = """\
mappings:
  - {name: curve, each: points, ric: "{item}", fields: {%s: bid}}
"""


class Reloading(Bench):
    """A worker of which reloads are asked. ``mapping``: what it begins with."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, mapping: str = MAPPING % "BID") -> None:
        monkeypatch.setattr("tests.test_worker.MAPPING", mapping)
        super().__init__(folder, monkeypatch)
        self.folder = folder
        self.follows = True
        """Whether the source is past what it was announcing."""
        self.named: list[str | None] = []
        monkeypatch.setattr(self.worker._source, "follow_rules", self._follow_rules)
        self.answers: list[tuple[str, Answer]] = []

    def _follow_rules(self, rules: str | None) -> bool:
        self.named.append(rules)
        return self.follows

    def write(self, text: str, name: str = "m.yaml") -> None:
        (self.folder / name).write_text(text)

    def ask(self, by: str = ME, plan: Planned | None = None) -> None:
        self.put(ReloadAsked(ReloadOrder(plan), by, lambda answer: self.answers.append((by, answer))))

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not true():
            assert time.monotonic() < deadline
            self.turn()
            time.sleep(0.002)

    def reload(self, plan: Planned | None = None) -> Answer:
        """One reload; its answer."""
        before = len(self.answers)
        self.ask(plan=plan)
        self.until(lambda: len(self.answers) > before)
        return self.answers[-1][1]

    def is_read(self) -> None:
        """Goes on until the files were read."""
        self.until(lambda: self.worker._loop.reloads._read is not None)

    @property
    def digest(self) -> str:
        return self.worker._engine.rules.names.config

    @property
    def status(self) -> dict[str, Any]:
        self.worker.observer._next = 0.0
        self.turn()
        return status_document(self.worker.observer._snapshot, [])

    def commit(self) -> list[dict[str, Any]]:
        """All that is written becomes durable; the results."""
        results = [msgspec.json.decode(each.value) for write in self.writes for each in write.results]
        self.put(*(Committed(write.number) for write in self.writes))
        self.writes.clear()
        self.turn()
        self.turn()
        return results


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


Make = Callable[..., Reloading]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    made: list[Reloading] = []

    def one(mapping: str = MAPPING % "BID") -> Reloading:
        made.append(Reloading(tmp_path, monkeypatch, mapping))
        return made[-1]

    yield one
    for each in made:
        each.close()


@pytest.fixture
def bench(make: Make) -> Reloading:
    return make()


# What is in force


def test_new_mappings_are_in_force_and_the_answer_says_so(bench: Reloading) -> None:
    before = bench.digest
    assert bench.status["reload"] is None
    bench.write(MAPPING % "ASK" + "tests:\n  - {record: {ric: A, bid: 1}, post: {ric: A, fields: {ASK: 1}}}\n")
    answer = bench.reload()
    assert answer.done, answer
    assert bench.digest != before
    assert bench.digest[:12] in answer.text
    assert before[:12] in answer.text
    assert "1 mapping, 1 test passed" in answer.text
    assert answer.details == {"digest": bench.digest, "changed": True, "restart": [], "problems": []}
    status = bench.status
    assert status["config"] == bench.digest
    assert status["reload"]["ok"]
    assert status["reload"]["by"] == "me"
    assert bench.worker._reader.in_force.rules.digest == bench.digest, "contribd plan is told of these"


def test_each_record_is_mapped_and_named_by_the_rules_of_its_moment(bench: Reloading) -> None:
    far = bench.log_in()
    bench.put(joined(1), assigned(P0), records(P0, b'{"ric":"A","bid":1}'))
    bench.turn()
    before = bench.digest
    bench.write(MAPPING % "ASK")
    assert bench.reload().done
    bench.put(records(P0, b'{"ric":"B","bid":2}', start=1))
    bench.turn()
    sent = posts(far)
    assert [post["Message"]["Fields"] for post in sent] == [{"BID": 1}, {"ASK": 2}]  # type: ignore[index]
    for post in sent:
        far.send(encode_frame(TEXT, b'{"ID":1,"Type":"Ack","AckID":%d}' % int(str(post["PostID"])), None))
    bench.until(lambda: bool(bench.writes))
    results = bench.commit()
    bench.until(lambda: len(results) == 2 or bool(bench.writes))
    results += bench.commit()
    assert [(result["fields"], result["config"]) for result in results] == [
        ({"BID": 1}, before),
        ({"ASK": 2}, bench.digest),
    ]


def test_files_that_are_the_same_are_answered_so_and_count_as_a_success(bench: Reloading) -> None:
    mapper = bench.worker._engine.taker.mapper
    bench.write("# a comment\n" + MAPPING % "BID")
    answer = bench.reload()
    assert answer.done
    assert "nothing has changed" in answer.text
    assert answer.details["changed"] is False
    assert bench.worker._engine.taker.mapper is mapper
    assert bench.status["reload"]["ok"]


def test_known_answers_are_taken_anew_though_they_are_no_rules(bench: Reloading) -> None:
    entry = "{code: NotOpen, meaning: M, cause: C, owner: O, cure: %s}"
    bench.write("answers: [" + entry % "first" + "]\n", "a.yaml")
    bench.write((bench.folder / "contribd.yaml").read_text() + "answers: a.yaml\n", "contribd.yaml")
    before = bench.digest
    assert "the known answers were taken anew" in bench.reload().text
    bench.write("answers: [" + entry % "second" + "]\n", "a.yaml")
    answer = bench.reload()
    assert (answer.done, answer.details["changed"], bench.digest) == (True, False, before)
    hint = bench.worker._loop._results._explain("NotOpen", None)
    assert hint is not None
    assert hint.cure == "second"
    assert "nothing has changed" in bench.reload().text


def test_settings_that_need_a_restart_are_named_and_the_others_hold(bench: Reloading) -> None:
    config = (bench.folder / "contribd.yaml").read_text()
    bench.write(
        config.replace("rejects: rejects", "rejects: elsewhere") + "contribution: {max_age: 5s}\n", "contribd.yaml"
    )
    answer = bench.reload()
    assert answer.done
    assert answer.details["restart"] == ["kafka.rejects"]
    assert "until a restart stay as they are: kafka.rejects" in answer.text
    assert bench.worker._engine.contributor.policy.max_age == 5_000_000
    assert bench.status["reload"]["restart"] == ["kafka.rejects"]


def test_a_longer_wait_for_answers_holds_for_the_end_too(bench: Reloading) -> None:
    config = (bench.folder / "contribd.yaml").read_text()
    bench.write(config.replace("service: TRCC", "service: TRCC, ack_timeout: 40s"), "contribd.yaml")
    assert bench.reload().done
    assert bench.worker._loop._stop_seconds == 50.0


def test_publish_rules_and_what_they_ask_of_the_source_are_those_of_the_new_files(
    bench: Reloading, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[frozenset[str]] = []
    monkeypatch.setattr(bench.worker._source, "remember", told.append)
    bench.log_in()
    bench.put(joined(1), assigned(P0))
    bench.write((MAPPING % "BID").replace("}}", "}, publish: {min_change: {BID: 5}}}"))
    assert bench.reload().done
    bench.put(records(P0, b'{"ric":"A","bid":1}'))
    bench.turn()
    assert len(bench.worker._engine.contributor.last_posted) == 1
    bench.write(MAPPING % "BID")
    assert bench.reload().done
    assert told == [frozenset({"spot"}), frozenset()]


# What is refused


def test_a_mistake_leaves_all_as_it_was_and_every_one_is_told(
    bench: Reloading, capsys: pytest.CaptureFixture[str]
) -> None:
    before, mapper = bench.digest, bench.worker._engine.taker.mapper
    started = bench.worker.observer._snapshot.loaded_at
    bench.write('mappings:\n  - {name: spot, ric: "{ric}", feilds: {BID: bid +}}\n')
    answer = bench.reload()
    assert not answer.done
    assert "nothing changed: " in answer.text
    problems = answer.details["problems"]
    assert [problem for problem in problems if "m.yaml:2:" in problem and "feilds" in problem], problems
    assert (bench.digest, bench.worker._engine.taker.mapper) == (before, mapper)
    status = bench.status
    assert (status["reload"]["ok"], status["reload"]["errors"]) == (False, problems)
    assert status["config_reloaded"] is False
    assert status["reload"]["digest"] == before
    assert bench.worker.observer._snapshot.loaded_at == started
    told = capsys.readouterr().err
    assert told.count("not reloaded: nothing changed") == 1
    assert "feilds" in told
    assert "me" in told


def test_a_test_that_fails_leaves_all_as_it_was(bench: Reloading) -> None:
    before = bench.digest
    bench.write(MAPPING % "ASK" + "tests:\n  - {record: {ric: A, bid: 1}, post: {ric: A, fields: {BID: 1}}}\n")
    answer = bench.reload()
    assert not answer.done
    assert "test line 4 fails" in answer.details["problems"][0]
    assert bench.digest == before
    bench.write(MAPPING % "ASK")
    assert bench.reload().done
    assert bench.status["reload"]["errors"] == []


def test_files_that_are_written_meanwhile_are_not_taken_half_old_and_half_new(
    bench: Reloading, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bench.digest

    def overtaken(file: Path) -> Any:
        found = inspect(file)
        bench.write(MAPPING % "TRDPRC_1")
        return found

    bench.write(MAPPING % "ASK")
    monkeypatch.setattr("contribd.rules_reader.inspect", overtaken)
    answer = bench.reload()
    assert not answer.done
    assert "m.yaml was written while the files were read: ask again" in answer.text
    assert bench.digest == before
    assert bench.reload().done, "what is there now is what was read"


def test_a_fault_of_ours_is_an_answer_too(bench: Reloading, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr("contribd.rules_reader.take_over", fail)
    answer = bench.reload()
    assert not answer.done
    assert "a fault of contribd: RuntimeError('not foreseen')" in answer.text
    monkeypatch.setattr("contribd.rules_reader.take_over", takeover.take_over)
    assert bench.reload().done


def test_what_is_paused_by_its_mapping_is_not_posted_again_for_want_of_the_name(bench: Reloading) -> None:
    what = Selector(PauseKind.MAPPING, "spot")
    bench.worker._engine.handle(PausesSet((Pause(what, "root", "a feed is broken", 0),)), _now())
    before = bench.digest
    bench.write((MAPPING % "ASK").replace("spot", "other"))
    answer = bench.reload()
    assert not answer.done
    assert answer.details["problems"] == ["mapping spot is paused, and there would be no mapping of this name"]
    assert bench.digest == before
    bench.write(MAPPING % "ASK")
    assert bench.reload().done


# A plan


def test_a_plan_that_fits_is_carried_out(bench: Reloading) -> None:
    before = bench.digest
    bench.write(MAPPING % "ASK")
    assert bench.reload().done
    planned = Planned(before, bench.digest, __version__)
    bench.write(MAPPING % "BID")
    assert bench.reload(planned).done
    assert bench.digest == before


@pytest.mark.parametrize(
    ("candidate", "against", "version", "said"),
    [
        ("x" * 64, None, __version__, "the files are not those that were planned"),
        (None, "x" * 64, __version__, "the plan compared with rules xxxxxxxxxxxx, which are not in force"),
        (None, None, "0.0", "the plan was made by contribd 0.0"),
    ],
)
def test_another_plan_is_refused(
    bench: Reloading, candidate: str | None, against: str | None, version: str, said: str
) -> None:
    before = bench.digest
    bench.write(MAPPING % "ASK")
    answer = bench.reload(Planned(candidate or before, against or before, version))
    assert not answer.done
    assert said in answer.text
    assert bench.digest == before
    assert not bench.status["reload"]["ok"]


# When


def test_two_at_once_go_one_after_the_other(bench: Reloading, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go, running = threading.Event(), list[int]()
    original = takeover.take_over

    def slow(*arguments: Any) -> Any:
        running.append(1)
        may_go.wait(10)
        return original(*arguments)

    monkeypatch.setattr("contribd.rules_reader.take_over", slow)
    bench.write(MAPPING % "ASK")
    bench.ask("first")
    bench.ask("second")
    bench.until(lambda: bool(running))
    for _ in range(10):
        bench.turn()
    assert (len(running), bench.answers) == (1, [])
    may_go.set()
    bench.until(lambda: len(bench.answers) == 2)
    assert [(by, answer.done) for by, answer in bench.answers] == [("first", True), ("second", True)]
    assert "nothing has changed" in bench.answers[1][1].text


def test_while_the_daemon_stops_nothing_is_reloaded(bench: Reloading) -> None:
    bench.ask("before")
    bench.put(Stop())
    bench.ask("after")
    bench.turn()
    bench.until(lambda: len(bench.answers) == 2)
    assert [answer.text for _, answer in bench.answers] == ["nothing changed: the daemon is stopping"] * 2
    assert not any(answer.done for _, answer in bench.answers)


def test_what_takes_too_long_is_not_done_any_more(bench: Reloading, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go, original = threading.Event(), takeover.take_over
    before = bench.digest

    def slow(*arguments: Any) -> Any:
        may_go.wait(10)
        return original(*arguments)

    monkeypatch.setattr("contribd.rules_reader.take_over", slow)
    monkeypatch.setattr("contribd.reloads.RELOAD_SECONDS", 0.05)
    bench.write(MAPPING % "ASK")
    bench.ask()
    bench.ask("behind it")
    bench.until(lambda: len(bench.answers) == 2)
    assert ["took longer than" in answer.text for _, answer in bench.answers] == [True, True]
    may_go.set()
    bench.until(lambda: not bench.worker._loop.reloads._reading)
    assert bench.digest == before
    monkeypatch.setattr("contribd.reloads.RELOAD_SECONDS", RELOAD_SECONDS)
    assert bench.reload().done
    assert bench.digest != before


def test_a_signal_asks_for_one_too(bench: Reloading) -> None:
    before = signal.signal(signal.SIGHUP, bench.worker._on_hangup)
    try:
        bench.write(MAPPING % "ASK")
        os.kill(os.getpid(), signal.SIGHUP)
        bench.until(lambda: bench.worker._loop.reloads.last is not None)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert bench.status["reload"]["by"] == SIGHUP
    assert bench.status["reload"]["ok"]


def test_the_rules_that_were_replaced_are_freed(bench: Reloading) -> None:
    engine = bench.worker._engine
    seen = weakref.WeakSet([engine.taker.mapper])
    for number in range(5):
        bench.write(MAPPING % f"F{number}")
        assert bench.reload().done
        seen.add(engine.taker.mapper)
    gc.collect()
    assert list(seen) == [engine.taker.mapper]


# Several posts of a record


def test_where_commits_name_rules_one_that_names_none_is_durable_first(make: Make) -> None:
    bench = make(CURVE % "BID")
    before = bench.digest
    bench.put(joined(1), assigned(P0))
    bench.turn()
    bench.write(CURVE % "ASK")
    bench.ask()
    bench.is_read()
    bench.until(lambda: bool(bench.writes))
    [write] = bench.writes
    assert (write.results, decode_about(write.commits[P0].metadata).rules) == ([], None)
    for _ in range(5):
        bench.turn()
    assert (bench.digest, bench.answers) == (before, [])
    bench.commit()
    bench.until(lambda: bool(bench.answers))
    assert bench.answers[0][1].done
    assert bench.digest != before
    assert bench.named == [None, bench.worker._engine.rules.names.commits]


def test_what_the_source_had_announced_before_is_handled_before_that(make: Make) -> None:
    """A partition whose commit names the old rules is on its way to the worker while these give way to others."""
    bench = make(CURVE % "BID")
    old = bench.worker._engine.rules.names.commits
    bench.follows = False
    bench.put(joined(1))
    bench.write(CURVE % "ASK")
    bench.ask()
    bench.is_read()
    for _ in range(5):
        bench.turn()
    assert bench.answers == []
    bench.put(Assigned({P1: Commit(0, encode_metadata(0, 0, About(rules=old)))}))
    bench.follows = True
    bench.turn()
    bench.until(lambda: bool(bench.writes))
    assert bench.answers == []
    assert decode_about(bench.writes[0].commits[P1].metadata).rules is None
    bench.commit()
    bench.until(lambda: bool(bench.answers))
    assert bench.answers[0][1].done


def test_while_kafka_takes_no_commit_the_old_rules_stay(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = make(CURVE % "BID")
    names = bench.worker._engine.rules.names
    bench.put(joined(1), assigned(P0))
    bench.turn()
    bench.write(CURVE % "ASK")
    monkeypatch.setattr("contribd.reloads.RELOAD_SECONDS", 0.3)
    answer = bench.reload()
    assert not answer.done
    assert "Kafka takes no commits" in answer.text
    assert bench.worker._engine.rules.names == names
    assert bench.named[-1] == names.commits
    assert bench.worker._engine.rules.commits == names.commits
    assert not bench.worker._engine.rules.untold


def test_rules_that_make_one_post_need_nothing_of_kafka(bench: Reloading) -> None:
    bench.put(joined(1), assigned(P0))
    bench.turn()
    bench.write(MAPPING % "ASK")
    assert bench.reload().done
    assert bench.writes == []
