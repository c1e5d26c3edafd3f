# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The folder on the controller that a run writes its report to."""

from __future__ import annotations

import datetime
import os
import typing as t

from ._change.folders import absolute, look_into
from ._errors import OptionError
from ._text import NAME, visible

CALLBACK = "mailops.exchange_tls.summary"
_OPTION = "'report_dir' (tls12_report_dir in the role)"

# What this run of Ansible calls its report. The callback sets it when the run begins, before Ansible makes a process
# for each host, so that all of them know it.
_this_run: list[str] = []


def begin(now: datetime.datetime) -> str:
    """The name of the folder of a run that begins now: UTC, and the process, as two may begin in one second."""
    _this_run[:] = [f"{now:%Y%m%dT%H%M%SZ}-{os.getpid()}"]
    return _this_run[0]


def place(report_dir: str) -> str | None:
    """The folder that this run's report comes into; None where nobody writes one."""
    return str(absolute(report_dir) / _this_run[0]) if _this_run and report_dir.strip() else None


def check(report_dir: str | None, callbacks: t.Collection[str]) -> None:
    """Raises :class:`OptionError` where there would be no report at the end. Makes nothing."""
    if report_dir is None:
        return
    if CALLBACK not in callbacks:
        raise OptionError(
            f"{_OPTION} is set, and nobody would write the report: the callback that sees the whole run is not "
            f"enabled. Set callbacks_enabled = {CALLBACK} in ansible.cfg, or ANSIBLE_CALLBACKS_ENABLED={CALLBACK}."
        )
    check_folder(report_dir, _OPTION)


def check_folder(report_dir: str, option: str) -> None:
    """Raises :class:`OptionError` where no report can be written there. Makes nothing."""
    folder = absolute(report_dir)
    try:
        look_into(folder)
    except (OSError, ValueError) as exc:
        raise OptionError(
            f"{option}: cannot write a report in {str(folder)!r} on the controller: {reason(exc)}. Make the folder "
            "writable, or name another one."
        ) from None


def reason(exc: Exception) -> str:
    """What went wrong, in one line."""
    return visible((exc.strerror if isinstance(exc, OSError) else None) or exc, 2 * NAME).rstrip(".")
