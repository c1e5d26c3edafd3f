# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The variables of the role and of the playbooks: how messages name them, and which ones nobody reads. Pure."""

from __future__ import annotations

import difflib
import re
import typing as t

from ._text import NAME, visible

COLLECTION = "mailops.exchange_tls"
PREFIX = "tls12_"
# What enforce-tls12.yml brings a host to: the first phase.
FIRST_BASELINE = "exchange_tls12"
# The options that say what is wanted of the settings.
WANTED = (
    "baseline", "protocols", "dotnet", "winhttp", "renegotiation", "ciphers", "hashes", "key_exchanges",
    "dh_min_key_length", "cipher_suites",
)  # fmt: skip

# Groups of the plays that go by DAG.
WAVES = "tls12_wave_"
_COUNT = re.compile(r"[1-9]\d{0,5}", re.ASCII)
# What plays read themselves: the first two before any host has variables, the others to merge reports.
PLAY_VARIABLES = ("tls12_hosts", "tls12_serial", "tls12_reports", "tls12_report_since")

# Options whose variable is not just the option with the prefix.
_VARIABLES = {
    "prove.endpoints": "tls12_endpoints",
    "prove.server_name": "tls12_server_name",
    "prove.timeout": "tls12_handshake_timeout",
    "prove.patience": "tls12_handshake_patience",
    "prove.handshakes": "tls12_handshakes",
    "restart.when": "tls12_reboot",
    "restart.timeout": "tls12_reboot_timeout",
    "restart.services": "tls12_reboot_services",
    "restart.comment": "tls12_reboot_comment",
    "restart.force": "tls12_reboot_force",
    "restart.dag_check": "tls12_dag_check",
    **{f"{where}maintenance.when": "tls12_maintenance" for where in ("", "restart.")},
    **{f"{where}maintenance.timeout": "tls12_maintenance_timeout" for where in ("", "restart.")},
    **{
        f"{where}no_progress_timeout": "tls12_maintenance_no_progress_timeout"
        for where in ("", "maintenance.", "restart.maintenance.")
    },
    **{
        f"{where}maintenance.{name}": f"tls12_{name}"
        for where in ("", "restart.")
        for name in (
            "minimum_healthy_copies",
            "blocked_members",
            "redirect_to",
            "leave_mail",
            "take_over",
            "pause_node",
            "smtp_port",
            "wait_for_members",
        )
    },
    **{
        f"{where}{option}": variable
        for where in ("", "restart.mail.")
        for option, variable in (
            ("send_logs", "tls12_smtp_logs"),
            ("probe_mailbox", "tls12_probe_mailbox"),
        )
    },
    "restart.mail.when": "tls12_mail_flow",
    "restart.mail.patience": "tls12_mail_patience",
    "restart.before": "tls12_before_reboot_tasks",
    "restart.after": "tls12_after_reboot_tasks",
    "services": "tls12_reboot_services",
    "comment": "tls12_reboot_comment",
    "task_files.before": "tls12_before_reboot_tasks",
    "task_files.after": "tls12_after_reboot_tasks",
}
# Options whose variable depends on the file of the role that has the task.
_IN_FILE = {
    "mail": {"patience": "tls12_mail_patience"},
    "harden": {"paths": "tls12_smtp_logs", "since": "tls12_smtp_logs_since"},
    "restart": {"timeout": "tls12_reboot_timeout", "force": "tls12_reboot_force"},
    "reboot": {"timeout": "tls12_reboot_timeout", "force": "tls12_reboot_force"},
    "out_of_service": {"timeout": "tls12_maintenance_timeout"},
    "back_in_service": {"timeout": "tls12_maintenance_timeout"},
}
_OF_THE_SECOND_PHASE = {"baseline": "tls12_harden_baseline"}
# What only the second phase has, so that its tasks are known.
_SECOND_PHASE = "_tls12_baseline"


def hardens(variables: t.Container[str]) -> bool:
    """Whether a task with these variables belongs to the second phase."""
    return _SECOND_PHASE in variables


# They say when an audit fails.
_OF_AUDITS = ("tls12_fail_on", "tls12_fail_on_findings")


