# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report costs: size and time of each file, by the number of servers. ``python -m tests.bench.report``

A number of seconds says little on another machine; each is shown as a ratio to serialising the same result as JSON.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import sys
import time
import typing as t

_PLUGINS = "ansible_collections.mailops.exchange_tls.plugins.plugin_utils"
# What the page of 500 servers may have, in bytes.
BUDGET, BUDGET_SERVERS = 3_000_000, 500
_ROUNDS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, nargs="*", default=[1, 50, BUDGET_SERVERS])
    # makes the checkout importable as a collection
    importlib.import_module("tests.conftest")
    results = importlib.import_module("tests.unit.plugins.plugin_utils.report.results")
    html, junit, table = (
        importlib.import_module(f"{_PLUGINS}.{name}") for name in ("_html", "_report.junit", "_report.table")
    )
    over = False
    print(f"{'file':13} {'servers':>7} {'KB':>8} {'KB/server':>9} {'s':>7} {'x JSON':>7}")
    for count in parser.parse_args().servers:
        result = results.of(results.fleet(count))
        writers: dict[str, t.Callable[[], str]] = {
            "result.json": functools.partial(json.dumps, result, indent=1),
            "findings.csv": functools.partial(table.as_csv, result),
            "junit.xml": functools.partial(junit.as_xml, result),
            "report.html": functools.partial(html.report, result),
        }
        html.report(result)  # the template is compiled once a run
        floor = 0.0
        for name, write in writers.items():
            seconds, size = _measured(write)
            floor = floor or seconds
            over = over or (name == "report.html" and count <= BUDGET_SERVERS and size > BUDGET)
            kilobytes = size / 1000
            print(
                f"{name:13} {count:7} {kilobytes:8.0f} {kilobytes / count:9.1f} {seconds:7.3f} {seconds / floor:7.2f}"
            )
    if over:
        print(f"\nThe page is larger than {BUDGET} bytes")
    return 1 if over else 0


def _measured(write: t.Callable[[], str]) -> tuple[float, int]:
    """The best of some rounds, in seconds, and the size in bytes."""
    best = float("inf")
    for _round in range(_ROUNDS):
        started = time.perf_counter()
        text = write()
        best = min(best, time.perf_counter() - started)
    return best, len(text.encode())


if __name__ == "__main__":
    sys.exit(main())
