# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws of judging, planning and restoring, for every registry and every policy."""

from __future__ import annotations

import random
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import apply, notes, plans
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement import judge
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.findings import Finding, Status
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Rule
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS,
    SCHANNEL_KEY,
    SIDES,
    VALUE_NAMES,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Snapshot
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.audit import Audit
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.reader import Reader
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.unit.laws import examples

from .. import policies
from ..fakes import FakeWindows, registry_of

DATA = st.sampled_from(
    [dword(0), dword(1), dword(5), dword(0xFFFFFFFF), Value(Type.REG_SZ, "1"), Value(Type.REG_QWORD, 1)]
)
CONTENT = st.dictionaries(
    st.sampled_from([protocol_key(protocol, side) for protocol in PROTOCOLS for side in SIDES]),
    st.dictionaries(st.sampled_from([*VALUE_NAMES, "Other"]), DATA),
    max_size=6,
).map(lambda content: {**content, SCHANNEL_KEY: {}})
BUILDS = st.sampled_from([7601, 9600, 14393, 17763, 20348, 26100, 99999])
STATES = st.sampled_from(["enabled", "disabled", "default"])
OPTIONS = st.dictionaries(st.sampled_from([item for item in PROTOCOLS if item != "TLS 1.2"]), STATES).map(
    lambda options: {**options, "TLS 1.2": "enabled"}
)

# each example is a host that is read and changed
FEWER = examples(50)


def audited(windows: FakeWindows, protocols: dict[str, str], strays: str = "report") -> Audit:
    return policies.audited(windows, policies.policy(protocols), strays=strays)


def is_stray(finding: Finding) -> bool:
    return finding.id.startswith("stray.") or finding.id == "translated_page"


def planned(found: Audit) -> plans.Plan:
    return found.plan()


def judged(found: Audit) -> list[tuple[Rule, Finding]]:
    """The rules and the findings that are about them; the others are about oddities."""
    findings = [item for item in found.findings if item.expected is not None]
    return list(zip(found.policy.rules, findings, strict=True))


def applied(windows: FakeWindows, found: Audit, plan: plans.Plan) -> None:
    pending = found.pending
    note = notes.begun(pending.note, pending.restarted, found.host.last_boot, plan)
    apply.apply(registry_of(windows), plan, note, pending.note, apply.Progress(plan), undo=True, restart_pending=True)


def image_without_note(windows: FakeWindows) -> Any:
    keys, values = windows.hive.image()
    note = notes.KEY.lower()
    return keys - {note}, {place: value for place, value in values.items() if place[0] != note}


@FEWER
@given(CONTENT, OPTIONS, BUILDS)
def test_what_is_planned_makes_compliant(
    content: dict[str, dict[str, Value]], options: dict[str, str], build: int
) -> None:
    found = audited(FakeWindows(content, build=build), options)
    plan = planned(found)
    after = found.after(found.snapshot.after({write.setting: write.after for write in plan.writes}))
    assert after.compliant
    assert bool(plan) is not found.compliant
    assert not planned(after), "nothing is left to do"


@FEWER
@given(CONTENT, OPTIONS, BUILDS)
def test_prediction_is_what_happens(content: dict[str, dict[str, Value]], options: dict[str, str], build: int) -> None:
    windows = FakeWindows(content, build=build)
    before = audited(windows, options)
    plan = planned(before)
    predicted = before.snapshot.after({write.setting: write.after for write in plan.writes})
    applied(windows, before, plan)
    again = audited(windows, options)
    # which keys are looked into for strays depends on whether they hold what Windows reads
    for setting in predicted.values.keys() & again.snapshot.values.keys():
        assert again.snapshot.values[setting] == predicted.values[setting]
    assert {write.setting for write in plan.writes} <= set(again.snapshot.values)
    assert again.compliant
    for key, exists in predicted.keys.items():
        assert exists is (key in windows.hive.keys)
    assert windows.count("CreateKey") == len(plan.new_keys) + 1, (
        "keys are made where they are missing, and for the note"
    )


# what Windows reads hides the value beside it, until it is removed
HIDDEN = {protocol_key("TLS 1.0", "Client"): {"Enabled": dword(0), "DisabledByDefault": dword(0), "Other": dword(1)}}


@FEWER
@given(CONTENT, OPTIONS, BUILDS, st.sampled_from(["report", "remove", "ignore"]))
@example(HIDDEN, {"TLS 1.0": "default"}, 17763, "remove")
def test_a_second_run_changes_nothing(
    content: dict[str, dict[str, Value]], options: dict[str, str], build: int, strays: str
) -> None:
    windows = FakeWindows(content, build=build)
    found = audited(windows, options, strays)
    applied(windows, found, planned(found))
    again = audited(windows, options, strays)
    assert not planned(again)
    assert again.compliant


@FEWER
@given(CONTENT, OPTIONS, BUILDS, st.sampled_from(["report", "remove", "ignore"]))
def test_restoring_is_the_inverse(
    content: dict[str, dict[str, Value]], options: dict[str, str], build: int, strays: str
) -> None:
    windows = FakeWindows(content, build=build)
    before = image_without_note(windows)
    found = audited(windows, options, strays)
    plan = planned(found)
    applied(windows, found, plan)
    registry = registry_of(windows)
    reader = Reader(registry)
    for write in plan.writes:
        reader.value(write.setting, write.before.type or Type.REG_DWORD)
    for key in plan.new_keys:
        reader.subkeys(key)
        reader.contents(key)
    for key in plan.old_keys:
        reader.subkeys(key)
    back = plans.restore(
        {write.setting: write.before for write in plan.writes}, plan.new_keys, plan.old_keys, reader.snapshot()
    )
    assert {write.setting for write in back.writes} == {write.setting for write in plan.writes}
    applied(windows, audited(windows, options), back)
    assert image_without_note(windows) == before


