"""The shape of a mapping file: ``mappings:``, ``tests:``, ``defaults:``, ``include:`` and ``tables:``.

Data comes from YAML as dict, list, str, int, bool, None and Decimal. Errors of type ``expected`` say what was expected.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from contribd.mapping.case_specs import CaseSpec
from contribd.mapping.conversions import As
from contribd.mapping.fraction_prices import Notation, Point, ThirdDigit
from contribd.mapping.outcome import MAX_POSTS
from contribd.mapping.sections import STRICT, ExpressionText, Name, ScalarValue, expected
from contribd.mapping.values import MAX_DECIMALS

TABLE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {
            "type": "object",
            "description": "A CSV file with a header row, or a YAML file of rows by their keys, relative to this one",
            "properties": {
                "file": {"type": "string"},
                "key": {
                    "type": ["string", "array"],
                    "items": {"type": "string", "minLength": 1},
                    "minItems": 1,
                    "description": "The column that rows are found by; or several, any of which finds a row",
                },
                "delimiter": {"type": "string", "minLength": 1, "maxLength": 1, "default": ","},
                "numbers": {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "minItems": 1,
                    "description": "The columns that hold numbers; all others are text",
                },
            },
            "required": ["file"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "description": "Rows by their keys: each a section (column: value), or each one value",
            "not": {"required": ["file"]},
        },
    ]
}


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


class PartSpec(_Model):
    """What makes one post of a record; a mapping's own lie under those of its ``posts``."""

    ric: Annotated[str | None, Field(description="The item: text with expressions in braces")] = None
    let: Annotated[
        dict[str, ExpressionText], Field(description="Values computed before everything else, in this order, by name")
    ] = Field(default_factory=dict)
    service: Annotated[str | None, Field(description="Default: ads.service of the configuration")] = None
    post: Annotated[
        Literal["update", "refresh"], Field(description="An update changes fields, a refresh replaces the item")
    ] = "update"
    fields: Annotated[
        dict[str, FieldSpec], Field(min_length=1, description="By their names: an expression, or from with settings")
    ] = Field(default_factory=dict)
    checks: Annotated[
        list[CheckSpec], Field(description="Conditions that must be true for the record to be posted")
    ] = Field(default_factory=list)


class DefaultsSpec(PartSpec):
    """What the mappings of a file have that say nothing else."""

    withdraw: Annotated[list[str], Field(description="The fields that are blanked where a quote is withdrawn")] = Field(
        default_factory=list
    )


_Each = Annotated[
    ExpressionText | None,
    Field(description="A list: one post for each element, which is item; index is its position, from 0"),
]


class PostSpec(PartSpec):
    """One of a mapping's ``posts``; the mapping's own parts merged in."""

    when: Annotated[ExpressionText | None, Field(description="The post is made where this condition is true")] = None
    each: _Each = None

    @field_validator("when", "each", mode="before")
    @classmethod
    def _said(cls, value: object) -> object:
        """Without its condition the post would be made of every record."""
        return said(value)


class MappingSpec(DefaultsSpec):
    """From one kind of record to its post or posts, or to none where it says ``ignore``; its file's defaults merged in.

    Where it has ``posts``, all that they are made of stands in them.
    """

    name: Name
    when: Annotated[
        ExpressionText | None, Field(description="A condition over the record; the first mapping that matches takes it")
    ] = None
    ignore: Annotated[Literal[True] | None, Field(description="Such records are not for posting")] = None
    each: _Each = None
    posts: Annotated[
        Annotated[list[PostSpec], Field(min_length=1, max_length=MAX_POSTS)] | None,
        Field(description="Several posts of one record; what the mapping says beside them is part of each"),
    ] = None
    all_or_nothing: Annotated[
        bool, Field(description="Where one of the record's posts cannot be mapped, none is posted")
    ] = False

    @field_validator("when", "ignore", "each", "posts", mode="before")
    @classmethod
    def _said(cls, value: object) -> object:
        """Without its condition a mapping would take every record."""
        return said(value)

    def post_at(self, number: int | None) -> PartSpec:
        """One of its posts; None: the one that the mapping itself says."""
        return self if number is None or self.posts is None else self.posts[number]


def _table(value: object) -> object:
    if isinstance(value, dict):
        return value
    raise expected("a section: file and key, or rows by their keys")


TableData = Annotated[Any, BeforeValidator(_table), WithJsonSchema(TABLE_SCHEMA)]
"""A table as it is written; ``contribd.config.tables`` reads it."""


class MappingFile(_Model):
    """A whole mapping file."""

    include: Annotated[
        list[str], Field(description="Files whose tables and defaults lie under this one's, relative to it")
    ] = Field(default_factory=list)
    tables: Annotated[
        dict[str, TableData], Field(description="Looked up in expressions: instruments[id].ric, id in instruments")
    ] = Field(default_factory=dict)
    defaults: Annotated[DefaultsSpec | None, Field(description="What mappings have that say nothing else")] = None
    mappings: Annotated[list[MappingSpec], Field(description="Tried in order")] = Field(default_factory=list)
    tests: Annotated[list[CaseSpec], Field(description="Records and what they come to, for contribd test")] = Field(
        default_factory=list
    )
