# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail_flow_proof, and the options of a restart that lead to it: what is wrong with them is said beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.action import mail_flow_proof, tls_settings

from .actions import Runner

SINCE = "2026-01-05T07:57:37Z"
MISSING = ({"send_logs": ["nowhere"]}, "'{}send_logs': there is no 'nowhere' on the controller.")
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"patience": -1}, "'{}patience' is -1, but it is seconds, from 0 to 86400."),
    ({"probe_mailbox": "ann"}, "'{}probe_mailbox' is 'ann', but it is one address such as ann@example.com, or"),
    ({"probe_mailbox": "192.0.2.1"}, "'{}probe_mailbox' is '192.0.2.1', but it is one address"),
    ({"probe_mailbox": "mail.example.com."}, "'{}probe_mailbox' is "),
    ({"probe_mailbox": "mail example.com"}, "'{}probe_mailbox' is "),
    ({"probe_mailbox": "ann@example.com>\r\nDATA"}, "'{}probe_mailbox' is "),
]


@pytest.mark.parametrize(
    ("given", "words"), [*WRONG, ({"smtp_port": 0}, "'{}smtp_port' is 0"), ({"since": "now"}, "'{}since' is")]
)
def test_wrong_options(run: Runner, given: dict[str, Any], words: str) -> None:
    result = run(mail_flow_proof, **{"since": SINCE, **given})
    assert result["failed"]
    assert words.format("") in result["msg"]


@pytest.mark.parametrize(("given", "words"), [*WRONG, MISSING])
def test_wrong_options_of_a_restart(run: Runner, given: dict[str, Any], words: str) -> None:
    result = run(tls_settings, restart={"mail": given})
    assert result["failed"]
    assert words.format("restart.mail.") in result["msg"]


def test_all_of_them_at_once_with_the_names_of_the_role(run: Runner) -> None:
    given = {"patience": -1, "probe_mailbox": "ann", "send_logs": ["nowhere"]}
    message = run(tls_settings, role_file="change", restart={"mail": given})["msg"]
    assert all(f"'tls12_{name}'" in message for name in ("mail_patience", "probe_mailbox", "smtp_logs"))
    message = run(mail_flow_proof, role_file="mail", since=SINCE, **given)["msg"]
    assert all(f"'tls12_{name}'" in message for name in ("mail_patience", "probe_mailbox"))
    assert not run(tls_settings, restart={"mail": {**given, "when": "never"}}).get("failed"), "nobody looks there"


def test_a_folder_that_has_gone_since_is_a_note(run: Runner) -> None:
    """After a restart it is too late to refuse anything."""
    result = run(mail_flow_proof, since=SINCE, send_logs=["nowhere"], patience=0)
    assert result["outgoing"]["notes"] == ["there is no 'nowhere' on the controller"]


def test_files_among_the_logs_are_passed_over(run: Runner, tmp_path: Path) -> None:
    """The second phase reads them as well."""
    (tmp_path / "a.log").write_text("Nothing.", encoding="ascii")
    result = run(mail_flow_proof, since=SINCE, send_logs=[str(tmp_path / "a.log")], patience=0)
    assert result["outgoing"]["word"] == "open"
    assert "has no Exchange" in result["why_not"]
