# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's own checks, each in a copy of the checkout: they need its place and leave things in it."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from . import _artifact, _checkout, _venvs
from ._run import CACHE, LOGS, GateFailed, GateSkipped, left_out, run, run_all

SANITY_CORES = ("2.21", "2.16", "2.19")

# ansible-test makes a virtual environment per check and fetches a script that puts pip into it, from somewhere that is
# no package index. Its cache is given this one instead, which uses the pip that comes with Python.
_GET_PIP = """\
import os, subprocess, sys

os.environ.pop("GET_PIP", None)
subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"])
wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "pip", "install", *wanted])
"""
# Where the ansible-test of these cores looks for it (the version is that of the pip which it then installs).
_GET_PIP_NAMES = ("get_pip_23_1_2.py", "get_pip_24_2.py", "get_pip_25_2.py")

_PROBLEMS = re.compile(r"^(ERROR|FATAL|WARNING: (?!Location|Using locale)|.*Error:)")


def sanity(arguments: Sequence[str]) -> None:
    """`make sanity`: what users get, as Automation Hub checks it; arguments are handed to ansible-test."""
    skipped: list[str] = []

    def on(core: str) -> None:
        try:
            _sanity(core, arguments)
        except GateSkipped as reason:
            skipped.append(core)
            left_out(f"sanity on ansible-core {core}", reason)

    run_all(*(functools.partial(on, core) for core in SANITY_CORES), at_once=len(SANITY_CORES))
    if len(skipped) == len(SANITY_CORES):
        raise GateFailed("sanity ran on no ansible-core at all")


def _sanity(core: str, arguments: Sequence[str]) -> None:
    venv = _venvs.core_venv(core)
    collections = CACHE / f"sanity-{core}"
    place = _checkout.copy_to(collections, lambda name: name == "galaxy.yml" or _artifact.is_wanted(name))
    version = venv.python_version()
    env = venv.environment(collections)
    # A home of its own, so that nothing is left in the user's.
    home = _checkout.other_home(f"sanity-home-{core}")
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in _GET_PIP_NAMES:
        (cache / name).write_text(_GET_PIP)
    env["HOME"] = str(home)
    del env["PYTHONPATH"]
    # Through its interpreter: its first line cannot name one in a path with blanks.
    run(
        f"ansible-test sanity, ansible-core {core} on Python {version} (minutes when run for the first time)",
        [
            venv.python,
            venv.command("ansible-test"),
            "sanity",
            "--local",
            "--python",
            version,
            "--color",
            "no",
            *arguments,
        ],
        limit=1200,
        env=env,
        cwd=place,
        log=f"sanity-{core}",
        problems=_PROBLEMS,
    )


def lint(arguments: Sequence[str]) -> None:
    """`make lint`"""
    venv = _venvs.lint_venv()
    collections = CACHE / "lint"
    place = _checkout.copy_to(collections)
    env = venv.environment(collections)
    del env["PYTHONPATH"]
    run(
        "ansible-lint, profile production, strict",
        [venv.command("ansible-lint"), "--offline", "--nocolor", *arguments],
        limit=300,
        env=env,
        cwd=place,
        log="lint",
    )


def docs_lint(dummy_arguments: Sequence[str]) -> None:
    """`make docs-lint`"""
    venv = _venvs.lint_venv()
    collections = CACHE / "docs-lint"
    place = _checkout.copy_to(collections)
    env = venv.environment(collections)
    del env["PYTHONPATH"]
    options = ["--plugin-docs", "--check-extra-docs-refs", "--validate-collection-refs", "all"]

    def once() -> None:
        run(
            "antsibull-docs lint-collection-docs",
            [venv.command("antsibull-docs"), "lint-collection-docs", *options, "."],
            limit=300,
            env=env,
            cwd=place,
            log="docs-lint",
        )

    try:
        once()
    except GateFailed:
        # the name of its folder for a while, when it happens to end with an underscore, is a link to reStructuredText
        lines = (LOGS / "docs-lint.log").read_text().splitlines()
        if not lines or not all('Unknown target name: "antsibull-docs-' in line for line in lines):
            raise
        once()
