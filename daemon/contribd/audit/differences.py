"""In what a result is not what its rules make of its record, in words. Pure: a claim beside a mapped post."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from contribd.audit.claim import Claim, Place
from contribd.engine.records.price import Status
from contribd.mapping.outcome import Mapped, RejectCode, Rejected, Suppressed

_SHOWN: Final = 200
"""Characters of a text that a finding shows."""

decode_fields: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
"""Fields as they stand in a result. Raises ``msgspec.MsgspecError`` and ``ArithmeticError``."""


def rejected_otherwise(claim: Claim, part: Rejected, *, same_words: bool) -> str | None:
    """In what the result of a post that the rules reject is not that; None: in nothing.

    ``same_words``: rejections of the same kind have the same text.
    """
    if claim.status is not Status.REJECTED:
        return f"it is rejected, {part.code} ({cut(part.text)}); its result says {claim.status}"
    if claim.code != part.code.value:
        return f"it is rejected, {part.code} ({cut(part.text)}); its result says {claim.code}"
    if claim.is_shortened:
        return None
    if same_words and claim.text != part.text:
        return f"it is rejected with the text {cut(part.text)!r}, its result says {cut(claim.text or '')!r}"
    return None if claim.ric == part.ric else f"RIC {part.ric!r}, its result says {claim.ric!r}"


def named_otherwise(claim: Claim, part: Mapped | Suppressed) -> str | None:
    """In what a post's status, RIC, service and mapping are not those of the rules."""
    if claim.status is Status.IGNORED or (claim.status is Status.REJECTED and claim.code != RejectCode.TOO_LARGE):
        return f"it makes a post to {part.ric}, its result says {claim.status} {claim.code or ''}".rstrip()
    same = part.ric.startswith(claim.ric or "") if claim.is_shortened else part.ric == claim.ric
    if not same:
        return f"RIC {part.ric!r}, its result says {cut(repr(claim.ric))}"
    if claim.service == part.service and claim.mapping == part.mapping:
        return None
    return f"mapping {part.mapping}, service {part.service}; its result says {claim.mapping}, {claim.service}"


def is_merged(said: Any, own: Any, carried: list[tuple[Place, Claim]], claim: Claim) -> bool:
    """Whether the fields said are its own and, beneath them, those of the records that it carried.

    Records of one partition are in order, and the newest value of a field counts; between partitions the order is not
    known, and any of their values may. Below a Refresh nothing is merged.
    """
    if any(said.get(name, said) != value for name, value in own.items()):
        return False
    fields = [(place, decode_fields(each.fields)) for place, each in reversed(carried) if each.fields is not None]
    one_partition = len({place[:2] for place, _ in fields}) <= 1
    if one_partition:
        merged = dict(own)
        for _, older in fields:
            if claim.was_refresh and merged == said:
                return True
            merged = {**older, **merged}
        return bool(merged == said)
    return all(
        any(each.get(name, said) == value for _, each in fields) for name, value in said.items() if name not in own
    )


def first_difference(expected: Any, said: Any, carried: int) -> str:
    """The first field that is another one; ``carried``: how many records the post carried besides."""
    for name in (*expected, *said):
        wanted, found = expected.get(name, "no value"), said.get(name, "no value")
        if wanted != found:
            merged = f" (nor does any of the {carried} records that it carried)" if carried and name in said else ""
            return f"field {name}: the rules give {cut(str(wanted))}, its result says {cut(str(found))}{merged}"
    return "the fields are others"


def cut(text: str) -> str:
    """As much of it as a finding shows."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
