"""Every key of the configuration, with its default. Durations are seconds here and ``15s`` in the file."""

import socket
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from contribd.config.addresses import Brokers, Endpoints, IPv4, Listen, ProxyAddress, TokenUrl, split_host
from contribd.config.types import (
    Duration,
    File,
    Flag,
    NakCodes,
    Rate,
    Secret,
    SocketPath,
    StartFrom,
    Text,
    TextOrNumber,
    Texts,
    Topic,
    Topics,
    Whole,
    expected,
)
from contribd.tls import TlsFiles


class Section(BaseModel):
    """A section of the file. One that is left empty (``log:``) has its defaults."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return {} if value is None else value


class Kafka(Section):
    """Where prices are read and results written."""

    bootstrap_servers: Brokers = Field(description="Kafka brokers to start from, host:port; text or a list")
    group_id: Text = Field(default="contribd", description="The consumer group")
    prices: Topics = Field(default=("prices",), description="The topic, or list of topics, that prices are read from")
    results: Topic = Field(default="contribution-results", description="The topic that gets one result a record")
    rejects: Topic | None = Field(default=None, description="A topic for the untouched input of every REJECTED record")
    start_from: StartFrom = Field(
        default="latest",
        description="Where to start in a partition for which the group has no committed offset: latest, earliest, a "
        "time (ISO 8601 with its zone), or refuse (exit code 78 rather than guess)",
    )
    client: dict[str, Any] = Field(
        default_factory=dict,
        repr=False,
        description="Any further kafka-python setting: security_protocol, sasl_mechanism, ssl_cafile",
    )


class PostUser(Section):
    """PostUserInfo of every post."""

    address: IPv4 | None = Field(default=None, description="IPv4 address of the poster; default: the login's position")
    id: Annotated[int, Whole(0, 2**32 - 1)] | None = Field(
        default=None, description="Numeric user of the poster; default: application_id"
    )


class UserAuth(Section):
    """Login by user name, as an ADS on the premises takes it."""

    type: Literal["user"] = "user"


class PasswordGrant(Section):
    """Login with a token of the version 1 service (OAuth 2.0 password grant)."""

    type: Literal["password-grant"]
    token_url: TokenUrl = Field(description="Address of the token service")
    client_id: Text = Field(description="The application key")
    username: Text = Field(description="The machine account")
    password: Secret = Field(description="Its password")
    scope: Text = Field(default="trapi", description="The scope asked for")


class ClientCredentials(Section):
    """Login with a token of the version 2 service (OAuth 2.0 client credentials)."""

    type: Literal["client-credentials"]
    token_url: TokenUrl = Field(description="Address of the token service")
    client_id: Text = Field(description="The service account")
    client_secret: Secret = Field(description="Its secret")
    scope: Text = Field(default="trapi.streaming.pricing.read", description="The scope asked for")


Auth = Annotated[UserAuth | PasswordGrant | ClientCredentials, Field(discriminator="type")]


class Tls(Section):
    """For wss endpoints. Paths are relative to the configuration file."""

    ca_file: File | None = Field(default=None, description="PEM file of authorities to trust; default: the system's")
    cert_file: File | None = Field(default=None, description="PEM file of the client's certificate")
    key_file: File | None = Field(default=None, description="PEM file of its key, where it is not in cert_file")
    key_password: Secret | None = Field(default=None, description="Pass phrase of the key, where it has one")

    def files(self) -> TlsFiles:
        """As a connection takes them."""
        password = self.key_password.get_secret_value() if self.key_password else None
        return TlsFiles(self.ca_file, self.cert_file, self.key_file, password)


DIRECT: Final = "direct"
"""In place of a proxy: none, whatever the environment says."""


class HttpProxy(Section):
    """An HTTP proxy on the way to the endpoints and the token service, asked to CONNECT."""

    address: ProxyAddress = Field(description="host:port of the proxy")
    user: Text | None = Field(default=None, description="Its user, where it wants one")
    password: Secret | None = Field(default=None, description="Its password")

    @property
    def place(self) -> tuple[str, int] | None:
        """Host and port; None for no proxy at all."""
        if self.address == DIRECT:
            return None
        place = split_host(self.address)
        if place is None:
            raise ValueError("the address was not checked")
        return place


def _proxy(value: Any) -> Any:
    if value == DIRECT:
        return HttpProxy.model_construct(address=DIRECT)
    if not isinstance(value, dict | None):
        raise expected("a section with address, or direct for none, or null for the environment's")
    return value


def _or_direct(schema: dict[str, Any]) -> None:
    schema["anyOf"].append({"const": DIRECT})


class Reconnect(Section):
    """Exponential, with jitter."""

    first: Duration = Field(default=1.0, description="Wait before the first try again")
    max: Duration = Field(default=60.0, description="Longest wait")


class Ads(Section):
    """The ADS, and how it is posted to."""

    endpoints: Endpoints = Field(description="WebSocket endpoints in order of preference")
    service: Text = Field(description="The service posted to where a mapping names none")
    user: Text = Field(default="contribd", description="The login's user name")
    application_id: TextOrNumber = Field(default="256", description="The login's application id")
    position: Text | None = Field(
        default=None, description="The login's position; default: this end's address of the connection"
    )
    post_user: PostUser = Field(default_factory=PostUser, description="PostUserInfo of every post")
    auth: Auth = Field(default_factory=UserAuth, description="How to log in: user, password-grant, client-credentials")
    tls: Tls = Field(default_factory=Tls, description="Certificates for wss endpoints")
    proxy: Annotated[HttpProxy | None, BeforeValidator(_proxy)] = Field(
        default=None,
        description="HTTP proxy to go through: address, user, password; direct: none; null: the environment's, if any",
        json_schema_extra=_or_direct,
    )
    login_timeout: Duration = Field(default=10.0, description="Longest wait for the login's answer")
    reconnect: Reconnect = Field(default_factory=Reconnect, description="Waits between tries to connect")
    wait_for_service: Flag = Field(
        default=True, description="Post only while the ADS says the service is Up; false: do not ask it"
    )
    service_down_limit: Duration | None = Field(
        default=30.0, description="A service down for this long: another endpoint is tried; null: never"
    )
    return_after: Duration | None = Field(
        default=300.0, description="A preferred endpoint reachable for this long is gone back to; null: never"
    )
    ack_timeout: Duration = Field(default=15.0, description="A post without an answer by then is retried or UNANSWERED")
    max_outstanding: Annotated[int, Whole(1, 50_000)] = Field(
        default=500, description="Posts sent and not yet answered"
    )
    pack: Annotated[int, Whole(1, 1000)] = Field(default=20, description="At most this many posts in one frame")
    max_rate: Rate | None = Field(default=None, description="Posts a second over the session; null: no limit")
    rmtes_escape: Literal["json", "raw"] | None = Field(
        default=None, description="How this ADS takes the escapes of fields as: rmtes; null: none are posted"
    )


class Retry(Section):
    """Which refused posts are posted again, and when."""

    attempts: Annotated[int, Whole(1, 100)] = Field(default=3, description="The most posts a price gets; 1: none again")
    first: Duration = Field(default=0.5, description="Wait before the second post")
    max: Duration = Field(default=10.0, description="Longest wait")
    codes: NakCodes = Field(
        default=("NoResources", "NoResponse", "GatewayDown", "SourceDown", "NotOpen"),
        description="NakCodes worth another post: names, or numbers for those without",
    )


class Withdraw(Section):
    """When blanks are posted for the fields that mappings list under ``withdraw``, so that no stale quote stays."""

    on_stop: Flag = Field(
        default=False, description="On a clean stop: every quote of its partitions, a former owner's too"
    )
    silent_after: Duration | None = Field(
        default=None,
        description="An input partition without a record for this long: every quote posted from it; null: never",
    )

    @property
    def wanted(self) -> bool:
        """Whether anything is ever withdrawn."""
        return self.on_stop or self.silent_after is not None


class Contribution(Section):
    """How prices become posts."""

    conflate: Flag = Field(default=True, description="Newer values of a waiting instrument merge into its next post")
    max_age: Duration | None = Field(
        default=None,
        description="A price older than this, by its Kafka timestamp, is not posted: EXPIRED. One stamped in the "
        "future is as old as its arrival",
    )
    stale_after: Duration | None = Field(
        default=None,
        description="A RIC that had a record, and none for this long, is shown as silent, and counted; null: never",
    )
    retry: Retry = Field(default_factory=Retry, description="Posting again after a refusal")
    create_missing: Flag = Field(default=False, description="Answer the NAK for an unknown item with one Refresh post")
    withdraw: Withdraw = Field(default_factory=Withdraw, description="Blanks in place of quotes that nobody keeps up")


class Dictionary(Section):
    """The vendor's field dictionary. Paths are relative to the configuration file."""

    fields: File | None = Field(
        default=None,
        description="RDMFieldDictionary: mappings are checked, and values converted, by their fields' types",
    )
    enums: File | None = Field(
        default=None, description="enumtype.def: the values and display texts of enumerated fields"
    )


