# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that read the source: ruff, mypy, yamllint, antsibull-changelog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from . import _checkout, _venvs
from ._run import ROOT, GateFailed, run, run_all, say


def _quality() -> _venvs.Venv:
    return _venvs.venv("quality", _venvs.any_python(), "quality.txt")


def python_files() -> list[str]:
    """Every Python file, with or without the ending."""
    found = [name for name in _checkout.files() if name.endswith(".py") or _is_python_program(name)]
    if not found:
        raise GateFailed("found no Python file to check")
    return found


def _is_python_program(name: str) -> bool:
    path = ROOT / name
    if path.suffix or path.is_symlink():
        return False
    with path.open("rb") as stream:
        first = stream.readline(80)
    return first.startswith(b"#!") and b"python" in first


def ruff(dummy_arguments: Sequence[str]) -> None:
    """`make ruff`"""
    venv = _quality()
    names = python_files()
    command, env = venv.command("ruff"), venv.environment()
    check: list[str | Path] = [command, "check", "--quiet", "--output-format", "concise", *names]
    form: list[str | Path] = [command, "format", "--check", "--quiet", "--diff", *names]
    run_all(
        lambda: run(f"ruff check on {len(names)} files", check, limit=120, env=env),
        lambda: run(f"ruff format on {len(names)} files", form, limit=120, env=env),
    )


def mypy(dummy_arguments: Sequence[str]) -> None:
    """`make mypy`: the plugins as part of the collection, the lab and the gates as part of tests."""
    checker, libraries = _quality(), _venvs.default_venv()
    collections = _checkout.link()
    place = collections.relative_to(ROOT) / "ansible_collections" / _checkout.NAMESPACE / _checkout.NAME
    common: list[str | Path] = [checker.python, "-m", "mypy", "--python-executable", libraries.python]
    plugins = [place / "plugins" / kind for kind in ("plugin_utils", "action", "callback", "filter")]
    plugins = [path for path in plugins if any((ROOT / path).rglob("*.py"))]
    folders = ("tests/lab", "tests/gates", "tests/bench", "tests/demo", "tests/awx", "tests/pages")
    tests = [path for path in folders if any((ROOT / path).rglob("*.py"))]
    if not plugins or "tests/lab" not in tests:
        raise GateFailed("found no plugins or no lab to check")
    env = checker.environment()
    del env["PYTHONPATH"]
    as_collection = {**env, "MYPYPATH": str(collections.relative_to(ROOT))}
    as_tests = {**env, "MYPYPATH": "."}
    kinds = ", ".join(path.name for path in plugins)
    run_all(
        lambda: run(f"mypy on plugins: {kinds}", [*common, *plugins], limit=300, env=as_collection),
        lambda: run(f"mypy on {', '.join(tests)}", [*common, *tests], limit=300, env=as_tests),
    )


def yamllint(dummy_arguments: Sequence[str]) -> None:
    """`make yamllint`"""
    venv = _quality()
    names = [name for name in _checkout.files() if name.endswith((".yml", ".yaml")) or name == ".yamllint"]
    run(
        f"yamllint on {len(names)} files",
        [venv.python, "-m", "yamllint", "--strict", "--config-file", ".yamllint", *names],
        limit=120,
        env=venv.environment(),
    )


def changelog(dummy_arguments: Sequence[str]) -> None:
    """`make changelog`"""
    venv = _venvs.lint_venv()
    fragments = [name for name in _checkout.files() if name.startswith("changelogs/fragments/")]
    say(f"   {len(fragments)} fragments")
    run(
        "antsibull-changelog lint",
        [venv.command("antsibull-changelog"), "lint"],
        limit=120,
        env=venv.environment(),
    )
    run(
        "antsibull-changelog lint-changelog-yaml",
        [venv.command("antsibull-changelog"), "lint-changelog-yaml", "changelogs/changelog.yaml"],
        limit=120,
        env=venv.environment(),
    )
