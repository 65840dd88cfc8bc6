"""TLS at the client's end: files loaded as a connection uses them, and what is wrong with them in words."""

import ssl
from pathlib import Path
from typing import NamedTuple


class TlsFiles(NamedTuple):
    """PEM files. ``key_file``: where the key is not in ``cert_file``; ``key_password``: the key's pass phrase."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    key_password: str | None = None

    @property
    def key_setting(self) -> str:
        """Which of the files has the key."""
        return "cert_file" if self.key_file is None else "key_file"


class TlsProblem(Exception):
    """A file cannot be used, or a pass phrase; ``setting`` is the field's name. The text holds neither."""

    def __init__(self, setting: str, text: str) -> None:
        super().__init__(text)
        self.setting = setting


class _Locked(Exception):
    """The key has a pass phrase, and none was given."""


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """Checks the server's certificate and its host name, always; the machine's authorities where no file is named.

    Raises:
        TlsProblem: a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if files.ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _trust(context, files.ca_file, "ca_file")
    if files.cert_file is not None:
        _load_chain(context, files.cert_file, files)
    return context


def _trust(context: ssl.SSLContext, file: Path, setting: str) -> None:
    _read(file, setting)
    try:
        context.load_verify_locations(file)
    except ssl.SSLError:
        raise TlsProblem(setting, "holds no certificate in PEM form") from None


def _load_chain(context: ssl.SSLContext, cert_file: Path, files: TlsFiles) -> None:
    """Never asks anybody for a pass phrase: whoever runs the daemon is not there."""
    asked = False

    def password() -> str:
        nonlocal asked
        asked = True
        if files.key_password is None:
            raise _Locked
        return files.key_password

    _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), cert_file, "cert_file")
    if files.key_file is not None:
        _read(files.key_file, "key_file")
    try:
        context.load_cert_chain(cert_file, files.key_file, password)
    except _Locked:
        raise TlsProblem("key_password", "missing: the key has a pass phrase") from None
    except ssl.SSLError as error:
        raise _key_problem(error, files, asked=asked) from None


def _key_problem(error: ssl.SSLError, files: TlsFiles, *, asked: bool) -> TlsProblem:
    if error.reason == "KEY_VALUES_MISMATCH":
        return TlsProblem(files.key_setting, "holds another key than that of the certificate")
    if asked:
        return TlsProblem("key_password", "is not the pass phrase of the key")
    return TlsProblem(files.key_setting, "holds no key in PEM form")


def _read(file: Path, setting: str) -> None:
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise TlsProblem(setting, f"cannot be read: {error.strerror}") from None
