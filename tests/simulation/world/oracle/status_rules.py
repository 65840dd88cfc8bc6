"""The oracle's law on a result's status: each only where it is due, and borne out by what happened."""

from typing import Any

from tests.simulation.world.environment.fed_records import ANYWHERE, Part, PartKey
from tests.simulation.world.environment.sim_mappings import IGNORING
from tests.simulation.world.environment.venue import RETRYABLE
from tests.simulation.world.oracle.evidence import (
    STATUS_OF_ANSWER,
    Complain,
    ProcessEvidence,
    at,
    is_shortened,
    stamp,
    versions,
)
from tests.simulation.world.oracle.history import History
from tests.simulation.world.oracle.pause_rules import PauseRules
from tests.simulation.world.oracle.told import room
from tests.simulation.world.plan import Plan

from contribd.engine.records.offsets import Partition

OTHER_CHARACTERS = 46
"""Of a commit's metadata, at most: what is not the bitmap."""

BITS_A_CHARACTER = 4
"""Of the bitmap, at least: it is written in whole groups of four characters."""

AHEAD = 60_000_000
"""Microseconds that a timestamp may be ahead of the daemon's clock."""


def is_ahead(part: Part, wall: int) -> bool:
    """Whether its timestamp lies in the future, seen from then (microseconds)."""
    return part.timestamp * 1000 > wall + AHEAD


def said_number(source: dict[str, Any]) -> tuple[int, int] | None:
    """Which of how many parts a source in a result says that it is."""
    return (source["part"], source["parts"]) if "part" in source or "parts" in source else None


