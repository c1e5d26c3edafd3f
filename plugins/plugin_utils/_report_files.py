# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The files of a report: written into a folder of the run, and read again.

Apart from the folder, which every task checks: what makes pages and tables is compiled anew in each run.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import typing as t

from . import _html
from ._change.folders import absolute
from ._errors import ExchangeTlsError, OptionError
from ._report import junit, schema, table
from ._reporting import reason
from ._text import NAME, visible

JSON, CSV, HTML, JUNIT = FILES = ("result.json", "findings.csv", "report.html", "junit.xml")
# A result of a thousand servers has some tens of megabytes.
_LARGEST = 512 * 1024 * 1024
_CURE = f"Name a file {JSON}, or the folder of a report."


def write(report_dir: str, name: str, result: t.Mapping[str, t.Any]) -> pathlib.Path:
    """Writes the report into a new folder of this name, see :func:`begin`. It appears whole or not at all, and only its
    owner may read it. Raises :class:`ExchangeTlsError`."""
    folder = absolute(report_dir)
    final, begun = folder / name, folder / f".{name}.tmp"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # two reports of one name must not become one
        if final.exists():
            raise FileExistsError(None, "there is a report of this name already", str(final))
        begun.mkdir(mode=0o700)
        try:
            for file_name, text in _texts(result).items():
                with os.fdopen(os.open(begun / file_name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(text.encode("utf-8", "backslashreplace"))
            begun.rename(final)
        except BaseException:
            shutil.rmtree(begun, ignore_errors=True)
            raise
    except (OSError, ValueError) as exc:
        raise ExchangeTlsError(
            f"The report could not be written in {str(folder)!r} on the controller: {reason(exc)}. What was done "
            "to the servers is done."
        ) from None
    return final


def _texts(result: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {
        # ASCII only: whatever a terminal would obey is escaped
        JSON: json.dumps(result, indent=1) + "\n",
        CSV: table.as_csv(result),
        HTML: _html.report(result),
        JUNIT: junit.as_xml(result),
    }


def read(name: str) -> dict[str, t.Any]:
    """A result from its file, or from the folder of a report. Raises :class:`OptionError` with what is wrong."""
    path = absolute(name)
    path = path / JSON if path.is_dir() else path
    told = visible(repr(str(path)), 4 * NAME)
    try:
        with path.open("rb") as file:
            # asked for so many bytes, Python makes room for all of them before it reads the first
            size = os.fstat(file.fileno()).st_size
            text = file.read(min(size, _LARGEST) + 1)
        if len(text) > _LARGEST:
            raise ValueError("it is too large")
        found = json.loads(text)
    except (OSError, ValueError, RecursionError) as exc:
        raise OptionError(f"The result {told} cannot be read: {reason(exc)}. {_CURE}") from None
    if problems := schema.problems(found):
        raise OptionError(f"The result {told} is not used: {'; '.join(problems)}. {_CURE}")
    return t.cast("dict[str, t.Any]", found)
