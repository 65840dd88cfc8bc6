"""What a reload takes over of files that were read anew, and what stays as it is until a restart.

Theory of operation
===================

Every setting is in one of two tables: ``TAKEN_OVER`` or ``RESTART``. A configuration that was read anew becomes what is
to be in force by putting the values of ``RESTART`` back to those in force. Its digest is of that: of what holds, not of
what the file says. So two daemons, one that was reloaded and one that was started anew, have the same digest only where
they contribute by the same rules.

What stays may contradict what is new, though the files by themselves are right. Then nothing is taken over.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import BaseModel

from contribd.config.digest import digest_of
from contribd.config.errors import ConfigError, Problem
from contribd.config.failed_tests import failed_tests
from contribd.config.load import Inspected, Loaded
from contribd.config.model import Settings

TAKEN_OVER: Final = (
    "mappings",
    "dictionary",
    "answers",
    "ads.service",
    "ads.ack_timeout",
    "ads.pack",
    "ads.max_rate",
    "ads.rmtes_escape",
    "contribution.max_age",
    "contribution.stale_after",
    "contribution.retry",
    "contribution.create_missing",
    "contribution.withdraw",
    "log.level",
)
"""What holds from a reload on. A name stands for all that is below it."""

RESTART: Final[Mapping[str, str]] = {
    "instance": "it names this process to Kafka, and its socket",
    "rules_topic": "its producer is made once",
    "events_topic": "its producer is made once",
    "kafka": "the consumer and the producer are made once; what stands in files and credentials is read at each login",
    "ads.endpoints": "the session is made once",
    "ads.user": "the session is made once",
    "ads.application_id": "the session is made once",
    "ads.position": "the session is made once",
    "ads.post_user": "the session is made once",
    "ads.auth": "the session is made once",
    "ads.tls": "the session is made once",
    "ads.proxy": "the session is made once",
    "ads.login_timeout": "the session is made once",
    "ads.reconnect": "the session is made once",
    "ads.wait_for_service": "the session is made once",
    "ads.service_down_limit": "the session is made once",
    "ads.return_after": "the session is made once",
    "ads.max_outstanding": "the window of posts in flight is made once",
    "contribution.conflate": "prices that were posted merged would be posted one by one, older ones after newer ones",
    "http": "its socket is made once",
    "control": "its socket is made once, and its topic followed from the start",
    "results": "all results of a run hold the same of their records",
    "log.format": "whoever reads the log expects one format",
}
"""What stays until a restart, and why."""

_Model = TypeVar("_Model", bound=BaseModel)


class TakenOver(NamedTuple):
    """What is to be in force. ``restart``: settings that differ and stay as they were, by their dotted names."""

    loaded: Loaded
    restart: tuple[str, ...]
    file_digest: str
    """Of the files as they are: what ``contribd check`` and ``contribd plan`` say."""


def take_over(found: Inspected, in_force: Loaded) -> TakenOver:
    """What a configuration that was read anew comes to in a process that goes by another one.

    Raises ConfigError with every problem, tests that fail among them.
    """
    read = found.loaded()
    restart = tuple(_differing(read, in_force))
    settings, shown = read.settings, copy.deepcopy(read.rules.settings)
    for name in RESTART:
        path = name.split(".")
        settings = _with_value(settings, path, _value(in_force.settings, path))
        _put(shown, path, in_force.rules.settings)
    digest = digest_of(shown, found.mappings.data, found.dictionary.digest)
    loaded = replace(
        read,
        settings=settings,
        digest=digest,
        kafka_client=in_force.kafka_client,
        rules=read.rules._replace(settings=shown, digest=digest),
    )
    if problems := [*_contradictions(found, settings), *failed_tests(loaded)]:
        raise ConfigError(problems)
    return TakenOver(loaded, restart, read.digest)


def _contradictions(found: Inspected, settings: Settings) -> Iterator[Problem]:
    """What is right in the files, and wrong beside what stays as it is."""
    for path, text, _cure in found.beside_mappings(settings):
        name = ".".join(map(str, path))
        why = f"{text}; and {name} stays as it is until a restart"
        yield Problem(found.file, 1, 1, name, why, cure="Restart the daemon to take these files")


# Settings by their names


def _differing(read: Loaded, in_force: Loaded) -> Iterator[str]:
    """The settings that need a restart and differ, each as exactly as it can be named."""
    now, then = read.kafka_client.written, in_force.kafka_client.written
    reread = {f"kafka.client.{name}" for name, text in now.items() if then.get(name) == text}
    for name in RESTART:
        path = name.split(".")
        for each in _differences(name, _value(read.settings, path), _value(in_force.settings, path)):
            if each not in reread:
                yield each


def _differences(name: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, BaseModel) and type(one) is type(other):
        one, other = dict(one), dict(other)
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            yield from _differences(f"{name}.{key}", one.get(key), other.get(key))
    elif one != other:
        yield name


def _value(settings: Any, path: list[str]) -> Any:
    for name in path:
        settings = getattr(settings, name)
    return settings


def _with_value(section: _Model, path: list[str], value: Any) -> _Model:
    name, *below = path
    inner = _with_value(getattr(section, name), below, value) if below else value
    return section.model_copy(update={name: inner})


def _put(shown: dict[str, Any], path: list[str], of: Mapping[str, Any]) -> None:
    *above, last = path
    for name in above:
        shown, of = shown[name], of[name]
    shown[last] = of[last]


def configuration_file(loaded: Loaded) -> Path:
    """Where a configuration was read, and is read anew."""
    return loaded.files[0]
