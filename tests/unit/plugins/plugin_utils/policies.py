# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies and audits as tasks come to them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, cast

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _options
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import waiving
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.options import from_options
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Policy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.audit import Audit, Scope, audit

from .fakes import FakeWindows

_DEFAULTS = {name: spec.get("default") for name, spec in _options.POLICY.items()}


def options(**given: Any) -> dict[str, Any]:
    """What the argument spec makes of a task with these options."""
    assert set(given) <= set(_DEFAULTS)
    return {**copy.deepcopy(_DEFAULTS), **given}


def policy(protocols: dict[Any, Any] | None = None, **given: Any) -> Policy:
    """The policy of a task that asks for these protocols, and without a baseline unless one is given."""
    return from_options(options(**{"baseline": "none", "protocols": protocols or {}, **given}))


def waiver(match: str, reason: str = "it is known", expires: str | None = None) -> dict[str, Any]:
    """An element of the option ``waivers``."""
    return {"match": match, "reason": reason, "expires": expires}


def audited(
    windows: FakeWindows,
    wanted: Policy,
    waivers: Sequence[dict[str, Any]] = (),
    strays: str = "report",
    exchange: bool = False,
) -> Audit:
    """``exchange``: whether it is looked at, as it is unless somebody says otherwise."""
    return audit(cast(Any, windows), wanted, waiving.parse(waivers), Scope(strays, exchange))
