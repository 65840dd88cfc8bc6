"""The oracle's law on results: one for each part of each record, and each of the part that it names."""

import json
from typing import Any

from tests.simulation.world.environment.fed_records import Part, PartKey, Produced
from tests.simulation.world.environment.sim_client import rules_of
from tests.simulation.world.environment.sim_kafka import Transaction
from tests.simulation.world.oracle.blank_result_rules import BlankResultRules
from tests.simulation.world.oracle.commit_rules import CommitRules
from tests.simulation.world.oracle.entry_rules import EntryRules
from tests.simulation.world.oracle.evidence import Complain, ProcessEvidence, is_shortened
from tests.simulation.world.oracle.history import History
from tests.simulation.world.oracle.market import Markets
from tests.simulation.world.oracle.pause_rules import PauseRules
from tests.simulation.world.oracle.reload_rules import ReloadRules
from tests.simulation.world.oracle.status_rules import StatusRules, said_number
from tests.simulation.world.plan import Plan, Takes

from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded


class ResultRules:
    """Judges every committed transaction; what its results say is judged by the laws on entries and statuses, and its
    offsets by that on commits."""

    def __init__(
        self,
        plan: Plan,
        processes: dict[str, ProcessEvidence],
        begins: dict[Partition, int],
        history: History,
        markets: Markets,
        pauses: PauseRules,
        reloads: ReloadRules,
        complain: Complain,
    ) -> None:
        self._plan = plan
        self._processes = processes
        self._begins = begins
        self._history = history
        self._markets = markets
        self._pauses = pauses
        self._reloads = reloads
        self._complain = complain
        self._entries = EntryRules(plan, complain)
        self._statuses = StatusRules(plan, history, pauses, complain)
        self._blanks = BlankResultRules(plan, markets, complain)
        self._commits = CommitRules(plan, begins, history, complain)
        self.results: dict[PartKey, dict[str, Any]] = {}
        """What is durable, by its part."""

    def settled(self, key: PartKey) -> bool:
        """Whether the result of a part is durable."""
        return key in self.results

    def unordered(self, newer: PartKey, older: PartKey) -> bool:
        """Whether the newer one is over by a mapping that makes no post of it, or none of the older one."""
        result = self.results.get(newer)
        if result is None:
            return self._commits.is_over(newer[0])
        before = self._history.part(older, self._processes[result["instance"]].mapping)
        return result["status"] == "REJECTED" or before is None or not before.posted

    @property
    def missing(self) -> int:
        """Records that are not over: no commit says that they have all their results."""
        return self._commits.missing

    def offsets_gone(self) -> None:
        """No commit says any more what was settled."""
        self._commits.offsets_gone()

    @property
    def withdrawals(self) -> dict[str, int]:
        """Withdrawals with a durable result, by reason."""
        return self._blanks.durable

    def committed(self, transaction: Transaction) -> None:
        """What a read_committed reader sees now."""
        for encoded in transaction.results:
            self._result(encoded)
        for partition, commit in transaction.offsets.items():
            self._commits.commit(self._processes[transaction.process], partition, commit)
            self._reloads.committed(transaction.process, partition, commit)

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
        if record.offset < self._begins[Partition("prices", record.partition)]:
            self._complain("1: a result of a record before the start", str(result), record)
        part = self._part(record, result, process.mapping)
        if part.key in self.results:
            self._complain("1: a second result", f"{self.results[part.key]} and {result}", part)
        self.results[part.key] = result
        self._commits.result(part, process)
        self._check_frame(part, result, encoded, process)
        self._reloads.result(part, result, process)
        if is_shortened(result):
            self._check_shortened(part, result)
            return
        self._entries.check(part, result, process)
        self._statuses.check(part, result, process)
        self._pauses.result(part, result, process)
        self._markets.of(process).settled(part, result)

    def _part(self, record: Produced, result: dict[str, Any], mapping: int) -> Part:
        """Which of the record's parts it is of, as the mapping of its process makes them."""
        made, number = record.made(mapping), said_number(result["source"])
        parts = list(made.values())
        if number is not None and not 0 <= number[0] < len(parts):
            self._complain("6: a part that does not exist", f"{number}: {result}", record)
        by_number = parts[number[0] if number is not None else 0]
        part = made.get((record.version, result["service"], result["ric"], by_number.place), by_number)
        if number != record.number_of(part, mapping):
            self._complain("6: another part's number", f"{record.number_of(part, mapping)}: {result}", part)
        return part

    def _withdrawal(self, encoded: Encoded, result: dict[str, Any], process: ProcessEvidence) -> None:
        """A result of no record: each answer in it is true, and the rest is the withdrawals' own law."""
        self._blanks.result(encoded, process)
        self._entries.check_withdrawal(result, process)

    def _check_frame(self, part: Part, result: dict[str, Any], encoded: Encoded, process: ProcessEvidence) -> None:
        headers = {name: value.decode() for name, value in encoded.headers}
        number = said_number(result["source"])
        expected = {
            "status": result["status"],
            "ric": result["ric"] or "",
            "service": result["service"] or "",
            "source": f"prices:{part.partition}:{part.offset}",
            "topic_id": result["source"]["topic_id"],
        }
        if number is not None:
            rules = rules_of(process.mapping, int(result["config"]))
            expected |= {"part": f"{number[0]}/{number[1]}", "rules": rules}
        if headers != expected or (result["ric"], result["service"]) != (part.ric, part.service):
            self._complain("6: a result that names another record", f"{headers} {result}", part)

    def _check_shortened(self, part: Part, result: dict[str, Any]) -> None:
        """What is left of it says what it is about; that is all, and only where a whole one would be refused."""
        if self._plan.takes.record >= Takes().record:
            self._complain("6: a result shortened that would be taken whole", str(result), part)
        if result["fields"] is not None:
            self._complain("6: a shortened result with fields", str(result), part)

    def finish(self) -> None:
        """What can only be judged once every result is there."""
        self._statuses.finish(self.results)
        self._commits.finish()
