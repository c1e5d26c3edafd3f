# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a page, read as a browser reads it, and in a browser where there is one."""

from __future__ import annotations

import html.parser
import pathlib
import re
import shutil
import subprocess
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _html
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._text import visible
from hypothesis import given

from .plugin_utils.report.results import HOSTILE, KINDS, fleet, of
from .plugin_utils.report.stories import any_steps

VOID = {"meta", "br", "use", "circle", "path"}


class Page(html.parser.HTMLParser):
    """Tags that close what they open, and what the page says."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.says: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _value in attrs}) == len(attrs), tag
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.says.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.says))


def page(result: dict[str, Any]) -> Page:
    return Page(_html.report(result))


@given(any_steps())
def test_every_story_is_a_page(steps: Any) -> None:
    found = page(of({HOSTILE: steps}))
    names = [str(attributes["id"]) for _tag, attributes in found.tags if "id" in attributes]
    assert len(set(names)) == len(names)
    assert {str(item["href"])[1:] for tag in ("a", "use") for item in found.all(tag)} <= set(names)
    assert visible(HOSTILE) in found.text


def test_it_stands_alone() -> None:
    text = _html.report(of(fleet(12)))
    found = Page(text)
    assert found.all("html") == [{"lang": "en"}]
    assert not {"script", "link", "img", "iframe", "form", "object"} & {tag for tag, _attributes in found.tags}
    assert not re.search(r"url\(|@import| on\w+=", text)
    given = [(name, str(value)) for _tag, attributes in found.tags for name, value in attributes.items()]
    assert not [value for name, value in given if name in ("href", "src", "action") and not value.startswith("#")]
    assert [tag for tag, _attributes in found.tags if re.fullmatch("h[1-6]", tag)].count("h1") == 1
    for heading in found.all("th"):
        assert heading.get("scope") in ("col", "row", "colgroup"), heading
    assert text.count("<table") == text.count("<caption")


def test_the_verdict_comes_first_and_the_worst_servers() -> None:
    text = page(of(fleet(12), untouched=["ex99"])).text
    assert text.index("8 of 13 servers need attention") < text.index("Servers and protocols")
    place = [text.index(f"ex{number:03}.corp", text.index("Client is outgoing")) for number in (0, 5, 8, 2, 1, 3, 4)]
    assert place == sorted(place), "broken, failed, unreachable, wrong, to write, as wanted, verified"
    assert "ex99. The run ended before it came to them" in text


@pytest.mark.parametrize(
    ("kinds", "check_mode", "said"),
    [
        (["fine", "to write", "unchanged"], False, "nothing was changed"),
        (["fine"], True, "check mode: nothing was changed"),
        (["fine", "verified"], False, "1 server was changed or restarted"),
        (["verified", "refused"], False, "2 servers were changed or restarted"),
    ],
)
def test_what_was_done(kinds: list[str], check_mode: bool, said: str) -> None:
    """An audit may change nothing, and says so."""
    hosts = {f"ex{number}": KINDS[kind]() for number, kind in enumerate(kinds)}
    assert f"Done {said} Began" in page(of(hosts, check_mode=check_mode)).text


@pytest.mark.parametrize(("check_mode", "said"), [(False, "1 server was changed"), (True, "check mode: nothing was")])
def test_to_be_brought_back_into_service_is_a_change(check_mode: bool, said: str) -> None:
    result = of({"ex01": KINDS["fine"]()}, check_mode=check_mode)
    result["servers"][0]["maintenance"] = {"stopped": {"changed": True}}
    assert f"Done {said}" in page(result).text


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (["verified"], "The server is verified: TLS 1.2 is on and in effect."),
        (["verified", "unchanged"], "All 2 servers are verified: TLS 1.2 is on and in effect."),
        (["fine", "verified"], "All 2 servers are as wanted."),
        (["broken"], "The server needs attention."),
        (["broken", "fine"], "1 of 2 servers needs attention."),
        ([], "No server was read."),
    ],
)
def test_the_verdict_of_the_fleet(kinds: list[str], said: str) -> None:
    result = of({f"ex{number}": KINDS[kind]() for number, kind in enumerate(kinds)})
    assert said in page(result).text


def test_what_is_configured_and_not_in_effect_is_seen_at_once() -> None:
    text = page(of({"ex01": KINDS["refused"](), "ex02": KINDS["verified"]()})).text
    assert "1 answer does not agree with the registry" in text
    assert text.index("TLS 1.2 is on in the registry, and was refused") < text.index("ex02", text.index("Remark"))
    assert "What is configured is in effect" in page(of({"ex02": KINDS["verified"]()})).text


def test_a_finding_of_many_servers_is_said_once() -> None:
    result = of({f"ex{number:02}": KINDS["broken"]() for number in range(20)})
    text = page(result).text
    assert text.count("TLS 1.2 Client Enabled is REG_DWORD 0") == 1
    assert "set Enabled to 1" in text
    assert "20 servers" in text


def test_mail_flow_is_shown_only_where_it_is_known() -> None:
    assert "Mail flow" not in page(of(fleet(1))).text
    result = of(fleet(1))
    result["servers"][0]["mail_flow"] = {
        "before": {
            "queued": 43,
            "waiting": 40,
            "senders": [{"peer": HOSTILE, "protocol": "TLS 1.0", "sessions": 12, "last": "2026-01-05"}],
        },
        "after": {"queued": 0, "waiting": 0},
        "outgoing": {"word": "proven", "sentence": HOSTILE, "by": ["queue"]},
    }
    text = page(result).text
    assert "43, 40 after an error" in text
    assert f"{visible(HOSTILE)}: TLS 1.0, 12 sessions, last 2026-01-05" in text
    assert f"proven : {visible(HOSTILE)}" in text


def test_what_a_server_sends_is_shown_and_not_obeyed() -> None:
    result = of({HOSTILE: KINDS["broken"]()})
    finding = result["servers"][0]["findings"][0]
    finding.update(message=HOSTILE + "x" * 1_000_000, why=HOSTILE, key=HOSTILE, source=HOSTILE)
    result["servers"][0].update(error="</style><script>" + HOSTILE, verdict=HOSTILE)
    result["run"]["variables"][HOSTILE] = {HOSTILE: [HOSTILE]}
    text = _html.report(result)
    assert not Page(text).all("script")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert len(text) < 60_000


def test_a_fleet_is_small() -> None:
    assert len(_html.report(of(fleet(500))).encode()) < 3_000_000


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium")  # .ci/run fails where it cannot install it
def test_a_browser_shows_it(tmp_path: pathlib.Path) -> None:
    """It renders, and has nothing to tell of errors or of what it was not allowed to load."""
    file = tmp_path / "report.html"
    file.write_text(_html.report(of(fleet(12))), encoding="utf-8")
    done = subprocess.run(
        [
            "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={tmp_path}/profile", "--dump-dom", file.as_uri(),
        ],
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count("<table") == file.read_text(encoding="utf-8").count("<table")
