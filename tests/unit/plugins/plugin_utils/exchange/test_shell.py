# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be asked, and what the errors of a cmdlet mean."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import shell

from . import samples


@pytest.mark.parametrize(
    ("cmdlet", "parameters"),
    [
        ("Get-Queue", {}),
        (
            "Set-ServerComponentState",
            {"Identity": "EX01", "LocalOnly": True, "TimeoutInSeconds": 5, "A1": ["x"], "B": None},
        ),
    ],
)
def test_cmdlets_with_parameters(cmdlet: str, parameters: dict[str, Any]) -> None:
    shell.checked(cmdlet, parameters)


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "words"),
    [
        ("Get-Queue | Remove-Queue", {}, "is not the name of a cmdlet"),
        ("Get-Queue;", {}, "is not the name of a cmdlet"),
        ("{ 1 }", {}, "is not the name of a cmdlet"),
        ("Get-Queue\n", {}, "is not the name of a cmdlet"),
        ("", {}, "is not the name of a cmdlet"),
        ("Get-Queue", {"Filter -x": "y"}, "'Filter -x' is not a parameter"),
        ("Get-Queue", {"": "y"}, "is not a parameter"),
        ("Get-Queue", {"ErrorAction": "SilentlyContinue"}, "'ErrorAction' is not a parameter that may be given"),
        ("Get-Queue", {"Server": {"a": 1}}, "which cannot be sent"),
        ("Get-Queue", {"Server": [1]}, "which cannot be sent"),
        ("Get-Queue", {"Server": 1.5}, "which cannot be sent"),
    ],
)
def test_nothing_else_can_be_asked(cmdlet: str, parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError) as caught:
        shell.checked(cmdlet, parameters)
    assert words in caught.value.message


def test_a_change_stops_at_its_first_error() -> None:
    assert shell.stopping({"Identity": "EX01"}) == {"Identity": "EX01", "ErrorAction": "Stop"}


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            samples.error("The term 'Get-Y' is not recognized", "CommandNotFoundException", "ObjectNotFound"),
            shell.CmdletNotFound,
            "has no cmdlet Get-Y for this account. Exchange hides cmdlets",
        ),
        (samples.error(error_id="NamedParameterNotFound,Get-Y"), shell.CmdletNotFound, "does not know a parameter"),
        (samples.error(category="PermissionDenied: (:)"), shell.CmdletDenied, "the account may not do this"),
        (samples.error("Attempted to perform an unauthorized operation."), shell.CmdletDenied, "may not do this"),
        (samples.error("Requested registry access is not allowed."), shell.CmdletDenied, "may not do this"),
        (samples.error("Access to the registry key 'HKLM\\X' is denied."), shell.CmdletDenied, "may not do this"),
        (
            samples.error("?", error_id="[FailureCategory=Cmdlet-UnauthorizedAccessException] 1,Get-Y"),
            shell.CmdletDenied,
            "may not do this",
        ),
        (samples.error("?", category="NotSpecified: (:) [], SecurityException"), shell.CmdletDenied, "may not do this"),
        (samples.error("Access to EX01 was lost."), shell.CmdletError, "Get-Y on EX02 failed"),
        (samples.error("'EX01' isn't within your current write scopes."), shell.CmdletDenied, "may not do this"),
        (samples.error("Too\u202e bad\r\n"), shell.CmdletError, "Get-Y on EX02 failed: Too<U+202E> bad"),
        (samples.Record("only a text"), shell.CmdletError, "failed: only a text"),
        (samples.Record(""), shell.CmdletError, "failed: an error without a message"),
        (
            samples.Record("x", (), {"Exception": None, "ErrorDetails_Message": "In detail."}),
            shell.CmdletError,
            "failed: In detail.",
        ),
    ],
)
def test_errors(error: samples.Record, kind: type[shell.CmdletError], words: str) -> None:
    found = shell.failed("Get-Y", [error], "EX02")
    assert found.__class__ is kind
    assert words in found.message
    assert found.details["cmdlet"] == "Get-Y"


def test_all_errors_are_kept() -> None:
    found = shell.failed("Get-Y", [samples.error("One."), samples.error("Two.")], "EX02")
    assert found.message == "Get-Y on EX02 failed: One. (1 more errors)"
    assert found.as_result() == {
        "kind": "cmdlet",
        "cmdlet": "Get-Y",
        "error_id": "X,Get-Y",
        "category": "NotSpecified",
        "messages": ["One.", "Two."],
    }