class StatusRules:
    """Judges the status of a part's result; of what is CONFLATED some of it at the end of the run only."""

    def __init__(self, plan: Plan, history: History, pauses: PauseRules, complain: Complain) -> None:
        self._plan = plan
        self._pauses = pauses
        self._history = history
        self._complain = complain
        self._carriers: list[tuple[Part, dict[str, Any], Part]] = []
        """What is CONFLATED, its result, and what carried it."""

    def check(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        """A result is durable."""
        self._check_arrival(part, result)
        if part.ignored and result["status"] != "IGNORED":
            self._complain("not IGNORED although it is not for posting", str(result), part)
        getattr(self, f"_check_{result['status'].lower()}")(part, result, process)

    def _check_ack(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        self._check_last(part, result, process)

    def _check_nak(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        self._check_last(part, result, process)
        tries = self._tries(result, process)
        if self._ended_early(part, result, process):
            return
        if result["code"] in RETRYABLE and tries < self._plan.attempts:
            self._complain("NAK although a retry was left", str(result), part)
        missing = self._plan.create_missing and result["code"] == "SymbolUnknown"
        if missing and result["posts"][-1]["type"] == "Update":
            self._complain("NAK although the item could be created", str(result), part)

    def _check_error(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        self._check_last(part, result, process)

    def _check_unanswered(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        given_up = self._may_give_up(part)
        if not result["posts"]:
            before = process.last.get((result["service"], result["ric"]))
            if not given_up or before is None:
                self._complain("UNANSWERED although it was not posted", str(result), part)
            return
        self._check_last(part, result, process, given_up=given_up)
        ended = given_up or self._ended_early(part, result, process)
        if self._tries(result, process) < self._plan.attempts and not ended:
            self._complain("UNANSWERED although a retry was left", str(result), part)

    def _tries(self, result: dict[str, Any], process: ProcessEvidence) -> int:
        """How many posts it had, or its RIC in a row without a last answer: these count for the newest merged too."""
        last = result["posts"][-1]
        return max(len(result["posts"]), process.sessions[last["session"]].posts[last["post_id"]].tries)

    def _may_give_up(self, part: Part) -> bool:
        """Whether so much can have waited behind a price that was not answered that it was given up for the others."""
        plan, history = self._plan, self._history
        log = history.log(part.partition)
        span = min(plan.span, BITS_A_CHARACTER * max(0, plan.takes.metadata - OTHER_CHARACTERS), room(plan, log))
        return log[-1].offset - part.offset >= span // 2 or history.parts >= plan.waiting_records // 2

    def _check_last(
        self, part: Part, result: dict[str, Any], process: ProcessEvidence, *, given_up: bool = False
    ) -> None:
        if not result["posts"]:
            self._complain("6: an answer without a post", str(result), part)
            return
        last = result["posts"][-1]
        if STATUS_OF_ANSWER[last["answer"]] != result["status"]:
            self._complain("6: a status that its last post does not bear out", str(result), part)
        if result["status"] in {"ACK", "NAK"} and (last["code"], last["text"]) != (result["code"], result["text"]):
            self._complain("6: code or text are not the ADS's", str(result), part)
        wire = process.sessions[last["session"]]
        carried = versions(result["fields"])
        ended = given_up or self._ended_early(part, result, process)
        if carried != wire.posts[last["post_id"]].values and not ended:
            self._complain("6: fields that were not posted", str(result), part)

    def _check_conflated(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        by, mapping = result["carried_by"], process.mapping
        record = self._history.by_place.get((by["partition"], by["offset"])) if by else None
        if not self._plan.conflate or record is None:
            self._complain("3: CONFLATED by nothing", str(result), part)
            return
        carrier = record.made(mapping).get((record.version, part.service, part.ric, ANYWHERE))
        if carrier is None or not self._history.after(carrier, part):
            self._complain("3: CONFLATED by an older price or another RIC's", str(result), part)
            return
        if said_number(by) != record.number_of(carrier, mapping):
            self._complain("3: CONFLATED by another part", f"{record.number_of(carrier, mapping)}: {result}", part)
        self._carriers.append((part, result, carrier))

    def _check_expired(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        if not self._outdated(part, result):
            self._complain("EXPIRED before its time", str(result), part)
        since = process.assigned_at[Partition("prices", part.partition)]
        if result["posts"] or process.carried.get(part.key, -1.0) >= since:
            self._complain("EXPIRED although it was posted", str(result), part)

    def _check_rejected(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        if result["posts"]:
            self._complain("REJECTED although it was posted", str(result), part)
        if part.rejected is not None:
            if result["code"] != part.rejected:
                self._complain("REJECTED for another reason", f"{part.rejected}: {result}", part)
        elif result["code"] != "TooLarge" or not part.padded:
            self._complain("REJECTED without a reason", str(result), part)
        elif part.key in process.carried:
            self._complain("REJECTED although it was posted", str(result), part)

    def _check_ignored(self, part: Part, result: dict[str, Any], _process: ProcessEvidence) -> None:
        if not part.ignored:
            self._complain("IGNORED although it is for posting", str(result), part)
        said = (result["mapping"], result["code"], result["fields"], result["posts"])
        if said != (IGNORING, None, None, []) or IGNORING not in result["text"]:
            self._complain("IGNORED without saying by whom", str(result), part)

    def _check_suppressed(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> None:
        """The law on orders judges it."""

    def _ended_early(self, part: Part, result: dict[str, Any], process: ProcessEvidence) -> bool:
        """Whether it is not posted again since it is too old, or paused, or does not fit any more."""
        return (
            self._outdated(part, result)
            or self._pauses.may_be_paused(part, result, process)
            or self._may_be_too_large(part)
        )

    def _may_be_too_large(self, part: Part) -> bool:
        """Prices that were posted together and lose the newest to its partition's next owner carry other fields, which
        may be too large; so may they be for another endpoint. None of them may go by itself: the newest was posted."""
        return any(sibling.padded for sibling in self._history.siblings(part))

    def _outdated(self, part: Part, result: dict[str, Any]) -> bool:
        """Its own timestamp says so, or that of a newer price of its RIC: nothing older may follow that one."""
        history = self._history
        newer = (other for other in history.siblings(part) if history.after(other, part))
        return self._too_old(part, result) or any(self._too_old(other, result) for other in newer)

    def _too_old(self, part: Part, result: dict[str, Any]) -> bool:
        """Whether the price was older than ``max_age`` when it was settled (by the wall clock of that moment)."""
        if self._plan.max_age is None or part.timestamp < 0:
            return False
        settled: str = result["settled_at"]
        since = part.wall if is_ahead(part, part.wall) else part.timestamp * 1000
        return settled > stamp(since + round(self._plan.max_age * 1e6))

    def _check_arrival(self, part: Part, result: dict[str, Any]) -> None:
        """A timestamp in the future is none: the price is too old ``max_age`` after the daemon took it."""
        consumed: str = result["consumed_at"]
        if self._plan.max_age is None or not is_ahead(part, part.wall) or not result["posts"]:
            return
        limit = at(consumed) + round(self._plan.max_age * 1e6)
        if is_ahead(part, at(consumed)) and result["posts"][-1]["sent_at"] > stamp(limit):
            self._complain("posted a price that is too old", f"since its arrival: {result}", part)

    def finish(self, results: dict[PartKey, dict[str, Any]]) -> None:
        """Every result is there: what carried the CONFLATED was posted, with their fields or newer ones."""
        for part, result, by in self._carriers:
            carrier = results[by.key]
            if carrier["status"] in {"CONFLATED", "REJECTED", "EXPIRED", "IGNORED", "SUPPRESSED"}:
                self._complain("3: CONFLATED by a record that was not posted", f"{result} by {carrier}", part)
            if not is_shortened(carrier):
                self._check_superseded(part, result, by, carrier)

    def _check_superseded(self, part: Part, result: dict[str, Any], last: Part, carrier: dict[str, Any]) -> None:
        history, fields = self._history, versions(carrier["fields"])
        replaced = any(
            other.refresh
            for other in history.siblings(part)
            if history.after(other, part) and (other.record is last.record or history.after(last, other))
        )
        if not replaced and not all(self._replaces(fields.get(name), part) for name in part.fields):
            self._complain("3: CONFLATED by a post that did not carry it", f"{result} by {carrier}", part)

    def _replaces(self, version: int | None, part: Part) -> bool:
        """Whether a value on the wire is the record's own or one that came after it."""
        if version is None:
            return False
        return version == part.version or self._history.after(self._history.by_version[version], part)
