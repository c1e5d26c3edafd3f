# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comments cite: docs/reference/FILE.md and the numbers of its sections. No document is named that is not here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.gates import _checkout
from tests.gates._run import ROOT

PAGES = ROOT / "docs" / "reference"
KNOWN = set(_checkout.files())
# CHANGELOG.md is made at a release.
MADE = {"CHANGELOG.md"}
# Not this file, whose examples are none.
CITING = sorted(
    name
    for name in KNOWN
    if name.endswith((".py", ".yml", ".md", ".rst", ".sh")) and name != "tests/unit/test_metadata_reference.py"
)
# Sections may follow on the next line, behind the mark of a comment.
_NUMBERS = r"\d+(?:\.\d+)*(?:,\s(?=\d)[\d.]*\d)*"
_CITATION = re.compile(rf"docs/reference/(?P<page>[\w-]+\.md)(?:[\s#]+(?P<sections>{_NUMBERS}))?")
_DOCUMENT = re.compile(r"(?<![\w/.*{}-])(?:\.{1,2}/)*(?:[\w.-]+/)*[\w-]+\.(?:md|rst)\b(?![\w/])")
_HEADING = re.compile(r'^#{2,3} <a id="s(?P<anchor>[\d.]+)"></a>(?P<number>[\d.]*\d)\.? \S', re.MULTILINE)
_LINK = re.compile(r"\]\((?P<page>[\w./-]*)#s(?P<section>[\d.]+)\)")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _sections(page: Path) -> list[str]:
    return [match["number"] for match in _HEADING.finditer(page.read_text(encoding="utf-8"))]


SECTIONS = {page.name: _sections(page) for page in PAGES.glob("*.md")}
CITED = [
    (name, match["page"], section)
    for name in CITING
    for match in _CITATION.finditer(_text(name))
    for section in re.findall(r"[\d.]*\d", match["sections"] or "") or [""]
]


def test_there_is_something_to_check() -> None:
    assert len(CITED) >= 30
    assert len({section for _name, page, section in CITED if page == "schannel.md"}) >= 10


@pytest.mark.parametrize("page", sorted(SECTIONS))
def test_sections_have_numbers_that_stay(page: str) -> None:
    """Each heading has its number as anchor; numbers go up, with no gap, below the section that they belong to."""
    text = (PAGES / page).read_text(encoding="utf-8")
    if page != "README.md":
        assert len(re.findall(r"^#{2,} ", text, re.MULTILINE)) == len(SECTIONS[page]) > 0
    assert all(match["anchor"] == match["number"] for match in _HEADING.finditer(text))
    last = [0, 0]
    for number in SECTIONS[page]:
        parts = [*map(int, number.split(".")), 0][:2]
        assert parts in ([last[0] + 1, 0], [last[0], last[1] + 1]), number
        last = parts


def test_what_is_cited_is_there() -> None:
    dangling = [
        f"{name}: {page} {section}"
        for name, page, section in CITED
        if page not in SECTIONS or (section and section not in SECTIONS[page])
    ]
    assert dangling == []


def test_links_to_sections_lead_somewhere() -> None:
    links = [
        (name, (ROOT / name).parent / match["page"] if match["page"] else ROOT / name, match["section"])
        for name in CITING
        for match in _LINK.finditer(_text(name))
    ]
    assert links
    assert [f"{name}: {page}" for name, page, section in links if section not in SECTIONS.get(page.name, ())] == []


def _is_here(name: str, document: str) -> bool:
    """By its path from the root or from the file that names it; a bare name, such as README.md, anywhere."""
    resolved = ((ROOT / name).parent / document).resolve()
    here = resolved.is_relative_to(ROOT) and resolved.relative_to(ROOT).as_posix() in KNOWN
    named_alone = "/" not in document and any(path.endswith(f"/{document}") for path in KNOWN)
    return here or named_alone or document in KNOWN or document in MADE


@pytest.mark.parametrize("ending", [".py", ".yml", ".md", ".rst"])
def test_no_document_is_named_that_is_not_here(ending: str) -> None:
    """Outside of docs/reference/README.md, which names pages of Microsoft's repositories."""
    named = [
        (name, match.group())
        for name in CITING
        if name.endswith(ending) and name != "docs/reference/README.md"
        for match in _DOCUMENT.finditer(re.sub(r"https?://\S+", "", _text(name)))
    ]
    assert [f"{name}: {document}" for name, document in named if not _is_here(name, document)] == []
    assert named or ending == ".rst"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# see docs/reference/wsman.md 1.5, 1.6).", [("wsman.md", "1.5, 1.6")]),
        ("# see docs/reference/wsman.md\n# 1.5: x", [("wsman.md", "1.5")]),
        ("(docs/reference/wsman.md 4), 5", [("wsman.md", "4")]),
        ("docs/reference/wsman.md and 2008", [("wsman.md", None)]),
    ],
)
def test_citations_are_found(text: str, found: list[tuple[str, str | None]]) -> None:
    assert [(match["page"], match["sections"]) for match in _CITATION.finditer(text)] == found
