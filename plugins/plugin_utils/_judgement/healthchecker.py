# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What CSS-Exchange HealthChecker says about the same registry, and why it differs from what Windows does. Pure.

Rules: microsoft/CSS-Exchange at f88378b1 (2026-04-02), ``Shared/TLS/Get-AllTlsSettingsFromRegistry.ps1``, restated from
its code with the semantics of PowerShell's operators; nothing was run. HealthChecker asks for no type, knows no default
of Windows and reads TLS 1.0 to 1.3 only.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
import typing as t

from .._schannel.protocols import CLIENT, SERVER, SIDES, Effective, Side, State, windows_name
from .._schannel.values import Type, Value

Verdict = t.Literal["Enabled", "Disabled", "Half Disabled", "Misconfigured"]

# The versions that HealthChecker reads.
PROTOCOLS = ("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
# The only one that it takes as off where Enabled is missing.
_OFF_WHERE_MISSING = "TLS 1.3"

V4 = "v4.0.30319"


class Cause(enum.Enum):
    """Why HealthChecker's verdict is not what Windows (or .NET) does. Stable: people keep these in reports."""

    OFF_BY_DEFAULT = "off_by_default"  # missing is on for HealthChecker, off in this Windows
    ON_BY_DEFAULT = "on_by_default"  # missing is off for HealthChecker (TLS 1.3), on in this Windows
    UNKNOWN_DEFAULT = "unknown_default"  # no source says what this Windows does
    NOT_IN_WINDOWS = "not_in_windows"  # this Windows does not have the version, whatever is configured
    NEEDS_BOTH_VALUES = "needs_both_values"  # 2008 R2 wants DisabledByDefault=0 as well
    ONLY_ON_REQUEST = "only_on_request"  # DisabledByDefault=1 alone does not refuse the version
    ENABLED_ZERO = "enabled_zero"  # Enabled=0 refuses, whatever DisabledByDefault says
    SERVER_ONLY = "server_only"  # the contradiction is on the Client side, where HealthChecker does not look
    WRONG_TYPE = "wrong_type"  # HealthChecker takes any type
    DOTNET_NOT_ONE = "dotnet_not_one"  # 0xffffffff and the like are on for newer programs only
    DOTNET_WRONG_TYPE = "dotnet_wrong_type"  # .NET reads nothing but REG_DWORD


@dataclasses.dataclass(frozen=True)
class Explanation:
    """One reason, the sides (or registry views) that it is about, and a sentence for people."""

    reason: Cause
    where: tuple[str, ...]
    sentence: str

    def as_result(self) -> dict[str, t.Any]:
        return {"reason": self.reason.value, "where": list(self.where), "sentence": self.sentence}


@dataclasses.dataclass(frozen=True)
class Difference:
    """HealthChecker's verdict beside the effective states that it does not fit, and why (at least one explanation)."""

    protocol: str
    verdict: Verdict
    client: Effective
    server: Effective
    explanations: tuple[Explanation, ...]

    @property
    def reasons(self) -> tuple[Cause, ...]:
        return tuple(item.reason for item in self.explanations)

    @property
    def message(self) -> str:
        return (
            f"HealthChecker calls {self.protocol} '{self.verdict}'; effective are {CLIENT} {self.client.value}, "
            f"{SERVER} {self.server.value}. " + " ".join(item.sentence for item in self.explanations)
        )

    def as_result(self) -> dict[str, t.Any]:
        return {
            "verdict": self.verdict,
            "effective": {CLIENT: self.client.value, SERVER: self.server.value},
            "reasons": [item.as_result() for item in self.explanations],
            "message": self.message,
        }


# --- SCHANNEL --------------------------------------------------------------------------------------------------------


def verdict(protocol: str, client: Side, server: Side) -> Verdict | None:
    """HealthChecker's verdict; None for a protocol that it does not read.

    None as well where the verdict hangs on a value of a type that WMI cannot read (``Type.OTHER``).
    """
    if protocol not in PROTOCOLS:
        return None
    pairs = itertools.product(_readings(protocol, client), _readings(protocol, server))
    verdicts = {_decide(*pair) for pair in pairs}
    return verdicts.pop() if len(verdicts) == 1 else None


def differs(protocol: str, client: Side, server: Side, build: int) -> Difference | None:
    """Where HealthChecker's verdict is not what this Windows build does; None where they agree or it has none."""
    said = verdict(protocol, client, server)
    if said is None:
        return None
    sides = dict(zip(SIDES, (client, server), strict=True))
    effective = {name: side.effective(protocol, name, build) for name, side in sides.items()}
    if _agrees(said, effective[CLIENT], effective[SERVER]):
        return None
    reasons: dict[Cause, tuple[str, ...]] = {}
    for name, side in sides.items():
        reason = _side_reason(protocol, side, effective[name])
        if reason:
            reasons[reason] = (*reasons.get(reason, ()), name)
    if said == "Enabled" and not any(seen.enabled for seen in _readings(protocol, server)):
        # not a matter of what the values mean: the same contradiction on the Server side has another verdict
        reasons.pop(Cause.ENABLED_ZERO, None)
        reasons = {Cause.SERVER_ONLY: (CLIENT,), **reasons}
    if not reasons:
        # each side alone is judged alike; only the comparison of the two DisabledByDefault values differs
        unsupported = Effective.UNSUPPORTED in effective.values()
        reasons[Cause.NOT_IN_WINDOWS if unsupported else Cause.ENABLED_ZERO] = SIDES
    windows = windows_name(build)
    explanations = tuple(
        Explanation(
            reason, where, _SENTENCES[reason].format(protocol=protocol, windows=windows, where=" and ".join(where))
        )
        for reason, where in reasons.items()
    )
    return Difference(protocol, said, effective[CLIENT], effective[SERVER], explanations)


@dataclasses.dataclass(frozen=True)
class _Cell:
    """A value as PowerShell sees it: whether there is one, and whether ``-ne 0`` holds."""

    present: bool
    nonzero: bool


_MISSING = _Cell(False, False)


@dataclasses.dataclass(frozen=True)
class _Seen:
    """One side in HealthChecker's eyes."""

    enabled: bool
    by_default: bool  # DisabledByDefault is there and not 0
    by_default_missing: bool

    @classmethod
    def of(cls, protocol: str, enabled: _Cell, by_default: _Cell) -> _Seen:
        on = enabled.nonzero if enabled.present else protocol != _OFF_WHERE_MISSING
        return cls(on, by_default.nonzero, not by_default.present)

    @property
    def off(self) -> bool:
        return not self.enabled and (self.by_default or self.by_default_missing)


def _readings(protocol: str, side: Side) -> set[_Seen]:
    """One, or each possible one where WMI cannot read a value."""
    cells = itertools.product(_cells(side.enabled), _cells(side.disabled_by_default))
    return {_Seen.of(protocol, *pair) for pair in cells}


def _decide(client: _Seen, server: _Seen) -> Verdict:
    """The later rule wins. 'Half Disabled' looks at the Server side alone: that is HealthChecker's hole."""
    found: Verdict = "Enabled"
    if client.off and server.off:
        found = "Disabled"
    if (not server.enabled and not server.off) or (server.enabled and server.by_default):
        found = "Half Disabled"
    if client.enabled != server.enabled or client.by_default != server.by_default:
        found = "Misconfigured"
    return found


def _cells(value: Value) -> tuple[_Cell, ...]:
    """What PowerShell may make of the value: one reading, or each possible one where WMI cannot read the data."""
    if not value.present:
        return (_MISSING,)
    if value.type is Type.OTHER:
        # REG_NONE arrives as bytes, a link or a resource list as nothing
        return (_MISSING, _Cell(True, False), _Cell(True, True))
    items = _items(value)
    if not items:
        return (_MISSING,)  # an empty array leaves nothing in a pipeline
    different = [item for item in items if item not in (0, "0")]
    if len(items) == 1 or len(different) != 1:
        return (_Cell(True, bool(different)),)
    # -ne on an array filters it, and an array of one element is as true as that element
    return (_Cell(True, different != [""]),)


def _items(value: Value) -> tuple[int | str, ...]:
    """The elements in PowerShell's pipeline. Numbers are compared as numbers; text with the text of the number."""
    if isinstance(value.data, tuple):
        return value.data
    return () if value.data is None else (value.data,)


def _agrees(said: Verdict, client: Effective, server: Effective) -> bool:
    both = {client, server}
    if said == "Misconfigured":
        return len(both) == 2 and Effective.UNKNOWN not in both
    if said == "Enabled":
        return both == {Effective.ENABLED}
    if said == "Half Disabled":
        return both == {Effective.DISABLED_BY_DEFAULT}
    return both <= {Effective.DISABLED, Effective.UNSUPPORTED}


def _side_reason(protocol: str, side: Side, effective: Effective) -> Cause | None:
    """Why this side alone is something else than HealthChecker takes it for; None where it is not."""
    if effective is Effective.UNKNOWN:
        typed = all(value.type in (None, Type.REG_DWORD) for value in (side.enabled, side.disabled_by_default))
        return Cause.UNKNOWN_DEFAULT if typed else Cause.WRONG_TYPE
    taken_for = {_taken_for(seen) for seen in _readings(protocol, side)}
    if taken_for == {effective}:
        return None
    if effective is Effective.UNSUPPORTED:
        return None if taken_for == {Effective.DISABLED} else Cause.NOT_IN_WINDOWS
    if side.state is State.DISABLED:
        return Cause.ENABLED_ZERO
    if side.enabled.present:
        return Cause.NEEDS_BOTH_VALUES
    if protocol != _OFF_WHERE_MISSING:
        return Cause.OFF_BY_DEFAULT
    return Cause.ON_BY_DEFAULT if effective is Effective.ENABLED else Cause.ONLY_ON_REQUEST


def _taken_for(seen: _Seen) -> Effective | None:
    """The effective state that HealthChecker's reading of one side amounts to; None for its contradiction."""
    if seen.enabled:
        return Effective.DISABLED_BY_DEFAULT if seen.by_default else Effective.ENABLED
    return Effective.DISABLED if seen.off else None


_SENTENCES = {
    Cause.OFF_BY_DEFAULT: "HealthChecker takes a missing Enabled as on in every Windows, but {windows} has {protocol} "
    "off until the registry turns it on ({where}).",
    Cause.ON_BY_DEFAULT: "HealthChecker takes a missing Enabled of {protocol} as off, but {windows} has it on by "
    "default ({where}).",
    Cause.UNKNOWN_DEFAULT: "HealthChecker decides without regard to Windows' own defaults; no source says what "
    "{windows} does with {protocol} as it is configured here ({where}).",
    Cause.NOT_IN_WINDOWS: "HealthChecker judges the values, but {windows} does not have {protocol}, whatever they say "
    "({where}).",
    Cause.NEEDS_BOTH_VALUES: "HealthChecker is content with Enabled, but {windows} leaves {protocol} out of its offer "
    "until DisabledByDefault=0 is written as well ({where}).",
    Cause.ONLY_ON_REQUEST: "HealthChecker takes a missing Enabled of {protocol} as off; in {windows} "
    "DisabledByDefault alone only takes it out of the default offer, and a program that asks for it gets it ({where}).",
    Cause.ENABLED_ZERO: "HealthChecker weighs DisabledByDefault too, but Enabled=0 refuses {protocol} whatever "
    "DisabledByDefault says ({where}).",
    Cause.SERVER_ONLY: "HealthChecker itself takes {protocol} as not enabled on both sides and yet says 'Enabled': "
    "DisabledByDefault=0 keeps it from 'Disabled' ({where}), and it looks for 'Half Disabled' on the Server side only.",
    Cause.WRONG_TYPE: "HealthChecker does not look at types and takes text or bytes for on or off; no source says "
    "what Windows makes of a value that is not a REG_DWORD, so the effective state is unknown ({where}).",
}


# --- .NET ------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class DotNet:
    """The two values of one .NET runtime version in one registry view (64-bit, or Wow6432Node)."""

    system_default_tls_versions: Value
    sch_use_strong_crypto: Value


@dataclasses.dataclass(frozen=True)
class DotNetVerdict:
    """HealthChecker's booleans for one runtime version, by its names. None: hangs on data that WMI cannot read."""

    system_default_tls_versions: bool | None
    wow_system_default_tls_versions: bool | None
    sch_use_strong_crypto: bool | None
    wow_sch_use_strong_crypto: bool | None

    @property
    def sdtv_configured_correctly(self) -> bool | None:
        both = (self.system_default_tls_versions, self.wow_system_default_tls_versions)
        return None if None in both else both[0] == both[1]

    @property
    def sdtv_enabled(self) -> bool | None:
        both = (self.system_default_tls_versions, self.wow_system_default_tls_versions)
        return False if False in both else None if None in both else True

    def as_result(self) -> dict[str, bool | None]:
        return {
            "SystemDefaultTlsVersions": self.system_default_tls_versions,
            "WowSystemDefaultTlsVersions": self.wow_system_default_tls_versions,
            "SchUseStrongCrypto": self.sch_use_strong_crypto,
            "WowSchUseStrongCrypto": self.wow_sch_use_strong_crypto,
            "SDtvConfiguredCorrectly": self.sdtv_configured_correctly,
            "SDtvEnabled": self.sdtv_enabled,
        }


def dotnet_verdict(native: DotNet, wow: DotNet) -> DotNetVerdict:
    """HealthChecker's booleans: true only for what equals 1, so that 0xffffffff is false here, unlike in SCHANNEL."""
    return DotNetVerdict(
        _is_one(native.system_default_tls_versions),
        _is_one(wow.system_default_tls_versions),
        _is_one(native.sch_use_strong_crypto),
        _is_one(wow.sch_use_strong_crypto),
    )


def dotnet_differs(version: str, native: DotNet, wow: DotNet) -> tuple[Explanation, ...]:
    """Where those booleans are not what .NET does with the values; ``version`` is the key (``v4.0.30319``).

    .NET reads nothing but a REG_DWORD. v2.0.50727 and programs built for 4.5.2 (SystemDefaultTlsVersions: 4.6.2) or
    older take exactly 1 as on; newer programs anything but 0 (.NET Framework reference source, ServicePointManager and
    RegistryConfiguration). A missing value is no difference here: best practice counts it as off.
    """
    found: dict[Cause, list[str]] = {}
    for view, values in (("64-bit", native), ("32-bit", wow)):
        for name, value in (
            ("SystemDefaultTlsVersions", values.system_default_tls_versions),
            ("SchUseStrongCrypto", values.sch_use_strong_crypto),
        ):
            if value.type is Type.REG_DWORD:
                if version == V4 and value.data not in (0, 1):
                    found.setdefault(Cause.DOTNET_NOT_ONE, []).append(f"{name} ({view})")
            elif _is_one(value):
                found.setdefault(Cause.DOTNET_WRONG_TYPE, []).append(f"{name} ({view})")
    return tuple(
        Explanation(reason, tuple(where), _DOTNET_SENTENCES[reason].format(where=", ".join(where)))
        for reason, where in found.items()
    )


def _is_one(value: Value) -> bool | None:
    """PowerShell's ``-eq 1``: text is compared with "1", and one such element of an array is enough."""
    return None if value.type is Type.OTHER else any(item in (1, "1") for item in _items(value))


_DOTNET_SENTENCES = {
    Cause.DOTNET_NOT_ONE: "HealthChecker counts only the number 1 as on; .NET 4 takes any number but 0 as on for "
    "programs built for 4.6 or 4.7 and newer, and only 1 for older ones: {where}.",
    Cause.DOTNET_WRONG_TYPE: "HealthChecker does not look at types; .NET ignores a value that is not a REG_DWORD: "
    "{where}.",
}
