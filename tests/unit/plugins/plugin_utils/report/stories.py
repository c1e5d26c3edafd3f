# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs have done to servers: results of steps as the tasks return them, one story after the other."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.verdicts import verdict
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._text import utc_text
from hypothesis import strategies as st

from ..fakes import BOOT
from ..judgement.guarding import DOTNET, READY, off, on
from ..policies import policy, waiver
from ..worlds import audit_of

BACKUP = "/backups/ex01.0001.20261120T030405Z.change.json"
# How a server can stand, against the policy of the first phase.
HOSTS: Mapping[str, Mapping[Setting, Value]] = {
    "fine": READY,
    "new": {},
    "off": {**off("TLS 1.2"), **DOTNET},
    "client off": {**on("TLS 1.2", "Server"), **off("TLS 1.2", "Client"), **DOTNET},
    "server off": {**on("TLS 1.2", "Client"), **off("TLS 1.2", "Server"), **DOTNET},
    "wrong": {**READY, next(iter(DOTNET)): dword(0)},
    "old off": {**READY, **off("TLS 1.0"), **off("TLS 1.1")},
}
# Errors as steps end with them; of two more, 'findings' and 'not_proven', the rest of the result tells.
KINDS = ("access_denied", "phase_refused", "bad_option", "bug", "registry", "restart_refused", "fail_on")


@functools.cache
def settings(how: str, build: int = 17763, waived: bool = False) -> dict[str, Any]:
    waivers = [waiver("would_write")] if waived else []
    return audit_of(policy(baseline="exchange_tls12"), HOSTS[how], build, waivers=waivers).as_result()


def failed(kind: str = "access_denied", **more: Any) -> dict[str, Any]:
    """As a task that has failed; how the host stands may be known by then."""
    return {"failed": True, "msg": f"It did not work: {kind}.", "error": {"kind": kind}, **more}


def gone() -> dict[str, Any]:
    return {"unreachable": True, "msg": "connection refused", "error": {"kind": "unreachable"}}


def changes(*statuses: str) -> list[dict[str, Any]]:
    absent, one = Value().as_result(), dword(1).as_result()
    return [
        {"key": r"HKLM\K", "value": f"V{number}", "status": status, "before": absent, "after": one}
        for number, status in enumerate(statuses)
    ]


def changed(how: str = "fine", *statuses: str, **more: Any) -> dict[str, Any]:
    """A result of tls_settings that has written something."""
    written = changes(*(statuses or ("written", "written")))
    return {
        **settings(how),
        "changed": True,
        "changes": written,
        "backup": BACKUP,
        "restart_required": True,
        "restart_pending": True,
        **more,
    }


def unchanged(how: str = "fine", **more: Any) -> dict[str, Any]:
    return {**settings(how), "changes": [], "backup": None, "restart_required": False, **more}


def restarted(seconds: float = 61.4, boot: datetime.datetime = BOOT) -> dict[str, Any]:
    """A restart from the start of Windows that the other steps have seen, or from an earlier one."""
    before, after = (utc_text(moment) for moment in (boot, boot + datetime.timedelta(minutes=3)))
    return {
        "changed": True,
        "rebooted": True,
        "elapsed": seconds,
        "restart_pending": False,
        "boot_before": before,
        "boot_after": after,
    }


def handshakes(**accepted: bool | None) -> dict[str, Any]:
    return {
        "endpoints": [
            {
                "endpoint": f"{name}://ex01",
                "versions": {"TLS 1.2": {"accepted": answer, "evidence": "server hello"}},
                "error": None if answer is not None else "connection refused",
            }
            for name, answer in accepted.items()
        ]
    }


def verified(how: str = "fine", accepted: Mapping[str, bool | None] | None = None, **wishes: Any) -> dict[str, Any]:
    """A result of tls_settings_info with a proof; ``pending`` is what the note says."""
    read = {**settings(how), "restart_pending": wishes.pop("pending", False)}
    tried = None if accepted is None else handshakes(**accepted)
    found = verdict(read, tried, **wishes)
    if not found.problems:
        return {**read, "handshakes": tried, "verdict": found.as_result()}
    short = {name: read[name] for name in ("host", "overview", "compliant", "restart_pending")}
    return {**short, **failed("not_proven"), "verdict": found.as_result()}


