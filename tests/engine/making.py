"""Engines for tests: the settings that most of them share, and a mapper that asks nothing."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, Final, TypedDict, Unpack

import msgspec

from contribd.engine.engine import Engine
from contribd.engine.limits import DEFAULT_BOUNDS, Bounds
from contribd.engine.policy import Backoff, ContributionPolicy, RetryPolicy, SessionPolicy, WithdrawPolicy
from contribd.engine.records.rule_names import RuleNames
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Ignored, Mapped, Outcome, PostType, RejectCode, Rejected, Several
from contribd.mapping.publish import Limit, PublishRules
from contribd.mapping.scope import Surroundings
from contribd.omm.post import PostEncoder, PostUserInfo
from contribd.omm.requests import Login

LOGIN = Login("u", "256", "10.0.0.1")
RETRY_CODES = frozenset({"NoResources", "NoResponse"})


class Contribution(TypedDict, total=False):
    """What a test may want different from ``new_engine``'s own; units as in ``ContributionPolicy``."""

    conflate: bool
    max_age: int | None
    attempts: int
    retry_codes: frozenset[str]
    create_missing: bool
    ack_timeout: float
    max_outstanding: int
    pack: int
    max_rate: float | None
    withdraw: WithdrawPolicy
    first_post_id: int


def seconds(failures: int) -> float:
    """A back-off without chance: one second a failure."""
    return float(failures)


RULED: Final = PublishRules(
    min_change={"BID": Limit(Decimal(3)), "ASK": Limit(Decimal(3))},
    min_interval=0.7,
    max_move={"BID": Limit(Decimal(30))},
)
"""The publish rules of records that ask for them."""


class PlainMapper(Mapper):
    """The record says itself what it is mapped to: ``{"ric": …, "fields": …}``, or nothing."""

    def __init__(self) -> None:
        super().__init__(())
        self.makes_several = True  # type: ignore[misc]
        self.publishes = True  # type: ignore[misc]

    def map(self, value: bytes | None, _surroundings: Surroundings | None = None, _last: object = None) -> Outcome:
        if not value:
            return Rejected(RejectCode.BAD_RECORD, "the record has no value")
        given = msgspec.json.decode(value)
        if "ignored" in given:
            return Ignored(given["ignored"])
        if "parts" in given:
            return Several("m", [_mapped(part) for part in given["parts"]])
        return _mapped(given)


def _mapped(given: dict[str, Any]) -> Mapped | Rejected:
    ric, service = given.get("ric"), given.get("service", "TRCC")
    if "rejected" in given:
        return Rejected(RejectCode.BAD_VALUE, given["rejected"], ric, service, "m")
    mapping = given.get("mapping", "m")
    type_, publish = PostType(given.get("type", "Update")), RULED if given.get("ruled") else None
    return Mapped(given["ric"], service, mapping, type_, given["fields"], publish)


def contribution(backoff: Backoff = seconds, **options: Unpack[Contribution]) -> ContributionPolicy:
    """Those settings, and the usual ones for the others."""
    return ContributionPolicy(
        conflate=options.get("conflate", True),
        max_age=options.get("max_age"),
        retry=RetryPolicy(options.get("attempts", 3), options.get("retry_codes", RETRY_CODES), backoff),
        create_missing=options.get("create_missing", False),
        ack_timeout=options.get("ack_timeout", 15.0),
        max_outstanding=options.get("max_outstanding", 500),
        pack=options.get("pack", 20),
        max_rate=options.get("max_rate"),
        withdraw=options.get("withdraw", WithdrawPolicy()),
        first_post_id=options.get("first_post_id", 1),
    )


def new_engine(
    session: SessionPolicy,
    note: Callable[..., None] = lambda _level, _event, **_details: None,
    *,
    mapper: Mapper | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
    rules: str = "",
    **options: Unpack[Contribution],
) -> Engine:
    """An engine whose chance is seeded. It waits before it posts again as its session does before it connects."""
    return Engine(
        mapper=mapper or PlainMapper(),
        encoder=PostEncoder(PostUserInfo("10.0.0.1", 256)),
        contribution=contribution(session.backoff, **options),
        session=session,
        rng=Random(1),
        names=RuleNames("c", rules or None),
        log=note,
        bounds=bounds,
    )
