"""Many reloads of a real daemon under load, half of them with broken files; then every result is mapped anew.

What is looked for: a reload without an answer, or with the wrong one; a record without a result, or with two; one that
was mapped by anything but the one set of rules that its result names, whole; rules that were in force out of order.

Each set of rules is a version: two files, a mapping and a table, both say its number, and every post has both. Versions
take turns in what they make of a curve: several posts, or one.
"""

import argparse
import json
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml
from kafka import KafkaProducer
from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.prices import Place, Reachable, read_results
from tests.integration.rigs.wait import eventually

from contribd.config.load import load
from contribd.control.client import ask
from contribd.engine.records.price import Status
from contribd.mapping.encode import encode_fields
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped, parts_of
from contribd.orders import Answer
from contribd.reloads import ReloadOrder
from contribd.results.result import Result
from contribd.simulation.ads.options import AdsOptions
from contribd.simulation.ads.server import AdsServer

PARTITIONS: Final = 3
INSTRUMENTS: Final = 200
CURVE_EVERY: Final = 10
"""Of so many records, one is a curve of three points."""

PIECE_SECONDS: Final = 0.02
"""Records are fed in pieces of this length."""

STEADY_AFTER: Final = 0.1
"""The share of reloads after which memory is measured first."""

TABLE: Final = "id,version\nhere,%d\n"
MOST_FAULTS: Final = 20


def mapping(version: int) -> dict[str, Any]:
    """The mapping file of a version."""
    fields = {"BID": "n", "TRDPRC_1": f"n + {version}", "CTBTR_1": {"value": f"V{version}"}, "GV1_TEXT": "row.version"}
    several = {"each": "points", "ric": "{item}="} if version % 2 else {"ric": "{points[0]}="}
    let = {"row": 'versions["here"]'}
    record = {"kind": "quote", "pair": "A", "n": 1}
    expected = {"BID": 1, "TRDPRC_1": 1 + version, "CTBTR_1": f"V{version}", "GV1_TEXT": str(version)}
    return {
        "tables": {"versions": {"file": "versions.csv", "key": "id"}},
        "mappings": [
            {"name": "quote", "when": 'kind == "quote"', "ric": "{pair}=", "let": let, "fields": fields},
            {"name": "curve", "when": 'kind == "curve"', "let": let, "fields": fields, **several},
        ],
        "tests": [{"record": record, "post": {"ric": "A=", "fields": expected}}],
    }


def _no_yaml(files: dict[str, str], _version: int) -> None:
    files["mapping.yaml"] += "]\n"


def _unknown_key(files: dict[str, str], version: int) -> None:
    files["mapping.yaml"] = yaml.safe_dump({**mapping(version), "mapings": []})


def _failing_test(files: dict[str, str], version: int) -> None:
    files["versions.csv"] = TABLE % (version + 1)


def _no_table(files: dict[str, str], _version: int) -> None:
    files["versions.csv"] = "id\nhere\n"


BREAKS: Final[Sequence[tuple[Callable[[dict[str, str], int], None], str]]] = (
    (_no_yaml, "mapping.yaml"),
    (_unknown_key, "mapings"),
    (_failing_test, "fails: fields.GV1_TEXT"),
    (_no_table, "version"),
)
"""How files are broken, and what the answer must say."""


def record(number: int) -> bytes:
    """The value of one record."""
    if number % CURVE_EVERY == 0:
        first = number % INSTRUMENTS
        points = [f"P{first:03d}", f"C{first:03d}A", f"C{first:03d}B"]
        return json.dumps({"kind": "curve", "points": points, "n": number}).encode()
    return json.dumps({"kind": "quote", "pair": f"P{number % INSTRUMENTS:03d}", "n": number}).encode()


class Feed(threading.Thread):
    """Records at a steady rate, until it is stopped; what was produced, by place."""

    def __init__(self, broker: Reachable, topic: str, rate: float) -> None:
        super().__init__(name="feed", daemon=True)
        self._broker, self._topic, self._rate = broker, topic, rate
        self._stopping = threading.Event()
        self.values: dict[Place, bytes] = {}

    def run(self) -> None:
        producer = KafkaProducer(bootstrap_servers=self._broker.bootstrap, acks="all", linger_ms=5)
        begun, number, sent = time.monotonic(), 0, []
        while not self._stopping.wait(PIECE_SECONDS):
            while number < (time.monotonic() - begun) * self._rate:
                value, partition = record(number), number % INSTRUMENTS % PARTITIONS
                sent.append((value, producer.send(self._topic, value=value, partition=partition)))
                number += 1
        producer.flush(60)
        for value, future in sent:
            at = future.get(timeout=60)
            self.values[at.topic, at.partition, at.offset] = value
        producer.close()

    def stop(self) -> None:
        """Returns once the broker has all."""
        self._stopping.set()
        self.join()


