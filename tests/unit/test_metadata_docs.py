# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What documents name is there: tests, files of ours, variables, playbooks."""

from __future__ import annotations

import re

from tests.gates import _checkout
from tests.gates._run import ROOT

DOCUMENTS = [name for name in _checkout.files() if name.endswith((".md", ".rst")) and not name.startswith("tests/")]
_TEST = re.compile(r"`(test_\w+(?:\.py)?)`")
_LINK = re.compile(r"\]\((?!https?:|mailto:)(?P<target>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _tests() -> set[str]:
    files = list((ROOT / "tests").rglob("test_*.py"))
    functions = {name for path in files for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))}
    return functions | {path.name for path in files}


def test_tests_that_are_named_exist() -> None:
    named = {(document, test) for document in DOCUMENTS for test in _TEST.findall(_text(document))}
    assert len(named) >= 60
    known = _tests()
    assert sorted((document, test) for document, test in named if test not in known) == []


def _anchors(name: str) -> set[str]:
    """As sites that show Markdown make them from headings, and those that are written."""
    text = _text(name)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", re.sub(r"<[^>]*>", "", heading).lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


def test_links_between_documents_lead_somewhere() -> None:
    known = set(_checkout.files())
    broken = []
    for document in DOCUMENTS:
        for match in _LINK.finditer(_text(document)):
            path = ((ROOT / document).parent / match["target"]).resolve() if match["target"] else ROOT / document
            name = path.relative_to(ROOT).as_posix()
            if name not in known and not path.is_dir():
                broken.append(f"{document}: {match['target']}")
            elif match["anchor"] and match["anchor"] not in _anchors(name):
                broken.append(f"{document}: {match['target']}#{match['anchor']}")
    assert broken == []
