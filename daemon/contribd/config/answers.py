"""The table of known answers: ours, and before it that of the site, which ``answers`` names."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from contribd.answers.table import Answers, Hint, KnownAnswer
from contribd.config.codes import FileCode
from contribd.config.document import Document, load_document
from contribd.config.errors import Problem
from contribd.config.interpolate import refuse
from contribd.config.model import Settings
from contribd.config.nodes import DataPath
from contribd.config.types import CODE_SCHEMA, Text, expected, nak_code, schema, text_of
from contribd.config.validate import validate

KNOWN = Path(__file__).parents[1] / "answers" / "known.yaml"
"""Ours."""


class AnswerSpec(BaseModel):
    """One answer, or several of a kind: by its code, a part of its text, or both."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    code: Annotated[str | None, BeforeValidator(nak_code), WithJsonSchema(CODE_SCHEMA)] = Field(
        default=None,
        description="The NakCode, or the number of one without a name; left out: any, and Errors, which have none",
    )
    text: Annotated[str | None, BeforeValidator(text_of), schema("string", minLength=1)] = Field(
        default=None, description="A part of the answer's text, in upper or lower case; left out: any"
    )
    meaning: Text = Field(description="What the ADS says")
    cause: Text = Field(description="The usual reason")
    owner: Text = Field(description="Who can cure it")
    cure: Text = Field(description="What they do")

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.code is None and self.text is None:
            raise expected("code, text, or both: an entry without them would be about every answer")
        return self

    def known(self) -> KnownAnswer:
        """As answers are looked up."""
        return KnownAnswer(self.code, self.text, Hint(self.meaning, self.cause, self.owner, self.cure))


class AnswersFile(BaseModel):
    """A file of known answers. The first entry that fits an answer explains it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    answers: Annotated[
        list[AnswerSpec], Field(min_length=1, description="Entries, in the order in which they are tried")
    ]


@dataclass(frozen=True, slots=True)
class LoadedAnswers:
    """``files``: that of the site, where it has one."""

    answers: Answers
    files: tuple[Path, ...] = ()
    problems: list[Problem] = field(default_factory=list)


@cache
def shipped() -> Answers:
    """Those that come with contribd."""
    document = load_document(KNOWN, refuse)
    return Answers(entry.known() for entry in AnswersFile.model_validate(document.data).answers)


def load_answers(settings: Settings, skipped: AbstractSet[DataPath], *, lenient: bool) -> LoadedAnswers:
    """Those of ``settings``, whose paths are absolute, and ours. ``lenient``: no file is looked at, as where
    ``answers`` is among the places ``skipped``, which are known to be wrong.

    A file that cannot be read is left to who checks the files that a configuration names.
    """
    file = settings.answers
    if file is None or lenient or ("answers",) in skipped or not file.is_file():
        return LoadedAnswers(shipped())
    document = load_document(file, refuse)
    if document.root is None and not document.problems:
        text, cure = "the file is empty; expected answers", "Write answers:, or remove the setting that names the file"
        document.problems.append(document.problem((), text, code=FileCode.EMPTY, cure=cure))
    outcome = validate(document, AnswersFile)
    problems = [*document.problems, *(outcome.problems if document.root is not None else [])]
    if outcome.model is None:
        return LoadedAnswers(shipped(), (file,), problems)
    own = [entry.known() for entry in outcome.model.answers]
    problems += _unreached(document, own)
    return LoadedAnswers(Answers([*own, *shipped().entries]), (file,), problems)


def _unreached(document: Document, entries: list[KnownAnswer]) -> Iterator[Problem]:
    """Entries that explain nothing, since each answer they are about is explained by one before them."""
    for number, entry in enumerate(entries):
        before = next((at for at, other in enumerate(entries[:number]) if _covers(other, entry)), None)
        if before is not None:
            text = f"never tried: answers[{before}] fits every answer that this one is about"
            cure = "Write it before that one, or remove it"
            yield document.problem(("answers", number), text, code=FileCode.CONTRADICTION, cure=cure)


def _covers(other: KnownAnswer, entry: KnownAnswer) -> bool:
    if other.code is not None and other.code != entry.code:
        return False
    return other.text is None or (entry.text is not None and other.text.lower() in entry.text.lower())
