"""The result of a record as it is written to the results topic (contract: the result).

Keys and texts that every result repeats are encoded once; the rest is joined from parts, since this is the largest
single cost of a record after Kafka's own.
"""

import dataclasses
from typing import Final, NamedTuple, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from contribd.answers.table import NO_ANSWERS, Explain
from contribd.engine.clock import LAST_WALL, Stamp
from contribd.engine.limits import MAX_RESULT_BYTES, SHORT_TEXTS
from contribd.engine.records.input_digest import digest_member, value_member
from contribd.engine.records.offsets import OffsetTracker, Partition
from contribd.engine.records.parts import Part
from contribd.engine.records.price import Attempt, Price, Reason, Settlement, Status
from contribd.engine.records.rule_names import RuleNames
from contribd.engine.records.trace_context import size_of, trace_context
from contribd.mapping.encode import encode_fields

_encode = msgspec.json.Encoder().encode
_NULL: Final = b"null"
_Headers: TypeAlias = list[tuple[str, bytes]]
_NO_WORDS: Final = b',"code":null,"text":null'
_REFUSED: Final = (Status.NAK, Status.ERROR)
_NO_HEADERS: Final[_Headers] = []
_Cut = TypeVar("_Cut", str | None, bytes | None)


class Encoded(NamedTuple):
    """A result as Kafka takes it."""

    key: bytes | None
    value: bytes
    headers: _Headers


class _Place(NamedTuple):
    """What the records of one partition have in common."""

    text: str
    """How their places begin."""
    head: bytes
    """How their sources begin, and end."""
    tail: bytes
    headers: _Headers