def may_pass_over(variables: t.Mapping[str, t.Any]) -> bool:
    """Whether a change has variables that it does not read, so that it matters who has given them."""
    return hardens(variables) or any(_asks(variables.get(name)) for name in _OF_AUDITS)


def _asks(value: t.Any) -> bool:
    # the words of Ansible for false, which is not there in the pure rooms that import this
    return value is not None and str(value).strip().lower() not in ("", "n", "no", "f", "false", "off", "0", "0.0")


def _named(value: t.Any) -> bool:
    return value is not None and str(value).strip() not in ("", "[]")


def passed_over(variables: t.Mapping[str, t.Any], typed: t.Mapping[str, t.Any]) -> list[str]:
    """What was ``typed`` with ``-e`` for a change, which does not read it."""
    told = [
        f"{name} is passed over by what changes settings; it says when audit-tls12.yml fails."
        for name in _OF_AUDITS
        if _asks(typed.get(name))
    ]
    if hardens(variables) and "tls12_baseline" in typed and "tls12_harden_baseline" not in typed:
        told.insert(0, "tls12_baseline is passed over by the second phase, which takes tls12_harden_baseline.")
    if (
        hardens(variables)
        and _asks(typed.get("tls12_smtp_logs_since"))
        and not _named(variables.get("tls12_smtp_logs"))
    ):
        told.append("tls12_smtp_logs_since does nothing without tls12_smtp_logs: no log is read.")
    return told


def one_for_many(variables: t.Mapping[str, t.Any], typed: t.Mapping[str, t.Any]) -> list[str]:
    """What is wrong where one backup was ``typed`` for several servers: the first would be restored before the second
    tells that it is another one's."""
    backup, play = str(typed.get("tls12_backup") or "").strip(), list(variables.get("ansible_play_hosts_all") or ())
    if not backup or "{{" in backup or len(play) < 2:
        return []
    cure = "Take one with -l, leave it out for the newest of each, or set 'tls12_other_host' if you mean it"
    file = visible(repr(backup), NAME)
    return [f"'tls12_backup' is one file, {file}, and this play runs on {len(play)} servers. {cure}"]


def named(message: str, task_file: str, *, hardens: bool = False) -> str:
    """The message with the role's variables in the place of quoted option names (``'backup_dir'``)."""
    special = {**_VARIABLES, **_IN_FILE.get(task_file, {}), **(_OF_THE_SECOND_PHASE if hardens else {})}

    def variable(match: re.Match[str]) -> str:
        option = match[1]
        found = special.get(option)
        if found is None and option.partition(".")[0] in _PLAIN:
            found = f"{PREFIX}{option}"
        return f"'{found}'" if found else match[0]

    # who uses the role is told the variable once, and needs no hint at it
    return re.sub(r"'([a-z][a-z0-9_.]*)'(?: \(tls12_\w+(?: in the role)?\))?", variable, message)


# Options that are named like the variable without its prefix.
_PLAIN = frozenset(
    (
        *WANTED, "strays", "waivers", "fail_on", "force", "backup_dir", "undo_on_failure", "backup", "other_host",
        "wire_log", "report_dir", "logins", "fail_on_findings", "endpoints", "server_name",
        "smtp_logs", "smtp_logs_since", "accepted_peers", "blocked_members",
        "exchange", "symptom", "updates_within", "dag_check", "dags_at_once", "one_per_site", "site",
        "minimum_healthy_copies", "redirect_to", "leave_mail", "take_over", "pause_node", "smtp_port",
        "wait_for_members",
    )
)  # fmt: skip


# Every variable of the role and of the playbooks.
VARIABLES = frozenset(
    (
        *_VARIABLES.values(),
        "tls12_maintenance_timeout",
        *(f"{PREFIX}{name}" for name in _PLAIN),
        *_OF_THE_SECOND_PHASE.values(),
        *PLAY_VARIABLES,
    )
)


_LONGEST = max(map(len, VARIABLES)) + 4


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


_BARE = frozenset(_letters(name[len(PREFIX) :]) for name in VARIABLES)


def misspelt(variables: t.Iterable[str]) -> list[str]:
    """One sentence for each variable that nobody reads: those with the role's prefix, and those whose prefix is a slip
    of it and that else are a variable of the role."""
    names = sorted(VARIABLES)
    return [
        f"there is no variable '{visible(name, NAME)}'{_hint(name, names)}"
        for name in sorted(map(str, variables))
        if name not in VARIABLES and (name.lower().startswith(PREFIX) or _has_a_slip_in_front(name))
    ]


