"""What a session meets in tests: an ADS, a token service, certificates of an authority that nobody trusts."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from tests.ads.token_server import TokenServer

from contribd.simulation.ads.server import AdsServer

PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


class Certificates(NamedTuple):
    """PEM files: the authority's, and one for this machine's addresses, usable by servers and clients."""

    authority: trustme.CA
    ca_file: Path
    cert_file: Path
    key_file: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority of the tests' own and a certificate for 127.0.0.1 and localhost."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1", "localhost")
    paths = Certificates(authority, folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(paths.ca_file)
    leaf.cert_chain_pems[0].write_to_path(paths.cert_file)
    leaf.private_key_pem.write_to_path(paths.key_file)
    return paths


@pytest.fixture
def ads() -> Iterator[AdsServer]:
    """A simulated ADS in a thread of this process."""
    one = AdsServer()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def server() -> Iterator[TokenServer]:
    """A token service."""
    one = TokenServer()
    yield one
    one.stop()


@pytest.fixture
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that runs the tests may have to use a proxy; these tests must not."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
