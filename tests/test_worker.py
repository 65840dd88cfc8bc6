"""How the parts are wired: connections that come too late, memberships that change, results under the right name."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from contribd.ads.dialer import DialedSocket, DialError
from contribd.ads.driver import Dialed
from contribd.ads.frames import TEXT, FrameDecoder, encode_frame
from contribd.config.load import load
from contribd.control import server
from contribd.engine.events import Assigned, NotCommitted, Records, Revoked, Revoking, Stop
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.engine.session.endpoints import Failure
from contribd.engine.states import SessionState
from contribd.streams.client.port import Member
from contribd.streams.group.lease import Joined
from contribd.streams.transaction import Write
from contribd.worker import Worker

CONFIG = """\
kafka: {bootstrap_servers: "127.0.0.1:1", rejects: rejects}
ads: {endpoints: ["ws://127.0.0.1:1/WebSocket"], service: TRCC}
http: {listen: null}
mappings: [m.yaml]
"""
MAPPING = 'mappings:\n  - {name: spot, ric: "{ric}", fields: {BID: bid}}\n'
P0, P1 = Partition("prices", 0), Partition("prices", 1)


class Bench:
    """A worker whose threads were not started, so that a test says what they would."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "m.yaml").write_text(MAPPING)
        (folder / "contribd.yaml").write_text(CONFIG)
        self.worker = Worker(load(folder / "contribd.yaml", environ={}))
        monkeypatch.setattr(self.worker._driver, "_dial", lambda *_arguments: None)
        monkeypatch.setattr(self.worker, "_check_threads", lambda: None)
        self.writes: list[Write] = []
        self.released = 0
        monkeypatch.setattr(self.worker._sink, "write", self.writes.append)
        monkeypatch.setattr(self.worker._source, "release", self._release)
        monkeypatch.setattr(self.worker._lease, "until", lambda _member: float("inf"))
        self.far: list[socket.socket] = []

    def _release(self) -> None:
        self.released += 1

    def put(self, *events: object) -> None:
        for event in events:
            self.worker._events.put(event)  # type: ignore[arg-type]

    def turn(self) -> None:
        """One round of the loop, without the wait."""
        self.worker._round(self.worker._selector.select(0))

    @property
    def state(self) -> SessionState:
        return self.worker._engine.connection.state

    def connected(self, attempt: int | None = None) -> socket.socket:
        """A connection is made; the server's end of it."""
        near, far = socket.socketpair()
        near.setblocking(False)
        far.setblocking(False)
        self.far += [near, far]
        self.put(
            Dialed(self.worker._engine.connection.attempt if attempt is None else attempt, DialedSocket(near, "a:1"))
        )
        self.turn()
        return far

    def log_in(self) -> socket.socket:
        """A session that posts."""
        self.turn()
        far = self.connected()
        login = {"ID": 1, "Type": "Refresh", "Domain": "Login", "State": {"Stream": "Open", "Data": "Ok"}}
        closed = {"ID": 2, "Type": "Status", "Domain": "Source", "State": {"Stream": "Closed"}}
        far.send(encode_frame(TEXT, msgspec.json.encode([login, closed]), None))
        self.turn()
        assert self.state is SessionState.OPEN
        return far

    def close(self) -> None:
        for sock in self.far:
            sock.close()
        self.worker._driver.drop()
        self.worker._selector.close()
        self.worker._events.close()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    one = Bench(tmp_path, monkeypatch)
    yield one
    one.close()


def joined(generation: int) -> Joined:
    return Joined(Member(generation, "me"))


def assigned(*partitions: Partition) -> Assigned:
    return Assigned(dict.fromkeys(partitions, Commit(0, "")))


def records(partition: Partition, *values: bytes | None, start: int = 0) -> Records:
    return Records([(partition, [Record(start + n, -1, None, value) for n, value in enumerate(values)])])


def posts(far: socket.socket) -> list[dict[str, object]]:
    """The posts the server has got."""
    found = []
    for frame in FrameDecoder(max_payload=1 << 20).feed(far.recv(1 << 20)):
        decoded = msgspec.json.decode(frame.payload)
        found += [m for m in (decoded if isinstance(decoded, list) else [decoded]) if m.get("Type") == "Post"]
    return found


def is_closed(sock: socket.socket) -> bool:
    return sock.fileno() == -1


# Connections


def test_a_connection_that_is_made_logs_in(bench: Bench) -> None:
    bench.turn()
    far = bench.connected()
    bench.turn()
    assert bench.state is SessionState.LOGGING_IN
    assert b"\x81" in far.recv(1000)


@pytest.mark.parametrize("late", [0, 7])
def test_a_connection_of_another_attempt_is_closed(bench: Bench, late: int) -> None:
    bench.turn()
    bench.connected(attempt=late)
    assert bench.worker._driver._link is None
    assert is_closed(bench.far[0])


