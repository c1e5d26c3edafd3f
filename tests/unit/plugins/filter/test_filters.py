# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters, through Jinja and by hand."""

from __future__ import annotations

import contextlib
import pathlib
from typing import Any

import pytest
from ansible import context
from ansible.errors import AnsibleFilterError
from ansible.plugins.loader import filter_loader
from ansible_collections.mailops.exchange_tls.plugins.filter import (
    mail_diagnosis,
    mail_symptom,
    tls_fleet,
    tls_lost,
    tls_summary,
    tls_verdict,
)

from ..plugin_utils.report.stories import BACKUP, IN, changed, changes, handshakes, restarted, unchanged, verified
from ..plugin_utils.report.stories import settings as settings_of

SETTINGS: dict[str, Any] = settings_of("fine")
WAITING: dict[str, Any] = {**SETTINGS, "restart_pending": True}
BAD: dict[str, Any] = settings_of("off")


@pytest.mark.parametrize(
    "name",
    [
        "tls_verdict",
        "tls_summary",
        "tls_lost",
        "tls_fleet",
        "tls_hosts",
        "tls_serial",
        "tls_overview",
        "tls_waves",
        "tls_wave_groups",
        "mail_symptom",
        "mail_diagnosis",
    ],
)
def test_filters_are_found(name: str) -> None:
    assert filter_loader.get(f"mailops.exchange_tls.{name}") is not None


def problems(settings: Any, **wishes: Any) -> Any:
    found = tls_verdict.tls_verdict(settings, None, **wishes)
    assert found is not None
    return found["problems"]


def test_verdict() -> None:
    found = tls_verdict.tls_verdict(SETTINGS, handshakes(**IN))
    assert found is not None
    assert found == {
        "verified": True,
        "word": "verified",
        "sentence": found["sentence"],
        "incoming": ["smtp://ex01", "https://ex01"],
        "endpoints": {"smtp://ex01": True, "https://ex01": True},
        "problems": [],
        "notes": [],
    }
    assert tls_verdict.tls_verdict(SETTINGS)["word"] == "not_proven"  # type: ignore[index]
    assert len(problems(BAD)) == 4
    assert problems(BAD, judge_policy=False) == []


@pytest.mark.parametrize(
    ("word", "value"), [("false", False), ("False", False), ("no", False), ("true", True), ("yes", True)]
)
def test_booleans_that_are_words(word: str, value: bool) -> None:
    """As they come from -e and from AWX surveys."""
    assert bool(problems(BAD, judge_policy=word)) is value
    assert bool(problems(WAITING, allow_pending=word)) is not value
    change = {"changed": True, "changes": changes("planned"), "backup": None, "restart_required": True}
    lines = tls_summary.tls_summary({"change": change}, check_mode=word)
    assert any("would be written" in line for line in lines) is value


