"""How far an order has spread: which instances of the group it holds in, and which may not have heard of it. Pure."""

from dataclasses import dataclass, field

from contribd.pausing.topic_records import Present


@dataclass(slots=True)
class Spread:
    """Of one order. ``waiting``: until when (monotonic seconds) each process may post without having read it."""

    offset: int
    """Where it stands in the topic."""
    waiting: dict[str, tuple[str, float]]
    """By process: its instance, and until when."""
    holds: set[str] = field(default_factory=set)
    """Instances that say so."""
    silent: set[str] = field(default_factory=set)
    """Those that have not said so in time: they post nothing before they have read it."""

    def heard(self, told: Present) -> None:
        """What an instance says of itself."""
        if told.process in self.waiting and (told.left or told.holds >= self.offset):
            del self.waiting[told.process]
            if not told.left:
                self.holds.add(told.instance)

    def is_everywhere(self, mono: float) -> bool:
        """Whether no instance can post against it any more."""
        for process, (instance, until) in list(self.waiting.items()):
            if mono >= until:
                del self.waiting[process]
                self.silent.add(instance)
        return not self.waiting

    @property
    def text(self) -> str:
        """In words."""
        others = sorted(self.holds)
        text = f"in {len(others) + 1} instances: this one and {', '.join(others)}" if others else "in this instance"
        if self.silent:
            text += f". Not heard of, and posting nothing until it has read the order: {', '.join(sorted(self.silent))}"
        return text


class Instances:
    """The other processes that follow the topic, as far as they have been heard of."""

    def __init__(self, process: str, lease: float) -> None:
        """``process``: this one; ``lease``: seconds for which one may post after it was heard."""
        self._process, self._lease = process, lease
        self._until: dict[str, tuple[str, float]] = {}

    def heard(self, told: Present, mono: float) -> None:
        """One says that it is there, or leaves."""
        if told.process == self._process:
            return
        if told.left:
            self._until.pop(told.process, None)
        else:
            self._until[told.process] = told.instance, mono + self._lease

    def has(self, process: str, mono: float) -> bool:
        """Whether one follows the topic, as far as it was heard of."""
        return process in self._until and self._until[process][1] > mono

    def begin(self, offset: int, mono: float) -> Spread:
        """An order stands at ``offset``, behind all that was heard so far."""
        self._until = {process: one for process, one in self._until.items() if one[1] > mono}
        return Spread(offset, dict(self._until))
