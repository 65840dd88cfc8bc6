"""What a verification finds wrong: one line each, with its place."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self


class Wrong(StrEnum):
    """In what way something is off."""

    MISSING = "missing"
    DOUBLED = "doubled"
    NO_RECORD = "no-record"
    OTHER_INPUT = "other-input"
    ALTERED = "altered"
    OTHER_RULES = "other-rules"
    UNKNOWN_RULES = "unknown-rules"
    MISPLACED = "misplaced"
    NO_RESULT = "no-result"
    OUT_OF_ORDER = "out-of-order"
    CARRIER = "carrier"
    SEAL = "seal"
    EXPORT = "export"

    __hash__ = str.__hash__


MEANINGS: Final = {
    Wrong.MISSING: "a record, or a post of it, has no result",
    Wrong.DOUBLED: "a record, or a post of it, has more than one result",
    Wrong.NO_RECORD: "a result is of a record that is not in the log, though the log has older and newer ones",
    Wrong.OTHER_INPUT: "the record is not the one that the result was made of: its SHA-256 is another one",
    Wrong.ALTERED: "a result, its key, its headers and its last post do not say the same",
    Wrong.OTHER_RULES: "the record, mapped anew by the rules that the result names, gives another result",
    Wrong.UNKNOWN_RULES: "the rules that results name are not at hand: they were not mapped anew",
    Wrong.MISPLACED: "a result lies in another partition of the results topic than its key belongs to",
    Wrong.NO_RESULT: "a record of the results topic is no result",
    Wrong.OUT_OF_ORDER: "an older price was posted after a newer one of the same RIC and service",
    Wrong.CARRIER: "a result says that another record's post carried it, which is not so",
    Wrong.SEAL: "the results topic is not what was sealed",
    Wrong.EXPORT: "an export is not what its manifests say",
}


class Finding(NamedTuple):
    """``place``: of the record (``prices:3:1812``), or of the result where it is of none that is known; ``result``: its
    place in the results topic, None where there is none; ``text``: what was expected and what is there."""

    wrong: Wrong
    place: str
    text: str
    result: str | None = None

    def __str__(self) -> str:
        at = "" if self.result is None or self.result == self.place else f" [{self.result}]"
        return f"{self.place}: {self.wrong}: {self.text}{at}"

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"wrong": self.wrong.value, "place": self.place, "text": self.text, "result": self.result}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """What ``document`` was made of."""
        return cls(Wrong(document["wrong"]), document["place"], document["text"], document["result"])
