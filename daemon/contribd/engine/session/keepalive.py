"""Whether the connection to the ADS is alive, both ways: Pings when it is quiet, its end when it is silent or stuck."""

from contribd.engine.limits import DEFAULT_PING_TIMEOUT, MIN_QUIET


class Keepalive:
    """One connection's clock. All times are monotonic seconds."""

    def __init__(self) -> None:
        self.ping_timeout = DEFAULT_PING_TIMEOUT
        self.unsent = False
        """Whether bytes wait that the socket did not take: nothing more is to be posted behind them."""
        self.held = False
        """Whether bytes wait for us to let them go."""
        self._sent = 0.0
        self._received = 0.0
        self._pinged = 0.0
        self._taken = 0
        self._stuck_since = 0.0

    def start(self, mono: float) -> None:
        """The connection is made."""
        self._sent = self._received = mono
        self.unsent, self.held, self._taken = False, False, 0

    def agree(self, ping_timeout: float) -> None:
        """The server has named its PingTimeout, in seconds."""
        self.ping_timeout = ping_timeout

    def heard(self, mono: float) -> None:
        """Bytes came."""
        self._received = mono

    def said(self, mono: float) -> None:
        """A frame went out: the server knows that we are alive."""
        self._sent = mono

    def wrote(self, taken: int, unsent: int, mono: float, *, held: bool = False) -> None:
        """The socket has taken ``taken`` bytes since the connection was made, and ``unsent`` more wait for it;
        ``held``: some wait for us."""
        self.held = held
        if not unsent or taken != self._taken or not self.unsent:
            self._stuck_since = mono
        self._taken, self.unsent = taken, unsent > 0

    def fault(self, mono: float) -> str | None:
        """What is wrong with the connection, None while nothing is."""
        silence = self._max_silence()
        if mono - self._received >= silence:
            return f"nothing received for {silence:g} s"
        if self.unsent and mono - self._stuck_since >= silence:
            return f"the server has read nothing for {silence:g} s"
        return None

    def take_ping(self, mono: float) -> bool:
        """Whether to send a Ping now; it counts as sent. None goes behind bytes that wait: they are traffic enough."""
        if self.unsent or mono < self._ping_at():
            return False
        self._pinged = mono
        return True

    def wake_at(self) -> float:
        """When ``fault`` or ``take_ping`` may say something new."""
        silence = self._max_silence()
        if self.unsent:
            return min(self._received, self._stuck_since) + silence
        return min(self._ping_at(), self._received + silence)

    def _ping_at(self) -> float:
        return max(min(self._sent, self._received), self._pinged) + self._quiet()

    def _quiet(self) -> float:
        return max(MIN_QUIET, self.ping_timeout / 3)

    def _max_silence(self) -> float:
        """Its PingTimeout, but never so short that an answer to our Ping could not come in between."""
        return max(self.ping_timeout, 3 * MIN_QUIET)
