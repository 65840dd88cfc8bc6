"""The shape of a field and of a check of a mapping: one text, or a section.

Data comes from YAML as dict, list, str, int, bool, None and Decimal. Errors of type ``expected`` say what was expected.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from contribd.mapping.conversions import As
from contribd.mapping.fraction_prices import Notation, Point, ThirdDigit
from contribd.mapping.sections import STRICT, ExpressionText, ScalarValue, expected
from contribd.mapping.values import MAX_DECIMALS


class _Model(BaseModel):
    model_config = STRICT

    def has(self, key: str) -> bool:
        """Whether the file names the key (``value: null`` does)."""
        return key in self.model_fields_set


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
            raise expected(f"text, or a section with {cls._short_key()}")
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


class FractionSpec(_Model):
    """How a market writes its fractions: ``as: fraction``."""

    of: Annotated[
        Literal[2, 4, 8, 16, 32, 64, 128, 256],
        Field(description="What the digits behind a dash or an apostrophe count"),
    ] = 32
    third_digit: Annotated[
        Literal["eighths", "decimal"],
        Field(
            description="The digit behind two of 32nds: eighths of one, or its first decimal as futures exchanges write"
        ),
    ] = "eighths"
    point: Annotated[
        Literal["refuse", "decimals", "fraction"], Field(description="What 99.16 means: nothing, decimals, or 99-16")
    ] = "refuse"

    @property
    def notation(self) -> Notation:
        """The same, typed."""
        return Notation(self.of, ThirdDigit(self.third_digit), Point(self.point))


_Kinds = Literal["real", "int", "text", "date", "time", "datetime", "fraction", "rmtes"]
_Lookup = Annotated[
    dict[str, ScalarValue] | None, Field(description="A table: the value is looked up and replaced; keys are text")
]


def said(value: object) -> object:
    """What stands behind a key; nothing would be taken for no key at all, and what was meant would not be done."""
    if value is None:
        raise expected("a value; without one take the key away")
    return value


class FieldSpec(_ShortForm):
    """One field of a post: an expression, or ``from``/``value`` with what is to be done to it."""

    from_: Annotated[ExpressionText | None, Field(alias="from", description="An expression over the record")] = None
    value: Annotated[ScalarValue, Field(description="A constant instead; null posts a blank")] = None
    round: Annotated[
        Annotated[int, Field(ge=0, le=MAX_DECIMALS)] | None, Field(description="Decimals, rounded half to even")
    ] = None
    missing: Annotated[
        Literal["reject", "skip", "blank"],
        Field(description="Where the record has no such value: reject the record, skip the field, or post a blank"),
    ] = "reject"
    as_: Annotated[_Kinds | None, Field(alias="as", description="What the value is read as, and posted as")] = None
    fraction: Annotated[
        FractionSpec | None, Field(description="For as: fraction: how the market writes its fractions")
    ] = None
    zone: Annotated[
        str | None, Field(description="For dates and times: the time zone of text without an offset, as Europe/London")
    ] = None
    fold: Annotated[
        Literal["earlier", "later", "reject"],
        Field(description="Which one is meant of a local time that comes twice, at the end of daylight saving time"),
    ] = "earlier"
    gap: Annotated[
        Literal["reject", "forward"],
        Field(description="What becomes of a local time that does not exist, at the start of daylight saving time"),
    ] = "reject"
    format: Annotated[
        str | None, Field(description="For dates and times: how text writes them, as DD.MM.YYYY HH:mm:ss")
    ] = None
    unit: Annotated[
        Literal["s", "ms", "us", "ns", "days"] | None, Field(description="For dates and times: what an epoch counts")
    ] = None
    lookup: _Lookup = None
    default: Annotated[ScalarValue, Field(description="What lookup gives for anything its table lacks")] = None

    @field_validator("from_", "round", "as_", "lookup", mode="before")
    @classmethod
    def _said(cls, value: object) -> object:
        return said(value)

    @classmethod
    def _short_key(cls) -> str:
        return "from"

    @property
    def to(self) -> As | None:
        """``as``, typed."""
        return None if self.as_ is None else As(self.as_)


class CheckSpec(_ShortForm):
    """A condition that must be true for the record to be posted."""

    that: ExpressionText
    text: Annotated[
        Annotated[str, Field(min_length=1, max_length=200)] | None,
        Field(description="What the rejection says besides the expression and its values"),
    ] = None

    @classmethod
    def _short_key(cls) -> str:
        return "that"
