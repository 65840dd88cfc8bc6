"""The test cases of mapping files: records that go through the mapper as they would come from Kafka."""

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec

from contribd.mapping.case_expectations import (
    ExpectedPart,
    ExpectedPost,
    ExpectedPosts,
    ExpectedRejection,
    ExpectedSuppression,
)
from contribd.mapping.case_parts import NO_RIC, Matched, match
from contribd.mapping.case_specs import CaseSpec
from contribd.mapping.judging import Judge, Told
from contribd.mapping.mapper import Mapper
from contribd.mapping.numbers import NUMBERS, plain_text
from contribd.mapping.outcome import Ignored, Mapped, Outcome, PartOutcome, Rejected, Several, Suppressed, parts_of
from contribd.mapping.publish import Last

NOTHING = "-"
"""Stands for a field or a post that is not there."""

_SHOWN_POSTS = 4

_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One thing as it was expected and as it came out, for people."""

    what: str
    expected: str
    got: str
    same: bool = False
    post: str = ""
    """Which post of the record it is about, where a test lists several."""

    @property
    def name(self) -> str:
        """What it is about, with its post."""
        return f"{self.post} {self.what}" if self.post else self.what


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a test case went."""

    name: str
    comparisons: tuple[Comparison, ...]
    outcome: Outcome
    """What the record came to."""

    @property
    def differences(self) -> tuple[Comparison, ...]:
        """What did not come out as expected."""
        return tuple(each for each in self.comparisons if not each.same)

    @property
    def passed(self) -> bool:
        """Whether everything came out as expected."""
        return not self.differences


def run_cases(cases: Sequence[CaseSpec], mapper: Mapper) -> list[CaseResult]:
    """Every case against all mappings; one without a name is called by its number, from 1."""
    return [run_case(case, mapper, f"test {number}") for number, case in enumerate(cases, 1)]


def run_case(case: CaseSpec, mapper: Mapper, name: str = "test") -> CaseResult:
    """One case; ``name`` is for one that has none of its own."""
    judge = judge_of(case)
    outcome = judge.judge(mapper.map(value_of(case), case.surroundings, judge.view))
    return CaseResult(case.name or name, tuple(_compared(case, outcome)), outcome)


def judge_of(case: CaseSpec) -> Judge:
    """What asks the publish rules: of what the case says was last posted, and when the record arrives."""
    arrives, before = case.arrives, case.last_at
    age = None if arrives is None or before is None else (arrives - before) / 1000
    return Told(lambda _service, ric: Last(case.last_of(ric), age), None if arrives is None else arrives * 1000)


def value_of(case: CaseSpec) -> bytes | None:
    """The record's value as Kafka would carry it."""
    if case.record is not None:
        return encode_record(case.record)
    if isinstance(case.value, str):
        return case.value.encode()
    if case.value is None:
        return None
    if case.value.base64 is not None:
        return b64decode(case.value.base64)
    return b'{"":"%b"}' % (b"x" * max(0, (case.value.size or 0) - 7))


def encode_record(record: Mapping[str, object]) -> bytes:
    """A record from YAML (numbers as int and Decimal) as the JSON that Kafka would carry."""
    return _ENCODER.encode(record)


def _compared(case: CaseSpec, outcome: Outcome) -> Iterator[Comparison]:
    if case.mapping is not None:
        yield Comparison("mapping", case.mapping, outcome.mapping or NOTHING, case.mapping == outcome.mapping)
    if case.post is not None:
        yield from _against_post(case.post, outcome)
    elif case.posts is not None:
        yield from _against_posts(case.posts, outcome)
    elif case.rejected is not None:
        yield from _against_rejection(case.rejected, outcome)
    elif case.suppressed is not None:
        yield from _against_suppression(case.suppressed, outcome)
    elif not isinstance(outcome, Ignored):
        yield Comparison("outcome", "ignored", _told(outcome))


def _against_post(expected: ExpectedPost, outcome: Outcome) -> Iterator[Comparison]:
    if not isinstance(outcome, Mapped):
        several = ", which a test lists below posts" if isinstance(outcome, Several) else ""
        yield Comparison("outcome", f"a post to {expected.ric}", _told(outcome) + several)
        return
    for what, wanted, got in (
        ("ric", expected.ric, outcome.ric),
        ("service", expected.service, outcome.service),
        ("type", expected.type, outcome.type.lower()),
    ):
        if wanted is not None:
            yield Comparison(what, wanted, got, wanted == got)
    fields, posted = expected.wanted, outcome.fields
    for name in dict.fromkeys([*fields, *(posted if expected.including is None else ())]):
        wanted = value_text(fields[name]) if name in fields else NOTHING
        got = value_text(posted[name]) if name in posted else NOTHING
        same = name in fields and name in posted and _same(fields[name], posted[name])
        yield Comparison(f"fields.{name}", wanted, got, same)


