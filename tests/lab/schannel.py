# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which TLS versions and cipher suites a host accepts and offers: the registry held against the defaults of its
Windows version.

Versions, of either side: Enabled=0 refuses. DisabledByDefault other than 0 takes the version out of the default
offer, which is what Exchange uses as a server and as a client. Any other number in Enabled switches on. The defaults
are those of the server side; for TLS 1.2 the client's are the same.

Suites: the list of the policy, else the local list, else the default order; then Enabled=0 of a cipher, hash or key
exchange takes away those that are made of it. Whatever else a hash is used for (signatures, certificates) goes on.

Only REG_DWORD counts: what Windows does with other types is unproven, so they count as absent unless the rules say
otherwise.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .presets import LOCAL_LIST, Windows
from .registry import Key, Registry, Value, fold
from .suites import Offer, Suite, all_suites, default_suites, known_suites

PROTOCOLS = ("SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
SCHANNEL = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL"
POLICY_LIST = r"SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002"

_KEY_EXCHANGES = {"DHE": "Diffie-Hellman", "ECDHE": "ECDH", "RSA": "PKCS", "RSA_EXPORT": "PKCS"}


@dataclass(frozen=True)
class Rules:
    """What nobody has proven about Windows, and so can be chosen: the quirks of these names."""

    #: An Enabled or DisabledByDefault of another type counts as the number that it spells.
    wrong_type_is_number: bool = False
    #: Names with ECDHE are known with any curve and with none, whatever the Windows version.
    any_curve: bool = False
    #: Where no name of the list is known, the default order is in effect instead of nothing.
    unknown_list_is_default: bool = False
    #: Either list may be REG_SZ or REG_MULTI_SZ.
    any_list_type: bool = False


STRICT = Rules()


@dataclass(frozen=True)
class Settings:
    """What is in effect: versions that are on, oldest first, and suites in the server's order. client: the versions
    that are on where the host connects to others."""

    protocols: tuple[str, ...]
    suites: tuple[Suite, ...]
    client: tuple[str, ...]

    def offer(self, key: str, without: Collection[str] = ()) -> Offer:
        """What a listener can negotiate whose certificate has a key of that kind and that lacks some versions."""
        fitting = [suite for suite in self.suites if suite.served and suite.fits(key)]
        usable = tuple(
            protocol
            for protocol in self.protocols
            if protocol not in without and any(protocol in suite.protocols for suite in fitting)
        )
        return Offer(usable, tuple(suite for suite in fitting if not suite.protocols.isdisjoint(usable)))


def everything() -> Settings:
    """All versions and suites, for a listener that does not follow Schannel."""
    return Settings(PROTOCOLS, tuple(all_suites().values()), PROTOCOLS)


def effective_settings(registry: Registry, windows: Windows, rules: Rules = STRICT) -> Settings:
    """What is in effect after a restart."""
    return Settings(
        effective_protocols(registry, windows, rules),
        effective_suites(registry, windows, rules),
        effective_protocols(registry, windows, rules, "Client"),
    )


def effective_protocols(
    registry: Registry, windows: Windows, rules: Rules = STRICT, side: str = "Server"
) -> tuple[str, ...]:
    """The protocols that are on after a restart, oldest first."""
    return tuple(
        protocol for protocol in PROTOCOLS if _is_on(registry, protocol, side, windows.defaults[protocol], rules)
    )


def _is_on(registry: Registry, protocol: str, side: str, default: str, rules: Rules) -> bool:
    if default == "none":
        return False
    key = registry.find("HKLM", rf"{SCHANNEL}\Protocols\{protocol}\{side}")
    enabled = _number(key, "Enabled", rules)
    hidden = _number(key, "DisabledByDefault", rules)
    if enabled == 0 or hidden:
        return False
    if hidden == 0 or default == "on":
        return True
    return default == "off" and bool(enabled)


def effective_suites(registry: Registry, windows: Windows, rules: Rules = STRICT) -> tuple[Suite, ...]:
    """The suites that can be used after a restart, in the server's order, whatever versions are on."""
    ciphers, hashes, exchanges = (
        _switched_off(registry, group, rules) for group in ("Ciphers", "Hashes", "KeyExchangeAlgorithms")
    )
    return tuple(
        suite
        for suite in _listed(registry, windows, rules)
        if fold(suite.cipher or "") not in ciphers
        and fold(suite.hash) not in hashes
        and fold(_KEY_EXCHANGES.get(suite.key_exchange, "")) not in exchanges
    )


def _listed(registry: Registry, windows: Windows, rules: Rules) -> tuple[Suite, ...]:
    names = _names(registry, POLICY_LIST, "REG_SZ", rules)
    if names is None:
        names = _names(registry, LOCAL_LIST, "REG_MULTI_SZ", rules)
    if names is None:
        return default_suites(windows.name)
    known = known_suites(windows.name, rules.any_curve)
    found = tuple(dict.fromkeys(known[name] for name in names if name in known))
    return found or (default_suites(windows.name) if rules.unknown_list_is_default else ())


def _names(registry: Registry, path: str, expected: str, rules: Rules) -> list[str] | None:
    """The names of a list as they are written: a blank belongs to a name."""
    value = _value(registry.find("HKLM", path), "Functions")
    types = ("REG_SZ", "REG_MULTI_SZ") if rules.any_list_type else (expected,)
    if value is None or value.type not in types:
        return None
    texts = [value.data] if value.type == "REG_SZ" else value.data
    return [name for text in texts for name in text.split(",")]


def _switched_off(registry: Registry, group: str, rules: Rules) -> frozenset[str]:
    found = registry.find("HKLM", rf"{SCHANNEL}\{group}")
    keys = found.subkeys if found is not None else {}
    return frozenset(name for name, key in keys.items() if _number(key, "Enabled", rules) == 0)


def _value(key: Key | None, name: str) -> Value | None:
    found = key.values.get(fold(name)) if key is not None else None
    return found[1] if found is not None else None


def _number(key: Key | None, name: str, rules: Rules) -> int | None:
    value = _value(key, name)
    if value is None:
        return None
    if value.type == "REG_DWORD":
        return int(value.data)
    if not rules.wrong_type_is_number:
        return None
    if isinstance(value.data, bytes):
        return int.from_bytes(value.data, "little")
    try:
        return int(value.data)
    except (TypeError, ValueError):
        return None
