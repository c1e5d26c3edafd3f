# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection says about itself, read once: documentation, argument specs, role options."""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.loader import fragment_loader, module_loader
from ansible.utils.plugin_docs import get_plugin_docs

from tests.gates._run import ROOT

COLLECTION = "mailops.exchange_tls"
PLUGINS = ROOT / "plugins"
MODULES = sorted({path.stem for path in (PLUGINS / "modules").glob("*.*") if path.stem != "__init__"})
ROLES = sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))


def load_yaml(path: Path) -> Any:
    """The content of a YAML file of ours."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@functools.cache
def documentation(module: str) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """DOCUMENTATION with its fragments resolved, EXAMPLES as text, and RETURN, as ansible-doc reads them."""
    name = f"{COLLECTION}.{module}"
    doc, examples, returned, dummy = get_plugin_docs(name, "module", module_loader, fragment_loader, False)
    return doc, examples, returned


def action(module: str) -> Any:
    """The action plugin of a module."""
    return importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.action.{module}")


def undocumented(module: str, result: Mapping[str, Any]) -> list[str]:
    """Keys of a task's result that RETURN does not have, as paths; for tests that have a real result at hand."""
    by_ansible = {
        "changed",
        "deprecations",
        "diff",
        "exception",
        "failed",
        "invocation",
        "msg",
        "unreachable",
        "warnings",
    }
    ours = {key: value for key, value in result.items() if not key.startswith("_ansible") and key not in by_ansible}
    return list(_undocumented(ours, documentation(module)[2], ""))


def _undocumented(value: Any, documented: Mapping[str, Any], place: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _undocumented(item, documented, place)
    elif isinstance(value, Mapping):
        if value and documented.keys().isdisjoint(value):
            # entries by name, as those of protocols and their sides
            for item in value.values():
                yield from _undocumented(item, documented, place)
            return
        for key, item in value.items():
            if key not in documented:
                yield f"{place}{key}"
            elif contains := documented[key].get("contains"):
                yield from _undocumented(item, contains, f"{place}{key}.")


def missing(module: str, result: Mapping[str, Any]) -> list[str]:
    """What RETURN promises of every task that succeeds, and the result of one that has lacks."""
    promised = {name for name, entry in documentation(module)[2].items() if entry["returned"] in ("always", "success")}
    return sorted(promised - result.keys())


def parse(path: Path) -> ast.Module:
    """The syntax tree of a Python file of ours."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> set[str]:
    """Absolute names of what a file imports, relative imports resolved from the root of the checkout."""
    package = list(path.relative_to(ROOT).parent.parts)
    found: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return {name.removeprefix(f"ansible_collections.{COLLECTION}.") for name in found}


def reachable(start: Path) -> set[Path]:
    """The file and every file of plugins that it imports, directly or not."""
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for name in imported(path):
            target = ROOT.joinpath(*name.split("."))
            waiting += [file for file in (target.with_suffix(".py"), target / "__init__.py") if file.is_file()]
    return found


def names_read(path: Path) -> set[str]:
    """Strings and attributes a file works with, without the keys of dict displays: there, options are declared."""
    found: set[str] = set()
    tree = parse(path)
    declared = {id(key) for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in declared:
            found.add(node.value)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found
