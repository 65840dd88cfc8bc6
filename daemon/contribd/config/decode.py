"""A file's bytes as text; what is not UTF-8 is told, and read as far as it goes."""

import codecs
import re
from typing import Final

from contribd.config.codes import FileCode
from contribd.config.nodes import Mark, Report

_UTF_16: Final = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BREAKS: Final = re.compile("[\x85\u2028\u2029]")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_OLD_MAC: Final = re.compile(r"\r(?!\n)")


def decoded(content: bytes, report: Report) -> str:
    """Text without a byte order mark, its lines separated by line feeds alone or with a carriage return."""
    source = _text(content, report)
    if "\r" in source:
        source = _OLD_MAC.sub("\n", source)
    for pattern in (_CONTROL, _BREAKS):
        if pattern.search(source):
            source = _blanked(source, pattern, report)
    return source


def _text(content: bytes, report: Report) -> str:
    for mark, encoding in _UTF_16:
        if content.startswith(mark):
            cure = "save the file as UTF-8"
            report(Mark(0, 1, 1), "the file is UTF-16; expected UTF-8", FileCode.ENCODING, cure)
            return content[len(mark) :].decode(encoding, "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
        byte = content[error.start : error.start + 1]
        meant = byte.decode("cp1252", "replace")
        hint = f" (in Windows-1252 it is {meant})" if meant.isprintable() and meant != "\ufffd" else ""
        text = f"byte 0x{byte[0]:02x} is not UTF-8{hint}"
        report(_place(before, len(before)), text, FileCode.ENCODING, "save the file as UTF-8")
        # What was meant is most likely what the other encoding has there: one character for each byte.
        return content.decode("utf-8-sig", "replace")


def _blanked(source: str, pattern: re.Pattern[str], report: Report) -> str:
    match = pattern.search(source)
    if match:
        mark = _place(source, match.start())
        text = f"not YAML: a character not allowed, and not to be seen (U+{ord(match[0]):04X})"
        report(mark, text, FileCode.CHARACTER, "remove it", Mark(0, mark.line, mark.column + 1))
    return pattern.sub(" ", source)


def _place(source: str, index: int) -> Mark:
    return Mark(index, source.count("\n", 0, index) + 1, index - source.rfind("\n", 0, index))
