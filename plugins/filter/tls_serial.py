# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.tls_serial."""

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ..plugin_utils import _given
from ..plugin_utils._text import NAME, visible


def tls_serial(serial: t.Any, check_mode: t.Any = False) -> list[t.Any]:
    """See tls_serial.yml."""
    given, problems = _given.options({"tls12_serial": serial}, {"tls12_serial": {"type": "list"}})
    if problems:
        raise AnsibleFilterError(f"{problems[0]}.")
    wanted = given.get("tls12_serial", 1)
    items = [_item(item) for item in (wanted if isinstance(wanted, (list, tuple)) else [wanted])]
    if boolean(check_mode):
        # nothing is changed, so that nothing has to wait
        return ["100%"]
    return items or [1]


def _item(item: t.Any) -> t.Any:
    text = str(item).strip()
    if text == "0":
        # to Ansible this is all servers at once
        return 1
    match = re.fullmatch(r"([1-9]\d{0,5})(%?)", text, re.ASCII)
    if match is None or isinstance(item, bool) or (match[2] and int(match[1]) > 100):
        raise AnsibleFilterError(
            f"'tls12_serial' is {visible(repr(text), NAME)}; it is how many servers at a time: a number such as 2, "
            "a share such as 25%, or a list of them such as [1, 5]."
        )
    return text if match[2] else int(match[1])


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_serial": tls_serial}
