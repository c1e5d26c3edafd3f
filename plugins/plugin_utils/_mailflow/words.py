# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The words of the logs: tokens of TLS versions, names of errors, ports. Pure data, and how it is looked up.

The tokens are those of Schannel (``SP_PROT_*`` of schannel.h). Recorded logs have ``SP_PROT_TLS1_2_SERVER``;
Microsoft's
pages print ``SP_PROT-TLS1_2_SERVER``, which no recorded log has. Both are read.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import typing as t

SSL3, TLS10, TLS11, TLS12, TLS13 = "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"
UNKNOWN = "unknown"
# What harden-tls.yml turns off.
OLD: t.Final = ("PCT 1.0", "SSL 2.0", SSL3, TLS10, TLS11)
VERSIONS: t.Final = (*OLD, TLS12, TLS13, UNKNOWN)

CLIENT, SERVER = "client", "server"
RECEIVE, SEND = "receive", "send"

# SP_PROT_* of schannel.h: the bit of the server; that of the client is the next one. IIS logs the same numbers in hex.
_BITS: t.Final = {0x1: "PCT 1.0", 0x4: "SSL 2.0", 0x10: SSL3, 0x40: TLS10, 0x100: TLS11, 0x400: TLS12, 0x1000: TLS13}
_NAMES: t.Final = {
    "PCT1": "PCT 1.0", "SSL2": "SSL 2.0", "SSL3": SSL3, "TLS1": TLS10, "TLS10": TLS10, "TLS11": TLS11, "TLS12": TLS12,
    "TLS13": TLS13, "SSL20": "SSL 2.0", "SSL30": SSL3, "PCT10": "PCT 1.0",
}  # fmt: skip

# Ports on which the services of Exchange talk to each other: hub and client proxy, mailbox delivery, and the front end
# that sends for the hub. Who connects there is no peer.
INSIDE_PORTS: t.Final = frozenset({b"465", b"475", b"717", b"2525"})
# Those that tell so of an error as well: on 465 a smart host of others takes TLS from the first byte, as no
# Send connector speaks it.
INSIDE_OF_ERRORS: t.Final = INSIDE_PORTS - {b"465"}


class Tls(t.NamedTuple):
    """What one negotiation has agreed on. ``side``: which side of it the server that wrote the log was; None where the
    token does not say. Names without ``CALG_``, sizes in bits; None for what the line does not have."""

    version: str
    side: str | None = None
    cipher: str | None = None
    bits: int | None = None
    mac: str | None = None
    exchange: str | None = None


class ErrorClass(t.NamedTuple):
    """``kind``: ``version``, ``certificate``, ``cipher``, ``not_tls`` or ``unknown``. ``recorded``: whether a real log
    has it; what is not recorded is read off the name of the error alone."""

    kind: str
    recorded: bool


# Of "TLS negotiation failed with error X" and "Security status X". The certificate faults: Microsoft KB 4051498,
# 4495258.
_ERRORS: t.Final[dict[str, ErrorClass]] = {
    "SocketError": ErrorClass("version", True),
    "ConnectionAborted": ErrorClass("version", True),
    "IllegalMessage": ErrorClass("version", True),
    "UnknownCredentials": ErrorClass("certificate", True),
    "NoCredentials": ErrorClass("certificate", True),
    "InvalidToken": ErrorClass("not_tls", True),
    "AlgorithmMismatch": ErrorClass("version", False),
    "IllegalParameter": ErrorClass("version", False),
    "ConnectionReset": ErrorClass("version", False),
    "TimedOut": ErrorClass("version", False),
    "UnsupportedFunction": ErrorClass("version", False),
    "WrongPrincipal": ErrorClass("certificate", False),
    "CertUnknown": ErrorClass("certificate", False),
    "CertExpired": ErrorClass("certificate", False),
    "CertWrongUsage": ErrorClass("certificate", False),
    "UntrustedRoot": ErrorClass("certificate", False),
    "IncompleteCredentials": ErrorClass("certificate", False),
    "MessageAltered": ErrorClass("not_tls", False),
    "DecryptFailure": ErrorClass("not_tls", False),
}
# Of ChainValidityStatus, where the certificate of the other side is looked at once TLS is agreed on. No recorded log
# has one.
_CHAINS: t.Final = (
    "CertificateExpired", "CertificateRevoked", "EmptyCertificate", "InternalChainFailure", "PartialChain",
    "RevocationFailure", "RevocationOffline", "SignatureFailure", "SubjectMismatch", "UntrustedTestRoot", "WrongUsage",
)  # fmt: skip
_ERRORS.update(dict.fromkeys(_CHAINS, ErrorClass("certificate", False)))
# Of a session that Exchange ends as the cipher that was agreed on is too weak for it: our word, and no name of a log.
WEAK_CIPHER: t.Final = "weak_cipher"
_ERRORS[WEAK_CIPHER] = ErrorClass("cipher", False)
_FOLDED: t.Final = {name.casefold(): found for name, found in _ERRORS.items()}
_SURE_OF_NOTHING: t.Final = ErrorClass("unknown", False)

