"""Reloads: the files are taken anew, from the order for it to its answer. The worker's part.

Theory of operation
===================

Asked. By the control socket or by SIGHUP, through the worker's mailbox. One goes on at a time; the others wait their
turn, each with a time of its own, after which it is answered that nothing was done.

Read. Files, tables, field dictionary and tests are read, checked and run in a thread of its own (``rules_reader``),
which says by a ``Read`` what came of it. Where anything is wrong, or nothing has changed, that is the answer.

In force. Where commits name the rules in force (those that make several posts of a record), no commit may name them
while records are mapped by others: see ``engine/records/partition_rules.py``. So the source is told first that commits
of the partitions it announces are to name none (``follow_rules``); whatever it had announced before is in the mailbox
then, and is handled before the next round of this. The engine has commits written that name none. Once these are
durable, the new rules are put in force by one event of the engine, between two records, and with them, before anything
else happens in this thread: what results name them by, and how the source names them.

Kafka is away. Where commits name no rules, nothing of this needs Kafka. Else nothing changes within the time, and the
old rules are named again: ``KeepRules``.

On any error the old rules stay. What is in force is told in the answer, a line of the log and the status.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from contribd.answers.table import Explain
from contribd.engine.clock import Now
from contribd.engine.engine import Engine
from contribd.engine.events import KeepRules, NewRules, PrepareRules
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.ops.log import get_logger
from contribd.ops.snapshot import ReloadView
from contribd.orders import Answer

RELOAD_SECONDS: Final = 60.0
"""How long a reload may take, with the wait for others before it. systemd gives ``systemctl reload`` 90 s."""

POLL_SECONDS: Final = 0.02
"""Between two looks whether the source announces nothing by the old rules any more, and whether there is more to do."""

LOGGED_PROBLEMS: Final = 20
"""So many are in the log's line; the answer and the status have all of them."""

ENDS_PAUSES: Final = "it would end pauses; resume what they name first, or pause what takes its place by RIC"

SIGHUP: Final = "SIGHUP"
"""Who asked, where it was a signal: nobody knows who sent it."""

_log = get_logger("reload")


class Planned(NamedTuple):
    """What a saved plan compared: the digest of the files planned, that of the rules in force, the version that did."""

    candidate: str
    against: str
    version: str


class ReloadOrder(NamedTuple):
    """Take the files anew; with ``plan``, only where both sides are those that were planned."""

    plan: Planned | None = None


@dataclass(frozen=True, slots=True)
class ReloadAsked:
    """Such an order, and who waits for its answer. ``by``: the caller, as the kernel knows it (a ``Caller``), or
    SIGHUP."""

    order: ReloadOrder
    by: str
    answer: Callable[[Answer], None]


class Ready(NamedTuple):
    """What may be put in force."""

    rules: NewRules | None
    """None: those in force stay."""
    explain: Explain
    """What is known of answers."""
    ack_timeout: float
    """Seconds."""
    put_in_force: Callable[[], None]
    """Called once the engine has them, for all that is not the engine's."""


class Read(NamedTuple):
    """What came of reading the files. ``ready``: what they say, None where nothing is to be put in force.

    ``problems``: each in a line; where there are any, or ``done`` is False, nothing changes. ``restart``: settings that
    differ and stay as they are until one. ``digest``: of what is in force in the end; ``before``: of what was.
    """

    number: int
    done: bool
    text: str
    digest: str
    before: str
    restart: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    ready: Ready | None = None


class RulesSource(Protocol):
    """The source, as reloads use it."""

    def follow_rules(self, rules: str | None) -> bool: ...
    def remember(self, mappings: frozenset[str]) -> None: ...


class ReadsRules(Protocol):
    """What reads the files: ``begin`` returns at once, and a ``Read`` of this number comes to the mailbox."""

    @property
    def digest(self) -> str: ...

    def begin(self, number: int, plan: Planned | None) -> None: ...


@dataclass(slots=True)
class _Pending:
    asked: ReloadAsked
    until: float


