"""What the tests of a mapping file expect: a post, several of them, or a rejection."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import (
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
from pydantic.config import JsonDict, JsonValue
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from contribd.mapping.outcome import RejectCode, Rejected, SuppressCode
from contribd.mapping.sections import STRICT, ScalarValue, expected
from contribd.mapping.syntax import Scalar


def exactly_one(*keys: str) -> JsonDict:
    """As JSON Schema: one of the keys is given. Null is as good as nothing, but ``value: null`` is a value."""
    choices: list[JsonValue] = [{"required": [key]} if key == "value" else _given(key) for key in keys]
    return {"oneOf": choices}


def _given(key: str) -> JsonDict:
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


FieldsExpected = Annotated[dict[str, ScalarValue], Field(min_length=1)]


class ExpectedPost(BaseModel):
    """The post that a test expects; service and type are compared only where they are given."""

    model_config = ConfigDict(**STRICT, json_schema_extra=exactly_one("fields", "including"))

    ric: str
    service: str | None = None
    type: Literal["update", "refresh"] | None = None
    fields: Annotated[dict[str, ScalarValue] | None, Field(description="All fields of the post")] = None
    including: Annotated[FieldsExpected | None, Field(description="Some fields of the post")] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "ExpectedPost":
        if (self.fields is None) == (self.including is None):
            raise expected("either fields (all of the post's) or including (some of them)")
        return self

    @property
    def wanted(self) -> Mapping[str, Scalar]:
        """The fields that it must have, with these values."""
        return self.including or self.fields or {}


def _code(value: object) -> RejectCode:
    if isinstance(value, str) and value in set(RejectCode):
        return RejectCode(value)
    raise expected(f"one of {', '.join(RejectCode)}")


class ExpectedRejection(BaseModel):
    """The rejection that a test expects; ``text`` must be part of the rejection's text."""

    model_config = STRICT

    code: Annotated[RejectCode, BeforeValidator(_code)]
    text: str | None = None

    def fits(self, rejected: Rejected) -> bool:
        """Whether it is this one."""
        return rejected.code is self.code and (self.text is None or self.text in rejected.text)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "enum": [*RejectCode]}, handler(core)]}


def with_code(value: object) -> object:
    """A rejection or a suppression as a section: its code alone is the short form."""
    return {"code": value} if isinstance(value, str) else value


PUBLISH_CODES: Final = tuple(code for code in SuppressCode if code is not SuppressCode.PAUSED)
"""Those of the publish rules: whether something is paused is no matter of a mapping."""


def _suppress_code(value: object) -> SuppressCode:
    if isinstance(value, str) and value in PUBLISH_CODES:
        return SuppressCode(value)
    raise expected(f"one of {', '.join(PUBLISH_CODES)}")


class ExpectedSuppression(BaseModel):
    """The suppression that a test expects; ``text`` must be part of its text."""

    model_config = STRICT

    code: Annotated[SuppressCode, BeforeValidator(_suppress_code)]
    text: str | None = None

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        section = handler(core)
        handler.resolve_ref_schema(section)["properties"]["code"] = {"enum": [*PUBLISH_CODES]}
        return {"anyOf": [{"type": "string", "enum": [*PUBLISH_CODES]}, section]}


def _suppressed_beside_text(value: object) -> SuppressCode | None:
    if isinstance(value, dict):
        raise expected(f"one of {', '.join(PUBLISH_CODES)}; a part of the text stands beside it, as text")
    return None if value is None else _suppress_code(value)


def _code_beside_text(value: object) -> RejectCode | None:
    if isinstance(value, dict):
        raise expected(f"one of {', '.join(RejectCode)}; a part of the text stands beside it, as text")
    return None if value is None else _code(value)


