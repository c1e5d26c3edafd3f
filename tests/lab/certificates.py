# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority for the lab, and certificates that are good or wrong in a chosen way."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)
# The name of a user in a certificate: userPrincipalName.
_UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, as one PEM file, and what clients hash for channel binding."""

    path: Path
    der: bytes

    @property
    def channel_binding(self) -> bytes:
        """The tls-server-end-point data of RFC 5929 (the lab signs with SHA-256 only)."""
        return b"tls-server-end-point:" + hashlib.sha256(self.der).digest()


@dataclass(frozen=True)
class _Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


class CertificateStore:
    """Issues certificates into a directory; ca.pem there is what clients should trust."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._issued: dict[tuple[str, str, str], Issued] = {}
        # One key of each kind for all hosts: making a key is slow, and nothing here depends on different ones.
        self._host_keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
            "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "ecdsa": ec.generate_private_key(ec.SECP256R1()),
        }
        self._authority = _make_authority("Lab Root CA")
        self._other: _Authority | None = None
        pem = self._authority.certificate.public_bytes(serialization.Encoding.PEM)
        (directory / "ca.pem").write_bytes(pem)

    @property
    def ca_path(self) -> Path:
        """The certificate of the authority that signs everything but other_ca."""
        return self._directory / "ca.pem"

    def issue(self, fqdn: str, address: str, kind: str, key: str = "rsa") -> Issued:
        """A certificate for a host. kind: good, expired, wrong_name or other_ca. key: rsa or ecdsa."""
        with self._lock:
            known = self._issued.get((fqdn, kind, key))
            if known is None:
                known = self._issued[fqdn, kind, key] = self._make(fqdn, address, kind, key)
            return known

    def issue_client(self, user: str) -> None:
        """Writes the certificate, with its key, by which a client says that it is a user: see client_path."""
        upn = f"{user}@localhost".encode()
        names = [x509.OtherName(_UPN, bytes([12, len(upn)]) + upn)]  # a UTF8String
        path = client_path(self._directory, user)
        self._sign(path, user, names, ExtendedKeyUsageOID.CLIENT_AUTH, self._host_keys["rsa"], self._authority)

    def _make(self, fqdn: str, address: str, kind: str, key: str) -> Issued:
        authority = self._authority
        if kind == "other_ca":
            self._other = authority = self._other or _make_authority("Some Other CA")
        names: list[x509.GeneralName] = [x509.DNSName("elsewhere.invalid")]
        if kind != "wrong_name":
            names = [x509.DNSName(name) for name in dict.fromkeys((fqdn, fqdn.partition(".")[0], "localhost"))]
            names.append(x509.IPAddress(ipaddress.ip_address(address)))
        begin, end = (-60, -2) if kind == "expired" else (-1, 365)
        subject = "elsewhere.invalid" if kind == "wrong_name" else fqdn
        path = self._directory / f"{fqdn}-{kind}-{key}.pem"
        usage = ExtendedKeyUsageOID.SERVER_AUTH
        return self._sign(path, subject, names, usage, self._host_keys[key], authority, (begin, end))

    def _sign(
        self,
        path: Path,
        subject: str,
        names: Sequence[x509.GeneralName],
        usage: x509.ObjectIdentifier,
        private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
        authority: _Authority,
        days: tuple[int, int] = (-1, 365),
    ) -> Issued:
        """days: from when to when it is valid, counted from now."""
        now = datetime.datetime.now(datetime.timezone.utc)
        public = private.public_key()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(authority.certificate.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * _DAY)
            .not_valid_after(now + days[1] * _DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(_key_usage(encrypts=isinstance(private, rsa.RSAPrivateKey)), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
            )
            .sign(authority.key, hashes.SHA256())
        )
        secret = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.touch(mode=0o600)
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
        return Issued(path, certificate.public_bytes(serialization.Encoding.DER))


def client_path(directory: Path, user: str) -> Path:
    """Where the certificate of a client is, with its key."""
    return directory / f"client-{user}.pem"


def user_of(der: bytes | None) -> str | None:
    """The user whose name is in the certificate of a client, as Windows looks for it; None where there is none."""
    if der is None:
        return None
    names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    found = [
        name.value[2:].decode() for name in names.value.get_values_for_type(x509.OtherName) if name.type_id == _UPN
    ]
    return found[0].removesuffix("@localhost") if found else None


def pem_of(issued: Issued) -> str:
    """The certificate alone, as PEM text."""
    return ssl.DER_cert_to_PEM_cert(issued.der)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _key_usage(encrypts: bool = False, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=encrypts,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _make_authority(common: str) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())  # quick to make, and no old client has to understand it
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(_name(common))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 90 * _DAY)
        .not_valid_after(now + 3650 * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Authority(key, certificate)


def self_made(subject: str, issuer: str = "", days: float = 365) -> bytes:
    """A certificate as DER, for whoever reads it only. subject, issuer: common names; without an issuer it is
    self-signed. days: until it expires."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer or subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 90 * _DAY)
        .not_valid_after(now + days * _DAY)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
