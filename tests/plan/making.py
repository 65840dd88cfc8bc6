"""Outcomes, records and comparisons for the tests of plans."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from contribd.mapping.compile import compile_file
from contribd.mapping.compiled import CompiledMapping
from contribd.mapping.inputs import Input, from_kafka
from contribd.mapping.outcome import FieldValue, Ignored, Mapped, Outcome, PostType, RejectCode, Rejected, Several
from contribd.mapping.rules import MappingFile
from contribd.plan.gathering import Gathering


def record(offset: int = 0, partition: int = 0) -> Input:
    return from_kafka("prices", partition, offset, 1_780_000_000_000 + offset, None, b"{}", ())


def post(ric: str = "EUR=", mapping: str = "fx", service: str = "TRCC", **fields: Any) -> Mapped:
    return Mapped(ric, service, mapping, PostType.UPDATE, {name: decimal(value) for name, value in fields.items()})


def refresh(**fields: Any) -> Mapped:
    made = post(**fields)
    made.type = PostType.REFRESH
    return made


def decimal(value: Any) -> FieldValue:
    """Numbers in tests are written as floats."""
    return Decimal(str(value)) if isinstance(value, float) else value


def rejected(code: RejectCode = RejectCode.BAD_VALUE, text: str = "no", mapping: str | None = "fx") -> Rejected:
    return Rejected(code, text, None, None, mapping)


def several(*parts: Mapped | Rejected) -> Several:
    return Several("fx", list(parts))


def ignored(mapping: str = "heartbeat") -> Ignored:
    return Ignored(mapping)


def gathered(*pairs: tuple[Outcome, Outcome]) -> Gathering:
    """The comparison of these outcomes, of records with the offsets 0, 1, 2 and so on."""
    gathering = Gathering()
    for offset, (old, new) in enumerate(pairs):
        gathering.add(record(offset), old, new)
    return gathering


def mappings(*documents: dict[str, Any]) -> list[CompiledMapping]:
    compiled = compile_file(MappingFile.model_validate({"mappings": list(documents)}), "TRCC")
    assert not compiled.problems
    return compiled.mappings


def texts(gathering: Gathering) -> list[str]:
    from contribd.plan.findings import findings

    return [each.text for each in findings(gathering)]


def quotes(count: int) -> Iterable[tuple[Decimal, Decimal]]:
    """A bid and an ask above it, all of them different."""
    return ((Decimal(10_000 + 3 * n) / 10_000, Decimal(10_001 + 3 * n + n % 2) / 10_000) for n in range(count))