@pytest.mark.parametrize(
    ("settings", "handshakes", "wishes"),
    [
        ("text", None, {}),
        ([], None, {}),
        (5, None, {}),
        (SETTINGS, "text", {}),
        (SETTINGS, {"skipped": True}, {}),
        (SETTINGS, None, {"handshake_policy": "always"}),
        (SETTINGS, None, {"unknown": 1}),
        (SETTINGS, None, {"judge_policy": "perhaps"}),
        ({**SETTINGS, "protocols": "x"}, {"endpoints": [{"verdict": "verified", "versions": {"TLS 1.2": {}}}]}, {}),
    ],
)
def test_verdict_on_rubbish(settings: Any, handshakes: Any, wishes: dict[str, Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="tls_verdict takes the result of tls_settings_info"):
        tls_verdict.tls_verdict(settings, handshakes, **wishes)


@pytest.mark.parametrize("settings", [None, {}, {"failed": True, "msg": "x"}, {"skipped": True}])
def test_no_verdict_on_a_step_that_brought_nothing(settings: Any) -> None:
    assert tls_verdict.tls_verdict(settings, {"endpoints": []}) is None


def test_summary() -> None:
    lines = tls_summary.tls_summary({"change": changed(), "reboot": restarted(), "verify": verified(accepted=IN)})
    assert "verified" in lines[1]
    assert any(BACKUP in line for line in lines)
    assert lines[1].startswith("EX01 "), "the server has a name of its own"


def test_summary_of_nothing() -> None:
    for steps in ({}, {"audit": None, "change": {}}):
        _header, row, *_more, total = tls_summary.tls_summary(steps)
        assert row.startswith("the host ")
        assert total == "1 not read; not reached: none; not touched: none"


def test_summary_of_steps_with_the_names_of_before() -> None:
    """The last reading, and the verdict of the filter, by the names that they had in 0.1.0."""
    tried = handshakes(**IN)
    verdict = tls_verdict.tls_verdict(SETTINGS, tried)
    steps = {"audit": BAD, "change": changed(), "after": SETTINGS, "verdict": verdict}
    assert "verified" in tls_summary.tls_summary(steps)[1]
    assert "as wanted" not in tls_summary.tls_summary({**steps, "verdict": None})[1]


@pytest.mark.parametrize(
    "steps",
    [
        None,
        "text",
        [],
        {"audit": "text"},
        {"unknown": {"x": 1}},
        {"audit": {"protocols": 5, "findings": []}},
        {"audit": {**SETTINGS, "findings": [{}]}},
        {"audit": {**SETTINGS, "findings": 5}},
        {"audit": {**SETTINGS, "host": "x"}},
        {"change": {**unchanged(), "changes": [5]}},
        {"change": {**unchanged(), "changes": "text"}},
        {"change": {**unchanged(), "changes": {"a": 1}}},
        {"change": {**unchanged(), "warnings": 5}},
        {"change": {**unchanged(), "handshakes": "text"}},
        {"change": {**unchanged(), "handshakes": {"endpoints": ["x"]}}},
        {"verify": {**SETTINGS, "verdict": {"word": "fine"}}},
        {"verify": {**SETTINGS, "verdict": "text"}},
        {"change": {"failed": True, "error": "text"}},
        {"reboot": {"rebooted": True, "elapsed": "long"}, "change": {"overview": "x"}},
    ],
)
def test_summary_of_rubbish(steps: Any) -> None:
    """An error of the filter, never one that looks like a bug of Ansible."""
    with contextlib.suppress(AnsibleFilterError):
        assert all(isinstance(line, str) for line in tls_summary.tls_summary(steps))


def test_summary_of_what_is_no_dictionary_is_refused() -> None:
    for steps in (None, "text", [], 5):
        with pytest.raises(AnsibleFilterError, match="tls_summary takes a dictionary with the results of steps"):
            tls_summary.tls_summary(steps)
    with pytest.raises(AnsibleFilterError, match="This is no result of the steps audit, change, reboot"):
        tls_summary.tls_summary({"audit": {**SETTINGS, "findings": [{}]}})
    with pytest.raises(AnsibleFilterError):
        tls_summary.tls_summary({}, check_mode="perhaps")


def test_seconds_that_are_text() -> None:
    change = {"change": changed(), "reboot": {**restarted(), "elapsed": "61"}}
    assert "done 0 s" in tls_summary.tls_summary(change)[1]


# --- endpoints that were lost ----------------------------------------------------------------------------------------


def shaken(*versions: str, **endpoints: bool | None) -> dict[str, Any]:
    """A result of tls_handshake_info: endpoint=accepted, for TLS 1.2 unless versions are named."""
    return {
        "endpoints": [
            {"endpoint": name, "versions": {version: {"accepted": accepted} for version in versions or ("TLS 1.2",)}}
            for name, accepted in endpoints.items()
        ]
    }


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (shaken(smtp=True, https=True), shaken(smtp=True, https=True), []),
        (shaken(smtp=True, https=True), shaken(smtp=False, https=True), ["smtp"]),
        # one that could not be tried the second time
        (shaken(smtp=True, https=True), shaken(smtp=None, https=None), ["smtp", "https"]),
        (shaken(smtp=True), shaken(https=True), ["smtp"]),
        (shaken(smtp=True), {"endpoints": []}, ["smtp"]),
        (shaken(smtp=True), {"skipped": True}, ["smtp"]),
        (shaken(smtp=True), None, ["smtp"]),
        # what was not there before cannot be lost
        (shaken(smtp=False, https=None), shaken(smtp=False, https=False), []),
        (shaken(smtp=False), shaken(smtp=True), []),
        (None, shaken(smtp=True), []),
        (None, None, []),
        ({}, {}, []),
        ({"skipped": True}, None, []),
        ({"failed": True, "msg": "x"}, {"failed": True, "msg": "x"}, []),
        # another version
        (shaken("TLS 1.0", smtp=True), shaken("TLS 1.0", smtp=False), []),
        (shaken("TLS 1.0", "TLS 1.2", smtp=True), shaken("TLS 1.2", smtp=True), []),
    ],
)
def test_lost(before: Any, after: Any, lost: list[str]) -> None:
    assert tls_lost.tls_lost(before, after) == lost


