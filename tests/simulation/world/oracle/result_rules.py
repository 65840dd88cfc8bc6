"""The oracle's law on transactions: one result for each record, and offsets that say exactly which have theirs."""

import base64
import json
from typing import Any

from tests.simulation.world.environment.record_feed import Produced
from tests.simulation.world.environment.sim_kafka import Transaction
from tests.simulation.world.oracle.blank_result_rules import BlankResultRules
from tests.simulation.world.oracle.entry_rules import EntryRules
from tests.simulation.world.oracle.evidence import Complain, ProcessEvidence, is_shortened
from tests.simulation.world.oracle.history import History, Place
from tests.simulation.world.oracle.market import Markets
from tests.simulation.world.oracle.status_rules import StatusRules
from tests.simulation.world.plan import Plan, Takes

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded

_HEADER = "contribd1:"


class ResultRules:
    """Judges every committed transaction; what its results say is judged by the laws on entries and statuses."""

    def __init__(
        self,
        plan: Plan,
        processes: dict[str, ProcessEvidence],
        begins: dict[Partition, int],
        history: History,
        markets: Markets,
        complain: Complain,
    ) -> None:
        self._plan = plan
        self._processes = processes
        self._begins = begins
        self._history = history
        self._markets = markets
        self._complain = complain
        self._entries = EntryRules(plan, complain)
        self._statuses = StatusRules(plan, history, complain)
        self._blanks = BlankResultRules(plan, markets, complain)
        self.results: dict[Place, dict[str, Any]] = {}
        """What is durable, by the place of its record."""

    def settled(self, record: Produced) -> bool:
        """Whether its result is durable."""
        return (record.partition, record.offset) in self.results

    @property
    def withdrawals(self) -> dict[str, int]:
        """Withdrawals with a durable result, by reason."""
        return self._blanks.durable

    def committed(self, transaction: Transaction) -> None:
        """What a read_committed reader sees now."""
        for encoded in transaction.results:
            self._result(encoded)
        for partition, commit in transaction.offsets.items():
            self._commit(partition, commit)

    def _commit(self, partition: Partition, commit: Commit) -> None:
        """Below the offset every record has its result; above it, exactly those of the bitmap."""
        above = settled_above(commit)
        for record in self._history.log(partition.number):
            if record.offset < self._begins[partition]:
                continue
            said = record.offset < commit.offset or record.offset in above
            has = (record.partition, record.offset) in self.results
            if said != has:
                words = "is committed and has no result" if said else "has its result and is not committed"
                self._complain("1: offsets and results differ", f"{partition} offset {record.offset} {words}", record)
        if above and max(above) - commit.offset >= self._plan.span:
            self._complain("4: ran too far ahead", f"{partition}: {commit.offset} and {max(above)}", partition)

    def _result(self, encoded: Encoded) -> None:
        result = json.loads(encoded.value)
        source = result["source"]
        process = self._processes[result["instance"]]
        if source is None:
            self._withdrawal(encoded, result, process)
            return
        place = (source["partition"], source["offset"])
        record = self._history.by_place.get(place)
        if record is None:
            self._complain("1: a result of a record that does not exist", str(place), place)
            return
        if place in self.results:
            self._complain("1: a second result", f"{self.results[place]} and {result}", record)
        if record.offset < self._begins[Partition("prices", record.partition)]:
            self._complain("1: a result of a record before the start", str(result), record)
        self.results[place] = result
        self._check_frame(record, result, encoded)
        if is_shortened(result):
            self._check_shortened(record, result)
            return
        self._entries.check(record, result, process)
        self._statuses.check(record, result, process)
        self._markets.of(process).settled(record, result)

    def _withdrawal(self, encoded: Encoded, result: dict[str, Any], process: ProcessEvidence) -> None:
        """A result of no record: each answer in it is true, and the rest is the withdrawals' own law."""
        self._blanks.result(encoded, process)
        self._entries.check_withdrawal(result, process)

    def _check_frame(self, record: Produced, result: dict[str, Any], encoded: Encoded) -> None:
        source = f"prices:{record.partition}:{record.offset}"
        headers = {name: value.decode() for name, value in encoded.headers}
        expected = {
            "status": result["status"],
            "ric": result["ric"] or "",
            "service": result["service"] or "",
            "source": source,
            "topic_id": result["source"]["topic_id"],
        }
        if headers != expected or (result["ric"], result["service"]) != (record.ric, record.service):
            self._complain("6: a result that names another record", f"{headers} {result}", record)

    def _check_shortened(self, record: Produced, result: dict[str, Any]) -> None:
        """What is left of it says what it is about; that is all, and only where a whole one would be refused."""
        if self._plan.takes.record >= Takes().record:
            self._complain("6: a result shortened that would be taken whole", str(result), record)
        if result["fields"] is not None:
            self._complain("6: a shortened result with fields", str(result), record)

    def finish(self) -> None:
        """What can only be judged once every result is there."""
        self._statuses.finish(self.results)
        for place, record in self._history.by_place.items():
            begin = self._begins.get(Partition("prices", record.partition))
            if begin is not None and record.offset >= begin and place not in self.results:
                self._complain("1: a record without a result", str(record), record)


def settled_above(commit: Commit) -> set[int]:
    """The offsets that a commit's metadata says are settled above its own."""
    if not commit.metadata:
        return set()
    if not commit.metadata.startswith(_HEADER):
        raise ValueError(f"metadata {commit.metadata[:40]!r}")
    bits = int.from_bytes(base64.b64decode(commit.metadata[len(_HEADER) :].partition(".")[0], validate=True), "little")
    return {commit.offset + number for number in range(bits.bit_length()) if bits >> number & 1}