class ResultEncoder:
    """Encodes settlements of one process: ``instance``, ``version`` and ``config`` digest go into each.

    ``explain``: what is known of an answer. ``rules``: what those of one of a record's posts name the rules by, which
    made so many of it; ``with_input``: whether each holds its record's value, and not its digest alone. Results of
    records that were mapped by earlier rules name those.
    """

    def __init__(
        self,
        *,
        instance: str,
        version: str,
        config: str,
        rules: str = "",
        explain: Explain = NO_ANSWERS.explain,
        with_input: bool = False,
    ) -> None:
        self._instance, self._version, self._explain = instance, version, explain
        self._with_input = with_input
        self._name(RuleNames(config, rules))
        self._changed = False
        """Whether these are not the first ones: some records may have been mapped by others."""
        self._stamp = Stamp()
        self._places: dict[tuple[Partition, str | None], _Place] = {}
        self._result_bytes = self._reject_bytes = MAX_RESULT_BYTES
        self._keyed = False

    def change_rules(self, names: RuleNames) -> None:
        """These are in force from now on."""
        self._name(names)
        self._changed = True

    def change_answers(self, explain: Explain) -> None:
        """This is known of answers from now on."""
        self._explain = explain

    def _name(self, names: RuleNames) -> None:
        self._names, self._rules = names, (names.commits or "").encode()
        instance, version, config = _encode(self._instance), _encode(self._version), _encode(names.config)
        self._tail = b',"instance":%b,"version":%b,"config":%b}' % (instance, version, config)

    def _named_otherwise(self, settlement: Settlement) -> Encoded | None:
        """The result of a record that was mapped by earlier rules; None where these are in force."""
        names, now = settlement.tracker.rules.of(settlement.offset), self._names
        if names is None or settlement.reason:
            return None
        self._name(names)
        self._changed = False
        try:
            return self.encode(settlement)
        finally:
            self.change_rules(now)

    def limit(self, result: int, reject: int, *, keyed: bool) -> None:
        """What the brokers take: bytes of a result and of a rejected input, key included; ``keyed``: whether each such
        input must have a key."""
        self._result_bytes, self._reject_bytes = min(result, MAX_RESULT_BYTES), min(reject, MAX_RESULT_BYTES)
        self._keyed = keyed

    def encode(self, settlement: Settlement) -> Encoded:
        """One settlement as key, value and headers; shortened where no broker would take it."""
        if self._changed and (encoded := self._named_otherwise(settlement)) is not None:
            return encoded
        s, trace = settlement, _NO_HEADERS
        value = self._value(s, with_input=self._with_input)
        if s.headers:
            s, value, trace = self._beside_trace_context(s, value)
        elif len(value) + len(s.key or b"") > self._result_bytes:
            s, value = self._shortened(s, self._result_bytes)
        outcome, place = s.outcome, self._place(s.tracker)
        source = "" if s.reason else f"{place.text}{s.offset}"
        headers = [
            ("status", s.status.encode()),
            ("ric", (outcome.ric or "").encode()),
            ("service", (outcome.service or "").encode()),
            ("source", source.encode()),
        ]
        if s.reason:
            headers.append(("withdrawal", s.reason.encode()))
        else:
            headers += place.headers
            if s.part is not None and s.part.of.made > 1:
                headers += [_part(s.part), ("rules", self._rules)]
            headers += trace
        key = s.key if outcome.ric is None else outcome.ric.encode()
        return Encoded(source.encode() if key is None else key, value, headers)

    def _beside_trace_context(self, settlement: Settlement, value: bytes) -> tuple[Settlement, bytes, _Headers]:
        """The same, shortened where that makes room for the trace context; without one where it does not."""
        trace = trace_context(settlement.headers, self._result_bytes // 2)
        room = self._result_bytes - size_of(trace)
        if len(value) + len(settlement.key or b"") > room:
            settlement, value = self._shortened(settlement, room)
            if len(value) + len(settlement.key or b"") > room:
                trace = _NO_HEADERS
        return settlement, value, trace

    def _shortened(self, settlement: Settlement, room: int) -> tuple[Settlement, bytes]:
        """As much of it as there is room for, in bytes; the least that there is where there is none."""
        note = f"[shortened: a result has at most {self._result_bytes} bytes] "
        if self._with_input:  # its digest stays, and the record can be found by it
            shorter = replace(settlement, text=note + (settlement.text or ""))
            value = self._value(shorter, explain=False)
            if len(value) + len(shorter.key or b"") <= room:
                return shorter, value
        for shorten in (_without_fields, _with_one_post):
            shorter = shorten(settlement, note)
            value = self._value(shorter, explain=False)
            if len(value) + len(shorter.key or b"") <= room:
                return shorter, value
        shortest = _minimal(settlement, note)
        return shortest, self._value(shortest, explain=False)

    def _place(self, tracker: OffsetTracker) -> _Place:
        partition, topic_id = key = tracker.partition, tracker.topic_id
        found = self._places.get(key)
        if found is None:
            head = b'{"topic":%s,"partition":%d,"offset":' % (_encode(partition.topic), partition.number)
            headers = [] if topic_id is None else [("topic_id", topic_id.encode())]
            text = f"{partition.topic}:{partition.number}:"
            found = self._places[key] = _Place(text, head, b',"topic_id":%s}' % _text(topic_id), headers)
        return found

    def _value(self, s: Settlement, *, explain: bool = True, with_input: bool = False) -> bytes:
        stamp, outcome = self._stamp, s.outcome
        return b"".join(
            (
                b'{"status":"',
                s.status.encode(),
                b'","ric":',
                _text(outcome.ric),
                b',"service":',
                _text(outcome.service),
                b',"mapping":',
                _text(outcome.mapping),
                b',"fields":',
                _NULL if s.fields is None else encode_fields(s.fields),
                _NO_WORDS if s.code is None and s.text is None else self._words(s, explain=explain),
                b',"source":',
                _NULL if s.reason else self._own_source(s, with_input=with_input),
                _withdrawal(s.reason, s.tracker.partition) if s.reason else b"",
                b',"carried_by":',
                _NULL if s.carried_by is None else self._price_source(s.carried_by),
                b',"posts":[',
                b",".join([self._post(attempt) for attempt in s.attempts]) if s.attempts else b"",
                f'],"consumed_at":"{stamp(s.consumed_at)}","settled_at":"{stamp(s.settled_at)}"'.encode(),
                self._tail,
            )
        )

    def _words(self, s: Settlement, *, explain: bool) -> bytes:
        """Its code and text, and what they mean where an ADS said them."""
        hint = self._explain(s.code, s.text) if explain and s.status in _REFUSED else None
        return b',"code":%s,"text":%s%s' % (
            _text(s.code),
            _text(s.text),
            b"" if hint is None else b',"hint":%s' % _encode(hint._asdict()),
        )

    def encode_reject(self, settlement: Settlement) -> Encoded:
        """The untouched input of a rejected record, with headers that say why.

        Input that no broker would take back is left out, and a header says so. Where the topic takes no record without
        a key, its source is the key of input that has none.
        """
        place, limit = self._place(settlement.tracker), self._reject_bytes
        source = f"{place.text}{settlement.offset}".encode()
        headers = [
            ("source", source),
            *place.headers,
            ("code", (settlement.code or "").encode()),
            ("text", (_cut(settlement.text, SHORT_TEXTS[0]) or "").encode()),
        ]
        if settlement.part is not None:
            outcome = settlement.outcome
            headers += [("ric", (outcome.ric or "").encode()), ("service", (outcome.service or "").encode())]
            if settlement.part.of.made > 1:
                headers.append(_part(settlement.part))
        key, value = settlement.key, settlement.untouched or b""
        size = len(value) + len(key or b"")
        if size > limit:
            headers.append(("omitted", f"{size} bytes of key and value; at most {limit} are copied".encode()))
            key, value, size = None, b"", 0
        headers += trace_context(settlement.headers, limit - size)
        return Encoded(source if key is None and self._keyed else key, value, headers)

    def _own_source(self, s: Settlement, *, with_input: bool) -> bytes:
        raw, part = s.value, s.part
        said = digest_member(raw) if part is None else part.of.digest(raw)
        if with_input:
            said += value_member(raw)
        return self._source(s.tracker, s.offset, s.timestamp, s.key, part, said)

    def _price_source(self, price: Price) -> bytes:
        offset, timestamp, key, _, _ = price.record
        return self._source(price.tracker, offset, timestamp, key, price.part, b"")

    def _source(
        self,
        tracker: OffsetTracker,
        offset: int,
        timestamp: int,
        key: bytes | None,
        part: Part | None,
        said: bytes,
    ) -> bytes:
        """``said``: what is said of its value."""
        wall, place = timestamp * 1000, self._place(tracker)
        return b'%s%d,"timestamp":%s,"key":%s%s%s%s' % (
            place.head,
            offset,
            b'"%s"' % self._stamp(wall).encode() if 0 <= wall < LAST_WALL else _NULL,
            _NULL if key is None else _encode(key.decode("utf-8", "replace")),
            b"" if part is None or part.of.made == 1 else b',"part":%d,"parts":%d' % (part.number, part.of.made),
            said,
            place.tail,
        )

    def _post(self, attempt: Attempt) -> bytes:
        stamp = self._stamp
        return b"".join(
            (
                b'{"post_id":%d,"type":"' % attempt.post_id,
                attempt.type.encode(),
                b'","endpoint":',
                _encode(attempt.endpoint),
                f',"session":"{attempt.session}","sent_at":"{stamp(attempt.sent_at)}","answered_at":'.encode(),
                _NULL if attempt.answered_at is None else f'"{stamp(attempt.answered_at)}"'.encode(),
                b',"answer":"',
                attempt.reply.encode(),
                b'","code":',
                _text(attempt.code),
                b',"text":',
                _text(attempt.text),
                b"}",
            )
        )


def _part(part: Part) -> tuple[str, bytes]:
    """Which of the record's posts it is, where there are others."""
    return "part", b"%d/%d" % (part.number, part.of.made)


def _withdrawal(reason: Reason, partition: Partition) -> bytes:
    return b',"withdrawal":{"reason":"%s","topic":%s,"partition":%d}' % (
        reason.encode(),
        _encode(partition.topic),
        partition.number,
    )


def _text(text: str | None) -> bytes:
    return _NULL if text is None else _encode(text)


def _without_fields(settlement: Settlement, note: str, texts: int = SHORT_TEXTS[0]) -> Settlement:
    """The same without its fields, and with every text that others wrote cut: what it is about stays."""
    attempts = settlement.attempts
    if attempts is not None:
        attempts = [replace(attempt, text=_cut(attempt.text, texts)) for attempt in attempts]
    carrier = settlement.carried_by
    if carrier is not None:
        carrier = replace(carrier, record=carrier.record._replace(key=_cut(carrier.record.key, texts)))
    return replace(
        settlement,
        key=_cut(settlement.key, texts),
        text=note + (_cut(settlement.text, texts) or ""),
        fields=None,
        carried_by=carrier,
        attempts=attempts,
    )


def _with_one_post(settlement: Settlement, note: str) -> Settlement:
    """And of its posts the last one alone."""
    shorter = _without_fields(settlement, note, SHORT_TEXTS[1])
    return replace(shorter, attempts=shorter.attempts[-1:] if shorter.attempts else None)


def _minimal(settlement: Settlement, note: str) -> Settlement:
    """Without any, and with no more of its RIC than an ordinary one has."""
    shorter = _without_fields(settlement, note, SHORT_TEXTS[2])
    outcome = shorter.outcome
    if outcome.ric is not None:
        outcome = dataclasses.replace(outcome, ric=outcome.ric[: SHORT_TEXTS[1]])
    return replace(shorter, outcome=outcome, attempts=None)


def _cut(text: _Cut, length: int) -> _Cut:
    return text if text is None else text[:length]
