# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What was done to one server in a run, and how that stands. Pure."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import typing as t
from collections.abc import Mapping

from .._judgement import verdicts
from .._judgement.mail_words import FAILING
from .._schannel.protocols import TLS12
from .overview import overview
from .today import today

Result = t.Mapping[str, t.Any]

# How a server stands, worst first: the order of the last screen, and what its totals count.
BROKEN = "broken"  # TLS 1.2 is off
OUT = "out of service"  # a run that was cut off has left it so
FAILED = "failed"
UNREACHABLE = "unreachable"
UNKNOWN = "unknown"
WRONG = "wrong"
TOO_OLD = "too old"  # its Exchange, for what is wanted
MAIL_WAITS = "with mail that does not leave"
PENDING = "waiting for a restart"
NOT_READ = "not read"
NOT_PROVEN = "not proven"
TO_WRITE = "to write"
ODD = "with oddities"
RESTORED = "restored"
VERIFIED = "verified"
FINE = "as wanted"
STATES = (
    BROKEN,
    OUT,
    FAILED,
    UNREACHABLE,
    UNKNOWN,
    WRONG,
    TOO_OLD,
    MAIL_WAITS,
    PENDING,
    NOT_READ,
    NOT_PROVEN,
    TO_WRITE,
    ODD,
    RESTORED,
    FINE,
    VERIFIED,
)


def rank_of(category: str) -> int:
    """The place of a category, the worst first; what no release knows comes before all."""
    return STATES.index(category) if category in STATES else -1


_OF_VERDICT = {
    verdicts.WRONG: (FAILED, "FAILED"),
    verdicts.PENDING: (PENDING, "restart pending"),
    verdicts.UNKNOWN: (UNKNOWN, "unknown"),
    verdicts.NOT_PROVEN: (NOT_PROVEN, "not proven"),
    verdicts.INCOMING_ONLY: (FINE, "incoming proven"),
    verdicts.NOT_ASKED: (FINE, "as asked"),
    verdicts.RESTORED: (RESTORED, "restored"),
    verdicts.VERIFIED: (VERIFIED, "verified"),
}

_PENDING = frozenset({"restart_pending", "restart_required"})

# The names under which the role registers its steps.
REGISTERED = {
    "_tls12_audit": "audit",
    "_tls12_change": "change",
    "_tls12_restart": "reboot",
    "_tls12_undone": "undone",
    "_tls12_verify": "verify",
    # how mail goes since the last start
    "_tls12_mail_since": "mail",
    "_tls12_back": "back",
}


# Two readings of one boot time may differ by some seconds.
_SAME_BOOT = datetime.timedelta(seconds=60)


def _boot(text: t.Any) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None


def with_its_proof(results: t.Mapping[str, Result | None]) -> t.Mapping[str, Result | None]:
    """A change that found nothing to do may have made the proof as well: two steps in one result."""
    change = results.get("change")
    if not isinstance(change, Mapping) or not change.get("verdict"):
        return results
    return {**results, "change": {**change, "verdict": None}, "verify": change}


def registered(variables: t.Any) -> dict[str, t.Any]:
    """The steps that a host's variables hold, by name."""
    found = {
        step: variables[name]
        for name, step in REGISTERED.items()
        if name in variables and isinstance(variables[name], Mapping)
    }
    return dict(with_its_proof(found))


def _ended(step: Result | None) -> bool:
    return bool(step) and bool((step or {}).get("failed") or (step or {}).get("unreachable"))


def _belongs(name: str, result: Result, made: t.Mapping[str, Result]) -> bool:
    """Whether a step can have followed those that were made."""
    change = made.get("change")
    if change is None or name not in ("reboot", "undone", "verify"):
        return True
    if _ended(change):
        return False
    if name == "undone":
        return result.get("restored_from") in (None, change.get("backup"))
    seen = _boot((change.get("host") or {}).get("last_boot"))
    begun = _boot(result.get("boot_before") if name == "reboot" else (result.get("host") or {}).get("last_boot"))
    if seen is not None and begun is not None and begun < seen - _SAME_BOOT:
        return False
    if name == "reboot":
        return True
    if _ended(made.get("reboot")) or _is_before(result, made.get("undone"), made.get("reboot")):
        return False
    waiting = bool(change.get("restart_pending")) and "reboot" not in made
    return not waiting or _ended(result) or bool(result.get("restart_pending"))


def _is_of_this_run(made: t.Mapping[str, Result]) -> bool:
    """Whether there was a maintenance to end: one around a restart, or one that was found."""
    return "reboot" in made or bool(((made.get("change") or {}).get("maintenance") or {}).get("begun"))


def _is_since_start(mail: Result, verify: Result | None) -> bool:
    """Whether a look at the mail flow is one since the start that was proven; a look that failed or was skipped is
    none."""
    since, start = _boot(mail.get("since")), _boot(((verify or {}).get("host") or {}).get("last_boot"))
    return since is not None and (start is None or abs(since - start) <= _SAME_BOOT)


