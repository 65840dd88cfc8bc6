"""The oracle's law on order: nothing older leaves a daemon after anything newer, whichever daemon that was."""

from collections.abc import Callable

from tests.simulation.world.environment.fed_records import PartKey
from tests.simulation.world.oracle.evidence import Complain, ProcessEvidence, SeenPost
from tests.simulation.world.oracle.history import History
from tests.simulation.world.plan import Plan

_Line = tuple[str, str, int | None]
"""A service, a RIC, and the partition whose order it is, where there are several."""


class OrderRules:
    """Judges every post when its last byte leaves the daemon, and counts what is posted again after a kill."""

    def __init__(
        self,
        plan: Plan,
        history: History,
        settled: Callable[[PartKey], bool],
        unordered: Callable[[PartKey, PartKey], bool],
        complain: Complain,
    ) -> None:
        """``settled``: whether a part's result is durable.

        ``unordered``: whether a newer part is over by a mapping that cannot have known of both it and an older one.
        """
        self._plan = plan
        self._history = history
        self._settled = settled
        self._unordered = unordered
        self._complain = complain
        self._handed: dict[_Line, int] = {}
        """The newest version of each line."""
        self._fields: dict[tuple[str, str, int | None, str], int] = {}
        self._posted: dict[_Line, set[tuple[int, int, str]]] = {}
        """All that was posted of each line: versions, the mapping of the process that posted it, and fields."""
        self._unsettled: set[PartKey] = set()
        """Parts that a process had posted, and whose result was not durable, when it was killed."""
        self.reposts = 0
        """Posts that carry one of those again."""

    def handed(self, post: SeenPost) -> None:
        """A post can no longer be taken back: nothing newer may have gone before.

        Where instruments come through several partitions, there is no order between these. Each has its own: of a
        field, or where nothing is merged of a price.
        """
        if not post.values or post.again:
            return
        carried = {post.key(version) for version in post.values.values()}
        post.process.shown |= carried
        if carried & self._unsettled:
            self.reposts += 1
            self._unsettled -= carried
        if self._plan.keyed or not self._plan.conflate:
            self._check_newest(post)
        for name, version in post.values.items():
            index = (post.service, post.ric, self._line_of(version), name)
            if version < self._fields.get(index, 0) and self._follows_newer(post, version, index[:3], name):
                text = f"{post}: {name} was {self._fields[index]} already"
                self._complain("2: an older value after a newer one", text, post.ric)
            self._fields[index] = max(version, self._fields.get(index, 0))
            self._posted.setdefault(index[:3], set()).add((version, post.process.mapping, name))

    def killed(self, process: ProcessEvidence) -> None:
        """A process is gone: what it had posted and has no durable result may be posted once more."""
        self._unsettled |= {key for key in process.shown if not self._settled(key)}

    def _check_newest(self, post: SeenPost) -> None:
        index = (post.service, post.ric, self._line_of(post.newest))
        before = self._handed.get(index, 0)
        if post.newest < before and self._follows_newer(post, post.newest, index):
            self._complain("2: an older price after a newer one", f"{post} after {before}", post.ric)
        self._handed[index] = max(post.newest, before)

    def _follows_newer(self, post: SeenPost, version: int, line: _Line, name: str | None = None) -> bool:
        """Whether something newer was posted, and there is an order between the two.

        There is none where a mapping of before did not make the older of them, or the mapping of now does not make the
        newer one, or one between them did not make either: no process could know of both.
        """
        mapping, history = post.process.mapping, self._history
        key = post.key(version)
        return any(
            newer > version
            and _makes(history, key, before)
            and _makes(history, post.key(newer), mapping)
            and not self._unordered(post.key(newer), key)
            for newer, before, field in self._posted.get(line, ())
            if name in {None, field}
        )

    def _line_of(self, version: int) -> int | None:
        """The partition whose order a record is in; None: the one its instrument has."""
        return None if self._plan.keyed else self._history.by_version[version].partition


def _makes(history: History, key: PartKey, mapping: int) -> bool:
    """Whether a mapping makes a post of it."""
    part = history.part(key, mapping)
    return part is not None and part.posted
