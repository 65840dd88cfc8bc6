"""LSEG's own provider code (EMA Java) standing in for an ADS: a real converter, real answers, driven by the tests.

What each post is answered with is chosen by its RIC: see ``provider/src/main/java/contribd/testads/Rules.java``.
"""

import json
import string
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.integration.rigs.java_build import REPOSITORY, built
from tests.integration.rigs.java_server import JavaServer
from tests.integration.rigs.spawned import Child

from contribd.simulation.demo.embedded_broker import free_port

SOURCE = REPOSITORY / "tests/integration/provider"
GOALS = ("compiler:compile", "dependency:copy-dependencies")
FIRST_SERVICE_ID = 8090

_SERVICE = """
        <Service>
          <Name value="{name}"/>
          <InfoFilter>
            <ServiceId value="{id}"/>
            <Vendor value="contribd tests"/>
            <IsSource value="0"/>
            <Capabilities><CapabilitiesEntry value="MMT_MARKET_PRICE"/></Capabilities>
            <DictionariesProvided><DictionariesProvidedEntry value="Dictionary"/></DictionariesProvided>
            <DictionariesUsed><DictionariesUsedEntry value="Dictionary"/></DictionariesUsed>
            <QoS>
              <QoSEntry><Timeliness value="Timeliness::RealTime"/><Rate value="Rate::TickByTick"/></QoSEntry>
            </QoS>
            <ItemList value=""/>
            <SupportsQoSRange value="0"/>
            <SupportsOutOfBandSnapshots value="0"/>
            <AcceptingConsumerStatus value="0"/>
          </InfoFilter>
          <StateFilter>
            <ServiceState value="1"/>
            <AcceptingRequests value="1"/>
          </StateFilter>
        </Service>"""


class ProviderProfile(StrEnum):
    """What the provider does with JSON its converter refuses."""

    ERRORS = "errors"
    """An Error message, and the connection stays: as an ADS behaves."""
    SILENT = "silent"
    """Nothing at all, and the connection stays."""
    CLOSING = "closing"
    """The connection is closed, as the vendor's example providers do."""


_CLOSE_AND_ERROR = {ProviderProfile.ERRORS: (0, 1), ProviderProfile.SILENT: (0, 0), ProviderProfile.CLOSING: (0, 0)}


@dataclass(frozen=True, slots=True)
class JournaledPost:
    """One post as the provider decoded it. ``fields`` holds values as EMA prints them, None for a blank."""

    sequence: int
    ric: str
    service: str | None
    service_id: int | None
    post_id: int | None
    user_id: int
    user_address: int
    channel: int
    type: str | None
    fields: dict[str, str | None]


class Provider(JavaServer):
    """One provider process. Port and journal outlive stop, kill and restart.

    ``max_msg_size`` (bytes) and ``advertised_ping_timeout`` (seconds) go into the login's Refresh, None leaves them
    out; ``ping_timeout`` (seconds) is what the server itself keeps to. With ``direct_write`` a message has left before
    the next one is made; without it the server is faster, and closing a connection can lose the last messages. One that
    is ``short_lived`` starts in half the processor time and would be slower in the long run.
    """

    def __init__(
        self,
        directory: Path,
        *,
        profile: ProviderProfile | str = ProviderProfile.ERRORS,
        services: Sequence[str] = ("TRCC",),
        max_msg_size: int | None = 61430,
        advertised_ping_timeout: int | None = 30,
        ping_timeout: float = 30.0,
        delay: float = 0.0,
        direct_write: bool = True,
        short_lived: bool = False,
    ) -> None:
        super().__init__(directory, name="Provider")
        self.services = tuple(services)
        self._profile = ProviderProfile(profile)
        self._max_msg_size = max_msg_size
        self._advertised_ping_timeout = advertised_ping_timeout
        self._ping_timeout = ping_timeout
        self._delay = delay
        self._direct_write = direct_write
        self._short_lived = short_lived
        self._journal = directory / "journal.jsonl"

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/WebSocket"

    @property
    def pid(self) -> int:
        """The process's id, for signals."""
        return self.child.pid

    def control(self, order: str) -> None:
        """Give an order and return when it has been carried out.

        ``service up|down|notaccepting|delete [NAME]``, ``login close|closerecover|suspect|ok``, ``disconnect``,
        ``login refresh NAME=VALUE…`` (MaxMsgSize, PingTimeout, SupportOMMPost), ``delay MS``, ``silent on|off``.
        Raises ValueError where the provider refuses it.
        """
        child = self.child
        child.stdin.write(order + "\n")
        child.stdin.flush()
        answer = child.stdout.readline().strip()
        if answer != "ok":
            raise ValueError(answer or f"the provider ended; the end of {self.log}:\n{child.tail()}")

    def posts(self) -> list[JournaledPost]:
        """Every post received so far, in order of arrival. An answered post is always in it."""
        entries = (entry for entry in self._entries() if entry.pop("kind") == "post")
        return [JournaledPost(sequence=number, **entry) for number, entry in enumerate(entries, 1)]

    def post_count(self) -> int:
        """How many posts there are so far; quick even where there are a million."""
        return self._journal.read_bytes().count(b'"kind":"post"') if self._journal.exists() else 0

    def logins(self) -> list[dict[str, Any]]:
        """Every login request: ``kind`` (login or reissue), ``name`` and the key's ``elements`` as text."""
        return [entry for entry in self._entries() if entry["kind"] in {"login", "reissue"}]

    def _entries(self) -> list[dict[str, Any]]:
        if not self._journal.exists():
            return []
        # The last line may still be on its way.
        lines = self._journal.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def _choose_port(self) -> int:
        return free_port()

    def answers(self) -> bool:
        """Waits until it does; False where it ended or took too long."""
        assert self._child is not None
        return self._child.stdout.readline().strip() == "READY"

    def _launch(self) -> Child:
        self._write_configuration()
        folder = built(SOURCE, GOALS)
        options = {
            "config": "EmaConfig.xml",
            "journal": self._journal.name,
            "services": ",".join(f"{number}:{name}" for number, name in enumerate(self.services, FIRST_SERVICE_ID)),
            "max-msg-size": self._max_msg_size,
            "ping-timeout": self._advertised_ping_timeout,
            "closing": "true" if self._profile is ProviderProfile.CLOSING else None,
            "delay": round(self._delay * 1000),
        }
        # EMA makes arrays of megabytes when it starts: with G1, collecting takes more than all the rest of the start.
        quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"] if self._short_lived else []
        classes = f"{folder}/target/classes:{folder}/libs/*"
        command = ["java", "-Xmx512m", *quick, "-cp", classes, "contribd.testads.TestAds"]
        command += [f"{name}={value}" for name, value in options.items() if value is not None]
        return Child(command, cwd=self.directory, log=self.log, piped=True)

    def _write_configuration(self) -> None:
        close_channel, send_error = _CLOSE_AND_ERROR[self._profile]
        text = string.Template((SOURCE / "EmaConfig.xml").read_text()).substitute(
            close_channel=close_channel,
            send_error=send_error,
            ping_timeout=round(self._ping_timeout * 1000),
            direct_write=int(self._direct_write),
            port=self._port,
            dictionary=SOURCE,
            services="".join(_SERVICE.format(id=i, name=n) for i, n in enumerate(self.services, FIRST_SERVICE_ID)),
        )
        (self.directory / "EmaConfig.xml").write_text(text)