def _against_posts(expected: ExpectedPosts, outcome: Outcome) -> Iterator[Comparison]:
    if isinstance(outcome, Ignored):
        yield Comparison("outcome", _posts_told(expected.including), _told(outcome))
        return
    matched = match(expected.including, parts_of(outcome))
    if isinstance(outcome, Rejected) and all(each.expected is None or each.got is None for each in matched):
        yield Comparison("outcome", _posts_told(expected.including), _told(outcome))
        return
    for each in matched:
        if each.expected is not None or expected.complete:
            yield from (replace(one, post=each.name) for one in _of_one_post(each))


def _of_one_post(matched: Matched) -> Iterator[Comparison]:
    expected, got = matched.expected, matched.got
    if expected is None:
        yield Comparison("outcome", NOTHING, NOTHING if got is None else _told(got))
    elif got is None:
        wanted = expected.rejected or expected.suppressed or f"a post to {expected.ric}"
        yield Comparison("outcome", wanted, NOTHING)
    elif expected.suppression is not None:
        yield from _against_suppression(expected.suppression, got)
    elif expected.rejection is not None:
        yield from _against_rejection(expected.rejection, got)
    elif expected.post is not None:
        yield from _against_post(expected.post, got)


def _against_rejection(expected: ExpectedRejection, outcome: Outcome) -> Iterator[Comparison]:
    """A record with several posts is rejected where each of them is."""
    parts = parts_of(outcome)
    rejected = [part for part in parts if isinstance(part, Rejected) and part.code is expected.code]
    unlike = next((part.text for part in rejected if not expected.fits(part)), None)
    if len(rejected) < len(parts):
        yield Comparison("outcome", expected.code, _told(outcome))
    elif unlike is not None:
        yield Comparison("text", f"… {expected.text} …", unlike)


def _against_suppression(expected: ExpectedSuppression, outcome: Outcome) -> Iterator[Comparison]:
    """A record with several posts is suppressed where each of them is."""
    parts = parts_of(outcome)
    found = [part.text for part in parts if isinstance(part, Suppressed) and part.code is expected.code]
    if len(found) < len(parts):
        yield Comparison("outcome", expected.code, _told(outcome))
    elif unlike := [text for text in found if expected.text is not None and expected.text not in text]:
        yield Comparison("text", f"… {expected.text} …", unlike[0])


def _told(outcome: Outcome) -> str:
    if isinstance(outcome, Mapped):
        return f"a post to {outcome.ric}"
    if isinstance(outcome, Several):
        return _posts_told(outcome.parts)
    if isinstance(outcome, Suppressed):
        return f"suppressed, {outcome.code}: {outcome.text}"
    return f"{outcome.code}: {outcome.text}" if isinstance(outcome, Rejected) else f"ignored by {outcome.mapping}"


def _posts_told(posts: Sequence[ExpectedPart | PartOutcome]) -> str:
    """The first of them by their RICs, with the codes of those that are rejected."""
    first = [(each.ric or NO_RIC) + (f" ({code})" if (code := _code_of(each)) else "") for each in posts[:_SHOWN_POSTS]]
    more = f" and {len(posts) - _SHOWN_POSTS} more" if len(posts) > _SHOWN_POSTS else ""
    return f"{len(posts)} post{'s' if len(posts) != 1 else ''}: {', '.join(first)}{more}"


def _code_of(post: ExpectedPart | PartOutcome) -> str | None:
    if isinstance(post, Rejected | Suppressed):
        return post.code
    return (post.rejected or post.suppressed) if isinstance(post, ExpectedPart) else None


def _same(expected: object, got: object) -> bool:
    """Numbers by value, anything else by type and value."""
    if type(expected) in NUMBERS and isinstance(got, int | Decimal):
        return expected == got
    return type(expected) is type(got) and expected == got


def value_text(value: object) -> str:
    """A value of a field or a record, for people."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return plain_text(value) or str(value)
    if isinstance(value, list | dict):
        return _ENCODER.encode(value).decode()
    text = str(value)
    if not text.isprintable():
        text = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
    return f'"{text}"'
