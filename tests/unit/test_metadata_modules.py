# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, argument spec and code of each module say the same: no other tool compares them for action plugins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from tests.unit import _metadata

Option = Mapping[str, Any]
each_module = pytest.mark.parametrize("module", _metadata.MODULES)

# Compared literally; the second is what an absent key means.
_SAME = {"type": "str", "elements": None, "required": False, "default": None}


def test_modules_are_there() -> None:
    assert len(_metadata.MODULES) >= 5


@each_module
def test_a_module_is_a_stub_a_sidecar_and_an_action(module: str) -> None:
    stub = _metadata.PLUGINS / "modules" / f"{module}.py"
    assert _metadata.parse(stub).body == [], "the module runs nowhere: its file holds comments only"
    assert stub.with_suffix(".yml").is_file()
    assert (_metadata.PLUGINS / "action" / f"{module}.py").is_file()


def test_every_action_has_a_module() -> None:
    actions = {path.stem for path in (_metadata.PLUGINS / "action").glob("*.py")} - {"__init__"}
    assert actions == set(_metadata.MODULES)


def _differences(documented: Option, spec: Option, place: str) -> Iterator[str]:
    for name in sorted({*documented, *spec}):
        where = f"{place}{name}"
        if name not in documented or name not in spec:
            yield f"{where}: only in the {'argument spec' if name in spec else 'documentation'}"
            continue
        ours, theirs = documented[name], spec[name]
        for key, absent in _SAME.items():
            said, is_so = ours.get(key, absent), theirs.get(key, absent)
            if said != is_so:
                yield f"{where}: {key} is {said!r} in the documentation, {is_so!r} in the spec"
        for key in ("choices", "aliases"):
            if sorted(ours.get(key) or ()) != sorted(theirs.get(key) or ()):
                yield f"{where}: {key} are {ours.get(key)!r} in the documentation, {theirs.get(key)!r} in the spec"
        yield from _differences(ours.get("suboptions") or {}, theirs.get("options") or {}, f"{where}.")


@each_module
def test_documented_options_are_the_argument_spec(module: str) -> None:
    documented = _metadata.documentation(module)[0].get("options", {})
    plugin = _metadata.action(module)
    assert list(_differences(documented, plugin.ARGUMENT_SPEC, "")) == []
    assert plugin.ActionModule.ARGUMENT_SPEC is plugin.ARGUMENT_SPEC, (
        "the class must validate with the spec of the module"
    )


@each_module
def test_no_documented_result_is_a_word_of_ansible(module: str) -> None:
    """Whatever a task returns under these names, Ansible takes for itself: a list of failures fails the task."""
    returned = _metadata.documentation(module)[2] or {}
    assert set(returned) & {"failed", "unreachable", "skipped", "exception", "ansible_facts", "invocation"} == set()


def test_a_difference_is_found() -> None:
    documented = {"a": {"type": "int", "default": 1}, "b": {"suboptions": {"c": {"type": "bool"}}}}
    spec = {"a": {"type": "int", "default": 2}, "b": {"options": {"c": {"type": "str"}}}, "d": {"type": "str"}}
    assert [text.split(":")[0] for text in _differences(documented, spec, "")] == ["a", "b.c", "d"]
    assert list(_differences(documented, {"a": documented["a"], "b": {"options": {"c": {"type": "bool"}}}}, "")) == []


def _option_names(spec: Option) -> Iterator[tuple[str, Option]]:
    for name, option in spec.items():
        yield name, option
        yield from _option_names(option.get("options") or {})


@each_module
def test_every_option_is_read(module: str) -> None:
    files = _metadata.reachable(_metadata.PLUGINS / "action" / f"{module}.py")
    assert len(files) > 1
    read = set().union(*map(_metadata.names_read, files))
    action = _metadata.action(module)
    spec = {**action.ARGUMENT_SPEC, **action.ActionModule.ROLE_SPEC}
    unread = [name for name, dummy in _option_names(spec) if name not in read]
    assert unread == []


@each_module
def test_what_sounds_secret_says_whether_it_is(module: str) -> None:
    for name, option in _option_names(_metadata.action(module).ARGUMENT_SPEC):
        if re.search(r"pass(word|phrase)|secret|token|credential|private", name):
            assert "no_log" in option, f"{name}: no_log must be set, to true or to false"


