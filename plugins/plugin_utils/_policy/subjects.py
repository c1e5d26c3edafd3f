# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What the words of a policy mean in the registry: subjects, their states, and the values behind them. Data.

Sources: Microsoft's Exchange Server TLS configuration best practices (2025) for what Exchange wants, its TLS registry
settings and KB 245030 for the names below SCHANNEL, KB 3140245 for WinHTTP.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._schannel.protocols import DISABLED_BY_DEFAULT, ENABLED, SCHANNEL_KEY, SIDES, TLS12, protocol_key
from .._schannel.snapshot import Setting
from .._schannel.values import ABSENT, Type, Value, dword
from .rules import EVERYWHERE, Applies, Desired, Match

UNMANAGED = "unmanaged"
DEFAULT = "default"

BEST_PRACTICES = "Microsoft, Exchange Server TLS configuration best practices"
TLS_REGISTRY = "Microsoft, Transport Layer Security (TLS) registry settings"
KB_245030 = "Microsoft, KB 245030"
KB_3140245 = "Microsoft, KB 3140245"

_ON = Desired(dword(1), Match.NONZERO)
_ON_EXACTLY = Desired(dword(1))
_OFF = Desired(dword(0))
_NONE = Desired(ABSENT)


@dataclasses.dataclass(frozen=True)
class Item:
    """One value behind a state. ``name`` tells it from its siblings in rule ids."""

    name: str
    setting: Setting
    desired: Desired


@dataclasses.dataclass(frozen=True)
class Subject:
    """Something a policy can speak of. ``states`` maps each state to the values that make it."""

    id: str
    title: str
    states: t.Mapping[str, tuple[Item, ...]]
    source: str
    protocol: str | None = None
    side: str | None = None
    applies: Applies = EVERYWHERE


def _states(
    places: t.Mapping[str, Setting], **states: t.Mapping[str, Desired] | Desired
) -> dict[str, tuple[Item, ...]]:
    """A state gives one wish for all places, or one for each; every subject can be set back to Windows' default."""
    table: dict[str, t.Mapping[str, Desired] | Desired] = {**states, DEFAULT: _NONE}
    return {
        state: tuple(
            Item(name, setting, wish if isinstance(wish, Desired) else wish[name]) for name, setting in places.items()
        )
        for state, wish in table.items()
    }


_OTHERS = re.compile(r"[^a-z0-9]+")


def word(name: str) -> str:
    """A name as part of a rule id: ``TLS 1.2`` is ``tls_1_2``."""
    return _OTHERS.sub("_", name.lower()).strip("_")


def protocol_side(protocol: str, side: str) -> Subject:
    """A protocol version on one side."""
    key = protocol_key(protocol, side)
    return Subject(
        id=f"{word(protocol)}.{side.lower()}",
        title=f"{protocol} ({side})",
        states=_states(
            {name.lower(): Setting(key, name) for name in (ENABLED, DISABLED_BY_DEFAULT)},
            enabled={"enabled": _ON, "disabledbydefault": _OFF},
            disabled={"enabled": _OFF, "disabledbydefault": _ON},
        ),
        source=BEST_PRACTICES,
        protocol=protocol,
        side=side,
    )


def must_not_be(subject: Subject, state: str) -> bool:
    """Whether a state would take TLS 1.2 away, for which there is no wish."""
    return subject.protocol == TLS12 and state == "disabled"


def _views(key: str, *names: str) -> dict[str, Setting]:
    """Values that programs of 64 and of 32 bits read in different places."""
    return {
        f"{bits}.{name.lower()}": Setting(rf"SOFTWARE\{node}{key}", name)
        for bits, node in (("64", ""), ("32", "Wow6432Node\\"))
        for name in names
    }


DOTNET_VERSIONS = {"v4": "v4.0.30319", "v2": "v2.0.50727"}


def dotnet(version: str) -> Subject:
    """The .NET Framework: whether its programs take the TLS versions of Windows and strong cryptography.

    HealthChecker counts exactly 1 as set (docs/reference/schannel.md 9.2), and so does this.
    """
    key = rf"Microsoft\.NETFramework\{DOTNET_VERSIONS[version]}"
    return Subject(
        id=f"dotnet_{version}",
        title=f".NET Framework {version}",
        states=_states(_views(key, "SystemDefaultTlsVersions", "SchUseStrongCrypto"), strong=_ON_EXACTLY),
        source=BEST_PRACTICES,
    )


