"""What this process leaves for an audit beside results: its rules at each start and reload, and its events.

Theory of operation
===================

Whatever is said here goes to a thread of its own (``streams/audit_topics.py``); nobody waits for it, and nothing fails
because it does. Without topics for it, nothing is kept.

A rules record is what another process needs to map by the same rules (``config/rules.py``), under their digest. It has
no secrets: the settings are masked, and of files only those of mappings and the dictionary are in it.
"""

import socket
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from contribd import __version__
from contribd.audit.events import Event, EventKind, encode_event
from contribd.config.rules import Rules, rules_document
from contribd.ops.log import get_logger
from contribd.ops.snapshot import ClockView, ReloadView
from contribd.orders import Order
from contribd.reloads import LOGGED_PROBLEMS
from contribd.streams.audit_topics import AuditTopics
from contribd.streams.client.settings import KafkaSettings

_log = get_logger("audit")


class AuditTrail:
    """Called in the worker's thread, and by those that ask it."""

    def __init__(self, settings: KafkaSettings, topics: AuditTopics | None, rules: Callable[[], Rules]) -> None:
        """``topics``: None where nothing is kept; ``rules``: those in force now."""
        self._rules_topic, self._events_topic = settings.rules_topic, settings.events_topic
        self._instance, self._topics, self._rules = settings.instance, topics, rules
        self._kept = ""
        """The digest of the rules kept last."""
        self._synchronised: bool | None = None
        self.threads = [] if topics is None else [threading.Thread(target=topics.run, name="audit", daemon=True)]

    def start(self) -> None:
        """This process begins."""
        for thread in self.threads:
            thread.start()
        self._keep_rules()
        self._tell(EventKind.START)

    def reloaded(self, reload: ReloadView) -> None:
        """A reload was answered; whether it put other rules in force shows in these."""
        if reload.ok:
            self._keep_rules()
        answer = " | ".join((reload.text, *reload.errors[:LOGGED_PROBLEMS]))
        self._tell(EventKind.RELOAD, by=str(reload.by), done=reload.ok, answer=answer)

    def ordered(self, order: Order, by: str, answer: str, *, done: bool | None) -> None:
        """Somebody gave an order here, and was answered. ``done``: whether it holds, None where nobody knows yet."""
        what, reason = str(order), order.reason
        self._tell(EventKind.ORDER, order=what, by=str(by), reason=reason, done=done, answer=answer)

    def clock(self, clock: ClockView) -> None:
        """The state of the host's clock, as often as somebody looks; an event where it is another one."""
        if clock.synchronized != self._synchronised:
            self._synchronised = clock.synchronized
            self._tell(EventKind.CLOCK, clock=clock)

    def stop(self) -> None:
        """This process ends; what is left is written, for a bounded time."""
        self._tell(EventKind.STOP)
        if self._topics is not None:
            self._topics.stop()

    def _keep_rules(self) -> None:
        rules = self._rules()
        if self._topics is not None and self._rules_topic is not None and rules.digest != self._kept:
            self._kept = rules.digest
            self._topics.keep(self._rules_topic, rules.digest.encode(), rules_document(rules, __version__).encode())

    def _tell(self, kind: EventKind, *, clock: ClockView | None = None, **details: Any) -> None:
        if self._topics is None or self._events_topic is None:
            return
        event = Event(
            event=kind,
            id=str(uuid4()),
            at=datetime.now(UTC),
            instance=self._instance,
            host=socket.gethostname(),
            version=__version__,
            config=self._rules().digest,
            clock=None if clock is None else asdict(clock),
            **details,
        )
        try:
            written = encode_event(event)
        except Exception:  # noqa: BLE001 - whatever it is, the order holds and the daemon goes on
            _log.exception("an event cannot be written, which is a fault of contribd: report it", event_kind=kind.value)
            return
        self._topics.keep(self._events_topic, self._instance.encode(), written)
