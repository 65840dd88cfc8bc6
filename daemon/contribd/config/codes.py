"""The stable numbers of what can be wrong with a file: docs/errors.md explains each.

A number is never used for anything else. Y1xx YAML itself, C1xx configuration, and the keys and kinds of values of
mapping files; what else mappings can have wrong is in contribd.mapping.codes.
"""

from contribd.mapping.codes import Code, MistakeCode


class FileCode(MistakeCode):
    """What can be wrong with a file as YAML, and with a configuration."""

    # The file.
    UNREADABLE = "Y101", "The file cannot be read"
    ENCODING = "Y102", "The file is not UTF-8"
    CHARACTER = "Y103", "A character that cannot be seen, or that YAML does not allow"
    BOUND = "Y104", "The file is too large, or nested too deeply"
    EMPTY = "Y105", "The file is empty"

    # Quotes, braces, and text without quotes.
    QUOTE = "Y110", "A quote is not closed"
    BRACKET = "Y111", "A brace or bracket is not closed, or closes nothing"
    AFTER_QUOTE = "Y112", "Something follows a text in quotes"
    AFTER_BRACE = "Y113", "Something follows a section in { } or a list in [ ]"
    BRACES = "Y114", "Text in braces without quotes is a section for YAML"
    INSIDE = "Y115", "Text inside { } or [ ] ends at a comma, brace or bracket"
    COLON = "Y116", "Text without quotes holds ': '"
    FIRST = "Y117", "Text without quotes begins with a character that means something else in YAML"
    HASH = "Y118", "Text without quotes ends at ' #'"
    ESCAPE = "Y119", "An unknown escape in double quotes"
    SMART_QUOTE = "Y120", "Quotes of a word processor"

    # Lines.
    TAB = "Y130", "A tab in the indentation"
    INDENTATION = "Y131", "A line is indented too deeply, or not deeply enough"
    NO_SPACE = "Y132", "A space is missing after ':' or '-'"
    NO_COLON = "Y133", "A key without ':'"
    NO_DASH = "Y134", "'- ' is missing, or stands where no list is"
    ITEM_INLINE = "Y135", "A list begins on the line of its key"

    # Keys, and what YAML has that is not supported here.
    DUPLICATE = "Y140", "A key stands twice in one section"
    KEY = "Y141", "A key that is not text"
    TAG = "Y142", "Tags are not supported"
    ALIAS = "Y143", "An alias without its anchor"
    MERGE = "Y144", "<< takes sections"
    DOCUMENT = "Y145", "A second document in a file"
    NUMBER = "Y146", "A number with an exponent that is too large"
    OTHER = "Y199", "Not YAML"

    # Keys and kinds of values, in the configuration and in mapping files.
    UNKNOWN_KEY = "C101", "An unknown key"
    MISSING_KEY = "C102", "A key that must be given is missing"
    KIND = "C103", "A value of another kind: a list, a section, text, a number, true or false"
    VALUE = "C104", "A value that is not what was expected"
    BOOLEAN = "C105", "A word that YAML 1.1 takes for true or false"

    # Variables, and files that are named.
    VARIABLE = "C110", "A variable, or a file of a secret, that cannot be read"
    MAPPING_VARIABLE = "C111", "A variable in a mapping file"
    NO_MAPPINGS = "C112", "A name or pattern of mapping files that matches no file"
    FILE = "C113", "A file that is named cannot be read"
    CERTIFICATE = "C114", "A certificate, a key or its pass phrase cannot be used"

    # Between keys.
    CONTRADICTION = "C120", "Keys that contradict each other, or have no effect"
    KAFKA_CLIENT = "C121", "A setting of kafka.client that cannot be made"


def meanings() -> dict[str, str]:
    """What each number means, in a line."""
    return {code.value: code.meaning for kinds in (FileCode, Code) for code in kinds}
