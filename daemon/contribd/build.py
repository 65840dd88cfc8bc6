"""From the configuration to the parts of the daemon."""

import socket
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from ipaddress import IPv4Address
from random import Random
from uuid import uuid4

from tenacity import RetryCallState, Retrying
from tenacity.wait import wait_exponential

from contribd import __version__
from contribd.ads.dialer import DialOptions
from contribd.ads.http_proxy import NO_PROXY, Proxy
from contribd.ads.own_address import usual_address
from contribd.ads.token_client import TokenAccount, TokenClient
from contribd.config.load import Loaded
from contribd.config.model import ClientCredentials, PasswordGrant, Settings, UserAuth
from contribd.config.reread import Reread
from contribd.config.rules import Rules, rules_document
from contribd.control.place import daemon_socket
from contribd.control.server import Ask, ControlServer
from contribd.engine.engine import Engine
from contribd.engine.event_log import EventLog
from contribd.engine.events import NewRules
from contribd.engine.limits import RULES_LENGTH
from contribd.engine.policy import (
    Backoff,
    ContributionPolicy,
    RetryPolicy,
    SessionPolicy,
    TokenKind,
    WithdrawPolicy,
)
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.engine.records.rule_names import RuleNames
from contribd.engine.session.endpoints import SLOW_FACTOR
from contribd.mapping.encode import RmtesEscape
from contribd.omm.post import PostEncoder, PostUserInfo
from contribd.omm.requests import Login
from contribd.ops.log import add_secret
from contribd.pausing.pause_orders import Myself
from contribd.streams.client.settings import KafkaSettings

JITTER = 0.5
"""The share of a wait that chance may take away: daemons cut off together do not come back together."""


def backoff(first: float, longest: float, rng: Random) -> Backoff:
    """Waits that double from ``first`` to ``longest`` seconds, each shortened by up to ``JITTER`` of itself."""
    wait = wait_exponential(multiplier=first, max=longest)

    def after(failures: int) -> float:
        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = failures
        return float(wait(state)) * (1 - JITTER * rng.random())

    return after


def encoder(settings: Settings) -> PostEncoder:
    """What encodes the posts."""
    return PostEncoder(post_user(settings), _escape(settings))


def engine(loaded: Loaded, client: KafkaSettings, rng: Random, log: EventLog) -> Engine:
    """The engine, set up by the configuration; ``client``: what the source and the sink have of it."""
    settings = loaded.settings
    return Engine(
        mapper=loaded.mapper,
        encoder=encoder(settings),
        contribution=_contribution(loaded, client.heartbeat_interval, rng),
        session=session(loaded, rng),
        rng=rng,
        log=log,
        names=rule_names(loaded),
        with_input=_with_input(settings),
    )


def _with_input(settings: Settings) -> bool:
    return settings.results.input == "include"


def new_rules(loaded: Loaded, heartbeat: float, rng: Random) -> NewRules:
    """What a reload puts in force; ``heartbeat``: seconds between two of this member."""
    return NewRules(
        mapper=loaded.mapper,
        names=rule_names(loaded),
        contribution=_contribution(loaded, heartbeat, rng),
        services=services(loaded),
        escape=_escape(loaded.settings),
    )


def rule_names(loaded: Loaded) -> RuleNames:
    """By what results and commits name the rules."""
    return RuleNames(loaded.digest, _rules(loaded))


def _escape(settings: Settings) -> RmtesEscape:
    return RmtesEscape(settings.ads.rmtes_escape or RmtesEscape.JSON)


def _rules(loaded: Loaded) -> str | None:
    """What commits and results name the rules by; None where they make one post of a record at most."""
    if not loaded.mapper.makes_several:
        return None
    return sha256(f"{__version__} {loaded.digest}".encode()).hexdigest()[:RULES_LENGTH]


def control(
    settings: Settings, environ: Mapping[str, str], ask: Ask, rules: Callable[[], Rules]
) -> ControlServer | None:
    """What takes orders; None where nothing is to, or nothing can. ``rules``: those in force."""
    path = daemon_socket(settings.control.socket, settings.instance, environ)
    if path is None or not hasattr(socket, "SO_PEERCRED"):
        return None  # Linux alone says who is at the other end of a socket
    return ControlServer(path, settings.control.group, ask, lambda: rules_document(rules(), __version__))


def myself(settings: Settings) -> Myself:
    """This process among those that follow the control topic."""
    return Myself(settings.instance, uuid4().hex)


def results(loaded: Loaded, client: KafkaSettings) -> ResultEncoder:
    """The encoder of this process's results."""
    return ResultEncoder(
        instance=loaded.settings.instance,
        version=__version__,
        config=loaded.digest,
        rules=client.rules or "",
        explain=loaded.answers.explain,
        with_input=_with_input(loaded.settings),
    )


