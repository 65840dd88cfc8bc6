"""The oracle's law on commits: they say exactly which parts of which records have their results."""

from tests.simulation.world.environment.fed_records import Part, PartKey, Produced
from tests.simulation.world.oracle.evidence import Complain, ProcessEvidence
from tests.simulation.world.oracle.history import History
from tests.simulation.world.oracle.told import BESIDE, BITS, FILLING, Told, most_bits, read_commit, tag_of
from tests.simulation.world.plan import AS_THEY_COME, Plan

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition


class CommitRules:
    """Judges every commit, and knows which records are over.

    A record is over once every part that the mapping of its process makes has its result: whatever another mapping
    makes of it, nothing of it is posted any more.
    """

    def __init__(self, plan: Plan, begins: dict[Partition, int], history: History, complain: Complain) -> None:
        self._plan = plan
        self._begins = begins
        self._history = history
        self._complain = complain
        self._over: set[int] = set()
        """Versions of which a commit has said so."""
        self._in_doubt: set[int] = set()
        """Those of them that some mapping makes more of than has results: another commit need not say so."""
        self._gone = False
        """Whether offsets were lost."""
        self._asked: dict[Partition, int] = {}
        """Up to where the last commit of a partition says that the results topic is to be asked."""
        self._results: dict[int, dict[PartKey, ProcessEvidence]] = {}
        """The parts of a version that have their results, and who wrote them."""

    def result(self, part: Part, process: ProcessEvidence) -> None:
        """A part has its result."""
        self._results.setdefault(part.version, {})[part.key] = process

    def offsets_gone(self) -> None:
        """Nobody knows any more which posts a mapping did not make: another one may make them, though it was over."""
        self._gone = True
        mappings = (AS_THEY_COME,) if self._plan.curves is None else self._plan.curves.mappings
        records = self._history.by_version
        self._in_doubt = {
            each for each in self._over if not all(self._has_all(records[each], number) for number in mappings)
        }

    def commit(self, process: ProcessEvidence, partition: Partition, commit: Commit) -> None:
        """Below the offset every record is over; above it, exactly those that are said to be. Of the others exactly the
        parts are told that have their results."""
        told, begin = read_commit(commit), self._begins[partition]
        for record in self._history.log(partition.number):
            if record.offset >= begin:
                self._check(process, record, told, record.offset < commit.offset or record.offset in told.whole)
        parts = () if self._gone else told.parts  # it begins anew, and earlier runs may have been further
        last = max((*told.whole, *parts), default=commit.offset)
        if last - max(commit.offset, told.results_to) >= self._plan.span:  # whoever is next counts from there, too
            self._complain("4: ran too far ahead", f"{partition}: {commit.offset} and {last}", partition)
        if told.results_to > self._asked.get(partition, 0):
            self._check_asked(process, partition, told, commit)
        self._asked[partition] = told.results_to
        curves = self._plan.curves
        if told.parts and curves is not None and told.bits > curves.told + FILLING:
            text = f"{told.bits} of {curves.told} bits: {commit}"
            self._complain("4: a commit tells of more than it may", text, partition)

    def _check_asked(self, process: ProcessEvidence, partition: Partition, told: Told, commit: Commit) -> None:
        """The results topic is to be asked only for what a commit has no room to tell, or where offsets are gone."""
        if self._gone or not self._plan.takes.tells:
            return
        bits = 2 * max(told.whole, default=commit.offset) - 2 * commit.offset  # as much as it could be, and more
        for record in self._history.log(partition.number):
            if record.offset >= commit.offset and (results := self._results.get(record.version)):
                bits += BESIDE + BITS * (len(results) + len(record.made(process.mapping)))
        if bits < most_bits(self._plan):
            self._complain("4: a commit leaves out what it has room for", f"{bits} bits: {commit}", partition)

    def _check(self, process: ProcessEvidence, record: Produced, told: Told, said: bool) -> None:
        over = record.version in self._over
        if said:
            if not over and not self._has_all(record, process.mapping):
                self._differ(record, "is committed and has no result")
            self._over.add(record.version)
        elif record.offset < told.results_to:
            if not told.parts.get(record.offset, set()) <= (has := self._tags(record)):
                self._differ(record, f"has the results of {has}, and told are {told.parts[record.offset]}")
        elif (over and record.version not in self._in_doubt) or (
            self._has_all(record, process.mapping) and self._wrote(process, record)
        ):
            self._differ(record, "has its result and is not committed")
        elif told.parts.get(record.offset, set()) != (has := self._tags(record)):
            self._differ(record, f"has the results of {has}, and told are {told.parts.get(record.offset)}")

    def _differ(self, record: Produced, words: str) -> None:
        self._complain("1: offsets and results differ", f"{record}: offset {record.offset} {words}", record)

    def _has_all(self, record: Produced, mapping: int) -> bool:
        results = self._results.get(record.version)
        return results is not None and all(key in results for key in record.made(mapping))

    def _wrote(self, process: ProcessEvidence, record: Produced) -> bool:
        """Whether it has taken the record for sure: some may have nothing left to post when they are taken."""
        return process in self._results[record.version].values()

    def _tags(self, record: Produced) -> set[int]:
        return {tag_of(key) for key in self._results.get(record.version, ())}

    def is_over(self, version: int) -> bool:
        """Whether a commit has said so of this record."""
        return version in self._over

    @property
    def missing(self) -> int:
        """Records that are not over."""
        if len(self._begins) < self._plan.partitions:
            return 1
        return sum(not self._is_over(record) for record in self._history.by_version.values())

    def _is_over(self, record: Produced) -> bool:
        return record.version in self._over or record.offset < self._begins[Partition("prices", record.partition)]

    def finish(self) -> None:
        """The run is over."""
        for record in self._history.by_version.values():
            if Partition("prices", record.partition) in self._begins and not self._is_over(record):
                self._complain("1: a record without a result", str(record), record)
