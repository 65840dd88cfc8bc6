"""``contribd simulate``: the parts of the demo by themselves: a broker, an ADS, a pricing engine."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contribd.cli import EXIT_FAILED, EXIT_INTERRUPTED
from contribd.cli.simulate_engine import REPORT_SECONDS, Ended, produce, settings_of, tell
from contribd.simulation.ads.field_values import FIELDS
from contribd.simulation.ads.options import AdsOptions, LoginProfile, Profile
from contribd.simulation.ads.ric_rules import Rule, parse_nak_rule
from contribd.simulation.ads.server import AdsServer

if TYPE_CHECKING:
    from contribd.simulation.demo.pricing_engine import PricingEngine

app = typer.Typer(
    help="The parts of the demo by themselves: a broker, an ADS, a pricing engine.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


def _rules(naks: list[str]) -> tuple[Rule, ...]:
    try:
        return tuple(parse_nak_rule(each) for each in naks)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--nak") from None


@app.command()
def ads(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 15000,
    service: Annotated[list[str] | None, typer.Option(help="A service; repeat for more. Default: TRCC.")] = None,
    nak: Annotated[list[str] | None, typer.Option(help="PATTERN=CODE[:TEXT] refuses posts by RIC; repeatable.")] = None,
    items_unknown: Annotated[bool, typer.Option(help="Items do not exist until a Refresh post.")] = False,
    delay: Annotated[float, typer.Option(min=0, help="Milliseconds before each answer.")] = 0,
    drop: Annotated[float, typer.Option(min=0, max=1, help="Share of answers never sent.")] = 0,
    duplicate: Annotated[float, typer.Option(min=0, max=1, help="Share of answers sent twice.")] = 0,
    cut_every: Annotated[int | None, typer.Option(min=1, help="Cut the connection at every so many posts.")] = None,
    pack: Annotated[int, typer.Option(min=1, help="At most this many Acks in one frame.")] = 1,
    login: Annotated[LoginProfile, typer.Option(help="What a login gets.")] = LoginProfile.OPEN,
    login_refused: Annotated[bool, typer.Option(help="The same as --login refused.")] = False,
    profile: Annotated[Profile, typer.Option(help="What a post that cannot be converted gets.")] = Profile.ERRORS,
    max_msg_size: Annotated[int, typer.Option(min=1, help="Bytes, as the login Refresh says.")] = 61430,
    enforce_max_msg_size: Annotated[bool, typer.Option(help="Disconnect a client that sends more.")] = False,
    ping_timeout: Annotated[float, typer.Option(min=0, help="Seconds; 0: no pings.")] = 30,
    ack_service_names: Annotated[bool, typer.Option(help="Acks name the service, not its number.")] = False,
    check_fields: Annotated[bool, typer.Option(help="Refuse unknown fields and bad values.")] = True,
    seed: Annotated[int, typer.Option(help="Decides what is dropped or sent twice.")] = 0,
    control: Annotated[bool, typer.Option(help="Read orders from stdin, a line each: see above.")] = False,
    quiet: Annotated[bool, typer.Option(help="Say nothing but the address.")] = False,
) -> None:
    """Run a simulated ADS until it is ended.

    With --control it takes these lines on stdin, and answers each with ok or error: service up, down, notaccepting,
    refuse, accept or delete, with a NAME behind it where only that service is meant; login close, closerecover, suspect
    or ok; login refresh NAME=VALUE (MaxMsgSize, PingTimeout, SupportOMMPost); silent on or off; disconnect; delay MS;
    drop N and duplicate N, of the next answers; stray ID, an answer to a post that nobody made.
    """
    options = AdsOptions(
        services=tuple(service or ["TRCC"]),
        login=LoginProfile.REFUSED if login_refused else login,
        max_msg_size=max_msg_size,
        enforce_max_msg_size=enforce_max_msg_size,
        ping_timeout=ping_timeout or None,
        profile=profile,
        fields=FIELDS if check_fields else None,
        rules=_rules(nak or []),
        items_unknown=items_unknown,
        ack_service_names=ack_service_names,
        delay=delay / 1000,
        pack_answers=pack,
        drop=drop,
        duplicate=duplicate,
        cut_every=cut_every,
        record=False,
    )
    server = AdsServer(options, host=host, port=port, seed=seed)
    try:
        interrupted = asyncio.run(_serve(server, control=control, quiet=quiet))
    except OSError as error:
        typer.echo(f"cannot listen on {host}:{port}: {os.strerror(error.errno) if error.errno else error}", err=True)
        raise typer.Exit(EXIT_FAILED) from None
    if interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


async def _serve(server: AdsServer, *, control: bool, quiet: bool) -> bool:
    """Until SIGINT (True) or SIGTERM (False)."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[bool] = loop.create_future()

    def end(interrupted: bool) -> None:
        if not ended.done():
            ended.set_result(interrupted)

    loop.add_signal_handler(signal.SIGINT, end, True)
    loop.add_signal_handler(signal.SIGTERM, end, False)
    await server.open()
    typer.echo(f"{server.url} services {', '.join(server.ads.options.services)}")
    sys.stdout.flush()
    if control:
        threading.Thread(target=_read_orders, args=(server, loop), daemon=True).start()
    said = 0
    while not ended.done():
        await asyncio.wait([ended], timeout=REPORT_SECONDS)
        taken = server.ads.posts_taken
        if taken != said and not quiet:
            typer.echo(f"{len(server.ads.connections)} connections, {taken} posts", err=True)
            said = taken
    await server.close()
    return ended.result()


