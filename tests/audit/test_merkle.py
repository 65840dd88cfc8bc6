"""Roots as RFC 6962 defines them, and leaves that no other record has."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.audit.claim import RawResult
from contribd.audit.merkle import Tree, leaf_of


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + root_by_definition(leaves[:k]) + root_by_definition(leaves[k:])).digest()


@given(st.lists(st.binary(max_size=9), max_size=70))
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    assert (tree.size, tree.root()) == (len(leaves), root_by_definition(leaves))


@pytest.mark.parametrize(
    ("leaves", "root"),
    [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ([b""], "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        ([b"", b"\x00"], "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        ([b"", b"\x00", b"\x10"], "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ],
)
def test_roots_that_certificate_transparency_publishes(leaves: list[bytes], root: str) -> None:
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    assert tree.root().hex() == root


RECORD = RawResult(0, 7, b"key", b"value", (("status", b"ACK"), ("ric", None)))


@pytest.mark.parametrize(
    "other",
    [
        RECORD._replace(offset=8),
        RECORD._replace(key=None),
        RECORD._replace(key=b""),
        RECORD._replace(key=b"keyv", value=b"alue"),
        RECORD._replace(value=None),
        RECORD._replace(headers=()),
        RECORD._replace(headers=(("status", b"ACK"), ("ric", b""))),
        RECORD._replace(headers=(("ric", None), ("status", b"ACK"))),
        RECORD._replace(headers=(("statusA", b"CK"), ("ric", None))),
    ],
)
def test_no_two_records_have_one_leaf(other: RawResult) -> None:
    assert leaf_of(other) != leaf_of(RECORD)