def _has_a_slip_in_front(name: str) -> bool:
    """Whether it is a variable of the role but for a prefix such as ``tsl12_``, ``tls_12_`` or ``tls-12``."""
    # most variables of a host are nothing like it, and each task looks at all of them
    if name[:1] == "_" or len(name) > _LONGEST or not {"1", "2"} <= set(name[: len(PREFIX) + 2]):
        return False
    letters = _letters(name)
    start, rest = letters[: len(PREFIX) - 1], letters[len(PREFIX) - 1 :]
    return rest in _BARE and sorted(start) == sorted(PREFIX.rstrip("_"))


# Short names that a play reads, with the one file of the role whose tasks it runs. They have no prefix, by which a slip
# would be known.
ALIASES = {"symptom": "why"}
_ALL = "ansible-doc -t role mailops.exchange_tls.tls12"
# Of eight letters one may be wrong.
_ALMOST = 0.8


def misspelt_alias(typed: t.Iterable[str], task_file: str) -> list[str]:
    """One sentence for each name that was ``typed`` with ``-e`` and is nearly a short one of the play."""
    known = [alias for alias, file in ALIASES.items() if file == task_file]
    names = sorted(map(str, typed))
    found = {name: difflib.get_close_matches(_letters(name), known, n=1, cutoff=_ALMOST) for name in names}
    return [
        f"there is no variable '{visible(name, NAME)}' (did you mean '{PREFIX}{close[0]}'?)"
        for name, close in found.items()
        if close and name not in known
    ]


def without_prefix(typed: t.Iterable[str]) -> list[str]:
    """One sentence for each variable of the role that was ``typed`` with ``-e`` without its prefix. It may be meant for
    something of the user's own, such as a template in the inventory."""
    bare = {_letters(name[len(PREFIX) :]): name for name in sorted(VARIABLES)}
    return [
        f"'{visible(name, NAME)}' is no variable of this collection, and '{bare[_letters(name)]}' is."
        for name in sorted(map(str, typed))
        if name not in ALIASES and not name.startswith("_") and _letters(name) in bare
    ]


def _hint(name: str, names: t.Sequence[str]) -> str:
    # without the prefix, which all have in common
    bare = {_letters(item[len(PREFIX) :]): item for item in names}
    close = difflib.get_close_matches(_letters(name)[len(PREFIX) - 1 :], bare, n=1, cutoff=0.5)
    return f" (did you mean '{bare[close[0]]}'?)" if close else f"; {_ALL} lists them"


def out_of_place(variables: t.Mapping[str, t.Any]) -> list[str]:
    """What is wrong where ``tls12_serial`` comes from a place that a play does not read.

    Ansible makes batches before hosts have variables, so that only ``-e`` and the play count. It shows where a batch is
    smaller than what the variable asks for, and servers are left for it.
    """
    given = str(variables.get("tls12_serial") or "").strip()
    batch = list(variables.get("ansible_play_batch") or ())
    every = list(variables.get("ansible_play_hosts_all") or ())
    # servers that have failed are in no batch any more, so that it looks smaller than it was
    left = list(variables.get("ansible_play_hosts") or every)
    if not _COUNT.fullmatch(given) or not batch:
        return []
    if int(given) > 1 and any(str(name).startswith(WAVES) for name in variables.get("group_names") or ()):
        sentence = (
            f"'tls12_serial' is {given}, but this play goes by DAG. How many DAGs at a time is said with "
            f"-e tls12_dags_at_once={given}; take 'tls12_serial' out"
        )
        return [sentence]
    # a check takes all servers at once, whoever asks for how many
    if len(left) < len(every) or variables.get("ansible_check_mode"):
        return []
    if len(batch) < int(given) and batch[-1] != every[-1]:
        sentence = (
            f"'tls12_serial' is {given}, but this play takes {len(batch)} at a time: Ansible does not read it from the "
            f"inventory. Give it with -e tls12_serial={given}, or take it out"
        )
        return [sentence]
    return []