def _read_orders(server: AdsServer, loop: asyncio.AbstractEventLoop) -> None:
    for line in sys.stdin:
        if line.strip():
            with contextlib.suppress(RuntimeError):  # the loop has closed: the server is ending
                loop.call_soon_threadsafe(_obey, server, line)


def _obey(server: AdsServer, line: str) -> None:
    try:
        server.ads.control(line)
    except ValueError as error:
        typer.echo(f"error: {error}")
    else:
        typer.echo("ok")
    sys.stdout.flush()
    server.flush()


@app.command()
def kafka(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 9092,
    topic: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME or NAME:PARTITIONS; repeat for more. Default: prices and contribution-results, 4 each."
        ),
    ] = None,
) -> None:
    """Run an embedded Kafka broker, in memory, until it is ended.

    To try things: it shows aborted transactions as if they were committed; plan and audit may leave out the last
    records of a partition; a daemon that starts once more waits half a minute for its partitions; all is forgotten at
    the end.
    """
    from contribd.simulation.demo.embedded_broker import BrokerError, EmbeddedBroker
    from contribd.simulation.demo.rates import MissingExtraError

    topics = dict(_topic(each) for each in topic or ["prices:4", "contribution-results:4"])
    ended = Ended()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="contribd-kafka-") as folder,
            EmbeddedBroker(topics, log=Path(folder) / "broker.log", port=port) as broker,
        ):
            typer.echo(f"{broker.bootstrap_servers} topics {', '.join(topics)}")
            sys.stdout.flush()
            ended.event.wait()
    except (MissingExtraError, BrokerError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_FAILED) from None
    if ended.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


def _topic(text: str) -> tuple[str, int]:
    name, colon, count = text.partition(":")
    if not name or (colon and (not count.isdecimal() or int(count) < 1)):
        msg = f"{text}: expected NAME or NAME:PARTITIONS"
        raise typer.BadParameter(msg, param_hint="--topic")
    return name, int(count) if colon else 1


@app.command()
def engine(
    *,
    bootstrap_servers: Annotated[str, typer.Option(help="Brokers to start from, host:port.")] = "127.0.0.1:9092",
    topic: Annotated[str, typer.Option(help="Where the prices go.")] = "prices",
    rate: Annotated[float, typer.Option(min=0.1, help="Records a second.")] = 100,
    count: Annotated[int, typer.Option(min=0, help="Records; 0: until it is ended.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same prices.")] = 1,
    poison: Annotated[float, typer.Option(min=0, max=1, help="Share of records that are no JSON object.")] = 0,
    unmapped: Annotated[float, typer.Option(min=0, max=1, help="Share of records no mapping is for.")] = 0,
    client: Annotated[Path | None, typer.Option(help="JSON file of further kafka-python producer settings.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Records of your own instead, once: a JSON object on each line."
        ),
    ] = None,
    key: Annotated[str | None, typer.Option(help="With --file: the field that is the record's key in Kafka.")] = None,
    print_only: Annotated[bool, typer.Option("--print", help="Print the records at once; no Kafka.")] = False,
) -> None:
    """Produce foreign exchange prices to Kafka, or the records of a file."""
    if file is not None:
        if count or poison or unmapped or print_only or seed != 1:
            raise typer.BadParameter("goes without --count, --seed, --poison, --unmapped, --print", param_hint="--file")
        _produce_file(
            file, key, bootstrap_servers=bootstrap_servers, topic=topic, rate=rate, client=settings_of(client)
        )
        return
    if key is not None:
        raise typer.BadParameter("goes with --file alone", param_hint="--key")
    from contribd.simulation.demo.pricing_engine import PricingEngine
    from contribd.simulation.demo.rates import MissingExtraError, load_references

    try:
        prices = PricingEngine(load_references(), seed=seed, poison=poison, unmapped=unmapped)
    except MissingExtraError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_FAILED) from None
    if print_only:
        _print(prices, count)
    else:
        settings = settings_of(client)
        fed, interrupted = produce(prices, bootstrap_servers, topic, rate=rate, count=count, client=settings)
        tell(fed, topic, interrupted=interrupted, kinds=True)


def _produce_file(
    file: Path, key: str | None, *, bootstrap_servers: str, topic: str, rate: float, client: dict[str, Any]
) -> None:
    from contribd.simulation.demo.record_file import RecordFile, RecordFileError

    try:
        held = RecordFile(file, key)
    except (OSError, RecordFileError) as error:
        raise typer.BadParameter(str(error), param_hint="--file") from None
    fed, interrupted = produce(held, bootstrap_servers, topic, rate=rate, count=len(held.records), client=client)
    tell(fed, topic, interrupted=interrupted, kinds=False)


def _print(prices: "PricingEngine", count: int) -> None:
    printed = 0
    while not count or printed < count:
        value = prices.next(datetime.now(UTC)).value
        typer.echo(value or b"")
        printed += 1