@dataclass
class Report:
    """What there is to say of a run. ``faults``: what must not be; none are wanted."""

    reloads: int = 0
    refused: int = 0
    records: int = 0
    results: int = 0
    seconds: float = 0.0
    merged: int = 0
    versions_seen: int = 0
    answer_seconds: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    """Resident kilobytes, early and at the end."""
    faults: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        """One more."""
        self.faults.append(text)

    def text(self) -> str:
        """For people."""
        times = sorted(self.answer_seconds)
        lines = [
            f"{self.reloads} reloads answered, {self.refused} of them refused, in {self.seconds:.0f} s",
            f"answers after {times[len(times) // 2] * 1000:.0f} ms in the median, {times[-1] * 1000:.0f} ms at most",
            f"{self.records} records ({self.records / self.seconds:.0f} a second), {self.results} results, "
            f"{self.merged} of them CONFLATED; {self.versions_seen} sets of rules are named by them",
            f"memory {' -> '.join(f'{each / 1024:.1f} MiB' for each in self.memory)}",
            *(self.faults[:MOST_FAULTS] or ["none lost, none doubled, none mapped by anything but one set of rules"]),
        ]
        if len(self.faults) > MOST_FAULTS:
            lines.append(f"and {len(self.faults) - MOST_FAULTS} more")
        return "\n".join(lines)


