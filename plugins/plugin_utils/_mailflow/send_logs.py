# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The send logs of one server on the controller: which folder has them, and what was sent since a moment."""

from __future__ import annotations

import os
import typing as t

from .._text import NAME, visible
from . import files, peers, sent
from .sent import Connection
from .words import SEND

# Of each file; a restart is minutes ago.
_MOST = 1 << 26


class Logs(t.NamedTuple):
    """``folder``: with the send logs of one server; None where there are none that are surely its own, and ``note``
    says why."""

    folder: str | None
    note: str | None = None


def of_server(paths: t.Iterable[str], names: t.Sequence[str], *, is_alone: bool) -> Logs:
    """``paths``: files and folders, of which the folders count. ``names``: of the server. Its logs are in a sub-folder
    of its name, or in the folder itself, where nobody else's can be (``is_alone``)."""
    folders = [path for path in paths if os.path.isdir(path)]
    if not folders:
        return Logs(None)
    own = {part for name in names for part in peers.names(name)}
    for path in folders:
        try:
            below = sorted(entry.name for entry in os.scandir(path) if entry.is_dir())
        except OSError as exc:
            return Logs(None, f"{visible(path, NAME)} {files.CANNOT}: {files.why(exc)}")
        if found := next((name for name in below if peers.names(name) & own), None):
            return Logs(os.path.join(path, found))
    if is_alone:
        return Logs(folders[0])
    where = ", ".join(visible(path, NAME) for path in folders)
    return Logs(None, f"there is no folder {visible(names[0], NAME)} with its send logs in {where}")


def read(folder: str, since: str, message: str | None = None) -> tuple[list[Connection], list[str]]:
    """The connections of the send logs in the folder since that time (UTC, such as ``2026-01-05T07:57:37``), and what
    could not be read, each with the reason."""
    sources, others = files.find([folder])
    unread = [f"{item['file']} {item['reason']}" for item in others if item["reason"].startswith(files.CANNOT)]
    lines: list[bytes] = []
    for source in sources:
        if source.kind != files.SMTP or source.state != SEND:
            continue
        try:
            lines.append(files.since(source, since.encode(), _MOST))
        except files.UNREADABLE as exc:
            unread.append(f"{source.path} {files.CANNOT}: {files.why(exc)}")
    return sent.connections(b"\n".join(lines), message), unread
