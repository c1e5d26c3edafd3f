# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a run of Ansible was started with, as a callback sees it: versions, and the role's variables."""

from __future__ import annotations

import json
import pathlib
import platform
import typing as t

import yaml
from ansible.release import __version__ as ansible_version
from ansible.template import Templar

from ._given import is_blank
from ._role import VARIABLES

_ROOT = pathlib.Path(__file__).resolve().parents[2]
REPORT_DIR = "tls12_report_dir"


def versions() -> dict[str, str]:
    """Of ansible-core, the collection, and Python."""
    return {"ansible-core": ansible_version, "collection": _own_version(), "python": platform.python_version()}


def _own_version() -> str:
    """From what ansible-galaxy has written at the installation; in a checkout, from what it builds from."""
    installed = _ROOT / "MANIFEST.json"
    try:
        if installed.is_file():
            return str(json.loads(installed.read_text(encoding="utf-8"))["collection_info"]["version"])
        return str(yaml.safe_load((_ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, LookupError, yaml.YAMLError):
        return "unknown"


def variables(play: t.Any, host: t.Any, task: t.Any) -> tuple[dict[str, t.Any], str | None]:
    """The variables of the role that differ from its defaults, as they were given; and the folder for reports, its
    templates resolved, None where none was named. Raises what Ansible raises for a template that cannot be."""
    found = task.get_variable_manager().get_vars(play=play, host=host, task=task)
    role = getattr(task, "_role", None)
    defaults = role.get_default_vars() if role else {}
    given = {
        name: found[name] for name in sorted(VARIABLES) if name in found and _differs(found[name], defaults.get(name))
    }
    folder = found.get(REPORT_DIR)
    if not is_blank(folder):
        folder = Templar(loader=task.get_loader(), variables=found).template(folder)
    return given, None if is_blank(folder) else str(folder)


def _differs(value: t.Any, default: t.Any) -> bool:
    # what is in a vault would be opened by a comparison, and is no default
    return hasattr(value, "_ciphertext") or bool(value != default)
