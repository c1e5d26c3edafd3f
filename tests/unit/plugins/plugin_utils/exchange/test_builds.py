# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What version numbers of Exchange mean."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.plugin_utils._exchange import builds
from plugins.plugin_utils._exchange.builds import identify, parse, shown

ALL = [
    update.build
    for product in builds.table().products
    for cumulative in product.cumulative_updates
    for update in (cumulative, *cumulative.updates)
]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("15.02.0922.013", "Exchange 2019 CU10 Jul21SU"),  # as a file has it
        ("15.2.1118.15", "Exchange 2019 CU12 Oct22SU"),
        (" 15.1.2507.6\n", "Exchange 2016 CU23"),
        ("Version 15.2 (Build 986.5)", "Exchange 2019 CU11"),
        ("15.0.1497.45", "Exchange 2013 CU23 Jan23SU"),
        ("15.2.1748.11", "Exchange 2019 CU15 (15.2.1748.11)"),  # an interim build
        ("15.1.225.42", "Exchange 2016 (15.1.225.42)"),  # before its first update
        ("15.2.2561.0", "Exchange 2019 (15.2.2561.0)"),  # SE begins one number later
        ("15.2.2562.17", "Exchange SE RTM"),
        ("15.2.3100.5", "Exchange SE (15.2.3100.5)"),  # an update to come
        ("14.3.382.0", "Exchange 2010 SP3 RU19"),
        ("14.03.0513.000", "Exchange 2010 SP3 RU32"),
        ("14.1.438.0", "Exchange 2010 (14.1.438.0)"),
        ("15.1.2400.1", "Exchange 2016 (15.1.2400.1)"),  # between two rows: of neither
        ("16.0.1.1", "Exchange 16.0.1.1"),
    ],
)
def test_names(text: str, name: str) -> None:
    version = parse(text)
    assert version
    assert identify(version).name == name


@pytest.mark.parametrize("text", ["", "15.2", "15.2.1748.10.1", "fifteen", "15.2.x.1", "Version 15.2", "15.2.1748.-1"])
def test_what_is_no_version(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "tls12", "without_old"),
    [
        ("14.3.361.1", False, False),
        ("14.3.382.0", True, False),
        ("15.0.1347.5", False, False),  # CU18 with a security update is still before CU19
        ("15.0.1365.1", True, False),
        ("15.0.1367.3", True, True),
        ("15.1.1261.35", False, False),
        ("15.1.1415.2", True, False),
        ("15.1.1466.3", True, True),
        ("15.2.330.5", True, True),
        ("15.2.2562.17", True, True),
        ("17.0.0.0", True, True),
        ("8.3.83.6", False, False),
    ],
)
def test_minimum_builds(text: str, tls12: bool, without_old: bool) -> None:
    build = identify(parse(text) or ())
    assert (build.has_tls12, build.does_without_old_tls) == (tls12, without_old)


def test_what_is_to_be_installed() -> None:
    product = identify((15, 1, 1261, 35)).product
    assert product
    assert (product.first_from(product.tls12), product.first_from(product.old_tls_off)) == (
        "Exchange 2016 CU8",
        "Exchange 2016 CU9",
    )


@pytest.mark.parametrize(
    ("text", "newer", "supported", "newest"),
    [
        ("15.2.1748.43", False, True, None),
        ("15.2.1748.10", False, True, "Exchange 2019 CU15 Feb26SU (15.2.1748.43)"),
        ("15.2.1544.39", False, True, None),  # its own updates are all there
        ("15.2.1258.39", False, False, "Exchange 2019 CU15 Feb26SU (15.2.1748.43)"),
        ("15.2.1748.99", True, True, None),
        ("15.2.3100.5", True, None, None),
        ("17.0.0.0", True, None, None),
        ("14.3.361.1", False, False, "Exchange 2010 SP3 RU32 (14.3.513.0)"),
        ("14.3.513.0", False, False, None),
        # of a cumulative update without support: whatever it got, there is a newer one
        ("15.1.1415.10", False, False, "Exchange 2016 CU23 Feb26SU (15.1.2507.66)"),
        ("15.2.1118.99", False, False, "Exchange 2019 CU15 Feb26SU (15.2.1748.43)"),
        ("15.1.2400.1", False, False, "Exchange 2016 CU23 Feb26SU (15.1.2507.66)"),
    ],
)
def test_current_or_not(text: str, newer: bool, supported: bool | None, newest: str | None) -> None:
    build = identify(parse(text) or ())
    assert (build.newer_than_table, build.supported, build.newest) == (newer, supported, newest)


def test_the_table_is_in_order() -> None:
    for product in builds.table().products:
        updates = product.cumulative_updates
        assert all(one.newest.build < two.build for one, two in itertools.pairwise(updates)), product.name
        assert product.supported <= {update.name for update in updates}
        for cumulative in updates:
            # what `identify` tells an update from the next cumulative one by
            assert {update.build[:3] for update in cumulative.updates} <= {cumulative.build[:3]}, cumulative.name


@given(st.sampled_from(ALL))
def test_every_build_of_the_table_is_known(version: builds.Version) -> None:
    build = identify(version)
    assert build.product
    assert build.cumulative_update
    assert shown(version) not in build.name
    assert not build.newer_than_table


versions = st.tuples(st.just(15), st.integers(0, 3), st.integers(0, 4000), st.integers(0, 99))


@given(versions)
def test_zeros_mean_nothing(version: builds.Version) -> None:
    padded = f"{version[0]}.{version[1]:02}.{version[2]:04}.{version[3]:03}"
    assert parse(padded) == parse(shown(version)) == version


@given(versions)
def test_what_is_newer_than_the_table_is_never_out_of_date(version: builds.Version) -> None:
    build = identify(version)
    if build.newer_than_table:
        assert build.newest is None
        assert build.supported is not False or build.cumulative_update is not None
    else:
        assert build.newest or build.product is None or version in ALL


@given(versions, versions)
def test_newer_builds_of_a_product_can_do_more(one: builds.Version, two: builds.Version) -> None:
    old, new = sorted((one, two))
    if old[:2] == new[:2]:
        assert identify(old).has_tls12 <= identify(new).has_tls12
        assert identify(old).does_without_old_tls <= identify(new).does_without_old_tls
