# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the TLS settings of a host what a policy asks for, with as few writes as possible."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _options, _preflight
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._change.apply import Progress
from ..plugin_utils._change.change import Target, change
from ..plugin_utils._change.plans import Plan
from ..plugin_utils._errors import all_problems
from ..plugin_utils._judgement import guards, handshakes
from ..plugin_utils._policy import waiving
from ..plugin_utils._policy.options import from_options
from ..plugin_utils._schannel.snapshot import Snapshot
from ..plugin_utils._tasks import proving
from ..plugin_utils._tasks.audit import Audit, audit
from ..plugin_utils._windows.registry import Registry

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_options.POLICY,
    **_options.BACKUP,
    "force": {"type": "bool", "default": False},
    "handshakes": {"type": "dict"},
    **proving.PROVE,
    **_preflight.RESTART,
    "handshake_policy": {"type": "str", "choices": list(handshakes.POLICIES)},
    **_options.WIRE_LOG,
}


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(
            lambda: from_options(options),
            lambda: waiving.from_options(options),
            lambda: handshakes.check_result("handshakes", options["handshakes"]),
            lambda: proving.check(options["prove"], self.address),
            lambda: _preflight.check_restart(options["restart"], self.places),
        )

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        policy = from_options(options)
        waivers, fail_on = waiving.from_options(options)
        files = self.task_files(options["restart"])
        session = self.open_session(options)
        before = audit(session, policy, waivers, options["strays"])
        before.refuse_blind_change()
        self.partial = {**before.as_result(), **files}
        # an expression that cannot be held against these findings is refused before anything is written
        waiving.verdict(before.findings, fail_on)
        planned = before.plan()
        # one that is refused before anything is tried lists no changes
        self.partial.update(changed=False, changes=[], backup=None)
        _preflight.check_on_host(session, options["restart"], due=bool(planned) or before.pending.restart_pending)
        forced = self._guarded(options, before, planned)
        self.partial.update(Progress(planned).as_result())
        outcome, snapshot = change(
            Target(Registry(session), before.host, before.snapshot, before.pending, self.host_name),
            planned,
            purpose="change",
            backup_dir=options["backup_dir"],
            undo=options["undo_on_failure"],
            check_mode=self.check_mode,
            partial=self.partial,
            force=options["force"],
        )
        after = before.after(snapshot)
        kept: dict[str, t.Any] = {
            name: self.partial[name] for name in ("task_files", "handshakes") if name in self.partial
        }
        result = {**kept, **after.as_result(), "was_compliant": before.compliant, **outcome}
        if forced:
            result["warnings"] = [*result.get("warnings", []), forced]
        self.partial = result
        return {**result, **waiving.verdict(after.findings, fail_on)}

    def _guarded(self, options: dict[str, t.Any], before: Audit, planned: Plan) -> str | None:
        """Holds the change against the guard; tries handshakes where something may end with it."""
        after = _after(before.snapshot, planned)
        prove, seen = options["prove"], options["handshakes"]
        if seen is None and prove and guards.may_end(before.snapshot, after, before.host.build):
            seen = proving.handshakes(prove, self.address, self.host_name)
            self.partial["handshakes"] = seen
        return guards.check(
            before.snapshot,
            after,
            before.host.build,
            waiting=before.pending.waiting,
            handshakes=seen,
            handshake_policy=options["handshake_policy"] or (prove["handshakes"] if prove else None),
            force=options["force"],
        )


def _after(snapshot: Snapshot, planned: Plan) -> Snapshot:
    return snapshot.after({write.setting: write.after for write in planned.writes}, planned.old_keys)