def kafka(loaded: Loaded, rng: Random) -> KafkaSettings:
    """What the source and the sink need."""
    settings = loaded.settings
    given, reconnect = settings.kafka, settings.ads.reconnect
    wait = backoff(reconnect.first, reconnect.max, rng)
    return KafkaSettings(
        bootstrap_servers=tuple(given.bootstrap_servers),
        group_id=given.group_id,
        prices=tuple(given.prices),
        results=given.results,
        rejects=given.rejects,
        start_from=given.start_from,
        instance=settings.instance,
        client=given.client,
        reread=partial(_kafka_client_now, loaded.kafka_client),  # and not the rules: a reload replaces these
        login_wait=lambda refusals: SLOW_FACTOR * wait(refusals),
        rules=_rules(loaded),
        remembering=loaded.mapper.remembering,
        control=settings.control.topic,
        rules_topic=settings.rules_topic,
        events_topic=settings.events_topic,
    )


def _kafka_client_now(reread: Reread) -> dict[str, str]:
    values, secrets = reread.values()
    for secret in secrets:
        add_secret(secret)
    return values


def connection(settings: Settings) -> DialOptions:
    """What the connector needs."""
    tls = settings.ads.tls
    return DialOptions(settings.ads.login_timeout, tls.files(), _proxy(settings))


def tokens(settings: Settings) -> TokenClient | None:
    """The client of the token service; None where the login is a user's name."""
    auth = settings.ads.auth
    if isinstance(auth, PasswordGrant):
        account = TokenAccount(
            TokenKind.PASSWORD,
            auth.token_url,
            auth.client_id,
            auth.scope,
            auth.password.get_secret_value(),
            auth.username,
        )
    elif isinstance(auth, ClientCredentials):
        secret = auth.client_secret.get_secret_value()
        account = TokenAccount(TokenKind.CLIENT, auth.token_url, auth.client_id, auth.scope, secret)
    else:
        return None
    return TokenClient(account, timeout=settings.ads.login_timeout, proxy=_proxy(settings))


def _proxy(settings: Settings) -> Proxy | None:
    given = settings.ads.proxy
    if given is None:
        return None
    if given.place is None:
        return NO_PROXY
    host, port = given.place
    return Proxy(host, port, given.user or "", given.password.get_secret_value() if given.password else "")


def services(loaded: Loaded) -> tuple[str, ...]:
    """The services that mappings post to."""
    return tuple(dict.fromkeys(post.service for mapping in loaded.mapper.mappings for post in mapping.posts))


def poster(settings: Settings) -> str | None:
    """The address that posts name, as far as it is configured; else it is this end's of the connection.

    It must be an IPv4 one: the vendor's converter refuses every post else.
    """
    return settings.ads.post_user.address or _ipv4((settings.ads.position or "").partition("/")[0])


def post_user(settings: Settings) -> PostUserInfo:
    """PostUserInfo of every post, until a connection tells this end's address."""
    given, ads = settings.ads.post_user, settings.ads
    user_id = given.id if given.id is not None else int(ads.application_id)
    return PostUserInfo(poster(settings) or usual_address(), user_id)


def _ipv4(text: str) -> str | None:
    try:
        return str(IPv4Address(text))
    except ValueError:
        return None


def _contribution(loaded: Loaded, heartbeat: float, rng: Random) -> ContributionPolicy:
    given, ads = loaded.settings.contribution, loaded.settings.ads
    retry = given.retry
    return ContributionPolicy(
        conflate=given.conflate,
        max_age=None if given.max_age is None else round(given.max_age * 1_000_000),
        retry=RetryPolicy(retry.attempts, frozenset(retry.codes), backoff(retry.first, retry.max, rng)),
        create_missing=given.create_missing,
        ack_timeout=ads.ack_timeout,
        max_outstanding=ads.max_outstanding,
        pack=ads.pack,
        max_rate=ads.max_rate,
        withdraw=_withdraw(loaded, heartbeat),
    )


def _withdraw(loaded: Loaded, heartbeat: float) -> WithdrawPolicy:
    given = loaded.settings.contribution.withdraw
    fields = {mapping.name: mapping.withdraw for mapping in loaded.mapper.mappings if mapping.withdraw}
    return WithdrawPolicy(given.on_stop, given.silent_after, fields, heartbeat)


def session(loaded: Loaded, rng: Random) -> SessionPolicy:
    """How the ADS session is made and kept."""
    settings, ads = loaded.settings, loaded.settings.ads
    return SessionPolicy(
        endpoints=tuple(ads.endpoints),
        service=ads.service,
        login=Login(ads.user, str(ads.application_id), ads.position or ""),
        login_timeout=ads.login_timeout,
        backoff=backoff(ads.reconnect.first, ads.reconnect.max, rng),
        services=services(loaded),
        wait_for_service=ads.wait_for_service,
        service_down_limit=ads.service_down_limit,
        return_after=ads.return_after,
        tokens=None if isinstance(ads.auth, UserAuth) else TokenKind(ads.auth.type),
        poster=poster(settings),
    )
