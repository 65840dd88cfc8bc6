"""Certificates and keys: loaded as the connection loads them, and what is wrong with them said in words."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from contribd.tls import TlsFiles, TlsProblem, client_context

PASSWORD = "pass phrase"  # noqa: S105 - of a key made here


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A certificate with its key in each form, another certificate's key, and a file that is neither."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    leaf, other = authority.issue_cert("localhost"), authority.issue_cert("localhost")
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSWORD.encode()),
    )
    content = {
        "ca": authority.cert_pem.bytes(),
        "cert": leaf.cert_chain_pems[0].bytes(),
        "key": leaf.private_key_pem.bytes(),
        "both": leaf.private_key_and_cert_chain_pem.bytes(),
        "locked": locked,
        "other": other.private_key_pem.bytes(),
        "text": b"not a certificate",
    }
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in (*content, "absent")}


@pytest.mark.parametrize(
    ("names", "password"),
    [
        ((None, None, None), None),
        (("ca", None, None), None),
        (("ca", "cert", "key"), None),
        (("ca", "both", None), None),
        (("ca", "cert", "locked"), PASSWORD),
        (("ca", "cert", "key"), "of no use"),
    ],
)
def test_what_can_be_used(files: dict[str, Path], names: tuple[str | None, ...], password: str | None) -> None:
    ca, cert, key = (None if name is None else files[name] for name in names)
    client_context(TlsFiles(ca, cert, key, password))


@pytest.mark.parametrize(
    ("names", "password", "setting", "text"),
    [
        (("absent", None, None), None, "ca_file", "cannot be read: No such file or directory"),
        (("text", None, None), None, "ca_file", "holds no certificate in PEM form"),
        (("ca", "absent", "key"), None, "cert_file", "cannot be read: No such file or directory"),
        (("ca", "key", "key"), None, "cert_file", "holds no certificate in PEM form"),
        (("ca", "cert", "absent"), None, "key_file", "cannot be read: No such file or directory"),
        (("ca", "cert", "text"), None, "key_file", "holds no key in PEM form"),
        (("ca", "cert", None), None, "cert_file", "holds no key in PEM form"),
        (("ca", "cert", "other"), None, "key_file", "holds another key than that of the certificate"),
        (("ca", "cert", "locked"), None, "key_password", "missing: the key has a pass phrase"),
        (("ca", "cert", "locked"), "wrong", "key_password", "is not the pass phrase of the key"),
    ],
)
def test_what_cannot(
    files: dict[str, Path], names: tuple[str | None, ...], password: str | None, setting: str, text: str
) -> None:
    ca, cert, key = (None if name is None else files[name] for name in names)
    with pytest.raises(TlsProblem) as raised:
        client_context(TlsFiles(ca, cert, key, password))
    assert (raised.value.setting, str(raised.value)) == (setting, text)


def test_a_pass_phrase_is_shown_nowhere(files: dict[str, Path]) -> None:
    from contribd.ads.dialer import DialOptions

    assert PASSWORD not in repr(DialOptions(1.0, TlsFiles(files["ca"], files["cert"], files["locked"], PASSWORD)))
