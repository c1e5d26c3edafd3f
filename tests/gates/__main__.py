# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python3 -m tests.gates TARGET...: what the Makefile calls. Needs nothing but the standard library."""

from __future__ import annotations

import functools
import sys
import time

if sys.version_info < (3, 9):  # noqa: UP036  # an old interpreter must be told in words, not with a SyntaxError
    sys.exit("Python 3.11 or newer is needed; call: make PYTHON=/path/to/python3.11 TARGET")

from collections.abc import Callable, Sequence

from . import _ansible, _artifact, _awx, _build, _docs, _fuzz, _source, _tests
from ._run import LOGS, GateFailed, GateSkipped, beside_others, left_out, obey_signals, run, run_all, say

Target = Callable[[Sequence[str]], None]

TARGETS: dict[str, Target] = {
    "demo": _tests.demo,
    "test": _tests.test,
    "test-unit": _tests.test_unit,
    "test-integration": _tests.test_integration,
    "fuzz": _fuzz.fuzz,
    "cuts": _tests.cuts,
    "kerberos": _tests.kerberos,
    "bench": _tests.bench,
    "fleet": _tests.fleet,
    "chaos": _tests.chaos,
    "pages": _tests.pages,
    "clean": _tests.clean,
    "matrix": _tests.matrix,
    "sanity": _ansible.sanity,
    "lint": _ansible.lint,
    "docs-lint": _ansible.docs_lint,
    "docsite": _docs.docsite,
    "spelling": _docs.spelling,
    "reuse": _docs.reuse,
    "artifact": _artifact.artifact,
    "dist": _build.dist,
    "ee": _awx.ee,
    "awx": _awx.awx,
    "ruff": _source.ruff,
    "mypy": _source.mypy,
    "yamllint": _source.yamllint,
    "changelog": _source.changelog,
}

# From the slowest to the quickest, so that none is left alone at the end.
GATES = (
    "sanity",
    "artifact",
    "lint",
    "mypy",
    "docs-lint",
    "reuse",
    "ee",
    "changelog",
    "spelling",
    "yamllint",
    "ruff",
)
# Each uses one processor, and sanity one for each ansible-core: with three at once, two processors are never idle.
GATES_AT_ONCE = 3
GATE_LIMIT = 500


def gates(dummy_arguments: Sequence[str]) -> None:
    """`make gates`: all of them, also after one has failed; what one prints is shown when it has ended."""
    failed: list[str] = []

    def gate(name: str) -> None:
        log = f"gate-{name}"
        try:
            run(f"make {name}", [sys.executable, "-m", "tests.gates", name], limit=GATE_LIMIT, log=log, quiet=True)
        except GateFailed:
            failed.append(name)
        say((LOGS / f"{log}.log").read_text(errors="replace").rstrip("\n"))

    beside_others()
    run_all(*(functools.partial(gate, name) for name in GATES), at_once=GATES_AT_ONCE)
    if failed:
        raise GateFailed(f"{', '.join(failed)} ({len(failed)} of {len(GATES)} gates)")


TARGETS["gates"] = gates


def main(name: str, arguments: Sequence[str]) -> int:
    """Run one target; 0 where it passed or said why it could not be run here."""
    started = time.monotonic()
    try:
        try:
            TARGETS[name](arguments)
        except GateSkipped as reason:
            left_out(name, reason)
            return 0
    except GateFailed as failure:
        say(f"FAILED: {name}: {failure}")
        return 1
    except KeyboardInterrupt:
        say(f"STOPPED: {name}")
        return 130
    else:
        say(f"OK: {name} ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python3 -m tests.gates {{{','.join(sorted(TARGETS))}}} [argument ...]")
    obey_signals()
    sys.exit(main(sys.argv[1], sys.argv[2:]))
