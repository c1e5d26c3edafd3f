# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for a file of tests; a file names its hosts in ``LAB``."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from tests.lab.client import LabClient
from tests.lab.launch import running_lab

from .harness import Ansible


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LabClient]:
    with running_lab(with_addresses(request.module.LAB), tmp_path_factory.mktemp("lab")) as client:
        yield client


def with_addresses(description: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The description with addresses that no other lab on this machine has: each process has a network of its own."""
    pid = os.getpid()
    hosts = {}
    for number, (name, host) in enumerate(description["hosts"].items()):
        third = (pid // 128 + number // 250) % 256
        hosts[name] = {"address": f"127.{80 + pid % 128}.{third}.{number % 250 + 1}", **host}
    return {**description, "hosts": hosts}


@pytest.fixture
def ansible(lab: LabClient, tmp_path: pathlib.Path) -> Ansible:
    return Ansible(lab, tmp_path)