def test_a_connection_that_comes_after_its_attempt_was_given_up_is_closed(bench: Bench) -> None:
    """It would stay for good: no login is sent on it, and the next one would be taken for a second."""
    bench.turn()
    bench.put(Dialed(1, DialError(Failure.NETWORK, "no")))
    bench.turn()
    assert bench.state is SessionState.DISCONNECTED
    bench.connected(attempt=1)
    assert bench.worker._driver._link is None
    assert is_closed(bench.far[0])


def test_a_connection_that_comes_after_a_stop_is_closed(bench: Bench) -> None:
    bench.turn()
    bench.put(Stop())
    bench.turn()
    bench.connected()
    assert is_closed(bench.far[0])


def test_a_connection_that_ends_is_forgotten_by_the_selector(bench: Bench) -> None:
    far = bench.log_in()
    far.close()
    bench.turn()
    assert bench.worker._driver._link is None
    assert len(bench.worker._selector.get_map()) == 1
    assert bench.state is SessionState.DISCONNECTED


def test_answers_that_came_before_the_end_count(bench: Bench) -> None:
    far = bench.log_in()
    bench.put(joined(1), assigned(P0), records(P0, b'{"ric":"EUR=","bid":1}'))
    bench.turn()
    bench.turn()
    [post] = posts(far)
    far.send(encode_frame(TEXT, b'{"ID":1,"Type":"Ack","AckID":%d}' % int(str(post["PostID"])), None))
    far.close()
    bench.turn()
    bench.turn()
    [write] = bench.writes
    assert b'"status":"ACK"' in write.results[0].value


# Results


def test_a_rejected_record_goes_to_both_topics_under_the_membership_seen(bench: Bench) -> None:
    bench.put(joined(1), assigned(P0), records(P0, b"\xff", None))
    bench.turn()
    bench.turn()
    [write] = bench.writes
    assert [b'"status":"REJECTED"' in result.value for result in write.results] == [True, True]
    assert [reject.value for reject in write.rejects] == [b"\xff", b""]
    assert write.commits == {P0: Commit(2, "")}
    assert write.member.generation == 1


def test_nothing_is_written_before_there_is_a_membership(bench: Bench) -> None:
    bench.put(assigned(P0), records(P0, b"\xff"))
    bench.turn()
    bench.turn()
    assert bench.writes == []


def test_results_of_partitions_that_went_are_never_written_under_the_membership_that_followed(bench: Bench) -> None:
    """The group refuses an old membership's commit; a new one's it would take, whoever owns the partition now."""
    bench.put(joined(1), assigned(P0, P1), records(P0, b"\xff"), records(P1, b"\xff"))
    bench.put(Revoked(frozenset({P0})), joined(2))
    bench.turn()
    bench.turn()
    [first] = bench.writes
    assert (first.member.generation, set(first.commits)) == (1, {P0})
    bench.put(NotCommitted(first.number))
    bench.turn()
    bench.turn()
    assert (bench.writes[1].member.generation, set(bench.writes[1].commits)) == (2, {P1})


# Partitions


def test_a_rebalance_goes_on_once_what_is_under_way_is_settled_and_written(bench: Bench) -> None:
    bench.put(joined(1), assigned(P0), records(P0, b"\xff"))
    bench.turn()
    bench.turn()
    bench.put(Revoking(frozenset({P0})))
    bench.turn()
    bench.turn()
    assert bench.released == 0
    bench.put(NotCommitted(bench.writes[0].number))
    bench.turn()
    bench.turn()
    assert bench.released == 0
    bench.worker._engine.outbox.committed(bench.writes[1].number)
    bench.turn()
    assert bench.released == 1


def test_a_rebalance_with_nothing_under_way_goes_on_at_once(bench: Bench) -> None:
    bench.put(joined(1), assigned(P0), Revoking(frozenset({P0})))
    bench.turn()
    bench.turn()
    assert bench.released == 1


def test_pauses_are_told_only_when_they_change(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[frozenset[Partition]] = []
    record: Callable[[frozenset[Partition]], None] = told.append
    monkeypatch.setattr(bench.worker._source, "pause", record)
    paused = frozenset({P0})
    monkeypatch.setattr(bench.worker._engine, "take_paused", lambda: paused)
    for _ in range(3):
        bench.turn()
    assert told == [paused]


@pytest.mark.parametrize(("control", "told"), [("{socket: auto}", 1), ("{socket: null}", 0)])
def test_one_that_can_take_no_orders_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, control: str, told: int
) -> None:
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "m.yaml").write_text(MAPPING)
    (tmp_path / "contribd.yaml").write_text(f"{CONFIG}control: {control}\n")
    worker, lines = Worker(load(tmp_path / "contribd.yaml", environ={})), list[str]()
    monkeypatch.setattr(server, "_log", SimpleNamespace(warning=lines.append))
    worker._take_orders()
    assert [line[:16] for line in lines] == ["takes no orders:"] * told
