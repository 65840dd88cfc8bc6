"""Time stamps of seals (RFC 3161): the word of somebody else that a seal was there at a time.

Theory of operation
===================

The time in a seal is what the owner of its key says. Whoever has the key, by right or not, can sign today what names a
day of last year. A time stamping authority has a clock and a key of its own: asked with the SHA-256 of a seal as it was
written, it signs that digest together with its time. So the seal was there by then, whatever becomes of its key later.

The whole answer (``TimeStampResp``, DER) is kept beside the seal, under the same name and ``.tsr``: this is what
``openssl ts -verify -in`` reads. It has the authority's certificate in it (``certReq``), and is verified against roots
that whoever verifies has chosen, with certificates valid at the time of the stamp: it outlives them.

An answer is looked at when it comes: it must be of this seal, to this question (the nonce), have a certificate, and not
be of a time before that of the seal, which would be a wrong clock on either side. Its signature is not verified then,
for roots are the verifier's choice.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from contribd.audit.stamp_order import in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampRequest, TimeStampResponse

_SHA256: Final = "2.16.840.1.101.3.4.2.1"


class StampError(ValueError):
    """A time stamp that does not hold, or that cannot be had. The text says why."""


class AuthorityError(StampError):
    """The authority does not answer, or refuses: asking it about another seal is of no use now."""


def new_request(written: bytes) -> "TimeStampRequest":
    """What an authority is asked about a seal, with a new nonce. Raises ``StampError``."""
    library = _library()
    builder = library.TimestampRequestBuilder().data(written).hash_algorithm(library.HashAlgorithm.SHA256)
    request: TimeStampRequest = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    return request


def answered(answer: bytes, request: "TimeStampRequest", written: bytes, sealed: datetime) -> datetime:
    """The time in an answer to a request about a seal; ``sealed``: the time that the seal names.

    Raises ``StampError``.
    """
    stamp = _granted(answer)
    info = stamp.tst_info
    if info.nonce != request.nonce:
        raise StampError("the answer is to another question: its nonce is another one")
    if not stamp.signed_data.certificates:
        raise StampError("the answer has no certificate in it, so nobody could verify it later")
    return _of(stamp, written, sealed)


def verified(stamp: bytes, written: bytes, sealed: datetime, roots: "Sequence[Certificate]") -> datetime:
    """By what time a seal was there, by its stamp; ``sealed``: the time that the seal names. Raises ``StampError``."""
    library = _library()
    from cryptography.x509 import InvalidVersion

    read = _granted(stamp)
    at = _of(read, written, sealed)
    try:
        library.VerifierBuilder(roots=list(roots)).build().verify(read, sha256(written).digest())
    except (library.VerificationError, InvalidVersion, ValueError) as error:
        raise StampError(
            f"the time stamp is not signed by an authority that is trusted, or was altered: {error}"
        ) from None
    return at


def roots_in(pem: bytes) -> "list[Certificate]":
    """The certificates in a PEM file. Raises ``StampError``."""
    _library()
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(pem)
    except ValueError as error:
        raise StampError(f"expected certificates in PEM form: {error}") from None


def _granted(answer: bytes) -> "TimeStampResponse":
    """An answer that holds a stamp. Raises ``StampError``, ``AuthorityError`` where it is a refusal."""
    library = _library()
    try:
        stamp: TimeStampResponse = library.decode_timestamp_response(in_order(answer))
        status = library.PKIStatus(stamp.status)
        said = "".join(f", {text}" for text in stamp.status_string)
    except ValueError:
        raise StampError("no time stamp: expected the answer of a time stamping authority (RFC 3161)") from None
    if status != library.PKIStatus.GRANTED:
        raise AuthorityError(f"the time stamping authority refuses: {status.name.lower().replace('_', ' ')}{said}")
    return stamp


def _of(stamp: "TimeStampResponse", written: bytes, sealed: datetime) -> datetime:
    """Its time, where it is of these bytes."""
    try:
        info = stamp.tst_info
        imprint, at = info.message_imprint, info.gen_time
    except ValueError:
        raise StampError("no time stamp: there is no time in it") from None
    if (imprint.hash_algorithm.dotted_string, imprint.message) != (_SHA256, sha256(written).digest()):
        raise StampError("the time stamp is of something else: its SHA-256 is not that of the seal")
    at = at.astimezone(UTC)
    if at < sealed:
        raise StampError(f"the time stamp is of {at:%Y-%m-%dT%H:%M:%SZ}, before the time that the seal names, {sealed}")
    return at


def _library() -> Any:
    """Loaded where it is used: the extra ``seal`` may not be there. Raises ``StampError``."""
    try:
        import rfc3161_client
    except ImportError:
        raise StampError("time stamps need the extra seal: pip install 'contribd[seal]'") from None
    return rfc3161_client