def _is_before(verify: Result, undone: Result | None, reboot: Result | None) -> bool:
    """Whether a proof is from before the rollback: after that a restart waits, which it does not know of."""
    if undone is None or not undone.get("restart_pending") or verify.get("restart_pending"):
        return False
    then = _boot((undone.get("host") or {}).get("last_boot"))
    came, went = (_boot((reboot or {}).get(name)) for name in ("boot_after", "boot_before"))
    # the restart that was made last ended what the rollback has seen, or began it
    return then is None or came is None or went is None or abs(came - then) <= abs(went - then)


@dataclasses.dataclass(frozen=True)
class Steps:
    """The results of the steps that were made; a step that was not made is None.

    ``undone``: the rollback that the second phase makes where TLS 1.2 got lost. ``error``: what ended the server where
    no step of ours did (a hook of the user's, say). ``back``: the way back into service, which is no step of its own.
    """

    audit: Result | None = None
    change: Result | None = None
    reboot: Result | None = None
    undone: Result | None = None
    verify: Result | None = None
    mail: Result | None = None
    back: Result | None = None
    error: str | None = None
    unreachable: bool = False
    check_mode: bool = False

    @classmethod
    def of(
        cls,
        results: t.Mapping[str, Result | None],
        *,
        check_mode: bool = False,
        error: str | None = None,
        unreachable: bool = False,
        one_run: bool = False,
    ) -> Steps:
        """From registered results, by the names of the steps. What an earlier run of the role in the same play has
        left is dropped: steps after one that failed, restarts from another boot, and proofs from before a restart.
        ``one_run``: nothing of another run is among them."""
        results = with_its_proof(results)
        made: dict[str, t.Any] = {}
        for name in ("audit", "change", "reboot", "undone", "verify"):
            result = results.get(name)
            if not isinstance(result, Mapping) or result.get("skipped"):
                continue
            if one_run or _belongs(name, result, made):
                made[name] = result
        mail = results.get("mail")
        if isinstance(mail, Mapping) and mail.get("failed"):
            error = error or str(mail.get("msg") or "")
        elif isinstance(mail, Mapping) and _is_since_start(mail, made.get("verify")):
            made["mail"] = mail
        if isinstance(results.get("back"), Mapping) and _is_of_this_run(made):
            made["back"] = results["back"]
        latest = ("verify", "undone", "reboot", "change", "audit")
        last: Result = next((made[name] for name in latest if name in made), {})
        gone = unreachable or bool(last.get("unreachable"))
        return cls(**made, check_mode=check_mode, error=error, unreachable=gone)

    @property
    def made(self) -> tuple[tuple[str, Result], ...]:
        """The steps that were made, in their order."""
        steps = (("audit", self.audit), ("change", self.change), ("reboot", self.reboot), ("undone", self.undone))
        return tuple((name, step) for name, step in (*steps, ("verify", self.verify)) if step is not None)

    @functools.cached_property
    def settings(self) -> Result | None:
        """The newest reading of the settings; in check mode, as they are before the change that is predicted."""
        for step in (self.verify, self.change, self.audit):
            if step and "protocols" in step and "findings" in step:
                changes = (self.change or {}).get("changes")
                return today({**step, "changes": changes}) if self.check_mode and changes else step
        return None

    @functools.cached_property
    def overview(self) -> Result | None:
        """The settings at a glance, also where the task that read them failed."""
        if self.settings is not None:
            return overview(self.settings)
        found = (step.get("overview") for _name, step in reversed(self.made))
        return next((item for item in found if item), None)

    @property
    def failed_step(self) -> str | None:
        return next((name for name, step in self.made if step.get("failed") or step.get("unreachable")), None)

    @property
    def message(self) -> str:
        """What the step that failed says, or what else ended the server."""
        failed = next((step for _name, step in self.made if step.get("failed") or step.get("unreachable")), None)
        told = (failed or {}).get("msg") or self.error or ""
        return " ".join(map(str, told)) if isinstance(told, (list, tuple)) else str(told)

    @property
    def rebooted(self) -> float | None:
        """Seconds that the restart took; None where there was none."""
        if not self.reboot or not self.reboot.get("rebooted"):
            return None
        elapsed = self.reboot.get("elapsed")
        return float(elapsed) if isinstance(elapsed, (int, float)) else 0.0

    @property
    def restart_wanted(self) -> bool:
        if self.check_mode and self.reboot is not None:
            return bool(self.reboot.get("changed"))
        for step in (self.verify, self.undone, None if self.rebooted is None else {"restart_pending": False}):
            if step and not _PENDING.isdisjoint(step):
                return any(step.get(name) for name in _PENDING)
        return any((step or {}).get(name) for step in (self.change or self.audit,) for name in _PENDING)

    @property
    def accepted(self) -> tuple[bool | None, ...]:
        """Whether the endpoints that were tried accept TLS 1.2, None where that is open."""
        if self.verdict:
            return tuple((self.verdict.get("endpoints") or {}).values())
        # those of the change were tried before it
        found = {} if self.left_changed else (self.change or {}).get("handshakes") or {}
        return tuple((item["versions"].get(TLS12) or {}).get("accepted") for item in found.get("endpoints", ()))

    @property
    def verdict(self) -> Result | None:
        return (self.verify or {}).get("verdict")

    @property
    def outgoing(self) -> Result | None:
        """What is known of mail that leaves since the last start."""
        return (self.mail or {}).get("outgoing")

    @functools.cached_property
    def left_changed(self) -> tuple[Result, ...]:
        """The values that this run has written, or perhaps has, and not put back."""
        if self.undone is not None and not self.undone.get("failed") and not self.undone.get("unreachable"):
            return ()
        changes = (self.change or {}).get("changes") or ()
        return tuple(item for item in changes if item.get("status") in ("written", "unknown"))

    @property
    def planned(self) -> int:
        changes = (self.change or {}).get("changes") or ()
        return sum(item.get("status") == "planned" for item in changes)

    # --- how it stands -----------------------------------------------------------------------------------------------

    @property
    def counts(self) -> t.Mapping[str, int]:
        """Findings by status: ``wrong``, ``missing`` and ``unknown``."""
        return self.overview["counts"] if self.overview else {"wrong": 0, "missing": 0, "unknown": 0}

    @property
    def to_write(self) -> int:
        """How many values are not as the policy wants them."""
        return self.counts["wrong"] + self.counts["missing"]

    @property
    def install(self) -> str | None:
        """The update of Exchange that comes before everything else."""
        return self.overview.get("install") if self.overview else None

    @property
    def is_out(self) -> bool:
        """Whether a run that was cut off has left the server out of service, and this one has not brought it back: it
        has only looked, or was told to leave maintenance alone."""
        is_left = bool((self.overview or {}).get("left_out"))
        if self.change is None:
            return is_left
        if self.failed_step:
            return False
        if self.check_mode:
            return is_left or self.brings_back
        return is_left and "maintenance" in self.change and not self.brings_back

    @property
    def brings_back(self) -> bool:
        """Whether a change brings back, or would, what a run that was cut off has left out of service."""
        return bool(((self.change or {}).get("maintenance") or {}).get("begun"))

    @property
    def off(self) -> tuple[str, ...]:
        """The sides on which TLS 1.2 is off, although the policy wants it on."""
        glance = self.overview
        if glance is None:
            return ()
        effects = glance["protocols"][TLS12]
        return tuple(side for side in glance["wanted"] if effects[side] in ("disabled", "disabled_by_default"))

    @functools.cached_property
    def category(self) -> str:
        if self.unreachable:
            return UNREACHABLE
        restored = (self.verdict or {}).get("word") == verdicts.RESTORED
        if self.off and not restored and (self.check_mode or not self.restart_wanted):
            return BROKEN
        if self.is_out and not self.error:
            return OUT
        if self.failed_step or self.error or self.undone is not None:
            return FAILED
        if self.check_mode and self.planned:
            return TO_WRITE
        if (self.outgoing or {}).get("word") == FAILING:
            return MAIL_WAITS
        if self.verdict and (restored or not (self.check_mode and self.change)):
            return _OF_VERDICT[self.verdict["word"]][0]
        if self.counts["unknown"] or self._is_open:
            return UNKNOWN
        if self.counts["wrong"]:
            return WRONG
        if self.install:
            return TOO_OLD
        if self.restart_wanted:
            return PENDING
        if self.overview is None:
            return NOT_READ
        if self.counts["missing"]:
            return TO_WRITE
        return ODD if self.overview and self.overview["odd"] else FINE

    @property
    def _is_open(self) -> bool:
        """Whether nobody can tell if TLS 1.2 is on, on a side where it is wanted."""
        glance = self.overview
        return glance is not None and any(glance["protocols"][TLS12][side] == "unknown" for side in glance["wanted"])

    @property
    def rank(self) -> int:
        return rank_of(self.category)

    @property
    def word(self) -> str:
        """The verdict in a word or two, for a column."""
        if self.unreachable:
            return "UNREACHABLE"
        if self.undone is not None:
            return "FAILED, undone" if not self.undone.get("failed") else "FAILED"
        if self.category == OUT:
            return "OUT OF SERVICE"
        if self.failed_step or self.error:
            # a reading that was to fail where something is to write
            return f"FAILED, {self._difference}" if self.failed_step == "audit" and self.to_write else "FAILED"
        if self.check_mode and self.change:
            return f"{self.planned} to write" if self.planned else self.category
        if self.category == MAIL_WAITS:
            return "mail FAILS"
        if self.verdict:
            return _OF_VERDICT[self.verdict["word"]][1]
        if self.left_changed:
            return f"{len(self.left_changed)} written"
        if self.change and self.overview:
            return "as wanted"
        return self._difference or self.category

    @property
    def _difference(self) -> str:
        """How much is not as wanted; empty where nothing is."""
        if not self.to_write:
            return "Exchange too old" if self.install else ""
        return f"{self.to_write} {'wrong' if self.counts['wrong'] else 'to write'}"
