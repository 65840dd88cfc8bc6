"""How keys and values become a section: each key once, each one text, merges last."""

from contribd.config.codes import FileCode
from contribd.config.nodes import Items, Node, Report, Scalar, Section
from contribd.config.scalars import Doubtful, NumberError, resolve
from contribd.mapping.numbers import key_text

MERGE = "<<"


def is_merge(key: Scalar) -> bool:
    """Whether it is YAML's merge key."""
    return key.text == MERGE and key.style is None


def add(section: Section, key: Scalar, value: Node, report: Report) -> None:
    """Add an entry; of a key given twice the first counts."""
    if not key.broken:
        key.broken = _doubt(key, report)
    if first := section.entries.get(key.text):
        text = f"duplicate key {key.text}; the first is on line {first[0].start.line}, column {first[0].start.column}"
        report(key.start, text, FileCode.DUPLICATE, "remove one of the two, or give it another name", key.end)
        return
    section.entries[key.text] = (key, value)


def merge(section: Section, key: Scalar, value: Node, report: Report) -> None:
    """Fill in what the section lacks from ``<<: *anchor``."""
    for source in value.items if isinstance(value, Items) else [value]:
        if isinstance(source, Section):
            section.size += source.size
            for name, entry in source.entries.items():
                section.entries.setdefault(name, entry)
        elif not (isinstance(source, Scalar) and source.broken):
            text = "<< takes a section or a list of sections, as in <<: *anchor"
            report(key.start, text, FileCode.MERGE, "write <<: *NAME, where &NAME stands before a section", key.end)


def _doubt(key: Scalar, report: Report) -> bool:
    """Tell of a key that is not text; whether it is one."""
    if key.style is not None:
        return False
    cure = f'write "{key.text}" in quotes'
    try:
        value = resolve(key.text)
    except NumberError as error:
        text = str(error).partition("; ")[0]
        report(key.start, f"key: {text}", FileCode.NUMBER, cure, key.end)
        return True
    if isinstance(value, Doubtful):
        report(key.start, f"key {key.text} is a boolean in YAML 1.1", FileCode.KEY, cure, key.end)
    elif value is None:
        text = "an empty key; expected text" + (', or "null" in quotes' if key.text else "")
        report(key.start, text, FileCode.KEY, "write the key before the ':'", key.end)
    elif not isinstance(value, str):
        found = str(value).lower() if isinstance(value, bool) else key_text(value)
        if found is not None and found != key.text:
            cure = f'write "{found}" in quotes, as a value that is none of text is looked up'
        report(key.start, f"key {key.text} is not text", FileCode.KEY, cure, key.end)
    return not isinstance(value, str) or isinstance(value, Doubtful)
