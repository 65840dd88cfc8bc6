"""The shape of a mapping file: ``mappings:``, ``tests:``, ``defaults:``, ``include:`` and ``tables:``.

Data comes from YAML as dict, list, str, int, bool, None and Decimal. Errors of type ``expected`` say what was expected.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, field_validator

from contribd.mapping.case_specs import CaseSpec
from contribd.mapping.field_specs import CheckSpec, FieldSpec, said
from contribd.mapping.outcome import MAX_POSTS
from contribd.mapping.publish_specs import PublishSpec
from contribd.mapping.sections import STRICT, ExpressionText, Name, expected

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


class PartSpec(BaseModel):
    """What makes one post of a record; a mapping's own lie under those of its ``posts``."""

    model_config = STRICT

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
    publish: Annotated[
        PublishSpec | None, Field(description="When a price is worth a post: what it moved by, how soon, when")
    ] = None


class DefaultsSpec(PartSpec):
    """What the mappings of a file have that say nothing else."""

    withdraw: Annotated[list[str], Field(description="The fields that are blanked where a quote is withdrawn")] = Field(
        default_factory=list
    )
    desk: Annotated[Name | None, Field(description="A label that contribd pause --desk can name")] = None


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


class MappingFile(BaseModel):
    """A whole mapping file."""

    model_config = STRICT

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