@FEWER
@given(CONTENT, OPTIONS)
def test_restoring_leaves_what_others_have_added(content: dict[str, dict[str, Value]], options: dict[str, str]) -> None:
    windows = FakeWindows(content)
    found = audited(windows, options)
    plan = planned(found)
    assume(plan.new_keys)
    applied(windows, found, plan)
    for key in plan.new_keys:
        windows.hive.set(key, "Added", dword(7))
    reader = Reader(registry_of(windows))
    for write in plan.writes:
        reader.value(write.setting)
    for key in plan.new_keys:
        reader.subkeys(key)
        reader.contents(key)
    back = plans.restore(
        {write.setting: write.before for write in plan.writes}, plan.new_keys, plan.old_keys, reader.snapshot()
    )
    assert back.old_keys == ()
    applied(windows, audited(windows, options), back)
    assert all(windows.hive.get(key, "Added") == dword(7) for key in plan.new_keys)


def shuffled_case(text: str, chance: random.Random) -> str:
    return "".join(chance.choice([char.upper(), char.lower()]) for char in text)


@FEWER
@given(CONTENT, OPTIONS, st.randoms())
def test_case_of_names_never_matters(
    content: dict[str, dict[str, Value]], options: dict[str, str], chance: random.Random
) -> None:
    other = {
        shuffled_case(key, chance): {shuffled_case(name, chance): value for name, value in values.items()}
        for key, values in content.items()
    }
    one, two = FakeWindows(content), FakeWindows(other)
    first, second = audited(one, options), audited(two, {shuffled_case(key, chance): options[key] for key in options})
    assert {(item.id, item.status, item.setting) for item in first.findings} == {
        (item.id, item.status, item.setting) for item in second.findings
    }
    # strays are called as they are written there
    known = [[item.as_result() for item in found.findings if not is_stray(item)] for found in (first, second)]
    assert known[0] == known[1]
    assert planned(first) == planned(second)
    assert len(one.calls) == len(two.calls)


@FEWER
@given(CONTENT, OPTIONS)
def test_diff_shows_what_is_written_and_nothing_else(
    content: dict[str, dict[str, Value]], options: dict[str, str]
) -> None:
    plan = planned(audited(FakeWindows(content), options))
    diff = plan.diff()
    for side in ("before", "after"):
        lines = [line.strip() for line in diff[side].splitlines() if " = " in line]
        assert sorted(lines) == sorted(f"{write.setting.name} = {getattr(write, side)}" for write in plan.writes)
    assert (diff["before"] == diff["after"]) is not bool(plan)
    missing = {line.removesuffix(" (missing)") for line in diff["before"].splitlines() if line.endswith(" (missing)")}
    assert missing == {f"HKLM\\{key}" for key in plan.new_keys}
    assert "(missing)" not in diff["after"]


@FEWER
@given(CONTENT, OPTIONS, BUILDS)
def test_findings(content: dict[str, dict[str, Value]], options: dict[str, str], build: int) -> None:
    found = audited(FakeWindows(content, build=build), options)
    assert {item.id for item in found.findings if item.expected is not None} == {rule.id for rule in found.policy.rules}
    for rule, item in judged(found):
        result = item.as_result()
        assert (item.id, item.setting, item.expected) == (rule.id, rule.setting, rule.desired.value)
        assert (item.protocol, item.side, item.source, item.why) == (rule.protocol, rule.side, rule.source, rule.why)
        assert result["message"].startswith(f"{rule.protocol} {rule.side} {rule.setting.name} ")
        assert result["severity"] in ("high", "medium", "low", "info")
        assert item.actual is not None
        assert item.actual == found.snapshot.value(rule.setting)
        if item.status is Status.COMPLIANT:
            assert rule.desired.accepts(item.actual)
        elif item.status is Status.NOT_CONFIGURED:
            assert item.actual == ABSENT
        elif item.status is Status.NONCOMPLIANT:
            assert item.actual.present
            assert not rule.desired.accepts(item.actual)
        else:
            assert item.status is Status.NOT_APPLICABLE
            assert item.effective is not None
        assert (item.write is not None) is item.violates
    ids = [item.id for item in found.findings if not is_stray(item)]
    assert len(ids) == len(set(ids))


@FEWER
@given(CONTENT, BUILDS)
def test_result_of_protocols(content: dict[str, dict[str, Value]], build: int) -> None:
    windows = FakeWindows(content, build=build)
    result = audited(windows, {"TLS 1.2": "enabled"}).as_result()
    assert list(result["protocols"]) == list(PROTOCOLS)
    for protocol, sides in result["protocols"].items():
        assert list(sides) == list(SIDES)
        for side, values in sides.items():
            assert list(values) == [*VALUE_NAMES, "state", "effective"]
            for name in VALUE_NAMES:
                assert values[name] == windows.hive.get(protocol_key(protocol, side), name).as_result()


def test_unread_settings_are_a_mistake() -> None:
    snapshot = Snapshot({}, {})
    policy = policies.policy({"TLS 1.2": "enabled"})
    with pytest.raises(KeyError):
        judge.judge(policy, snapshot, 17763, None)
