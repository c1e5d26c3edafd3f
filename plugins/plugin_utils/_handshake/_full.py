# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""A complete handshake with Python's ssl, for versions that have to work.

This is as near to a real client as the controller gets, and it is subject to the controller's own OpenSSL and its
policy. So it can only add to what the ClientHello of :mod:`._hello` has shown: its failure is never a refusal.
"""

from __future__ import annotations

import collections.abc as c
import ssl
import threading
import warnings

from ._wire import Stopped, Wire
from ._words import Ending, FullHandshake, TlsVersion

_SSL_VERSIONS = {
    TlsVersion.TLS_1_0: ssl.TLSVersion.TLSv1,
    TlsVersion.TLS_1_1: ssl.TLSVersion.TLSv1_1,
    TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS_1_3: ssl.TLSVersion.TLSv1_3,
}
# ssl.OP_LEGACY_SERVER_CONNECT, which Python knows by name from 3.12 on: unpatched Windows lacks RFC 5746
_OP_LEGACY_SERVER_CONNECT = 0x4
# All that is authenticated. Python's own choice leaves out what Windows Server 2012 R2 prefers.
_AUTHENTICATED = "ALL:!aNULL:!eNULL"
# OpenSSL does old versions and short keys at security level 0 only.
_WIDE = f"{_AUTHENTICATED}:@SECLEVEL=0"
# What OpenSSL says of messages that no policy would make right. All its other errors may be the controller's own.
_FAULTS = (
    "BAD_RECORD_TYPE",
    "BAD_SIGNATURE",
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
    "DIGEST_CHECK_FAILED",
    "LENGTH_MISMATCH",
    "UNEXPECTED_MESSAGE",
    "WRONG_CIPHER_RETURNED",
    "WRONG_VERSION_NUMBER",
)


class FullHandshaker:
    """The TLS contexts for one version, made once and shared by threads."""

    def __init__(self, version: TlsVersion) -> None:
        """Never raises: a version that this Python cannot speak fails at each attempt, with the reason."""
        self._problem: str | None = None
        self._lock = threading.Lock()
        self._trusting = False
        try:
            self._strict = _context(version, verify=True)
            self._lenient = _context(version, verify=False)
        except ssl.SSLError as exc:
            self._problem = f"it cannot offer {version.value}: {_reason(exc)}"
        except (ValueError, KeyError) as exc:
            self._problem = f"it cannot offer {version.value}: {exc}"

    def attempt(self, connect: c.Callable[[], Wire], server_name: str | None, *, validate: bool) -> FullHandshake:
        """One handshake; before it, where ``validate`` asks for that, one that validates the chain and may suffice.

        The exceptions of ``connect`` are passed on.
        """
        if self._problem is not None:
            return FullHandshake(completed=False, error=self._problem)
        trusted: bool | None = None
        trust_error: str | None = None
        try:
            if validate:
                self._load_trust()
                try:
                    return _handshake(self._strict, connect(), server_name, trusted=True)
                except ssl.SSLCertVerificationError as exc:
                    trusted, trust_error = False, exc.verify_message
                except (ssl.SSLError, Stopped) as exc:
                    # else maybe only for the stricter settings that go with validation
                    if isinstance(exc, Stopped) and exc.how is Ending.TIMEOUT:
                        raise
            return _handshake(self._lenient, connect(), server_name, trusted=trusted, trust_error=trust_error)
        except ssl.SSLError as exc:
            return FullHandshake(completed=False, error=_reason(exc), faulty=exc.reason in _FAULTS)
        except Stopped as exc:
            ended = "no answer in time" if exc.how is Ending.TIMEOUT else f"the server ended it: {exc.how.value}"
            return FullHandshake(completed=False, error=ended, stopped=exc.how, heard=exc.heard)

    def _load_trust(self) -> None:
        """Takes longer than the handshakes, so it is done only where there is one to make."""
        with self._lock:
            if not self._trusting:
                self._strict.load_default_certs()
                self._trusting = True


def _context(version: TlsVersion, *, verify: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    with warnings.catch_warnings():
        # that TLS 1.0 and 1.1 are old is why this is here
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = _SSL_VERSIONS[version]
    # the level also says which keys make a chain valid, so it is lowered only where nothing would work without
    old = version in (TlsVersion.TLS_1_0, TlsVersion.TLS_1_1)
    context.set_ciphers(_AUTHENTICATED if verify and not old else _WIDE)
    if not verify:
        context.verify_mode = ssl.CERT_NONE
        context.options |= _OP_LEGACY_SERVER_CONNECT
    return context


def _handshake(
    context: ssl.SSLContext,
    wire: Wire,
    server_name: str | None,
    *,
    trusted: bool | None,
    trust_error: str | None = None,
) -> FullHandshake:
    """One handshake, over memory buffers so that the whole of it keeps the deadline of the wire.

    A chain that does not validate is no reason to send an alert: the server would log it as an error (Schannel 36887).
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    heard = False
    tls = context.wrap_bio(incoming, outgoing, server_hostname=server_name)
    try:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                wire.send(outgoing.read())
                incoming.write(wire.receive())
                heard = True
        wire.send(outgoing.read())
        suite = tls.cipher()
        certificates, whole_chain = _certificates(tls)
        return FullHandshake(
            completed=True,
            cipher_suite=suite[0] if suite else None,
            trusted=trusted,
            trust_error=trust_error,
            certificates=certificates,
            whole_chain=whole_chain,
        )
    except Stopped as exc:
        raise Stopped(exc.how, heard=heard) from None
    finally:
        wire.close()


def _certificates(tls: ssl.SSLObject) -> tuple[tuple[bytes, ...], bool]:
    # Python 3.13 is the first to give the chain as sent
    chain = getattr(tls, "get_unverified_chain", None)
    if chain is not None:
        return tuple(bytes(der) for der in chain()), True
    own = tls.getpeercert(binary_form=True)
    return ((own,), False) if own else ((), False)


def _reason(exc: ssl.SSLError) -> str:
    """OpenSSL's own words, without the C file and line."""
    return (exc.reason or exc.strerror or str(exc)).replace("_", " ").lower()
