"""The daemon's end of the control socket: it passes an order on, and its answer back."""

import errno
import fcntl
import grp
import os
import pwd
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, TypeAlias

from contribd.control.requests import (
    MAX_BYTES,
    BadRequest,
    RulesRequest,
    decode_request,
    encode_answer,
    encode_rules,
)
from contribd.ops.log import get_logger
from contribd.orders import Answer, Order
from contribd.pausing.book import Caller
from contribd.reloads import ReloadOrder

Ask: TypeAlias = Callable[[Order | ReloadOrder, Caller], Answer]
"""Has an order of a caller carried out, and waits for its answer."""

Tell: TypeAlias = Callable[[], str]
"""The rules in force, as JSON."""

MAX_CALLERS: Final = 8
"""Orders taken at once; further callers are told to come again."""

REQUEST_SECONDS: Final = 5.0
"""How long a caller may take to say what it wants, and to hear the answer."""

RETRY_SECONDS: Final = 1.0
"""Between two tries to have the socket where another process has it."""

_CREDENTIALS: Final = struct.Struct("3i")
"""Process, user and group of the other end, from the kernel (SO_PEERCRED)."""

_log = get_logger("control")


class ControlServer:
    """Serves one socket on threads of its own.

    A file of that name that a dead process left is replaced; one that a live process serves never is. Which it is, a
    lock beside it says, which the kernel takes back when its holder ends.
    """

    def __init__(self, path: Path, group: str | None, ask: Ask, rules: Tell | None = None) -> None:
        """``group``: whose members may give orders besides this user and root. ``rules``: None where none are told."""
        self._path = path
        self._group = group
        self._ask = ask
        self._rules = rules
        self._free = threading.BoundedSemaphore(MAX_CALLERS)
        self._closing = threading.Event()
        self._lock: IO[str] | None = None
        self._listener: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Begins to take orders, as soon as the socket is to be had."""
        self._thread.start()

    def close(self) -> None:
        """Takes no more."""
        self._closing.set()
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join(2 * RETRY_SECONDS)

    # Its thread

    def _run(self) -> None:
        try:
            if self._open_in_the_end():
                _log.info("taking orders", socket=str(self._path))
                self._serve()
        finally:
            self._remove()

    def _open_in_the_end(self) -> bool:
        """Opens it, however long another process has it; False where we were closed first."""
        told = ""
        while not self._closing.is_set():
            try:
                self._listener = self._open()
            except OSError as error:
                if (why := _why(error)) != told:
                    _log.warning("cannot take orders yet", socket=str(self._path), error=why)
                told = why
                self._closing.wait(RETRY_SECONDS)
            else:
                return True
        return False

    def _open(self) -> socket.socket:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = _locked(self._path.with_suffix(".lock"))
        _refuse_what_lives(self._path)
        made = self._path.with_suffix(".new")
        made.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(made))
            self._allow(made)
            listener.listen(MAX_CALLERS)
            made.rename(self._path)  # nobody sees it before it is as it must be
        except OSError:
            listener.close()
            raise
        return listener

    def _allow(self, made: Path) -> None:
        if self._group is None:
            made.chmod(0o600)
            return
        try:
            group = grp.getgrnam(self._group).gr_gid
        except KeyError:
            raise OSError(errno.EINVAL, f"there is no group {self._group}") from None
        if made.stat().st_gid != group:  # a service whose own group it is may not even ask for it
            os.chown(made, -1, group)
        made.chmod(0o660)

    def _serve(self) -> None:
        listener = self._listener
        while listener is not None and not self._closing.is_set():
            try:
                caller, _ = listener.accept()
            except OSError:
                if self._closing.wait(0.05):  # shut down, or out of descriptors for a moment
                    return
                continue
            if self._free.acquire(blocking=False):
                threading.Thread(target=self._attend, args=(caller,), name="order", daemon=True).start()
            else:
                _reply(caller, encode_answer(Answer(False, "too many orders at once; try again")))

    def _remove(self) -> None:
        if self._listener is not None:
            self._path.unlink(missing_ok=True)
            self._listener.close()
        if self._lock is not None:
            self._lock.close()

    # One caller

    def _attend(self, caller: socket.socket) -> None:
        try:
            _reply(caller, self._answer(caller))
        except Exception as error:  # noqa: BLE001 - whoever asked is told, and need not wait
            _log.exception("an order failed, which is a fault of contribd: report it")
            told = f"a fault of contribd: {error!r}; `contribd top` shows what is in force"
            _reply(caller, encode_answer(Answer(False, told)))
        finally:
            self._free.release()

    def _answer(self, caller: socket.socket) -> bytes:
        try:
            request = decode_request(_request(caller))
        except BadRequest as error:
            return encode_answer(Answer(False, str(error)))
        except OSError:
            return encode_answer(Answer(False, f"no request came within {REQUEST_SECONDS:g} s"))
        if isinstance(request, RulesRequest):
            # Nobody is asked: they are what they are, however busy the worker is.
            return encode_rules(self._rules()) if self._rules else encode_answer(Answer(False, "it tells no rules"))
        return encode_answer(self._ask(request, who(caller)))


def warn_of_none() -> None:
    """There is to be a socket, and no folder for it (``place.daemon_socket``)."""
    _log.warning(
        "takes no orders: control.socket is auto, and neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set; "
        "write a path there"
    )


def who(caller: socket.socket) -> Caller:
    """The user at the other end, as the kernel knows it."""
    packed = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid = _CREDENTIALS.unpack(packed)[1]
    try:
        return Caller(f"{pwd.getpwuid(uid).pw_name} (uid {uid})", uid)
    except KeyError:
        return Caller(f"uid {uid}", uid)


def _locked(path: Path) -> IO[str]:
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def _refuse_what_lives(path: Path) -> None:
    """Raises OSError where the file is no socket, or something answers there that holds no lock of ours."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(errno.EEXIST, "a file of that name is there, and it is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return
    raise OSError(errno.EADDRINUSE, "another program serves it")


def _why(error: OSError) -> str:
    if error.errno == errno.EWOULDBLOCK:
        return "another contribd of this instance has it"
    return error.strerror or str(error)


def _request(caller: socket.socket) -> bytes:
    """Up to a line's end, or the end of what comes. Raises OSError where it does not come in time."""
    deadline = time.monotonic() + REQUEST_SECONDS
    data = b""
    while b"\n" not in data:
        caller.settimeout(max(0.001, deadline - time.monotonic()))
        piece = caller.recv(4096)
        data += piece
        if len(data) > MAX_BYTES:
            raise BadRequest(f"a request has at most {MAX_BYTES} bytes")
        if not piece:
            break
    return data


def _reply(caller: socket.socket, answer: bytes) -> None:
    with caller, suppress(OSError):  # the caller may have gone
        caller.settimeout(REQUEST_SECONDS)
        caller.sendall(answer)
