# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the checkout importable as mailops.exchange_tls, and keep the user's own Ansible settings out of the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from ._run import CACHE, ROOT, GateFailed

# Without bytecode each worker, lab and playbook of the tests would compile all that it imports.
_NOT_KEPT = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "MAKEFLAGS")
NAMESPACE, NAME = "mailops", "exchange_tls"
COLLECTIONS = CACHE / "collections"


def link() -> Path:
    """Have .cache/collections/ansible_collections/mailops/exchange_tls lead to the checkout; return .cache/collections.

    The link is relative, so that a checkout can be moved.
    """
    place = COLLECTIONS / "ansible_collections" / NAMESPACE / NAME
    target = os.path.relpath(ROOT, place.parent)
    if not (place.is_symlink() and os.readlink(place) == target):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        with contextlib.suppress(FileExistsError):  # another run was faster
            place.symlink_to(target)
    return COLLECTIONS


def environment(collections: Path = COLLECTIONS, home: str = "ansible") -> dict[str, str]:
    """The Ansible settings of a run that must not depend on who runs it: for os.environ or a command's env.

    collections: what ANSIBLE_COLLECTIONS_PATH holds. home: a folder under .cache for what Ansible keeps.
    """
    config = CACHE / "ansible.cfg"
    config.parent.mkdir(parents=True, exist_ok=True)
    if not config.exists():
        config.write_text("# Empty on purpose: settings of the user or the machine must not reach the tests.\n")
    return {
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_HOME": str(CACHE / home),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_NOCOLOR": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(CACHE / "hypothesis"),
    }


def clean_environment(collections: Path = COLLECTIONS) -> dict[str, str]:
    """The caller's environment without its ANSIBLE_* and PYTHON* settings, and with ours."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_") and name not in _NOT_KEPT
    }
    python_path = os.pathsep.join(map(str, (collections, ROOT)))
    return {**kept, **environment(collections), "PYTHONPATH": python_path}


def files() -> list[str]:
    """The files of the checkout as git knows them, new ones included and ignored ones not; relative to its root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        raise GateFailed(f"git does not tell which files there are: {done.stderr.decode(errors='replace').strip()}")
    return sorted({name for name in done.stdout.decode().split("\0") if name and os.path.lexists(ROOT / name)})


def copy_to(collections: Path, wanted: Callable[[str], object] = bool) -> Path:
    """Lay a copy of :func:`files` at ansible_collections/mailops/exchange_tls under a folder; return the copy's root.

    wanted: which of them, by their names. Files that did not change keep their time stamps, so that caches of tools
    stay warm.
    """
    place = collections / "ansible_collections" / NAMESPACE / NAME
    names = [name for name in files() if wanted(name)]
    for name in names:
        source, target = ROOT / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target):
            if not source.is_symlink() and not target.is_symlink() and source.read_bytes() == target.read_bytes():
                shutil.copymode(source, target)
                continue
            target.unlink()
        shutil.copy2(source, target, follow_symlinks=False)
    keep = set(names)
    for folder, folders, found in os.walk(place):
        for name in found + [entry for entry in folders if os.path.islink(os.path.join(folder, entry))]:
            path = Path(folder, name)
            relative = path.relative_to(place).as_posix()
            if relative not in keep and not relative.startswith((".git/", "tests/output/")):
                path.unlink()
    # A repository of its own: tools that ask git would find the one around .cache, in which the copy is ignored.
    if not (place / ".git").exists():
        subprocess.run(["git", "init", "--quiet", str(place)], check=True, stdin=subprocess.DEVNULL)
    return place


def other_home(name: str) -> Path:
    """A folder under .cache to be HOME for a tool that would litter the user's; pip's settings stay the user's."""
    home = CACHE / name
    for settings in (".config/pip", ".pip", ".netrc"):
        own, users = home / settings, Path.home() / settings
        if users.exists() and not os.path.lexists(own):
            own.parent.mkdir(parents=True, exist_ok=True)
            own.symlink_to(users)
    return home
