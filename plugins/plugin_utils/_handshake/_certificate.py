# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The facts of a server's certificate, from its DER."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import typing as t

from .._text import MESSAGE, visible

try:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
except ImportError as exc:  # pragma: no cover - ansible-core itself needs it
    CRYPTOGRAPHY_ERROR: ImportError | None = exc
else:
    CRYPTOGRAPHY_ERROR = None


# Hundreds of names fit into it. What is larger is hashed but not read.
MAX_DER = 64 * 1024


@dataclasses.dataclass(frozen=True)
class CertificateFacts:
    """One server's certificate. What could not be read is None, and ``note`` says why."""

    # SHA-256 of the DER, lower-case hex; SHA-1 in the upper case in which Windows shows it
    sha256: str | None
    thumbprint: str | None
    subject: str | None = None
    issuer: str | None = None
    # DNS names, then addresses as text
    sans: tuple[str, ...] = ()
    not_before: datetime.datetime | None = None
    not_after: datetime.datetime | None = None
    serial: str | None = None
    self_signed: bool | None = None
    key_type: str | None = None
    key_bits: int | None = None
    note: str | None = None

    def days_left(self, now: datetime.datetime) -> int | None:
        """Whole days until it expires, negative afterwards."""
        return None if self.not_after is None else (self.not_after - now).days

    def matches(self, name: str) -> bool | None:
        """Whether it is for this host name: a name among the SANs, or a wildcard for the first label (RFC 6125)."""
        if self.note is not None:
            return None
        wanted = name.lower()
        rest = wanted.partition(".")[2]
        names = {entry.lower() for entry in self.sans}
        return wanted in names or (bool(rest) and f"*.{rest}" in names)


def read_certificate(der: bytes) -> CertificateFacts:
    """Never raises: a certificate that cannot be read still has its hashes."""
    sha256 = _hash("sha256", der)
    thumbprint = _hash("sha1", der)
    thumbprint = thumbprint.upper() if thumbprint else None
    if CRYPTOGRAPHY_ERROR is not None:
        note = f"Details need the Python library cryptography on the controller ({CRYPTOGRAPHY_ERROR})."
        return CertificateFacts(sha256, thumbprint, note=note)
    if len(der) > MAX_DER:
        note = f"The certificate has {len(der)} bytes, and none with more than {MAX_DER} is read."
        return CertificateFacts(sha256, thumbprint, note=note)
    try:
        return dataclasses.replace(
            CertificateFacts(sha256, thumbprint), **_details(x509.load_der_x509_certificate(der))
        )
    except Exception as exc:
        # the library raises many kinds for a certificate that it dislikes
        return CertificateFacts(sha256, thumbprint, note=f"The certificate cannot be read: {visible(exc, MESSAGE)}")


def _hash(name: str, der: bytes) -> str | None:
    """None where the controller's policy has no such hash (FIPS without a provider for it)."""
    try:
        return hashlib.new(name, der, usedforsecurity=False).hexdigest()
    except ValueError:
        return None


def _details(certificate: x509.Certificate) -> dict[str, t.Any]:
    key_type, key_bits = _key(certificate)
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "sans": _sans(certificate),
        "not_before": _moment(certificate, "not_valid_before"),
        "not_after": _moment(certificate, "not_valid_after"),
        "serial": f"{certificate.serial_number:X}",
        "self_signed": certificate.subject == certificate.issuer,
        "key_type": key_type,
        "key_bits": key_bits,
    }


def _moment(certificate: x509.Certificate, name: str) -> datetime.datetime:
    """Aware in every version of the library: the ``_utc`` names came with cryptography 42."""
    aware = getattr(certificate, f"{name}_utc", None)
    moment: datetime.datetime = aware or getattr(certificate, name).replace(tzinfo=datetime.timezone.utc)
    return moment


def _sans(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return (*names.get_values_for_type(x509.DNSName), *addresses)


def _key(certificate: x509.Certificate) -> tuple[str, int | None]:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}", key.key_size
    if isinstance(key, dsa.DSAPublicKey):
        return "DSA", key.key_size
    if isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        return type(key).__name__.removesuffix("PublicKey"), None
    return type(key).__name__, None
