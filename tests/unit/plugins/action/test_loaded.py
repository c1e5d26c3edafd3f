# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is imported when: Ansible compiles the modules of a collection anew in every run."""

from __future__ import annotations

import subprocess
import sys

import pytest

ROOT = "ansible_collections.mailops.exchange_tls.plugins."
# What few tasks want, by the libraries that come with it.
SELDOM = (
    f"{ROOT}plugin_utils._handshake",
    f"{ROOT}plugin_utils._change.backups",
    f"{ROOT}plugin_utils._exchange.shell",
    f"{ROOT}plugin_utils._preflight",
    f"{ROOT}plugin_utils._policy.expressions",
    "cryptography.x509",
    "jmespath",
    "pypsrp",
)


def loaded(*names: str) -> set[str]:
    """The modules of a new Python that imports these, as Ansible does it."""
    script = f"""
import sys
from ansible.utils.collection_loader import _collection_finder as finder
finder._AnsibleCollectionFinder(paths=sys.argv[1].split(":"))._install()
import importlib
for name in {names!r}:
    importlib.import_module(name)
print(*sys.modules)
"""
    import ansible_collections.mailops.exchange_tls as collection

    [folder] = collection.__path__
    root = folder.rsplit("/ansible_collections/", 1)[0]
    told = subprocess.run([sys.executable, "-c", script, root], capture_output=True, text=True, check=True, timeout=120)
    return set(told.stdout.split())


def test_a_task_that_only_reads_loads_what_reading_takes() -> None:
    found = loaded(f"{ROOT}action.tls_settings_info")
    assert f"{ROOT}plugin_utils._tasks.audit" in found
    assert found.isdisjoint(SELDOM)


@pytest.mark.parametrize("parent", ["filter.tls_hosts", "callback.summary"])
def test_processes_of_hosts_inherit_what_an_audit_of_the_role_takes(parent: str) -> None:
    found = loaded(ROOT + parent)
    assert {f"{ROOT}plugin_utils._tasks.proving", f"{ROOT}plugin_utils._policy.expressions"} <= found
