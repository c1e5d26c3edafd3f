# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Options that say how outgoing mail is proven after a restart; their documentation is in plugins/doc_fragments."""

from __future__ import annotations

import re
import typing as t

from ._errors import OptionError, all_problems
from ._exchange.wishes import ALWAYS, NEVER
from ._maintenance import AUTO, LONGEST
from ._text import NAME, visible

PROOF: dict[str, t.Any] = {
    "send_logs": {"type": "list", "elements": "path"},
    "probe_mailbox": {"type": "str"},
    "patience": {"type": "int", "default": 120},
}
# Of a restart: whether it is seen how mail goes before and after it.
AROUND: dict[str, t.Any] = {
    "mail": {
        "type": "dict",
        "options": {"when": {"type": "str", "choices": [AUTO, ALWAYS, NEVER], "default": AUTO}, **PROOF},
    }
}
Options = t.Mapping[str, t.Any]

# Without quotes and blanks: it goes into a dialogue as it is. A host alone has a dot: else it may be a name.
_MAILBOX = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,255}$)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
    r"|(?=.{1,255}$)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.(?!\d)[A-Za-z0-9-]+"
)


def check(options: Options, prefix: str = "") -> None:
    """Raises :class:`OptionError` that names every problem."""
    all_problems(
        lambda: _check_patience(options["patience"], prefix),
        lambda: _check_mailbox(options["probe_mailbox"], prefix),
    )


def check_around(restart: Options, prefix: str) -> None:
    """Raises :class:`OptionError`."""
    given = restart["mail"]
    if given is not None and given["when"] != NEVER:
        check(given, f"{prefix}mail.")


def _check_patience(patience: int, prefix: str) -> None:
    if not 0 <= patience <= LONGEST:
        raise OptionError(f"'{prefix}patience' is {patience}, but it is seconds, from 0 to {LONGEST}.")


def _check_mailbox(given: str | None, prefix: str) -> None:
    if given and not _MAILBOX.fullmatch(given):
        raise OptionError(
            f"'{prefix}probe_mailbox' is {visible(repr(given), NAME)}, but it is one address such as ann@example.com, "
            "or one host such as mail.example.com."
        )
