"""One thing wrong with a field of a mapping."""

from dataclasses import dataclass

from contribd.mapping.codes import Code


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """``key`` is the setting at fault; empty for the field as a whole."""

    key: str
    text: str
    code: Code = Code.SETTINGS_DISAGREE
    cure: str = ""
    at: int = 0
    """The character within the setting."""