class ExpectedPart(BaseModel):
    """One of several posts that a test expects, or the rejection in its place; it is known by its RIC and service."""

    model_config = ConfigDict(
        **STRICT,
        json_schema_extra={
            "allOf": [
                exactly_one("fields", "including", "rejected", "suppressed"),
                {
                    "if": {"anyOf": [_given("rejected"), _given("suppressed")]},
                    "then": {"properties": {"type": {"type": "null"}}},
                    "else": {"properties": {"text": {"type": "null"}}},
                },
                {"if": {"not": _given("rejected")}, "then": _given("ric")},
            ]
        },
    )

    ric: Annotated[str | None, Field(description="Left out where it is rejected before it has one")] = None
    service: str | None = None
    type: Literal["update", "refresh"] | None = None
    fields: Annotated[dict[str, ScalarValue] | None, Field(description="All fields of the post")] = None
    including: Annotated[FieldsExpected | None, Field(description="Some fields of the post")] = None
    rejected: Annotated[
        RejectCode | None,
        BeforeValidator(_code_beside_text),
        WithJsonSchema({"enum": [*RejectCode, None]}),
        Field(description="The code with which this post is rejected"),
    ] = None
    suppressed: Annotated[
        SuppressCode | None,
        BeforeValidator(_suppressed_beside_text),
        WithJsonSchema({"enum": [*PUBLISH_CODES, None]}),
        Field(description="The code with which its publish rules suppress this post"),
    ] = None
    text: Annotated[str | None, Field(description="Beside rejected or suppressed: a part of its text")] = None

    @model_validator(mode="after")
    def _one_of_each(self) -> "ExpectedPart":
        said = (self.fields, self.including, self.rejected, self.suppressed)
        if sum(each is not None for each in said) != 1:
            raise expected(
                "one of fields (all of the post's), including (some of them), rejected or suppressed (a code)"
            )
        if self.rejected is None and self.ric is None:
            raise expected("ric: a post is known by it")
        is_posted = self.rejected is None and self.suppressed is None
        if is_posted and self.text is not None:
            raise expected("text only beside rejected or suppressed, a part of whose text it is")
        if not is_posted and self.type is not None:
            raise expected("type only where something is posted")
        return self

    @property
    def post(self) -> ExpectedPost | None:
        """The post, where it is one."""
        if self.rejected is not None or self.suppressed is not None:
            return None
        given = {name: getattr(self, name) for name in ExpectedPost.model_fields}
        return ExpectedPost.model_construct(**given)

    @property
    def rejection(self) -> ExpectedRejection | None:
        """The rejection, where it is one."""
        return None if self.rejected is None else ExpectedRejection(code=self.rejected, text=self.text)

    @property
    def suppression(self) -> ExpectedSuppression | None:
        """The suppression, where it is one."""
        return None if self.suppressed is None else ExpectedSuppression(code=self.suppressed, text=self.text)


class ExpectedPosts(BaseModel):
    """The posts of a record that makes several: a list of all, or ``including``, a list of some."""

    model_config = STRICT

    including: Annotated[list[ExpectedPart], Field(min_length=1, description="Some of the posts")]
    _complete: bool = PrivateAttr(default=False)

    @property
    def complete(self) -> bool:
        """Whether there may be no other posts."""
        return self._complete

    def with_each(self, change: Callable[[ExpectedPart], ExpectedPart]) -> "ExpectedPosts":
        """The same with each of them changed."""
        return self.model_copy(update={"including": [change(each) for each in self.including]})

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, data: Any, handler: ModelWrapValidatorHandler["ExpectedPosts"]) -> "ExpectedPosts":
        if isinstance(data, list):
            made = handler({"including": data})
            made._complete = True  # noqa: SLF001 - its own class: pydantic calls this before there is a self
            return made
        if isinstance(data, dict) and "including" not in data and set(data) & set(ExpectedPart.model_fields):
            raise expected("a list of posts; write posts: [{ric: …}], or each post below posts: behind '- '")
        if isinstance(data, dict | cls):
            return handler(data)
        raise expected("a list of all posts, or {including: […]} for some of them")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        section = handler(core)
        listed = handler.resolve_ref_schema(section)["properties"]["including"]
        return {"anyOf": [{**listed, "description": "All of the posts"}, section]}
