"""The rules that results name, by their digest: those at hand, and those that a rules topic or files have kept."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from contribd.config.errors import ConfigError
from contribd.config.load import load
from contribd.config.rebuild import NotRules, rebuilt
from contribd.config.rules import Rules
from contribd.mapping.mapper import Mapper
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.topic_reader import TopicReader, opened_reader, partitions_of

MOST: Final = 32
"""Sets of rules that are kept compiled."""


class RulesError(Exception):
    """Rules cannot be read; the text says why, and what to do."""


class RulesBook:
    """Gives the mapper of a digest. ``notes`` says what must be known of how it came to be.

    It can be pickled. What it is made anew of in another process are the documents, and the files of the rules at hand:
    mappers are compiled there when they are asked for.
    """

    def __init__(self, at_hand: Iterable[Rules] = ()) -> None:
        rules = list(at_hand)
        self._files = {each.digest: Path(each.name).absolute() for each in rules}
        self._at_hand = {each.digest: each.mapper for each in rules}
        self._mappers: dict[str, Mapper | None] = {}
        self._documents: dict[str, Mapping[str, Any]] = {}
        self.notes: list[str] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return RulesBook._anew, (self._files, self._documents)

    @classmethod
    def _anew(cls, files: dict[str, Path], documents: dict[str, Mapping[str, Any]]) -> Self:
        book = cls()
        book._files, book._documents = files, documents
        return book

    def add(self, document: Mapping[str, Any]) -> None:
        """What ``rules.rules_document`` made, of any digest."""
        self._documents[str(document.get("digest"))] = document

    def document(self, digest: str) -> Mapping[str, Any] | None:
        """What was added of this digest; None where nothing was."""
        return self._documents.get(digest)

    def mapper(self, digest: str) -> Mapper | None:
        """By these rules; None where nobody has them, or they cannot be put together here. Raises ``RulesError``."""
        if digest in self._files:
            if digest not in self._at_hand:
                self._at_hand[digest] = _read_again(self._files[digest], digest)
            return self._at_hand[digest]
        if digest not in self._mappers:
            if len(self._mappers) >= MOST:
                del self._mappers[next(iter(self._mappers))]
            self._mappers[digest] = self._rebuilt(digest)
        else:
            self._mappers[digest] = self._mappers.pop(digest)  # the one used last is forgotten last
        return self._mappers[digest]

    def _rebuilt(self, digest: str) -> Mapper | None:
        document = self._documents.get(digest)
        if document is None:
            return None
        try:
            rules = rebuilt(document, f"rules {digest}")
        except NotRules as error:
            self.note(f"rules {digest}: {error}")
            return None
        if rules.notes:  # what is put together is not what the digest stands for: it proves nothing
            for note in rules.notes:
                self.note(f"rules {digest}: {note}")
            return None
        return rules.mapper

    def note(self, text: str) -> None:
        """Something that must be known, told once."""
        if text not in self.notes:
            self.notes.append(text)


def _read_again(file: Path, digest: str) -> Mapper:
    """The rules of a configuration that another process of this command has read. Raises ``RulesError``."""
    try:
        rules = load(file).rules
    except ConfigError as error:
        text = f"{file} cannot be read a second time, as another process must: {error}; with --jobs 1 none does"
        raise RulesError(text) from error
    if rules.digest != digest:
        raise RulesError(f"{file}, or a file that it names, has changed since the command began: start it again")
    return rules.mapper


def read_documents(
    settings: KafkaSettings, topic: str, strange: Callable[[str], None] = lambda _text: None
) -> Iterator[dict[str, Any]]:
    """What a rules topic has kept, the last of each digest last; ``strange`` is told of what are no rules.

    Raises ``RulesError``.
    """
    with opened_reader(settings, RulesError) as consumer:
        partitions = partitions_of(consumer, topic)
        if not partitions:
            raise RulesError(f"there is no topic {topic}, or it may not be read; check rules_topic and its rights")
        starts, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        reader = TopicReader(consumer, _values)
        for key, value in reader.bounded(starts, ends, lambda _record: 0):
            if value is None:
                continue
            try:
                yield document_of(value, f"{topic}, key {key}")
            except RulesError as error:
                strange(str(error))


def read_file(file: Path) -> dict[str, Any]:
    """What ``contribd rules show --json`` printed into a file. Raises ``RulesError``."""
    try:
        return document_of(file.read_bytes(), str(file))
    except OSError as error:
        raise RulesError(f"{file} cannot be read: {error.strerror}") from error


def document_of(value: bytes, place: str) -> dict[str, Any]:
    """Raises ``RulesError`` where it is none."""
    try:
        document = json.loads(value)
    except ValueError as error:
        raise RulesError(f"{place}: no rules: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("digest"), str):
        raise RulesError(f"{place}: no rules: expected an object with a digest")
    return document


def _values(records: Sequence[Any]) -> list[tuple[str, bytes | None]]:
    return [((each.key or b"").decode(errors="replace"), each.value) for each in records]
