# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of the source that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.gates import _checkout
from tests.unit import _metadata

ROOT = _metadata.ROOT
FILES = [ROOT / name for name in _checkout.files() if not (ROOT / name).is_symlink()]
PYTHON = [path for path in FILES if path.suffix == ".py"]
PLUGINS = [path for path in PYTHON if _metadata.PLUGINS in path.parents]
LAB = [path for path in PYTHON if ROOT / "tests" / "lab" in path.parents]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_is_something_to_check() -> None:
    assert len(PLUGINS) >= 20
    assert len(LAB) >= 5


# REUSE-IgnoreStart
HEADER = (
    "GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "SPDX-License-Identifier: GPL-3.0-or-later",
)
# REUSE-IgnoreEnd
# Without comments by nature, or made by a tool.
BARE = re.compile(
    r"LICENSE|.*\.(md|json|csv|pem|der|bin|png|svg|reg|j2\.txt)|changelogs/changelog\.yaml|changelogs/fragments/.*|tests/fuzz/corpus/.*|.*\.keep"
)


def _header_is_missing(path: Path) -> bool:
    head = path.read_text(encoding="utf-8").splitlines()[:8]
    return not all(any(line in text for text in head) for line in HEADER)


def test_every_file_names_its_license() -> None:
    wanted = [path for path in FILES if not BARE.fullmatch(_name(path))]
    assert [_name(path) for path in wanted if _header_is_missing(path)] == []


def test_a_file_fits_in_the_head() -> None:
    lengths = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in PYTHON}
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_what_is_private_says_so() -> None:
    utils = _metadata.PLUGINS / "plugin_utils"
    private = [path for path in PLUGINS if utils in path.parents]
    public = [path for path in private if not any(part.startswith("_") for part in path.relative_to(utils).parts)]
    assert public == [], "a name without an underscore under plugin_utils is a promise to users"
    unmarked = [path for path in private if "# Private to this collection" not in path.read_text(encoding="utf-8")]
    assert list(map(_name, unmarked)) == []


def _imports(paths: list[Path], *forbidden: str) -> dict[str, set[str]]:
    """What the files import of the forbidden packages, by file."""
    found = {
        _name(path): {
            name
            for name in _metadata.imported(path)
            if any(f"{name}.".startswith(f"{prefix}.") for prefix in forbidden)
        }
        for path in paths
    }
    return {name: names for name, names in found.items() if names}


def test_the_lab_knows_nothing_of_the_collection() -> None:
    assert _imports(LAB, "plugins", "ansible_collections", "ansible") == {}


def test_the_plugins_know_nothing_of_the_tests() -> None:
    assert _imports(PLUGINS, "tests") == {}


def test_imports_point_down() -> None:
    utils = [path for path in PLUGINS if "plugin_utils" in path.parts]
    assert _imports(utils, "plugins.action", "plugins.modules", "plugins.callback", "plugins.filter") == {}


def test_imports_are_resolved() -> None:
    actions = [path for path in PLUGINS if "action" in path.parts and path.stem != "__init__"]
    assert len(_imports(actions, "plugins.plugin_utils._action")) >= 5


# ansible-core 2.16 to 2.22 know these. Another one kills the thread that takes the results, and the run hangs for ever.
DISPLAY_KEYWORDS = {
    "display": {"color", "stderr", "screen_only", "log_only", "newline"},
    "verbose": {"host", "caplevel"},
    "warning": {"formatted"},
    **{"v" * count: {"host"} for count in range(1, 7)},
}


def _display_calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Calls of `display.xxx(...)`, `self._display.xxx(...)`, `Display().xxx(...)`."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        text = ast.unparse(owner).partition("(")[0].rsplit(".", 1)[-1].lstrip("_").lower()
        if text == "display":
            yield node.func.attr, node


def _bad_display_calls(tree: ast.Module) -> list[str]:
    return [
        f"line {call.lineno}: {method}({keyword.arg}=...)"
        for method, call in _display_calls(tree)
        for keyword in call.keywords
        if keyword.arg not in DISPLAY_KEYWORDS.get(method, set())
    ]


def test_display_is_called_with_what_it_knows() -> None:
    found = {_name(path): _bad_display_calls(_metadata.parse(path)) for path in PLUGINS}
    assert {name: calls for name, calls in found.items() if calls} == {}


def test_calls_of_display_are_found() -> None:
    assert sum(len(list(_display_calls(_metadata.parse(path)))) for path in PLUGINS) >= 2
    wrong = "display.display('x', host='h')\nself._display.v('x', host='h')\nDisplay().vvv('x', color='red')"
    assert [text.split(":")[0] for text in _bad_display_calls(ast.parse(wrong))] == ["line 1", "line 3"]


def _calls(path: Path) -> set[str]:
    nodes = (node.func for node in ast.walk(_metadata.parse(path)) if isinstance(node, ast.Call))
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def test_plugins_do_not_print() -> None:
    """What they print would end up in the middle of Ansible's own output."""
    assert {_name(path) for path in PLUGINS if _calls(path) & {"print", "breakpoint", "input"}} == set()
