"""Every state and every allowed change of state, in one place. An unknown pair is a defect and raises."""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import Final, NoReturn, TypeVar

_State = TypeVar("_State", bound=Enum)
_Event = TypeVar("_Event", bound=Enum)


class ImpossibleTransition(RuntimeError):
    """A state met an event it has no rule for: a defect in contribd."""


class Transitions(dict[tuple[_State, _Event], _State]):
    """The state after an event, by (state, event). Raises ``ImpossibleTransition`` where there is no such pair."""

    def __init__(self, machine: str, table: Mapping[tuple[_State, _Event], _State]) -> None:
        super().__init__(table)
        self._machine = machine

    def __missing__(self, pair: tuple[_State, _Event]) -> NoReturn:
        state, event = pair
        raise ImpossibleTransition(f"{self._machine}: {event.name} while {_named(state)}")


def _named(state: Enum) -> str:
    return state.value if isinstance(state, StrEnum) else state.name


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

SESSION_TRANSITIONS: Final = Transitions(
    "session",
    {
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
    },
)


class InstrumentState(Enum):
    """One RIC of one service, and so the price at its head.

    idle: nothing to post. ready: its next post may go. in flight: a post awaits its answer. backing off: a retry, or a
    post that would come too soon after the one before, waits for its time. committing: the result of an answered price,
    or of one given up or paused, is not yet durable, and until it is, nothing newer may be posted (a crash now would
    bring back that price, after the newer one).
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
    HELD = auto()
    DUE = auto()
    SETTLED = auto()
    UNSETTLED = auto()
    COMMITTED = auto()
    FORGOTTEN = auto()

    __hash__ = object.__hash__


_I, _V = InstrumentState, InstrumentEvent

INSTRUMENT_TRANSITIONS: Final = Transitions(
    "instrument",
    {
        (_I.IDLE, _V.QUEUED): _I.READY,
        (_I.IDLE, _V.UNSETTLED): _I.COMMITTING,  # of prices that were settled out of their turn
        (_I.READY, _V.SENT): _I.IN_FLIGHT,
        (_I.READY, _V.EMPTIED): _I.IDLE,
        (_I.READY, _V.HELD): _I.BACKING_OFF,
        (_I.IN_FLIGHT, _V.RETRY): _I.BACKING_OFF,
        (_I.IN_FLIGHT, _V.SETTLED): _I.COMMITTING,
        (_I.READY, _V.SETTLED): _I.COMMITTING,  # given up without a post
        (_I.BACKING_OFF, _V.SETTLED): _I.COMMITTING,
        (_I.IN_FLIGHT, _V.FORGOTTEN): _I.IDLE,
        (_I.BACKING_OFF, _V.DUE): _I.READY,
        (_I.BACKING_OFF, _V.EMPTIED): _I.IDLE,
        (_I.COMMITTING, _V.COMMITTED): _I.IDLE,
        (_I.COMMITTING, _V.FORGOTTEN): _I.IDLE,
    },
)


class IsolationState(StrEnum):
    """Why an instrument's posts go by themselves.

    in doubt: one was in flight when a session ended. offender: one ended a session with nothing else in flight. silent:
    one got no answer in time. watched: an offender whose post was answered since.
    """

    IN_DOUBT = "in doubt"
    OFFENDER = "offender"
    SILENT = "silent"
    WATCHED = "watched"


class IsolationEvent(Enum):
    """What is learned of it."""

    LOST = auto()
    CONVICTED = auto()
    UNANSWERED = auto()
    ANSWERED = auto()

    __hash__ = object.__hash__


_Y, _Z = IsolationState, IsolationEvent

ISOLATION_TRANSITIONS: Final = Transitions(
    "isolation",
    {
        (_Y.IN_DOUBT, _Z.LOST): _Y.IN_DOUBT,
        (_Y.SILENT, _Z.LOST): _Y.IN_DOUBT,
        (_Y.OFFENDER, _Z.LOST): _Y.OFFENDER,
        (_Y.WATCHED, _Z.LOST): _Y.WATCHED,
        (_Y.IN_DOUBT, _Z.CONVICTED): _Y.OFFENDER,
        (_Y.OFFENDER, _Z.CONVICTED): _Y.OFFENDER,
        (_Y.WATCHED, _Z.CONVICTED): _Y.OFFENDER,
        (_Y.IN_DOUBT, _Z.UNANSWERED): _Y.SILENT,
        (_Y.SILENT, _Z.UNANSWERED): _Y.SILENT,
        (_Y.OFFENDER, _Z.UNANSWERED): _Y.SILENT,
        (_Y.WATCHED, _Z.UNANSWERED): _Y.SILENT,
        (_Y.IN_DOUBT, _Z.ANSWERED): _Y.WATCHED,
        (_Y.SILENT, _Z.ANSWERED): _Y.WATCHED,
        (_Y.OFFENDER, _Z.ANSWERED): _Y.WATCHED,
        (_Y.WATCHED, _Z.ANSWERED): _Y.WATCHED,
    },
)


class PriceState(Enum):
    """One price, or the blanks that withdraw one.

    waiting: not posted, or to be posted again. in flight: part of a post that is not answered yet. settled: nothing
    more is done about it, whether its result is written here or its partition's next owner takes it again.
    """

    WAITING = auto()
    IN_FLIGHT = auto()
    SETTLED = auto()

    __hash__ = object.__hash__


class PriceEvent(Enum):
    """What moves a price."""

    SENT = auto()
    RETRY = auto()
    SETTLED = auto()

    __hash__ = object.__hash__


_P, _W = PriceState, PriceEvent

PRICE_TRANSITIONS: Final = Transitions(
    "price",
    {
        (_P.WAITING, _W.SENT): _P.IN_FLIGHT,
        (_P.IN_FLIGHT, _W.RETRY): _P.WAITING,
        (_P.WAITING, _W.SETTLED): _P.SETTLED,
        (_P.IN_FLIGHT, _W.SETTLED): _P.SETTLED,
    },
)


class TrackerState(Enum):
    """One assigned partition.

    catching up: its records are taken and none is posted, since an earlier owner may have posted what comes next.
    taking: they are posted. stopping: no more are taken or posted, since it is being revoked or the daemon stops; what
    is in flight is awaited. closed: it is revoked, and nothing of it may be written any more.
    """

    CATCHING_UP = auto()
    TAKING = auto()
    STOPPING = auto()
    CLOSED = auto()


class TrackerEvent(Enum):
    """What moves a partition's tracker."""

    CAUGHT_UP = auto()
    STOP = auto()
    CLOSE = auto()