class Reloads:
    """Those under way. Belongs to the worker's thread."""

    def __init__(
        self, engine: Engine, source: RulesSource, results: ResultEncoder, follow_timeout: Callable[[float], None]
    ) -> None:
        """``follow_timeout``: takes ``ads.ack_timeout``, in seconds."""
        self._engine, self._source, self._results = engine, source, results
        self._follow_timeout = follow_timeout
        self._reader: ReadsRules | None = None
        self._waiting: deque[_Pending] = deque()
        self._number = 0
        self._reading = False
        self._current: _Pending | None = None
        """The one that goes on; None where it was too late and is still being read."""
        self._read: Read | None = None
        """What is to be put in force."""
        self._source_follows = False
        self.last: ReloadView | None = None
        """What came of the last one."""
        self.ended: Callable[[ReloadView], None] = lambda _view: None
        """Told what came of each."""

    def read_by(self, reader: ReadsRules) -> None:
        """Without a reader, nothing can be reloaded."""
        self._reader = reader

    def take(self, asked: ReloadAsked, now: Now) -> None:
        """A reload was asked for."""
        self._waiting.append(_Pending(asked, now.mono + RELOAD_SECONDS))

    def follow(self, now: Now) -> None:
        """What can be done by now; called in each round, after all events."""
        if not self._waiting and self._current is None:
            return
        if self._engine.stopping:
            self._refuse_all("the daemon is stopping", now)
            return
        self._refuse_late(now)
        if self._read is not None:
            self._put_in_force(self._read, now)
        if self._current is None and not self._reading and self._waiting:
            self._begin(self._waiting.popleft(), now)

    def wake_at(self, now: Now) -> float:
        """The monotonic time at which there is something to do; infinite where there is none."""
        if self._read is not None and not (self._source_follows and self._engine.rules.untold):
            return now.mono + POLL_SECONDS
        pending = [*self._waiting, *([] if self._current is None else [self._current])]
        return min((each.until for each in pending), default=float("inf"))

    def _begin(self, pending: _Pending, now: Now) -> None:
        if self._reader is None:
            self._answer(pending, Read(0, False, "nothing can be reloaded here", "", ""), now)
            return
        self._current, self._reading = pending, True
        self._number += 1
        self._reader.begin(self._number, pending.asked.order.plan)

    def read(self, read: Read, now: Now) -> None:
        """The files were read."""
        self._reading = False
        if self._current is None:  # that was too late
            return
        if read.ready is None:
            self._end(read, now)
            return
        self._read = read
        self._source_follows = read.ready.rules is None or self._engine.rules.names.commits is None
        if not self._source_follows:
            self._engine.handle(PrepareRules(), now)

    def _put_in_force(self, read: Read, now: Now) -> None:
        if not self._source_follows:
            # What it announced by the old rules is in the mailbox once this is true, and is handled before the next.
            self._source_follows = self._source.follow_rules(None)
        elif read.ready is not None and not self._engine.rules.untold:
            if (rules := read.ready.rules) is not None:
                if ending := self._would_end(rules):
                    self._call_off(now)
                    self._end(self._refusal(ENDS_PAUSES)._replace(problems=ending), now)
                    return
                self._change_rules(rules, now)
            self._results.change_answers(read.ready.explain)
            self._follow_timeout(read.ready.ack_timeout)
            read.ready.put_in_force()
            self._end(read, now)

    def _would_end(self, rules: NewRules) -> tuple[str, ...]:
        """What is paused and would be posted again."""
        names = [mapping.name for mapping in rules.mapper.mappings]
        return tuple(self._engine.pauses.would_end(names, rules.mapper.desks))

    def _change_rules(self, rules: NewRules, now: Now) -> None:
        self._engine.handle(rules, now)
        self._results.change_rules(rules.names)
        self._source.follow_rules(rules.names.commits)
        self._source.remember(rules.mapper.remembering)

    # The end of one

    def _refuse_late(self, now: Now) -> None:
        for pending in [each for each in self._waiting if now.mono >= each.until]:
            self._waiting.remove(pending)
            self._answer(pending, self._refusal(f"others took longer than {RELOAD_SECONDS:.0f} s; ask again"), now)
        if self._current is not None and now.mono >= self._current.until:
            what = "Kafka takes no commits" if self._read is not None else "reading the files"
            self._call_off(now)
            self._end(self._refusal(f"it took longer than {RELOAD_SECONDS:.0f} s: {what}; ask again"), now)

    def _refuse_all(self, why: str, now: Now) -> None:
        self._call_off(now)
        if self._current is not None:
            self._end(self._refusal(why), now)
        while self._waiting:
            self._answer(self._waiting.popleft(), self._refusal(why), now)

    def _refusal(self, why: str) -> Read:
        digest = "" if self._reader is None else self._reader.digest
        return Read(0, False, f"nothing changed: {why}", digest, digest)

    def _call_off(self, now: Now) -> None:
        """The rules in force stay so."""
        if self._read is None:
            return
        self._read = None
        self._engine.handle(KeepRules(), now)
        self._source.follow_rules(self._engine.rules.names.commits)

    def _end(self, read: Read, now: Now) -> None:
        pending, self._current, self._read = self._current, None, None
        if pending is not None:
            self._answer(pending, read, now)

    def _answer(self, pending: _Pending, read: Read, now: Now) -> None:
        """The one end of every reload, taken or refused: whoever has to know of it is told here."""
        by = pending.asked.by
        self.last = ReloadView(now.wall / 1e6, by, read.done, read.digest, read.text, read.problems, read.restart)
        _tell(by, read)
        self.ended(self.last)
        pending.asked.answer(Answer(read.done, read.text, details_of(read)))

    def leave(self, now: Now) -> None:
        """The daemon ends."""
        self._refuse_all("the daemon has stopped", now)


def details_of(read: Read) -> Mapping[str, Any]:
    """What an answer says beside its text."""
    changed = read.ready is not None and read.ready.rules is not None
    return {
        "digest": read.digest,
        "changed": changed,
        "restart": list(read.restart),
        "problems": list(read.problems),
    }


def _tell(by: str, read: Read) -> None:
    facts = {"needs_restart": ", ".join(read.restart)} if read.restart else {}
    if read.done:
        _log.info(f"reloaded: {read.text}", by=by, digest=read.digest, **facts)
        return
    if read.problems:
        more = len(read.problems) - LOGGED_PROBLEMS
        shown = [*read.problems[:LOGGED_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]
        facts["problems"] = " | ".join(shown)
    _log.error(f"not reloaded: {read.text}", by=by, digest=read.digest, **facts)
