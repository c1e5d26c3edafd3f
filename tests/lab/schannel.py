# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which TLS versions a host's listeners accept: the registry held against the defaults of its Windows version.

Server side only. Enabled=0 refuses. DisabledByDefault other than 0 takes the version out of the default offer, and the
listeners of Exchange use the default offer. Any other number in Enabled switches on. Only REG_DWORD counts: what
Windows does with other types is unproven, so they count as absent unless the quirk wrong_type says "number".
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from .presets import Windows
from .registry import Registry, Value

PROTOCOLS = ("SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
PATH = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols"

#: Protocol numbers on the wire.
WIRE = {"SSL 3.0": 0x0300, "TLS 1.0": 0x0301, "TLS 1.1": 0x0302, "TLS 1.2": 0x0303, "TLS 1.3": 0x0304}

_OPENSSL_OFF = {
    "TLS 1.0": ssl.OP_NO_TLSv1,
    "TLS 1.1": ssl.OP_NO_TLSv1_1,
    "TLS 1.2": ssl.OP_NO_TLSv1_2,
    "TLS 1.3": ssl.OP_NO_TLSv1_3,
}


def effective_protocols(registry: Registry, windows: Windows, wrong_type_is_number: bool = False) -> tuple[str, ...]:
    """The protocols that listeners will accept after a restart, oldest first."""
    return tuple(
        protocol
        for protocol in PROTOCOLS
        if _accepted(registry, protocol, windows.defaults[protocol], wrong_type_is_number)
    )


def _accepted(registry: Registry, protocol: str, default: str, lenient: bool) -> bool:
    if default == "none":
        return False
    enabled = _number(registry, protocol, "Enabled", lenient)
    hidden = _number(registry, protocol, "DisabledByDefault", lenient)
    if enabled == 0 or hidden:
        return False
    if hidden == 0 or default == "on":
        return True
    return default == "off" and bool(enabled)


def _number(registry: Registry, protocol: str, name: str, lenient: bool) -> int | None:
    key = rf"{PATH}\{protocol}\Server"
    if registry.find("HKLM", key) is None:
        return None
    value: Value | None = registry.get("HKLM", key, name)
    if value is None:
        return None
    if value.type == "REG_DWORD":
        return int(value.data)
    if not lenient:
        return None
    if isinstance(value.data, bytes):
        return int.from_bytes(value.data, "little")
    try:
        return int(value.data)
    except (TypeError, ValueError):
        return None


@lru_cache(maxsize=512)
def server_context(path: Path, protocols: frozenset[str]) -> ssl.SSLContext:
    """A server context that speaks exactly these TLS versions, holes included."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the point here
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_3
        for protocol, option in _OPENSSL_OFF.items():
            if protocol not in protocols:
                context.options |= option
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(path)
    return context


def modern(protocols: Iterable[str]) -> frozenset[str]:
    """The protocols among these that OpenSSL can serve."""
    return frozenset(protocols) & frozenset(_OPENSSL_OFF)
