"""Dictionary files for tests: a small pair, and one as large as the vendor's, all made up but for names and types."""

from contribd.dictionary.dictionary import Dictionary
from contribd.dictionary.enums_file import parse_enums
from contribd.dictionary.fields_file import parse_fields

FIELDS = b"""\
! A comment.
!tag Filename     RDMFieldDictionary
!tag Type         1
!tag Version      1.0.0
!
!ACRONYM    DDE ACRONYM          FID  RIPPLES TO  FIELD TYPE     LENGTH  RWF TYPE   RWF LEN
RDNDISPLAY  "DISPLAYTEMPLATE"       2  NULL        INTEGER             3  UINT64           1
DSPLY_NAME  "DISPLAY NAME"          3  NULL        ALPHANUMERIC       16  RMTES_STRING    16
TIMACT      "TIME OF UPDATE"        5  NULL        TIME                5  TIME             5
TRDPRC_1    "LAST"                  6  TRDPRC_2    PRICE              17  REAL64           7
!
! What this says is a comment too.
!
PRCTCK_1    "TICK:UP/DOWN"         14  NULL        ENUMERATED     2 ( 1 )  ENUM             1
CURRENCY    "CURRENCY"             15  NULL        ENUMERATED     5 ( 3 )  ENUM             2
ACTIV_DATE  "ACTIVE DATE"          17  NULL        DATE               11  DATE             4
BID         "BID"                  22  BID_1       PRICE              17  REAL64           7
BID_1       "BID 1"                23  NULL        PRICE              17  REAL64           7
ASK         "ASK"                  25  NULL        PRICE              17  REAL64           7
BIDSIZE     "BID SIZE"             30  NULL        INTEGER            15  REAL64           7
MID_PRICE   "MID PRICE"           134  NULL        PRICE              17  REAL64           7
ROW64_1     "MONROW 1"            215  NULL        ALPHANUMERIC       64  RMTES_STRING    64
ROW64_2     "MONROW 2"            216  NULL        ALPHANUMERIC       64  RMTES_STRING    64
ROW64_3     "MONROW 3"            217  NULL        ALPHANUMERIC       64  RMTES_STRING    64
ROW64_10    "MONROW 10"           224  NULL        ALPHANUMERIC       64  RMTES_STRING    64
ROW64_TIME  "MONROW TIME"         225  NULL        TIME                5  TIME             5
ROW80_1     "IRGROW 1"            315  NULL        ALPHANUMERIC       80  RMTES_STRING    80
SEG_FORW    "FORWARD TAKE"        260  NULL        ALPHANUMERIC       14  ASCII_STRING    14
CTBTR_1     "CONTRIBUTOR 1"       831  NULL        ALPHANUMERIC       16  RMTES_STRING    16
QUOTIM      "QUOTE TIME"         1025  NULL        TIME_SECONDS        8  TIME             5
TICK_1      "TICK ONE"           3111  NULL        ENUMERATED     2 ( 1 )  ENUM             1
QUOTIM_NS   "QUOTE TIME NS"      9001  NULL        INTEGER            16  TIME             8
QUOTED_AT   "QUOTED AT"          9002  NULL        NONE               30  DATETIME         9
TRADE_ID    "TRADE ID"           9003  NULL        INTEGER            20  UINT64           8
FIVE_BYTES  "FIVE BYTES"         9004  NULL        INTEGER            13  UINT64           5
CHANGES     "CHANGES"            9005  NULL        INTEGER            15  INT64            6
ONE_BYTE    "ONE BYTE"           9006  NULL        INTEGER             4  INT32            1
RAW         "RAW"                9007  NULL        BINARY             32  BUFFER           4
RATIO       "RATIO"              9008  NULL        PRICE              17  DOUBLE           8
NOTE        "NOTE"               9009  NULL        ALPHANUMERIC        8  UTF8_STRING      8
MANY        "MANY"               9010  NULL        NONE                0  ARRAY            0
NO_TABLE    "NO TABLE"           9011  NULL        ENUMERATED     3 ( 3 )  ENUM             1
MINUTES     "MINUTES"            9012  NULL        TIME                5  TIME             2
SECONDS     "SECONDS"            9013  NULL        TIME                8  TIME             3
MICROS      "MICROSECONDS"       9014  NULL        TIME               15  TIME             7
NO_LIMIT    "NO LIMIT"           9015  NULL        ALPHANUMERIC        0  RMTES_STRING     0
NO_LIMIT_B  "NO LIMIT, BYTES"    9016  NULL        BINARY              0  BUFFER           0
OWN_FIELD   "OWN"                 -17  NULL        PRICE              17  REAL64           7
"""

ENUMS = b"""\
!tag Filename     ENUMTYPE.001
!tag Type         2
!
! ACRONYM    FID
! -------    ---
CURRENCY     15
!
! VALUE      DISPLAY   MEANING
     0      "   "     not specified
   124      "CAD"     Canadian dollar
   826      "GBP"     pound "sterling"
   840      "USD"     US dollar
   978      "EUR"     euro
   991      "XX "     one
   992      "XX"      another that is displayed alike
   993      #C2A3#    pounds, as UTF-8
!
! ACRONYM    FID
PRCTCK_1     14
TICK_1     3111
! VALUE      DISPLAY   MEANING
      0         " "    no tick
      1        #DE#    up
      2        #FE#    down
      5         "U"    up, in words
      6        " -"    a dash
      7        "- "    another, at the start
      8      " USD "   with spaces at both ends
"""


def sample() -> Dictionary:
    """The small pair."""
    return made(FIELDS, ENUMS)


def made(fields: bytes, enums: bytes = b"") -> Dictionary:
    """Of two files without a mistake."""
    parsed, tables = parse_fields(fields), parse_enums(enums) if enums else None
    assert parsed.problems == []
    assert tables is None or tables.problems == []
    return Dictionary(parsed.fields, parsed.by_fid, tables.owners if tables is not None else {})


def full_size(fields: int = 16_000, tables: int = 1_000, values: int = 20) -> tuple[bytes, bytes]:
    """Files as large as the vendor's, with as many comments; four tables in a hundred have ten times the values."""
    types = ("REAL64           7", "RMTES_STRING    32", "UINT64           4", "DATE             4")
    lines = ["!tag Type 1"]
    owners: list[str] = []
    for number in range(1, fields + 1):
        name = f"FIELD_{number}"
        if number % 8 == 0:
            owners.append(f"{name:14}{number:6}")
            typed = "ENUMERATED     5 ( 3 )  ENUM             2"
        else:
            typed = f"PRICE              17  {types[number % 4]}"
        lines += [
            f'{name:14} "FIELD NUMBER {number}"{number:8}  NULL        {typed}',
            "!",
            f"! What {name} is for.",
            "!",
        ]
    blocks = ["!tag Type 2"]
    share = max(1, len(owners) // tables)
    for number in range(tables):
        blocks += ["!", "! ACRONYM    FID", *owners[number * share : (number + 1) * share], "! VALUE DISPLAY MEANING"]
        many = values * 10 if number % 25 == 0 else values
        blocks += [f'{value:7}      "V{value:05}"   what value {value} means' for value in range(many)]
    return "\n".join(lines).encode(), "\n".join(blocks).encode()
