# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to do with AWX: the execution environment, and the tests that need the collection awx.awx."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from . import _tests, _venvs
from ._run import CACHE, ROOT, GateFailed, output_of, run

DEFINITION = "execution-environment.yml"


def awx(arguments: Sequence[str]) -> None:
    """`make awx`: the tests with the real awx.awx against a stub of AWX, and the longer jobs of AWX against the lab."""
    venv = _venvs.venv("awx", _venvs.any_python(), "awx.txt", "pure.txt", "test.txt")
    _tests.pytest("tests with awx.awx", venv, "-m", "awx", *_tests.workers(), *(arguments or ["tests/integration"]))


def ee(dummy_arguments: Sequence[str]) -> None:
    """`make ee`: the build context of the execution environment, with the collection of this checkout in it."""
    ansible = _venvs.default_venv()
    builder = _venvs.venv("ee", _venvs.any_python(), "ee.txt")
    work = CACHE / "ee"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    env = ansible.environment()
    del env["PYTHONPATH"]
    galaxy = ansible.command("ansible-galaxy")
    command: list[str | Path] = [galaxy, "collection", "build", "--output-path", work]
    run("building the collection", command, limit=120, env=env, log="ee-build")
    [tarball] = work.glob("*.tar.gz")
    shutil.copy(ROOT / DEFINITION, work)
    _named(tarball)

    context = work / "context"
    env = builder.environment()
    del env["PYTHONPATH"]
    create: list[str | Path] = [builder.command("ansible-builder"), "create", "--file", work / DEFINITION]
    # by default, the name depends on the container engine that is there
    create += ["--context", context, "--output-filename", "Containerfile"]
    run("ansible-builder create", create, limit=60, env=env, log="ee-create")
    # as the Containerfile does it
    installed = work / "installed"
    command = [galaxy, "collection", "install", "--offline", "-r", "requirements.yml", "--collections-path", installed]
    env = ansible.environment(installed)
    del env["PYTHONPATH"]
    run("installing the collection", command, limit=120, env=env, cwd=context / "_build", log="ee-install")
    _introspect(builder, installed)


def _named(tarball: Path) -> None:
    """The definition names the tarball of this version, which nothing else would find before the build."""
    named = set(re.findall(r"[\w.-]+\.tar\.gz", (ROOT / DEFINITION).read_text(encoding="utf-8")))
    if named != {tarball.name}:
        raise GateFailed(f"{DEFINITION} names {', '.join(sorted(named))}, but this version is {tarball.name}")


def _introspect(venv: _venvs.Venv, collections: Path) -> None:
    """ansible-builder finds the Python and system packages that the installed collection asks for."""
    text = output_of([venv.command("ansible-builder"), "introspect", collections], limit=60, env=venv.environment())
    for package in ("pywinrm", "pypsrp", "jmespath", "krb5"):
        if package not in text:
            raise GateFailed(f"ansible-builder introspect does not name {package}:\n{text}")
