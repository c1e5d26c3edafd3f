# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find interpreters, and make virtual environments under .venv: once, and again when their requirements change."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ._checkout import clean_environment
from ._run import ROOT, GateSkipped, output_of, run

VENVS = ROOT / ".venv"
REQUIREMENTS = ROOT / "tests" / "requirements"
Version = tuple[int, int]


class Interpreter(NamedTuple):
    """A Python to make virtual environments with."""

    path: str
    version: Version


@dataclass(frozen=True)
class Venv:
    """A virtual environment: where it is, and an environment in which its commands come first."""

    path: Path

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def command(self, name: str) -> Path:
        return self.path / "bin" / name

    def python_version(self) -> str:
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        return output_of([self.python, "-c", code], limit=30).strip()

    def environment(self, collections: Path | None = None) -> dict[str, str]:
        env = clean_environment(collections) if collections else clean_environment()
        env["PATH"] = os.pathsep.join((str(self.path / "bin"), env.get("PATH", os.defpath)))
        env["VIRTUAL_ENV"] = str(self.path)
        return env


def _answers(candidate: str, version: Version) -> str | None:
    """The real path of an interpreter that really runs, has venv, and is of the version; a pyenv shim may not run."""
    probe = "import sys, venv, ensurepip; print(*sys.version_info[:2]); print(sys._base_executable)"
    try:
        done = subprocess.run([candidate, "-c", probe], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.splitlines()
    if done.returncode == 0 and lines and lines[0] == "{} {}".format(*version):
        return lines[1]
    return None


def find_python(version: Version) -> Interpreter | None:
    """An interpreter of that version: this one, pythonX.Y on PATH, or one of pyenv's."""
    name = "python{}.{}".format(*version)
    candidates = [sys.executable, shutil.which(name) or ""]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    builds = (pyenv / "versions").glob("{}.{}*/bin/python".format(*version))
    newest_first = sorted(builds, key=lambda path: [int(n) for n in re.findall(r"\d+", path.parts[-3])], reverse=True)
    candidates += [str(path) for path in newest_first]
    for candidate in filter(None, candidates):
        if found := _answers(candidate, version):
            return Interpreter(found, version)
    return None


def python_for(purpose: str, *versions: Version) -> Interpreter:
    """The first of the versions that is here, or :class:`GateSkipped` in plain words."""
    for version in versions:
        if found := find_python(version):
            return found
    names = " or ".join("{}.{}".format(*version) for version in versions)
    raise GateSkipped(f"{purpose} needs Python {names}, which is neither on PATH nor under ~/.pyenv/versions")


def venv(name: str, python: Interpreter, *requirements: str) -> Venv:
    """The virtual environment .venv/NAME with the requirement files, made now if it is missing or out of date."""
    files = [REQUIREMENTS / requirement for requirement in requirements]
    place = VENVS / name
    # Not the interpreter's path: it goes by several names, and any of the version will do.
    wish = "\n".join([str(place), str(python.version), *(path.read_text() for path in files)])
    stamp_text = hashlib.sha256(wish.encode()).hexdigest()
    stamp = place / ".stamp"
    VENVS.mkdir(exist_ok=True)
    with (VENVS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two targets may be run at once
        if stamp.exists() and stamp.read_text() == stamp_text and (place / "bin" / "python").exists():
            return Venv(place)
        shutil.rmtree(place, ignore_errors=True)
        env = clean_environment()
        del env["PYTHONPATH"]
        run(f"making .venv/{name}", [python.path, "-m", "venv", place], limit=120, env=env, log=f"venv-{name}")
        # Python compiles what is imported, once; of all that is installed that is the smaller part.
        wanted = ["--no-compile", *(part for path in files for part in ("-r", path))]
        run(
            f"installing {', '.join(requirements)} into .venv/{name} (once)",
            [place / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *wanted],
            limit=600,
            env=env,
            log=f"venv-{name}",
        )
        stamp.write_text(stamp_text)
    return Venv(place)


def any_python() -> Interpreter:
    """The interpreter that runs this, if it is new enough, or else the newest that is here."""
    if sys.version_info < (3, 11):
        return python_for("this", (3, 14), (3, 13), (3, 12), (3, 11))
    # the interpreter behind an activated virtual environment
    return Interpreter(sys._base_executable, sys.version_info[:2])


def default_venv() -> Venv:
    """The environment of the tests and the demo: this Python, and the newest ansible-core that it runs."""
    return venv("test", any_python(), "core-default.txt", "pure.txt", "test.txt", "plot.txt")


def pure_venv() -> Venv:
    """The environment of tests that must do without Ansible, requests, pywinrm and pypsrp."""
    return venv("pure", any_python(), "pure.txt")


def lint_venv() -> Venv:
    """The environment of Ansible's own checks."""
    return venv("lint", python_for("ansible-lint", (3, 12), (3, 13)), "lint.txt")


# ansible-core and the Pythons it is tried on, the first that is here: each Python with one of them at least.
CORES: dict[str, tuple[Version, ...]] = {
    "2.16": ((3, 10), (3, 11), (3, 12)),
    "2.17": ((3, 11), (3, 10), (3, 12)),
    "2.18": ((3, 12), (3, 13), (3, 11)),
    "2.19": ((3, 11), (3, 12), (3, 13)),
    "2.20": ((3, 13), (3, 12), (3, 14)),
    "2.21": ((3, 12), (3, 13), (3, 14)),
    "2.22": ((3, 13), (3, 14)),
}


def core_venv(core: str) -> Venv:
    """The environment with one version of ansible-core and all that the tests need; with the oldest, the oldest
    libraries."""
    python = python_for(f"ansible-core {core}", *CORES[core])
    libraries = "test-oldest.txt" if core == min(CORES) else "test.txt"
    return venv(f"core-{core}", python, f"core-{core}.txt", "pure.txt", libraries)
