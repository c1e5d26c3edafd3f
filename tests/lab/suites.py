# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cipher suites that each Windows version knows, and the choice of one in a handshake."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from .presets import suites_preset

#: What authenticates a TLS 1.3 suite is no part of its name.
_ANY_KEY = "any"
_CURVE = re.compile(r"_P(256|384|521)$")
_CURVES = ("", "_P256", "_P384", "_P521")


@dataclass(frozen=True)
class Suite:
    """One cipher suite. cipher and hash are names below SCHANNEL; openssl: None where OpenSSL cannot serve it."""

    name: str
    number: int
    protocols: frozenset[str]
    key_exchange: str
    authentication: str
    cipher: str | None
    hash: str
    openssl: str | None
    on_request: bool

    @property
    def served(self) -> bool:
        """True if a listener answers with it: by OpenSSL, or by a canned flight, in which nothing is signed."""
        return not self.on_request and (self.openssl is not None or self.key_exchange == "RSA")

    def fits(self, key: str) -> bool:
        """True if a certificate with a key of that kind ("rsa", "ecdsa") can authenticate it."""
        return self.authentication in (_ANY_KEY, key.upper())


@dataclass(frozen=True)
class Offer:
    """What a listener can negotiate: versions, oldest first, and suites in the server's order, each of use."""

    protocols: tuple[str, ...]
    suites: tuple[Suite, ...]

    def select(self, protocols: Collection[str], suites: Collection[int]) -> tuple[str, Suite] | None:
        """The newest version in common and the first suite of it in common; None where there is none."""
        common = [protocol for protocol in self.protocols if protocol in protocols]
        for suite in self.suites if common else ():
            if common[-1] in suite.protocols and suite.number in suites:
                return common[-1], suite
        return None


@cache
def all_suites() -> Mapping[str, Suite]:
    """Every suite by its standard name."""
    table = suites_preset()
    on_request = frozenset(table["on_request"])
    return {name: _suite(name, row, name in on_request) for name, row in table["suites"].items()}


def _suite(name: str, row: list[Any], on_request: bool) -> Suite:
    number, protocols, key_exchange, authentication, cipher, hash_name, *openssl = row
    return Suite(
        name=name,
        number=number,
        protocols=frozenset(protocols),
        key_exchange=key_exchange,
        authentication=authentication,
        cipher=cipher,
        hash=hash_name,
        openssl=openssl[0] if openssl else None,
        on_request=on_request,
    )


@cache
def exchange_online() -> Offer:
    """What Exchange Online can negotiate with a mail server, whoever of the two connects."""
    return Offer(("TLS 1.2",), tuple(all_suites()[name] for name in suites_preset()["exchange_online"]))


@cache
def default_suites(windows: str) -> tuple[Suite, ...]:
    """The order of a Windows version with nothing configured."""
    known = known_suites(windows)
    return tuple(dict.fromkeys(known[name] for name in suites_preset()["windows"][windows]["default"]))


@cache
def known_suites(windows: str, any_curve: bool = False) -> Mapping[str, Suite]:
    """The names that a Windows version knows; with *any_curve*, also with curves it does not expect, or without."""
    lists = suites_preset()["windows"][windows]
    known = {name: all_suites()[_CURVE.sub("", name)] for name in (*lists["default"], *lists["known"])}
    if any_curve:
        curved = [
            suite for suite in known.values() if suite.key_exchange == "ECDHE" and "TLS 1.3" not in suite.protocols
        ]
        known.update({suite.name + curve: suite for suite in curved for curve in _CURVES})
    return known
