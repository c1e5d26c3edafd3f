# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail_flow_proof: for how long it looks, and what it has seen by then."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError, OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.probe import Probe
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.send_logs import Logs
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks import mail_proof

from ..judgement.test_outgoing import mail, queue
from ..mailflow import test_sent as logs

NOTHING = Logs(None)
ASKED = {"asked": True, "why_not": None}


class Story:
    """A server whose mail changes with the time: what each look at it shows, the last one again and again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *looks: dict[str, Any]) -> None:
        self.now, self.said, self.sent = 0.0, list[str](), list[str]()
        self._looks = [{**ASKED, **look} for look in looks]
        look = self._look

        def asked(looks: Any) -> dict[str, Any]:
            return look(looks)

        monkeypatch.setattr(mail_proof._Looks, "look", asked)
        monkeypatch.setattr(mail_proof.probe, "send", self._send)

    def _look(self, looks: Any) -> dict[str, Any]:
        found = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        looks.error = found.get("error")
        return found

    def _send(self, address: str, port: int, mailbox: str, name: str, timeout: float) -> Probe:
        self.sent.append(f"{address}:{port} {mailbox}")
        return Probe(logs.MESSAGE)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def prove(self, where: Logs = NOTHING, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        task = types.SimpleNamespace(say=self.said.append, address="10.0.0.1", host_name="ex01", check_mode=check_mode)
        given = {
            "since": "2026-01-05T09:00:00Z", "before": None, "fail_if_not_asked": False, "patience": 120,
            "probe_mailbox": None, "smtp_port": 25, **options,
        }  # fmt: skip
        return mail_proof.prove(task, given, where, lambda: self.now, self.sleep)  # type: ignore[arg-type]


def test_nothing_is_waited_for_where_nothing_can_show_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, mail())
    result = story.prove(before=mail())
    assert (story.now, result["outgoing"]["word"]) == (0, "open")
    assert (result["before"], result["after"]) == ({"queued": 0, "waiting": 0}, {"queued": 0, "waiting": 0})
    assert result["since"] == "2026-01-05T09:00:00Z"
    assert result["msg"] == "Outgoing mail: not proven: nothing was seen to leave yet."


def test_mail_that_waits_is_waited_for_until_it_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, mail(queue(40)), mail(queue(12)), mail(queue(0, None)))
    result = story.prove(before=mail(queue(40)))
    assert (result["outgoing"]["word"], result["outgoing"]["by"]) == ("proven", ["queue"])
    assert story.now == 15, "two looks must show it"
    assert result["before"] == {"queued": 40, "waiting": 40}
    assert result["after"] == {"queued": 0, "waiting": 0}
    assert story.said[0].startswith("outgoing mail: not proven: 40 messages wait")
    assert story.said[0].endswith("(0 of at most 120 seconds)")


def test_what_has_surely_left_is_not_waited_for_though_it_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {"require_tls": False}
    story = Story(monkeypatch, mail(queue(40), **plain), mail(**plain))
    assert story.prove(before=mail(queue(40), **plain))["outgoing"]["word"] == "open"
    assert story.now == 10


@pytest.mark.parametrize("patience", [0, 1, 25, 120])
def test_patience_ends(monkeypatch: pytest.MonkeyPatch, patience: int) -> None:
    story = Story(monkeypatch, mail(queue(40)))
    assert story.prove(before=mail(queue(40)), patience=patience)["outgoing"]["word"] == "open"
    assert story.now == patience


def test_a_failure_may_heal(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, mail(queue(1)), mail(queue(0)))
    assert story.prove(before=mail())["outgoing"]["word"] == "open"
    assert story.now == 5


@pytest.mark.parametrize(
    ("named", "mailbox"),
    [("ann@contoso.example", "ann@contoso.example"), ("mail.contoso.example", "postmaster@mail.contoso.example")],
)
def test_the_send_log_is_read_again_until_it_shows_something(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str, mailbox: str
) -> None:
    log = tmp_path / "SEND2026010509-1.LOG"
    log.write_bytes(logs.log(logs.at(1, logs.CUT, 1)))
    story = Story(monkeypatch, mail())
    story.sleep = lambda seconds: _write(story, log, seconds)  # type: ignore[method-assign]
    result = story.prove(Logs(str(tmp_path)), probe_mailbox=named)
    assert result["outgoing"]["by"] == ["probe", "send_log"]
    assert story.now == 5
    assert story.sent == [f"10.0.0.1:25 {mailbox}"], "once"
    assert result["probe"] == {"message": logs.MESSAGE, "refused": None}
    assert "failed with SocketError" in story.said[0]


def _write(story: Story, log: Path, seconds: float) -> None:
    story.now += seconds
    log.write_bytes(logs.log(logs.at(1, logs.CUT, 1), logs.at(2, logs.events("TLS1_2", *logs.NAMED), 2)))


def test_logs_that_have_gone_are_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    story = Story(monkeypatch, {"asked": False, "why_not": "pypsrp is missing."})
    result = story.prove(Logs(str(tmp_path / "gone")), patience=0)
    (note,) = result["outgoing"]["notes"]
    assert "gone" in note
    assert result["why_not"] == "pypsrp is missing."
    assert (result["after"], result["outgoing"]["word"]) == (None, "open")
    (note,) = story.prove(Logs(None, "no folder"), patience=0)["outgoing"]["notes"][:1]
    assert note == "no folder"


def test_exchange_that_does_not_answer_yet_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    away = ExchangeTlsError("503")
    later = {"asked": False, "why_not": "503", "error": away}
    story = Story(monkeypatch, later, later, mail())
    assert story.prove(before=mail(), fail_if_not_asked=True)["after"] == {"queued": 0, "waiting": 0}
    assert story.now == 10
    story = Story(monkeypatch, later)
    assert story.prove(patience=7, before=mail())["why_not"] == "503"
    assert story.now == 7
    story = Story(monkeypatch, later)
    assert story.prove()["why_not"] == "503"
    assert story.now == 0, "it could not be asked before either"
    with pytest.raises(ExchangeTlsError, match="503"):
        story.prove(fail_if_not_asked=True, patience=7)


def test_copies_of_logs_are_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = [line.replace("2026-01-05", "2026-01-01") for line in logs.at(1, logs.events(), 1)]
    (tmp_path / "SEND.LOG").write_bytes(logs.log(old))
    story = Story(monkeypatch, mail())
    assert story.prove(Logs(str(tmp_path)))["outgoing"]["word"] == "open"
    assert story.now == 0


def test_no_mail_in_check_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, mail())
    assert story.prove(check_mode=True, probe_mailbox="ann@contoso.example")["probe"] is None
    assert story.sent == []


@pytest.mark.parametrize("text", ["2026-01-05T09:00:00+02:00", "2026-01-05T07:00:00Z", " 2026-01-05 07:00:00+00:00 "])
def test_a_time_with_its_zone(text: str) -> None:
    assert f"{mail_proof.moment_of(text):%H:%M %z}" == "07:00 +0000"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-01-05", "2026-01-05T09:00:00", "\N{DIGIT ONE}", "0001-01-01T00:00:00+23:59"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(OptionError, match="'since' is"):
        mail_proof.moment_of(text)
