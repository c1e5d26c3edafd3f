# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What documents name is there: tests, files of ours, variables, playbooks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import endpoint
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import baselines
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Match
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report import standing

from tests.gates import __main__ as gates
from tests.gates import _checkout
from tests.gates._run import ROOT
from tests.unit import _metadata, test_metadata_rooms

DOCUMENTS = [name for name in _checkout.files() if name.endswith((".md", ".rst")) and not name.startswith("tests/")]
_TEST = re.compile(r"`(test_\w+(?:\.py)?)`")
_VARIABLE = re.compile(r"(?<![\w.])tls12_[a-z_]*[a-z]\b(?!\.)")
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


def test_rooms_and_gates_are_explained() -> None:
    rows = set(re.findall(r"^\| `([a-z_-]+)` \|", _text("CONTRIBUTING.md"), re.MULTILINE)) - {"docs"}  # a place
    assert sorted(rows) == sorted([*test_metadata_rooms.ARROWS, *gates.GATES])


# --- guide_troubleshooting: every kind of error ----------------------------------------------------------------------

TROUBLESHOOTING = "docs/docsite/rst/guide_troubleshooting.rst"


def _kinds(tree: ast.Module) -> Iterator[str]:
    """What `error.kind` of a result can be: the `kind` of exceptions, and of dictionaries that are written out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for item in node.body:
                target = item.targets[0] if isinstance(item, ast.Assign) else getattr(item, "target", None)
                value = getattr(item, "value", None)
                if isinstance(target, ast.Name) and target.id == "kind" and isinstance(value, ast.Constant):
                    yield from [value.value] if isinstance(value.value, str) else []
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "kind" and isinstance(value, ast.Constant):
                    yield str(value.value)


def test_every_kind_of_error_is_explained_and_no_other() -> None:
    files = (_metadata.PLUGINS / "plugin_utils").rglob("*.py")
    known = {kind for path in files for kind in _kinds(_metadata.parse(path))}
    explained = re.findall(r"^   \* - ``([a-z_]+)``$", _text(TROUBLESHOOTING), re.MULTILINE)
    assert {"bad_option", "bug", "findings", "restart_failed"} <= known
    assert sorted(explained) == sorted(known)


def _messages(tree: ast.Module) -> Iterator[str]:
    """Texts of a file; what f-strings fill in is a blank that no document has."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)


def test_words_of_messages_are_those_of_messages() -> None:
    """Literally, but for what is in italics; so that people find what they see."""
    said = "\n".join(text for path in _metadata.PLUGINS.rglob("*.py") for text in _messages(_metadata.parse(path)))
    cells = re.findall(r"^   \* - ``[a-z_]+``\n     - (?!\*)(.*)$", _text(TROUBLESHOOTING), re.MULTILINE)
    words = [word for cell in cells for word in cell.split("; ")]
    assert len(words) >= 35
    assert [word for word in words if word not in said] == []


def test_guides_are_in_the_table_of_contents() -> None:
    chosen = _metadata.load_yaml(ROOT / "docs/docsite/extra-docs.yml")
    listed = [name for section in chosen["sections"] for name in section["toctree"]]
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "docs/docsite/rst").glob("*.rst"))


def test_variables_that_are_named_exist() -> None:
    """Those of the role, and those that only playbooks have."""
    role = set(_metadata.load_yaml(ROOT / "roles/tls12/defaults/main.yml"))
    written = {name for path in (ROOT / "playbooks").rglob("*.yml") for name in _VARIABLE.findall(path.read_text())}
    named = {(document, name) for document in DOCUMENTS for name in _VARIABLE.findall(_text(document))}
    assert len(named) >= 60
    # a state of WinHTTP, which has the same beginning
    known = role | written | {"tls12_only"}
    assert sorted((document, name) for document, name in named if name not in known) == []


def test_the_guide_and_the_modules_have_the_variables() -> None:
    guide = (_metadata.ROOT / "docs/docsite/rst/guide_maintenance.rst").read_text(encoding="utf-8")
    rows = re.findall(r"^   \* - ``(exchange_\w+)``\n     - (.+(?:\n       .+)*)$", guide, re.MULTILINE)
    assert {name: " ".join(meaning.split()) for name, meaning in rows} == endpoint.OPTIONS
    fragment = (_metadata.PLUGINS / "doc_fragments" / "_exchange.py").read_text(encoding="utf-8")
    assert set(re.findall(r"C\((exchange_\w+)\)", fragment)) == set(endpoint.OPTIONS)


def test_every_key_of_a_rule_is_in_the_guide() -> None:
    guide = _text("docs/docsite/rst/guide_baselines.rst")
    keys = {*baselines.ALWAYS, *baselines.SUBJECTS, *baselines.OPTIONAL}
    assert sorted(key for key in keys if f"``{key}" not in guide) == []
    matches = {item.value for item in Match} - {Match.EXACT.value, Match.SUITES.value}
    assert sorted(match for match in matches if match not in guide) == []


def test_release_notes_have_no_markup_of_ansible() -> None:
    """They are reStructuredText, in which it is shown as it is written."""
    found = [name for name in _checkout.files() if name.startswith("changelogs/") or name == "CHANGELOG.md"]
    assert "changelogs/changelog.yaml" in found
    assert [name for name in found if re.search(r"\b(?:[CMOPV]|RV)\\?\(", _text(name))] == []


def test_the_readme_has_every_word_of_the_last_screen() -> None:
    text = _text("README.md")
    table = text[text.index("| verdict | it means |") :].partition("\n\n")[0]
    told = " ".join(row.split("|")[1] for row in table.splitlines()).lower()
    words = {*standing.STATES, *(word for _state, word in standing._OF_VERDICT.values())}
    assert {word for word in words if word.lower() not in told} == set()
