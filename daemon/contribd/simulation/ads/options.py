"""How a simulated ADS behaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from contribd.simulation.ads.field_values import FIELDS, FieldKind
from contribd.simulation.ads.ric_rules import Rule

DEFAULT_MAX_MSG_SIZE = 61430
DEFAULT_PING_TIMEOUT = 30.0
REFUSED_USER, PENDING_USER, UNANSWERED_USER = "refused", "pending", "unanswered"
"""Names (or tokens) whose login is refused, already pending, or never answered, whatever the options say."""


class LoginProfile(StrEnum):
    """What a login gets: `SUSPECT` is a Refresh that is Open/Suspect, `SILENT` no answer at all."""

    OPEN = "open"
    SUSPECT = "suspect"
    REFUSED = "refused"
    SILENT = "silent"


class Profile(StrEnum):
    """What a post that cannot be converted gets; in each case the rest of its frame is lost without a word.

    `ERRORS`: an Error message, as an ADS sends. `SILENT`: nothing. `CLOSING`: the connection closes with 1000, and of
    the answers to that frame only the first has left.
    """

    ERRORS = "errors"
    SILENT = "silent"
    CLOSING = "closing"


Omitted = Literal["MaxMsgSize", "PingTimeout", "SupportOMMPost"]


@dataclass(frozen=True, slots=True)
class AdsOptions:
    """Times in seconds, sizes in bytes, shares from 0 to 1."""

    services: tuple[str, ...] = ("TRCC",)
    """Their ids count from 8090."""
    login: LoginProfile = LoginProfile.OPEN
    relogin_pause: float = 0.0
    """A login sooner than this after the user's last connection ended is refused: Already pending login."""
    omit: frozenset[Omitted] = frozenset()
    """What the login Refresh leaves out."""
    posting: bool = True
    """SupportOMMPost of the login Refresh; posts are taken either way."""
    max_msg_size: int = DEFAULT_MAX_MSG_SIZE
    enforce_max_msg_size: bool = False
    """A larger frame closes the connection and is lost whole; the vendor's provider only advertises the size."""
    ping_timeout: float | None = DEFAULT_PING_TIMEOUT
    """A Ping every third of it; the connection closes after twice of it without traffic. ``None``: neither."""
    profile: Profile = Profile.ERRORS
    nak_unknown_services: bool = False
    """A service name that does not exist is a Nak, as real servers were seen to answer; else an Error."""
    ack_service_names: bool = False
    """Acks name the service; else they carry its number, as the vendor's provider does."""
    fields: Mapping[str, FieldKind] | None = field(default_factory=lambda: FIELDS)
    """The dictionary, by field name and by FID as text. ``None``: every field and value is taken."""
    rules: tuple[Rule, ...] = ()
    items_unknown: bool = False
    """Every item is unknown until a Refresh post has created it."""
    delay: float = 0.0
    """Of every answer to a post; the order is kept."""
    pack_answers: int = 1
    """At most this many Acks in one frame."""
    drop: float = 0.0
    """The share of answers to posts that are never sent."""
    duplicate: float = 0.0
    """The share of answers to posts that are sent twice."""
    cut_every: int | None = None
    """Cut the connection without a word at every so manieth post, which is taken and not answered."""
    record: bool = True
    """Keep every post taken in `SimulatedAds.posts`; without it only their number."""


class Posted(NamedTuple):
    """One post the server took (``answer``: Ack, Nak or None), in order of arrival over all connections."""

    sequence: int
    connection: int
    post_id: int | None
    ric: str
    service: str | int | None
    type: str | None
    fields: Mapping[str, Any]
    answer: str


class LoginSeen(NamedTuple):
    """A login request: ``kind`` is ``login``, or ``reissue`` for one that asked for no Refresh (a renewed token)."""

    kind: Literal["login", "reissue"]
    name: str | None
    elements: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """The end of a connection by the server; ``code`` ``None`` is a cut without a close frame."""

    code: int | None
    reason: str = ""
