"""The oracle's law on reloads: each is answered, and nothing comes of a mixture of two sets of rules.

In runs with reloads every post says by which rules it was mapped: a field holds their number. Numbers go up.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from tests.simulation.world.environment.fed_records import Part, Produced
from tests.simulation.world.environment.schedule import Schedule
from tests.simulation.world.environment.sim_mappings import RULES_FIELD
from tests.simulation.world.oracle.evidence import Complain, ProcessEvidence, SeenPost
from tests.simulation.world.oracle.history import History
from tests.simulation.world.plan import Plan

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition

ANSWER_SECONDS = 62.0
"""A reload has a minute; a moment more for whoever is busy."""

LATE = ("others took longer", "reading the files")
"""Why one is refused though nothing goes wrong any more: there were many before it, and reading takes its time."""

_RULES = 7
"""Which element of a commit's metadata names the rules."""


@dataclass(frozen=True, slots=True)
class Given:
    """One order to reload. ``calm``: nothing goes wrong any more."""

    number: int
    process: str
    calm: bool


class ReloadRules:
    """Judges results, posts and answers; where nothing is reloaded, nothing."""

    def __init__(self, plan: Plan, schedule: Schedule, history: History, complain: Complain) -> None:
        self._plan, self._schedule, self._history, self._complain = plan, schedule, history, complain
        self._wanted = plan.reloads is not None
        self._waiting: dict[int, tuple[Given, float]] = {}
        self._in_force: dict[str, list[int]] = {}
        """By process, all that was, the newest last."""
        self._done: dict[str, list[tuple[float, int]]] = defaultdict(list)
        """By process: when a reload was answered, and the number of what has been in force since, at least."""
        self._produced: dict[int, float] = {}
        self._results: dict[tuple[str, Partition, float], dict[int, int]] = defaultdict(dict)
        """By process and assignment: which rules the results of each offset name."""
        self._named: dict[Partition, tuple[str, int, str]] = {}
        """The last commit of each partition: whose, its offset, and the rules that it names."""

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for an answer who can still get one, in time or late."""
        return bool(self._waiting)

    # Orders

    def given(self, given: Given) -> None:
        """A reload is asked for."""
        self._waiting[given.number] = given, self._schedule.mono

    def answered(self, given: Given, text: str, digest: str, *, done: bool, stopping: bool) -> None:
        """What it came to."""
        if given.number not in self._waiting:
            self._complain("10: a second answer to a reload", f"{given}: {text}", given.process)
        del self._waiting[given.number]
        now = self._in_force[given.process][-1]
        if digest != str(now):
            self._complain("10: an answer with other rules", f"{given}: {text}, in force are {now}", given.process)
        if done:
            self._done[given.process].append((self._schedule.mono, now))
        elif given.calm and not stopping and not any(why in text for why in LATE):
            self._complain("10: a reload that is refused for no reason", f"{given}: {text}", given.process)

    def ended(self, process: str) -> None:
        """A process is gone, and with it all answers."""
        self._waiting = {number: each for number, each in self._waiting.items() if each[0].process != process}

    def idle(self, process: str) -> None:
        """Nothing has gone wrong for a while, and every record has its results."""
        for given, at in self._waiting.values():
            if given.process == process and self._schedule.mono - at > ANSWER_SECONDS:
                self._complain("10: a reload without an answer", str(given), process)

    def in_force(self, process: str, number: int) -> None:
        """The engine has these rules from now on."""
        before = self._in_force.setdefault(process, [])
        if before and number <= before[-1]:
            self._complain("10: older rules after newer ones", f"{number} after {before[-1]}", process)
        before.append(number)

    # What came of records

    def produced(self, record: Produced) -> None:
        """A record of the prices topic."""
        self._produced[record.version] = self._schedule.mono

    def committed(self, process: str, partition: Partition, commit: Commit) -> None:
        """A commit is durable; or is what a process was told that the group has, which is durable by then, too."""
        elements = commit.metadata.split(".")
        self._named[partition] = (process, commit.offset, elements[_RULES] if len(elements) > _RULES else "")

    def posting(self, post: SeenPost) -> None:
        """A post was decided on."""
        if not self._wanted or not post.values:
            return
        known = self._in_force[post.process.name]
        if post.rules not in known:
            self._complain("10: a post by rules that never were", f"{post}: {post.rules}, known {known}", post.ric)
        record = self._history.by_version[post.newest]
        if not self._plan.keyed:  # merged with what came through other partitions, which may have been mapped later
            return
        owner, offset, named = self._named.get(Partition("prices", record.partition), ("", 0, ""))
        if owner == post.process.name and named and record.offset >= offset and _number(named) != post.rules:
            text = f"{post} by rules {post.rules}: the last commit, of {offset}, names {named}"
            self._complain("10: posted by other rules than the commit names", text, post.ric)

    def result(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        """A result of a record is durable."""
        if not self._wanted:
            return
        number, partition = int(result["config"]), Partition("prices", part.partition)
        if number not in self._in_force[process.name]:
            self._complain("10: a result names rules that never were", str(result), part)
        produced = self._produced[part.version]
        since = max((new for at, new in self._done[process.name] if at < produced), default=0)
        if number < since:
            self._complain("10: mapped by rules of before a reload", f"{since} were in force: {result}", part)
        self._check_order(part, number, self._results[process.name, partition, process.assigned_at[partition]])
        shown = (result["fields"] or {}).get(RULES_FIELD, number)
        if shown != number and self._plan.keyed:
            self._complain("10: a result names other rules than its fields are by", str(result), part)
        self._check_posts(part, result, process, number)

    def _check_order(self, part: Part, number: int, others: dict[int, int]) -> None:
        """All results of a record name one set of rules, and records after it no older one."""
        wrong = next(
            (
                (offset, other)
                for offset, other in others.items()
                if (offset <= part.offset and other > number) or (offset >= part.offset and other < number)
            ),
            None,
        )
        if wrong is not None:
            text = f"{part.offset} by {number}, and {wrong[0]} by {wrong[1]}"
            self._complain("10: rules that changed within a record, or back", text, part)
        others[part.offset] = number

    def _check_posts(self, part: Part, result: dict[str, Any], process: ProcessEvidence, number: int) -> None:
        for entry in result["posts"]:
            wire = process.sessions.get(entry["session"])
            post = None if wire is None else wire.posts.get(entry["post_id"])
            whole = post is not None and post.newest == part.version and self._plan.keyed
            if post is not None and whole and post.rules != number:
                self._complain("10: posted by other rules than the result names", f"{post}: {result}", part)


def _number(named: str) -> int:
    """Of ``r2-7``; the first ones have none."""
    return int(named.rpartition("-")[2]) if "-" in named else 0
