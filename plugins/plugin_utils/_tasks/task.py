# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What the sequences need of whoever runs them: an action plugin, or a test that does without Ansible."""

from __future__ import annotations

import dataclasses
import typing as t

from .._wire.session import Session

if t.TYPE_CHECKING:
    from .._exchange.shell import Shell

Options = t.Mapping[str, t.Any]
Result = dict[str, t.Any]


def _nothing(_message: str) -> None:
    """Says nothing."""


@dataclasses.dataclass(frozen=True)
class Task:
    """One run of a module on one host. ``open_shell``: Exchange's cmdlets for the computer of that name, with the
    server on which they are asked: one of those that are given, where no other is named. ``address``: where handshakes
    are tried. ``say``: a line of progress for people. ``shortened``: what a failed task returns of a result.
    ``partial``: what is true by now, should anything end it."""

    open_session: t.Callable[[], Session]
    open_shell: t.Callable[[str, t.Sequence[str]], tuple[str, Shell]]
    host_name: str
    address: str = ""
    check_mode: bool = False
    say: t.Callable[[str], None] = _nothing
    shortened: t.Callable[[Result], Result] = dict
    partial: Result = dataclasses.field(default_factory=dict)

    def so_far(self, result: t.Mapping[str, t.Any]) -> None:
        """From now on this is what is true."""
        self.partial.clear()
        self.partial.update(result)