def told(check_mode: bool = False, error: str | None = None, **results: dict[str, Any] | None) -> Steps:
    """Steps of one run; what is undone is what the change has written."""
    made = {name: {"changed": False, **result} for name, result in results.items() if result}
    if "undone" in made:
        made["undone"]["restored_from"] = made["change"].get("backup")
    return Steps.of(made, check_mode=check_mode, error=error)


IN = {"smtp": True, "https": True}
REFUSED = {"smtp": False, "https": True}

# --- any story -------------------------------------------------------------------------------------------------------

hows = st.sampled_from(sorted(HOSTS))
failures = st.builds(failed, st.sampled_from(KINDS)) | st.builds(gone)
short_failures = st.builds(
    lambda how, kind: failed(kind, overview=settings(how)["overview"]), hows, st.sampled_from(KINDS)
)
not_as_wanted = st.builds(
    lambda how: failed("findings", overview=settings(how)["overview"]), st.sampled_from(["off", "wrong", "new"])
)
answers = st.none() | st.dictionaries(st.sampled_from(["smtp", "https"]), st.sampled_from([True, False, None]))
mixed = st.lists(st.sampled_from(["written", "unknown", "put_back", "not_written"]), min_size=1, max_size=4)
statuses = mixed | st.just(["written"]) | st.just(["put_back", "not_written"])
backups = st.sampled_from([BACKUP, None])


@st.composite
def partly(draw: st.DrawFn) -> dict[str, Any]:
    """A change that was ended on its way."""
    return {**draw(short_failures), "changes": changes(*draw(statuses)), "backup": draw(backups), "changed": True}


@st.composite
def done(draw: st.DrawFn, check_mode: bool) -> dict[str, Any]:
    """A change that was made, or that there was no need for; or the same of a rollback."""
    how = draw(hows)
    result = changed(
        how, *(["planned"] * draw(st.integers(1, 3)) if check_mode else draw(statuses)), backup=draw(backups)
    )
    result = draw(st.sampled_from([result, unchanged(how, restart_pending=draw(st.booleans()))]))
    if draw(st.booleans()):
        return result
    return {name: value for name, value in result.items() if name not in READ} | {
        "restored_from": "/backups/older.json"
    }


READ = ("protocols", "findings", "healthchecker", "overview", "compliant")


@st.composite
def proofs(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.integers(0, 3)) == 0:
        return draw(failures)
    return verified(
        draw(hows),
        draw(answers),
        handshake_policy=draw(st.sampled_from(["when_reachable", "required", "never"])),
        judge_policy=draw(st.booleans()),
        allow_pending=draw(st.booleans()),
        pending=draw(st.booleans()),
        lost=draw(st.just([]) | st.just(["smtp://ex01"])),
    )


def ended(result: Mapping[str, Any]) -> bool:
    return bool(result.get("failed") or result.get("unreachable"))


@st.composite
def any_steps(draw: st.DrawFn) -> Steps:
    """A run of the role on one server, which may end after any step."""
    check_mode = draw(st.booleans())
    error = draw(st.sampled_from([None, None, None, "a task of the user's own failed"]))
    if draw(st.integers(0, 4)) == 0:
        return told(check_mode, error, audit=draw(hows.map(settings) | failures | short_failures | not_as_wanted))
    made: dict[str, dict[str, Any]] = {"change": draw(done(check_mode) | failures | short_failures | partly())}
    if ended(made["change"]):
        return told(check_mode, error, **made)
    restarts = st.just({"rebooted": False, "changed": True}) if check_mode else st.builds(restarted) | failures
    story = draw(
        st.sampled_from(["verify", "reboot", "reboot verify", "reboot undone", "reboot undone verify", "undone reboot"])
    )
    for name in story.split():
        if name == "reboot":
            made[name] = draw(restarts)
        elif name == "verify":
            made[name] = draw(proofs())
        elif not check_mode:
            made[name] = draw(st.builds(changed, hows, st.just("written")) | failures | partly())
        if ended(made.get(name, {})):
            break
    return told(check_mode, error, **made)
