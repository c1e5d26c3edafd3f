# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against a rollback."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import rollback
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.backups import Backup
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import baselines, subjects
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting, Snapshot
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Value, dword

from ..policies import policy
from ..worlds import POLICIES, places_of

NEW = Setting(protocol_key("TLS 1.2", "Server"), "Enabled")
OLD = Setting(protocol_key("TLS 1.0", "Server"), "Enabled")
Values = Mapping[Setting, Value]


def backup(
    before: Values, after: Values | None = None, missing: tuple[str, ...] = (), gone: tuple[str, ...] = ()
) -> Backup:
    return Backup("EX01", before, missing, gone, "change", "2026-11-22T03:04:05Z", "ex01", after)


# --- whose settings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in POLICIES if name != "own"])
def test_all_that_a_policy_can_write_is_ours(name: str) -> None:
    for setting in places_of(POLICIES[name]):
        assert rollback.is_ours(setting.key, setting.name), setting
        assert rollback.is_ours(setting.key)


@pytest.mark.parametrize("name", baselines.names())
def test_all_of_the_baselines_is_ours(name: str) -> None:
    for rule in policy(baseline=name).rules:
        assert rollback.is_ours(rule.setting.key.upper(), rule.setting.name.upper()), rule.id


DOTNET = r"SOFTWARE\Microsoft\.NETFramework\v4.0.30319"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (r"SOFTWARE\Microsoft\Windows\CurrentVersion\Run", "evil"),
        (r"SOFTWARE\Microsoft\Windows\CurrentVersion\Run", None),
        (DOTNET, "OnlyUseLatestCLR"),
        (DOTNET + r"\AspNetEnforceViewStateMac", None),
        (r"SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002", "EccCurves"),
        (r"SYSTEM\CurrentControlSet\Control\SecurityProviders", "SecurityProviders"),
        (r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNELS", "x"),
        (r"SYSTEM\CurrentControlSet\Control\SecurityProviders\WDigest", "UseLogonCredential"),
        (r"SYSTEM\CurrentControlSet\Services\x", None),
    ],
)
def test_what_is_not_ours(key: str, name: str | None) -> None:
    assert not rollback.is_ours(key, name)
    held = backup({Setting(key, name): dword(1)}) if name else backup({}, missing=(key,))
    objection = rollback.objection_to_content("file", held)
    assert objection is not None
    assert key in objection
    assert "'force' (tls12_force in the role)" in objection
    if name is None:
        assert rollback.objection_to_content("file", backup({}, gone=(key,)))


def test_strays_are_ours() -> None:
    key = PROTOCOLS_KEY + r"\TLS 1,2\Asiakas"
    assert rollback.objection_to_content("file", backup({Setting(key, "käytössä"): dword(1)}, gone=(key,))) is None


def test_many_are_counted_and_made_visible() -> None:
    held = backup({Setting(r"SOFTWARE\X", f"\x1b[31m{number}"): dword(1) for number in range(9)})
    objection = rollback.objection_to_content("file", held) or ""
    assert "\x1b" not in objection
    assert "and 4 more" in objection


# --- order -----------------------------------------------------------------------------------------------------------

ENFORCE = backup({NEW: ABSENT}, {NEW: dword(1)})
HARDEN = backup({OLD: ABSENT}, {OLD: dword(0)})


def objection(
    held: Backup = ENFORCE, newer: Backup | None = None, new: Value = ABSENT, old: Value = ABSENT
) -> str | None:
    later = [("newer.json", newer)] if newer else []
    return rollback.objection_to_order("this.json", held, later, Snapshot({NEW: new, OLD: old}, {}))


def test_the_newest_change_is_rolled_back() -> None:
    assert objection(new=dword(1)) is None
    assert objection(HARDEN, new=dword(1), old=dword(0)) is None


def test_beneath_a_newer_change() -> None:
    """Otherwise nothing would accept TLS at all: the newer change has written other settings."""
    found = objection(newer=HARDEN, new=dword(1), old=dword(0)) or ""
    assert "'newer.json'" in found
    assert "Roll that one back first" in found
    assert objection(newer=HARDEN, new=dword(1)) is None, "it is rolled back"
    assert objection(newer=HARDEN, new=dword(1), old=dword(5)) is None, "something else has taken its place"


def test_beneath_a_newer_change_of_version_1() -> None:
    """Nobody knows what it wrote, so all that is not as before it counts."""
    newer = backup({OLD: ABSENT})
    assert objection(newer=newer, new=dword(1), old=dword(5))
    assert objection(newer=newer, new=dword(1)) is None


@pytest.mark.parametrize("written", [(), (NEW,), (OLD,), (NEW, OLD)])
def test_a_change_that_was_cut_off(written: tuple[Setting, ...]) -> None:
    both = backup({**ENFORCE.values, **HARDEN.values}, {NEW: dword(1), OLD: dword(0)})
    values = {"new": dword(1) if NEW in written else ABSENT, "old": dword(0) if OLD in written else ABSENT}
    assert objection(both, **values) is None


def test_changed_since_by_others() -> None:
    found = objection(new=dword(7)) or ""
    assert r"TLS 1.2\Server [Enabled]" in found
    assert "'force'" in found
    assert objection(backup({NEW: ABSENT}), new=dword(7)) is None, "version 1 does not know"


def test_subjects_outside_schannel_are_what_subjects_say() -> None:
    assert rollback.is_ours(subjects.SUITES_LOCAL.key, "Functions")
