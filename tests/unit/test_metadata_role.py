# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role options: argument_specs.yml, defaults, the README, the tasks and the playbooks say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit import _metadata

ROOT = _metadata.ROOT
each_role = pytest.mark.parametrize("role", _metadata.ROLES)
PREFIX = "tls12_"
BLOCKS = ("block", "rescue", "always")


def _specs(role: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Options by entry point."""
    specs = _metadata.load_yaml(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]
    return {entry: spec.get("options") or {} for entry, spec in specs.items()}


def _options(role: str) -> dict[str, dict[str, Any]]:
    return {name: option for options in _specs(role).values() for name, option in options.items()}


def _defaults(role: str) -> dict[str, Any]:
    return _metadata.load_yaml(ROOT / "roles" / role / "defaults" / "main.yml") or {}


def _task_files(role: str) -> list[Path]:
    return sorted((ROOT / "roles" / role / "tasks").rglob("*.yml"))


def test_there_is_a_role() -> None:
    assert "tls12" in _metadata.ROLES
    assert len(_options("tls12")) >= 5


@each_role
def test_every_entry_point_is_described_and_has_tasks(role: str) -> None:
    specs = _metadata.load_yaml(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]
    for entry, spec in specs.items():
        assert (ROOT / "roles" / role / "tasks" / f"{entry}.yml").is_file(), entry
        assert spec.get("short_description"), entry
        assert spec.get("description"), entry


@each_role
def test_an_option_is_the_same_in_every_entry_point(role: str) -> None:
    every = _options(role)
    for entry, options in _specs(role).items():
        for name, option in options.items():
            # the words may differ, and main may do without what a part of it needs
            facts = {key: value for key, value in option.items() if key not in ("description", "required")}
            same = {key: value for key, value in every[name].items() if key not in ("description", "required")}
            assert facts == same, f"{entry}: {name}"
            assert option.get("description"), f"{entry}: {name}"
            assert option.get("type"), f"{entry}: {name}"


@each_role
def test_defaults_are_the_documented_ones(role: str) -> None:
    documented = {name: option["default"] for name, option in _options(role).items() if "default" in option}
    assert _defaults(role) == documented


@each_role
def test_names_have_the_prefix_of_the_role(role: str) -> None:
    assert [name for name in {**_options(role), **_defaults(role)} if not name.startswith(f"{role}_")] == []


@each_role
def test_every_option_is_used(role: str) -> None:
    folders = [ROOT / "roles" / role / name for name in ("tasks", "templates", "handlers", "vars")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert [name for name in _options(role) if not re.search(rf"(?<![a-z0-9_]){name}(?![a-z0-9_])", text)] == []


@each_role
def test_every_variable_of_the_role_is_an_option_or_its_own(role: str) -> None:
    """A misspelt name would be undefined at run time only."""
    known = set(_options(role))
    for path in _task_files(role):
        text = path.read_text(encoding="utf-8")
        names = set(re.findall(rf"(?<![A-Za-z0-9_.'\"/-]){role}_[a-z0-9_]+", text))
        own = set(re.findall(rf"^\s+(?:register: )?({role}_[a-z0-9_]+):?\s*", text, re.MULTILINE))
        assert names - known - own == set(), path.name


@each_role
def test_options_are_raw(role: str) -> None:
    """Surveys hand over blanks, null and text for all of them; the first task of an entry point understands these."""
    assert {name: option["type"] for name, option in _options(role).items() if option["type"] != "raw"} == {}


def _names(node: Any) -> set[str]:
    """Every name of a variable of the role, or of its own, in the values of a node."""
    if isinstance(node, dict):
        return {name for value in node.values() for name in _names(value)}
    if isinstance(node, list):
        return {name for item in node for name in _names(item)}
    return set(re.findall(rf"(?<![A-Za-z0-9_./-])_?{PREFIX}[a-z0-9_]+", str(node)))


def _expanded(names: set[str], known: dict[str, Any]) -> set[str]:
    """The options among the names, those behind the role's own variables too. ``known``: what these hold."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting |= _names(known.get(name))
    return {name for name in found if name.startswith(PREFIX)}


def _read(folder: Path, tasks: list[dict[str, Any]], known: dict[str, Any]) -> set[str]:
    """The options that tasks read, and those of the files that they import or include."""
    found: set[str] = set()
    for task in tasks:
        # a task has its own word for a variable
        here = known | task.get("vars", {})
        plain = {key: value for key, value in task.items() if key not in ("name", "vars", *BLOCKS)}
        found |= _expanded(_names(plain), here)
        for key in BLOCKS:
            found |= _read(folder, task.get(key, []), here)
        for key in ("ansible.builtin.import_tasks", "ansible.builtin.include_tasks"):
            # the name may hold a template; one that is all template is a file of the user
            pattern = re.sub(r"\{\{.*\}\}", "*", task.get(key, ""))
            for path in folder.glob(pattern) if pattern.strip("*") else ():
                found |= _read(folder, _metadata.load_yaml(path), here)
    return found


def _read_by(role: str) -> dict[str, set[str]]:
    """The options that each entry point reads."""
    folder = ROOT / "roles" / role
    known = _metadata.load_yaml(folder / "vars" / "main.yml")
    tasks = folder / "tasks"
    return {entry: _read(tasks, _metadata.load_yaml(tasks / f"{entry}.yml"), known) for entry in _specs(role)}


@each_role
def test_an_entry_point_lists_what_it_reads(role: str) -> None:
    read = _read_by(role)
    listed = {entry: set(options) for entry, options in _specs(role).items()}
    assert {entry: sorted(read[entry] - listed[entry]) for entry in read if read[entry] - listed[entry]} == {}
    assert {entry: sorted(listed[entry] - read[entry]) for entry in read if listed[entry] - read[entry]} == {}


def test_what_is_read_is_found_behind_variables_and_in_other_files(tmp_path: Path) -> None:
    (tmp_path / "more_a.yml").write_text("- debug: {msg: '{{ tls12_c }}'}", encoding="utf-8")
    known = {"_tls12_a": {"x": "_tls12_b"}, "_tls12_b": "{{ tls12_b | bool }}", "_tls12_other": "tls12_other"}
    tasks: list[dict[str, Any]] = [
        {"always": [{"m": {"from_variables": ["_tls12_a"]}}], "vars": {"_tls12_other": "tls12_not_read"}},
        {"ansible.builtin.import_tasks": "more_{{ which }}.yml", "when": "_tls12_other", "vars": {"_tls12_other": 1}},
        {"ansible.builtin.include_tasks": "{{ tls12_d }}", "name": "Not for 'tls12_e'"},
    ]
    assert _read(tmp_path, tasks, known) == {"tls12_b", "tls12_c", "tls12_d"}


@each_role
def test_the_readme_of_the_role_names_the_entry_points(role: str) -> None:
    text = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    said = re.search(r"^Entry points.*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    assert said
    assert set(_specs(role)) - set(re.findall(r"`([a-z]+)`", said[0])) == set()


README_ROW = re.compile(rf"^\|\s*`({PREFIX}[a-z0-9_]+)`\s*\|(.*)\|\s*$", re.MULTILINE)


@each_role
def test_the_readme_of_the_role_has_the_options(role: str) -> None:
    text = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    rows = {name: [cell.strip() for cell in rest.split("|")] for name, rest in README_ROW.findall(text)}
    assert set(rows) == set(_options(role))
    header = re.search(r"^\|(.*\bDefault\b.*)\|\s*$", text, re.MULTILINE)
    assert header, "the table has a column Default"
    column = [cell.strip() for cell in header[1].split("|")].index("Default") - 1
    defaults = _defaults(role)
    for name, cells in rows.items():
        said = cells[column].strip("`").replace("\\|", "|")
        if name in defaults:
            assert yaml.safe_load(said) == defaults[name], name
        else:
            assert said in ("", "-", "none", "required"), name


def _conditions(node: Any) -> Iterator[str]:
    """Every expression that decides something, and every template, in a task file or playbook."""
    if isinstance(node, list):
        for item in node:
            yield from _conditions(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("when", "until", "failed_when", "changed_when", "that"):
                yield from (str(item) for item in (value if isinstance(value, list) else [value]))
            else:
                yield from _conditions(value)
    elif isinstance(node, str):
        yield from re.findall(r"(?:\bif|\{%-?\s*(?:el)?if)\s(.*?)(?:\belse\b|%\}|\}\}|$)", node, re.DOTALL)


def _bare_booleans(node: Any, booleans: set[str]) -> list[str]:
    found = []
    for condition in _conditions(node):
        for name in sorted(booleans):
            for match in re.finditer(rf"(?<![a-zA-Z0-9_.]){name}(?![a-zA-Z0-9_])", condition):
                rest = condition[match.end() :].lstrip()
                if not re.match(r"\|\s*bool\b|is (not )?defined", rest):
                    found.append(f"{name} in: {condition}")
    return found


def _booleans() -> set[str]:
    return {name for role in _metadata.ROLES for name, option in _options(role).items() if option.get("type") == "bool"}


def test_a_bare_boolean_is_found() -> None:
    tasks = [{"when": ["x_a", "x_b | bool"]}, {"block": [{"msg": "{{ 1 if x_b else 2 }}", "when": "not x_a|bool"}]}]
    assert [text.split(" ")[0] for text in _bare_booleans(tasks, {"x_a", "x_b"})] == ["x_a", "x_b"]


def test_booleans_that_arrive_as_strings_are_converted() -> None:
    """A survey or `-e flag=false` hands over "false", which is true to a bare condition on ansible-core 2.16."""
    files = [path for role in _metadata.ROLES for path in _task_files(role)] + _metadata.PLAYBOOKS
    assert len(files) >= 5
    assert {
        str(path): found for path in files if (found := _bare_booleans(_metadata.load_yaml(path), _booleans()))
    } == {}


def test_there_are_playbooks() -> None:
    assert len(_metadata.PLAYBOOKS) >= 6


def test_a_playbook_has_a_name_for_people_and_one_for_ansible() -> None:
    """With hyphens by path, with underscores by its full name, which cannot have a hyphen."""
    stems = {path.stem for path in _metadata.PLAYBOOKS}
    assert {stem.replace("-", "_") for stem in stems} | {stem.replace("_", "-") for stem in stems} == stems
    for path in _metadata.PLAYBOOKS:
        if "-" in path.stem:
            [play] = _metadata.load_yaml(path)
            assert set(play) == {"name", "ansible.builtin.import_playbook"}, path.name
            assert play["ansible.builtin.import_playbook"] == path.name.replace("-", "_")


@pytest.mark.parametrize(
    "books", [("enforce_tls12", "harden_tls", "rollback_tls12"), ("enforce_tls12_by_dag", "harden_tls_by_dag")]
)
def test_plays_that_take_servers_in_turn_differ_in_what_they_do_alone(books: tuple[str, ...]) -> None:
    """Each is whole in its file, for whoever reads or copies it; as a playbook of its own that the others import, the
    play would be one more thing to run, with no role to it."""
    plays = []
    for book in books:
        *_learning, play = _metadata.load_yaml(ROOT / "playbooks" / f"{book}.yml")
        guard, role = play.pop("tasks")
        del play["name"], role["name"]
        role["ansible.builtin.import_role"].pop("tasks_from", None)
        plays.append((play, guard, role))
    assert all(play == plays[0] for play in plays)


def test_variables_of_the_playbooks_are_options_of_the_role_or_documented() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "playbooks").glob("*.md")]
    known = set(re.findall(r"`([a-z0-9_]+)`", "".join(path.read_text(encoding="utf-8") for path in documents)))
    known |= {name for role in _metadata.ROLES for name in _options(role)}
    unknown = {}
    for path in _metadata.PLAYBOOKS:
        lines = path.read_text(encoding="utf-8").splitlines()
        code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
        used = set(re.findall(rf"(?<![A-Za-z0-9_]){PREFIX}[a-z0-9_]+", code))
        used |= {name for play in _metadata.load_yaml(path) for name in play.get("vars", {})}
        unknown[path.name] = used - known
    assert {name: names for name, names in unknown.items() if names} == {}


def test_the_readme_has_the_variables_that_only_playbooks_have() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("| variable of the playbooks |") :].partition("\n\n")[0]
    told = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    code = "".join(path.read_text(encoding="utf-8") for path in _metadata.PLAYBOOKS)
    read = set(re.findall(rf"\{{\{{[^}}]*?({PREFIX}[a-z0-9_]+)", code)) - {"tls12_report_dir", "tls12_wave_001"}
    assert read > {"tls12_hosts", "tls12_serial"}
    assert read - told == set()
