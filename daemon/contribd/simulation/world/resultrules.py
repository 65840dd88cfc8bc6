"""The oracle's law on results: one for each record, and each of them true."""

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from contribd.engine.ledger import Commit, Partition
from contribd.engine.result import Encoded
from contribd.simulation.world.blankrules import BlankRules
from contribd.simulation.world.evidence import Answer, Complain, Post, ProcessSight, WireSight, versions
from contribd.simulation.world.feed import Produced
from contribd.simulation.world.kafka import Transaction
from contribd.simulation.world.plan import Plan
from contribd.simulation.world.venue import RETRYABLE

Place = tuple[int, int]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATUS_OF_ANSWER = {"ACK": "ACK", "NAK": "NAK", "ERROR": "ERROR", "TIMEOUT": "UNANSWERED", "LOST": "UNANSWERED"}
_HEADER = "contribd1:"


class ResultRules:
    """Judges every committed transaction."""

    def __init__(
        self,
        plan: Plan,
        processes: dict[str, ProcessSight],
        begins: dict[Partition, int],
        logs: list[list[Produced]],
        blanks: BlankRules,
        complain: Complain,
    ) -> None:
        self._plan = plan
        self._processes = processes
        self._begins = begins
        self._logs = logs
        self._blanks = blanks
        self._complain = complain
        self.results: dict[Place, dict[str, Any]] = {}
        self._by_place: dict[Place, Produced] = {}
        self._by_version: dict[int, Produced] = {}
        self._carriers: list[tuple[Produced, dict[str, Any]]] = []

    def produced(self, record: Produced) -> None:
        """A record of the prices topic."""
        self._by_place[record.partition, record.offset] = self._by_version[record.version] = record

    def settled(self, record: Produced) -> bool:
        """Whether its result is durable."""
        return (record.partition, record.offset) in self.results

    # A transaction

    def committed(self, transaction: Transaction) -> None:
        """What a read_committed reader sees now."""
        for encoded in transaction.results:
            self._result(encoded)
        for partition, commit in transaction.offsets.items():
            self._commit(partition, commit)

    def _commit(self, partition: Partition, commit: Commit) -> None:
        """Below the offset every record has its result; above it, exactly those of the bitmap."""
        above = settled_above(commit)
        for record in self._logs[partition.number]:
            if record.offset < self._begins[partition]:
                continue
            said = record.offset < commit.offset or record.offset in above
            has = (record.partition, record.offset) in self.results
            if said != has:
                words = "is committed and has no result" if said else "has its result and is not committed"
                self._complain("1: offsets and results differ", f"{partition} offset {record.offset} {words}", record)
        if above and max(above) - commit.offset >= self._plan.run_ahead:
            self._complain("4: ran too far ahead", f"{partition}: {commit.offset} and {max(above)}", partition)

    def _result(self, encoded: Encoded) -> None:
        result = json.loads(encoded.value)
        source = result["source"]
        process = self._processes[result["instance"]]
        if source is None:
            self._withdrawal(encoded, result, process)
            return
        place = (source["partition"], source["offset"])
        record = self._by_place.get(place)
        if record is None:
            self._complain("1: a result of a record that does not exist", str(place), place)
            return
        if place in self.results:
            self._complain("1: a second result", f"{self.results[place]} and {result}", record)
        if record.offset < self._begins[Partition("prices", record.partition)]:
            self._complain("1: a result of a record before the start", str(result), record)
        self.results[place] = result
        self._check_frame(record, result, encoded)
        self._check_posts(record, result, process)
        getattr(self, f"_check_{result['status'].lower()}")(record, result, process)
        self._blanks.settled(record, result, process)

    def _withdrawal(self, encoded: Encoded, result: dict[str, Any], process: ProcessSight) -> None:
        """A result of no record: each answer in it is true, and the rest is the withdrawals' own law."""
        self._blanks.result(encoded, process)
        for entry in result["posts"]:
            wire = process.sessions[entry["session"]]
            post = wire.posts[entry["post_id"]]
            if entry["sent_at"] != stamp(post.wall) or entry["type"] != post.type:
                self._complain("6: a post of another withdrawal", f"{entry} {post}", post.ric)
            if not self._is_true(entry, post, wire):
                self._complain("6: an answer that was not given", f"{entry} {post}: {post.answer}", post.ric)

    def _check_frame(self, record: Produced, result: dict[str, Any], encoded: Encoded) -> None:
        source = f"prices:{record.partition}:{record.offset}"
        headers = {name: value.decode() for name, value in encoded.headers}
        expected = {
            "status": result["status"],
            "ric": result["ric"] or "",
            "service": result["service"] or "",
            "source": source,
        }
        if headers != expected or (result["ric"], result["service"]) != (record.ric, record.service):
            self._complain("6: a result that names another record", f"{headers} {result}", record)

    # Its posts

    def _check_posts(self, record: Produced, result: dict[str, Any], process: ProcessSight) -> None:
        """Each post in the result happened, and each that happened is in it."""
        listed = []
        for entry in result["posts"]:
            wire = process.sessions.get(entry["session"])
            post = None if wire is None else wire.posts.get(entry["post_id"])
            if wire is None or post is None:
                self._complain("6: a post that never was", str(entry), record)
                return
            self._check_entry(record, entry, post, wire)
            listed.append(post)
        since = process.assigned_at[Partition("prices", record.partition)]
        own = [post for post in process.told_by.get(record.version, ()) if post.mono >= since]
        missing = [post for post in own if post not in listed]
        if not self._plan.keyed and result["status"] == "CONFLATED":
            missing = missing[1:]  # the one that its carrier tells of
        if missing:
            self._complain("2: a post is not in its result", f"{missing[0]}: {result}", record)

    def _check_entry(self, record: Produced, entry: dict[str, Any], post: Post, wire: WireSight) -> None:
        if (post.ric, post.service, post.type) != (record.ric, record.service, entry["type"]):
            self._complain("6: a post of another price", f"{entry} {post}", record)
        older = post.newest < record.version and self._plan.keyed
        if older or entry["sent_at"] != stamp(post.wall):
            self._complain("6: a post that did not carry the record", f"{entry} {post}", record)
        if not self._is_true(entry, post, wire):
            self._complain("6: an answer that was not given", f"{entry} {post}: {post.answer}", record)

    def _is_true(self, entry: dict[str, Any], post: Post, wire: WireSight) -> bool:
        answer, said = post.answer, entry["answer"]
        if said in {"ACK", "NAK"}:
            return answer is not None and answer[:2] == (said, entry["code"]) and (answer.text or None) == entry["text"]
        if said == "ERROR":
            return _errored(answer, entry["text"], post, wire)
        if said == "LOST":
            return wire.ended and (answer is None or (entry["answered_at"] is None and _late(answer, post)))
        if answer is None or answer.mono >= post.mono + self._plan.ack_timeout - 1e-6:
            return True
        return post.suspect_at is not None and answer.mono > post.suspect_at

    # What each status says

    def _check_ack(self, record: Produced, result: dict[str, Any], _process: ProcessSight) -> None:
        self._check_last(record, result)

    def _check_nak(self, record: Produced, result: dict[str, Any], _process: ProcessSight) -> None:
        self._check_last(record, result)
        tries = len(result["posts"])
        if result["code"] in RETRYABLE and tries < self._plan.attempts and not self._outdated(record, result):
            self._complain("NAK although a retry was left", str(result), record)
        missing = self._plan.create_missing and result["code"] == "SymbolUnknown"
        if missing and result["posts"][-1]["type"] == "Update" and not self._outdated(record, result):
            self._complain("NAK although the item could be created", str(result), record)

    def _check_error(self, record: Produced, result: dict[str, Any], _process: ProcessSight) -> None:
        self._check_last(record, result)

    def _check_unanswered(self, record: Produced, result: dict[str, Any], _process: ProcessSight) -> None:
        self._check_last(record, result)
        if len(result["posts"]) < self._plan.attempts and not self._outdated(record, result):
            self._complain("UNANSWERED although a retry was left", str(result), record)

    def _check_last(self, record: Produced, result: dict[str, Any]) -> None:
        if not result["posts"]:
            self._complain("6: an answer without a post", str(result), record)
            return
        last = result["posts"][-1]
        if _STATUS_OF_ANSWER[last["answer"]] != result["status"]:
            self._complain("6: a status that its last post does not bear out", str(result), record)
        if result["status"] in {"ACK", "NAK"} and (last["code"], last["text"]) != (result["code"], result["text"]):
            self._complain("6: code or text are not the ADS's", str(result), record)
        wire = self._processes[result["instance"]].sessions[last["session"]]
        carried = versions(result["fields"])
        if carried != wire.posts[last["post_id"]].values and not self._outdated(record, result):
            self._complain("6: fields that were not posted", str(result), record)

    def _check_conflated(self, record: Produced, result: dict[str, Any], _process: ProcessSight) -> None:
        by = result["carried_by"]
        carrier = self._by_place.get((by["partition"], by["offset"])) if by else None
        if not self._plan.conflate or carrier is None:
            self._complain("3: CONFLATED by nothing", str(result), record)
        elif (carrier.ric, carrier.service) != (record.ric, record.service) or not self._after(carrier, record):
            self._complain("3: CONFLATED by an older price or another RIC's", str(result), record)
        else:
            self._carriers.append((record, result))

    def _check_expired(self, record: Produced, result: dict[str, Any], process: ProcessSight) -> None:
        if not self._outdated(record, result):
            self._complain("EXPIRED before its time", str(result), record)
        since = process.assigned_at[Partition("prices", record.partition)]
        if result["posts"] or process.carried.get(record.version, -1.0) >= since:
            self._complain("EXPIRED although it was posted", str(result), record)

    def _check_rejected(self, record: Produced, result: dict[str, Any], process: ProcessSight) -> None:
        if result["posts"]:
            self._complain("REJECTED although it was posted", str(result), record)
        if record.rejected is not None:
            if result["code"] != record.rejected:
                self._complain("REJECTED for another reason", f"{record.rejected}: {result}", record)
        elif result["code"] != "TooLarge" or not record.padded:
            self._complain("REJECTED without a reason", str(result), record)
        elif record.version in process.carried:
            self._complain("REJECTED although it was posted", str(result), record)

    def _outdated(self, record: Produced, result: dict[str, Any]) -> bool:
        """Its own timestamp says so, or that of a newer price of its RIC: nothing older may follow that one."""
        newer = (
            other
            for other in self._beside(record)
            if (other.ric, other.service) == (record.ric, record.service) and self._after(other, record)
        )
        return self._too_old(record, result) or any(self._too_old(other, result) for other in newer)

    def _too_old(self, record: Produced, result: dict[str, Any]) -> bool:
        """Whether the price was older than ``max_age`` when it was settled (by the wall clock of that moment)."""
        if self._plan.max_age is None or record.timestamp < 0:
            return False
        settled: str = result["settled_at"]
        return settled > stamp(record.timestamp * 1000 + round(self._plan.max_age * 1e6))

    # The end

    def finish(self) -> None:
        """What can only be judged once every result is there."""
        for record, result in self._carriers:
            by = result["carried_by"]
            carrier = self.results[by["partition"], by["offset"]]
            if carrier["status"] in {"CONFLATED", "REJECTED", "EXPIRED"}:
                self._complain("3: CONFLATED by a record that was not posted", f"{result} by {carrier}", record)
            self._check_superseded(record, result, carrier)
        for place, record in self._by_place.items():
            begin = self._begins.get(Partition("prices", record.partition))
            if begin is not None and record.offset >= begin and place not in self.results:
                self._complain("1: a record without a result", str(record), record)

    def _check_superseded(self, record: Produced, result: dict[str, Any], carrier: dict[str, Any]) -> None:
        fields = versions(carrier["fields"])
        last = self._by_place[carrier["source"]["partition"], carrier["source"]["offset"]]
        replaced = any(
            other.refresh and other.ric == record.ric and other.service == record.service
            for other in self._beside(record)
            if self._after(other, record) and (other is last or self._after(last, other))
        )
        if not replaced and not all(self._replaces(fields.get(name), record) for name in record.fields):
            self._complain("3: CONFLATED by a post that did not carry it", f"{result} by {carrier}", record)

    def _replaces(self, version: int | None, record: Produced) -> bool:
        """Whether a value on the wire is the record's own or one that came after it."""
        if version is None:
            return False
        return version == record.version or self._after(self._by_version[version], record)

    # The order of records

    def _after(self, one: Produced, other: Produced) -> bool:
        """Whether a record came after another of its RIC, as far as there is an order between them."""
        if one.partition != other.partition and not self._plan.keyed:
            return one is not other
        return one.version > other.version

    def _beside(self, record: Produced) -> Iterable[Produced]:
        """The records that may be of the same RIC."""
        return self._logs[record.partition] if self._plan.keyed else chain.from_iterable(self._logs)


def _errored(answer: Answer | None, text: str | None, post: Post, wire: WireSight) -> bool:
    if answer is not None and answer.kind == "ERROR":
        return (answer.text or None) == (text or None)
    return any(mono >= post.mono and said == text for mono, said in wire.errors)


def _late(answer: Answer, post: Post) -> bool:
    return post.suspect_at is not None and answer.mono >= post.suspect_at


def stamp(wall: int) -> str:
    """Microseconds since 1970 as results have them."""
    return (_EPOCH + timedelta(microseconds=wall)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def settled_above(commit: Commit) -> set[int]:
    """The offsets that a commit's metadata says are settled above its own."""
    if not commit.metadata:
        return set()
    if not commit.metadata.startswith(_HEADER):
        raise ValueError(f"metadata {commit.metadata[:40]!r}")
    bits = int.from_bytes(base64.b64decode(commit.metadata[len(_HEADER) :].partition(".")[0], validate=True), "little")
    return {commit.offset + number for number in range(bits.bit_length()) if bits >> number & 1}
