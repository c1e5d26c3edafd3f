# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What the SCHANNEL settings of a Windows version mean. Pure: no I/O, no policy.

Sources: Microsoft's TLS registry settings page, "Protocols in TLS/SSL (Schannel SSP)" and KB 245030.
"""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from .values import ABSENT, Type, Value

SCHANNEL_KEY = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL"
PROTOCOLS_KEY = rf"{SCHANNEL_KEY}\Protocols"

# All that Windows knows below Protocols, by the names of the registry keys. The table of defaults at the end of this
# file speaks of all but the first, whose default no source tells.
_TABLED = ("PCT 1.0", "SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3", "DTLS 1.0", "DTLS 1.2")
UNIFIED_HELLO = "Multi-Protocol Unified Hello"
PROTOCOLS = (UNIFIED_HELLO, *_TABLED)
# What phase 2 turns off.
OLD_PROTOCOLS = (UNIFIED_HELLO, "PCT 1.0", "SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "DTLS 1.0")
TLS12 = "TLS 1.2"
WHY_TLS12_STAYS = "Exchange SMTP has no TLS 1.3, so nothing would be left to send and receive mail with"
CLIENT, SERVER = SIDES = ("Client", "Server")
ENABLED, DISABLED_BY_DEFAULT = VALUE_NAMES = ("Enabled", "DisabledByDefault")


class State(enum.Enum):
    """What the two values of a side say."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    DISABLED_BY_DEFAULT = "disabled_by_default"
    NOT_CONFIGURED = "not_configured"
    UNKNOWN = "unknown"


class Effective(enum.Enum):
    """What Windows does with a protocol on a side, after its own defaults."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    DISABLED_BY_DEFAULT = "disabled_by_default"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True)
class Side:
    """The two values of one protocol on one side, as they are in the registry."""

    enabled: Value = ABSENT
    disabled_by_default: Value = ABSENT

    @property
    def state(self) -> State:
        """The configured state.

        ``Enabled=0`` refuses the version whatever else is set; ``DisabledByDefault`` other than 0 takes it out of the
        default offer; any other number than 0 in ``Enabled`` is on. A value that is not a REG_DWORD proves nothing:
        no source says what Windows makes of it.
        """
        enabled, by_default = _number(self.enabled), _number(self.disabled_by_default)
        if enabled == 0:
            return State.DISABLED
        if enabled is _NO_PROOF or by_default is _NO_PROOF:
            return State.UNKNOWN
        if by_default:
            return State.DISABLED_BY_DEFAULT
        if enabled is None and by_default is None:
            return State.NOT_CONFIGURED
        return State.ENABLED

    def effective(self, protocol: str, side: str, build: int) -> Effective:
        """What this Windows build does with these values."""
        default = os_default(protocol, side, build)
        state = self.state
        if default is Effective.UNSUPPORTED or state is State.NOT_CONFIGURED:
            return default
        if state is not State.ENABLED:
            return Effective(state.value)
        if default in (Effective.ENABLED, Effective.UNKNOWN) and _number(self.enabled) is not None:
            return Effective.ENABLED
        if _needs_both_values(protocol, build):
            # 2008 does not offer TLS 1.1 and 1.2 until DisabledByDefault=0 is written (docs/reference/schannel.md 3.2)
            return Effective.ENABLED if _number(self.disabled_by_default) == 0 else Effective.DISABLED_BY_DEFAULT
        if _number(self.enabled):
            return Effective.ENABLED
        # only DisabledByDefault=0 is set: whether the version is on is left to Windows' own default
        return default if default is Effective.ENABLED else Effective.UNKNOWN


def protocol_key(protocol: str, side: str | None = None) -> str:
    """The key of a protocol, or of one of its sides, below HKLM."""
    return rf"{PROTOCOLS_KEY}\{protocol}" + (f"\\{side}" if side else "")


def os_default(protocol: str, side: str, build: int) -> Effective:
    """What a Windows build does where nothing is configured; UNKNOWN where no source says it."""
    row = _GENERATIONS.get(_CLIENTS.get(build, build))
    if row is None:
        return Effective.UNKNOWN
    cell = row.defaults[_TABLED.index(protocol)] if protocol in _TABLED else "?"
    if "/" in cell:
        cell = cell.split("/")[SIDES.index(side)]
    return {"on": Effective.ENABLED, "off": Effective.DISABLED, "no": Effective.UNSUPPORTED, "?": Effective.UNKNOWN}[
        cell
    ]


def generation(build: int) -> str | None:
    """The Windows Server version of a build, for messages; None for builds that are not in the table."""
    row = _GENERATIONS.get(build)
    return row.name if row else None


def windows_name(build: int) -> str:
    """A Windows version as people call it."""
    name = generation(build)
    return f"Windows Server {name}" if name else f"Windows build {build}"


def _needs_both_values(protocol: str, build: int) -> bool:
    return build in _OFF_UNTIL_ASKED_FOR and protocol in ("TLS 1.1", "TLS 1.2")


class _NoProof(enum.Enum):
    """The number of a value that is not a REG_DWORD."""

    NO_PROOF = 0


_NO_PROOF: t.Final = _NoProof.NO_PROOF


def _number(value: Value) -> int | t.Literal[_NoProof.NO_PROOF] | None:
    """The number of a REG_DWORD, None for an absent value, NO_PROOF for anything else."""
    if not value.present:
        return None
    return value.data if value.type is Type.REG_DWORD and isinstance(value.data, int) else _NO_PROOF


@dataclasses.dataclass(frozen=True)
class _Generation:
    name: str
    # one word per entry of _TABLED; "client/server" where the sides differ; no = removed or not yet there
    cells: str

    @property
    def defaults(self) -> list[str]:
        return self.cells.split()


# Protocols in TLS/SSL (Schannel SSP), win32 docs commit 32fe34e6, stored 2022-11. Server 2025 is not in that table;
# TLS 1.0, 1.1 and DTLS 1.0 may be off there, and nobody says so: unknown, never guessed.
#                           PCT  SSL 2  SSL 3  TLS 1.0  1.1  1.2  1.3  DTLS 1.0  1.2
_GENERATIONS: dict[int, _Generation] = {
    6002: _Generation("2008 SP2", "no off/on on on off off no no no"),
    6003: _Generation("2008 SP2", "no off/on on on off off no no no"),
    7600: _Generation("2008 R2", "no off/on on on off off no on no"),
    7601: _Generation("2008 R2", "no off/on on on off off no on no"),
    9200: _Generation("2012", "no off on on on on no on no"),
    9600: _Generation("2012 R2", "no off on on on on no on no"),
    14393: _Generation("2016", "no no off on on on no on on"),
    17763: _Generation("2019", "no no off on on on no on on"),
    20348: _Generation("2022", "no no off on on on on on on"),
    26100: _Generation("2025", "no no off ? ? on on ? on"),
}
_OFF_UNTIL_ASKED_FOR = (6002, 6003, 7600, 7601)
# Builds of Windows 10 (1507 to 21H1) and 11 only, by the server that the same page gives the same defaults.
_CLIENTS: dict[int, int] = {
    **dict.fromkeys((10240, 10586), 9600),
    **dict.fromkeys((15063, 16299, 17134, 18362, 18363, 19041, 19042, 19043), 17763),
    22000: 20348,
}
