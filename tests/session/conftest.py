"""Certificates of an authority that nobody trusts by default."""

from pathlib import Path
from typing import NamedTuple

import pytest
import trustme


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
