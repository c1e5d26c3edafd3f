# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server taken out of service and brought back, as exchange_maintenance does it."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import leaving, returning
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.wishes import Wishes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.work import Work

from .living import World

DAG = ("EX01", "EX02", "EX03")


def out(world: World, name: str = "EX01", **wishes: Any) -> Work:
    work = world.work(name, Wishes(**{"minimum_healthy_copies": 1, **wishes}))
    leaving.leave(work, leaving.plan(work))
    return work


def back(world: World, name: str = "EX01", **wishes: Any) -> Work:
    work = world.work(name, Wishes(**wishes))
    before = work.remembered(returning.components_now(work))
    if before is not None:
        work.remember(before)
        returning.come_back(work)
    if work.is_stale:
        work.means.memory.forget()
    return work


def done(world: World, name: str = "EX01") -> list[str]:
    return [what for who, what in world.log if who == name]