def test_lost_of_another_version() -> None:
    before, after = shaken("TLS 1.0", smtp=True), shaken("TLS 1.0", smtp=False)
    assert tls_lost.tls_lost(before, after, "TLS 1.0") == ["smtp"]
    assert tls_lost.tls_lost(before, after, version="TLS 1.3") == []


@pytest.mark.parametrize(
    "rubbish",
    [
        "text",
        [1],
        5,
        {"endpoints": 5},
        {"endpoints": ["smtp"]},
        {"endpoints": [{}]},
        {"endpoints": [{"versions": {}}, 1]},
    ],
)
def test_lost_of_rubbish(rubbish: Any) -> None:
    for before, after in ((rubbish, None), (None, rubbish)):
        with pytest.raises(AnsibleFilterError, match="tls_lost takes two results of tls_handshake_info, or null"):
            tls_lost.tls_lost(before, after)


# --- hosts that differ -----------------------------------------------------------------------------------------------


def test_fleet() -> None:
    on = {**SETTINGS, "protocols": {"TLS 1.2": {"Server": {"effective": "enabled"}}}}
    off = {**SETTINGS, "protocols": {"TLS 1.2": {"Server": {"effective": "disabled_by_default"}}}}
    found = tls_fleet.tls_fleet({"a": on, "b": off, "c": on, "d": None})
    assert found["consistent"] is False
    assert [group["hosts"] for group in found["groups"]] == [["a", "c"], ["b"]]
    assert [item["message"] for item in found["findings"]] == [
        "TLS 1.2 Server is enabled on 2 of 3 hosts, but disabled by default on b."
    ]
    assert found["unknown"] == ["d"]
    assert tls_fleet.tls_fleet({})["consistent"] is True


@pytest.mark.parametrize(
    "rubbish",
    [
        None,
        "text",
        [SETTINGS],
        {"a": 5},
        {"a": {"protocols": {}}},
        {"a": {**SETTINGS, "protocols": "x"}},
        {"a": {**SETTINGS, "findings": [{}]}},
        {
            "a": {
                **SETTINGS,
                "findings": [
                    {"protocol": None, "expected": {}, "status": "x", "key": "", "value": "", "actual": {"present": 1}}
                ],
            }
        },
    ],
)
def test_fleet_of_rubbish(rubbish: Any) -> None:
    with pytest.raises(
        AnsibleFilterError, match="tls_fleet takes a dictionary of results of tls_settings_info by host"
    ):
        tls_fleet.tls_fleet(rubbish)


