# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fuzzer: parsers of what others write, and the laws of all rooms, for as long as one likes."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence

from . import _checkout, _tests, _venvs
from ._run import ROOT, GateFailed, GateSkipped, left_out, run, run_all, say

CORPUS = ROOT / "tests" / "fuzz" / "corpus"
# Seconds beside those that a target may run: to begin, and to end with the slowest input.
_BESIDE = 120


def fuzz(arguments: Sequence[str]) -> None:
    """`make fuzz`: every target of tests/fuzz with atheris, then every law with many more examples, others in each run.

    With names of targets those alone; with files of tests, the laws in them alone.
    """
    parser = argparse.ArgumentParser(prog="make fuzz", add_help=False)
    parser.add_argument("--seconds", type=int, default=60)
    given, others = parser.parse_known_args(arguments)
    known = sorted(path.name for path in CORPUS.iterdir())
    names = [name for name in others if name in known]
    rest = [name for name in others if name not in known]
    if names and rest:
        raise GateFailed(f"{', '.join(rest)}: there is no such target; there are {', '.join(known)}")
    if not rest:
        _targets(names or known, given.seconds)
    if not names:
        _laws(rest)


def _targets(names: Sequence[str], seconds: int) -> None:
    """One after the other, to the last one whatever they find."""
    try:
        venv = _venv()
    except GateSkipped as reason:
        left_out("atheris", reason)
        return
    _checkout.link()
    run_all(*(functools.partial(_target, venv, name, seconds) for name in names))


def _venv() -> _venvs.Venv:
    try:
        return _venvs.venv("fuzz", _venvs.any_python(), "core-default.txt", "pure.txt", "test.txt", "fuzz.txt")
    except GateFailed as exc:
        raise GateSkipped(f"it does not install here ({exc}); the laws need none") from None


def _target(venv: _venvs.Venv, name: str, seconds: int) -> None:
    try:
        run(
            f"fuzzing {name}",
            [venv.python, "-m", "tests.fuzz.run", name, "--seconds", str(seconds)],
            limit=seconds + _BESIDE,
            env=venv.environment(),
            log=f"fuzz-{name}",
        )
    except GateFailed as exc:
        found = sorted((ROOT / ".cache" / "fuzz" / name).glob("*-*"), key=lambda path: path.stat().st_mtime)
        files = [path.relative_to(ROOT) for path in found if path.name.partition("-")[0] in _FINDINGS]
        for path in files[-1:]:
            say(f"   to repeat it: .venv/fuzz/bin/python -m tests.fuzz.run {name} {path}")
            say(f"   to keep it, before it is mended: cp {path} tests/fuzz/corpus/{name}/WHAT-IT-IS")
        raise GateFailed(f"{name}: {exc}") from None


# What libFuzzer calls the files of what it has found.
_FINDINGS = ("crash", "timeout", "oom", "slow")


def _laws(arguments: Sequence[str]) -> None:
    _tests.pytest(
        "laws",
        _venvs.default_venv(),
        "-m",
        "hypothesis",
        "--timeout=7200",
        *_tests.workers(),
        *_tests.chosen_of(arguments, "unit"),
        limit=6 * 3600,
        env=_tests.MANY,
    )