def _incomplete(returned: Mapping[str, Any], place: str) -> Iterator[str]:
    for name, entry in returned.items():
        needed = {"description", "type"} | ({"returned"} if not place else set())
        if entry.get("type") == "list":
            needed.add("elements")
        for key in sorted(needed - {key for key, value in entry.items() if value}):
            yield f"{place}{name}: {key}"
        yield from _incomplete(entry.get("contains") or {}, f"{place}{name}.")


@each_module
def test_a_task_that_is_refused_returns_a_sentence_and_why_alone(module: str) -> None:
    """Before anything was read there is nothing else to return: no other key is there always."""
    returned = _metadata.documentation(module)[2]
    always = {name for name, entry in returned.items() if entry["returned"] == "always"}
    assert always <= {"msg"}
    assert {"msg", "error"} <= returned.keys()
    assert "kind" in returned["error"]["contains"]
    assert returned["error"]["returned"] == "when the task failed, or the host is unreachable"


@each_module
def test_return_values_are_described(module: str) -> None:
    returned = _metadata.documentation(module)[2]
    assert returned
    assert list(_incomplete(returned, "")) == []


def _tasks(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of the examples that calls one of our modules, whether in a play, in a block or bare."""
    if isinstance(node, list):
        for item in node:
            yield from _tasks(item)
    elif isinstance(node, dict):
        if any(str(key).startswith(f"{_metadata.COLLECTION}.") for key in node):
            yield node
        for key in ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"):
            yield from _tasks(node.get(key, []))


def _without_templates(value: Any, option: Option) -> Any:
    """The value, or one of the right type where it is a template."""
    if not (isinstance(value, str) and "{{" in value):
        return value
    if option.get("choices"):
        return option["choices"][0]
    return {"int": 1, "float": 1.0, "bool": True, "list": [], "dict": {}}.get(option.get("type", "str"), "text")


@each_module
def test_examples_are_accepted(module: str) -> None:
    plugin = _metadata.action(module)
    rules = getattr(plugin.ActionModule, "SPEC_RULES", {})
    seen = 0
    for task in _tasks(yaml.safe_load(_metadata.documentation(module)[1])):
        assert task.get("name"), "an example says what it does"
        for key, arguments in task.items():
            if key != f"{_metadata.COLLECTION}.{module}":
                continue
            seen += 1
            known = plugin.ARGUMENT_SPEC
            values = {name: _without_templates(value, known.get(name, {})) for name, value in (arguments or {}).items()}
            assert ArgumentSpecValidator(known, **rules).validate(values).error_messages == []
    assert seen, "no example calls the module by its full name"


def test_the_action_group_names_the_modules() -> None:
    runtime = _metadata.load_yaml(_metadata.ROOT / "meta" / "runtime.yml")
    groups = runtime["action_groups"]
    assert set(groups) == {"exchange_tls", "policy"}
    assert sorted(groups["exchange_tls"]) == [name for name in _metadata.MODULES if _talks_to_a_host(name)]


def _talks_to_a_host(module: str) -> bool:
    return "wire_log" in _metadata.action(module).ARGUMENT_SPEC


def test_the_policy_group_names_the_modules_that_take_a_policy() -> None:
    members = _metadata.load_yaml(_metadata.ROOT / "meta" / "runtime.yml")["action_groups"]["policy"]
    with_policy = [name for name in _metadata.MODULES if "baseline" in _metadata.action(name).ARGUMENT_SPEC]
    assert sorted(members) == with_policy


@each_module
def test_how_a_module_runs_is_documented(module: str) -> None:
    attributes = _metadata.documentation(module)[0].get("attributes", {})
    assert {"check_mode", "diff_mode", "platform", "action", "async", "become", "delegation"} <= set(attributes)
    assert {name for name, item in attributes.items() if not item.get("support")} == set()
    groups = _metadata.load_yaml(_metadata.ROOT / "meta" / "runtime.yml")["action_groups"]
    member_of = [f"{_metadata.COLLECTION}.{name}" for name, members in groups.items() if module in members]
    assert attributes.get("action_group", {}).get("membership", []) == member_of


@each_module
def test_what_a_module_needs_is_documented(module: str) -> None:
    needs = " ".join(_metadata.documentation(module)[0].get("requirements", []))
    assert ("pywinrm" in needs and "pypsrp" in needs) == _talks_to_a_host(module)
    assert ("jmespath" in needs) == ("waivers" in _metadata.action(module).ARGUMENT_SPEC)
