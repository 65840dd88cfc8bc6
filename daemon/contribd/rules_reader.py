"""Reading the configuration anew for a reload, in a thread of its own; and what of it is in force."""

import threading
from collections.abc import Callable, Iterable
from random import SystemRandom
from typing import Final

from contribd import __version__, build
from contribd.config.errors import ConfigError, Problem
from contribd.config.files_read import changed_since
from contribd.config.load import Loaded, inspect
from contribd.config.model import Settings
from contribd.config.takeover import TakenOver, configuration_file, take_over
from contribd.ops.log import add_secret, get_logger, mask
from contribd.reloads import Planned, Read, Ready

MOST_PROBLEMS: Final = 1_000
LONGEST_PROBLEM: Final = 1_000
"""Problems that are told, and characters of each: an answer is bounded."""

SHOWN_DIGEST: Final = 12

_log = get_logger("reload")


class RulesReader:
    """Knows the configuration in force. ``in_force`` is replaced by one assignment: any thread may look at it.

    Nothing else holds an earlier one: its memory is free once it is replaced.
    """

    def __init__(
        self,
        loaded: Loaded,
        heartbeat: float,
        emit: Callable[[Read], None],
        follow: Callable[[Settings], None] = lambda _settings: None,
    ) -> None:
        """``heartbeat``: seconds between two of this member. ``emit``: the worker's mailbox. ``follow``: called in the
        worker's thread with the settings in force, where they are others."""
        self.in_force = loaded
        self._heartbeat = heartbeat
        self._emit = emit
        self._follow = follow

    @property
    def digest(self) -> str:
        """Of what is in force."""
        return self.in_force.digest

    def begin(self, number: int, plan: Planned | None) -> None:
        """Reads the files anew; a ``Read`` with this number follows, whatever happens."""
        threading.Thread(target=self._run, args=(number, plan), name="reload", daemon=True).start()

    def _run(self, number: int, plan: Planned | None) -> None:
        try:
            read = self._read(number, plan)
        except ConfigError as error:
            read = self._refused(number, error.problems)
        except Exception as error:  # noqa: BLE001 - whatever it is, the rules in force stay and the answer says so
            _log.exception("the files could not be read anew, which is a fault of contribd: report it")
            read = Read(number, False, f"nothing changed: a fault of contribd: {error!r}", self.digest, self.digest)
        self._emit(read)

    def _read(self, number: int, plan: Planned | None) -> Read:
        in_force = self.in_force
        if plan is not None and plan.version != __version__:
            text = f"the plan was made by contribd {plan.version}, and this is {__version__}: plan again"
            return self._not_done(number, text)
        if plan is not None and plan.against != in_force.digest:
            text = f"the plan compared with rules {_short(plan.against)}, which are not in force: plan again"
            return self._not_done(number, text)
        found = inspect(configuration_file(in_force))
        if changed := changed_since(found.read):
            return self._not_done(number, f"{changed} was written while the files were read: ask again")
        for secret in found.secrets:
            add_secret(secret)
        taken = take_over(found, in_force)
        for secret in taken.loaded.secrets:
            add_secret(secret)
        if plan is not None and plan.candidate != taken.file_digest:
            now = _short(taken.file_digest)
            return self._not_done(number, f"the files are not those that were planned (their digest is {now} now)")
        return self._compared(number, taken, in_force)

    def _not_done(self, number: int, why: str) -> Read:
        text = f"nothing changed: {why}; rules {_short(self.digest)} stay in force"
        return Read(number, False, text, self.digest, self.digest)

    def _compared(self, number: int, taken: TakenOver, in_force: Loaded) -> Read:
        loaded = taken.loaded
        waits = f"; until a restart stay as they are: {', '.join(taken.restart)}" if taken.restart else ""
        settings, explain = loaded.settings, loaded.answers.explain
        rules = None
        if loaded.digest != in_force.digest:
            rules = build.new_rules(loaded, self._heartbeat, SystemRandom())
            text = (
                f"rules {_short(loaded.digest)} are in force, in place of {_short(in_force.digest)}: "
                f"{_count(len(loaded.mapper.mappings), 'mapping')}, {_count(len(loaded.cases), 'test')} passed{waits}"
            )
        elif loaded.answers.entries != in_force.answers.entries:
            text = f"the known answers were taken anew, rules {_short(loaded.digest)} stay in force{waits}"
        else:
            text = f"nothing has changed, rules {_short(loaded.digest)} stay in force{waits}"
        ready = Ready(rules, explain, settings.ads.ack_timeout, lambda: self._put_in_force(loaded))
        return Read(number, True, text, loaded.digest, in_force.digest, taken.restart, ready=ready)

    def _put_in_force(self, loaded: Loaded) -> None:
        self.in_force = loaded
        self._follow(loaded.settings)

    def _refused(self, number: int, problems: Iterable[Problem]) -> Read:
        lines = [mask(_line(problem))[:LONGEST_PROBLEM] for problem in problems]
        text = f"nothing changed: {_count(len(lines), 'problem')}; rules {_short(self.digest)} stay in force"
        if len(lines) > MOST_PROBLEMS:
            lines[MOST_PROBLEMS:] = [f"and {len(lines) - MOST_PROBLEMS} more: see contribd check"]
        return Read(number, False, text, self.digest, self.digest, problems=tuple(lines))


def _line(problem: Problem) -> str:
    """As ``contribd check`` words it, in one line."""
    return " ".join(f"{problem}{f' [{problem.code}]' if problem.code else ''}".splitlines())


def _short(digest: str) -> str:
    return digest[:SHOWN_DIGEST]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