# --- texts of errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"), [(None, "none"), ("", "none"), ("421 4.4.2 SocketError", "connection_dropped_socket_error")]
)
def test_mail_symptom(text: str | None, kind: str) -> None:
    assert mail_symptom.mail_symptom(text)["kind"] == kind


def test_mail_symptom_takes_text_only() -> None:
    with pytest.raises(AnsibleFilterError, match="not list"):
        mail_symptom.mail_symptom(["421 4.4.2"])


def _answered(symptom: Any = None, **variables: Any) -> list[str]:
    return mail_diagnosis.mail_diagnosis({"ex01": {"_tls12_why": SETTINGS, **variables}}, ["ex01"], symptom)


def test_mail_diagnosis() -> None:
    assert _answered()[0].startswith("answer:  TLS 1.2 is on in the registry")
    assert "queues and connectors not seen" in _answered(_tls12_mail={"skipped": True})[1]
    to_it = "[{LED=421 4.4.2 Connection dropped due to SocketError};{IP=10.0.0.1:25}]"
    server_off = {"_tls12_why": settings_of("server off"), "ansible_host": "10.0.0.1"}
    assert "answer:  Most likely this is the cause: TLS 1.2 is off on ex01." in _answered(to_it, **server_off)
    # a number is what -e makes of 421 alone
    assert _answered(421)[0] == "text:    421"


@pytest.mark.parametrize("typed", ["tls12_symptom=421 4.4.2 SocketError", " tls12_symptom = '421 4.4.2 SocketError'"])
def test_mail_diagnosis_takes_the_text_as_it_was_typed(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr(context, "CLIARGS", {"extra_vars": ["tls12_hosts=all", typed]})
    assert _answered("421")[0] == "text:    421 4.4.2 SocketError"
    assert _answered("Something else")[0] == "text:    Something else"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("symptom=421 4.4.2 SocketError", False),
        ('{"symptom": "421 4.4.2 SocketError"}', False),
        ('{"tls12_symptom": "421 4.4.2 SocketError"}', False),
        ('{"tls12_symptom": "421 4.4.2 SocketError", "secret": "x"}', True),
        ("{}", True),
        ("secret=x", True),
    ],
)
def test_the_text_is_nothing_that_the_next_command_leaves_out(
    monkeypatch: pytest.MonkeyPatch, typed: str, told: bool
) -> None:
    monkeypatch.setattr(context, "CLIARGS", {"extra_vars": [typed], "args": ["why-mail-stopped.yml"]})
    shown = _answered("421 4.4.2 SocketError", _tls12_why=settings_of("off"))
    assert ("# with your other -e" in shown[-1]) is told


@pytest.mark.parametrize("typed", [r"symptom='C:\temp\ndr.txt'", r"tls12_symptom=C:\temp\ndr.txt"])
def test_mail_diagnosis_shows_backslashes_as_they_were_typed(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Of C:, a tab, emp, a new line, dr.txt nobody would know what was meant."""
    monkeypatch.setattr(context, "CLIARGS", {"extra_vars": [typed]})
    assert _answered("C:\temp\ndr.txt")[0] == r"text:    C:\temp\ndr.txt"


def test_mail_diagnosis_of_the_name_of_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "undelivered mail").write_text("421 4.4.2 Connection dropped due to SocketError", encoding="utf-8")
    (tmp_path / "SocketError").mkdir()
    for name in ("undelivered mail", "nosuch.txt", "@undelivered"):
        shown = _answered(name)
        assert shown[0] == f"text:    {name}"
        assert "is the name of a file, which is not read" in shown[1]
        assert "-e @symptom.yml" in shown[1]
        assert "421" not in str(shown)
    assert "is the name of a file" not in _answered("SocketError")[1], "a folder is none"


@pytest.mark.parametrize("hosts", [7, ["ex02"]])
def test_mail_diagnosis_of_something_else(hosts: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes hostvars"):
        mail_diagnosis.mail_diagnosis({"ex01": {}}, hosts)