_TOKEN = re.compile(
    r"^SP_PROT[_-]?([A-Z]+\d)(?:[_.-]?(\d))?(?![_.-]?\d)(?:[_-](CLIENT|SERVER))?", re.IGNORECASE | re.ASCII
)
_AGREED = re.compile(r"TLS protocol (\S{1,80}) negotiation succeeded(.*)", re.IGNORECASE | re.DOTALL)
_CIPHER = re.compile(r"bulk encryption algorithm (?:CALG_)?(\w+)(?: with strength (\d{1,5}) bits)?", re.IGNORECASE)
_MAC = re.compile(r"MAC hash algorithm (?:CALG_)?(\w+)", re.IGNORECASE)
_EXCHANGE = re.compile(r"key exchange algorithm (?:CALG_)?(\w+)", re.IGNORECASE)
# The log has "with error X"; people, and what they use, write other words before the name.
_FAILED = re.compile(
    r"TLS negotiation failed(?:[\s:]+(?:with|due|to|because|of|the|error|status|security|code)\b)*"
    r"[\s:]*[\"'\u2018\u201c]?(\w{1,60})?|Security status[ :]*(\w{1,60})",
    re.IGNORECASE,
)
_CUT = re.compile(r"\.\.\.|\u2026")
_GOES_ON = re.compile(r"\s+(\w{1,60})")
_CHAIN = re.compile(
    r"certificate validation error(?:\W{1,3}ChainValidityStatus\s*=\s*(\w{1,60}))?|(cipher strength is too weak)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"failed (?:with|because of) (\w{1,60})", re.IGNORECASE)


def error_class(name: str) -> ErrorClass:
    """What an error of a negotiation is a sign of."""
    return _FOLDED.get(name.casefold(), _SURE_OF_NOTHING)


def is_public(host: str) -> bool:
    """Whether it is an address of the Internet, at which others are rather than an own server."""
    found = _address(host)
    return found is not None and found.is_global


def is_private(host: str) -> bool:
    """Whether it is an address, and none of the Internet. Neither is so of a name."""
    found = _address(host)
    return found is not None and not found.is_global


@functools.lru_cache(maxsize=1024)
def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    # not all versions of Python look at the address within
    return getattr(found, "ipv4_mapped", None) or found


def version_of_bits(number: int) -> tuple[str, str | None]:
    """Version and side that a number of Schannel stands for; both sides at once leave the side open."""
    for bit, version in _BITS.items():
        sides = number & (bit | bit << 1)
        if sides and not number & ~(bit | bit << 1):
            return version, {bit: SERVER, bit << 1: CLIENT}.get(sides)
    return UNKNOWN, None


def version_of_token(token: str) -> tuple[str, str | None]:
    """Version and side of a token, in any spelling: ``SP_PROT_TLS1_2_SERVER``, ``SP_PROT-TLS1_2_CLIENT``,
    ``SP_PROT_TLS1_CLIENT`` (TLS 1.0), or the number that .NET prints for a value that it has no name for."""
    if re.fullmatch(r"[0-9]{1,10}", token):
        return version_of_bits(int(token))
    match = _TOKEN.match(token)
    if match is None:
        return UNKNOWN, None
    side = match[3].lower() if match[3] else None
    return _NAMES.get(f"{match[1].upper()}{match[2] or ''}", UNKNOWN), side


@functools.lru_cache(maxsize=1024)
def agreed(text: bytes) -> Tls | None:
    """What a line about a negotiation that succeeded says; None where it is no such line."""
    match = _AGREED.search(text.decode("utf-8", "replace"))
    if match is None:
        return None
    version, side = version_of_token(match[1])
    cipher, mac, exchange = _CIPHER.search(match[2]), _MAC.search(match[2]), _EXCHANGE.search(match[2])
    return Tls(
        version,
        side,
        cipher[1] if cipher else None,
        int(cipher[2]) if cipher and cipher[2] else None,
        mac[1] if mac else None,
        exchange[1] if exchange else None,
    )


@functools.lru_cache(maxsize=1024)
def failed(text: bytes) -> str | None:
    """The name of the error of a negotiation that failed, ``unknown`` where the line has none; None for other lines."""
    said = text.decode("utf-8", "replace")
    match = _FAILED.search(said)
    return _name(match[1] or match[2] or "", said[match.end() :]) if match else None


def _name(name: str, rest: str) -> str:
    """The name that a text has, which may be cut, or broken by a console; ``rest``: what comes behind."""
    known = name.casefold() in _FOLDED
    if known or not name:
        return name or UNKNOWN
    more = _GOES_ON.match(rest)
    if more is not None and (name + more[1]).casefold() in _FOLDED:
        return name + more[1]
    # in the text of a person it may be any word
    return UNKNOWN if _CUT.match(rest) or name[0].islower() else name


@functools.lru_cache(maxsize=1024)
def refused_behind(text: bytes) -> str | None:
    """Why this side has ended a session in which TLS was agreed on: what is wrong with the certificate of the other
    side, ``unknown`` where the line does not say, or :data:`WEAK_CIPHER`; None for other lines."""
    match = _CHAIN.search(text.decode("utf-8", "replace"))
    if match is None:
        return None
    return WEAK_CIPHER if match[2] else match[1] or UNKNOWN


@functools.lru_cache(maxsize=1024)
def refused_login(text: bytes) -> str | None:
    """Why a login was refused ("Outbound Authentication failed with LogonDenied"): never a matter of TLS."""
    match = _NAMED.search(text.decode("utf-8", "replace"))
    return match[1] if match else None
