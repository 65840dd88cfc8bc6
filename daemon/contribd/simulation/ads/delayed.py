"""What a simulated ADS has still to send on one connection."""

import heapq


class DelayedAnswers:
    """Frames and single Acks in the order they leave; Acks may be delayed, and several may share a frame."""

    def __init__(self, *, acks_a_frame: int) -> None:
        self._limit = acks_a_frame
        self._ready: list[bytes] = []  # whole frames; a single Ack, not yet in an array, starts with a brace
        self._delayed: list[tuple[float, int, bytes]] = []
        self._last_due = 0.0
        self._sequence = 0

    def send(self, frame: bytes) -> None:
        """A whole frame, or a single Ack, at once."""
        self._ready.append(frame)

    def send_ack(self, ack: bytes, *, now: float, delay: float, own_delay: float) -> None:
        """A single Ack after both delays; only one with a delay of its own is overtaken by later ones."""
        due = now + delay + own_delay
        if not own_delay:
            due = self._last_due = max(due, self._last_due)
            if due <= now:
                self._ready.append(ack)
                return
        self._sequence += 1
        heapq.heappush(self._delayed, (due, self._sequence, ack))

    def mark(self) -> int:
        """Where the outbox stands, for `cut_back`."""
        return len(self._ready)

    def cut_back(self, mark: int) -> None:
        """Forgets all but one of what came after ``mark``."""
        del self._ready[mark + 1 :]

    def clear(self) -> None:
        """Forgets everything."""
        self._ready.clear()
        self._delayed.clear()

    def forget_delayed(self) -> None:
        """Forgets what is not due yet."""
        self._delayed.clear()

    def due(self) -> float | None:
        """When the next delayed Ack may leave."""
        return self._delayed[0][0] if self._delayed else None

    def take(self, now: float) -> list[bytes]:
        """The frames that may leave by ``now``."""
        while self._delayed and self._delayed[0][0] <= now:
            self._ready.append(heapq.heappop(self._delayed)[2])
        ready, self._ready = self._ready, []
        if self._limit <= 1:
            return [b"[%b]" % each if each.startswith(b"{") else each for each in ready]
        return self._packed(ready)

    def _packed(self, ready: list[bytes]) -> list[bytes]:
        frames: list[bytes] = []
        acks: list[bytes] = []
        for each in [*ready, b""]:
            is_ack = each.startswith(b"{")
            if acks and (not is_ack or len(acks) >= self._limit):
                frames.append(b"[%b]" % b",".join(acks))
                acks = []
            if is_ack:
                acks.append(each)
            elif each:
                frames.append(each)
        return frames
