# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""tls_settings: audit, guard, and the change, or its prediction."""

from __future__ import annotations

import typing as t

from .._change.apply import Progress
from .._change.change import KnownHost, change
from .._change.plans import Plan
from .._exchange import findings as exchange_findings
from .._judgement import guards
from .._mailflow import peers
from .._policy import waiving
from .._policy.options import from_options
from .._schannel.snapshot import Snapshot
from .._windows.registry import Registry
from . import proving, restarting
from .audit import Audit, Scope, audit
from .task import Options, Result, Task

# Of those that speak old TLS, in a result.
_MOST_PEERS = 50
_UNREAD = "The protocol logs were not read to their end, so that there may be more peers with old TLS than they show."
# What the result tells besides the audit and the change.
_KEPT = ("task_files", "maintenance", "handshakes", "old_tls_peers")


def bring(task: Task, options: Options, files: Result) -> Result:
    """The result of tls_settings. ``files``: the result key with the files of tasks around a restart."""
    policy = from_options(options)
    waivers, fail_on = waiving.from_options(options)
    session = task.open_session()
    before = audit(session, policy, waivers, Scope.from_options(options))
    before.refuse_blind_change()
    task.so_far({**before.as_result(), **files})
    # an expression that cannot be held against these findings is refused before anything is written
    waiving.failure(before.findings, fail_on)
    planned = before.plan()
    # one that is refused before anything is tried lists no changes
    task.partial.update(changed=False, changes=[], backup=None)
    due = bool(planned) or before.pending.restart_pending
    folder, own = options["backup_dir"], before.host.computer_name
    has_exchange = before.seen is not None if before.scope.exchange else None
    prepared = restarting.check_on_host(
        task, session, options["restart"], folder, own, due=due, has_exchange=has_exchange
    )
    forced = _guarded(task, options, before, planned)
    task.partial.update(Progress(planned).as_result())
    outcome, snapshot = change(
        KnownHost(Registry(session), before.host, before.snapshot, before.pending, task.host_name),
        planned,
        purpose="change",
        backup_dir=options["backup_dir"],
        undo=options["undo_on_failure"],
        check_mode=task.check_mode,
        partial=task.partial,
        force=options["force"],
    )
    after = before.after(snapshot)
    kept: dict[str, t.Any] = {name: task.partial[name] for name in _KEPT if name in task.partial}
    result = {**kept, **after.as_result(), "was_compliant": before.compliant, **outcome}
    if told := [*filter(None, (forced, prepared.notice))]:
        result["warnings"] = [*result.get("warnings", []), *told]
    task.so_far(result)
    failure = waiving.failure(after.findings, fail_on)
    if failure or planned or not options["prove_if_done"] or _restarts(options, before) or prepared.begun:
        return {**(task.shortened(result) if failure else result), **failure}
    # whoever has patience with endpoints tries again, and fails where it is due
    found, unproven = proving.proven(task, {**options["prove"], "patience": 0}, result)
    return result if unproven else {**result, "handshakes": found["handshakes"], "verdict": found["verdict"]}


def _restarts(options: Options, before: Audit) -> bool:
    """Whether a restart is due although nothing is written."""
    wanted = options["restart"]
    return before.pending.restart_pending or (wanted is not None and wanted["when"] == "always")


def _guarded(task: Task, options: Options, before: Audit, planned: Plan) -> str | None:
    """Holds the change against the guard; tries handshakes where something may end with it."""
    after = _after(before.snapshot, planned)
    going = guards.turned_off(before.snapshot, after, before.host.build)
    # what settings cannot help with comes first
    too_old = exchange_findings.in_the_way(
        before.findings,
        enforces=any(write.setting in guards.FOUNDATION for write in planned.writes),
        ends_old_tls=bool(going),
        force=options["force"],
    )
    prove, seen = options["prove"], options["handshakes"]
    if seen is None and prove and guards.may_end(before.snapshot, after, before.host.build):
        seen = proving.handshakes(prove, task.address, task.host_name)
        task.partial["handshakes"] = seen
    logs = options["smtp_logs"]
    if logs:
        task.partial["old_tls_peers"] = logs["old_tls"][:_MOST_PEERS]
    cut_off = peers.cut_off(logs["old_tls"], going, options["accepted_peers"]) if logs else []
    forced = guards.check(
        before.snapshot,
        after,
        before.host.build,
        waiting=before.pending.waiting,
        handshakes=seen,
        handshake_policy=options["handshake_policy"] or (prove["handshakes"] if prove else None),
        peers=peers.objection(cut_off),
        force=options["force"],
    )
    unread = _UNREAD if going and logs and not logs.get("complete") else None
    return " ".join(filter(None, (too_old, forced, unread))) or None


def _after(snapshot: Snapshot, planned: Plan) -> Snapshot:
    return snapshot.after({write.setting: write.after for write in planned.writes}, planned.old_keys)