# DefaultSecureProtocols: 0x80 TLS 1.0, 0x200 TLS 1.1, 0x800 TLS 1.2 (docs/reference/schannel.md 5)
WINHTTP = Subject(
    id="winhttp",
    title="WinHTTP",
    states=_states(
        _views(r"Microsoft\Windows\CurrentVersion\Internet Settings\WinHttp", "DefaultSecureProtocols"),
        tls12=Desired(dword(0x800), Match.HAS_BITS),
        tls12_only=Desired(dword(0x800)),
    ),
    source=KB_3140245,
    # 2012 R2 and later need nothing
    applies=Applies(min_build=7600, max_build=9200),
)

RENEGOTIATION = Subject(
    id="renegotiation",
    title="TLS renegotiation",
    states=_states(
        {side.lower(): Setting(SCHANNEL_KEY, f"AllowInsecureRenego{side}s") for side in SIDES},
        strict=_OFF,
    ),
    source=BEST_PRACTICES,
)

# Names below SCHANNEL\Ciphers and its siblings, as KB 245030 lists them. A slash is part of the name.
CIPHERS = (
    "NULL", "DES 56/56", "RC2 40/128", "RC2 56/128", "RC2 128/128", "RC4 40/128", "RC4 56/128", "RC4 64/128",
    "RC4 128/128", "Triple DES 168", "AES 128/128", "AES 256/256",
)  # fmt: skip
HASHES = ("MD5", "SHA", "SHA256", "SHA384", "SHA512")
KEY_EXCHANGES = ("Diffie-Hellman", "ECDH", "PKCS")


def _switch(area: str, name: str) -> Subject:
    """A cipher, hash or key exchange. Unlike protocols, 0xffffffff is what Microsoft documents for "on" (KB 245030)."""
    return Subject(
        id=f"{word(area)}.{word(name)}",
        title=f"{area} {name}",
        states=_states(
            {"enabled": Setting(rf"{SCHANNEL_KEY}\{area}\{name}", ENABLED)},
            enabled=Desired(dword(0xFFFFFFFF), Match.NONZERO),
            disabled=_OFF,
        ),
        source=KB_245030,
    )


def cipher(name: str) -> Subject:
    return _switch("Ciphers", name)


def hash_algorithm(name: str) -> Subject:
    return _switch("Hashes", name)


def key_exchange(name: str) -> Subject:
    return _switch("KeyExchangeAlgorithms", name)


def dh_min_key_length(bits: int) -> Subject:
    """The shortest Diffie-Hellman key that the server and the client side accept, in bits."""
    key = rf"{SCHANNEL_KEY}\KeyExchangeAlgorithms\Diffie-Hellman"
    return Subject(
        id="dh_min_key_length",
        title=f"Diffie-Hellman keys of {bits} bits or more",
        states=_states(
            {side.lower(): Setting(key, f"{side}MinKeyBitLength") for side in SIDES},
            set=Desired(dword(bits), Match.AT_LEAST),
        ),
        source=TLS_REGISTRY,
    )


# Windows takes the policy where there is one, then the local order (docs/reference/schannel.md 6.2).
SUITES_POLICY = Setting(r"SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002", "Functions")
SUITES_LOCAL = Setting(r"SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002", "Functions")


def cipher_suites(suites: t.Sequence[str], policy_exists: bool) -> Subject:
    """The cipher suites in order of preference, where Windows looks for them on this host."""
    if policy_exists:
        place, value = SUITES_POLICY, Value(Type.REG_SZ, ",".join(suites))
    else:
        place, value = SUITES_LOCAL, Value(Type.REG_MULTI_SZ, tuple(suites))
    return Subject(
        id="cipher_suites",
        title="Cipher suite order",
        states={"set": (Item("order", place, Desired(value, Match.SUITES)),)},
        source=BEST_PRACTICES,
    )
