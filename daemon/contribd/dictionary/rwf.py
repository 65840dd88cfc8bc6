"""The types that a field can have on the wire (RWF), as the dictionary's files name them."""

from enum import Enum


class RwfType(Enum):
    """A field's type; its value is the word for people, as in "BID (FID 22, Real)"."""

    REAL = "Real"
    INT = "Int"
    UINT = "UInt"
    FLOAT = "Float"
    DOUBLE = "Double"
    ENUM = "Enum"
    ASCII = "Ascii"
    RMTES = "Rmtes"
    UTF8 = "Utf8"
    DATE = "Date"
    TIME = "Time"
    DATETIME = "DateTime"
    BUFFER = "Buffer"
    OTHER = "no single value"
    """Containers and what else is no single value: no post has one."""


NAMES = {
    "REAL": RwfType.REAL, "REAL32": RwfType.REAL, "REAL64": RwfType.REAL,
    "INT": RwfType.INT, "INT32": RwfType.INT, "INT64": RwfType.INT,
    "UINT": RwfType.UINT, "UINT32": RwfType.UINT, "UINT64": RwfType.UINT,
    "FLOAT": RwfType.FLOAT, "DOUBLE": RwfType.DOUBLE, "ENUM": RwfType.ENUM,
    "ASCII_STRING": RwfType.ASCII, "RMTES_STRING": RwfType.RMTES, "UTF8_STRING": RwfType.UTF8,
    "DATE": RwfType.DATE, "TIME": RwfType.TIME, "DATETIME": RwfType.DATETIME, "BUFFER": RwfType.BUFFER,
    **dict.fromkeys(
        ("ARRAY", "QOS", "STATE", "OPAQUE", "XML", "JSON", "ANSI_PAGE", "MSG", "FIELD_LIST", "ELEMENT_LIST",
         "FILTER_LIST", "MAP", "VECTOR", "SERIES", "UNKNOWN"),
        RwfType.OTHER,
    ),
}  # fmt: skip
"""By the name that stands in RDMFieldDictionary."""

TEXTS = frozenset({RwfType.ASCII, RwfType.RMTES, RwfType.UTF8})
WHOLE = frozenset({RwfType.INT, RwfType.UINT})
FRACTIONS = frozenset({RwfType.REAL, RwfType.FLOAT, RwfType.DOUBLE})
TIMES = frozenset({RwfType.DATE, RwfType.TIME, RwfType.DATETIME})
