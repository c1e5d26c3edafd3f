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

# Of all files together, the newest of it: each look reads them again.
_MOST = 1 << 22


class Logs(t.NamedTuple):
    """``folder``: with the send logs of one server; None where there are none that are surely its own, and ``note``
    says why."""

    folder: str | None
    note: str | None = None


class Seen(t.NamedTuple):
    """``connections``: in their order. ``newest``: the time of the last line of all, whatever it tells; empty where
    there is none. ``unread``: what could not be read, with the reason."""

    connections: list[Connection]
    newest: str
    unread: list[str]


def of_server(paths: t.Iterable[str], names: t.Sequence[str], *, is_alone: bool) -> Logs:
    """``paths``: files and folders, of which the folders count. ``names``: of the server. Its logs are in a sub-folder
    of its name, or below a folder of its name; or in the folder itself, where nobody else's can be (``is_alone``)."""
    folders = [path for path in paths if os.path.isdir(path)]
    if not folders:
        return Logs(None)
    unread = []
    for path in folders:
        try:
            below = sorted(entry.name for entry in os.scandir(path) if entry.is_dir())
        except OSError as exc:
            unread.append(f"{visible(path, NAME)} {files.CANNOT}: {files.why(exc)}")
            continue
        if (found := _named(below, names)) is not None:
            return Logs(os.path.join(path, found))
        if is_alone or _named(os.path.abspath(path).split(os.sep), names) is not None:
            return Logs(path)
    if unread:
        return Logs(None, "; ".join(unread))
    where = ", ".join(visible(path, NAME) for path in folders)
    return Logs(None, f"there is no folder {visible(names[0], NAME)} with its send logs in {where}")


def _named(folders: t.Sequence[str], names: t.Sequence[str]) -> str | None:
    """The folder with the server's name: the whole of it, or its first part where no other folder has the same."""
    whole = {name.casefold() for name in names}
    exact = next((folder for folder in folders if folder.casefold() in whole), None)
    if exact is not None:
        return exact
    own = {part for name in names for part in peers.names(name)}
    alike = [folder for folder in folders if peers.names(folder) & own]
    return alike[0] if len(alike) == 1 else None


def read(folder: str, since: str, message: str | None = None) -> Seen:
    """What the send logs in the folder show since that time (UTC, such as ``2026-01-05T07:57:37``)."""
    sources, others = files.find([folder])
    unread = [
        f"{visible(item['file'], NAME * 2)} {visible(item['reason'], NAME * 2)}"
        for item in others
        if item["reason"].startswith(files.CANNOT)
    ]
    parts: list[bytes] = []
    newest, left = "", _MOST
    for source in sorted(sources, key=lambda item: item.first, reverse=True):
        if source.kind != files.SMTP or source.state != SEND:
            continue
        newest = newest or files.last_time(source)
        try:
            lines = files.since(source, since.encode(), left) if left > 0 else b""
        except files.UNREADABLE as exc:
            unread.append(f"{visible(source.path, NAME * 2)} {files.CANNOT}: {files.why(exc)}")
            continue
        parts.append(lines)
        left -= len(lines)
    return Seen(sent.connections(b"\n".join(reversed(parts)), message), newest, unread)
