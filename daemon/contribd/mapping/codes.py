"""The stable numbers of what can be wrong with a mapping file: a page of the documentation explains each.

A number is never used for anything else. M1xx expressions, M2xx the shape of mappings and fields, M3xx values, dates
and RICs, M4xx the field dictionary, M5xx tables, include and defaults.
"""

from enum import StrEnum
from typing import Self


class MistakeCode(StrEnum):
    """One kind of mistake; ``meaning`` says it in a line."""

    meaning: str

    def __new__(cls, number: str, meaning: str) -> Self:
        """``number`` is what users see."""
        made = str.__new__(cls, number)
        made._value_ = number
        made.meaning = meaning
        return made


class Code(MistakeCode):
    """What can be wrong with a mapping file."""

    # What an expression is made of.
    EMPTY_EXPRESSION = "M101", "An expression is missing"
    CHARACTER = "M102", "A character has no meaning in an expression"
    NUMBER = "M103", "A number that cannot be read"
    TEXT = "M104", "A text that cannot be read: its quote is not closed, or an escape is unknown"
    SYNTAX = "M105", "Something else was expected here"
    BRACKET = "M106", "A bracket is not closed, or closes nothing"
    FOREIGN = "M107", "Another language's way to write it"
    CHAIN = "M108", "Comparisons do not chain"
    BOUND = "M109", "An expression is too long, too large or nested too deeply"
    BRACE = "M110", "A brace in a text with expressions is not closed, or closes nothing"

    # Names.
    NO_FUNCTION = "M120", "There is no such function"
    ARGUMENTS = "M121", "A function has too few or too many arguments"
    NO_SURROUNDING = "M122", "There is no such name with @"
    NO_POST = "M123", "@post stands only in checks, and names a field of the mapping"
    TABLE = "M124", "A table stands only before a key in brackets, or after in"
    NO_COLUMN = "M125", "The table has no such column"

    PATTERN = "M126", "A pattern that cannot be read, or is no constant"
    NESTED_LISTS = "M127", "List functions stand within each other too deeply"
    NO_ITEM = "M128", "What a list function asks of each element does not name item"

    # What would fail with every record.
    KIND = "M130", "A kind of value that cannot stand here"
    FAILS = "M131", "A part of an expression fails with every record"
    NEVER_EQUAL = "M132", "Two values are compared that are never equal"
    NUMBER_AS_TEXT = "M133", "A number is compared as text"
    IN_TEXT = "M134", "in looks into a constant text, where a list was meant"

    # The shape of a mapping.
    NO_RIC = "M201", "A mapping says no RIC"
    NO_FIELDS = "M202", "A mapping has no fields"
    IGNORES = "M203", "A mapping that ignores its records says something about posts"
    SAME_NAME = "M204", "Two mappings have one name"
    SERVICE = "M205", "A service is named by its name"
    FIELD_NAME = "M206", "This cannot be a field's name"
    WITHDRAW = "M207", "A field to withdraw is none of the mapping's, or named twice"
    CONDITION = "M208", "A condition gives neither true nor false"
    LET_NAME = "M210", "A name that a let cannot have"
    LET_ORDER = "M211", "A let is named where it is not computed yet"
    LET_UNUSED = "M212", "A let that nothing uses"
    SHADOWED = "M213", "A test's record has a key that means something else in a mapping"
    RIC_MEANT = "M214", "A RIC without braces is, or looks like, the name of what the mapping reads"
    NO_ELEMENT = "M215", "item or index is named where there is no element of a list"
    EACH = "M216", "What each takes is no list"
    EACH_TWICE = "M217", "each stands at a mapping and at one of its posts"
    SAME_RIC = "M218", "Posts of a record have the same RIC and service, whatever the record"

    # Rules without effect.
    UNREACHED = "M220", "A mapping that no record reaches"
    SAME_WHEN = "M221", "Two mappings have the same when"
    CONSTANT_CHECK = "M222", "A check that is the same for every record"
    NO_MAPPING = "M223", "The mapping files have no mapping"
    ALL_OR_NOTHING = "M225", "all_or_nothing, where the mapping makes one post"
    NO_FILE = "M224", "A folder, or a link to nothing, among the mapping files"

    # Publish rules, and what was last posted.
    HOURS = "M230", "Hours that cannot be read"
    PUBLISH_FIELD = "M231", "A publish rule names a field that the mapping does not post, or names it twice"
    PUBLISH_NUMBER = "M232", "A publish rule compares what is no number, or never changes"
    PUBLISH_EFFECT = "M233", "A publish rule that has no effect"
    NO_LAST = "M234", "@last stands only in fields and checks, and names a field that is posted"
    LAST_UNKNOWN = "M235", "Without a value last posted, every first record of a RIC would be rejected"

    # Fields and RICs.
    CONSTANT_NOT_POSTED = "M301", "A constant that its field cannot post"
    FIELD_NAME_TEMPLATE = "M303", "A field name with braces, where no dictionary says what it can become"
    FID_WITH_NINE = "M304", "A FID with a digit 9 as a field's name: the vendor's server refuses it"
    SETTINGS_DISAGREE = "M305", "Settings of a field that do not go together"
    NEVER_FITS = "M306", "An expression that never gives what its field takes"
    RIC_NOT_POSTED = "M307", "A RIC that names no item, whatever the record"

    # Dates and times.
    ZONE = "M320", "There is no such time zone"
    DATE_FORM = "M321", "A form of dates and times that cannot be used"
    WITHOUT_EFFECT = "M322", "A setting of a field that changes nothing"

    # The field dictionary: fields and their values.
    UNKNOWN_FIELD = "M401", "The dictionary has no field of this name or FID"
    FIELD_KIND = "M402", "A kind of value that a field of this type does not take"
    ENUM_VALUE = "M403", "An enumerated field's table has no such value or display text"
    ENUM_AMBIGUOUS = "M404", "Several values of an enumerated field have this display text"
    FIELD_LENGTH = "M405", "A text is longer than its field"
    FIELD_RANGE = "M406", "A number is outside of what its field can hold"
    FIELD_TIME = "M407", "A field for dates or times is given something else"
    FIELD_TYPE = "M408", "Fields of this type cannot be posted"
    SAME_FIELD = "M409", "A mapping sets one field twice, under two names"
    NAME_TEMPLATE = "M410", "A field's name with braces can become none of the dictionary's fields"
    NAME_TEMPLATE_TYPES = "M411", "A field's name with braces can become fields of several types"

    # The field dictionary: its files.
    DICTIONARY_LINE = "M420", "A line of a dictionary file cannot be read"
    DICTIONARY_TWICE = "M421", "A dictionary file defines something twice, and differently"
    DICTIONARY_FILE = "M422", "A dictionary file is not what it should be"
    ENUMS_ALONE = "M423", "Enumerated types without the fields that have them"

    # Tables, defaults and what is included.
    INCLUDE = "M501", "A file to include is not there, or is no file"
    CIRCLE = "M502", "Files include each other"
    INCLUDED_MAPPINGS = "M503", "The mappings of an included file are not taken"
    TABLE_FILE = "M510", "A table's file cannot be read"
    TABLE_HEADER = "M511", "The header row of a table cannot be used"
    TABLE_ROW = "M512", "A row of a table is longer or shorter than its header"
    TABLE_KEY = "M513", "A row of a table has no key, or the key of another row"
    TABLE_NAME = "M514", "A name that a table cannot have"
    TABLE_SHAPE = "M515", "Something that is no table"
    TABLE_NUMBER = "M516", "A cell in a column of numbers is not a number"
    HOLIDAYS = "M517", "A file of holidays cannot be read, or holds what is no date"
