# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For every test: the checkout is importable as a collection, and the user's own Ansible settings are kept out."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.gates import _checkout
from tests.unit.laws import examples

# Before anything of Ansible is imported: it reads its settings once. `make test` has set the same already.
COLLECTIONS = str(_checkout.link())
for name in [name for name in os.environ if name.startswith("ANSIBLE_")]:
    del os.environ[name]
os.environ.update(_checkout.environment())
os.environ["PATH"] = os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)))
if COLLECTIONS not in sys.path:
    sys.path.insert(0, COLLECTIONS)

# The tests of the pure rooms run without Ansible: then the collection is a namespace of folders.
if importlib.util.find_spec("ansible"):
    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([COLLECTIONS])

settings.register_profile("project", examples())
settings.load_profile("project")


# The files that take longest begin first, so that none of them is left alone at the end; the others as they come.
LONGEST = (
    *(
        f"integration/test_{name}.py"
        for name in (
            "maintenance_role", "cut_anywhere", "role", "main_job", "maintenance", "harden", "last_screen", "survey",
            "report", "exchange", "by_dag", "awx_jobs", "cut_restart", "restart", "cut_maintenance",
        )
    ),
    "unit/test_fuzz.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files, and mark what runs ansible-playbook, so that it can be chosen: `-m "not integration"`."""
    tests = Path(__file__).parent
    place = {tests / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
    for item in items:
        if tests / "integration" in item.path.parents:
            item.add_marker("integration")