class ReloadRun:
    """One run in ``directory``."""

    def __init__(self, broker: KafkaBroker, directory: Path, reloads: int, rate: float) -> None:
        self._broker, self._directory, self._count, self._rate = broker, directory, reloads, rate
        self.report = Report()
        self._versions: dict[str, int] = {}
        """By digest."""

    def run(self) -> Report:
        """All of it."""
        prices, results = unique("prices"), unique("results")
        self._broker.create_topic(prices, PARTITIONS)
        self._broker.create_topic(results, PARTITIONS)
        server = AdsServer(AdsOptions())
        server.start()
        daemon = Daemon(
            self._directory / "daemon",
            kafka=self._broker.bootstrap,
            endpoints=[server.url],
            topics=(prices, results),
            group=unique("group"),
            control={"socket": str(self._directory / "s")},
        )
        try:
            self._write(daemon, self._files(0))
            self._versions[load(daemon.config).digest] = 0
            daemon.start()
            self._reload_and_feed(daemon, Feed(self._broker, prices, self._rate), results)
        finally:
            daemon.kill()
            server.stop()
        return self.report

    def _reload_and_feed(self, daemon: Daemon, feed: Feed, results: str) -> None:
        feed.start()
        begun = time.monotonic()
        for number in range(1, self._count + 1):
            self._reload(daemon, number)
            if number == max(1, round(self._count * STEADY_AFTER)):
                self.report.memory.append(_memory(daemon))
        self.report.memory.append(_memory(daemon))
        feed.stop()
        self.report.seconds = time.monotonic() - begun
        eventually(lambda: self._settled(daemon), within=120, every=0.2, what="every record is settled")
        if (code := daemon.stop()) != 0:
            self.report.fault(f"the daemon ended with {code}")
        self._judge(feed.values, read_results(self._broker, results))

    @staticmethod
    def _settled(daemon: Daemon) -> bool:
        view = daemon.status()
        return view["records_waiting"] == 0 and all(each["lag"] == 0 for each in view["partitions"])

    # Reloads

    def _reload(self, daemon: Daemon, number: int) -> None:
        files, broken = self._files(number), None
        if number % 2 == 0:
            change, broken = BREAKS[number // 2 % len(BREAKS)]
            change(files, number)
        self._write(daemon, files)
        begun = time.monotonic()
        answer = ask(ReloadOrder(), [self._directory / "s"])
        self.report.answer_seconds.append(time.monotonic() - begun)
        self.report.reloads += 1
        if broken is not None:
            self._must_be_refused(number, answer, broken)
        elif not answer.done:
            self.report.fault(f"reload {number} was refused: {answer.text}; {answer.details.get('problems')}")
        else:
            digest = load(daemon.config).digest
            if answer.details["digest"] != digest:
                self.report.fault(f"reload {number}: {answer.details['digest']} is in force, the files are {digest}")
            self._versions[digest] = number

    def _must_be_refused(self, number: int, answer: Answer, broken: str) -> None:
        self.report.refused += 1
        problems = " ".join(answer.details.get("problems", ()))
        if answer.done or broken not in problems:
            self.report.fault(f"reload {number} of broken files: {answer.text} {problems}, expected {broken}")

    @staticmethod
    def _files(version: int) -> dict[str, str]:
        return {"mapping.yaml": yaml.safe_dump(mapping(version)), "versions.csv": TABLE % version}

    @staticmethod
    def _write(daemon: Daemon, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (daemon.directory / name).write_text(text)

    # What came of it

    def _judge(self, values: Mapping[Place, bytes], results: Sequence[Result]) -> None:
        report = self.report
        report.records, report.results = len(values), len(results)
        report.merged = sum(result.status is Status.CONFLATED for result in results)
        carried: dict[str, list[Result]] = defaultdict(list)
        of_record: dict[Place, list[Result]] = defaultdict(list)
        for result in results:
            source = result.record
            of_record[source.topic, source.partition, source.offset].append(result)
            if result.carried_by is not None:
                carried[f"{result.carried_by} {result.ric}"].append(result)
        for place in sorted(values.keys() | of_record.keys()):
            self._judge_record(place, values.get(place), of_record.get(place, []), carried)
        self._judge_order(of_record)

    def _judge_record(
        self, place: Place, value: bytes | None, results: list[Result], carried: Mapping[str, list[Result]]
    ) -> None:
        """Its results are those of one set of rules, all of them, and say what that one makes of it."""
        digests = {result.config for result in results}
        if value is None or not results or len(digests) != 1 or not digests <= self._versions.keys():
            self.report.fault(f"{place}: {len(results)} results, of rules {digests}; record {value!r}")
            return
        made = {each.ric: each for each in parts_of(self._mapper(self._versions[digests.pop()]).map(value))}
        if Counter(result.ric for result in results) != Counter(made):
            self.report.fault(f"{place}: results of {[result.ric for result in results]}, made are {list(made)}")
            return
        for result in results:
            self._judge_result(place, result, made[result.ric], carried.get(f"{result.record} {result.ric}", []))

    def _judge_result(self, place: Place, result: Result, made: Any, merged: list[Result]) -> None:
        if result.status not in {Status.ACK, Status.CONFLATED} or not isinstance(made, Mapped):
            self.report.fault(f"{place}: {result.status} {result.text}")
            return
        fields: dict[str, Any] = {}
        for each in sorted(merged, key=lambda one: one.record.offset):
            fields.update(each.fields or {})
        fields.update(json.loads(encode_fields(made.fields)))
        if json.loads(json.dumps(result.fields, default=float)) != json.loads(json.dumps(fields, default=float)):
            self.report.fault(f"{place}: fields {result.fields}, by its rules {fields}")

    def _judge_order(self, of_record: Mapping[Place, list[Result]]) -> None:
        """Along a partition, versions only go up: rules change between two records, and never back."""
        newest: dict[int, int] = {}
        seen = set[int]()
        for (topic, partition, offset), results in sorted(of_record.items()):
            version = self._versions.get(results[0].config, -1)
            seen.add(version)
            if version < newest.get(partition, 0):
                self.report.fault(f"{topic}:{partition}:{offset}: version {version} after {newest[partition]}")
            newest[partition] = max(version, newest.get(partition, 0))
        self.report.versions_seen = len(seen)

    @lru_cache(maxsize=8)  # noqa: B019 - as long-lived as the run
    def _mapper(self, version: int) -> Mapper:
        folder = self._directory / "judged"
        folder.mkdir(exist_ok=True)
        for name, text in self._files(version).items():
            (folder / name).write_text(text)
        config = folder / "contribd.yaml"
        config.write_text((self._directory / "daemon" / "contribd.yaml").read_text())
        return load(config).mapper


def _memory(daemon: Daemon) -> int:
    """Resident kilobytes."""
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """For ``make reloads``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reloads", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=1_000.0, help="records a second")
    options = parser.parse_args(arguments)
    directory = Path("build/reloads").resolve() / time.strftime("%Y%m%d-%H%M%S")
    directory.mkdir(parents=True)
    with KafkaBroker(directory / "kafka") as broker:
        report = ReloadRun(broker, directory, options.reloads, options.rate).run()
    print(report.text())  # noqa: T201 - it is a program
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