_T, _U = TrackerState, TrackerEvent

TRACKER_TRANSITIONS: Final = Transitions(
    "offset tracker",
    {
        (_T.CATCHING_UP, _U.CAUGHT_UP): _T.TAKING,
        (_T.CATCHING_UP, _U.STOP): _T.STOPPING,
        (_T.TAKING, _U.STOP): _T.STOPPING,
        (_T.STOPPING, _U.STOP): _T.STOPPING,  # the daemon stops, and then the partition is revoked
        (_T.STOPPING, _U.CLOSE): _T.CLOSED,
    },
)

JOINT_STATES: Final = frozenset(
    {
        (_I.READY, _P.WAITING, _T.TAKING),
        (_I.READY, _P.WAITING, _T.STOPPING),  # the blanks of a stop
        (_I.IN_FLIGHT, _P.IN_FLIGHT, _T.TAKING),
        (_I.IN_FLIGHT, _P.IN_FLIGHT, _T.STOPPING),
        (_I.BACKING_OFF, _P.WAITING, _T.TAKING),
        (_I.BACKING_OFF, _P.WAITING, _T.STOPPING),  # the blanks of a stop
        (_I.COMMITTING, _P.SETTLED, _T.TAKING),
        (_I.COMMITTING, _P.SETTLED, _T.STOPPING),
        (_I.COMMITTING, _P.SETTLED, _T.CLOSED),  # its transaction was being written when the partition was revoked
    }
)
"""What an instrument, the price at its head and the tracker of that price's partition may be at the same time.

The head is the price to post next, in flight, or whose result is not durable. An instrument that is ready or backing
off may have none left, where all its prices expired while they waited; one that is idle does not exist.
"""
