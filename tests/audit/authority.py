"""A time stamping authority: an HTTP server whose answers OpenSSL makes."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
certs = {folder}/root.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
"""


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(_named(issuer), _named(name), key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    other = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return made.add_extension(own, critical=False).add_extension(other, critical=False)


@dataclass
class Authority:
    """``folder``: its own; ``answer``: of a query, HTTP status and body, replaced by tests that spoil it."""

    folder: Path
    url: str = ""
    asked: list[tuple[str | None, bytes]] = field(default_factory=list)
    answer: Callable[[bytes], tuple[int, bytes]] = lambda _query: (500, b"")

    def __post_init__(self) -> None:
        self.folder.mkdir()
        root, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority = x509.BasicConstraints(ca=True, path_length=None)
        top = _certificate(f"{self.folder.name} root", root, f"{self.folder.name} root", root)
        (self.folder / "root.pem").write_bytes(
            top.add_extension(authority, critical=True).sign(root, SHA256()).public_bytes(Encoding.PEM)
        )
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        leaf = _certificate(f"{self.folder.name} clock", signer, f"{self.folder.name} root", root)
        (self.folder / "signer.pem").write_bytes(
            leaf.add_extension(usage, critical=True).sign(root, SHA256()).public_bytes(Encoding.PEM)
        )
        (self.folder / "signer.key").write_bytes(
            signer.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        (self.folder / "serial").write_text("01\n")
        (self.folder / "tsa.conf").write_text(CONFIG.format(folder=self.folder))
        self.answer = self.reply

    @property
    def root(self) -> Path:
        """Its root certificate."""
        return self.folder / "root.pem"

    def reply(self, query: bytes) -> tuple[int, bytes]:
        """As OpenSSL answers it."""
        asked = self.folder / "query"
        asked.write_bytes(query)
        arguments = ["ts", "-reply", "-config", str(self.folder / "tsa.conf"), "-queryfile", str(asked)]
        done = subprocess.run(["openssl", *arguments], capture_output=True, check=False, timeout=30)
        assert done.stdout, done.stderr
        return 200, done.stdout

    def take(self, content_type: str | None, query: bytes) -> tuple[int, bytes]:
        """Answers a request."""
        self.asked.append((content_type, query))
        return self.answer(query)


@contextmanager
def serving(authority: Authority) -> Iterator[Authority]:
    """With its server."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            status, body = authority.take(self.headers["Content-Type"], query)
            self.send_response(status)
            if status in (301, 302, 303, 307):
                self.send_header("Location", body.decode())
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    authority.url = f"http://127.0.0.1:{server.server_port}/tsa"
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def openssl_verifies(seal: Path, stamp: Path, root: Path) -> bool:
    """By the command that the documentation shows."""
    arguments = ["ts", "-verify", "-data", str(seal), "-in", str(stamp), "-CAfile", str(root)]
    return subprocess.run(["openssl", *arguments], capture_output=True, check=False, timeout=30).returncode == 0
