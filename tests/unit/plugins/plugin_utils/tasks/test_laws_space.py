# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws over the whole space: every value of every side, every build, policies of every kind. No host is read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.findings import Status
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Policy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import PROTOCOLS
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.audit import Audit
from hypothesis import given
from hypothesis import strategies as st

from ..policies import waiver
from ..worlds import BUILDS, EXCHANGES, OTHER_VALUES, POLICIES, SIDE_SETTINGS, VALUES, audit_of, on_host, places_of

# Missing, 0, 1, all bits, another number, another type: for both values and both sides
SPACE = list(itertools.product(VALUES, repeat=4))


def hosts(turn: int) -> Iterator[dict[Setting, Value]]:
    """Hosts that together have every point of the space, each with as many of them as there are protocols.

    ``turn`` says which point goes to which protocol: after as many turns as protocols, each has had all.
    """
    places = [SIDE_SETTINGS[4 * number : 4 * number + 4] for number in range(len(PROTOCOLS))]
    for start in range(0, len(SPACE), len(places)):
        points = [SPACE[(start + number) % len(SPACE)] for number in range(len(places))]
        yield {
            setting: value
            for number, place in enumerate(places)
            for setting, value in zip(place, points[(number + turn) % len(points)], strict=True)
        }


def assert_lawful(before: Audit) -> None:
    plan = before.plan()
    changes = {write.setting: write.after for write in plan.writes}
    after = before.after(before.snapshot.after(changes))
    violating = [(item.id, item.message) for item in after.findings if item.violates]
    assert violating == [], "what was planned makes compliant"
    assert not after.plan(), "and leaves nothing to do"
    assert bool(plan) is not before.compliant, "there is a plan where there is something wrong, and only there"
    assert len(changes) == len(plan.writes), "nothing is written twice"
    assert set(changes) <= {rule.setting for rule in before.policy.rules}, "nothing outside the policy is written"
    for write in plan.writes:
        assert write.before == before.snapshot.value(write.setting) != write.after
    undone = after.snapshot.after({write.setting: write.before for write in plan.writes})
    assert undone.values == before.snapshot.values, "the way back leads back"
    ids = [item.id for item in before.findings]
    assert len(ids) == len(set(ids)), "a finding has a name of its own"
    for item in before.findings:
        assert (item.write is not None) is (item.violates and item.expected is not None)
        assert item.severity in ("high", "medium", "low", "info")
        assert item.title
        assert item.message
        assert item.why
        assert item.source


@pytest.mark.parametrize("name", ["all enabled", "all disabled", "all default"])
@pytest.mark.parametrize("build", BUILDS)
def test_every_point(build: int, name: str) -> None:
    policy = Policy(tuple(rule for rule in POLICIES[name].rules if rule.protocol))
    for values in hosts(BUILDS.index(build)):
        assert_lawful(audit_of(policy, values, build))


def test_the_space_is_the_whole_space() -> None:
    assert len(SPACE) == 6**4
    seen = [tuple(host[setting] for setting in SIDE_SETTINGS[:4]) for turn in range(10) for host in hosts(turn)]
    assert set(seen) == set(SPACE), "each protocol comes by every point in as many turns as there are protocols"
    assert {tuple(host[s] for s in SIDE_SETTINGS[n : n + 4]) for n in range(0, 40, 4) for host in hosts(3)} == set(
        SPACE
    )
    assert len(BUILDS) >= len(PROTOCOLS)


NAMES = st.sampled_from(sorted(POLICIES))
EVERY_SIDE = st.lists(st.sampled_from(VALUES), min_size=len(SIDE_SETTINGS), max_size=len(SIDE_SETTINGS)).map(
    lambda values: dict(zip(SIDE_SETTINGS, values, strict=True))
)


@st.composite
def audits(draw: st.DrawFn, waivers: list[dict[str, Any]] | None = None) -> Audit:
    policy = POLICIES[draw(NAMES)]
    others = [setting for setting in places_of(policy) if setting not in SIDE_SETTINGS]
    found = draw(st.lists(st.sampled_from(OTHER_VALUES), min_size=len(others), max_size=len(others)))
    return audit_of(
        policy,
        {**draw(EVERY_SIDE), **dict(zip(others, found, strict=True))},
        draw(st.sampled_from(BUILDS)),
        draw(st.sampled_from(EXCHANGES)),
        waivers or (),
    )


@given(audits())
def test_every_policy(found: Audit) -> None:
    assert_lawful(found)
    plan = found.plan()
    written = {write.setting for write in plan.writes}
    items = {item.id: item for item in found.findings}
    for rule in found.policy.rules:
        item, value = items[rule.id], found.snapshot.value(rule.setting)
        if rule.applies.reason_not(found.host.build, found.version):
            assert item.status is Status.NOT_APPLICABLE
            assert item.actual == ABSENT, "nobody has read it"
            assert rule.setting not in written
        elif rule.desired.value.type is Type.REG_DWORD and value.present and value.type is not Type.REG_DWORD:
            assert item.status is not Status.COMPLIANT, "another type is never right"
    diff = plan.diff()
    assert (diff["before"] == diff["after"]) is not bool(plan)
    assert all(write.inverse().inverse() == write for write in plan.writes)


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_host_with_nothing_configured(name: str, build: int, exchange: tuple[int, ...] | None) -> None:
    assert_lawful(audit_of(POLICIES[name], {}, build, exchange))


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("build", BUILDS)
def test_a_host_that_is_right_already(name: str, build: int) -> None:
    """Whatever else is on it, there is nothing to do."""
    policy = on_host(POLICIES[name], {})
    right = {rule.setting: rule.desired.value for rule in policy.rules}
    for other in VALUES:
        values = {**dict.fromkeys(SIDE_SETTINGS, other), **right}
        found = audit_of(policy, values, build, EXCHANGES[-1])
        assert found.compliant
        assert not found.plan()


WAIVERS = [
    waiver("protocol == 'TLS 1.0' && side == 'Server'"),
    waiver("ends_with(id, '.disabledbydefault')"),
    waiver("status == 'not_configured' && severity == 'low'"),
    waiver("protocol == 'TLS 1.1' && actual.type == 'REG_SZ'"),
    waiver("id == 'tls_1_2.client.enabled'"),
    waiver("starts_with(id, 'dotnet')"),
]


@given(audits(WAIVERS))
def test_with_waivers(found: Audit) -> None:
    """What is waived stays as it is, and so does what only it would have mended; the rest comes right."""
    assert_lawful(found)
    waived = {item.setting for item in found.findings if item.status is Status.WAIVED}
    assert waived.isdisjoint(write.setting for write in found.plan().writes)


@given(audits())
def test_how_names_are_written_never_matters(found: Audit) -> None:
    def louder(values: Mapping[Setting, Value]) -> dict[Setting, Value]:
        return {Setting(setting.key.upper(), setting.name.swapcase()): value for setting, value in values.items()}

    other = audit_of(found.policy, louder(found.snapshot.values), found.host.build, found.version)
    assert [item.as_result() for item in other.findings] == [item.as_result() for item in found.findings]
    assert other.plan() == found.plan()
