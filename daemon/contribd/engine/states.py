"""Every state and every allowed change of state, in one place. An unknown pair is a defect and raises."""

from enum import Enum, StrEnum, auto
from typing import Final


class SessionState(StrEnum):
    """The ADS session.

    disconnected → connecting → logging in → waiting for service → open, and back to disconnected from any of them;
    moving posts nothing new until every answer is in, and then goes to another endpoint. draining does the same before
    the end; closed is the end.
    """

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    LOGGING_IN = "logging in"
    WAITING_FOR_SERVICE = "waiting for service"
    OPEN = "open"
    MOVING = "moving"
    DRAINING = "draining"
    CLOSED = "closed"


class SessionEvent(Enum):
    """What moves the session."""

    CONNECT = auto()
    CONNECTED = auto()
    LOGIN_OPEN = auto()
    SERVICE_UP = auto()
    SERVICE_DOWN = auto()
    MOVE = auto()
    LOST = auto()
    DRAIN = auto()
    CLOSE = auto()


_S, _E = SessionState, SessionEvent

SESSION_TRANSITIONS: Final = {
    (_S.DISCONNECTED, _E.CONNECT): _S.CONNECTING,
    (_S.CONNECTING, _E.CONNECTED): _S.LOGGING_IN,
    (_S.LOGGING_IN, _E.LOGIN_OPEN): _S.WAITING_FOR_SERVICE,
    (_S.WAITING_FOR_SERVICE, _E.SERVICE_UP): _S.OPEN,
    (_S.OPEN, _E.SERVICE_DOWN): _S.WAITING_FOR_SERVICE,
    (_S.WAITING_FOR_SERVICE, _E.MOVE): _S.MOVING,
    (_S.OPEN, _E.MOVE): _S.MOVING,
    (_S.CONNECTING, _E.LOST): _S.DISCONNECTED,
    (_S.LOGGING_IN, _E.LOST): _S.DISCONNECTED,
    (_S.WAITING_FOR_SERVICE, _E.LOST): _S.DISCONNECTED,
    (_S.OPEN, _E.LOST): _S.DISCONNECTED,
    (_S.MOVING, _E.LOST): _S.DISCONNECTED,
    (_S.DRAINING, _E.LOST): _S.CLOSED,
    (_S.DISCONNECTED, _E.DRAIN): _S.CLOSED,
    (_S.CONNECTING, _E.DRAIN): _S.CLOSED,
    (_S.LOGGING_IN, _E.DRAIN): _S.CLOSED,
    (_S.WAITING_FOR_SERVICE, _E.DRAIN): _S.DRAINING,
    (_S.OPEN, _E.DRAIN): _S.DRAINING,
    (_S.MOVING, _E.DRAIN): _S.DRAINING,
    (_S.DRAINING, _E.CLOSE): _S.CLOSED,
}


class InstrumentState(Enum):
    """One RIC of one service, and so the price at its head.

    idle: nothing to post. ready: its next post may go. in flight: a post awaits its answer. backing off: a retry
    waits for its time. committing: an answered price's result is not yet durable, and until it is, nothing newer may
    be posted (a crash now would repeat the answered price, after the newer one).
    """

    IDLE = auto()
    READY = auto()
    IN_FLIGHT = auto()
    BACKING_OFF = auto()
    COMMITTING = auto()

    __hash__ = object.__hash__
    """Members are told apart by identity; Enum's own hash is Python code, and every record pays for it repeatedly."""


class InstrumentEvent(Enum):
    """What moves an instrument."""

    QUEUED = auto()
    EMPTIED = auto()
    SENT = auto()
    RETRY = auto()
    DUE = auto()
    SETTLED = auto()
    COMMITTED = auto()
    FORGOTTEN = auto()

    __hash__ = object.__hash__


_I, _V = InstrumentState, InstrumentEvent

INSTRUMENT_TRANSITIONS: Final = {
    (_I.IDLE, _V.QUEUED): _I.READY,
    (_I.READY, _V.SENT): _I.IN_FLIGHT,
    (_I.READY, _V.EMPTIED): _I.IDLE,
    (_I.IN_FLIGHT, _V.RETRY): _I.BACKING_OFF,
    (_I.IN_FLIGHT, _V.SETTLED): _I.COMMITTING,
    (_I.IN_FLIGHT, _V.FORGOTTEN): _I.IDLE,
    (_I.BACKING_OFF, _V.DUE): _I.READY,
    (_I.BACKING_OFF, _V.EMPTIED): _I.IDLE,
    (_I.COMMITTING, _V.COMMITTED): _I.IDLE,
    (_I.COMMITTING, _V.FORGOTTEN): _I.IDLE,
}


class ImpossibleTransition(RuntimeError):
    """A state met an event it has no rule for: a defect in contribd."""


def next_session(state: SessionState, event: SessionEvent) -> SessionState:
    """The state after ``event``. Raises ``ImpossibleTransition`` where the table has no such pair."""
    try:
        return SESSION_TRANSITIONS[state, event]
    except KeyError:
        raise ImpossibleTransition(f"session: {event.name} while {state.value}") from None


def next_instrument(state: InstrumentState, event: InstrumentEvent) -> InstrumentState:
    """The state after ``event``. Raises ``ImpossibleTransition`` where the table has no such pair."""
    try:
        return INSTRUMENT_TRANSITIONS[state, event]
    except KeyError:
        raise ImpossibleTransition(f"instrument: {event.name} while {state.name}") from None
