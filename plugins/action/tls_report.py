# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merges the reports of several runs, and compares them with an earlier one. Runs on the controller alone."""

from __future__ import annotations

import datetime
import glob
import os
import typing as t

from ..plugin_utils import _report_files, _reporting
from ..plugin_utils._action import ExchangeTlsAction
from ..plugin_utils._errors import OptionError
from ..plugin_utils._report import comparing, merging
from ..plugin_utils._text import NAME, visible

ARGUMENT_SPEC: dict[str, t.Any] = {
    "results": {"type": "list", "elements": "path", "required": True},
    "compare_with": {"type": "path", "aliases": ["since"]},
    "dest": {"type": "path"},
}


class ActionModule(ExchangeTlsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        if options["dest"] is not None:
            _reporting.check_folder(options["dest"], "'dest' (tls12_report_dir in the playbook)")

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        files = _files(options["results"])
        merged = merging.merge([_report_files.read(name) for name in files])
        found: dict[str, t.Any] = {
            "changed": options["dest"] is not None,
            "totals": merged["totals"],
            "merged_from": files,
            "not_reached": merged["not_reached"],
            "not_touched": merged["not_touched"],
            "report": None,
        }
        if options["compare_with"]:
            found["comparison"] = comparing.compare(_report_files.read(options["compare_with"]), merged)
        if options["dest"] and not self.check_mode:
            name = _reporting.begin(datetime.datetime.now(datetime.timezone.utc))
            run = {**merged["run"], "id": name, "merged_from": merged["run"]["merged_from"] or [merged["run"]["id"]]}
            found["report"] = str(_report_files.write(options["dest"], name, {**merged, "run": run}))
        return found


def _files(patterns: t.Sequence[str]) -> list[str]:
    """The names that the patterns stand for, each once. Raises :class:`OptionError` where one stands for none."""
    if not patterns:
        raise OptionError(
            "'results' (tls12_reports in the playbook) is empty: name files result.json, or folders of reports."
        )
    found: dict[str, None] = {}
    for pattern in patterns:
        names = sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern]
        if not names:
            raise OptionError(f"'results': there is no file {visible(repr(pattern), 2 * NAME)}.")
        found.update(dict.fromkeys(file for name in names for file in _in_folder(name)))
    return list(found)


def _in_folder(name: str) -> list[str]:
    """The runs in a folder for reports, which is none itself; else the name as it is."""
    if os.path.exists(os.path.join(name, _report_files.JSON)):
        return [name]
    return sorted(glob.glob(os.path.join(glob.escape(name), "*", _report_files.JSON))) or [name]
