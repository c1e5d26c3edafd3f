# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws of whole runs, forth and back, for policies of every kind on hosts of every kind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting, parents
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Value, dword
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from ..change.runs import Run, roll_back, without_times
from ..change.runs import settings as settings_in
from ..fakes import FakeWindows
from ..worlds import BUILDS, EXCHANGES, OTHER_VALUES, POLICIES, on_host, places_of

Content = dict[str, dict[str, Value]]

# each example is a host that is read, changed and changed back
FEWER = examples(60)


def exchange_keys(version: tuple[int, ...] | None) -> Content:
    names = ("MsiProductMajor", "MsiProductMinor", "MsiBuildMajor", "MsiBuildMinor")
    values = {name: dword(number) for name, number in zip(names, version or (), strict=False)}
    return {r"SOFTWARE\Microsoft\ExchangeServer\v15\Setup": values} if values else {}


@st.composite
def hosts(draw: st.DrawFn) -> tuple[str, int, Content]:
    """A policy's name, and a host on which some of the keys concerned are missing, and some of their parents."""
    name = draw(st.sampled_from(sorted(POLICIES)))
    places = places_of(POLICIES[name])
    keys = sorted({path for place in places for path in parents(place.key)})
    content: Content = {key: {} for key in draw(st.sets(st.sampled_from(keys)))}
    for place in draw(st.sets(st.sampled_from(places), max_size=8)):
        content.setdefault(place.key, {})[place.name] = draw(st.sampled_from(OTHER_VALUES[1:]))
    content.update(exchange_keys(draw(st.sampled_from(EXCHANGES))))
    return name, draw(st.sampled_from(BUILDS)), content


def differing(before: dict[tuple[str, str], Value], after: dict[tuple[str, str], Value]) -> set[Setting]:
    return {Setting(*place) for place in before.keys() | after.keys() if before.get(place) != after.get(place)}


@FEWER
@given(hosts())
def test_forth_and_back(host: tuple[str, int, Content]) -> None:
    name, build, content = host
    policy, windows = POLICIES[name], FakeWindows(content, build=build)
    original = settings_in(windows)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(windows, Path(folder), wanted=policy)
        predicted = run(check_mode=True)
        assert settings_in(windows) == original
        result = run()
        assert result["compliant"]
        backup = result["backup"]
        assert without_traces(predicted) == without_traces(result), "check mode tells what will be"
        changed = differing(original[1], settings_in(windows)[1])
        assert changed == {Setting(item["key"].removeprefix("HKLM\\"), item["value"]) for item in result["changes"]}, (
            "what was changed is told"
        )
        values = {Setting(*place): value for place, value in original[1].items()}
        assert changed <= {rule.setting for rule in on_host(policy, values).rules}, (
            "nothing outside the policy is written"
        )
        again = run()
        assert (again["changed"], again["changes"]) == (False, []), "a second run changes nothing"
        states = [settings_in(windows), original]
        for turn in range(4 if result["changed"] else 0):
            # back, forth again, and so on: the backup of a rollback leads back as well
            backup = roll_back(windows, backup, Path(folder))["backup"]
            assert settings_in(windows) == states[(turn + 1) % 2], "keys and values are as they were"


def without_traces(result: dict[str, Any]) -> dict[str, Any]:
    """What check mode and the real run have in common: all but the backup and the words planned and written."""
    changes = [{**item, "status": None} for item in result["changes"]]
    return {**without_times(result), "changes": changes, "backup": None}
