"""The shape of a mapping file: ``mappings:`` and ``tests:``.

Data comes from YAML as dict, list, str, int, bool, None and Decimal. Errors of type ``expected`` say what was expected.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from contribd.mapping.conversions import As
from contribd.mapping.outcome import RejectCode
from contribd.mapping.syntax import Scalar
from contribd.mapping.values import MAX_DECIMALS

MAX_NAME = 100
"""Characters of a mapping's or a test's name: it stands in every result."""


def _expected(text: str) -> PydanticCustomError:
    return PydanticCustomError("expected", "{text}", {"text": text})


def _scalar(value: object) -> Scalar:
    if value is None or isinstance(value, bool | int | Decimal):
        return value
    if isinstance(value, str):
        return str(value)
    raise _expected("text, a number, true, false or null")


def _expression(value: object) -> object:
    """An expression is text; ``when: true`` reads as the expression ``true``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        raise _expected("an expression as text; a constant is {value: …}")
    if not isinstance(value, str):
        raise _expected("an expression as text")
    return str(value)


def _name(value: str) -> str:
    if value and len(value) <= MAX_NAME and value.isprintable() and value == value.strip():
        return value
    raise _expected(f"1 to {MAX_NAME} printable characters without spaces around them")


ScalarValue = Annotated[
    Any, BeforeValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean", "null"]})
]
ExpressionText = Annotated[str, BeforeValidator(_expression), WithJsonSchema({"type": "string"})]
Name = Annotated[str, AfterValidator(_name)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _ShortForm(_Model):
    """A model that can also be written as one text: the value of the key named ``_short_key``."""

    _is_short: bool = PrivateAttr(default=False)

    @classmethod
    def _short_key(cls) -> str:
        raise NotImplementedError

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, data: Any, handler: ModelWrapValidatorHandler["_ShortForm"]) -> "_ShortForm":
        if isinstance(data, cls):
            return data
        if isinstance(data, dict):
            return handler(data)
        if not isinstance(data, str):
            raise _expected(f"text, or a section with {cls._short_key()}")
        model = handler({cls._short_key(): data})
        model._is_short = True  # noqa: SLF001 - its own class: pydantic calls this before there is a self
        return model

    @property
    def short_path(self) -> tuple[str, ...]:
        """Where the text stands below the model's own place: nowhere in the short form."""
        return () if self._is_short else (self._short_key(),)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(core)]}


class FieldSpec(_ShortForm):
    """One field of a post: an expression, or ``from``/``value`` with what is to be done to it."""

    from_: Annotated[ExpressionText | None, Field(alias="from")] = None
    value: ScalarValue = None
    round: Annotated[int, Field(ge=0, le=MAX_DECIMALS)] | None = None
    missing: Literal["reject", "skip", "blank"] = "reject"
    as_: Annotated[Literal["real", "int", "text", "date", "time", "datetime"] | None, Field(alias="as")] = None
    lookup: dict[str, ScalarValue] | None = None
    default: ScalarValue = None

    @classmethod
    def _short_key(cls) -> str:
        return "from"

    def has(self, key: str) -> bool:
        """Whether the file names the key (``value: null`` does)."""
        return key in self.model_fields_set

    @property
    def to(self) -> As | None:
        """``as``, typed."""
        return None if self.as_ is None else As(self.as_)


class CheckSpec(_ShortForm):
    """A condition that must be true for the record to be posted."""

    that: ExpressionText
    text: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    @classmethod
    def _short_key(cls) -> str:
        return "that"


class MappingSpec(_Model):
    """From one kind of record to one post."""

    name: Name
    when: ExpressionText | None = None
    ric: str
    service: str | None = None
    post: Literal["update", "refresh"] = "update"
    fields: Annotated[dict[str, FieldSpec], Field(min_length=1)]
    checks: list[CheckSpec] = Field(default_factory=list)
    withdraw: list[str] = Field(default_factory=list)


class ExpectedPost(_Model):
    """The post that a test expects; ``service`` and ``type`` are compared only where they are given."""

    ric: str
    service: str | None = None
    type: Literal["update", "refresh"] | None = None
    fields: dict[str, ScalarValue]


def _code(value: object) -> RejectCode:
    if isinstance(value, str) and value in set(RejectCode):
        return RejectCode(value)
    raise _expected(f"one of {', '.join(RejectCode)}")


class ExpectedRejection(_ShortForm):
    """The rejection that a test expects; ``text`` must be part of the rejection's text."""

    code: Annotated[RejectCode, BeforeValidator(_code)]
    text: str | None = None

    @classmethod
    def _short_key(cls) -> str:
        return "code"


class CaseSpec(_Model):
    """A test: what a record comes to."""

    name: Name | None = None
    record: Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]
    post: ExpectedPost | None = None
    rejected: ExpectedRejection | None = None

    @model_validator(mode="after")
    def _one_expectation(self) -> "CaseSpec":
        if (self.post is None) == (self.rejected is None):
            raise _expected("either post or rejected: what the record comes to")
        return self


class MappingFile(_Model):
    """A whole mapping file."""

    mappings: list[MappingSpec] = Field(default_factory=list)
    tests: list[CaseSpec] = Field(default_factory=list)