class Http(Section):
    """Metrics, health and the status page."""

    listen: Listen | None = Field(default="127.0.0.1:9820", description="host:port; null: off")

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port to listen on, or None."""
        return split_host(self.listen) if self.listen else None


class Control(Section):
    """Orders: the socket that takes them (``contribd pause``, ``reload``, ``resume``, ``skip``), and what they need."""

    socket: SocketPath | None = Field(
        default="auto",
        description="auto: in $RUNTIME_DIRECTORY or $XDG_RUNTIME_DIR, named by instance; else its path; null: off",
    )
    group: Text | None = Field(
        default=None, description="A group whose members may give orders, too; null: this user and root"
    )
    topic: Topic | None = Field(
        default=None,
        description="A compacted topic that keeps what was ordered, for every instance of the group; null: an order "
        "holds for one process, until it ends",
    )
    resume_approvals: Annotated[int, Whole(1, 5)] = Field(
        default=1, description="How many different users have to order that something is resumed"
    )


class Results(Section):
    """What a result holds of its record."""

    input: Literal["digest", "include"] = Field(
        default="digest",
        description="digest: SHA-256 of the record's value; include: that, and the value itself in base64",
    )


class Log(Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="The least that is logged")
    format: Literal["auto", "journald", "console", "json"] = Field(
        default="auto", description="auto: journald under systemd, console on a terminal, JSON otherwise"
    )


def _off(value: Any) -> Any:
    return {"listen": None} if value is None else value


class Settings(Section):
    """The whole configuration. ``model_dump(mode="json")`` masks secrets, but not those in ``kafka.client``."""

    instance: Text = Field(
        default_factory=socket.gethostname,
        description="Names this process in results and metrics; default: the host name",
    )
    kafka: Kafka = Field(description="Where prices are read and results written")
    ads: Ads = Field(description="The ADS, and how it is posted to")
    contribution: Contribution = Field(default_factory=Contribution, description="How prices become posts")
    mappings: Texts = Field(
        default=("mappings/*.yaml",), description="Mapping files, relative to this one; may hold * and ?"
    )
    dictionary: Dictionary = Field(default_factory=Dictionary, description="The vendor's field dictionary")
    answers: File | None = Field(
        default=None, description="The site's own table of known answers, tried before the one that comes with contribd"
    )
    http: Annotated[Http, BeforeValidator(_off)] = Field(
        default_factory=Http, description="Metrics, health, status page; null: off"
    )
    control: Control = Field(default_factory=Control, description="Orders to the running daemon")
    results: Results = Field(default_factory=Results, description="What a result holds of its record")
    rules_topic: Topic | None = Field(
        default=None, description="A compacted topic that keeps the rules behind each digest; null: nobody keeps them"
    )
    events_topic: Topic | None = Field(
        default=None, description="A topic of what happened beside results: starts, stops, orders; null: there is none"
    )
    log: Log = Field(default_factory=Log, description="What is logged, and how")
