# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for all tests of the lab; each test gets its host without quirks and with an empty log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.client import HostClient, LabClient
from tests.lab.launch import running_lab
from tests.unit.lab.wire import OPENED, Wire

PLAIN = {"auth": ["ntlm", "basic"], "allow_unencrypted": True}
DESCRIPTION: dict[str, Any] = {
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "labuser", "password": "Lab-Pass-2", "administrator": False},
        {"user": "domadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
    ],
    "hosts": {
        "plain": {
            "windows": "2019",
            "winrm": PLAIN,
            "services": ["exchange"],
            "hotfixes": [{"id": "KB5062557"}, {"id": "KB5011644", "installed_on": "3/4/2024"}],
            "protected_keys": [r"SOFTWARE\Guarded", {"key": r"SOFTWARE\Secret", "read": False}],
            "registry": ["stock", {r"HKLM\SOFTWARE\Guarded": {"Level": 3}, r"HKLM\SOFTWARE\Secret": {"Level": 4}}],
            # long enough for a look at a host that is down, on a busy machine too
            "restart": {"shutdown_delay": 0.1, "down_for": 1.0},
            "endpoints": [
                {"kind": "smtp", "port": 2525},
                {"kind": "smtp587", "port": 2587, "require_tls": True},
                {"kind": "smtps", "port": 2465},
                {"kind": "https", "port": 8443},
                {"kind": "imaps", "port": 9993},
                {"kind": "pop3s", "port": 9995},
            ],
        },
        "ex01": {
            "windows": "2016",
            "winrm": {"https": 5986, "auth": ["ntlm", "basic"]},
            "restart": {"shutdown_delay": 0.1, "down_for": 0.2},
        },
        "old": {
            "windows": "2008r2",
            "winrm": {**PLAIN, "page_size": 3, "max_envelope_kb": 150},
            "timezone": "+05:30",
            "fraction_digits": 1,
            "clock_offset": 90,
            "services": ["exchange"],
            "endpoints": [{"kind": "https", "port": 8443}],
        },
        "late": {
            "windows": "2022",
            "winrm": {**PLAIN, "first_page_empty": True},
            "part_of_domain": False,
            "timezone": "-03:00",
            "fraction_digits": 0,
            "endpoints": [{"kind": "https", "port": 8443}, {"kind": "smtp", "port": 2525}],
        },
    },
}


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    state_dir = tmp_path_factory.mktemp("lab")
    with running_lab(DESCRIPTION, state_dir, max_lifetime=600) as client:
        yield client
    assert (state_dir / "lab.log").read_text(encoding="utf-8") == "", "something in the lab raised an error"


@pytest.fixture(autouse=True)
def close_connections() -> Iterator[None]:
    """Closes what a test left open."""
    yield
    while OPENED:
        OPENED.pop()()


def _clean(lab: LabClient, name: str) -> Iterator[HostClient]:
    host = lab.host(name)
    host.clear_quirks()
    host.reset_log()
    yield host
    host.clear_quirks()


@pytest.fixture
def plain(lab: LabClient) -> Iterator[HostClient]:
    """A host that takes Basic over http, so that requests can be written by hand."""
    yield from _clean(lab, "plain")


@pytest.fixture
def ex01(lab: LabClient) -> Iterator[HostClient]:
    """A host with Windows' own rules: nothing unencrypted over http."""
    yield from _clean(lab, "ex01")


@pytest.fixture
def wire(plain: HostClient) -> Iterator[Wire]:
    client = Wire(plain)
    yield client
    client.close()
