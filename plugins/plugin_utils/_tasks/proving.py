# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Handshakes as a proof: what they are tried on, and the waiting for endpoints to come back."""

from __future__ import annotations

import collections.abc as c
import datetime
import time
import typing as t

from .. import _handshake
from .._errors import OptionError, all_problems
from .._judgement import verdicts
from .._judgement.handshakes import NEVER, REQUIRED, lost, open_ones
from .._schannel.protocols import TLS12
from .._text import NAME, joined, visible
from .task import Task

LONGEST_TIMEOUT = 300
LONGEST_PATIENCE = 3600
_PAUSE = 3.0
_EVERY_VERSION = frozenset(_handshake.TlsVersion)
_REQUIRED = frozenset({_handshake.TlsVersion(TLS12)})

Options = t.Mapping[str, t.Any]
Result = t.Mapping[str, t.Any]


def check(
    prove: Options | None,
    address: str,
    *,
    others: t.Callable[[], c.Collection[str]] = tuple,
    wanted: str | bool = False,
) -> None:
    """Raises :class:`OptionError` that names every problem of the option ``prove``. ``others``: returns the names of
    other servers, which may be many. ``wanted``: an option that needs it, where that is given."""
    if prove is None:
        if wanted:
            raise OptionError(f"'{wanted}' needs 'prove', which says what to try handshakes on.")
        return
    all_problems(
        lambda: _check_endpoints(prove, address, others),
        lambda: _handshake.parse_server_name(prove["server_name"] or "unset"),
        lambda: _within("prove.timeout", prove["timeout"], LONGEST_TIMEOUT, "more than 0"),
        lambda: _within("prove.patience", prove["patience"], LONGEST_PATIENCE, "0 or more"),
    )


def _check_endpoints(prove: Options, address: str, others: t.Callable[[], c.Collection[str]]) -> None:
    endpoints = _handshake.parse_endpoints(prove["endpoints"], address, allow_empty=True)
    named = [item for item in endpoints if item.host != address]
    servers = others() if named else ()
    if elsewhere := [item for item in named if _is_one_of(item.host, servers)]:
        names = ", ".join(visible(item.name, NAME) for item in elsewhere)
        instead = ", ".join(f"{item.scheme}://:{item.port}" for item in elsewhere)
        raise OptionError(
            f"'prove.endpoints': {names}: that is another server of the inventory, and proves nothing about this one. "
            f"Leave the host out, so that each server is tried itself: {instead}."
        )
    if prove["handshakes"] == REQUIRED and not prove["endpoints"]:
        raise OptionError("'prove.handshakes' is required, but 'prove.endpoints' names none to try them on.")


def _is_one_of(host: str, names: c.Collection[str]) -> bool:
    """Whether a host is among these names of servers; a short name stands for a full one."""
    host = host.lower().rstrip(".")
    return any(host in (name.lower(), name.lower().partition(".")[0]) for name in names)


def _within(name: str, value: float, most: float, least: str) -> None:
    if not (0 <= value <= most) or (value == 0 and least == "more than 0"):
        raise OptionError(f"'{name}' is {value:g}, but it is seconds, {least} and at most {most:g}.")


def handshakes(prove: Options | None, address: str, host_name: str) -> dict[str, t.Any] | None:
    """Tries every version on every endpoint; None where handshakes are not wanted."""
    if prove is None or prove["handshakes"] == NEVER:
        return None
    if not prove["endpoints"]:
        return as_result([], _EVERY_VERSION)
    return probe(
        prove["endpoints"], address, host_name, prove["server_name"], _EVERY_VERSION, _REQUIRED, prove["timeout"]
    )


def probe(
    endpoints: c.Sequence[str],
    address: str,
    host_name: str,
    server_name: str | None,
    versions: c.Set[_handshake.TlsVersion],
    required: c.Set[_handshake.TlsVersion],
    timeout: float,
) -> dict[str, t.Any]:
    """The handshakes of the endpoints in the shape of tls_handshake_info."""
    names = {
        endpoint: _handshake.parse_server_name(server_name)
        if server_name
        else _handshake.own_server_name(endpoint, host_name)
        for endpoint in _handshake.parse_endpoints(endpoints, address)
    }
    return as_result(_handshake.probe_host(names, versions, required, timeout), versions | required)


def as_result(
    reports: c.Sequence[_handshake.EndpointReport], versions: c.Set[_handshake.TlsVersion]
) -> dict[str, t.Any]:
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "endpoints": [_handshake.as_result(item, now) for item in reports],
        **_handshake.overview(reports, versions),
    }


def settled(
    prove: Options | None,
    before: Result | None,
    address: str,
    host_name: str,
    say: t.Callable[[str], None],
    *,
    sleep: t.Callable[[float], None] = time.sleep,
    clock: t.Callable[[], float] = time.monotonic,
) -> tuple[dict[str, t.Any] | None, list[str]]:
    """The handshakes, tried until every endpoint that accepted TLS 1.2 ``before`` does so again, and where they are
    required until every endpoint has answered, or until patience ends. ``say`` tells people what is waited for.

    Services bind their ports some time after they run; one that does not answer yet has not lost TLS 1.2. The second
    part names the endpoints that are lost.
    """
    required = prove is not None and prove["handshakes"] == REQUIRED
    deadline = clock() + (prove["patience"] if prove else 0)
    told: list[str] = []
    while True:
        found = handshakes(prove, address, host_name)
        gone = lost(before, found) if found is not None else []
        waiting = list(dict.fromkeys([*gone, *(open_ones(found) if required else ())]))
        left = deadline - clock()
        if left <= 0 or not waiting:
            return found, gone
        if waiting != told:
            say(f"waiting up to {left:.0f} seconds for TLS 1.2 on {', '.join(waiting)}")
            told = waiting
        sleep(min(_PAUSE, left))


def proven(
    task: Task,
    prove: Options,
    settings: Result,
    *,
    accepted_before: Result | None = None,
    allow_pending: bool = False,
    not_back: c.Sequence[str] | None = None,
) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The result keys that say what handshakes and a result of settings prove, and those of a failure, which are none
    where all is proven. ``not_back``: what is not as a backup has it, where that is asked for, and not the policy."""
    tried, gone = settled(prove, accepted_before, task.address, task.host_name, task.say)
    verdict = verdicts.verdict(
        settings,
        tried,
        handshake_policy=prove["handshakes"],
        judge_policy=not_back is None,
        allow_pending=allow_pending,
        lost=gone,
        not_back=not_back or (),
    )
    found = {"handshakes": tried, "lost": gone, "verdict": verdict.as_result()}
    if not verdict.problems:
        return found, {}
    error = {"kind": "not_proven", "problems": len(verdict.problems)}
    return found, {"failed": True, "msg": joined(verdict.problems), "error": error}
